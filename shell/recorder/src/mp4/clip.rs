//! A clip as a plain MP4 that every player opens: a table of its frames, and behind it the recordings' bytes as they are on the disk. The
//! fragments' own heads stay among them, where no player looks; so a clip of any length is cut as fast as it is read.

use std::{fs::File, io, os::unix::fs::FileExt, path::PathBuf};

use mp4_atom::{
    Atom, Co64, Codec, Decode, Edts, Elst, ElstEntry, Encode, FourCC, Ftyp, Header, Moof, Moov, Mvhd, Stbl, Stsc,
    StscEntry, Stss, Stsz, StszSamples, Stts, SttsEntry, Trak,
};
use sparekey_footage::{Moment, Span};

use super::{AUDIO, KEY, VIDEO, write::in_video_ticks};
use crate::{disk::Recording, media::VIDEO_RATE};

/// No `prft` and `moof` of ours are longer.
const LONGEST_HEAD: usize = 64 * 1024;
/// No initialization segment of ours is.
const LONGEST_INIT: u64 = 64 * 1024;

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClipError {
    #[error("nothing is recorded then")]
    Nothing,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("a recording cannot be read ({0})")]
    Malformed(#[from] mp4_atom::Error),
}

/// A clip that is not read yet: its head, and where the rest lies.
#[derive(Debug)]
pub(crate) struct Clip {
    pub(crate) head: Vec<u8>,
    /// File, first byte, bytes.
    pub(crate) body: Vec<(PathBuf, u64, u64)>,
    /// What it shows.
    pub(crate) span: Span,
}

/// The frames of one track.
#[derive(Default)]
struct Table {
    /// Of the track's own time in a second.
    rate: u32,
    codecs: Vec<Codec>,
    template: Option<Trak>,
    durations: Vec<SttsEntry>,
    keys: Vec<u32>,
    sizes: Vec<u32>,
    /// Where each chunk begins in the body; frames in it; its sample entry.
    chunks: Vec<(u64, u32, u32)>,
    /// How long all of it plays.
    ticks: u64,
}

impl Table {
    fn push(&mut self, size: u32, duration: u32, key: bool) {
        self.sizes.push(size);
        self.ticks += u64::from(duration);
        if key {
            self.keys.push(u32::try_from(self.sizes.len()).unwrap_or(u32::MAX));
        }
        match self.durations.last_mut().filter(|run| run.sample_delta == duration) {
            Some(run) => run.sample_count += 1,
            None => self.durations.push(SttsEntry { sample_count: 1, sample_delta: duration }),
        }
    }

    /// Holds the last frame until a time, where nothing was recorded meanwhile.
    fn hold(&mut self, until: u64) {
        let Some(more) = until.checked_sub(self.ticks).filter(|more| *more > 0) else { return };
        let Some(last) = self.durations.last_mut() else { return };
        let held = last.sample_delta.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.ticks += u64::from(held - last.sample_delta);
        if last.sample_count == 1 {
            last.sample_delta = held;
        } else {
            last.sample_count -= 1;
            self.durations.push(SttsEntry { sample_count: 1, sample_delta: held });
        }
    }

    /// The number of a sample entry, from 1.
    fn entry(&mut self, codec: &Codec) -> u32 {
        let known = self.codecs.iter().position(|known| known == codec);
        let place = known.unwrap_or_else(|| {
            self.codecs.push(codec.clone());
            self.codecs.len() - 1
        });
        u32::try_from(place + 1).unwrap_or(u32::MAX)
    }

    fn trak(&self, number: u32, head: u64, skip: u64) -> Option<Trak> {
        let mut trak = self.template.clone()?;
        let mut runs: Vec<StscEntry> = Vec::new();
        for ((_, count, entry), first_chunk) in self.chunks.iter().zip(1..) {
            if runs
                .last()
                .is_none_or(|last| (last.samples_per_chunk, last.sample_description_index) != (*count, *entry))
            {
                runs.push(StscEntry { first_chunk, samples_per_chunk: *count, sample_description_index: *entry });
            }
        }
        trak.mdia.minf.stbl = Stbl {
            stsd: mp4_atom::Stsd { codecs: self.codecs.clone() },
            stts: Stts { entries: self.durations.clone() },
            stss: (number == VIDEO).then(|| Stss { entries: self.keys.clone() }),
            stsc: Stsc { entries: runs },
            stsz: Stsz { samples: StszSamples::Different { sizes: self.sizes.clone() } },
            co64: Some(Co64 { entries: self.chunks.iter().map(|(at, ..)| head + at).collect() }),
            ..Stbl::default()
        };
        let shown = in_video_ticks(self.ticks.saturating_sub(skip), self.rate);
        trak.tkhd.duration = shown;
        trak.mdia.mdhd.duration = self.ticks;
        // What is before the wanted moment is there to be decoded, and not shown.
        let edit = ElstEntry { segment_duration: shown, media_time: Some(skip), media_rate: 1.into() };
        trak.edts = (skip > 0).then(|| Edts { elst: Some(Elst { entries: vec![edit] }) });
        Some(trak)
    }
}

impl Clip {
    /// Of recordings in order, what lies in a span. It begins with the picture at its first moment, or the first one after it.
    pub(crate) fn cut(recordings: &[Recording], folder: &std::path::Path, wanted: Span) -> Result<Self, ClipError> {
        let (mut video, mut audio) = (Table { rate: VIDEO_RATE, ..Table::default() }, Table::default());
        let (mut body, mut at) = (Vec::new(), 0u64);
        let (mut from, mut to, mut skip) = (None::<Moment>, wanted.from, 0);
        for recording in recordings {
            let Some(part) = recording.span().common(wanted) else { continue };
            let (first, last) = (recording.stretch.ticks_at(part.from), recording.stretch.ticks_at(part.to));
            let fragments = &recording.fragments;
            // From the last key picture before it.
            let begins = fragments.iter().rposition(|of| of.key && of.begins <= first).unwrap_or(0);
            let fragments: Vec<_> = fragments[begins..].iter().take_while(|of| of.begins < last).collect();
            let (Some(begin), Some(end)) = (fragments.first(), fragments.last()) else { continue };
            let path = folder.join(recording.path());
            let file = File::open(&path)?;
            let init = init(&file, recording.init)?;
            let entry = |number: u32| init.trak.iter().find(|trak| trak.tkhd.track_id == number);
            let begun = *from.get_or_insert_with(|| {
                skip = first - begin.begins.min(first);
                part.from
            });
            let hold = (part.from.since(begun) * u64::from(VIDEO_RATE) / 1_000 + skip)
                .saturating_sub(first - begin.begins.min(first));
            for (table, number) in [(&mut video, VIDEO), (&mut audio, AUDIO)] {
                let Some(trak) = entry(number) else { continue };
                if table.template.is_none() {
                    (table.rate, table.template) =
                        (trak.mdia.mdhd.timescale.max(1), Some(Trak { edts: None, ..trak.clone() }));
                }
                let rate = u128::from(table.rate);
                table.hold(u64::try_from(u128::from(hold) * rate / u128::from(VIDEO_RATE)).unwrap_or(u64::MAX));
            }
            for fragment in &fragments {
                let within = at + fragment.offset - begin.offset;
                let (moof, moof_at) = head(&file, fragment.offset, fragment.length)?;
                for (table, number) in [(&mut video, VIDEO), (&mut audio, AUDIO)] {
                    let codec = entry(number).and_then(|trak| trak.mdia.minf.stbl.stsd.codecs.first());
                    let Some((traf, codec)) = moof.traf.iter().find(|traf| traf.tfhd.track_id == number).zip(codec)
                    else {
                        continue;
                    };
                    let entry = table.entry(codec);
                    let ends = u64::try_from(u128::from(last) * u128::from(table.rate) / u128::from(VIDEO_RATE))
                        .unwrap_or(u64::MAX);
                    let mut time = traf.tfdt.as_ref().map_or(0, |tfdt| tfdt.base_media_decode_time);
                    for run in &traf.trun {
                        let offset = run.data_offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or_default();
                        let before = table.sizes.len();
                        for sample in run.samples.iter() {
                            let duration = sample.duration.unwrap_or_default();
                            // What comes after the wanted moment is in the bytes, and in no table.
                            if time < ends {
                                table.push(sample.size.unwrap_or_default(), duration, sample.flags == Some(KEY));
                            }
                            time += u64::from(duration);
                        }
                        let count = u32::try_from(table.sizes.len() - before).unwrap_or(u32::MAX);
                        if count > 0 {
                            table.chunks.push((within + moof_at + offset, count, entry));
                        }
                    }
                }
            }
            let length = end.offset + u64::from(end.length) - begin.offset;
            body.push((path, begin.offset, length));
            at += length;
            to = part.to;
        }
        let from = from.ok_or(ClipError::Nothing)?;
        let span = Span::new(from, to).ok_or(ClipError::Nothing)?;
        // The head's length does not depend on the numbers in it.
        let length = head_of(&video, &audio, 0, skip, at)?.len() as u64;
        let head = head_of(&video, &audio, length, skip, at)?;
        Ok(Self { head, body, span })
    }
}

fn head_of(video: &Table, audio: &Table, length: u64, skip: u64, body: u64) -> Result<Vec<u8>, ClipError> {
    let mut out = Vec::new();
    let ftyp = Ftyp {
        major_brand: FourCC::new(b"isom"),
        minor_version: 512,
        compatible_brands: [b"isom", b"iso2", b"mp41"].map(FourCC::new).to_vec(),
    };
    ftyp.encode(&mut out)?;
    let skipped = skip * u64::from(audio.rate) / u64::from(VIDEO_RATE);
    let trak: Vec<_> =
        [video.trak(VIDEO, length, skip), audio.trak(AUDIO, length, skipped)].into_iter().flatten().collect();
    let duration = trak.iter().map(|trak| trak.tkhd.duration).max().unwrap_or_default();
    let mvhd = Mvhd {
        timescale: VIDEO_RATE,
        duration,
        next_track_id: AUDIO + 1,
        rate: 1.into(),
        volume: 1.into(),
        ..Mvhd::default()
    };
    Moov { mvhd, meta: None, mvex: None, trak, udta: None, ainf: None }.encode(&mut out)?;
    // With the long form of its size (section 4.2.2): a clip may be of any length.
    out.extend_from_slice(&1u32.to_be_bytes());
    out.extend_from_slice(b"mdat");
    out.extend_from_slice(&(body + 16).to_be_bytes());
    Ok(out)
}

fn init(file: &File, length: u64) -> Result<Moov, ClipError> {
    let mut bytes = vec![0; usize::try_from(length.min(LONGEST_INIT)).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0)?;
    let mut rest = bytes.as_slice();
    loop {
        let header = Header::decode(&mut rest)?;
        let (body, behind) =
            rest.split_at_checked(header.size.unwrap_or(usize::MAX)).ok_or(mp4_atom::Error::OutOfBounds)?;
        if header.kind == Moov::KIND {
            return Ok(Moov::decode_body(&mut &*body)?);
        }
        rest = behind;
    }
}

/// The head of a fragment, and where it is within it.
fn head(file: &File, offset: u64, length: u32) -> Result<(Moof, u64), ClipError> {
    let mut bytes = vec![0; LONGEST_HEAD.min(length as usize)];
    file.read_exact_at(&mut bytes, offset)?;
    let mut rest = bytes.as_slice();
    loop {
        let at = (bytes.len() - rest.len()) as u64;
        let header = Header::decode(&mut rest)?;
        let (body, behind) =
            rest.split_at_checked(header.size.unwrap_or(usize::MAX)).ok_or(mp4_atom::Error::OutOfBounds)?;
        if header.kind == Moof::KIND {
            return Ok((Moof::decode_body(&mut &*body)?, at));
        }
        rest = behind;
    }
}
