//! The device's own network: what its owner may set, and for how long an unconfirmed change lasts ([`NetworkTrial`]).
//!
//! Applying it is the outside's. The rules are those of IPv4 (RFC 791, 950, 1122, 3021); IPv6 link-local addresses are never touched, so a
//! device that was set wrongly is still reached on its link.

mod trial;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::net::{IpAddr, Ipv4Addr};

pub use trial::{CONFIRM_WITHIN, NetworkTrial, Unconfirmed};

use crate::{
    Change, Checked, EventKind, Refusal,
    device::{Caller, Device, Now},
};

/// Resolvers that a system asks (resolv.conf(5), `MAXNS`).
const MAX_DNS: usize = 3;

/// How an interface gets its IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// It has none.
    None,
    /// From a server on the link (RFC 2131), with gateway and resolvers.
    Dhcp,
    /// It was set.
    Fixed(Fixed),
}

/// An address that was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The address.
    pub address: Ipv4Addr,
    /// Bits of the network.
    pub bits: u8,
    /// The router to everywhere else.
    pub gateway: Option<Ipv4Addr>,
    /// Resolvers.
    pub dns: Vec<IpAddr>,
}

/// What an interface has now, however it came by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkInForce {
    /// Whether the address comes by DHCP.
    pub dhcp: bool,
    /// The address and the bits of its network.
    pub address: Option<(Ipv4Addr, u8)>,
    /// The router to everywhere else.
    pub gateway: Option<Ipv4Addr>,
    /// Resolvers.
    pub dns: Vec<IpAddr>,
}

/// The ports that a device answers on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenPorts {
    /// Browsers', and the device's own screen's.
    pub main: u16,
    /// The LAN tool's; none where the system has no such socket.
    pub lan: Option<u16>,
}

/// What an owner wants. What is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkWanted {
    /// Whether the address is to come by DHCP.
    pub dhcp: Option<bool>,
    /// The address.
    pub address: Option<Ipv4Addr>,
    /// Bits of its network.
    pub bits: Option<u8>,
    /// The gateway, or that there is to be none.
    pub gateway: Option<Option<Ipv4Addr>>,
    /// Resolvers.
    pub dns: Option<Vec<IpAddr>>,
    /// The port of browsers.
    pub main: Option<u16>,
    /// The port of the LAN tool.
    pub lan: Option<u16>,
}

/// What is to be done: what is `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkChange {
    /// The new addressing.
    pub addressing: Option<Addressing>,
    /// The new ports.
    pub ports: Option<ListenPorts>,
}

/// Why settings cannot be: one reason, at one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadNetwork {
    /// DHCP, and an address, gateway or resolvers beside it.
    BesideDhcp,
    /// An address is needed, and none was given.
    NoAddress,
    /// No host may have it: 0.0.0.0/8, loopback, link-local, multicast, reserved.
    Address,
    /// It is the network's own, or everybody's in it.
    NetworkAddress,
    /// Not 1 to 31.
    Bits,
    /// Not in the address's network, or the address itself.
    Gateway,
    /// Too many, or one that no resolver can have.
    Dns,
    /// Zero.
    Port,
    /// Zero, or there is no such socket.
    LanPort,
    /// Both the same.
    SamePorts,
}

impl BadNetwork {
    /// The field that it stands at (protocol section 11).
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::BesideDhcp => "dhcp",
            Self::NoAddress | Self::Address | Self::NetworkAddress => "address",
            Self::Bits => "prefix",
            Self::Gateway => "gateway",
            Self::Dns => "dns",
            Self::Port => "ports.main",
            Self::LanPort | Self::SamePorts => "ports.lan",
        }
    }
}

impl Fixed {
    fn checked(self) -> Result<Self, BadNetwork> {
        if !(1..=31).contains(&self.bits) {
            return Err(BadNetwork::Bits);
        }
        let own = self.address;
        if own.octets()[0] == 0 || own.octets()[0] >= 224 || own.is_loopback() || own.is_link_local() {
            return Err(BadNetwork::Address);
        }
        if !self.is_host(own) {
            return Err(BadNetwork::NetworkAddress);
        }
        let near = |gateway: Ipv4Addr| {
            let mask = self.mask();
            gateway != own && gateway.to_bits() & mask == own.to_bits() & mask && self.is_host(gateway)
        };
        if self.gateway.is_some_and(|gateway| !near(gateway)) {
            return Err(BadNetwork::Gateway);
        }
        let unfit = |resolver: &IpAddr| {
            resolver.is_unspecified() || resolver.is_multicast() || *resolver == IpAddr::V4(Ipv4Addr::BROADCAST)
        };
        if self.dns.len() > MAX_DNS || self.dns.iter().any(unfit) {
            return Err(BadNetwork::Dns);
        }
        Ok(self)
    }

    fn mask(&self) -> u32 {
        u32::MAX << (32 - u32::from(self.bits))
    }

    /// Neither the network's own address nor everybody's. In a network of two there is neither (RFC 3021).
    fn is_host(&self, address: Ipv4Addr) -> bool {
        let host = address.to_bits() & !self.mask();
        self.bits == 31 || (host != 0 && host != !self.mask())
    }
}

impl NetworkInForce {
    /// What brings it back.
    #[must_use]
    pub fn addressing(&self) -> Addressing {
        match self.address {
            _ if self.dhcp => Addressing::Dhcp,
            None => Addressing::None,
            Some((address, bits)) => {
                Addressing::Fixed(Fixed { address, bits, gateway: self.gateway, dns: self.dns.clone() })
            }
        }
    }

    fn after(&self, addressing: &Addressing) -> Self {
        match addressing {
            Addressing::None => Self::default(),
            Addressing::Dhcp => Self { dhcp: true, ..Self::default() },
            Addressing::Fixed(Fixed { address, bits, gateway, dns }) => {
                Self { dhcp: false, address: Some((*address, *bits)), gateway: *gateway, dns: dns.clone() }
            }
        }
    }
}

impl NetworkWanted {
    /// What has to be done to get from what is in force to what is wanted.
    ///
    /// # Errors
    /// [`BadNetwork`]
    pub fn change(&self, now: &NetworkInForce, ports: ListenPorts) -> Result<NetworkChange, BadNetwork> {
        let addressing = self.addressing(now)?.filter(|addressing| *addressing != now.addressing());
        Ok(NetworkChange { addressing, ports: self.ports(ports)?.filter(|wanted| *wanted != ports) })
    }

    fn addressing(&self, now: &NetworkInForce) -> Result<Option<Addressing>, BadNetwork> {
        let Self { dhcp, address, bits, gateway, dns, .. } = self;
        let fixed = address.is_some() || bits.is_some() || gateway.is_some() || dns.is_some();
        if *dhcp == Some(true) {
            return if fixed { Err(BadNetwork::BesideDhcp) } else { Ok(Some(Addressing::Dhcp)) };
        }
        if !fixed && dhcp.is_none() {
            return Ok(None);
        }
        // Of an address that a server lends, no part alone can be changed.
        if now.dhcp && dhcp.is_none() && address.is_none() {
            return Err(BadNetwork::BesideDhcp);
        }
        let fixed = Fixed {
            address: address.or(now.address.map(|(address, _)| address)).ok_or(BadNetwork::NoAddress)?,
            bits: bits.or(now.address.map(|(_, bits)| bits)).ok_or(BadNetwork::Bits)?,
            gateway: gateway.unwrap_or(now.gateway),
            dns: dns.clone().unwrap_or_else(|| now.dns.clone()),
        };
        fixed.checked().map(|fixed| Some(Addressing::Fixed(fixed)))
    }

    fn ports(&self, now: ListenPorts) -> Result<Option<ListenPorts>, BadNetwork> {
        if self.main.is_none() && self.lan.is_none() {
            return Ok(None);
        }
        if self.main == Some(0) {
            return Err(BadNetwork::Port);
        }
        if self.lan == Some(0) || (self.lan.is_some() && now.lan.is_none()) {
            return Err(BadNetwork::LanPort);
        }
        let wanted = ListenPorts { main: self.main.unwrap_or(now.main), lan: self.lan.or(now.lan) };
        if wanted.lan == Some(wanted.main) { Err(BadNetwork::SamePorts) } else { Ok(Some(wanted)) }
    }
}

/// One line of what changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedLine {
    /// `dhcp`, `address`, `gateway`, `dns`, `port`, `lan-port`.
    pub what: &'static str,
    /// How it is; empty for nothing.
    pub from: String,
    /// How it will be; empty for nothing, or for what a server will say.
    pub to: String,
}

impl NetworkChange {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.addressing.is_none() && self.ports.is_none()
    }

    /// What changes, one line each.
    #[must_use]
    pub fn lines(&self, now: &NetworkInForce, ports: ListenPorts) -> Vec<ChangedLine> {
        let after = self.addressing.as_ref().map_or_else(|| now.clone(), |addressing| now.after(addressing));
        let texts = |net: &NetworkInForce, ports: ListenPorts| {
            let address = net.address.map(|(address, bits)| format!("{address}/{bits}"));
            let dns: Vec<_> = net.dns.iter().map(ToString::to_string).collect();
            [
                ("dhcp", String::from(if net.dhcp { "yes" } else { "no" })),
                ("address", address.unwrap_or_default()),
                ("gateway", net.gateway.map(|gateway| gateway.to_string()).unwrap_or_default()),
                ("dns", dns.join(" ")),
                ("port", ports.main.to_string()),
                ("lan-port", ports.lan.map(|port| port.to_string()).unwrap_or_default()),
            ]
        };
        let (from, to) = (texts(now, ports), texts(&after, self.ports.unwrap_or(ports)));
        from.into_iter()
            .zip(to)
            .filter(|(from, to)| from != to)
            .map(|((what, from), (_, to))| ChangedLine { what, from, to })
            .collect()
    }
}

impl Device {
    /// Records that its network is changed by who is logged in and knows the password.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password.
    pub fn change_network(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
    ) -> Result<Change<'_, ()>, Refusal> {
        self.session(now, token)?;
        self.right_now(checked)?;
        let mut next = self.next(now);
        next.record.add(now.clock, EventKind::NetworkChanged, caller);
        Ok(Change::new(self, next, ()))
    }

    /// Records how a change of its network ended: confirmed, or returned from.
    pub fn note_network(&mut self, now: Now, caller: Caller, confirmed: bool) -> Change<'_, ()> {
        let mut next = self.next(now);
        let kind = if confirmed { EventKind::NetworkConfirmed } else { EventKind::NetworkReturned };
        next.record.add(now.clock, kind, caller);
        Change::new(self, next, ())
    }
}

#[cfg(test)]
mod tests;
