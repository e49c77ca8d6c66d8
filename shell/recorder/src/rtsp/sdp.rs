//! What a stream is, in SDP (RFC 8866).

use std::fmt::Write;

use data_encoding::BASE64;
use mp4_atom::{Codec, Decode};

use super::packets::Kind;
use crate::media::{Entry, Tracks};

/// Payload types, of those that are agreed on each time (RFC 3551 section 6).
pub(super) const VIDEO: u8 = 96;
pub(super) const AUDIO: u8 = 97;

/// What is known of a stream's pictures.
pub(super) struct Pictures {
    pub(super) kind: Kind,
    /// VPS, SPS, PPS.
    pub(super) parameter_sets: Vec<Vec<u8>>,
}

pub(super) fn pictures(entry: &Entry) -> Option<Pictures> {
    Some(match Codec::decode(&mut entry.sample_entry.as_ref()).ok()? {
        Codec::Avc1(of) => {
            let sets = of.avcc.sequence_parameter_sets.into_iter().chain(of.avcc.picture_parameter_sets);
            Pictures { kind: Kind::H264, parameter_sets: sets.collect() }
        }
        Codec::Hvc1(of) => {
            let sets = of.hvcc.arrays.into_iter().flat_map(|array| array.nalus);
            Pictures { kind: Kind::H265, parameter_sets: sets.collect() }
        }
        _ => return None,
    })
}

/// The description; tracks are `/0` and `/1` below the address.
pub(super) fn describe(tracks: &Tracks) -> Option<String> {
    let Pictures { kind, parameter_sets } = pictures(&tracks.video)?;
    let mut sdp =
        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=Sparekey\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n".to_owned();
    let name = if kind == Kind::H264 { "H264" } else { "H265" };
    write!(sdp, "m=video 0 RTP/AVP {VIDEO}\r\na=rtpmap:{VIDEO} {name}/90000\r\n").ok()?;
    let encoded: Vec<_> = parameter_sets.iter().map(|set| BASE64.encode(set)).collect();
    if kind == Kind::H264 {
        let profile = parameter_sets.first().and_then(|set| set.get(1..4)).unwrap_or_default();
        let profile = data_encoding::HEXUPPER.encode(profile);
        let sets = encoded.join(",");
        write!(sdp, "a=fmtp:{VIDEO} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}\r\n")
            .ok()?;
    } else {
        // By the type in a unit's first byte (RFC 7798 section 7.1).
        let of = |kind: u8| {
            let chosen = parameter_sets
                .iter()
                .zip(&encoded)
                .filter(move |(set, _)| set.first().is_some_and(|byte| byte >> 1 & 0x3f == kind));
            chosen.map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(",")
        };
        write!(sdp, "a=fmtp:{VIDEO} sprop-vps={};sprop-sps={};sprop-pps={}\r\n", of(32), of(33), of(34)).ok()?;
    }
    sdp.push_str("a=control:0\r\n");
    if let Some(audio) = &tracks.audio {
        let (channels, config) = sound(audio)?;
        write!(sdp, "m=audio 0 RTP/AVP {AUDIO}\r\na=rtpmap:{AUDIO} mpeg4-generic/{}/{channels}\r\n", audio.rate)
            .ok()?;
        write!(
            sdp,
            "a=fmtp:{AUDIO} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config={config}\r\n\
             a=control:1\r\n"
        )
        .ok()?;
    }
    Some(sdp)
}

/// Channels, and the AudioSpecificConfig in hexadecimal.
fn sound(entry: &Entry) -> Option<(u16, String)> {
    let Codec::Mp4a(of) = Codec::decode(&mut entry.sample_entry.as_ref()).ok()? else { return None };
    let specific = of.esds.es_desc.dec_config.dec_specific?;
    Some((of.audio.channel_count, data_encoding::HEXLOWER.encode(&specific.raw)))
}
