//! A device's own records on one link.

use alloc::{vec, vec::Vec};

use super::responder::Named;
use crate::{
    Link,
    announcement::SERVICE,
    dns::{ANY, Data, Name, Question, Record, Section, Writer, kind},
};

/// Records about a host, and all others, in seconds (RFC 6762 section 10).
const HOST_TTL: u32 = 120;
pub(super) const OTHER_TTL: u32 = 4_500;
/// The longest that an ordinary resolver may keep an answer (RFC 6762 section 6.7).
pub(super) const LEGACY_TTL: u32 = 10;

/// Some of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u8);

impl Set {
    pub(super) const NONE: Self = Self(0);
    /// That there is such a service at all (RFC 6763 section 9).
    const SERVICES: Self = Self(1);
    /// That there is such an instance.
    pub(super) const PTR: Self = Self(2);
    const SRV: Self = Self(4);
    const TXT: Self = Self(8);
    const A: Self = Self(16);
    const AAAA: Self = Self(32);
    /// What belongs to this device alone.
    pub(super) const UNIQUE: Self = Self(4 | 8 | 16 | 32);
    /// What is announced.
    pub(super) const ANNOUNCED: Self = Self(2 | 4 | 8 | 16 | 32);
    const EACH: [Self; 6] = [Self::SERVICES, Self::PTR, Self::SRV, Self::TXT, Self::A, Self::AAAA];

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What a question for this wants to know next.
    fn additional(self) -> Self {
        let more = if self.has(Self::PTR) {
            Self::UNIQUE
        } else if self.has(Self::SRV) {
            Self::A.with(Self::AAAA)
        } else {
            Self::NONE
        };
        more.without(self)
    }
}

/// The records on one link.
pub(super) struct Own<'a> {
    pub(super) named: &'a Named,
    pub(super) link: &'a Link,
}

impl Own<'_> {
    /// What a question asks for.
    pub(super) fn matching(&self, question: &Question) -> Set {
        let wants = |kind| question.kind == kind || question.kind == ANY;
        let of = |name: &Name, kinds: &[(u16, Set)]| {
            let wanted = kinds.iter().filter(|(kind, _)| question.name == *name && wants(*kind));
            wanted.fold(Set::NONE, |set, (_, found)| set.with(*found))
        };
        of(&self.named.services, &[(kind::PTR, Set::SERVICES)])
            .with(of(&self.named.service, &[(kind::PTR, Set::PTR)]))
            .with(of(&self.named.instance, &[(kind::SRV, Set::SRV), (kind::TXT, Set::TXT)]))
            .with(of(&self.named.host, &[(kind::A, Set::A), (kind::AAAA, Set::AAAA)]))
    }

    /// What of a set an asker does not know yet: a known answer counts while at least half of its time is left (RFC 6762
    /// section 7.1).
    pub(super) fn unknown(&self, set: Set, known: &[Record]) -> Set {
        let is_known =
            |own: &Record| known.iter().any(|k| k.name == own.name && k.data == own.data && k.ttl >= own.ttl / 2);
        Set::EACH.into_iter().filter(|one| set.has(*one)).fold(Set::NONE, |left, one| {
            let own = self.records(one);
            if !own.is_empty() && own.iter().all(is_known) { left } else { left.with(one) }
        })
    }

    /// The records of a set.
    pub(super) fn records(&self, set: Set) -> Vec<Record> {
        let Named { announcement, service, services, instance, host, .. } = self.named;
        let mut records = Vec::new();
        let mut add = |one, name: &Name, ttl, flush, data: Vec<Data>| {
            if set.has(one) {
                records.extend(data.into_iter().map(|data| Record { name: name.clone(), ttl, flush, data }));
            }
        };
        add(Set::SERVICES, services, OTHER_TTL, false, vec![Data::Ptr(Name::of(SERVICE))]);
        add(Set::PTR, service, OTHER_TTL, false, vec![Data::Ptr(instance.clone())]);
        let srv = Data::Srv { target: host.clone(), port: announcement.port };
        add(Set::SRV, instance, HOST_TTL, true, vec![srv]);
        add(Set::TXT, instance, OTHER_TTL, true, vec![Data::Txt(announcement.txt())]);
        add(Set::A, host, HOST_TTL, true, self.link.v4.iter().map(|own| Data::A(own.address)).collect());
        add(Set::AAAA, host, HOST_TTL, true, self.link.v6.iter().map(|own| Data::Aaaa(*own)).collect());
        records
    }

    /// A response with these records and those that will be asked for next.
    pub(super) fn response(&self, set: Set) -> Vec<u8> {
        let mut packet = Writer::new(0, true, super::MAX_PACKET);
        self.fill(&mut packet, set, |record| record);
        packet.finish()
    }

    /// A response to an ordinary resolver: its question again, short times, no mark that other caches understand (RFC 6762 section 6.7).
    pub(super) fn legacy(&self, set: Set, id: u16, questions: &[Question]) -> Vec<u8> {
        let mut packet = Writer::new(id, true, super::MAX_PACKET);
        for question in questions {
            let _ = packet.question(&Question { unicast: false, ..question.clone() });
        }
        self.fill(&mut packet, set, |record| Record { ttl: record.ttl.min(LEGACY_TTL), flush: false, ..record });
        packet.finish()
    }

    /// That these records are good no longer.
    pub(super) fn goodbye(&self) -> Vec<u8> {
        let mut packet = Writer::new(0, true, super::MAX_PACKET);
        for record in self.records(Set::ANNOUNCED) {
            let _ = packet.record(Section::Answer, &Record { ttl: 0, ..record });
        }
        packet.finish()
    }

    /// Asks whether anybody has these names, and says what for (RFC 6762 section 8.1).
    pub(super) fn probe(&self) -> Vec<u8> {
        let mut packet = Writer::new(0, false, super::MAX_PACKET);
        for name in [&self.named.instance, &self.named.host] {
            let _ = packet.question(&Question { name: name.clone(), kind: ANY, unicast: true });
        }
        for record in self.records(Set::UNIQUE) {
            let _ = packet.record(Section::Authority, &Record { flush: false, ..record });
        }
        packet.finish()
    }

    /// What does not fit is left out: whoever needs it asks for it.
    fn fill(&self, packet: &mut Writer, set: Set, change: impl Fn(Record) -> Record) {
        for (section, set) in [(Section::Answer, set), (Section::Additional, set.additional())] {
            for record in self.records(set) {
                let _ = packet.record(section, &change(record));
            }
        }
    }
}
