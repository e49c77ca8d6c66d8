use alloc::vec::Vec;
use core::net::IpAddr;

use minicbor::{Decode, Encode};
use sparekey_protocol::Time;

use crate::{device::Caller, ways::Way};

/// What happened. The numbers are kept in vaults: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EventKind {
    /// It got its owner.
    #[n(0)]
    Activated,
    /// The right password.
    #[n(1)]
    LoggedIn,
    /// A wrong name or password.
    #[n(2)]
    LoginRefused,
    /// Somebody pressed *Forgot password* and was shown a request.
    #[n(3)]
    RecoveryOpened,
    /// A wrong code.
    #[n(4)]
    WrongCode,
    /// The right code.
    #[n(5)]
    RecoveryProven,
    /// A new password after a right proof.
    #[n(6)]
    PasswordRecovered,
    /// A new password by whoever knew the old one.
    #[n(7)]
    PasswordChanged,
    /// A reserved email was confirmed.
    #[n(8)]
    ContactConfirmed,
    /// The reserved emails were changed.
    #[n(9)]
    ContactsChanged,
    /// A hundred wrong codes in a row: the code ways are closed for callers of this kind.
    #[n(10)]
    CodesClosed,
    /// Somebody from another network asked for a recovery.
    #[n(11)]
    RefusedOffLink,
    /// A wrong file, sheet code or set of answers.
    #[n(12)]
    WrongProof,
    /// A new key file was exported.
    #[n(13)]
    KeyFileExported,
    /// A new recovery sheet was made.
    #[n(14)]
    SheetMade,
    /// A code of the recovery sheet was voided by hand.
    #[n(15)]
    SheetCodeVoided,
    /// The security questions were set.
    #[n(16)]
    QuestionsSet,
    /// The security questions were taken away.
    #[n(17)]
    QuestionsRemoved,
    /// It was chosen whose codes a recovery by reserved email takes.
    #[n(18)]
    ContactRuleChanged,
    /// A way back in was switched on.
    #[n(19)]
    WaySwitchedOn,
    /// A way back in was switched off.
    #[n(20)]
    WaySwitchedOff,
    /// The recovery service was allowed again.
    #[n(21)]
    ServiceSwitchedOn,
    /// The owner wants no recovery service at all.
    #[n(22)]
    ServiceSwitchedOff,
    /// The pinned card was replaced by a higher edition.
    #[n(23)]
    CardReplaced,
    /// A dry test of a way back in succeeded.
    #[n(24)]
    WayTested,
    /// Twenty wrong sets of answers in a row: the questions are closed for callers of this kind.
    #[n(25)]
    AnswersClosed,
    /// Somebody who was physically present ended the ownership.
    #[n(26)]
    FactoryReset,
    /// The owner handed the device over.
    #[n(27)]
    Transferred,
    /// Somebody who was physically present opened again what wrong codes and answers had closed.
    #[n(28)]
    StopsLifted,
    /// The recordings were erased, as it was asked for when an ownership ended.
    #[n(29)]
    RecordingsErased,
    /// A wrong transfer code.
    #[n(30)]
    TransferRefused,
    /// The mail server that the device tells its contacts through was set, or taken away.
    #[n(31)]
    MailServerChanged,
    /// The owner said that the contacts know of something.
    #[n(32)]
    NoticeDismissed,
    /// Its address, or a port, was changed; it returns by itself unless that is confirmed.
    #[n(33)]
    NetworkChanged,
    /// The change of its network was confirmed by who reached it afterwards.
    #[n(34)]
    NetworkConfirmed,
    /// It returned to the network settings of before.
    #[n(35)]
    NetworkReturned,
}

impl EventKind {
    /// The stable name (protocol section 11).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::LoggedIn => "logged-in",
            Self::LoginRefused => "login-refused",
            Self::RecoveryOpened => "recovery-opened",
            Self::WrongCode => "wrong-code",
            Self::RecoveryProven => "recovery-proven",
            Self::PasswordRecovered => "password-recovered",
            Self::PasswordChanged => "password-changed",
            Self::ContactConfirmed => "contact-confirmed",
            Self::ContactsChanged => "contacts-changed",
            Self::CodesClosed => "codes-closed",
            Self::RefusedOffLink => "refused-off-link",
            Self::WrongProof => "wrong-proof",
            Self::KeyFileExported => "key-file-exported",
            Self::SheetMade => "sheet-made",
            Self::SheetCodeVoided => "sheet-code-voided",
            Self::QuestionsSet => "questions-set",
            Self::QuestionsRemoved => "questions-removed",
            Self::ContactRuleChanged => "contact-rule-changed",
            Self::WaySwitchedOn => "way-switched-on",
            Self::WaySwitchedOff => "way-switched-off",
            Self::ServiceSwitchedOn => "service-switched-on",
            Self::ServiceSwitchedOff => "service-switched-off",
            Self::CardReplaced => "card-replaced",
            Self::WayTested => "way-tested",
            Self::AnswersClosed => "answers-closed",
            Self::FactoryReset => "factory-reset",
            Self::Transferred => "transferred",
            Self::StopsLifted => "stops-lifted",
            Self::RecordingsErased => "recordings-erased",
            Self::TransferRefused => "transfer-refused",
            Self::MailServerChanged => "mail-server-changed",
            Self::NoticeDismissed => "notice-dismissed",
            Self::NetworkChanged => "network-changed",
            Self::NetworkConfirmed => "network-confirmed",
            Self::NetworkReturned => "network-returned",
        }
    }
}

/// An entry of the device's own record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Event {
    /// Counts up from 1.
    #[n(0)]
    pub number: u64,
    /// When it last happened, by the device's clock.
    #[n(1)]
    pub at: Time,
    /// What.
    #[n(2)]
    pub kind: EventKind,
    /// From where; none for the device's own screen.
    #[cbor(n(3), with = "address")]
    pub from: Option<IpAddr>,
    /// How often in a row.
    #[n(4)]
    pub count: u32,
    /// By which way back in, or about which.
    #[n(5)]
    pub way: Option<Way>,
}

/// The last events, oldest first.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Record {
    #[n(0)]
    events: Vec<Event>,
    #[n(1)]
    last: u64,
}

impl Record {
    /// How many are kept. The same one again only counts up, and when it is full the oldest of the most frequent kind makes room, so
    /// nobody pushes the rare ones out by knocking.
    const KEPT: usize = 200;

    pub(crate) fn add(&mut self, at: Time, kind: EventKind, caller: Caller) {
        self.add_about(at, kind, caller, None);
    }

    pub(crate) fn add_about(&mut self, at: Time, kind: EventKind, caller: Caller, way: Option<Way>) {
        let from = caller.address();
        let same = |last: &&mut Event| last.kind == kind && last.from == from && last.way == way;
        if let Some(last) = self.events.last_mut().filter(same) {
            last.count = last.count.saturating_add(1);
            last.at = at;
            if kind == EventKind::LoggedIn {
                // News to whoever logged in before: it may have been another, at the same place.
                self.last += 1;
                last.number = self.last;
            }
            return;
        }
        if self.events.len() == Self::KEPT
            && let Some(oldest) = self.most_frequent().and_then(|kind| self.events.iter().position(|e| e.kind == kind))
        {
            self.events.remove(oldest);
        }
        self.last += 1;
        self.events.push(Event { number: self.last, at, kind, from, count: 1, way });
    }

    fn most_frequent(&self) -> Option<EventKind> {
        let of_kind = |kind| self.events.iter().filter(|event| event.kind == kind).count();
        self.events.iter().map(|event| event.kind).max_by_key(|kind| of_kind(*kind))
    }

    pub(crate) fn all(&self) -> &[Event] {
        &self.events
    }

    pub(crate) fn last_number(&self) -> u64 {
        self.last
    }
}

/// An address as 4 or 16 bytes, or null.
mod address {
    use core::net::IpAddr;

    use minicbor::{
        Decoder, Encoder,
        data::Type,
        decode::Error,
        encode::{Error as EncodeError, Write},
    };

    pub(super) fn encode<C, W: Write>(
        address: &Option<IpAddr>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match address {
            None => e.null()?.ok(),
            Some(IpAddr::V4(v4)) => e.bytes(&v4.octets())?.ok(),
            Some(IpAddr::V6(v6)) => e.bytes(&v6.octets())?.ok(),
        }
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Option<IpAddr>, Error> {
        if d.datatype()? == Type::Null {
            d.null()?;
            return Ok(None);
        }
        let bytes = d.bytes()?;
        let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        let v6 = <[u8; 16]>::try_from(bytes).map(IpAddr::from);
        v4.or(v6).map(Some).map_err(|_| Error::message("not an address"))
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;

    #[test]
    fn knocking_pushes_nothing_rare_out() {
        let mut record = Record::default();
        record.add(Time(1), EventKind::PasswordRecovered, Caller::Screen);
        for n in 0..1_000_u32 {
            let stranger = Caller::Link(IpAddr::V4(Ipv4Addr::from(n)));
            record.add(Time(2), EventKind::LoginRefused, stranger);
            record.add(Time(2), EventKind::RefusedOffLink, stranger);
        }
        assert_eq!(record.all().len(), Record::KEPT);
        assert_eq!(record.all()[0].kind, EventKind::PasswordRecovered);
        assert_eq!(record.all().last().map(|event| event.number), Some(2_001));
    }

    #[test]
    fn the_same_again_counts_up() {
        let mut record = Record::default();
        for second in 0..5 {
            record.add(Time(second), EventKind::WrongCode, Caller::Screen);
        }
        assert_eq!((record.all().len(), record.all()[0].count, record.all()[0].at), (1, 5, Time(4)));
    }
}
