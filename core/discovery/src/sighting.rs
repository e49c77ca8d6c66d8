//! What one answer says about one device.

use alloc::vec::Vec;
use core::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use crate::{Label, Mac};

/// Addresses kept of one answer.
pub(crate) const MAX_ADDRESSES: usize = 8;
/// Ways back in, ports and remarks kept of one answer.
pub(crate) const MAX_REMARKS: usize = 24;

/// How a device was found. In the order in which its claims are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// DNS-SD over multicast DNS (RFC 6762, 6763).
    Mdns,
    /// Hikvision's search.
    Sadp,
    /// Dahua's search.
    Dhip,
    /// ONVIF's WS-Discovery.
    Onvif,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mdns, Self::Sadp, Self::Dhip, Self::Onvif];

    /// Its name in `found_by`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mdns => "mdns",
            Self::Sadp => "sadp",
            Self::Dhip => "dahua",
            Self::Onvif => "onvif",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a device has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody set a password yet.
    Inactive,
    /// It has an owner.
    Active,
}

impl State {
    /// As in protocol section 10.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Active => "active",
        }
    }
}

/// Where an answer came from. It is nobody's identity: anybody on the link can write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The interface it came in by.
    pub interface: u32,
    /// The sender's address.
    pub address: IpAddr,
}

/// What one answer says. Every text was made fit to be shown, every list has a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Which dialect it was said in.
    pub dialect: Dialect,
    /// Where from.
    pub source: Source,
    /// Who made the device.
    pub vendor: Option<Label>,
    /// Its model.
    pub model: Option<Label>,
    /// Its serial number.
    pub serial: Option<Label>,
    /// Its firmware.
    pub firmware: Option<Label>,
    /// What its owner calls it.
    pub name: Option<Label>,
    /// Whether it has an owner.
    pub state: Option<State>,
    /// A hardware address.
    pub mac: Option<Mac>,
    /// The identifier that the dialect itself uses for it (a Sparekey device's id, an ONVIF endpoint).
    pub identifier: Option<Label>,
    /// The addresses that it says it has.
    pub addresses: Vec<IpAddr>,
    /// How many bits of its first IPv4 address are the network's.
    pub bits: Option<u8>,
    /// Its gateway.
    pub gateway: Option<Ipv4Addr>,
    /// Whether it gets its address by DHCP.
    pub dhcp: Option<bool>,
    /// Ports by what answers there.
    pub ports: Vec<(&'static str, u16)>,
    /// Ways back in that are ready (Sparekey devices).
    pub ways: Vec<Label>,
    /// When it started, as it tells it.
    pub started: Option<Label>,
    /// Whatever else its vendor's answer says about resetting it: fields by their names there.
    pub remarks: Vec<(&'static str, Label)>,
    /// It says goodbye.
    pub gone: bool,
}

impl Sighting {
    /// One that says nothing yet.
    #[must_use]
    pub fn new(dialect: Dialect, source: Source) -> Self {
        Self {
            dialect,
            source,
            vendor: None,
            model: None,
            serial: None,
            firmware: None,
            name: None,
            state: None,
            mac: None,
            identifier: None,
            addresses: Vec::new(),
            bits: None,
            gateway: None,
            dhcp: None,
            ports: Vec::new(),
            ways: Vec::new(),
            started: None,
            remarks: Vec::new(),
            gone: false,
        }
    }

    /// Notes an address, unless it is none of a host's, is there already, or there are enough.
    pub(crate) fn add_address(&mut self, address: IpAddr) {
        let address = address.to_canonical();
        let of_nobody = address.is_unspecified() || address.is_multicast() || address.is_loopback();
        if !of_nobody && self.addresses.len() < MAX_ADDRESSES && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }

    /// Notes a port.
    pub(crate) fn add_port(&mut self, what: &'static str, port: u16) {
        if port != 0 && self.ports.len() < MAX_REMARKS && !self.ports.contains(&(what, port)) {
            self.ports.push((what, port));
        }
    }

    /// Notes a field of its vendor's.
    pub(crate) fn add_remark(&mut self, field: &'static str, value: &str) {
        if let Some(value) = Label::new(value).filter(|_| self.remarks.len() < MAX_REMARKS) {
            self.remarks.push((field, value));
        }
    }
}
