//! The thread that sends.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use sparekey_footage::Moment;
use tokio::runtime::{Builder, Runtime};

use super::{Backup, Shared, Store, StoreError, Wish};
use crate::{
    disk::{Recording, library::Library},
    slices::Slice,
};

/// Between two looks for closed files.
const LOOK: Duration = Duration::from_secs(5);
/// After a failure: doubled with each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Files that are looked at at a time.
const FILES: u32 = 32;
/// What is asked for and not done yet.
const MOST_WISHES: usize = 64;

/// What the thread is told.
pub(crate) enum Task {
    /// Where to send from now on; none: nowhere.
    Set(Option<Backup>),
    Wish(Wish),
}

/// The thread. It ends when this is dropped.
pub(crate) struct Sender {
    tasks: mpsc::SyncSender<Task>,
    pub(crate) progress: Shared,
    _thread: JoinHandle<()>,
}

impl Sender {
    /// `device` tells its recordings from another recorder's at the same place.
    pub(crate) fn start(library: Arc<Library>, backup: Option<Backup>, device: String) -> io::Result<Self> {
        let (tasks, queue) = mpsc::sync_channel(MOST_WISHES);
        let progress = Shared::default();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let room = Room { library, backup, device, progress: progress.clone(), runtime, wishes: Vec::new() };
        let thread = thread::Builder::new().name("backup".to_owned()).spawn(move || room.run(&queue))?;
        Ok(Self { tasks, progress, _thread: thread })
    }

    /// Whether there is room for it.
    pub(crate) fn tell(&self, task: Task) -> bool {
        self.tasks.try_send(task).is_ok()
    }
}

struct Room {
    library: Arc<Library>,
    backup: Option<Backup>,
    device: String,
    progress: Shared,
    runtime: Runtime,
    wishes: Vec<Wish>,
}

impl Room {
    fn run(mut self, queue: &Receiver<Task>) {
        let (mut pause, mut not_before) = (FIRST_PAUSE, Instant::now());
        loop {
            match queue.recv_timeout(if self.wishes.is_empty() { LOOK } else { LOOK / 10 }) {
                Ok(Task::Set(backup)) => {
                    (self.backup, pause, not_before) = (backup, FIRST_PAUSE, Instant::now());
                    self.progress.lock().failing = None;
                    continue;
                }
                Ok(Task::Wish(wish)) => {
                    self.wishes.push(wish);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() < not_before {
                continue;
            }
            let Some(backup) = self.backup.clone() else { continue };
            match self.work(&backup) {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    self.progress.lock().failing = None;
                }
                Err(error) => {
                    let mut progress = self.progress.lock();
                    progress.now = None;
                    if progress.failing.is_none() {
                        tracing::warn!(%error, "recordings cannot be sent to the backup");
                    }
                    let since = progress.failing.as_ref().map_or_else(now, |(_, since)| *since);
                    progress.failing = Some((error.to_string().chars().take(300).collect(), since));
                    not_before = Instant::now() + pause;
                    pause = LONGEST_PAUSE.min(2 * pause);
                }
            }
        }
    }

    /// What is asked for, then some of what the rule says.
    fn work(&mut self, backup: &Backup) -> Result<(), StoreError> {
        let mut files = Vec::new();
        if backup.all {
            files = self.library.ask(|index| index.not_sent(FILES)).map_err(io::Error::other)?;
        }
        self.progress.lock().waiting = files.len() as u64 + self.wishes.len() as u64;
        if files.is_empty() && self.wishes.is_empty() {
            return Ok(());
        }
        let store = Store::open(&backup.place)?;
        while let Some(wish) = self.wishes.first().cloned() {
            match wish {
                Wish::Clip { name, head, body, statement } => {
                    let name = format!("{}/clips/{name}", self.device);
                    let body = body.into_iter().map(|(path, offset, length)| Slice::File { path, offset, length });
                    self.send(&store, &name, [Slice::Bytes(head)].into_iter().chain(body).collect())?;
                    self.send(&store, &format!("{name}.statement"), vec![Slice::Bytes(statement.into())])?;
                }
                Wish::Restore { camera, span } => self.restore(&store, camera, span)?,
            }
            self.wishes.remove(0);
        }
        for file in files {
            let name = self.name(&file);
            // Sent before, by an index that was lost since.
            if self.runtime.block_on(store.length(&name))? != Some(file.bytes) {
                let whole = Slice::File { path: self.library.path(&file), offset: 0, length: file.bytes };
                match self.send(&store, &name, vec![whole]) {
                    // It went to make room before it was sent.
                    Err(StoreError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                    sent => sent?,
                }
            }
            self.library.ask(|index| index.sent(file.id)).map_err(io::Error::other)?;
            self.progress.lock().waiting -= 1;
        }
        Ok(())
    }

    fn name(&self, file: &Recording) -> String {
        format!("{}/{}", self.device, Recording::name(file.channel, file.span().from))
    }

    fn send(&self, store: &Store, name: &str, slices: Vec<Slice>) -> Result<(), StoreError> {
        let length = slices.iter().map(Slice::length).sum();
        let told = |sent| self.progress.lock().now = Some((name.to_owned(), sent, length));
        told(0);
        self.runtime.block_on(store.send(name, slices, told))?;
        let mut progress = self.progress.lock();
        progress.now = None;
        progress.sent += 1;
        Ok(())
    }

    /// Fetches what a span has and this disk has not.
    fn restore(&self, store: &Store, camera: u32, span: sparekey_footage::Span) -> Result<(), StoreError> {
        let below = format!("{}/{camera}", self.device);
        let names = self.runtime.block_on(store.names(&below))?;
        let mut found: Vec<_> = names
            .iter()
            .filter_map(|name| Some((Recording::of_name(&camera.to_string(), name.rsplit('/').next()?)?, name)))
            .collect();
        found.sort_unstable();
        for (number, ((channel, from), name)) in found.iter().enumerate() {
            // It lasts until the next one begins, at most; what of it is in the span shows when it is read.
            let next = found[number + 1..].iter().find(|(other, _)| other.0 == *channel).map(|((_, next), _)| *next);
            if *from >= span.to || next.is_some_and(|next: Moment| next <= span.from) {
                continue;
            }
            let path = self.library.folder().join(Recording::name(*channel, *from));
            if path.exists() {
                continue;
            }
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let scratch = path.with_extension("part");
            let _ = fs::remove_file(&scratch);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&scratch)?;
            let mut came = 0;
            self.runtime.block_on(store.fetch(name, |part| {
                came += part.len() as u64;
                self.progress.lock().now = Some(((*name).clone(), came, 0));
                file.write_all(part)
            }))?;
            file.sync_all()?;
            fs::rename(&scratch, &path)?;
            self.library.take_in(*channel, *from).map_err(io::Error::other)?;
            self.progress.lock().now = None;
        }
        Ok(())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
