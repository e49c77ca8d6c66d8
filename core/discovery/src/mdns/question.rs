//! What a search asks, with the answers it knows already (RFC 6762 section 7.1).

use alloc::{vec, vec::Vec};

use super::MAX_PACKET;
use crate::dns::{Name, Question, Record, Section, Writer, kind};

/// Asks who offers these services. Known answers that do not fit into one packet go into further ones, each but the last marked so.
#[must_use]
pub fn questions(services: &[Name], known: &[Record], unicast: bool) -> Vec<Vec<u8>> {
    let asked = || {
        let mut packet = Writer::new(0, false, MAX_PACKET);
        for service in services {
            let fits = packet.question(&Question { name: service.clone(), kind: kind::PTR, unicast });
            debug_assert!(fits, "a search asks for few services");
        }
        packet
    };
    let mut packet = asked();
    let mut packets = vec![];
    for record in known {
        if !packet.record(Section::Answer, record) {
            packet.truncated();
            packets.push(packet.finish());
            // What follows has known answers only (RFC 6762 section 7.2).
            packet = Writer::new(0, false, MAX_PACKET);
            let fits = packet.record(Section::Answer, record);
            debug_assert!(fits, "one record fits into a packet");
        }
    }
    packets.push(packet.finish());
    packets
}

/// Asks one host for what is missing of an instance or of a host.
pub(super) fn direct(names: &[(Name, u16)]) -> Vec<u8> {
    let mut packet = Writer::new(0, false, MAX_PACKET);
    for (name, kind) in names {
        let fits = packet.question(&Question { name: name.clone(), kind: *kind, unicast: true });
        debug_assert!(fits, "three names fit");
    }
    packet.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Data, read};
    use alloc::format;

    #[test]
    fn a_thousand_known_answers_go_into_packets_of_one_frame_each() {
        let service = Name::of("_sparekey._tcp.local");
        let record = |n: usize| {
            let instance = Name::within(format!("NVR-8 {n:06}").as_bytes(), &service).unwrap();
            Record { name: service.clone(), ttl: 4_500, flush: false, data: Data::Ptr(instance) }
        };
        let known: Vec<_> = (0..1_000).map(record).collect();
        let packets = questions(core::slice::from_ref(&service), &known, false);
        let read: Vec<_> = packets.iter().map(|packet| read(packet).unwrap()).collect();
        assert_eq!(read.iter().flat_map(|message| message.answers.clone()).collect::<Vec<_>>(), known);
        assert!(packets.iter().all(|packet| packet.len() <= MAX_PACKET) && packets.len() < 25, "{}", packets.len());
        let (last, others) = read.split_last().unwrap();
        assert!(!last.truncated && others.iter().all(|message| message.truncated));
        assert_eq!(read.iter().map(|message| message.questions.len()).sum::<usize>(), 1);
    }
}
