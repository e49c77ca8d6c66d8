use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use sparekey_protocol::Code;
use subtle::ConstantTimeEq;

use crate::{
    device::{Caller, Side},
    slow_hash::SlowHash,
    time::Running,
    token::{BearerHash, Ticket},
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

/// What an open request waits for, with all that only this way back in knows of it.
#[derive(Clone, Encode, Decode)]
pub(crate) enum Proof {
    /// The code that was sent to a reserved email.
    #[n(0)]
    Email(#[n(0)] EmailedCode),
    /// The same, from who is logged in: it confirms the email and resets nothing.
    #[n(1)]
    Confirmation(#[n(0)] EmailedCode),
}

/// A code on its way through a reserved email.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct EmailedCode {
    /// Which reserved email, from 0.
    #[n(0)]
    pub(crate) contact: usize,
    #[n(1)]
    pub(crate) code: SlowHash,
    /// What the QR says, to be drawn again after a restart. Sealed: the code is not to be had from it.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) request: Vec<u8>,
}

impl Proof {
    pub(crate) fn emailed(&self) -> &EmailedCode {
        match self {
            Self::Email(emailed) | Self::Confirmation(emailed) => emailed,
        }
    }
}

/// A request that waits for its proof. Only a right one turns it into a ticket ([`Pending::accept`]), and the ticket into a new
/// password.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Pending {
    #[n(0)]
    id: RecoveryId,
    #[n(1)]
    side: Side,
    #[n(2)]
    proof: Proof,
    #[n(3)]
    opened: Running,
    #[n(4)]
    seconds: u64,
    #[n(5)]
    tries_left: u8,
    #[n(6)]
    accepted: Option<Accepted>,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct Accepted {
    #[n(0)]
    ticket: BearerHash,
    #[n(1)]
    at: Running,
}

impl Pending {
    pub(crate) fn new(id: RecoveryId, side: Side, proof: Proof, opened: Running, seconds: u64) -> Self {
        Self { id, side, proof, opened, seconds, tries_left: TRIES, accepted: None }
    }

    pub(crate) fn id(&self) -> RecoveryId {
        self.id
    }

    pub(crate) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Whether it is a reset that callers of this kind asked for.
    pub(crate) fn is_reset_by(&self, caller: Caller) -> bool {
        self.side == caller.side() && matches!(self.proof, Proof::Email(_))
    }

    /// Whether such a reset still waits for its proof.
    pub(crate) fn is_open_by(&self, caller: Caller) -> bool {
        self.is_reset_by(caller) && !self.is_proven()
    }

    /// Whether it confirms this reserved email.
    pub(crate) fn confirms(&self, contact: usize) -> bool {
        matches!(&self.proof, Proof::Confirmation(emailed) if emailed.contact == contact)
    }

    pub(crate) fn tries_left(&self) -> u8 {
        self.tries_left
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.accepted.is_some()
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

    /// No try is left, and none was right.
    pub(crate) fn is_used_up(&self) -> bool {
        self.tries_left == 0 && !self.is_proven()
    }

    /// Counts a try, and only then hands out what the code is checked against. A proven request has no more.
    pub(crate) fn take_try(&mut self) -> Option<CodeCheck> {
        if self.is_proven() {
            return None;
        }
        self.tries_left = self.tries_left.checked_sub(1)?;
        Some(CodeCheck { id: self.id, code: self.proof.emailed().code.clone() })
    }

    /// The right code came: from now on the ticket counts, and no code any more.
    pub(crate) fn accept(&mut self, now: Running, ticket: &Ticket) {
        self.accepted = Some(Accepted { ticket: ticket.hash(), at: now });
    }

    pub(crate) fn is_ticket(&self, ticket: &str) -> bool {
        self.accepted.as_ref().is_some_and(|accepted| accepted.ticket.is_of(ticket))
    }
}

/// A code's hash on its way to the thread that computes. Its try is counted already.
#[derive(Debug)]
pub struct CodeCheck {
    id: RecoveryId,
    code: SlowHash,
}

impl CodeCheck {
    /// Slow.
    #[must_use]
    pub fn run(self, typed: &Code) -> CheckedCode {
        CheckedCode { id: self.id, right: self.code.is_of(typed.expose().as_bytes()) }
    }
}

/// The verdict on a code. It holds for the request it was typed for, and no other.
#[derive(Debug)]
pub struct CheckedCode {
    id: RecoveryId,
    right: bool,
}

impl CheckedCode {
    pub(crate) fn id(&self) -> RecoveryId {
        self.id
    }

    pub(crate) fn is_right(&self) -> bool {
        self.right
    }
}

/// Identifiers are compared in constant time: they stand for having opened the request.
pub(crate) fn find(all: &mut [Pending], id: RecoveryId) -> Option<&mut Pending> {
    all.iter_mut().find(|pending| pending.id.0.ct_eq(&id.0).into())
}
