//! Why a datagram was not read.

use core::fmt;

/// What is wrong with a datagram. It is dropped; nobody is told but the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// More bytes than the dialect allows.
    TooLong,
    /// More parts (records, elements, claims) than are read.
    TooMany,
    /// Not of this dialect at all.
    Shape,
    /// A name or pointer that does not end, or is too long (RFC 1035 section 4.1.4).
    Name,
    /// It came through a router: its hop limit is not 255 (RFC 6762 section 11).
    OffLink,
    /// Of the dialect, but nothing that a device says to who searches.
    NotAnAnswer,
}

impl From<sparekey_xml::Refused> for Refused {
    fn from(refused: sparekey_xml::Refused) -> Self {
        match refused {
            sparekey_xml::Refused::TooLong => Self::TooLong,
            sparekey_xml::Refused::TooMany => Self::TooMany,
            sparekey_xml::Refused::Shape => Self::Shape,
        }
    }
}

impl Refused {
    /// Its name in test vectors and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::TooMany => "too-many",
            Self::Shape => "shape",
            Self::Name => "name",
            Self::OffLink => "off-link",
            Self::NotAnAnswer => "not-an-answer",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for Refused {}
