//! What is wrong, and how likely it is the reason: facts in, causes out, the likeliest first.
//!
//! Facts are what the system says of this computer ([`Machine`]), what a search met ([`Look`]), and how devices answered calls
//! ([`Asked`]). What is told of a cause, and what mends it on which system, is not said here.

mod devices;
mod here;
mod machine;

use alloc::{string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr};

use crate::{Device, Family, Mac, Prefix, Reach, Search};

pub use machine::{Call, Denied, Hitch, Machine, Medium, Neighbour, Nic, Outcome};

/// Clocks that are further apart than these seconds are told of: what a desk grants has an end by the device's clock.
pub const APART: i64 = 600;
/// A shorter longest packet switches IPv6 off (RFC 8200 section 5).
pub const LEAST_MTU: u32 = 1280;

/// How much a cause matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A device is not found or not reached, or the wrong one is, or not reliably.
    Hinders,
    /// Good to know beside a list of devices.
    Worth,
    /// A fact for whoever looks closely.
    Aside,
}

/// Something that is, or may be, the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What it is.
    pub what: What,
    /// How much it matters here.
    pub weight: Weight,
    /// The interface that it is about.
    pub interface: Option<u32>,
    /// The row of the device that it is about.
    pub device: Option<u32>,
}

/// The kinds of causes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// There is no network interface that devices could be on.
    NoAdapter,
    /// An interface is switched off.
    Down,
    /// No cable is plugged in, or no Wi-Fi network is joined.
    NoCarrier,
    /// It has no address; whether IPv6 is switched off on it.
    NoAddress(bool),
    /// It is a port of this bridge, and hears nothing itself.
    InBridge(String),
    /// It cannot send to groups.
    NoMulticast,
    /// Its longest packet is too short for IPv6.
    SmallMtu(u32),
    /// A rule of this computer's forbids sending.
    SendForbidden(Family),
    /// Nothing can be sent, in the system's words.
    Unsent(Family, String),
    /// A group cannot be joined.
    JoinFailed,
    /// Another program keeps a port for itself.
    PortTaken(u16),
    /// A socket cannot be had, in the system's words.
    NoSocket(Option<u16>, String),
    /// What this computer says to a group does not even reach itself.
    Unheard(Family),
    /// So many bytes wait for the program, of so many.
    SmallBuffer(usize, usize),
    /// Another interface is in the same network; whether one of the two is Wi-Fi beside a cable.
    SameNetwork(u32, Prefix, bool),
    /// It is in one virtual network only.
    Vlan(String, Option<u16>),
    /// A device has this computer's own address.
    OwnAddress(Ipv4Addr),
    /// Two devices have one address.
    SharedAddress(Ipv4Addr),
    /// Somebody else than the device answers for its address.
    TakenAddress(Ipv4Addr, Mac),
    /// This computer's prefix and the device's overlap, and are not the same.
    WrongMask(Prefix, Prefix),
    /// Devices are in another subnet: the first of them, and how many there are.
    OtherSubnet(Reach, usize),
    /// The device answers by IPv6, and not at this IPv4 address of the same subnet.
    OnlyV6(Ipv4Addr),
    /// The device answers by IPv4 only, though this link has IPv6.
    OnlyV4,
    /// So many answers found no room.
    LeftOut(u64),
    /// Answers came through a router.
    OffLink,
    /// The system hides IPv4 answers from other subnets.
    ReversePath,
    /// The device's clock is so many seconds ahead of this computer's.
    Clock(i64),
    /// So many devices agree on a time which this computer's clock is behind by so many seconds.
    OwnClock(i64, usize),
    /// The program runs in a container with a network of its own.
    Container,
    /// Nobody answered on any of these interfaces.
    Nobody(Vec<u32>),
    /// Others answered, and the device that was asked for did not.
    NotFound(usize),
    /// The device is behind a router; which one, where that is known.
    BehindRouter(IpAddr, Option<Ipv4Addr>),
    /// There is no way to this address.
    NoRoute(IpAddr),
    /// Nobody on the link has this address.
    NobodyThere(IpAddr),
    /// Somebody has the address, and does not answer calls.
    Silent(IpAddr),
    /// Nothing listens at this address.
    Closed(IpAddr),
    /// Something else than a device answers at this address.
    Stranger(IpAddr),
}

impl What {
    /// A stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoAdapter => "no-adapter",
            Self::Down => "adapter-down",
            Self::NoCarrier => "no-carrier",
            Self::NoAddress(_) => "no-address",
            Self::InBridge(_) => "in-bridge",
            Self::NoMulticast => "no-multicast",
            Self::SmallMtu(_) => "small-mtu",
            Self::SendForbidden(_) => "send-forbidden",
            Self::Unsent(..) => "not-sent",
            Self::JoinFailed => "join-failed",
            Self::PortTaken(_) => "port-taken",
            Self::NoSocket(..) => "no-socket",
            Self::Unheard(_) => "multicast-eaten",
            Self::SmallBuffer(..) => "small-buffer",
            Self::SameNetwork(_, _, true) => "wifi-beside-cable",
            Self::SameNetwork(_, _, false) => "two-on-one-subnet",
            Self::Vlan(..) => "vlan",
            Self::OwnAddress(_) => "own-address",
            Self::SharedAddress(_) => "shared-address",
            Self::TakenAddress(..) => "taken-address",
            Self::WrongMask(..) => "wrong-mask",
            Self::OtherSubnet(..) => "other-subnet",
            Self::OnlyV6(_) => "only-ipv6",
            Self::OnlyV4 => "only-ipv4",
            Self::LeftOut(_) => "left-out",
            Self::OffLink => "off-link-answers",
            Self::ReversePath => "reverse-path",
            Self::Clock(_) => "clock",
            Self::OwnClock(..) => "own-clock",
            Self::Container => "container",
            Self::Nobody(_) => "nobody-answered",
            Self::NotFound(_) => "not-announced",
            Self::BehindRouter(..) => "behind-router",
            Self::NoRoute(_) => "no-route",
            Self::NobodyThere(_) => "nobody-there",
            Self::Silent(_) => "silent",
            Self::Closed(_) => "port-closed",
            Self::Stranger(_) => "stranger",
        }
    }
}

/// A device that is asked about.
#[derive(Clone, Debug, Default)]
pub struct Asked<'a> {
    /// Its row, if it was found.
    pub device: Option<&'a Device>,
    /// The calls to it.
    pub calls: &'a [Call],
    /// How many seconds its clock is ahead of this computer's, if it told.
    pub ahead: Option<i64>,
}

impl Asked<'_> {
    /// Whether any call was answered.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.calls.iter().any(|call| call.outcome == Outcome::Answered)
    }
}

/// Everything that was found out.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// This computer.
    pub machine: &'a Machine,
    /// The search, if there was one.
    pub search: Option<&'a Search>,
    /// The interfaces that were chosen by name, if any were.
    pub chosen: &'a [u32],
    /// What its sockets ran into.
    pub hitches: &'a [Hitch],
    /// Where this computer's own words to a group did not reach itself.
    pub unheard: &'a [(u32, Family)],
    /// Devices that were called.
    pub asked: &'a [Asked<'a>],
}

impl Look<'_> {
    /// What is wrong, the likeliest first.
    #[must_use]
    pub fn causes(&self) -> Vec<Cause> {
        let mut causes = Vec::new();
        here::state(self, &mut causes);
        here::sockets(self, &mut causes);
        devices::addresses(self, &mut causes);
        devices::calls(self, &mut causes);
        here::networks(self, &mut causes);
        devices::clocks(self, &mut causes);
        devices::found(self, &mut causes);
        causes.sort_by_key(|cause| cause.weight);
        causes
    }
}

#[cfg(test)]
mod tests;
