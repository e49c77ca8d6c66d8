//! What a computer knows of its own network, as facts.

use alloc::{string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr};

use crate::{Door, Family, Link, Mac};

/// What an interface leads over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A network card with a plug, and whatever cannot be told apart from one.
    Cable,
    /// Radio.
    Wifi,
    /// A bridge of this computer's, with other interfaces in it.
    Bridge,
    /// One virtual network of another interface (IEEE 802.1Q), with its number where the system tells.
    Vlan(String, Option<u16>),
    /// A second face of another interface, such as macvlan.
    Shares(String),
    /// One end of a cable that exists in this computer only: what containers have.
    Pair,
    /// A tunnel, or anything else without hardware addresses.
    Tunnel,
}

/// One interface that the system has, whatever its state; loopback is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// The system's name of it.
    pub name: String,
    /// Its number and its addresses.
    pub link: Link,
    /// What it leads over.
    pub medium: Medium,
    /// Whether devices are usually on such a one.
    pub usual: bool,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether there is somebody at the other end of the cable, or a Wi-Fi network that was joined.
    pub carrier: bool,
    /// Whether it can send to groups.
    pub multicast: bool,
    /// The longest packet in bytes; 0 where the system does not tell.
    pub mtu: u32,
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// The bridge that it is a port of.
    pub bridge: Option<String>,
    /// Whether IPv6 is switched off on it.
    pub without_v6: bool,
    /// The reverse-path filter of IPv4: 0 off, 1 strict, 2 loose.
    pub filter: u8,
    /// Whether what has no other route leaves by it, and through which router.
    pub default_route: Option<Option<Ipv4Addr>>,
}

/// What the system remembers of who has an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The address.
    pub address: Ipv4Addr,
    /// Who answered for it; `None` if nobody did.
    pub mac: Option<Mac>,
    /// On which interface.
    pub interface: u32,
}

/// This computer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its interfaces, in the order of their numbers.
    pub nics: Vec<Nic>,
    /// Its neighbours, as far as it spoke with them.
    pub neighbours: Vec<Neighbour>,
    /// Whether the program runs in a container.
    pub container: bool,
}

impl Machine {
    /// The interface of this number.
    #[must_use]
    pub fn nic(&self, index: u32) -> Option<&Nic> {
        self.nics.iter().find(|nic| nic.link.interface == index)
    }
}

/// Why the system did not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denied {
    /// Another program has it.
    Taken,
    /// A rule of this computer's forbids it.
    Forbidden,
    /// There is no room for one more.
    NoRoom,
    /// Anything else.
    Other,
}

/// Something that a search's sockets ran into, with the system's words for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hitch {
    /// A socket could not be had.
    NoSocket(Door, Denied, String),
    /// Nothing can be sent to a group on an interface.
    Unsent(u32, Family, Denied, String),
    /// So many bytes wait for the program at most; more were asked for.
    Buffer(usize, usize),
}

/// How a device answered a call of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As a device does.
    Answered,
    /// Not at all.
    Silent,
    /// Nothing listens there.
    Refused,
    /// The system knows no way to it, or nobody has the address.
    NoWay,
    /// Something else answered.
    Stranger,
}

/// A call to one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Whom.
    pub address: IpAddr,
    /// By which interface, where that was said.
    pub interface: Option<u32>,
    /// What came of it.
    pub outcome: Outcome,
}
