//! What a request waits for, and what is typed for it.
//!
//! A proof is looked at off the device's lock, for that is slow: [`crate::Device::take_try`] counts the try and hands out a
//! [`ProofCheck`], which answers with a [`CheckedProof`] for [`crate::Device::redeem`].

use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use sparekey_protocol::Code;

use crate::{guard::Class, pending::RecoveryId, slow_hash::SlowHash, ways::Way};

/// What one part of a request waits for, with all that only its way back in knows of it. The numbers are kept in vaults.
#[derive(Clone, Encode, Decode)]
pub(crate) enum Awaited {
    /// The code that was sent to a reserved email.
    #[n(0)]
    Email(#[n(0)] EmailedCode),
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

impl Awaited {
    pub(crate) fn way(&self) -> Way {
        match self {
            Self::Email(_) => Way::Email,
        }
    }

    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Email(_) => Class::Codes,
        }
    }

    pub(crate) fn takes(&self, kind: Kind) -> bool {
        match self {
            Self::Email(_) => kind == Kind::Code,
        }
    }

    /// The reserved email that the code goes to.
    pub(crate) fn contact(&self) -> Option<usize> {
        match self {
            Self::Email(emailed) => Some(emailed.contact),
        }
    }

    /// What a typed proof is held against.
    pub(crate) fn against(&self) -> Against {
        match self {
            Self::Email(emailed) => Against::Code(emailed.code.clone()),
        }
    }
}

/// A proof, read from what somebody typed or handed over.
#[derive(Debug)]
pub enum Typed {
    /// Eight digits.
    Code(Code),
}

/// What sort of proof it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Code,
}

impl Typed {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Code(_) => Kind::Code,
        }
    }
}

impl Kind {
    pub(crate) fn class(self) -> Class {
        match self {
            Self::Code => Class::Codes,
        }
    }
}

/// What a proof is held against.
pub(crate) enum Against {
    Code(SlowHash),
}

/// A typed proof on its way to the thread that computes. Its try is counted already.
pub struct ProofCheck {
    pub(crate) id: RecoveryId,
    pub(crate) typed: Typed,
    /// The parts that it could prove.
    pub(crate) against: Vec<(usize, Against)>,
}

impl ProofCheck {
    /// Slow.
    #[must_use]
    pub fn run(self) -> CheckedProof {
        let kind = self.typed.kind();
        let right = self.against.iter().find(|(_, against)| self.typed.proves(against)).map(|(part, _)| *part);
        CheckedProof { id: self.id, kind, right }
    }
}

impl Typed {
    fn proves(&self, against: &Against) -> bool {
        match (self, against) {
            (Self::Code(code), Against::Code(hash)) => hash.is_of(code.expose().as_bytes()),
        }
    }
}

impl fmt::Debug for ProofCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofCheck(secret)")
    }
}

/// The verdict on a proof. It holds for the request it was typed for, and no other.
#[derive(Debug)]
pub struct CheckedProof {
    pub(crate) id: RecoveryId,
    pub(crate) kind: Kind,
    /// The part that it proves.
    pub(crate) right: Option<usize>,
}
