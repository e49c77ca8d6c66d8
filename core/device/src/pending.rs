use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use sparekey_protocol::Code;
use subtle::ConstantTimeEq;

use crate::{
    device::Caller,
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

/// What an open request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum For {
    #[n(0)]
    Screen {
        #[n(0)]
        contact: usize,
    },
    #[n(1)]
    Link {
        #[n(0)]
        contact: usize,
    },
    #[n(2)]
    Confirmation {
        #[n(0)]
        contact: usize,
    },
}

impl For {
    /// A reset asked for by this caller.
    pub(crate) fn reset(caller: Caller, contact: usize) -> Self {
        match caller {
            Caller::Screen => Self::Screen { contact },
            Caller::Link(_) | Caller::Elsewhere(_) => Self::Link { contact },
        }
    }

    /// Whether a reset was asked for by callers of this kind: each kind has its own requests.
    pub(crate) fn is_reset_by(self, caller: Caller) -> bool {
        match caller {
            Caller::Screen => matches!(self, Self::Screen { .. }),
            Caller::Link(_) | Caller::Elsewhere(_) => matches!(self, Self::Link { .. }),
        }
    }

    pub(crate) fn contact(self) -> usize {
        match self {
            Self::Screen { contact } | Self::Link { contact } | Self::Confirmation { contact } => contact,
        }
    }
}

/// A request that waits for its code. Only a right one consumes it: it becomes [`Pending::proven`], then a new password.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Pending {
    #[n(0)]
    id: RecoveryId,
    #[n(1)]
    kind: For,
    #[n(2)]
    code: SlowHash,
    #[n(3)]
    opened: Running,
    #[n(4)]
    seconds: u64,
    #[n(5)]
    tries_left: u8,
    /// What the QR says, to be drawn again after a restart. Sealed: the code is not to be had from it.
    #[cbor(n(6), with = "minicbor::bytes")]
    request: Vec<u8>,
    #[n(7)]
    proven: Option<Proven>,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct Proven {
    #[n(0)]
    ticket: BearerHash,
    #[n(1)]
    at: Running,
}

impl Pending {
    pub(crate) fn new(
        id: RecoveryId,
        kind: For,
        code: SlowHash,
        opened: Running,
        seconds: u64,
        request: Vec<u8>,
    ) -> Self {
        Self { id, kind, code, opened, seconds, tries_left: TRIES, request, proven: None }
    }

    pub(crate) fn id(&self) -> RecoveryId {
        self.id
    }

    pub(crate) fn kind(&self) -> For {
        self.kind
    }

    pub(crate) fn request(&self) -> &[u8] {
        &self.request
    }

    pub(crate) fn tries_left(&self) -> u8 {
        self.tries_left
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.proven.is_some()
    }

    pub(crate) fn seconds_left(&self, now: Running) -> u64 {
        let (from, seconds) = match &self.proven {
            Some(proven) => (proven.at, TICKET_SECONDS),
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
        Some(CodeCheck { id: self.id, code: self.code.clone() })
    }

    /// The right code came: from now on the ticket counts, and no code any more.
    pub(crate) fn accept(&mut self, now: Running, ticket: &Ticket) {
        self.proven = Some(Proven { ticket: ticket.hash(), at: now });
    }

    pub(crate) fn is_ticket(&self, ticket: &str) -> bool {
        self.proven.as_ref().is_some_and(|proven| proven.ticket.is_of(ticket))
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
