use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use subtle::ConstantTimeEq;

use crate::{
    device::{Caller, Side},
    guard::Class,
    proof::{Awaited, Kind, Of},
    time::Running,
    token::{BearerHash, Ticket},
    ways::Way,
};

/// Wrong codes that one request bears.
pub(crate) const TRIES: u8 = 5;
/// Seconds that a ticket is good for.
const TICKET_SECONDS: u64 = 600;

/// Names an open request, for whoever opened it. 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct RecoveryId(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) [u8; 16]);

impl RecoveryId {
    /// Reads what its `Display` wrote: 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for RecoveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecoveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryId(private)")
    }
}

/// What becomes of a request that was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum Purpose {
    /// A ticket for a new password.
    #[n(0)]
    Reset,
    /// A reserved email is confirmed: for who is logged in.
    #[n(1)]
    Confirmation,
    /// Nothing but that the way is known to work: a dry test.
    #[n(2)]
    Test,
}

/// One proof that a request waits for.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Part {
    #[n(0)]
    pub(crate) awaited: Awaited,
    /// Of its own code. What is the same for every request is counted over all of them, by the guards.
    #[n(1)]
    pub(crate) tries_left: u8,
    #[n(2)]
    pub(crate) proven: bool,
    /// The code of the recovery sheet that proved it: used up once the new password is set.
    #[n(3)]
    pub(crate) sheet_code: Option<usize>,
}

impl Part {
    pub(crate) fn new(awaited: Awaited) -> Self {
        Self { awaited, tries_left: TRIES, proven: false, sheet_code: None }
    }

    fn is_used_up(&self) -> bool {
        !self.proven && self.tries_left == 0 && self.awaited.ends_with_its_tries()
    }
}

/// A request that waits for its proofs. Only when each of them came does it turn into a ticket ([`Pending::prove`]), and the
/// ticket into a new password.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Pending {
    #[n(0)]
    pub(crate) id: RecoveryId,
    #[n(1)]
    pub(crate) side: Side,
    #[n(2)]
    pub(crate) purpose: Purpose,
    /// At least one; the first is that of the way that was asked for.
    #[n(3)]
    pub(crate) parts: Vec<Part>,
    #[n(4)]
    pub(crate) opened: Running,
    #[n(5)]
    pub(crate) seconds: u64,
    #[n(6)]
    pub(crate) accepted: Option<Accepted>,
}

/// All proofs came: since when, and for which ticket.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Accepted {
    #[n(0)]
    ticket: BearerHash,
    #[n(1)]
    at: Running,
}

impl Pending {
    /// Whether it is a reset, or the dry test of one, that callers of this kind asked for.
    pub(crate) fn answers(&self, caller: Caller) -> bool {
        self.side == caller.side() && matches!(self.purpose, Purpose::Reset | Purpose::Test)
    }

    /// Whether it is a reset that callers of this kind asked for.
    pub(crate) fn is_reset_by(&self, caller: Caller) -> bool {
        self.side == caller.side() && self.purpose == Purpose::Reset
    }

    /// Whether such a reset still waits for a proof of this class.
    pub(crate) fn is_open_by(&self, caller: Caller, class: Class) -> bool {
        self.is_reset_by(caller) && !self.is_proven() && self.is_of(class)
    }

    /// Whether it takes one of the places of a class. Requests for the desk have their own.
    fn is_of(&self, class: Class) -> bool {
        let ways = self.parts.iter().map(|part| part.awaited.way());
        ways.filter(|way| *way != Way::Desk).any(|way| Class::of(way) == class)
    }

    /// Whether it confirms this reserved email.
    pub(crate) fn confirms(&self, contact: usize) -> bool {
        self.purpose == Purpose::Confirmation && self.parts.iter().any(|part| part.awaited.contact() == Some(contact))
    }

    /// The way that was asked for.
    pub(crate) fn way(&self) -> Way {
        self.parts.first().map_or(Way::Email, |part| part.awaited.way())
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.accepted.is_some()
    }

    /// The parts that a proof of this kind can prove, with their numbers.
    pub(crate) fn waiting_for(&mut self, kind: Kind) -> impl Iterator<Item = (usize, &mut Part)> {
        let fits = move |part: &Part| !part.proven && part.awaited.takes(kind);
        self.parts.iter_mut().enumerate().filter(move |(_, part)| fits(part))
    }

    pub(crate) fn seconds_left(&self, now: Running) -> u64 {
        let (from, seconds) = match &self.accepted {
            Some(accepted) => (accepted.at, TICKET_SECONDS),
            None => (self.opened, self.seconds),
        };
        seconds.saturating_sub(now.at_most_since(from))
    }

    pub(crate) fn is_over(&self, now: Running) -> bool {
        self.seconds_left(now) == 0
    }

    /// It can never be proven any more.
    pub(crate) fn is_used_up(&self) -> bool {
        self.parts.iter().any(Part::is_used_up)
    }

    /// A right proof of one part came. Says whether that was the last one.
    pub(crate) fn prove(&mut self, part: usize, of: Of) -> bool {
        if let Some(part) = self.parts.get_mut(part) {
            part.proven = true;
            if let Of::SheetCode(code) = of {
                part.sheet_code = Some(code);
            }
        }
        self.parts.iter().all(|part| part.proven)
    }

    /// Every proof came: from now on the ticket counts, and no proof any more.
    pub(crate) fn accept(&mut self, now: Running, ticket: &Ticket) {
        self.accepted = Some(Accepted { ticket: ticket.hash(), at: now });
    }

    pub(crate) fn is_ticket(&self, ticket: &str) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| accepted.ticket.is_of(ticket))
    }
}

/// Identifiers are compared in constant time: they stand for having opened the request.
pub(crate) fn find(all: &mut [Pending], id: RecoveryId) -> Option<&mut Pending> {
    all.iter_mut().find(|pending| pending.id.0.ct_eq(&id.0).into())
}
