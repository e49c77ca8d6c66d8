//! An MP4 file as if it were a camera: its frames over and over, in real time.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use bytes::Bytes;
use mp4_atom::{Atom, Codec, Encode, FourCC, Header, Moov, ReadAtom, ReadFrom, StszSamples, Trak};

use super::codec::codec;
use crate::media::{Entry, Frame, Track, Tracks, VIDEO_RATE};

/// No such file is longer.
const LONGEST: u64 = 256 << 20;

/// Why a file cannot be one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is no MP4 file that can be read ({0})")]
    Malformed(#[from] mp4_atom::Error),
    #[error("{0}")]
    Unfit(&'static str),
}

/// A file's frames, by the time at which they are shown.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) tracks: Tracks,
    /// In one line, by time.
    pub(crate) frames: Vec<Frame>,
    /// How long it plays, in ticks of 1/90000 s.
    pub(crate) ticks: i64,
}

impl Source {
    /// Reads all of it.
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let mut file = BufReader::new(File::open(path)?);
        if file.get_ref().metadata()?.len() > LONGEST {
            return Err(SourceError::Unfit("it is longer than 256 MiB"));
        }
        let moov = loop {
            let header =
                Header::read_from(&mut file).map_err(|_| SourceError::Unfit("it has no table of its frames"))?;
            if header.kind == Moov::KIND {
                break Moov::read_atom(&header, &mut file)?;
            }
            let size = header.size.ok_or(SourceError::Unfit("it has no table of its frames"))?;
            file.seek_relative(i64::try_from(size).map_err(io::Error::other)?)?;
        };
        let track = |kind: &[u8; 4]| moov.trak.iter().find(|track| track.mdia.hdlr.handler == FourCC::new(kind));
        let video = track(b"vide").ok_or(SourceError::Unfit("it has no pictures"))?;
        let (mut frames, ticks) = frames(&mut file, video, Track::Video)?;
        let audio = track(b"soun").and_then(|track| Some((entry(track)?, track)));
        if let Some((_, track)) = &audio {
            frames.extend(self::frames(&mut file, track, Track::Audio)?.0);
        }
        let video = entry(video).ok_or(SourceError::Unfit("its pictures are neither H.264 nor H.265"))?;
        let tracks = Tracks { video, audio: audio.map(|(entry, _)| entry) };
        let rate = tracks.audio.as_ref().map_or(VIDEO_RATE, |entry| entry.rate);
        frames.sort_by_key(|frame| match frame.track {
            Track::Video => frame.ticks,
            Track::Audio => frame.ticks * i64::from(VIDEO_RATE) / i64::from(rate),
        });
        Ok(Self { tracks, frames, ticks })
    }
}

fn entry(track: &Trak) -> Option<Entry> {
    let found = track.mdia.minf.stbl.stsd.codecs.first()?;
    let mut sample_entry = Vec::new();
    found.encode(&mut sample_entry).ok()?;
    let (rate, size) = match found {
        Codec::Avc1(of) => (VIDEO_RATE, (of.visual.width, of.visual.height)),
        Codec::Hvc1(of) => (VIDEO_RATE, (of.visual.width, of.visual.height)),
        _ => (track.mdia.mdhd.timescale, (0, 0)),
    };
    Some(Entry { sample_entry: sample_entry.into(), codec: codec(found)?, rate, size })
}

/// The frames of a track in ticks of ours, and how long they play.
fn frames(file: &mut BufReader<File>, track: &Trak, kind: Track) -> Result<(Vec<Frame>, i64), SourceError> {
    let (table, scale) = (&track.mdia.minf.stbl, track.mdia.mdhd.timescale.max(1));
    if table
        .ctts
        .as_ref()
        .is_some_and(|table| table.entries.windows(2).any(|two| two[0].sample_offset != two[1].sample_offset))
    {
        return Err(SourceError::Unfit(
            "its pictures are not in the order in which they are shown; encode it without B pictures",
        ));
    }
    let sizes: Vec<u32> = match &table.stsz.samples {
        StszSamples::Identical { count, size } => vec![*size; usize::try_from(*count).unwrap_or(0).min(1 << 20)],
        StszSamples::Different { sizes } => sizes.clone(),
    };
    let chunks: Vec<u64> = match (&table.stco, &table.co64) {
        (Some(table), _) => table.entries.iter().map(|at| u64::from(*at)).collect(),
        (None, Some(table)) => table.entries.clone(),
        (None, None) => Vec::new(),
    };
    let is_key = |number: usize| {
        kind == Track::Video
            && table
                .stss
                .as_ref()
                .is_none_or(|keys| keys.entries.binary_search(&u32::try_from(number + 1).unwrap_or(0)).is_ok())
    };
    let mut durations = table
        .stts
        .entries
        .iter()
        .flat_map(|entry| std::iter::repeat_n(entry.sample_delta, entry.sample_count as usize));
    let ours = |ticks: u64| match kind {
        Track::Video => i64::try_from(ticks * u64::from(VIDEO_RATE) / u64::from(scale)).unwrap_or(i64::MAX),
        Track::Audio => i64::try_from(ticks).unwrap_or(i64::MAX),
    };
    let (mut frames, mut ticks, mut total) = (Vec::new(), 0u64, 0u64);
    for (chunk, begins) in chunks.iter().enumerate() {
        let number = u32::try_from(chunk + 1).unwrap_or(u32::MAX);
        let run = table.stsc.entries.iter().rev().find(|run| run.first_chunk <= number);
        let mut at = *begins;
        for _ in 0..run.map_or(0, |run| run.samples_per_chunk) {
            let Some(size) = sizes.get(frames.len()) else { break };
            total += u64::from(*size);
            if total > LONGEST {
                return Err(SourceError::Unfit("it is longer than 256 MiB"));
            }
            let mut data = vec![0; *size as usize];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut data)?;
            at += u64::from(*size);
            frames.push(Frame { track: kind, ticks: ours(ticks), key: is_key(frames.len()), data: Bytes::from(data) });
            ticks += u64::from(durations.next().unwrap_or(scale / 25));
        }
    }
    if frames.is_empty() || kind == Track::Video && !frames[0].key {
        return Err(SourceError::Unfit("it does not begin with a picture that can be decoded"));
    }
    Ok((frames, ours(ticks)))
}
