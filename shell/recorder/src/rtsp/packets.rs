//! Frames as RTP packets (RFC 3550): H.264 (RFC 6184), H.265 (RFC 7798), AAC (RFC 3640).

use crate::media::{Frame, Track};

/// The longest payload: with all headers it fits into what an Ethernet carries.
const LONGEST: usize = 1_400;

/// How pictures are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    H264,
    H265,
    Aac,
}

/// One track on its way to one program.
#[derive(Debug)]
pub(super) struct Packets {
    kind: Kind,
    payload_type: u8,
    source: u32,
    pub(super) sequence: u16,
    /// What goes before each picture that is decoded by itself.
    parameter_sets: Vec<Vec<u8>>,
}

impl Packets {
    pub(super) fn new(kind: Kind, payload_type: u8, source: u32, parameter_sets: Vec<Vec<u8>>) -> Self {
        Self { kind, payload_type, source, sequence: 0, parameter_sets }
    }

    /// The packets of a frame at a time.
    pub(super) fn of(&mut self, frame: &Frame, time: u32) -> Vec<Vec<u8>> {
        let mut payloads = Vec::new();
        match (self.kind, frame.track) {
            (Kind::Aac, _) => {
                // One access unit: the bits of its header, then its length in 13 of them (section 3.3.6).
                let Some(length) = u16::try_from(frame.data.len()).ok().filter(|length| *length < 1 << 13) else {
                    return Vec::new();
                };
                payloads.push([&[0, 16], &(length << 3).to_be_bytes()[..], &frame.data].concat());
            }
            (kind, Track::Audio) => debug_assert!(false, "sound does not come as {kind:?}"),
            (kind, Track::Video) => {
                let sets = self.parameter_sets.iter().map(Vec::as_slice).filter(|_| frame.key);
                for unit in sets.chain(units(&frame.data)) {
                    cut(kind, unit, &mut payloads);
                }
            }
        }
        let last = payloads.len().saturating_sub(1);
        payloads.iter().enumerate().map(|(number, payload)| self.packet(payload, time, number == last)).collect()
    }

    fn packet(&mut self, payload: &[u8], time: u32, marked: bool) -> Vec<u8> {
        let mut packet = Vec::with_capacity(12 + payload.len());
        packet.extend_from_slice(&[0x80, self.payload_type | u8::from(marked) << 7]);
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&time.to_be_bytes());
        packet.extend_from_slice(&self.source.to_be_bytes());
        packet.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        packet
    }
}

/// NAL units, each behind its length; those behind a length that lies are left out.
fn units(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<4>()?;
        let (unit, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        data = rest;
        Some(unit)
    })
}

/// A unit by itself, or in fragments (RFC 6184 section 5.8, RFC 7798 section 4.4.3).
fn cut(kind: Kind, unit: &[u8], payloads: &mut Vec<Vec<u8>>) {
    if unit.len() <= LONGEST {
        if !unit.is_empty() {
            payloads.push(unit.to_vec());
        }
        return;
    }
    let (head, rest, of) = match kind {
        Kind::H264 => (vec![unit[0] & 0xe0 | 28], &unit[1..], unit[0] & 0x1f),
        _ => (vec![unit[0] & 0x81 | 49 << 1, unit[1]], &unit[2..], unit[0] >> 1 & 0x3f),
    };
    let count = rest.len().div_ceil(LONGEST);
    for (number, part) in rest.chunks(LONGEST).enumerate() {
        let ends = u8::from(number == 0) << 7 | u8::from(number + 1 == count) << 6;
        payloads.push([&head[..], &[ends | of], part].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn frame(units: &[Vec<u8>], key: bool) -> Frame {
        let data: Vec<u8> = units
            .iter()
            .flat_map(|unit| [&u32::try_from(unit.len()).unwrap().to_be_bytes()[..], unit].concat())
            .collect();
        Frame { track: Track::Video, ticks: 0, key, data: Bytes::from(data) }
    }

    #[test]
    fn long_units_are_cut_and_can_be_put_together() {
        for (kind, first) in [(Kind::H264, vec![0x65]), (Kind::H265, vec![0x26, 0x01])] {
            let unit: Vec<u8> =
                first.iter().copied().chain((0..5_000).map(|n| u8::try_from(n % 251).unwrap())).collect();
            let mut packets = Packets::new(kind, 96, 7, vec![vec![0x67, 1], vec![0x68, 2]]);
            let sent = packets.of(&frame(std::slice::from_ref(&unit), true), 1_234);
            assert!(
                sent.iter().all(|packet| packet.len() <= 12 + LONGEST + 3 && packet[4..8] == 1_234u32.to_be_bytes())
            );
            let marks: Vec<_> = sent.iter().map(|packet| packet[1] >> 7).collect();
            assert_eq!((marks.iter().sum::<u8>(), marks.last()), (1, Some(&1)), "the last one is marked");
            assert_eq!((&sent[0][12..], &sent[1][12..]), (&[0x67, 1][..], &[0x68, 2][..]));
            let head = if kind == Kind::H264 { 2 } else { 3 };
            let together: Vec<u8> = sent[2..].iter().flat_map(|packet| packet[12 + head..].to_vec()).collect();
            assert_eq!(together, unit[first.len()..]);
            let ends: Vec<_> = sent[2..].iter().map(|packet| packet[12 + head - 1] >> 6).collect();
            assert!(
                ends[0] == 2 && *ends.last().unwrap() == 1 && ends[1..ends.len() - 1].iter().all(|end| *end == 0),
                "{ends:?}"
            );
            assert_eq!(packets.sequence, u16::try_from(sent.len()).unwrap());
        }
    }

    #[test]
    fn sound_says_its_length() {
        let mut packets = Packets::new(Kind::Aac, 97, 7, Vec::new());
        let sound = Frame { track: Track::Audio, ticks: 0, key: true, data: Bytes::from_static(b"abc") };
        assert_eq!(packets.of(&sound, 0)[0][12..], [0, 16, 0, 24, b'a', b'b', b'c']);
        let long = Frame { data: Bytes::from(vec![0; 9_000]), ..sound };
        assert!(packets.of(&long, 0).is_empty());
    }
}
