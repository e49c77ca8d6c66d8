//! Reads what was recorded out of a file itself: after a crash, or where the index was lost.
//!
//! A file is believed as far as its boxes are whole; what a power cut left behind that is cut off.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use mp4_atom::{Atom, Decode, FourCC, Header, Moof, Moov, Prft};
use sparekey_footage::Moment;

use super::{VIDEO, codec::codec, write::of_ntp};

/// No initialization segment and no `moof` of ours is longer.
const LONGEST_HEAD: usize = 1024 * 1024;
/// No fragment of a second is longer: 1 Gbit/s.
const LONGEST_DATA: usize = 128 * 1024 * 1024;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Bytes before the first fragment.
    pub(crate) init: u64,
    /// As a browser is asked for them.
    pub(crate) tracks: Option<Vec<String>>,
    pub(crate) fragments: Vec<Fragment>,
    /// Bytes that are whole.
    pub(crate) whole: u64,
}

/// One fragment in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// When its first picture was taken.
    pub(crate) taken: Moment,
    /// The media time of its first picture, and how long it plays, in ticks of the video track.
    pub(crate) begins: u64,
    pub(crate) ticks: u32,
    /// Where it is.
    pub(crate) offset: u64,
    pub(crate) length: u32,
    /// Its first picture is decoded without those before it.
    pub(crate) key: bool,
}

/// Reads all that is whole.
///
/// # Errors
/// Those of the disk. A file that is no recording of ours is empty: nothing of it is whole.
pub(crate) fn scan(file: &mut File) -> io::Result<Scanned> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut reader = io::BufReader::with_capacity(64 * 1024, file);
    let mut scanned = Scanned::default();
    let (mut at, mut taken, mut open) = (0u64, None, None::<(Moof, u64)>);
    loop {
        let mut head = [0; 8];
        if length.saturating_sub(at) < 8 || reader.read_exact(&mut head).is_err() {
            break;
        }
        let Ok(Header { kind, size: Some(size) }) = Header::decode(&mut head.as_slice()) else { break };
        let end = at + 8 + size as u64;
        if end > length || size > LONGEST_DATA {
            break;
        }
        if kind == FourCC::new(b"mdat") {
            let Some((moof, begin)) = open.take() else { break };
            let Some(fragment) = fragment(&moof, taken.take(), begin, end) else { break };
            scanned.fragments.push(fragment);
            scanned.whole = end;
            reader.seek_relative(i64::try_from(size).unwrap_or(i64::MAX))?;
        } else {
            if size > LONGEST_HEAD {
                break;
            }
            let mut body = vec![0; size];
            if reader.read_exact(&mut body).is_err() {
                break;
            }
            let body = &mut body.as_slice();
            match kind {
                kind if kind == Moov::KIND => {
                    let Ok(moov) = Moov::decode_body(body) else { break };
                    scanned.tracks = Some(
                        moov.trak.iter().filter_map(|track| codec(track.mdia.minf.stbl.stsd.codecs.first()?)).collect(),
                    );
                    (scanned.init, scanned.whole) = (end, end);
                }
                kind if kind == Prft::KIND => {
                    let Ok(prft) = Prft::decode_body(body) else { break };
                    taken = Some((of_ntp(prft.ntp_timestamp), at));
                }
                kind if kind == Moof::KIND => {
                    let Ok(moof) = Moof::decode_body(body) else { break };
                    open = Some((moof, taken.map_or(at, |(_, at)| at)));
                }
                _ => {}
            }
        }
        at = end;
    }
    Ok(scanned)
}

fn fragment(moof: &Moof, taken: Option<(Moment, u64)>, offset: u64, end: u64) -> Option<Fragment> {
    let video = moof.traf.iter().find(|traf| traf.tfhd.track_id == VIDEO)?;
    let samples: Vec<_> = video.trun.iter().flat_map(|run| run.samples.iter()).collect();
    let ticks = samples.iter().map(|sample| u64::from(sample.duration.unwrap_or_default())).sum::<u64>();
    Some(Fragment {
        taken: taken?.0,
        begins: video.tfdt.as_ref()?.base_media_decode_time,
        ticks: u32::try_from(ticks).ok()?,
        offset,
        length: u32::try_from(end - offset).ok()?,
        key: samples.first()?.flags? & 0x0001_0000 == 0,
    })
}
