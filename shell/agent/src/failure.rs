//! Why a command has no answer. The words for it, and its status, are chosen in [`crate::refusal`].

use sparekey_device::Refusal;

use crate::hasher::Full;
use crate::network::Refused;

/// Why a command has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The device refused.
    Refused(Refusal),
    /// A field does not have its form.
    Malformed(Malformed),
    /// The name or the password of a login was wrong, and nobody is told which.
    WrongLogin,
    /// The current password, asked for again, was wrong.
    WrongPassword,
    /// The transfer code that the device waits for was wrong.
    WrongTransferCode {
        /// How many are left until the next wait.
        tries_left: u8,
    },
    /// A grant that was good once.
    GrantOver,
    /// What only the device's own screen may.
    NotAtScreen,
    /// Nobody showed to stand before the device, or too long ago.
    NobodyThere,
    /// The next request can be opened only later.
    TooEarly {
        /// In so many seconds of the device's running time.
        retry_after: u64,
    },
    /// The device's network is not looked at or changed.
    Network(Refused),
    /// Others come first.
    Full(Full),
    /// The next state could not be stored: nothing has happened.
    Unstored,
}

/// A field that does not have its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Its name in a form, and on the wire.
    pub(crate) field: &'static str,
    /// What is wrong with it.
    pub(crate) title: &'static str,
    /// What to do.
    pub(crate) detail: &'static str,
}

impl Failure {
    /// The field that it stands at, if it is one's alone.
    pub(crate) fn field(&self) -> Option<&'static str> {
        match self {
            Self::Malformed(malformed) => Some(malformed.field),
            Self::WrongPassword => Some("current"),
            Self::WrongTransferCode { .. } => Some("transfer_code"),
            Self::Refused(Refusal::WeakPassword(_)) => Some("password"),
            Self::Refused(Refusal::WrongProof { .. }) => Some("code"),
            Self::Network(Refused::PortTaken(field)) => Some(field),
            Self::Refused(_)
            | Self::WrongLogin
            | Self::GrantOver
            | Self::NotAtScreen
            | Self::NobodyThere
            | Self::TooEarly { .. }
            | Self::Network(_)
            | Self::Full(_)
            | Self::Unstored => None,
        }
    }
}

impl Failure {
    /// Whether it is about the proof that was given.
    pub(crate) fn is_of_proof(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                matches!(refusal, Refusal::WrongProof { .. } | Refusal::NotForThisDevice | Refusal::NotInLog)
            }
            Self::Malformed(_) | Self::GrantOver => true,
            _ => false,
        }
    }

    /// The same, or this if all that is known is that something is out of its bounds.
    pub(crate) fn malformed_as(self, malformed: Malformed) -> Self {
        match self {
            Self::Refused(Refusal::Malformed) => malformed.into(),
            failure => failure,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Full> for Failure {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
