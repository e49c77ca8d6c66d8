//! Links as the rules see them: an interface, its addresses, who asks on it, and what goes out.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// One of the two kinds of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The kind of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// An IPv4 address of this machine with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The address.
    pub address: Ipv4Addr,
    /// Bits of the network, 0 to 32.
    pub bits: u8,
}

impl Prefix {
    /// Whether another address is in the same network. A prefix of no bits holds nobody.
    #[must_use]
    pub fn holds(self, other: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(u32::from(32_u8.saturating_sub(self.bits))).unwrap_or(0);
        mask != 0 && self.address.to_bits() & mask == other.to_bits() & mask
    }
}

/// One interface of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The system's number of the interface.
    pub interface: u32,
    /// Its IPv4 addresses.
    pub v4: Vec<Prefix>,
    /// Its IPv6 link-local addresses.
    pub v6: Vec<Ipv6Addr>,
}

impl Link {
    /// Whether multicast of a kind can leave from here.
    #[must_use]
    pub fn speaks(&self, family: Family) -> bool {
        match family {
            Family::V4 => !self.v4.is_empty(),
            Family::V6 => !self.v6.is_empty(),
        }
    }

    /// Whether it is this machine's own address here. What a machine sends itself does not come in by the interface.
    #[must_use]
    pub fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.v4.iter().any(|own| own.address == v4),
            IpAddr::V6(v6) => self.v6.contains(&v6),
        }
    }

    /// Whether an answer to this address arrives without a router.
    #[must_use]
    pub fn reaches(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.v4.iter().any(|own| own.holds(v4)),
            IpAddr::V6(v6) => v6.is_unicast_link_local() && self.speaks(Family::V6),
        }
    }
}

/// Who sent a datagram, and on which interface it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asker {
    /// The interface.
    pub interface: u32,
    /// The sender.
    pub address: SocketAddr,
}

/// Where a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Everybody on the link, by this kind of address: the dialect's group.
    Group(Family),
    /// Every IPv4 host on the link, joined to a group or not: 255.255.255.255 (the dialects that devices use so).
    Broadcast,
    /// One host.
    Peer(SocketAddr),
}

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The interface it leaves by.
    pub interface: u32,
    /// Where it goes.
    pub to: To,
}
