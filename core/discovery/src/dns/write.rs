//! A message to bytes, with names compressed (RFC 1035 section 4.1.4).

use alloc::{vec, vec::Vec};

use super::{Data, Name, Question, Record};

const HEADER: usize = 12;
const IN: u16 = 1;
const TOP: u16 = 0x8000;
/// A pointer has fourteen bits.
const FARTHEST: usize = 0x3fff;

/// Where a record stands. A message has them in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Answers; in a query, known ones.
    Answer = 1,
    /// What a query wants to claim.
    Authority = 2,
    /// What may be of use besides.
    Additional = 3,
}

/// A message while it is written. It never gets longer than it may: what does not fit is not there at all.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    most: usize,
    counts: [u16; 4],
    /// Names written so far, with the places of their beginnings.
    names: Vec<(Vec<u8>, usize)>,
}

impl Writer {
    /// A query, or a response (authoritative, RFC 6762 section 18.4), of at most so many bytes.
    #[must_use]
    pub fn new(id: u16, response: bool, most: usize) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[..2].copy_from_slice(&id.to_be_bytes());
        bytes[2] = if response { 0x84 } else { 0 };
        Self { bytes, most, counts: [0; 4], names: Vec::new() }
    }

    /// Says that more known answers follow.
    pub fn truncated(&mut self) {
        self.bytes[2] |= 0x02;
    }

    /// Asks; whether there was room.
    #[must_use]
    pub fn question(&mut self, question: &Question) -> bool {
        self.attempt(0, |writer| {
            writer.name(&question.name);
            writer.u16(question.kind);
            writer.u16(if question.unicast { IN | TOP } else { IN });
        })
    }

    /// Adds a record; whether there was room. One of a type that is only read says nothing.
    #[must_use]
    pub fn record(&mut self, section: Section, record: &Record) -> bool {
        self.attempt(section as usize, |writer| {
            writer.name(&record.name);
            writer.u16(record.data.kind());
            writer.u16(if record.flush { IN | TOP } else { IN });
            writer.bytes.extend_from_slice(&record.ttl.to_be_bytes());
            let length_at = writer.bytes.len();
            writer.u16(0);
            match &record.data {
                Data::A(address) => writer.bytes.extend_from_slice(&address.octets()),
                Data::Aaaa(address) => writer.bytes.extend_from_slice(&address.octets()),
                Data::Ptr(name) => writer.name(name),
                Data::Srv { target, port } => {
                    writer.u16(0);
                    writer.u16(0);
                    writer.u16(*port);
                    writer.name(target);
                }
                Data::Txt(strings) => {
                    for string in strings {
                        let length = string.len().min(usize::from(u8::MAX));
                        writer.bytes.push(u8::try_from(length).expect("it was cut to a byte's greatest"));
                        writer.bytes.extend_from_slice(&string[..length]);
                    }
                }
                Data::Other(_) => {}
            }
            let length = u16::try_from(writer.bytes.len() - length_at - 2).unwrap_or(u16::MAX);
            writer.bytes[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        })
    }

    /// The message.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        for (index, count) in self.counts.into_iter().enumerate() {
            let at = 4 + 2 * index;
            self.bytes[at..at + 2].copy_from_slice(&count.to_be_bytes());
        }
        self.bytes
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER
    }

    fn attempt(&mut self, section: usize, write: impl FnOnce(&mut Self)) -> bool {
        debug_assert!(self.counts[section + 1..].iter().all(|count| *count == 0), "sections stand in their order");
        let (length, names) = (self.bytes.len(), self.names.len());
        write(self);
        let fits = self.bytes.len() <= self.most;
        if fits {
            self.counts[section] += 1;
        } else {
            self.bytes.truncate(length);
            self.names.truncate(names);
        }
        fits
    }

    fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    fn name(&mut self, name: &Name) {
        let mut rest = name.wire();
        while let Some(length) = rest.first() {
            if let Some((_, at)) = self.names.iter().find(|(known, _)| known.eq_ignore_ascii_case(rest)) {
                self.u16(0xc000 | u16::try_from(*at).expect("only such places are kept"));
                return;
            }
            if self.bytes.len() <= FARTHEST {
                self.names.push((rest.to_vec(), self.bytes.len()));
            }
            let (label, after) = rest.split_at(1 + usize::from(*length));
            self.bytes.extend_from_slice(label);
            rest = after;
        }
        self.bytes.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{kind, read};
    use alloc::vec;

    fn records() -> Vec<Record> {
        let (service, instance, host) =
            (Name::of("_sparekey._tcp.local"), Name::of("NVR._sparekey._tcp.local"), Name::of("sk.local"));
        let record = |name: &Name, flush, data| Record { name: name.clone(), ttl: 120, flush, data };
        vec![
            record(&service, false, Data::Ptr(instance.clone())),
            record(&instance, true, Data::Srv { target: host.clone(), port: 8444 }),
            record(&instance, true, Data::Txt(vec![b"v=1".to_vec(), vec![]])),
            record(&host, true, Data::A([192, 0, 2, 1].into())),
            record(&host, true, Data::Aaaa("fe80::1".parse().unwrap())),
        ]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let question = Question { name: Name::of("_sparekey._tcp.local"), kind: kind::PTR, unicast: true };
        let mut writer = Writer::new(7, true, 1_400);
        assert!(writer.is_empty() && writer.question(&question));
        for record in records() {
            assert!(writer.record(Section::Answer, &record));
        }
        writer.truncated();
        let bytes = writer.finish();
        let message = read(&bytes).unwrap();
        assert_eq!((message.id, message.response, message.truncated), (7, true, true));
        assert_eq!((message.questions, message.answers), (vec![question], records()));
        assert!(bytes.len() < 150, "names are compressed: {}", bytes.len());
    }

    #[test]
    fn what_does_not_fit_leaves_no_trace() {
        for most in 12..200 {
            let mut writer = Writer::new(0, true, most);
            let written = records().iter().filter(|record| writer.record(Section::Answer, record)).count();
            let bytes = writer.finish();
            assert!(bytes.len() <= most);
            assert_eq!(read(&bytes).unwrap().answers.len(), written, "{most}");
        }
    }
}
