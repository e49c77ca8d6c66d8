//! One stream of a camera, from its frames to watchers and to the disk: cut where `sparekey-footage` says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use sparekey_footage::{Break, Cutter, Moment, RecordingClock, Span, Verdict};

use crate::{
    disk::{
        Channel,
        writer::{Disk, Piece},
    },
    hub::Hub,
    media::{Frame, Track, Tracks, VIDEO_RATE},
    mp4::{
        scan::Fragment,
        write::{self, Run, Sample},
    },
};

/// A file is no longer than this, in ticks: what is lost with a broken sector, and what is removed at a time.
const LONGEST_FILE: u64 = 10 * 60 * VIDEO_RATE as u64;
/// A file begins where the one before ended if the clock says less than this between them.
const SEAM: u64 = 1_000;
/// Sound that waits for its pictures; more is of a camera that sends no pictures.
const MOST_SOUND: usize = 512;
/// Of the last picture before a break, in ticks.
const LAST_PICTURE: u32 = VIDEO_RATE / 25;

/// The clock of all recordings.
#[derive(Clone)]
pub(crate) struct Clock(Arc<(Instant, Mutex<RecordingClock>)>);

impl Clock {
    pub(crate) fn new(recorded: Option<Moment>) -> Self {
        Self(Arc::new((Instant::now(), Mutex::new(RecordingClock::new(system(), 0, recorded)))))
    }

    pub(crate) fn now(&self) -> Moment {
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner).now(system(), self.monotonic())
    }

    /// Milliseconds that it is ahead of the system's, which was set back.
    pub(crate) fn ahead(&self) -> u64 {
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner).ahead(system(), self.monotonic())
    }

    fn monotonic(&self) -> u64 {
        u64::try_from(self.0.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn system() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Where a file that is being written stands.
struct Current {
    /// The time of its first picture by the camera, and by the recorder.
    ticks: i64,
    from: Moment,
    /// Where it ends now.
    to: Moment,
    bytes: u64,
    number: u32,
    losses: u64,
}

/// Takes the frames of one stream.
pub(crate) struct Taker {
    channel: Channel,
    hub: Arc<Hub>,
    /// None: it is shown and not recorded.
    disk: Option<Disk>,
    clock: Clock,
    cutter: Cutter,
    tracks: Option<(Arc<Tracks>, Bytes)>,
    pictures: Vec<Frame>,
    sound: VecDeque<Frame>,
    file: Option<Current>,
    /// Where the last file ended.
    ended: Moment,
}

impl Taker {
    pub(crate) fn new(channel: Channel, hub: Arc<Hub>, disk: Option<Disk>, clock: Clock) -> Self {
        let cutter = Cutter::default();
        Self {
            channel,
            hub,
            disk,
            clock,
            cutter,
            tracks: None,
            pictures: Vec::new(),
            sound: VecDeque::new(),
            file: None,
            ended: Moment::default(),
        }
    }

    /// What the following frames are of. Other tracks than before begin another file.
    pub(crate) fn set_tracks(&mut self, tracks: Tracks) -> Result<(), write::Error> {
        if self.tracks.as_ref().is_some_and(|(now, _)| **now == tracks) {
            return Ok(());
        }
        self.end();
        let init = write::init(&tracks)?;
        let tracks = Arc::new(tracks);
        self.hub.set_tracks(Some(Arc::clone(&tracks)));
        self.tracks = Some((tracks, init));
        Ok(())
    }

    /// Takes one frame.
    pub(crate) fn take(&mut self, frame: Frame) {
        if self.tracks.is_none() {
            return;
        }
        self.hub.publish(frame.clone());
        if self.disk.is_none() {
            return;
        }
        if frame.track == Track::Audio {
            if self.sound.len() == MOST_SOUND {
                self.sound.pop_front();
            }
            return self.sound.push_back(frame);
        }
        let (verdict, ticks) = self.cutter.look(frame.ticks, frame.key);
        match verdict {
            Verdict::Same => {}
            Verdict::Cut => self.flush(Some(ticks)),
            Verdict::Break(why) => self.broken(why),
        }
        self.pictures.push(Frame { ticks, ..frame });
    }

    fn broken(&mut self, why: Break) {
        tracing::info!(camera = self.channel.0, stream = %self.channel.1, why = why.name(), "a recording ends before its time");
        self.flush(None);
        self.close();
    }

    /// The camera is gone, or what it sends is about to change.
    pub(crate) fn end(&mut self) {
        self.flush(None);
        self.close();
        self.cutter.reset();
        self.sound.clear();
        self.tracks = None;
        self.hub.set_tracks(None);
    }

    fn close(&mut self) {
        if let Some(file) = self.file.take() {
            self.ended = file.to;
            if let Some(disk) = &self.disk {
                disk.end(self.channel);
            }
        }
    }

    /// Writes what is open: up to the picture that comes at `until`, or its last one if none does.
    fn flush(&mut self, until: Option<i64>) {
        let pictures = std::mem::take(&mut self.pictures);
        let (Some(disk), Some((tracks, init)), Some(first)) = (&self.disk, &self.tracks, pictures.first()) else {
            return;
        };
        let ends = pictures.iter().skip(1).map(|picture| picture.ticks).chain(until);
        // The last one before a break is as long as the one before it.
        let usual = pictures.windows(2).next_back().and_then(|two| u32::try_from(two[1].ticks - two[0].ticks).ok());
        let usual = usual.unwrap_or(LAST_PICTURE);
        let durations = pictures
            .iter()
            .zip(ends.map(Some).chain([None]))
            .map(|(picture, end)| end.and_then(|end| u32::try_from(end - picture.ticks).ok()).unwrap_or(usual));
        let samples: Vec<_> = pictures
            .iter()
            .zip(durations)
            .map(|(picture, duration)| Sample { duration, key: picture.key, data: picture.data.clone() })
            .collect();
        let ticks: u64 = samples.iter().map(|sample| u64::from(sample.duration)).sum();
        let size: u64 = samples.iter().map(|sample| sample.data.len() as u64).sum();
        let now = self.clock.now();
        let losses = disk.losses(self.channel);
        let is_over = |file: &Current| {
            let long = u64::try_from(first.ticks - file.ticks).unwrap_or(0) + ticks;
            file.losses != losses || first.key && (long > LONGEST_FILE || file.bytes + size > disk.largest_file())
        };
        if let Some(file) = self.file.take_if(|file| is_over(file)) {
            self.ended = file.to;
        }
        let begins = self.file.is_none();
        if begins && !first.key {
            // Nobody can decode it.
            return;
        }
        let file = self.file.get_or_insert_with(|| {
            let came = now.before(ticks / 90);
            let from = if came.since(self.ended) < SEAM { self.ended } else { came };
            Current { ticks: first.ticks, from, to: from, bytes: init.len() as u64, number: 0, losses }
        });
        file.number += 1;
        let video = Run { begins: u64::try_from(first.ticks - file.ticks).unwrap_or(0), samples };
        let audio = match &tracks.audio {
            Some(entry) => {
                sound(&mut self.sound, entry.rate, file.ticks, first.ticks + i64::try_from(ticks).unwrap_or(0))
            }
            None => Run::default(),
        };
        // By the recorder's clock, as far as it agrees with the camera's: a twentieth may be jitter.
        let nominal = (video.begins + ticks) / 90;
        let long = now.since(file.from).clamp(nominal - nominal / 20, nominal + nominal / 20);
        let span = Span { from: file.to, to: file.from.after(long).max(file.to.after(1)) };
        file.to = span.to;
        let bytes = match write::fragment(file.number, Some(span.from), &video, &audio) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(%error, camera = self.channel.0, "a fragment cannot be written");
                return;
            }
        };
        file.bytes += bytes.len() as u64;
        let fragment = Fragment {
            taken: span.from,
            begins: video.begins,
            ticks: u32::try_from(ticks).unwrap_or(u32::MAX),
            offset: 0,
            length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            key: first.key,
        };
        let begin = begins.then(|| (init.clone(), tracks.codecs()));
        disk.write(Piece { channel: self.channel, begin, span, fragment, bytes });
    }
}

/// The sound that belongs to pictures up to a time; what is before the file's first picture is left out.
fn sound(waiting: &mut VecDeque<Frame>, rate: u32, file: i64, until: i64) -> Run {
    let scaled =
        |ticks: i64, to: u32, of: u32| i64::try_from(i128::from(ticks) * i128::from(to) / i128::from(of)).unwrap_or(0);
    let (file, until) = (scaled(file, rate, VIDEO_RATE), scaled(until, rate, VIDEO_RATE));
    let mut frames: Vec<Frame> = Vec::new();
    while let Some(frame) = waiting.pop_front_if(|frame| frame.ticks < until) {
        if frame.ticks >= file {
            frames.push(frame);
        }
    }
    let Some(first) = frames.first() else { return Run::default() };
    let next = frames.iter().skip(1).map(|frame| Some(frame.ticks)).chain([waiting.front().map(|frame| frame.ticks)]);
    let nominal = frames.get(1).map_or(1_024, |second| second.ticks - first.ticks);
    let samples = frames.iter().zip(next).map(|(frame, next)| Sample {
        duration: u32::try_from(next.unwrap_or(frame.ticks + nominal) - frame.ticks).unwrap_or(1_024),
        key: true,
        data: frame.data.clone(),
    });
    Run { begins: u64::try_from(first.ticks - file).unwrap_or(0), samples: samples.collect() }
}
