//! What a request waits for, and what is typed for it.
//!
//! A proof is looked at off the device's lock, for that is slow: [`crate::Device::take_try`] counts the try and hands out a
//! [`ProofCheck`], which answers with a [`CheckedProof`] for [`crate::Device::redeem`].

use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use sparekey_protocol::{Code, Nonce, files::KeyFilePayload};

use crate::{
    guard::Class,
    pending::RecoveryId,
    refusal::Refusal,
    slow_hash::SlowHash,
    ways::{Answers, HashedAnswers, SheetCode, Way, desk, key_file, security_code, sheet},
};

/// What one part of a request waits for, with all that only its way back in knows of it. The numbers are kept in vaults.
#[derive(Clone, Encode, Decode)]
pub(crate) enum Awaited {
    /// The code that was sent to a reserved email.
    #[n(0)]
    Email(#[n(0)] EmailedCode),
    /// A grant, or the code that the desk reads out.
    #[n(1)]
    Desk(#[n(0)] desk::Request),
    /// The key file.
    #[n(2)]
    KeyFile,
    /// A code of the recovery sheet.
    #[n(3)]
    Sheet,
    /// The answers to the three questions.
    #[n(4)]
    Questions,
    /// The answer to a question that was read out by telephone.
    #[n(5)]
    SecurityCode(#[n(0)] security_code::Asked),
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
            Self::Desk(_) => Way::Desk,
            Self::KeyFile => Way::KeyFile,
            Self::Sheet => Way::Sheet,
            Self::Questions => Way::Questions,
            Self::SecurityCode(_) => Way::SecurityCode,
        }
    }

    pub(crate) fn takes(&self, kind: Kind) -> bool {
        match self {
            Self::Email(_) | Self::SecurityCode(_) => kind == Kind::Code,
            Self::Desk(_) => matches!(kind, Kind::Code | Kind::Grant),
            Self::KeyFile => kind == Kind::KeyFile,
            Self::Sheet => kind == Kind::SheetCode,
            Self::Questions => kind == Kind::Answers,
        }
    }

    /// Whether it is closed once the tries for its own code are used up. The desk can still grant.
    pub(crate) fn ends_with_its_tries(&self) -> bool {
        matches!(self, Self::Email(_) | Self::SecurityCode(_))
    }

    /// The reserved email that the code goes to.
    pub(crate) fn contact(&self) -> Option<usize> {
        match self {
            Self::Email(emailed) => Some(emailed.contact),
            _ => None,
        }
    }

    /// What a grant for this request names.
    pub(crate) fn granted_as(&self) -> Option<Nonce> {
        match self {
            Self::Desk(request) => Some(request.nonce),
            _ => None,
        }
    }
}

/// A proof, read from what somebody typed or handed over.
#[derive(Debug)]
pub enum Typed {
    /// Eight digits: from a mail, from the desk or by telephone.
    Code(Code),
    /// The answers to the security questions.
    Answers(Answers),
    /// What a key file holds ([`sparekey_protocol::files::KeyFile`]).
    KeyFile(KeyFilePayload),
    /// A code of the recovery sheet.
    SheetCode(SheetCode),
    /// What a grant file holds ([`sparekey_protocol::files::GrantFile`]): the bundle's bytes.
    Grant(Vec<u8>),
    /// What a batch of them holds: the device takes its own out of it. It is one try, as one file is.
    Grants(Vec<Vec<u8>>),
}

/// What sort of proof it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Code,
    Answers,
    KeyFile,
    SheetCode,
    Grant,
}

impl Typed {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Code(_) => Kind::Code,
            Self::Answers(_) => Kind::Answers,
            Self::KeyFile(_) => Kind::KeyFile,
            Self::SheetCode(_) => Kind::SheetCode,
            Self::Grant(_) | Self::Grants(_) => Kind::Grant,
        }
    }
}

impl Kind {
    /// The class that its tries are counted in.
    pub(crate) fn class(self) -> Class {
        match self {
            Self::Code => Class::Codes,
            Self::Answers => Class::Answers,
            Self::KeyFile | Self::Grant => Class::Files,
            Self::SheetCode => Class::Sheet,
        }
    }
}

/// What a proof is held against.
pub(crate) enum Against {
    Code(SlowHash),
    Answers(HashedAnswers),
    KeyFile(key_file::Against),
    Sheet(sheet::Against),
    Grant(desk::Against),
    SecurityCode(Code),
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
        let mut checked = CheckedProof { id: self.id, kind: self.typed.kind(), part: 0, verdict: Verdict::Wrong };
        for (part, against) in &self.against {
            (checked.part, checked.verdict) = (*part, self.typed.held_against(against));
            if let Verdict::Right(_) = checked.verdict {
                break;
            }
        }
        checked
    }
}

impl Typed {
    fn held_against(&self, against: &Against) -> Verdict {
        let right = match (self, against) {
            (Self::Code(code), Against::Code(hash)) => hash.is_of(code.expose().as_bytes()),
            (Self::Code(code), Against::SecurityCode(answer)) => code == answer,
            (Self::Answers(answers), Against::Answers(hash)) => hash.is_of(answers),
            (Self::KeyFile(payload), Against::KeyFile(against)) => return against.verdict(payload),
            (Self::SheetCode(code), Against::Sheet(against)) => return against.verdict(code),
            (Self::Grant(bundle), Against::Grant(against)) => return against.verdict(bundle),
            (Self::Grants(bundles), Against::Grant(against)) => return against.verdict_among(bundles),
            _ => false,
        };
        if right { Verdict::Right(Of::Part) } else { Verdict::Wrong }
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
    /// The part that it was held against.
    pub(crate) part: usize,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right(Of),
    Wrong,
    /// It is something else, and this is why it is of no use here.
    Refused(Refusal),
}

/// What a right proof belongs to, to be looked at again before it counts: it may be gone meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The part itself.
    Part,
    /// The code of the recovery sheet with this number.
    SheetCode(usize),
    /// The request for the desk with this nonce.
    Request(Nonce),
}

impl CheckedProof {
    pub(crate) fn is_right(&self) -> bool {
        matches!(self.verdict, Verdict::Right(_))
    }
}
