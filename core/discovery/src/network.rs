//! What is wrong with the network, in one line.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::net::{IpAddr, Ipv4Addr};

use crate::{Device, Link, Prefix, Table};

/// Addresses that two devices have; more are not listed.
const MAX_SHARED: usize = 4;

/// How a device is reached from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By this address, on this interface.
    Directly(IpAddr, u32),
    /// Its IPv4 address is in another subnet; by IPv6 it is reached all the same.
    LinkLocal {
        /// This computer's address there, if it has one.
        own: Option<Prefix>,
        /// The device's.
        theirs: (Ipv4Addr, Option<u8>),
        /// By which it is reached.
        by: IpAddr,
        /// On which interface.
        interface: u32,
    },
    /// Its IPv4 address is in another subnet, and it has no IPv6.
    Elsewhere {
        /// This computer's address there, if it has one.
        own: Option<Prefix>,
        /// The device's.
        theirs: (Ipv4Addr, Option<u8>),
        /// The interface it was heard on.
        interface: u32,
    },
}

impl Reach {
    /// How this device is reached.
    #[must_use]
    pub fn of(device: &Device, links: &[Link]) -> Option<Self> {
        let addresses = device.addresses();
        let link = |interface| links.iter().find(|link| link.interface == interface);
        let reached =
            |(address, interface): &&(IpAddr, u32)| link(*interface).is_some_and(|link| link.reaches(*address));
        let direct = addresses.iter().find(reached);
        let Some((theirs, bits, interface)) = device.v4() else {
            return direct.map(|(address, interface)| Self::Directly(*address, *interface));
        };
        match direct {
            Some((address, interface)) if address.is_ipv4() => Some(Self::Directly(*address, *interface)),
            Some((by, interface)) => {
                let own = link(*interface).and_then(|link| link.v4.first().copied());
                Some(Self::LinkLocal { own, theirs: (theirs, bits), by: *by, interface: *interface })
            }
            None => {
                let own = link(interface).and_then(|link| link.v4.first().copied());
                Some(Self::Elsewhere { own, theirs: (theirs, bits), interface })
            }
        }
    }

    /// The interface it is about.
    #[must_use]
    pub fn interface(&self) -> u32 {
        match self {
            Self::Directly(_, interface) | Self::LinkLocal { interface, .. } | Self::Elsewhere { interface, .. } => {
                *interface
            }
        }
    }

    /// A sentence, with the interface's name in it. `None` where there is nothing to say.
    #[must_use]
    pub fn sentence(&self, name: impl Fn(u32) -> String) -> Option<String> {
        match self {
            Self::Directly(..) => None,
            Self::LinkLocal { own, theirs, interface, .. } => Some(format!(
                "{}, the device {}: it is reached over IPv6 link-local, nothing to change.",
                computer(*own, &name(*interface)),
                with_bits(*theirs)
            )),
            Self::Elsewhere { own, theirs, interface } => {
                let name = name(*interface);
                let free = neighbour(theirs.0);
                Some(format!(
                    "{}, the device {}, and it has no IPv6: give this computer a second address in the device's network, such as {free}/24 on {name}.",
                    computer(*own, &name),
                    with_bits(*theirs)
                ))
            }
        }
    }
}

fn computer(own: Option<Prefix>, name: &str) -> String {
    match own {
        Some(own) => format!("This computer is {}/{}", own.address, own.bits),
        None => format!("This computer has no IPv4 address on {name}"),
    }
}

fn with_bits((address, bits): (Ipv4Addr, Option<u8>)) -> String {
    bits.map_or_else(|| address.to_string(), |bits| format!("{address}/{bits}"))
}

/// An address beside another one that is seldom anybody's.
fn neighbour(address: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, if d == 250 { 251 } else { 250 })
}

/// Something about the network that whoever searches should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Devices whose IPv4 address is in another subnet: the first of them, and how many there are.
    OtherSubnet(Reach, usize),
    /// Two devices have one IPv4 address.
    SharedAddress(Ipv4Addr, u32),
    /// So many answers found no room: somebody says more than a link has.
    LeftOut(u64),
}

impl Finding {
    /// What there is to say of a table.
    #[must_use]
    pub fn all(table: &Table, links: &[Link]) -> Vec<Self> {
        let mut findings = Vec::new();
        let reaches: Vec<_> = table.devices().filter_map(|device| Reach::of(device, links)).collect();
        let unreached = |reach: &&Reach| matches!(reach, Reach::Elsewhere { .. });
        let by_v6 = |reach: &&Reach| matches!(reach, Reach::LinkLocal { .. });
        for count in [reaches.iter().filter(unreached).collect::<Vec<_>>(), reaches.iter().filter(by_v6).collect()] {
            if let Some(first) = count.first() {
                findings.push(Self::OtherSubnet((*first).clone(), count.len()));
            }
        }
        let mut v4: Vec<_> = table.devices().filter_map(Device::v4).map(|(address, _, on)| (address, on)).collect();
        v4.sort_unstable();
        let mut shared: Vec<_> = v4.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        shared.dedup();
        findings.extend(shared.into_iter().take(MAX_SHARED).map(|(address, on)| Self::SharedAddress(address, on)));
        if table.left_out() > 0 {
            findings.push(Self::LeftOut(table.left_out()));
        }
        findings
    }

    /// One line.
    #[must_use]
    pub fn sentence(&self, name: impl Fn(u32) -> String) -> String {
        match self {
            Self::OtherSubnet(reach, count) => {
                let first = reach.sentence(name).unwrap_or_default();
                if *count > 1 { format!("{first} ({count} such devices.)") } else { first }
            }
            Self::SharedAddress(address, interface) => format!(
                "Two devices have the address {address} on {}: give one of them another, or neither is reached reliably.",
                name(*interface)
            ),
            Self::LeftOut(count) => {
                format!(
                    "{count} answers were left out: something on this link claims to be more devices than there can be."
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sighting::{Dialect, Sighting, Source};
    use alloc::{borrow::ToOwned, vec};

    fn links() -> Vec<Link> {
        let own = Prefix { address: [10, 0, 0, 5].into(), bits: 24 };
        vec![Link { interface: 2, v4: vec![own], v6: vec!["fe80::5".parse().unwrap()] }]
    }

    fn seen(addresses: &[&str], bits: Option<u8>, from: &str) -> Table {
        let mut table = Table::default();
        let mut sighting = Sighting::new(Dialect::Sadp, Source { interface: 2, address: from.parse().unwrap() });
        for address in addresses {
            sighting.add_address(address.parse().unwrap());
        }
        sighting.bits = bits;
        table.see(sighting, 0);
        table
    }

    fn told(table: &Table, links: &[Link]) -> Vec<String> {
        Finding::all(table, links).iter().map(|finding| finding.sentence(|_| "eth0".to_owned())).collect()
    }

    #[test]
    fn a_device_in_another_subnet_is_one_sentence() {
        let other = seen(&["192.168.1.64", "fe80::64"], Some(24), "fe80::64");
        assert_eq!(
            told(&other, &links()),
            [
                "This computer is 10.0.0.5/24, the device 192.168.1.64/24: it is reached over IPv6 link-local, nothing to change."
            ]
        );
        let no_v4 = [Link { v4: vec![], ..links()[0].clone() }];
        assert_eq!(
            told(&other, &no_v4),
            [
                "This computer has no IPv4 address on eth0, the device 192.168.1.64/24: it is reached over IPv6 link-local, nothing to change."
            ]
        );
        let no_v6 = seen(&["192.168.1.64"], None, "192.168.1.64");
        assert_eq!(
            told(&no_v6, &links()),
            [
                "This computer is 10.0.0.5/24, the device 192.168.1.64, and it has no IPv6: give this computer a second address in the device's network, such as 192.168.1.250/24 on eth0."
            ]
        );
        assert!(told(&seen(&["10.0.0.9"], Some(24), "10.0.0.9"), &links()).is_empty());
        assert!(told(&seen(&[], None, "fe80::9"), &links()).is_empty());
    }

    #[test]
    fn two_devices_with_one_address_and_too_many_answers_are_told() {
        let mut table = seen(&["10.0.0.9"], Some(24), "10.0.0.9");
        let mut other = Sighting::new(Dialect::Sadp, Source { interface: 2, address: "fe80::9".parse().unwrap() });
        other.add_address("10.0.0.9".parse().unwrap());
        table.see(other, 0);
        assert_eq!(
            told(&table, &links()),
            [
                "Two devices have the address 10.0.0.9 on eth0: give one of them another, or neither is reached reliably."
            ]
        );
    }
}
