use core::fmt;

use crate::{password::Weak, ways::Why};

/// Why a device did not do what it was asked to. Nothing was changed, but for a try that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The caller is not on the same link.
    NotOnThisLink,
    /// It has an owner already.
    AlreadyActive,
    /// It has no owner yet.
    NotActive,
    /// This way back in is not ready.
    MethodNotReady(Why),
    /// The request, its code or its ticket is used up or too old, or never was.
    Expired,
    /// The password is too weak.
    WeakPassword(Weak),
    /// A value out of its bounds.
    Malformed,
    /// A file or a card that was made for another device.
    NotForThisDevice,
    /// A grant whose place in the public log is not proven.
    NotInLog,
    /// Not the right proof.
    WrongProof {
        /// How many are left: for this request, or until the next wait.
        tries_left: u8,
    },
    /// No session, an expired one, or a wrong name or password.
    NotLoggedIn,
    /// Wait.
    TooManyTries {
        /// Seconds of the device's running time.
        retry_after: u64,
    },
}

impl Refusal {
    /// The stable name (protocol section 11).
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotOnThisLink => "not-on-this-link",
            Self::AlreadyActive => "already-active",
            Self::NotActive => "not-active",
            Self::MethodNotReady(_) => "method-not-ready",
            Self::Expired => "expired",
            Self::WeakPassword(_) => "weak-password",
            Self::Malformed => "malformed",
            Self::NotForThisDevice => "not-for-this-device",
            Self::NotInLog => "not-in-log",
            Self::WrongProof { .. } => "wrong-proof",
            Self::NotLoggedIn => "not-logged-in",
            Self::TooManyTries { .. } => "too-many-tries",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for Refusal {}

impl From<Weak> for Refusal {
    fn from(weak: Weak) -> Self {
        Self::WeakPassword(weak)
    }
}
