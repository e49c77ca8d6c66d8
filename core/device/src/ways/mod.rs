//! The ways back in: one file each, which says when the way is ready and what proves it.

pub(crate) mod email;

use crate::{device::Side, guard::Class, state::State};

/// A way back in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A code to the reserved email.
    Email,
    /// A grant from the desk.
    Desk,
    /// A key file that was exported earlier.
    KeyFile,
    /// A code from the printed recovery sheet.
    Sheet,
    /// Three security questions.
    Questions,
    /// Eight digits by telephone.
    SecurityCode,
}

impl Way {
    /// All of them, the likeliest first.
    pub const ALL: [Self; 6] =
        [Self::Email, Self::Sheet, Self::KeyFile, Self::Desk, Self::Questions, Self::SecurityCode];

    /// The stable name (protocol sections 10 and 11).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Desk => "desk",
            Self::KeyFile => "keyfile",
            Self::Sheet => "sheet",
            Self::Questions => "questions",
            Self::SecurityCode => "seccode",
        }
    }

    /// The way of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }
}

/// Whether a way would work now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It works.
    Ready,
    /// It works as far as the device can tell, but its owner never proved it.
    Unproven,
    /// It does not.
    NotReady(Why),
}

/// Why a way is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The device has no owner yet.
    NotActive,
    /// The owner did not set it up.
    NotSetUp,
    /// This firmware does not have it.
    NotOffered,
    /// A hundred wrong codes in a row came from callers of this kind.
    TooManyWrongCodes,
    /// The pinned card names a key that nothing can be sealed to.
    BadCard,
}

impl Why {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotActive => "not-active",
            Self::NotSetUp => "not-set-up",
            Self::NotOffered => "not-offered",
            Self::TooManyWrongCodes => "too-many-wrong-codes",
            Self::BadCard => "bad-card",
        }
    }
}

/// Whether a way is ready for callers of a kind.
pub(crate) fn readiness(way: Way, state: &State, side: Side) -> Readiness {
    let Some(owner) = &state.owner else { return Readiness::NotReady(Why::NotActive) };
    match way {
        Way::Email => email::readiness(owner, state.guards.is_closed(Class::Codes, side)),
        Way::Desk | Way::KeyFile | Way::Sheet | Way::Questions | Way::SecurityCode => {
            Readiness::NotReady(Why::NotOffered)
        }
    }
}
