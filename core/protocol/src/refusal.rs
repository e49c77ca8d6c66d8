use core::fmt;

/// Why a request was not opened: the first check that failed (protocol section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// More than 2,048 bytes.
    TooLarge,
    /// Not a request: digits, CBOR, COSE or a bound.
    Malformed,
    /// The certificate names a maker that is not trusted here.
    UnknownMaker,
    /// The maker did not sign this certificate.
    BadCertificate,
    /// The maker withdrew this serial.
    Withdrawn,
    /// The device did not sign this request.
    BadSignature,
    /// Sealed to a key that is not (or no longer) held here.
    UnknownKey,
    /// The seal does not open: it was altered, or sealed to another key.
    NotOpened,
}

impl Refusal {
    /// All of them, in the order of the checks.
    pub const ALL: [Self; 8] = [
        Self::TooLarge,
        Self::Malformed,
        Self::UnknownMaker,
        Self::BadCertificate,
        Self::Withdrawn,
        Self::BadSignature,
        Self::UnknownKey,
        Self::NotOpened,
    ];

    /// The stable name (protocol section 12).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
            Self::UnknownMaker => "unknown-maker",
            Self::BadCertificate => "bad-certificate",
            Self::Withdrawn => "withdrawn",
            Self::BadSignature => "bad-signature",
            Self::UnknownKey => "unknown-key",
            Self::NotOpened => "not-opened",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for Refusal {}

impl From<crate::Malformed> for Refusal {
    fn from(malformed: crate::Malformed) -> Self {
        match malformed {
            crate::Malformed::TooLong => Self::TooLarge,
            crate::Malformed::Shape | crate::Malformed::NotDeterministic => Self::Malformed,
        }
    }
}
