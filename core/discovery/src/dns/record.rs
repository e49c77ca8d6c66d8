//! Questions and resource records.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::Name;

/// Numbers of record types (RFC 1035 section 3.2.2, RFC 2782, RFC 3596).
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// A pointer to another name.
    pub const PTR: u16 = 12;
    /// Strings.
    pub const TXT: u16 = 16;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A host and a port.
    pub const SRV: u16 = 33;
}

/// As a type in a question: all of them.
pub const ANY: u16 = 255;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose records.
    pub name: Name,
    /// Which of them ([`kind`], or [`ANY`]).
    pub kind: u16,
    /// Whether an answer to the asker alone is wished for (RFC 6762 section 5.4, "QU").
    pub unicast: bool,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Another name.
    Ptr(Name),
    /// A host and a port.
    Srv {
        /// The host.
        target: Name,
        /// The port.
        port: u16,
    },
    /// Strings of at most 255 bytes.
    Txt(Vec<Vec<u8>>),
    /// Of another type, which nobody here needs.
    Other(u16),
}

impl Data {
    /// The number of its type.
    #[must_use]
    pub fn kind(&self) -> u16 {
        match self {
            Self::A(_) => kind::A,
            Self::Aaaa(_) => kind::AAAA,
            Self::Ptr(_) => kind::PTR,
            Self::Srv { .. } => kind::SRV,
            Self::Txt(_) => kind::TXT,
            Self::Other(kind) => *kind,
        }
    }
}

/// A resource record of the Internet class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: Name,
    /// How many seconds it is good for; 0 is a goodbye (RFC 6762 section 10.1).
    pub ttl: u32,
    /// Whether it replaces all others of its name and type (RFC 6762 section 10.2).
    pub flush: bool,
    /// What it says.
    pub data: Data,
}
