//! The recorder: its cameras, its disk, and what both share.

use std::{
    collections::BTreeMap,
    fmt, io,
    num::NonZeroU16,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use sparekey_agent::Recordings;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::{
    api::whep::Sessions,
    backup::{Backup, Sender, Task},
    camera::{self, State, Status},
    disk::{
        Stream,
        library::Library,
        writer::{Health, Keep, Writer},
    },
    hub::{Hub, Watchers},
    intake::Intake,
    rtsp::{self, Account},
    settings::{Camera, MOST_CAMERAS, Settings},
    stream::{Clock, Taker},
};

/// Where a device's recordings are, in its folder: the agent erases what is in it when an ownership ends.
const FOLDER: &str = "recordings";

/// Why there is no recorder. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// Its settings.
    #[error("{path} cannot be read ({1})\nMend it, or remove it: cameras are then added anew.", path = .0.display())]
    Settings(PathBuf, io::Error),
    /// The system.
    #[error("the system refuses what a recorder needs ({0})\nCheck its limits of threads and memory.")]
    System(#[from] io::Error),
}

/// A recorder that takes its cameras' pictures until it is dropped.
pub struct Recorder(pub(crate) Arc<Inside>);

pub(crate) struct Inside {
    dir: PathBuf,
    settings: Mutex<Settings>,
    running: Mutex<BTreeMap<u32, Arc<Running>>>,
    pub(crate) library: Arc<Library>,
    pub(crate) clock: Clock,
    /// Who watches by WebRTC.
    pub(crate) whep: Sessions,
    pub(crate) backup: Sender,
    watchers: Watchers,
    /// Ends what serves other programs.
    programs: Mutex<CancellationToken>,
    runtime: Handle,
    this: Weak<Self>,
    // In this order: cameras end, then the disk writes what they left.
    intake: Intake,
    writer: Writer,
}

/// A camera that is connected to.
pub(crate) struct Running {
    /// The large stream, and the small one if there is one.
    streams: [Option<Channel>; 2],
    stop: CancellationToken,
}

/// One stream of it.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) hub: Arc<Hub>,
    pub(crate) status: Status,
}

impl Running {
    /// A stream; the large one where there is no small one.
    pub(crate) fn stream(&self, stream: Stream) -> Option<&Channel> {
        let small = self.streams[1].as_ref().filter(|_| stream == Stream::Sub);
        small.or(self.streams[0].as_ref())
    }

    pub(crate) fn state(&self) -> State {
        self.streams[0].as_ref().map_or(State::Connecting, |stream| stream.status.get())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Mends what a crash left behind, and begins to record. `device` is its serial number. To be called on a runtime of tokio, which
    /// other programs are served on.
    ///
    /// # Errors
    /// [`RecorderError`]
    pub fn open(dir: &Path, device: &str) -> Result<Self, RecorderError> {
        let settings = Settings::read(dir).map_err(|error| RecorderError::Settings(dir.join("cameras.json"), error))?;
        let folder = dir.join(FOLDER);
        let writer = Writer::start(&folder, settings.keep)?;
        if writer.repaired.files > 0 {
            let (files, bytes) = (writer.repaired.files, writer.repaired.bytes);
            tracing::info!(files, bytes, "recordings that were open when the recorder ended were closed");
        }
        let library = Arc::new(Library::new(&folder, &writer));
        let backup = Sender::start(Arc::clone(&library), settings.backup.clone(), device.to_owned())?;
        let watchers = Watchers::default();
        let intake = Intake::start(watchers.clone())?;
        let inside = Arc::new_cyclic(|this| Inside {
            programs: Mutex::default(),
            runtime: Handle::current(),
            this: Weak::clone(this),
            dir: dir.to_owned(),
            running: Mutex::default(),
            library,
            backup,
            clock: Clock::new(writer.last),
            whep: Sessions::default(),
            watchers,
            intake,
            writer,
            settings: Mutex::new(settings),
        });
        for camera in &inside.settings().cameras {
            inside.run(camera);
        }
        inside.serve_programs();
        Ok(Self(inside))
    }

    /// How its recordings are erased when an ownership ends: with them go the cameras, whose passwords are the owner's.
    #[must_use]
    pub fn recordings(&self) -> Recordings {
        let inside = Arc::clone(&self.0);
        Recordings::erased_by(move || inside.erase())
    }

    /// Adds a camera that plays an MP4 file over and over, unless there is one of this name.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn add_file(&self, name: &str, file: &Path) -> io::Result<()> {
        if self.0.settings().cameras.iter().any(|camera| camera.name == name) {
            return Ok(());
        }
        let source = crate::settings::Source::File(file.to_owned());
        self.0.add(|id| Camera { id, name: name.to_owned(), source, record: true }).map(drop)
    }
}

impl Inside {
    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health(&self) -> Health {
        self.writer.disk().health()
    }

    /// All cameras with how they do, in the order in which they were added.
    pub(crate) fn cameras(&self) -> Vec<(Camera, Arc<Running>)> {
        let running = self.running();
        let cameras = self.settings().cameras.clone();
        cameras
            .into_iter()
            .filter_map(|camera| Some((running.get(&camera.id).cloned()?, camera)))
            .map(|(running, camera)| (camera, running))
            .collect()
    }

    pub(crate) fn camera(&self, id: u32) -> Option<(Camera, Arc<Running>)> {
        self.cameras().into_iter().find(|(camera, _)| camera.id == id)
    }

    fn run(&self, camera: &Camera) {
        let stop = CancellationToken::new();
        let (large, small) = camera.source.origins();
        let channel = |origin, stream, is_recorded: bool| {
            let (hub, status) = (Arc::new(Hub::new(self.watchers.clone())), Status::new());
            let disk = is_recorded.then(|| self.writer.disk());
            let taker = Taker::new((camera.id, stream), Arc::clone(&hub), disk, self.clock.clone());
            self.intake.spawn(camera::run(origin, taker, status.clone(), stop.clone()));
            Channel { hub, status }
        };
        let large = channel(large, Stream::Main, camera.record);
        let small = small.map(|origin| channel(origin, Stream::Sub, false));
        self.running().insert(camera.id, Arc::new(Running { streams: [Some(large), small], stop }));
    }

    /// Adds a camera; its number, or `None` if there are too many.
    pub(crate) fn add(&self, camera: impl FnOnce(u32) -> Camera) -> io::Result<Option<u32>> {
        let camera = {
            let mut settings = self.settings();
            if settings.cameras.len() >= MOST_CAMERAS {
                return Ok(None);
            }
            let mut next = settings.clone();
            next.last += 1;
            let camera = camera(next.last);
            next.cameras.push(camera.clone());
            next.write(&self.dir)?;
            *settings = next;
            camera
        };
        self.run(&camera);
        Ok(Some(camera.id))
    }

    /// Changes a camera, and connects to it anew; whether there was one.
    pub(crate) fn change(&self, id: u32, change: impl FnOnce(&mut Camera)) -> io::Result<bool> {
        let camera = {
            let mut settings = self.settings();
            let mut next = settings.clone();
            let Some(camera) = next.cameras.iter_mut().find(|camera| camera.id == id) else { return Ok(false) };
            change(camera);
            let camera = camera.clone();
            next.write(&self.dir)?;
            *settings = next;
            camera
        };
        self.running().remove(&id);
        self.run(&camera);
        Ok(true)
    }

    /// Takes a camera away; what it recorded stays for as long as everything does. Whether there was one.
    pub(crate) fn remove(&self, id: u32) -> io::Result<bool> {
        let mut settings = self.settings();
        let mut next = settings.clone();
        next.cameras.retain(|camera| camera.id != id);
        if next.cameras.len() == settings.cameras.len() {
            return Ok(false);
        }
        next.write(&self.dir)?;
        *settings = next;
        drop(settings);
        self.running().remove(&id);
        Ok(true)
    }

    /// Recordings are not sent to the last owner's storage any more, and his programs are let in no more. Cameras stay: they belong to the place.
    pub(crate) fn forget_owner(&self) -> io::Result<()> {
        let is_set = {
            let settings = self.settings();
            settings.backup.is_some() || settings.programs.is_some()
        };
        if is_set {
            self.set_backup(None)?;
            self.set_account(None)?;
        }
        Ok(())
    }

    fn erase(&self) -> io::Result<()> {
        self.running().clear();
        let mut settings = self.settings();
        let next = Settings { cameras: Vec::new(), backup: None, programs: None, ..settings.clone() };
        next.write(&self.dir)?;
        *settings = next;
        drop(settings);
        self.serve_programs();
        self.backup.tell(Task::Set(None));
        self.writer.disk().erase().map_err(io::Error::other)
    }

    /// Serves other programs, if there is an account for them.
    fn serve_programs(&self) {
        let mut stop = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        stop.cancel();
        *stop = CancellationToken::new();
        if let Some(account) = self.settings().programs.clone() {
            self.runtime.spawn(rtsp::serve(Weak::clone(&self.this), account, stop.clone()));
        }
    }

    /// A new account for other programs; the one before opens nothing more.
    pub(crate) fn draw_account(&self, port: Option<NonZeroU16>) -> io::Result<Account> {
        let account = Account::draw(self.settings().programs.as_ref(), port)?;
        self.set_account(Some(account.clone()))?;
        Ok(account)
    }

    pub(crate) fn set_account(&self, programs: Option<Account>) -> io::Result<()> {
        {
            let mut settings = self.settings();
            let next = Settings { programs, ..settings.clone() };
            next.write(&self.dir)?;
            *settings = next;
        }
        self.serve_programs();
        Ok(())
    }

    /// Where recordings are sent from now on.
    pub(crate) fn set_backup(&self, backup: Option<Backup>) -> io::Result<()> {
        let mut settings = self.settings();
        let next = Settings { backup: backup.clone(), ..settings.clone() };
        next.write(&self.dir)?;
        *settings = next;
        self.backup.tell(Task::Set(backup));
        Ok(())
    }

    /// How much is kept from now on.
    pub(crate) fn keep(&self, keep: Keep) -> io::Result<()> {
        let mut settings = self.settings();
        let next = Settings { keep, ..settings.clone() };
        next.write(&self.dir)?;
        *settings = next;
        self.writer.disk().keep(keep);
        Ok(())
    }
}
