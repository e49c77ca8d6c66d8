//! What is written while recording: an initialization segment, then fragments, each whole in itself.

use bytes::Bytes;
use mp4_atom::{
    Codec, Decode, Dinf, Dref, DrefEntry, Encode, FourCC, Ftyp, Hdlr, Header, Mdhd, Mdia, Mfhd, Minf, Moof, Moov, Mvex,
    Mvhd, Prft, ReferenceTime, Smhd, Stbl, Stsd, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, TrunSamples, Url,
    Vmhd,
};
use sparekey_footage::Moment;

use super::{AUDIO, KEY, NOT_KEY, VIDEO};
use crate::media::{Entry, Tracks, VIDEO_RATE};

/// From 1900, where NTP begins (RFC 5905 section 6), to 1970.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// One frame of a fragment.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// In ticks of its track.
    pub(crate) duration: u32,
    pub(crate) key: bool,
    pub(crate) data: Bytes,
}

/// The frames of one track in a fragment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The time of the first, in ticks of its track from the file's beginning.
    pub(crate) begins: u64,
    pub(crate) samples: Vec<Sample>,
}

/// Why nothing was written: a sample entry that cannot be read, or a fragment of more than 2 GiB.
pub(crate) type Error = mp4_atom::Error;

/// Before every file's fragments: which tracks there are.
pub(crate) fn init(tracks: &Tracks) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    let ftyp = Ftyp {
        major_brand: FourCC::new(b"iso6"),
        minor_version: 0,
        compatible_brands: [b"iso6", b"cmfc", b"mp41"].map(FourCC::new).to_vec(),
    };
    ftyp.encode(&mut out)?;
    let mut trak = vec![track(&tracks.video, VIDEO, 0, None)?];
    if let Some(audio) = &tracks.audio {
        trak.push(track(audio, AUDIO, 0, None)?);
    }
    let trex =
        |track: &Trak| Trex { track_id: track.tkhd.track_id, default_sample_description_index: 1, ..Trex::default() };
    let mvex = Mvex { mehd: None, trex: trak.iter().map(trex).collect() };
    let next_track_id = AUDIO + 1;
    let mvhd = Mvhd { timescale: VIDEO_RATE, next_track_id, rate: 1.into(), volume: 1.into(), ..Mvhd::default() };
    Moov { mvhd, meta: None, mvex: Some(mvex), trak, udta: None, ainf: None }.encode(&mut out)?;
    Ok(out.into())
}

/// A track of this number and length, with its sample table where the frames are not in fragments.
pub(super) fn track(entry: &Entry, number: u32, ticks: u64, table: Option<Stbl>) -> Result<Trak, Error> {
    let codec = Codec::decode(&mut entry.sample_entry.as_ref())?;
    let is_video = number == VIDEO;
    let (width, height) = entry.size;
    let stbl = Stbl { stsd: Stsd { codecs: vec![codec] }, ..table.unwrap_or_default() };
    let url = DrefEntry::Url(Url::default());
    Ok(Trak {
        tkhd: Tkhd {
            track_id: number,
            duration: in_video_ticks(ticks, entry.rate),
            enabled: true,
            in_movie: true,
            volume: u8::from(!is_video).into(),
            width: width.into(),
            height: height.into(),
            ..Tkhd::default()
        },
        mdia: Mdia {
            mdhd: Mdhd { timescale: entry.rate, duration: ticks, language: "und".to_owned(), ..Mdhd::default() },
            hdlr: Hdlr {
                handler: FourCC::new(if is_video { b"vide" } else { b"soun" }),
                name: if is_video { "Video" } else { "Sound" }.to_owned(),
            },
            minf: Minf {
                vmhd: is_video.then(Vmhd::default),
                smhd: (!is_video).then(Smhd::default),
                dinf: Dinf { dref: Dref { entries: vec![url] } },
                stbl,
                ..Minf::default()
            },
        },
        ..Trak::default()
    })
}

pub(super) fn in_video_ticks(ticks: u64, rate: u32) -> u64 {
    let scaled = u128::from(ticks) * u128::from(VIDEO_RATE) / u128::from(rate.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// A fragment: when its first picture was taken (`prft`, section 8.16.5), what it has (`moof`), and that.
pub(crate) fn fragment(number: u32, taken: Option<Moment>, video: &Run, audio: &Run) -> Result<Bytes, Error> {
    let bytes = |run: &Run| run.samples.iter().map(|sample| sample.data.len()).sum::<usize>();
    let (of_video, of_audio) = (bytes(video), bytes(audio));
    let mut out = Vec::with_capacity(of_video + of_audio + 512 + 16 * (video.samples.len() + audio.samples.len()));
    if let Some(taken) = taken {
        let prft = Prft {
            reference_track_id: VIDEO,
            ntp_timestamp: ntp(taken),
            media_time: video.begins,
            utc_time_semantics: ReferenceTime::Input,
        };
        prft.encode(&mut out)?;
    }
    let begin = out.len();
    let moof = |offset: usize| {
        let mut traf = Vec::with_capacity(2);
        let mut at = offset;
        for (run, number, length) in [(video, VIDEO, of_video), (audio, AUDIO, of_audio)] {
            if !run.samples.is_empty() {
                traf.push(of_track(run, number, i32::try_from(at).unwrap_or(i32::MAX)));
                at += length;
            }
        }
        Moof { mfhd: Mfhd { sequence_number: number }, traf }
    };
    // Its own length decides where the data begin; the numbers in it have one width.
    let mut first = Vec::with_capacity(256);
    moof(0).encode(&mut first)?;
    moof(first.len() + 8).encode(&mut out)?;
    debug_assert_eq!(out.len() - begin, first.len(), "its length does not depend on the offset");
    Header { kind: FourCC::new(b"mdat"), size: Some(of_video + of_audio) }.encode(&mut out)?;
    for sample in video.samples.iter().chain(&audio.samples) {
        out.extend_from_slice(&sample.data);
    }
    Ok(out.into())
}

fn of_track(run: &Run, number: u32, data_offset: i32) -> Traf {
    let entry = |sample: &Sample| TrunEntry {
        duration: Some(sample.duration),
        size: Some(u32::try_from(sample.data.len()).unwrap_or(u32::MAX)),
        flags: Some(if sample.key { KEY } else { NOT_KEY }),
        cts: None,
    };
    let samples = TrunSamples::Explicit(run.samples.iter().map(entry).collect());
    Traf {
        tfhd: Tfhd { track_id: number, default_base_is_moof: true, ..Tfhd::default() },
        tfdt: Some(Tfdt { base_media_decode_time: run.begins }),
        trun: vec![Trun { data_offset: Some(data_offset), samples }],
        ..Traf::default()
    }
}

/// A moment as a `prft` says it: seconds since 1900 and their fraction.
fn ntp(moment: Moment) -> u64 {
    let (seconds, milliseconds) = (moment.0 / 1_000 + NTP_TO_UNIX, moment.0 % 1_000);
    (seconds << 32) | ((milliseconds << 32).div_ceil(1_000))
}

/// And back.
pub(super) fn of_ntp(time: u64) -> Moment {
    let (seconds, fraction) = (time >> 32, time & 0xffff_ffff);
    Moment(seconds.saturating_sub(NTP_TO_UNIX).saturating_mul(1_000) + ((fraction * 1_000) >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_after_it_was_written() {
        for moment in [0, 1, 999, 1_000, 1_764_072_000_123, 1_764_072_000_999] {
            assert_eq!(of_ntp(ntp(Moment(moment))), Moment(moment));
        }
    }
}
