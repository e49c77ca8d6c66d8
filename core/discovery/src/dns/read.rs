//! Bytes to a message, within bounds.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Data, Name, Question, Record, kind};
use crate::Refused;

/// The longest message (RFC 6762 section 17).
pub const MAX_MESSAGE: usize = 9_000;
/// Questions of one message that are read.
const MAX_QUESTIONS: usize = 64;
/// Records of one message that are read. A message of that length has hardly more.
const MAX_RECORDS: usize = 600;
/// Strings of one TXT record that are read.
const MAX_STRINGS: usize = 64;

const RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
const RCODE: u16 = 0x000f;
const IN: u16 = 1;
/// The top bit of a class: QU in a question, cache-flush in a record.
const TOP: u16 = 0x8000;

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its number, which an answer to an ordinary resolver repeats (RFC 6762 section 6.7).
    pub id: u16,
    /// Whether it answers.
    pub response: bool,
    /// Of a query: more known answers follow (RFC 6762 section 7.2).
    pub truncated: bool,
    /// What is asked.
    pub questions: Vec<Question>,
    /// Answers; in a query, those that the asker knows.
    pub answers: Vec<Record>,
    /// In a query: what the asker wants to claim (RFC 6762 section 8.2).
    pub authorities: Vec<Record>,
    /// What may be of use besides.
    pub additionals: Vec<Record>,
}

/// Reads a message. Questions and records of other classes are passed over.
///
/// # Errors
/// [`Refused`]; messages of other kinds and with errors are ignored, as RFC 6762 section 18.3 and 18.11 want it.
pub fn read(datagram: &[u8]) -> Result<Message, Refused> {
    if datagram.len() > MAX_MESSAGE {
        return Err(Refused::TooLong);
    }
    let mut reader = Reader { bytes: datagram, at: 0 };
    let [id, flags, questions, answers, authorities, additionals] = {
        let mut header = [0; 6];
        for field in &mut header {
            *field = reader.u16()?;
        }
        header
    };
    if flags & (OPCODE | RCODE) != 0 {
        return Err(Refused::NotAnAnswer);
    }
    let records = [answers, authorities, additionals].map(usize::from);
    if usize::from(questions) > MAX_QUESTIONS || records.iter().sum::<usize>() > MAX_RECORDS {
        return Err(Refused::TooMany);
    }
    let mut message =
        Message { id, response: flags & RESPONSE != 0, truncated: flags & TRUNCATED != 0, ..Message::default() };
    for _ in 0..questions {
        message.questions.extend(reader.question()?);
    }
    let sections = [&mut message.answers, &mut message.authorities, &mut message.additionals];
    for (section, count) in sections.into_iter().zip(records) {
        for _ in 0..count {
            section.extend(reader.record()?);
        }
    }
    // Whatever follows is no part of it: some responders pad.
    Ok(message)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Refused> {
        let end = self.at.checked_add(count).ok_or(Refused::Shape)?;
        let taken = self.bytes.get(self.at..end).ok_or(Refused::Shape)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        Ok(self.take(N)?.try_into().expect("as many were taken"))
    }

    fn u16(&mut self) -> Result<u16, Refused> {
        self.array().map(u16::from_be_bytes)
    }

    /// A name here, which may end in a pointer to an earlier place. Each pointer leads further back than all before it, so
    /// that there is an end.
    fn name(&mut self) -> Result<Name, Refused> {
        let mut name = Name::default();
        let mut at = self.at;
        // Before this place a pointer may lead.
        let mut least = self.at;
        let mut end = None;
        loop {
            let length = *self.bytes.get(at).ok_or(Refused::Shape)?;
            match length {
                0 => {
                    self.at = end.unwrap_or(at + 1);
                    return Ok(name);
                }
                1..=63 => {
                    let after = at + 1 + usize::from(length);
                    let label = self.bytes.get(at + 1..after).ok_or(Refused::Shape)?;
                    if !name.push(label) {
                        return Err(Refused::Name);
                    }
                    at = after;
                }
                0xc0.. => {
                    let low = *self.bytes.get(at + 1).ok_or(Refused::Shape)?;
                    end = end.or(Some(at + 2));
                    let target = usize::from(length & 0x3f) << 8 | usize::from(low);
                    if target >= least {
                        return Err(Refused::Name);
                    }
                    (at, least) = (target, target);
                }
                _ => return Err(Refused::Name),
            }
        }
    }

    fn question(&mut self) -> Result<Option<Question>, Refused> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        let wanted = matches!(class & !TOP, IN | super::ANY);
        Ok(wanted.then_some(Question { name, kind, unicast: class & TOP != 0 }))
    }

    fn record(&mut self) -> Result<Option<Record>, Refused> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        let ttl = u32::from_be_bytes(self.array()?);
        let length = usize::from(self.u16()?);
        let end = self.at + length;
        if end > self.bytes.len() {
            return Err(Refused::Shape);
        }
        let data = self.data(kind, end)?;
        if self.at != end {
            return Err(Refused::Shape);
        }
        Ok((class & !TOP == IN).then_some(Record { name, ttl, flush: class & TOP != 0, data }))
    }

    fn data(&mut self, kind: u16, end: usize) -> Result<Data, Refused> {
        Ok(match kind {
            kind::A => Data::A(Ipv4Addr::from(self.array::<4>()?)),
            kind::AAAA => Data::Aaaa(Ipv6Addr::from(self.array::<16>()?)),
            kind::PTR => Data::Ptr(self.name()?),
            kind::SRV => {
                let (_priority, _weight, port) = (self.u16()?, self.u16()?, self.u16()?);
                Data::Srv { target: self.name()?, port }
            }
            kind::TXT => {
                let mut strings = Vec::new();
                while self.at < end {
                    let [length] = self.array()?;
                    if self.at + usize::from(length) > end {
                        return Err(Refused::Shape);
                    }
                    let string = self.take(usize::from(length))?;
                    if strings.len() == MAX_STRINGS {
                        return Err(Refused::TooMany);
                    }
                    strings.push(string.to_vec());
                }
                Data::Txt(strings)
            }
            other => {
                self.at = end;
                Data::Other(other)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// A response whose header counts one question and one answer, with this after it.
    fn message(counts: [u16; 4], rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0x84, 0];
        bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        bytes.extend(rest);
        bytes
    }

    /// An answer for the name `a`, of this type and data.
    fn record(kind: u16, length: usize, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1, b'a', 0];
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0x80, 1, 0, 0, 0, 120]);
        bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        bytes.extend(data);
        message([0, 1, 0, 0], &bytes)
    }

    #[test]
    fn what_breaks_a_rule_is_refused() {
        let chain = || {
            // Each label is followed by a pointer to the one before: a name of 128 labels.
            let mut names = vec![1, b'x', 0];
            for n in 0..200_u16 {
                let previous = if n == 0 { 12 } else { 15 + 4 * (n - 1) };
                names.extend([1, b'x']);
                names.extend((0xc000 | previous).to_be_bytes());
            }
            message([1, 0, 0, 0], &names)
        };
        let cases: [(&str, Vec<u8>, Refused); 20] = [
            ("nothing", vec![], Refused::Shape),
            ("half a header", vec![0; 11], Refused::Shape),
            ("too long", vec![0; MAX_MESSAGE + 1], Refused::TooLong),
            ("an update", vec![0, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0], Refused::NotAnAnswer),
            ("an error", vec![0, 0, 0x84, 3, 0, 0, 0, 0, 0, 0, 0, 0], Refused::NotAnAnswer),
            ("more questions than are read", message([65, 0, 0, 0], &[]), Refused::TooMany),
            ("more records than are read", message([0, 300, 300, 1], &[]), Refused::TooMany),
            ("questions that are not there", message([1, 0, 0, 0], &[]), Refused::Shape),
            ("a pointer to itself", message([1, 0, 0, 0], &[0xc0, 12, 0, 1, 0, 1]), Refused::Name),
            ("a pointer forwards", message([1, 0, 0, 0], &[0xc0, 14, 0, 0, 1, 0, 1]), Refused::Name),
            ("half a pointer", message([1, 0, 0, 0], &[0xc0]), Refused::Shape),
            ("a reserved length", message([1, 0, 0, 0], &[0x40, 0, 0, 1, 0, 1]), Refused::Name),
            ("a label past the end", message([1, 0, 0, 0], &[63, b'a']), Refused::Shape),
            (
                "a name of 256 bytes",
                message([1, 0, 0, 0], &[[&[63_u8][..], &[b'a'; 63]].concat().repeat(4), vec![0; 5]].concat()),
                Refused::Name,
            ),
            ("data past the end", record(kind::A, 5, &[1, 2, 3, 4]), Refused::Shape),
            ("an address of five bytes", record(kind::A, 5, &[1, 2, 3, 4, 5]), Refused::Shape),
            ("an address of three bytes", record(kind::A, 3, &[1, 2, 3]), Refused::Shape),
            ("a string past its record", record(kind::TXT, 2, &[2, b'a']), Refused::Shape),
            ("more strings than are read", record(kind::TXT, 65, &[0; 65]), Refused::TooMany),
            ("a service without a host", record(kind::SRV, 6, &[0; 6]), Refused::Shape),
        ];
        for (what, bytes, refused) in cases {
            assert_eq!(read(&bytes), Err(refused), "{what}");
        }
        assert!(read(&chain()).is_ok(), "the first name is short");
    }

    #[test]
    fn long_chains_of_pointers_end() {
        // 60 names, each one label and a pointer to the name before: the last has 60 labels, and no more work than that.
        let mut bytes = vec![1, b'x', 0, 0, 1, 0, 1];
        for n in 0..60_u16 {
            let previous = 12 + if n == 0 { 0 } else { 7 + 8 * (n - 1) };
            bytes.extend([1, b'x']);
            bytes.extend((0xc000 | previous).to_be_bytes());
            bytes.extend([0, 1, 0, 1]);
        }
        let message = read(&message([61, 0, 0, 0], &bytes)).unwrap();
        assert_eq!(message.questions[60].name.labels().count(), 61);
    }

    #[test]
    fn other_classes_and_types_are_passed_over() {
        let mut other_class = record(kind::A, 4, &[1, 2, 3, 4]);
        other_class[17] = 3;
        assert!(read(&other_class).unwrap().answers.is_empty());
        assert_eq!(read(&record(47, 3, &[1, 2, 3])).unwrap().answers[0].data, Data::Other(47));
        assert!(read(&[message([0; 4], &[]), vec![0; 7]].concat()).is_ok(), "padding");
    }
}
