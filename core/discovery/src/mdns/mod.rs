//! DNS-SD over multicast DNS (RFC 6762, RFC 6763): asking, remembering, answering.

mod browser;
mod pending;
mod question;
mod records;
mod responder;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use browser::Browser;
pub use question::questions;
pub use responder::Responder;

use crate::Family;

/// The port of both sides.
pub const PORT: u16 = 5353;
/// The hop limit of whatever is sent, and the only one that is received (RFC 6762 section 11).
pub const HOPS: u8 = 255;
/// As much as goes over Ethernet in one piece, on IPv6 as well.
pub(crate) const MAX_PACKET: usize = 1_440;

/// Where everybody on a link listens.
#[must_use]
pub fn group(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(224, 0, 0, 251).into(),
        Family::V6 => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb).into(),
    }
}
