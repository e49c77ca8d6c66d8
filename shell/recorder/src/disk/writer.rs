//! The one thread that writes to a disk.
//!
//! A fragment is one write; once a second all files that were written to are synced. Before a new file opens, what is over the limits goes,
//! the oldest first; where the disk is full all the same, more goes and the same write is made again. A disk that fails costs what is on
//! its way, never the thread: the next file that a stream begins is tried anew.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sparekey_footage::{
    Moment, Span, Stretch,
    retention::{self, Limits, Usage},
};

use super::{
    Channel, Recording,
    index::{self, Index},
    library::{Open, Reader},
    repair::{Repaired, repair, sync_folder},
};
use crate::mp4::scan::Fragment;

/// Said of a disk that is not the one that was there.
const AWAY: &str = "the disk that was there is not there";
/// The file by which a disk is known again.
pub(super) const MARK: &str = "disk";
/// Between two syncs.
const SYNC: Duration = Duration::from_secs(1);
/// Between two looks at what is too old, beside those before a new file.
const TIDY: Duration = Duration::from_secs(30);
/// Fragments that wait: with 16 cameras, some seconds of a disk that hangs.
const QUEUE: usize = 128;
/// Rows of the index that are looked at at a time.
const ROWS: u32 = 64;
/// Files are no larger than this, on a disk of any size, and no smaller than that.
const LARGEST_FILE: u64 = 1 << 30;
const SMALLEST_FILE: u64 = 1 << 20;
/// Stays free where nothing is said.
const USUALLY_FREE: u64 = 1 << 30;
/// A write on a full disk makes this much room at least.
const ROOM: u64 = 8 << 20;

/// Why recordings cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiskError {
    #[error("the disk: {0}")]
    Io(#[from] io::Error),
    #[error("the index: {0}")]
    Index(#[from] index::Error),
}

impl DiskError {
    fn is_full(&self) -> bool {
        match self {
            Self::Io(error) => matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded),
            Self::Index(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
        }
    }
}

/// How much is kept. `None`: as much as there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// Days.
    pub days: Option<u32>,
    /// Bytes of each camera.
    pub bytes_of_camera: Option<u64>,
    /// Bytes of the disk that stay free; where nothing is said, a gigabyte, or a twentieth of a small disk.
    pub free: Option<u64>,
}

/// A fragment on its way to the disk.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) channel: Channel,
    /// With what a new file begins: its initialization segment and codecs.
    pub(crate) begin: Option<(Bytes, String)>,
    pub(crate) span: Span,
    /// Its times within the file; where it lies is not known yet.
    pub(crate) fragment: Fragment,
    pub(crate) bytes: Bytes,
}

enum Order {
    Write(Piece),
    End(Channel),
    Keep(Keep),
    Erase(SyncSender<Result<(), DiskError>>),
    Stop,
}

/// How the disk does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Health {
    /// What fails, and since when (milliseconds since 1970).
    pub(crate) failing: Option<(String, u64)>,
    /// Fragments that were lost.
    pub(crate) lost: u64,
    /// Bytes that are free, and the disk's size.
    pub(crate) free: u64,
    pub(crate) size: u64,
}

/// What all that write or look share.
#[derive(Clone)]
pub(crate) struct Disk {
    orders: SyncSender<Order>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    health: Mutex<Health>,
    /// How often something of a channel was lost: a file that was open then is not gone on with.
    losses: Mutex<BTreeMap<Channel, u64>>,
}

/// The thread.
pub(crate) struct Writer {
    disk: Disk,
    thread: Option<JoinHandle<()>>,
    pub(crate) open: Open,
    pub(crate) reader: Reader,
    pub(crate) repaired: Repaired,
    /// Where the last recording ends.
    pub(crate) last: Option<Moment>,
}

impl Writer {
    /// Mends what is there, and begins. A disk that is not there is looked for again and again.
    pub(crate) fn start(folder: &Path, keep: Keep) -> io::Result<Self> {
        let (orders, queue) = sync_channel(QUEUE);
        let lost = Lost {
            folder: folder.to_owned(),
            keep,
            mark: None,
            open: Open::default(),
            reader: Reader::default(),
            shared: Arc::default(),
        };
        let (open, reader, shared) = (Arc::clone(&lost.open), Arc::clone(&lost.reader), Arc::clone(&lost.shared));
        let begun = Room::open(lost.again());
        let (repaired, last) = begun
            .as_ref()
            .map_or_else(|_| Default::default(), |(room, repaired)| (*repaired, room.index.last().ok().flatten()));
        let place = match begun {
            Ok((room, _)) => Place::There(Box::new(room)),
            Err(error) => {
                shared.failed(&error);
                Place::Away(lost)
            }
        };
        let thread = thread::Builder::new().name("disk".to_owned()).spawn(move || run(place, &queue))?;
        Ok(Self { disk: Disk { orders, shared }, thread: Some(thread), open, reader, repaired, last })
    }

    pub(crate) fn disk(&self) -> Disk {
        self.disk.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.disk.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Disk {
    /// Has a fragment written; it is lost where too many wait.
    pub(crate) fn write(&self, piece: Piece) {
        let channel = piece.channel;
        if self.orders.try_send(Order::Write(piece)).is_err() {
            self.shared.lose(channel);
        }
    }

    /// A stream is over for now. Where the disk hangs, its file is closed when the next one begins.
    pub(crate) fn end(&self, channel: Channel) {
        let _ = self.orders.try_send(Order::End(channel));
    }

    /// From now on.
    pub(crate) fn keep(&self, keep: Keep) {
        let _ = self.orders.send(Order::Keep(keep));
    }

    /// How often something of a channel was lost.
    pub(crate) fn losses(&self, channel: Channel) -> u64 {
        self.shared.losses().get(&channel).copied().unwrap_or_default()
    }

    /// Erases all recordings, durably. It waits for that.
    pub(crate) fn erase(&self) -> Result<(), DiskError> {
        let (done, answer) = sync_channel(1);
        let gone = || io::Error::other("the thread that writes has ended");
        self.orders.send(Order::Erase(done)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }

    /// No file is to be larger, in bytes: on a small disk the oldest could not go while it is still written.
    pub(crate) fn largest_file(&self) -> u64 {
        (self.shared.health().size / 64).clamp(SMALLEST_FILE, LARGEST_FILE)
    }

    pub(crate) fn health(&self) -> Health {
        self.shared.health().clone()
    }
}

impl Shared {
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn losses(&self) -> MutexGuard<'_, BTreeMap<Channel, u64>> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts down that the disk fails, and since when.
    fn failed(&self, error: &DiskError) {
        tracing::debug!(%error, "the disk");
        let mut health = self.health();
        if health.failing.is_none() {
            tracing::error!(%error, "recordings cannot be written");
            health.failing = Some((error.to_string(), system_time()));
        }
    }

    fn lose(&self, channel: Channel) {
        self.health().lost += 1;
        *self.losses().entry(channel).or_default() += 1;
    }
}

/// A file that is being written.
struct Written {
    file: File,
    id: i64,
    bytes: u64,
    dirty: bool,
}

struct Room {
    folder: PathBuf,
    index: Index,
    keep: Keep,
    /// What the disk is known by.
    mark: String,
    files: BTreeMap<Channel, Written>,
    /// Another disk is in its place, or none.
    is_gone: bool,
    open: Open,
    reader: Reader,
    shared: Arc<Shared>,
}

/// A disk that is not there.
struct Lost {
    folder: PathBuf,
    keep: Keep,
    /// What it was known by; none: it was not seen yet, or is to be begun with anew.
    mark: Option<String>,
    open: Open,
    reader: Reader,
    shared: Arc<Shared>,
}

impl Lost {
    /// The same once more.
    fn again(&self) -> Self {
        let (open, reader, shared) = (Arc::clone(&self.open), Arc::clone(&self.reader), Arc::clone(&self.shared));
        Self { folder: self.folder.clone(), keep: self.keep, mark: self.mark.clone(), open, reader, shared }
    }
}

/// Where recordings go.
enum Place {
    There(Box<Room>),
    Away(Lost),
}

impl Place {
    /// Begins with the disk anew, whatever it was; what fails is put down.
    fn again(self) -> Self {
        let Self::Away(lost) = self.away() else { unreachable!("it was just let go of") };
        match Room::open(lost.again()) {
            Ok((room, _)) => Self::There(Box::new(room)),
            Err(error) => {
                lost.shared.failed(&error);
                Self::Away(lost)
            }
        }
    }

    /// Lets go of all that is open on the disk, so that it can be taken away and put back.
    fn away(self) -> Self {
        let lost = match self {
            Self::Away(lost) => lost,
            Self::There(room) => {
                room.files_open().clear();
                let Room { folder, keep, mark, open, reader, shared, .. } = *room;
                Lost { folder, keep, mark: Some(mark), open, reader, shared }
            }
        };
        *lost.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Self::Away(lost)
    }

    /// Erases all that is in the folder, durably. A disk that is away is not erased.
    fn erase(self) -> (Self, Result<(), DiskError>) {
        let Self::There(mut room) = self else {
            return (self, Err(io::Error::new(io::ErrorKind::NotFound, AWAY).into()));
        };
        if let Err(error) = room.is_there() {
            return (Self::There(room), Err(error.into()));
        }
        room.files.clear();
        room.files_open().clear();
        let erased = empty(&room.folder).map_err(DiskError::from);
        let Self::Away(lost) = Self::There(room).away() else { unreachable!("it was just let go of") };
        (Self::Away(Lost { mark: None, ..lost }).again(), erased)
    }
}

fn run(mut place: Place, queue: &Receiver<Order>) {
    let (mut synced, mut tidied) = (Instant::now(), Instant::now());
    loop {
        let order = queue.recv_timeout(SYNC.saturating_sub(synced.elapsed()));
        match (order, &mut place) {
            (Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected), _) => break,
            (Ok(Order::Erase(done)), _) => {
                let (next, erased) = place.erase();
                place = next;
                let _ = done.send(erased);
            }
            (Ok(Order::Write(piece)), Place::There(room)) => {
                room.take(&piece);
                if room.is_gone {
                    place = place.away();
                }
            }
            (Ok(Order::Write(piece)), Place::Away(lost)) => lost.shared.lose(piece.channel),
            (Ok(Order::End(channel)), Place::There(room)) => room.noted(channel, |room| room.close(channel)),
            (Ok(Order::Keep(keep)), Place::There(room)) => {
                room.keep = keep;
                room.tidy();
            }
            (Ok(Order::Keep(keep)), Place::Away(lost)) => lost.keep = keep,
            (Ok(Order::End(_)) | Err(RecvTimeoutError::Timeout), _) => {}
        }
        if synced.elapsed() >= SYNC {
            synced = Instant::now();
            match &mut place {
                Place::There(room) => room.sync(),
                Place::Away(_) => place = place.again(),
            }
        }
        if let Place::There(room) = &mut place
            && tidied.elapsed() >= TIDY
        {
            tidied = Instant::now();
            room.tidy();
        }
    }
    if let Place::There(mut room) = place {
        let open: Vec<_> = room.files.keys().copied().collect();
        for channel in open {
            room.noted(channel, |room| room.close(channel));
        }
    }
}

impl Room {
    fn open(of: Lost) -> Result<(Self, Repaired), DiskError> {
        let Lost { folder, keep, mark, open, reader, shared } = of;
        let mark = match mark {
            Some(mark) => is_marked(&folder, &mark).map(|()| mark)?,
            None => {
                fs::create_dir_all(&folder)?;
                marked(&folder)?
            }
        };
        let (index, repaired) = repair(&folder)?;
        let room = Self { folder, index, keep, mark, files: BTreeMap::new(), is_gone: false, open, reader, shared };
        room.shared.health().failing = None;
        room.look();
        Ok((room, repaired))
    }

    fn files_open(&self) -> MutexGuard<'_, BTreeMap<Channel, Recording>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a fragment. Where that fails, its file is given up, and the stream begins another.
    fn take(&mut self, piece: &Piece) {
        if piece.begin.is_none() && !self.files.contains_key(&piece.channel) {
            // Of a file that was given up.
            return self.shared.lose(piece.channel);
        }
        self.noted(piece.channel, |room| {
            if let Some((init, codecs)) = &piece.begin {
                room.close(piece.channel)?;
                room.begin(piece, init.len() as u64, codecs)?;
                let both = [init.as_ref(), &piece.bytes].concat();
                room.append(piece, &both, init.len() as u64)
            } else {
                room.append(piece, &piece.bytes, 0)
            }
        });
    }

    /// Does it, and puts down how the disk does. A file with which something failed is not written to again.
    fn noted(&mut self, channel: Channel, act: impl FnOnce(&mut Self) -> Result<(), DiskError>) {
        match act(self) {
            Ok(()) => {
                let recovered = self.shared.health().failing.take();
                if recovered.is_some() {
                    tracing::info!("the disk takes recordings again");
                }
            }
            Err(error) => {
                self.files.remove(&channel);
                self.files_open().remove(&channel);
                self.shared.lose(channel);
                self.shared.failed(&error);
            }
        }
    }

    fn begin(&mut self, piece: &Piece, init: u64, codecs: &str) -> Result<(), DiskError> {
        self.is_there()?;
        self.tidy();
        let (channel, from) = (piece.channel, piece.span.from);
        let name = Recording::name(channel, from);
        let path = self.folder.join(&name);
        let parent = self.folder.join(channel.0.to_string());
        if !parent.is_dir() {
            fs::create_dir_all(&parent)?;
            sync_folder(&self.folder)?;
        }
        // The row first: a row without a file is forgotten at the next start, a file without a row would have to be looked for.
        let id = self.with_room(|room| Ok(room.index.begin(channel, from, init, codecs)?))?;
        let file =
            self.with_room(|_| Ok(OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?))?;
        sync_folder(&parent)?;
        self.files.insert(channel, Written { file, id, bytes: 0, dirty: false });
        let span = Span { from, to: from };
        let recording = Recording {
            id,
            channel,
            stretch: Stretch { span, ticks: 0 },
            init,
            bytes: 0,
            codecs: codecs.to_owned(),
            locked: false,
            fragments: Vec::with_capacity(64),
        };
        self.files_open().insert(channel, recording);
        Ok(())
    }

    /// Looks whether the disk is the one that it was. Where one that was mounted is gone, the folder under it is on another, which
    /// recordings would fill.
    fn is_there(&mut self) -> io::Result<()> {
        let there = is_marked(&self.folder, &self.mark);
        self.is_gone |= there.is_err();
        there
    }

    fn append(&mut self, piece: &Piece, bytes: &[u8], before: u64) -> Result<(), DiskError> {
        let channel = piece.channel;
        let at = self.with_room(|room| {
            let Some(written) = room.files.get_mut(&channel) else {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            };
            let at = written.bytes;
            if let Err(error) = written.file.write_all(bytes) {
                // What got onto the disk of it goes again, so that the same write can be made once more.
                written.file.set_len(at)?;
                io::Seek::seek(&mut written.file, io::SeekFrom::Start(at))?;
                return Err(error.into());
            }
            written.bytes += bytes.len() as u64;
            written.dirty = true;
            Ok(at)
        })?;
        if let Some(recording) = self.files_open().get_mut(&channel) {
            recording.fragments.push(Fragment { offset: at + before, ..piece.fragment });
            recording.bytes = at + bytes.len() as u64;
            recording.stretch.span.to = piece.span.to;
            recording.stretch.ticks = piece.fragment.begins + u64::from(piece.fragment.ticks);
        }
        Ok(())
    }

    /// Does what may need room: where there is none, the oldest goes, and it is done again.
    fn with_room<T>(&mut self, mut act: impl FnMut(&mut Self) -> Result<T, DiskError>) -> Result<T, DiskError> {
        loop {
            match act(self) {
                Err(error) if error.is_full() => {
                    let free = self.free().unwrap_or_default();
                    let wanted = Limits { free: free + ROOM, ..self.limits() };
                    if self.remove(&wanted, free)? == 0 {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    fn close(&mut self, channel: Channel) -> Result<(), DiskError> {
        let Some(written) = self.files.remove(&channel) else { return Ok(()) };
        if written.dirty {
            written.file.sync_data()?;
        }
        let recording = self.files_open().remove(&channel);
        let Some(recording) = recording.filter(|recording| !recording.fragments.is_empty()) else {
            return Ok(self.index.forget(written.id)?);
        };
        self.with_room(|room| Ok(room.index.close(&recording)?))
    }

    fn sync(&mut self) {
        let mut failed = None;
        for (channel, written) in self.files.iter_mut().filter(|(_, written)| written.dirty) {
            written.dirty = false;
            if let Err(error) = written.file.sync_data() {
                failed = Some((*channel, error));
            }
        }
        if let Some((channel, error)) = failed {
            // What was not synced may be gone: the file ends here.
            self.noted(channel, |_| Err(error.into()));
        }
        self.look();
    }

    /// Puts down how much is free.
    fn look(&self) {
        if let Ok(now) = rustix::fs::statvfs(&self.folder) {
            let mut health = self.shared.health();
            (health.free, health.size) = (now.f_bavail * now.f_frsize, now.f_blocks * now.f_frsize);
        }
    }

    fn free(&self) -> io::Result<u64> {
        let now = rustix::fs::statvfs(&self.folder)?;
        Ok(now.f_bavail * now.f_frsize)
    }

    fn limits(&self) -> Limits {
        let Keep { days, bytes_of_camera, free } = self.keep;
        let free = free.unwrap_or_else(|| USUALLY_FREE.min(self.shared.health().size / 20));
        Limits { days, bytes_of_camera, free }
    }

    /// Removes what is over the limits.
    fn tidy(&mut self) {
        let done = self.free().map_err(DiskError::from).and_then(|free| self.remove(&self.limits(), free));
        if let Err(error) = done {
            tracing::warn!(%error, "old recordings cannot be removed");
        }
    }

    /// Removes what goes by these limits; how many files.
    fn remove(&mut self, limits: &Limits, free: u64) -> Result<usize, DiskError> {
        let mut of_camera = self.index.usage()?;
        for open in self.files_open().values() {
            *of_camera.entry(open.channel.0).or_default() += open.bytes;
        }
        let usage = Usage { of_camera, free };
        let now =
            Moment(system_time()).max(self.files_open().values().map(|open| open.span().to).max().unwrap_or_default());
        let mut failed = None;
        let gone = {
            let (mut last, mut page) = ((Moment(0), -1), Vec::new().into_iter());
            let oldest_first = std::iter::from_fn(|| {
                if page.len() == 0 {
                    match self.index.oldest(last.0, last.1, ROWS) {
                        Ok(rows) => page = rows.into_iter(),
                        Err(error) => failed = Some(error),
                    }
                }
                let file: retention::File = page.next()?;
                last = (file.span.from, file.id);
                Some(file)
            });
            retention::goes(oldest_first, limits, &usage, now)
        };
        if let Some(error) = failed {
            return Err(error.into());
        }
        for id in &gone {
            let Some(file) = self.index.file(*id)? else { continue };
            match fs::remove_file(self.folder.join(file.path())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => self.index.forget(*id)?,
            }
        }
        Ok(gone.len())
    }
}

/// Removes all that is in a folder, and keeps the folder: it may be a link to another disk, or one that is mounted there.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
    }
    sync_folder(folder)
}

/// Whether the disk is the one that it was.
fn is_marked(folder: &Path, mark: &str) -> io::Result<()> {
    match fs::read_to_string(folder.join(MARK)) {
        Ok(found) if found == mark => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, AWAY)),
    }
}

/// What a disk is known by: drawn once, and kept in a file on it.
fn marked(folder: &Path) -> io::Result<String> {
    let path = folder.join(MARK);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| io::Error::other("no randomness"))?;
    let mark = data_encoding::HEXLOWER.encode(&bytes);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(mark.as_bytes())?;
    file.sync_all()?;
    sync_folder(folder)?;
    Ok(mark)
}

fn system_time() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
