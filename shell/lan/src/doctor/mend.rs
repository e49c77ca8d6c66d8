//! What mends each cause: all that differs between systems.

use std::net::Ipv4Addr;

use sparekey_discovery::{
    Reach,
    diagnosis::{Cause, What},
};

use super::words::Words;

/// The systems whose commands are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    /// With iproute2 and systemd.
    Linux,
    /// See apple.com.
    MacOs,
    /// With PowerShell.
    Windows,
}

impl System {
    /// This one.
    pub(super) const HERE: Self = if cfg!(target_os = "macos") {
        Self::MacOs
    } else if cfg!(windows) {
        Self::Windows
    } else {
        Self::Linux
    };
}

/// What to do, and the command for it on this system.
pub(super) fn mend(cause: &Cause, words: &Words<'_>, system: System) -> (String, Option<String>) {
    let (say, command) = say(cause, words);
    let command = command.and_then(|command| command.on(system));
    (say, command)
}

/// Something to be done.
enum Do {
    /// The same everywhere.
    Anywhere(String),
    /// Switch an interface on or off.
    Switch(String, bool),
    /// Give it another address.
    Add(String, Ipv4Addr, u8),
    /// Who answers for an address.
    Who(Ipv4Addr),
    /// Which program has a UDP port.
    Program(u16),
    /// What the firewall forbids.
    Firewall,
    /// Set the clock by the network's.
    Clock,
    /// Wi-Fi off.
    WifiOff(String),
    /// A setting that only Linux has.
    Linux(String),
}

impl Do {
    fn on(self, system: System) -> Option<String> {
        use System::{Linux, MacOs, Windows};
        Some(match (self, system) {
            (Self::Anywhere(command), _) | (Self::Linux(command), Linux) => command,
            (Self::Switch(name, true), Linux) => format!("sudo ip link set {name} up"),
            (Self::Switch(name, false), Linux) => format!("sudo ip link set {name} down"),
            (Self::Switch(name, on), MacOs) => format!("sudo ifconfig {name} {}", if on { "up" } else { "down" }),
            (Self::Switch(name, on), Windows) => {
                format!("{}-NetAdapter -Name '{name}'", if on { "Enable" } else { "Disable" })
            }
            (Self::Add(name, address, bits), Linux) => format!("sudo ip addr add {address}/{bits} dev {name}"),
            (Self::Add(name, address, bits), MacOs) => format!("sudo ifconfig {name} alias {address}/{bits}"),
            (Self::Add(name, address, bits), Windows) => {
                format!("New-NetIPAddress -InterfaceAlias '{name}' -IPAddress {address} -PrefixLength {bits}")
            }
            (Self::Who(address), Linux) => format!("ip neigh show to {address}"),
            (Self::Who(address), MacOs) => format!("arp -n {address}"),
            (Self::Who(address), Windows) => format!("Get-NetNeighbor -IPAddress {address}"),
            (Self::Program(port), Linux) => format!("sudo ss -ulpn 'sport = :{port}'"),
            (Self::Program(port), MacOs) => format!("sudo lsof -nP -iUDP:{port}"),
            (Self::Program(port), Windows) => format!("Get-NetUDPEndpoint -LocalPort {port}"),
            (Self::Firewall, Linux) => "sudo nft list ruleset".to_owned(),
            (Self::Clock, Linux) => "sudo timedatectl set-ntp true".to_owned(),
            (Self::Clock, MacOs) => "sudo sntp -sS time.apple.com".to_owned(),
            (Self::Clock, Windows) => "w32tm /resync".to_owned(),
            (Self::WifiOff(_), Linux) => "nmcli radio wifi off".to_owned(),
            (Self::WifiOff(name), MacOs) => format!("networksetup -setairportpower {name} off"),
            (Self::Firewall | Self::WifiOff(_), _) | (Self::Linux(_), _) => return None,
        })
    }
}

fn discover() -> Option<Do> {
    Some(Do::Anywhere("sparekey discover".to_owned()))
}

/// Another address for an interface, in the network of this one, that nobody is known to have: the highest that is, since those are seldom lent.
/// `None` where the network has room for no other.
fn beside(words: &Words<'_>, on: String, address: Ipv4Addr, bits: u8) -> Option<Do> {
    // Of a large network, only what is near: 256 addresses.
    let wide = u32::MAX.checked_shr(u32::from(bits.clamp(24, 32))).unwrap_or(0);
    let first = u32::from(address) & !wide;
    let ends = if wide > 1 { [first, first | wide] } else { [u32::MAX; 2] };
    let free = |host: &Ipv4Addr| *host != address && !ends.contains(&u32::from(*host)) && !words.is_taken(*host);
    // Routers are often the last of all.
    let mut hosts: Vec<_> = (first..=first | wide).rev().map(Ipv4Addr::from).filter(free).collect();
    let usual = hosts.iter().position(|host| host.octets()[3] == 250);
    (!hosts.is_empty()).then(|| Do::Add(on, hosts.swap_remove(usual.unwrap_or(0)), bits))
}

fn say(cause: &Cause, words: &Words<'_>) -> (String, Option<Do>) {
    let on = cause.interface.map(|index| words.name(index)).unwrap_or_default();
    let linux = |command: String| Some(Do::Linux(command));
    let (say, command) = match &cause.what {
        What::NoAdapter => ("Plug in a network adapter, or look what there is.", linux("ip link".to_owned())),
        What::Down => ("Switch it on.", Some(Do::Switch(on, true))),
        What::NoCarrier if words.is_wifi(cause.interface) => ("Join one.", linux("nmcli device wifi list".to_owned())),
        What::NoCarrier => ("Plug in the cable, and look whether a light is on at both ends.", None),
        What::NoAddress(true) => (
            "Switch IPv6 on, which needs no settings and reaches devices in every subnet.",
            linux(format!("sudo sysctl net.ipv6.conf.{on}.disable_ipv6=0")),
        ),
        What::NoAddress(false) => {
            ("Give it one in the devices' network, such as.", Some(Do::Add(on, Ipv4Addr::new(192, 168, 1, 250), 24)))
        }
        What::InBridge(bridge) => {
            ("Search on the bridge.", Some(Do::Anywhere(format!("sparekey discover --interface {bridge}"))))
        }
        What::NoMulticast => ("Allow it.", linux(format!("sudo ip link set {on} multicast on"))),
        What::SmallMtu(_) => ("Make it longer.", linux(format!("sudo ip link set {on} mtu 1500"))),
        What::SendForbidden(_) => (
            "Allow what goes out to the UDP ports 5353, 3702, 37020 and 37810; what is forbidden now.",
            Some(Do::Firewall),
        ),
        What::Unsent(..) if System::HERE == System::MacOs => {
            ("Allow this program in System Settings, Privacy & Security, Local Network.", None)
        }
        What::Unsent(..) => ("A firewall on this computer may forbid it.", Some(Do::Firewall)),
        What::Unheard(_) => {
            ("Allow what comes in to the UDP ports 5353, 3702 and 37020; what is forbidden now.", Some(Do::Firewall))
        }
        What::JoinFailed => ("Make room.", linux("sudo sysctl net.ipv4.igmp_max_memberships=64".to_owned())),
        What::PortTaken(port) | What::NoSocket(Some(port), _) => {
            ("Stop that program; which one it is.", Some(Do::Program(*port)))
        }
        What::NoSocket(None, _) => ("Look at the limits of this system.", None),
        What::SmallBuffer(_, wanted) => ("Make room.", linux(format!("sudo sysctl net.core.rmem_max={wanted}"))),
        What::SameNetwork(_, _, true) => ("Switch Wi-Fi off meanwhile.", Some(Do::WifiOff(on))),
        What::SameNetwork(..) => ("Switch one of them off meanwhile.", Some(Do::Switch(on, false))),
        What::Vlan(of, _) => (
            "Another one is added so, with its number in place of 30.",
            linux(format!("sudo ip link add link {of} name {of}.30 type vlan id 30")),
        ),
        What::OwnAddress(address) => {
            let bits = words.own_bits(*address).unwrap_or(24);
            ("Give this computer another one, and take the first away.", beside(words, on, *address, bits))
        }
        What::SharedAddress(address) => ("Unplug one of the two; who answers now.", Some(Do::Who(*address))),
        What::TakenAddress(address, _) => ("Find that machine, and give it another one.", Some(Do::Who(*address))),
        What::WrongMask(_, theirs) => {
            ("Set one mask on both; on this computer, for now.", beside(words, on, theirs.address, theirs.bits))
        }
        What::OtherSubnet(Reach::Elsewhere { theirs: (address, bits), .. }, _) => {
            ("For as long as it takes.", beside(words, on, *address, bits.unwrap_or(24)))
        }
        What::OnlyV6(address) => ("Who answers for that address.", Some(Do::Who(*address))),
        What::ReversePath => {
            ("To see them.", linux(format!("sudo sysctl net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{on}.rp_filter=0")))
        }
        What::Clock(_) => {
            ("Set the device's clock at its own screen; if it is this computer's that is wrong.", Some(Do::Clock))
        }
        What::OwnClock(..) => ("Set it.", Some(Do::Clock)),
        What::Container => {
            ("Give the container the host's network.", Some(Do::Anywhere("docker run --network host".to_owned())))
        }
        What::NotFound(_) => ("Compare the serial number with the label; who is there.", discover()),
        What::BehindRouter(..) => ("Plug this computer into the same switch as the device.", None),
        What::NoRoute(std::net::IpAddr::V4(address)) => {
            let nic = words.machine.nics.iter().find(|nic| nic.usual && nic.up && nic.carrier);
            ("Give it one, for as long as it takes.", nic.and_then(|nic| beside(words, nic.name.clone(), *address, 24)))
        }
        What::NoRoute(_) => ("Name its interface behind a %, as in fe80::1%eth0.", None),
        What::NobodyThere(_) | What::Stranger(_) => ("Look up its address.", discover()),
        What::Silent(_) => ("Look whether it is on, and who is there.", discover()),
        What::Closed(_) => ("Wait a minute, or look up its address and port.", discover()),
        What::OtherSubnet(..) | What::OnlyV4 | What::LeftOut(_) | What::OffLink | What::Nobody(_) => ("", None),
    };
    (say.to_owned(), command)
}
