//! The interfaces of this machine.

use std::{collections::BTreeMap, io};

use if_addrs::IfAddr;
use sparekey_discovery::{Link, Prefix};

/// Names that interfaces have which lead to containers, virtual machines and tunnels: nobody's cameras are there.
const VIRTUAL: [&str; 19] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vmnet",
    "vboxnet",
    "tun",
    "tap",
    "wg",
    "tailscale",
    "zt",
    "utun",
    "awdl",
    "llw",
    "gretap",
    "erspan",
    "dummy",
    "ifb",
    "teql",
];

/// One interface that is up and has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The system's name of it.
    pub name: String,
    /// Its number and its addresses.
    pub link: Link,
    /// Whether it is one that devices are on: no tunnel, and not this machine's own for containers.
    pub usual: bool,
}

/// All but loopback, in the order of their numbers.
///
/// # Errors
/// Those of getifaddrs(3).
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut found: BTreeMap<u32, Interface> = BTreeMap::new();
    for address in if_addrs::get_if_addrs()? {
        let Some(index) = address.index.filter(|_| !address.is_loopback()) else { continue };
        let usual = !address.is_p2p() && !is_virtual(&address.name);
        let interface = found.entry(index).or_insert_with(|| Interface {
            name: address.name.clone(),
            link: Link { interface: index, v4: Vec::new(), v6: Vec::new() },
            usual,
        });
        match address.addr {
            IfAddr::V4(v4) => interface.link.v4.push(Prefix { address: v4.ip, bits: v4.prefixlen }),
            IfAddr::V6(v6) if v6.ip.is_unicast_link_local() => interface.link.v6.push(v6.ip),
            IfAddr::V6(_) => {}
        }
    }
    Ok(found.into_values().collect())
}

/// Whether an interface of this name leads to no cameras.
pub(crate) fn is_virtual(name: &str) -> bool {
    VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interface_is_there_once_and_has_an_address() {
        let all = interfaces().unwrap();
        for interface in &all {
            assert!(interface.link.interface > 0 && interface.name != "lo", "{interface:?}");
            assert_eq!(all.iter().filter(|other| other.name == interface.name).count(), 1);
        }
    }
}
