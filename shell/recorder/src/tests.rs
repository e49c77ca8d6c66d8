//! From frames to files and back, with real pictures; files that a power cut left behind; bytes that lie.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use sparekey_footage::{Moment, Span};

use crate::{
    disk::{
        Recording, Stream,
        library::Library,
        writer::{Keep, Writer},
    },
    hub::{Hub, Watchers},
    media::{Frame, Track},
    mp4::{
        clip::Clip,
        scan::{Scanned, scan},
        source::Source,
    },
    stream::{Clock, Taker},
};

const CHANNEL: (u32, Stream) = (1, Stream::Main);
const ALL: Span = Span { from: Moment(0), to: Moment(u64::MAX) };

/// The demo's camera: twenty seconds of H.264.
fn film() -> Source {
    Source::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../sparekey/demo/camera.mp4")).unwrap()
}

/// A disk, and what is written to it.
struct Site {
    dir: tempfile::TempDir,
    writer: Option<Writer>,
    taker: Option<Taker>,
}

impl Site {
    fn make(keep: Keep) -> Self {
        let mut site = Self { dir: tempfile::tempdir().unwrap(), writer: None, taker: None };
        site.start(keep);
        site
    }

    fn start(&mut self, keep: Keep) {
        let writer = Writer::start(self.dir.path(), keep).unwrap();
        let hub = Arc::new(Hub::new(Watchers::default()));
        let mut taker = Taker::new(CHANNEL, hub, Some(writer.disk()), Clock::new(writer.last));
        taker.set_tracks(film().tracks).unwrap();
        (self.writer, self.taker) = (Some(writer), Some(taker));
    }

    /// Takes a film's frames, at once.
    fn play(&mut self, film: &Source, rounds: i64) {
        let taker = self.taker.as_mut().unwrap();
        for round in 0..rounds {
            for frame in &film.frames {
                taker.take(Frame { ticks: frame.ticks + round * film.ticks, ..frame.clone() });
            }
        }
    }

    fn library(&self) -> Library {
        Library::new(self.dir.path(), self.writer.as_ref().unwrap())
    }

    /// Ends as it should.
    fn end(&mut self) {
        if let Some(mut taker) = self.taker.take() {
            taker.end();
        }
        drop(self.writer.take());
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = self.dir.path().join("1");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn scanned(path: &Path) -> Scanned {
    scan(&mut File::open(path).unwrap()).unwrap()
}

fn until<T>(found: impl Fn() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = found() {
            return found;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("it did not come");
}

#[test]
fn what_is_taken_is_there_while_it_is_written_and_after() {
    let film = film();
    let mut site = Site::make(Keep::default());
    site.play(&film, 2);
    let library = site.library();
    let open = until(|| library.files(CHANNEL, ALL).unwrap().pop().filter(|file| file.fragments.len() >= 39));
    assert!(open.fragments.iter().all(|of| of.ticks == 90_000), "a second each");
    assert_eq!(open.fragments.iter().filter(|of| of.key).count(), 20, "every other begins with a key picture");
    site.end();
    site.start(Keep::default());
    assert_eq!(site.writer.as_ref().unwrap().repaired.files, 0, "nothing was left open");
    let closed = site.library().files(CHANNEL, ALL).unwrap();
    assert_eq!((closed.len(), closed[0].fragments.len(), closed[0].stretch.ticks), (1, 40, 40 * 90_000));

    // All of it as one clip has every frame, as it was.
    let clip = Clip::cut(&closed, site.dir.path(), closed[0].span()).unwrap();
    let mut bytes = clip.head.clone();
    for (path, offset, length) in &clip.body {
        let all = fs::read(path).unwrap();
        bytes.extend_from_slice(&all[usize::try_from(*offset).unwrap()..usize::try_from(offset + length).unwrap()]);
    }
    let path = site.dir.path().join("clip.mp4");
    fs::write(&path, bytes).unwrap();
    let again = Source::open(&path).unwrap();
    let pictures = |of: &Source| of.frames.iter().map(|frame| (frame.key, frame.data.clone())).collect::<Vec<_>>();
    assert_eq!(pictures(&again), [pictures(&film), pictures(&film)].concat());
    assert_eq!(again.tracks.video.codec, film.tracks.video.codec);
}

/// Whatever a power cut left: what is whole of it is played, and nothing else.
#[test]
fn torn_anywhere_the_rest_is_whole() {
    let mut site = Site::make(Keep::default());
    site.play(&film(), 1);
    site.end();
    let path = site.files().remove(0);
    let (bytes, whole) = (fs::read(&path).unwrap(), scanned(&path));
    assert_eq!((whole.whole, whole.fragments.len()), (bytes.len() as u64, 20));
    let torn = site.dir.path().join("torn.mp4");
    for length in (0..bytes.len()).step_by(997).chain([7, 8, 9, bytes.len() - 1]) {
        fs::write(&torn, &bytes[..length]).unwrap();
        let found = scanned(&torn);
        assert!(found.whole <= length as u64 && found.fragments[..] == whole.fragments[..found.fragments.len()]);
        assert!(found.fragments.last().is_none_or(|last| last.offset + u64::from(last.length) == found.whole));
        // One fragment more would not fit.
        let next = whole.fragments.get(found.fragments.len());
        assert!(next.is_none_or(|next| next.offset + u64::from(next.length) > length as u64), "{length}");
    }

    // The start after it: cut off, closed, and recorded on behind it.
    let index = site.dir.path().join("index.db");
    for lost in [false, true] {
        let cut = bytes.len() - if lost { 20_000 } else { 10_000 };
        OpenOptions::new().write(true).open(&path).unwrap().set_len(cut as u64).unwrap();
        if lost {
            fs::write(&index, "no index").unwrap();
        } else {
            fs::remove_file(&index).unwrap();
        }
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(site.dir.path().join(format!("index.db{end}")));
        }
        fs::remove_file(&torn).ok();
        site.start(Keep::default());
        assert_eq!(site.writer.as_ref().unwrap().repaired.files, 1);
        let files = site.library().files(CHANNEL, ALL).unwrap();
        assert_eq!((files.len(), files[0].bytes), (1, scanned(&path).whole));
        assert!(files[0].fragments.len() >= 17 && files[0].codecs.starts_with("avc1."), "{:?}", files[0].codecs);
        site.taker = None;
        drop(site.writer.take());
    }
}

#[test]
fn a_row_without_a_file_and_a_file_without_pictures_are_forgotten() {
    let mut site = Site::make(Keep::default());
    site.play(&film(), 1);
    site.end();
    fs::remove_file(&site.files()[0]).unwrap();
    fs::write(site.dir.path().join(Recording::name(CHANNEL, Moment(5))), "nothing").unwrap();
    fs::write(site.dir.path().join("1/notes.txt"), "somebody's").unwrap();
    site.start(Keep::default());
    // A file that was closed and is gone shows when it is read; what was open is looked at.
    assert!(!site.dir.path().join(Recording::name(CHANNEL, Moment(5))).exists());
    assert!(site.dir.path().join("1/notes.txt").exists(), "what is not ours stays");
}

#[test]
fn what_is_over_a_share_goes_and_what_is_locked_stays() {
    let film = film();
    let mut site = Site::make(Keep { free: Some(0), ..Keep::default() });
    for _ in 0..4 {
        site.play(&film, 1);
        site.taker.as_mut().unwrap().end();
        site.taker.as_mut().unwrap().set_tracks(film.tracks.clone()).unwrap();
    }
    let library = site.library();
    let files = until(|| library.files(CHANNEL, ALL).ok().filter(|files| files.len() == 4));
    assert!(files.windows(2).all(|two| two[0].span().to <= two[1].span().from), "none lies over another");
    let lock = library.ask(|index| index.lock(1, files[0].span(), "kept")).unwrap();
    site.writer.as_ref().unwrap().disk().keep(Keep { days: None, bytes_of_camera: Some(1), free: Some(0) });
    let left = until(|| library.files(CHANNEL, ALL).ok().filter(|files| files.len() == 1));
    assert_eq!(left[0].id, files[0].id);
    assert!(library.ask(|index| index.unlock(lock)).unwrap() && !library.ask(|index| index.unlock(lock)).unwrap());
    site.writer.as_ref().unwrap().disk().keep(Keep { days: None, bytes_of_camera: Some(0), free: Some(0) });
    until(|| library.files(CHANNEL, ALL).unwrap().is_empty().then_some(()));
    assert!(site.files().is_empty());
}

#[test]
fn a_camera_that_sends_no_key_picture_fills_nothing() {
    let film = film();
    let mut site = Site::make(Keep::default());
    let taker = site.taker.as_mut().unwrap();
    for (number, frame) in film.frames.iter().cycle().take(5_000).enumerate() {
        let ticks = i64::try_from(number).unwrap() * 4_500;
        taker.take(Frame { track: Track::Video, ticks, key: false, data: frame.data.clone() });
    }
    site.end();
    site.start(Keep::default());
    assert!(site.library().files(CHANNEL, ALL).unwrap().is_empty());
}

/// Bytes that lie end in an answer, never in a panic or in memory without bound.
#[test]
fn no_bytes_break_what_reads_files() {
    let mut site = Site::make(Keep::default());
    site.play(&film(), 1);
    site.end();
    let recorded = fs::read(&site.files()[0]).unwrap();
    let demo = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../sparekey/demo/camera.mp4")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.mp4");
    bolero::check!().with_iterations(3_000).with_type::<(bool, u32, Vec<u8>)>().for_each(|(which, at, bytes)| {
        let of = if *which { &recorded } else { &demo };
        // Within the heads, mostly, where the numbers are.
        let at = *at as usize % of.len().min(4_000);
        let mut changed = of[..of.len().min(40_000)].to_vec();
        let end = changed.len().min(at + bytes.len());
        changed[at..end].copy_from_slice(&bytes[..end - at]);
        fs::write(&path, if *which && bytes.len() % 7 == 0 { bytes } else { &changed }).unwrap();
        let found = scanned(&path);
        assert!(found.whole <= fs::metadata(&path).unwrap().len());
        let _ = Source::open(&path);
    });
}
