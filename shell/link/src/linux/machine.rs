//! What Linux says of its own network: getifaddrs(3), sysfs (`/sys/class/net`) and procfs (`/proc/net`, `/proc/sys/net`), all readable
//! by everybody.

use std::{
    collections::BTreeMap,
    env, fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags};
use sparekey_discovery::{
    Link, Mac, Prefix,
    diagnosis::{Machine, Medium, Neighbour, Nic},
};

use crate::interface::is_virtual;

/// The hardware type of Ethernet and of what behaves like it (`ARPHRD_ETHER`).
const ETHERNET: &str = "1";
/// Of a file of the system no more is read.
const MAX_LINES: usize = 4_096;

/// This computer's network as it is now.
pub(crate) fn machine() -> io::Result<Machine> {
    let system = System { sys: PathBuf::from("/sys/class/net"), proc: PathBuf::from("/proc") };
    let mut nics: BTreeMap<String, Nic> = BTreeMap::new();
    for address in getifaddrs()? {
        if address.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            continue;
        }
        // A second name of the same interface (`eth0:1`) is its addresses only.
        let name = address.interface_name.split(':').next().unwrap_or_default().to_owned();
        let nic = nics.entry(name.clone()).or_insert_with(|| system.nic(&name, address.flags));
        let Some(given) = address.address else { continue };
        if let Some(link) = given.as_link_addr() {
            nic.link.interface = u32::try_from(link.ifindex()).unwrap_or_default();
            nic.mac = link.addr().and_then(Mac::new);
        } else if let Some(v4) = given.as_sockaddr_in() {
            let mask = address.netmask.as_ref().and_then(|mask| mask.as_sockaddr_in().map(|mask| mask.ip()));
            let bits = mask.map_or(32, |mask| u8::try_from(mask.to_bits().count_ones()).unwrap_or(32));
            nic.link.v4.push(Prefix { address: v4.ip(), bits });
        } else if let Some(v6) = given.as_sockaddr_in6().filter(|v6| v6.ip().is_unicast_link_local()) {
            nic.link.v6.push(v6.ip());
        }
    }
    let mut nics: Vec<_> = nics.into_values().filter(|nic| nic.link.interface != 0).collect();
    nics.sort_by_key(|nic| nic.link.interface);
    let index = |name: &str| nics.iter().find(|nic| nic.name == name).map(|nic| nic.link.interface);
    let neighbours = system.neighbours(index);
    Ok(Machine { neighbours, nics, container: in_container() })
}

/// The marks that Docker, Podman and their kin leave.
fn in_container() -> bool {
    let marks = ["/.dockerenv", "/run/.containerenv"];
    env::var_os("container").is_some() || marks.into_iter().any(|mark| Path::new(mark).exists())
}

/// Where the system says it: elsewhere in tests.
struct System {
    sys: PathBuf,
    proc: PathBuf,
}

impl System {
    fn nic(&self, name: &str, flags: InterfaceFlags) -> Nic {
        let of = self.sys.join(name);
        let tunnel =
            flags.contains(InterfaceFlags::IFF_POINTOPOINT) || word(&of.join("type")).as_deref() != Some(ETHERNET);
        let medium = if tunnel { Medium::Tunnel } else { self.medium(name) };
        let usual = !tunnel && !is_virtual(name);
        let setting = |path: &str| word(&self.proc.join("sys/net").join(path));
        let filter = |name: &str| setting(&format!("ipv4/conf/{name}/rp_filter")).and_then(|text| text.parse().ok());
        Nic {
            name: name.to_owned(),
            link: Link { interface: 0, v4: Vec::new(), v6: Vec::new() },
            medium,
            usual,
            up: flags.contains(InterfaceFlags::IFF_UP),
            carrier: flags.contains(InterfaceFlags::IFF_RUNNING),
            multicast: flags.contains(InterfaceFlags::IFF_MULTICAST),
            mtu: word(&of.join("mtu")).and_then(|text| text.parse().ok()).unwrap_or_default(),
            mac: None,
            bridge: fs::read_link(of.join("master"))
                .ok()
                .and_then(|to| Some(to.file_name()?.to_string_lossy().into_owned())),
            without_v6: setting(&format!("ipv6/conf/{name}/disable_ipv6")).is_none_or(|text| text != "0"),
            // The greater of the two counts (<https://docs.kernel.org/networking/ip-sysctl.html>).
            filter: filter("all").max(filter(name)).unwrap_or(0),
            default_route: self.default_route(name),
        }
    }

    fn medium(&self, name: &str) -> Medium {
        let of = self.sys.join(name);
        let event = fs::read_to_string(of.join("uevent")).unwrap_or_default();
        let kind = event.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
        let lower = || {
            let names = fs::read_dir(&of).ok()?.filter_map(Result::ok).map(|entry| entry.file_name());
            names.filter_map(|name| Some(name.to_str()?.strip_prefix("lower_")?.to_owned())).next()
        };
        if kind == Some("wlan") || ["wireless", "phy80211"].into_iter().any(|mark| of.join(mark).exists()) {
            return Medium::Wifi;
        }
        if kind == Some("bridge") || of.join("bridge").exists() {
            return Medium::Bridge;
        }
        if let Some(of) = lower().filter(|_| kind != Some("bond")) {
            let number = name.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
            return if kind == Some("vlan") { Medium::Vlan(of, number) } else { Medium::Shares(of) };
        }
        // What is no card, and belongs to an interface that is not here.
        let [own, other] = ["ifindex", "iflink"].map(|file| word(&of.join(file)));
        if !of.join("device").exists() && own.is_some() && own != other { Medium::Pair } else { Medium::Cable }
    }

    /// `/proc/net/route`: interface, destination, gateway and flags, numbers in this machine's order of bytes.
    fn default_route(&self, name: &str) -> Option<Option<Ipv4Addr>> {
        lines(&self.proc.join("net/route")).into_iter().find_map(|line| {
            let mut words = line.split_whitespace();
            let (on, to) = (words.next()?, words.next()?);
            let gateway = u32::from_str_radix(words.next()?, 16).ok()?;
            let mask = words.nth(4)?;
            let gateway = Ipv4Addr::from(gateway.to_ne_bytes());
            (on == name && to == "00000000" && mask == "00000000")
                .then_some(Some(gateway).filter(|to| !to.is_unspecified()))
        })
    }

    /// `/proc/net/arp`: address, hardware type, flags (0: nobody answered), hardware address, mask, interface.
    fn neighbours(&self, index: impl Fn(&str) -> Option<u32>) -> Vec<Neighbour> {
        let read = |line: String| {
            let words: Vec<_> = line.split_whitespace().collect();
            let [address, _, flags, mac, _, name] = words.try_into().ok()?;
            let mac = if flags == "0x0" { None } else { Mac::parse(mac) };
            Some(Neighbour { address: address.parse().ok()?, mac, interface: index(name)? })
        };
        lines(&self.proc.join("net/arp")).into_iter().filter_map(read).collect()
    }
}

fn word(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().take(MAX_LINES).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn interfaces_are_what_the_system_calls_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let ether = |name: &str, files: &[(&str, &str)]| {
            for (file, text) in
                [("type", "1\n"), ("mtu", "1500\n"), ("ifindex", "4\n"), ("iflink", "4\n")].iter().chain(files)
            {
                put(root, &format!("sys/{name}/{file}"), text);
            }
        };
        ether("eth0", &[("device/vendor", "0x8086\n")]);
        ether("wlan0", &[("device/vendor", "0x8086\n"), ("uevent", "DEVTYPE=wlan\nINTERFACE=wlan0\n")]);
        ether("br0", &[("bridge/stp_state", "0\n"), ("uevent", "DEVTYPE=bridge\n")]);
        ether(
            "eth0.20",
            &[("uevent", "DEVTYPE=vlan\nINTERFACE=eth0.20\n"), ("lower_eth0/mtu", "1500\n"), ("iflink", "2\n")],
        );
        ether("mac0", &[("lower_eth0/mtu", "1500\n"), ("iflink", "2\n")]);
        ether("eth7", &[("iflink", "9\n")]);
        put(root, "sys/wg0/type", "65534\n");
        put(root, "proc/sys/net/ipv4/conf/all/rp_filter", "0\n");
        put(root, "proc/sys/net/ipv4/conf/eth0/rp_filter", "2\n");
        put(root, "proc/sys/net/ipv6/conf/eth0/disable_ipv6", "0\n");
        let route = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        put(root, "proc/net/route", route);
        let arp = "IP address       HW type     Flags       HW address            Mask     Device\n\
            192.168.1.64     0x1         0x2         02:00:00:00:00:07     *        eth0\n\
            192.168.1.65     0x1         0x0         00:00:00:00:00:00     *        eth0\n";
        put(root, "proc/net/arp", arp);
        let system = System { sys: root.join("sys"), proc: root.join("proc") };
        let up = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING | InterfaceFlags::IFF_MULTICAST;
        for (name, medium, usual) in [
            ("eth0", Medium::Cable, true),
            ("wlan0", Medium::Wifi, true),
            ("br0", Medium::Bridge, true),
            ("eth0.20", Medium::Vlan("eth0".to_owned(), Some(20)), true),
            ("mac0", Medium::Shares("eth0".to_owned()), true),
            ("eth7", Medium::Pair, true),
            ("wg0", Medium::Tunnel, false),
        ] {
            let nic = system.nic(name, up);
            assert_eq!((nic.medium, nic.usual), (medium, usual), "{name}");
        }
        let eth0 = system.nic("eth0", up);
        assert_eq!((eth0.mtu, eth0.filter, eth0.without_v6), (1500, 2, false));
        #[cfg(target_endian = "little")]
        assert_eq!(eth0.default_route, Some(Some(Ipv4Addr::new(192, 168, 1, 1))));
        assert_eq!(system.nic("wlan0", up).default_route, None);
        let index = |name: &str| (name == "eth0").then_some(4);
        let near = |address: &str, mac: Option<&str>| Neighbour {
            address: address.parse().unwrap(),
            mac: mac.and_then(Mac::parse),
            interface: 4,
        };
        assert_eq!(
            system.neighbours(index),
            [near("192.168.1.64", Some("02:00:00:00:00:07")), near("192.168.1.65", None)]
        );
    }

    #[test]
    fn this_machine_has_each_interface_once() {
        let machine = machine().unwrap();
        let mut names: Vec<_> = machine.nics.iter().map(|nic| nic.name.as_str()).collect();
        assert!(!names.contains(&"lo"), "{names:?}");
        names.dedup();
        assert_eq!(names.len(), machine.nics.len());
    }
}
