//! What each cause is, in one sentence.

use std::net::Ipv4Addr;

use sparekey_discovery::{
    Device, Family, Finding as Found, Search,
    diagnosis::{Cause, Machine, Medium, What},
};

/// Whatever is named in a sentence, by what is known of it.
pub(super) struct Words<'a> {
    pub(super) machine: &'a Machine,
    pub(super) search: Option<&'a Search>,
}

impl Words<'_> {
    /// The name of an interface.
    pub(super) fn name(&self, index: u32) -> String {
        self.machine.nic(index).map_or_else(|| format!("interface {index}"), |nic| nic.name.clone())
    }

    /// The serial number of a row.
    pub(super) fn serial(&self, id: u32) -> Option<String> {
        self.device(id)?.serial().map(ToString::to_string)
    }

    fn device(&self, id: u32) -> Option<&Device> {
        self.search?.table().device(id)
    }

    /// Whether anybody is known to have this address: this computer, who was heard of by its hardware address, or a device that was found.
    pub(super) fn is_taken(&self, address: Ipv4Addr) -> bool {
        self.own_bits(address).is_some()
            || self.machine.neighbours.iter().any(|near| near.address == address && near.mac.is_some())
            || self.machine.nics.iter().any(|nic| nic.default_route == Some(Some(address)))
            || self.search.is_some_and(|search| {
                search.table().devices().any(|device| device.v4().is_some_and(|(own, ..)| own == address))
            })
    }

    /// The length of the prefix of an address of this computer.
    pub(super) fn own_bits(&self, address: Ipv4Addr) -> Option<u8> {
        let own = self.machine.nics.iter().flat_map(|nic| &nic.link.v4);
        own.into_iter().find(|own| own.address == address).map(|own| own.bits)
    }

    fn whom(&self, cause: &Cause) -> String {
        cause.device.and_then(|id| self.serial(id)).unwrap_or_else(|| "the device".to_owned())
    }

    fn whom_first(&self, cause: &Cause) -> String {
        cause.device.and_then(|id| self.serial(id)).unwrap_or_else(|| "The device".to_owned())
    }

    pub(super) fn is_wifi(&self, index: Option<u32>) -> bool {
        index.and_then(|index| self.machine.nic(index)).is_some_and(|nic| nic.medium == Medium::Wifi)
    }

    /// What it is.
    pub(super) fn happened(&self, cause: &Cause) -> String {
        let on = cause.interface.map_or_else(|| "this computer".to_owned(), |index| self.name(index));
        let (device, device_first) = (self.whom(cause), self.whom_first(cause));
        match &cause.what {
            What::NoAdapter => "This computer has no network interface that devices could be on.".to_owned(),
            What::Down => format!("{on} is switched off."),
            What::NoCarrier if self.is_wifi(cause.interface) => format!("{on} has joined no Wi-Fi network."),
            What::NoCarrier => format!("Nothing is plugged into {on}, or what is at the other end is off."),
            What::NoAddress(true) => format!("{on} has no address, and IPv6 is switched off on it."),
            What::NoAddress(false) => format!("{on} has no address."),
            What::InBridge(bridge) => format!("{on} is a port of the bridge {bridge}, and hears nothing itself."),
            What::NoMulticast => format!("{on} cannot send to groups, and that is how devices are found."),
            What::SmallMtu(bytes) => format!("{on} sends packets of {bytes} bytes at most: IPv6 needs 1280."),
            What::SendForbidden(family) => {
                format!(
                    "Nothing can be sent to groups by {} on {on}: a firewall on this computer forbids it.",
                    of(*family)
                )
            }
            What::Unsent(family, words) => format!("Nothing can be sent by {} on {on} ({words}).", of(*family)),
            What::JoinFailed => "A multicast group cannot be joined: the system has no room for one more.".to_owned(),
            What::PortTaken(port) => {
                format!("UDP port {port} cannot be listened on: another program keeps it for itself.")
            }
            What::NoSocket(Some(port), words) => format!("UDP port {port} cannot be listened on ({words})."),
            What::NoSocket(None, words) => format!("A UDP socket cannot be had ({words})."),
            What::Unheard(family) => format!(
                "What this computer says to a group by {} on {on} does not reach itself: a firewall here eats multicast.",
                of(*family)
            ),
            What::SmallBuffer(granted, wanted) => format!(
                "The system keeps {} KiB of answers at most, and {} were asked for: with hundreds of devices, some are found late.",
                granted / 1024,
                wanted / 1024
            ),
            What::SameNetwork(other, own, wifi) => {
                let (kind, other) = (if *wifi { "The Wi-Fi " } else { "" }, self.name(*other));
                format!(
                    "{kind}{on} and {other} are in one subnet, that of {}/{}: what is sent to a device may leave by the wrong one.",
                    own.address, own.bits
                )
            }
            What::Vlan(parent, Some(number)) => {
                format!("{on} is VLAN {number} of {parent}: devices in other VLANs are not seen on it.")
            }
            What::Vlan(parent, None) => format!("{on} is one VLAN of {parent}: devices in others are not seen on it."),
            What::OwnAddress(address) => {
                format!("{device_first} has this computer's own address, {address}: neither is reached reliably.")
            }
            What::SharedAddress(address) => {
                let interface = cause.interface.unwrap_or_default();
                Found::SharedAddress(*address, interface).sentence(|index| self.name(index))
            }
            What::TakenAddress(address, mac) => format!(
                "{device_first} says to have {address}, but {mac} answers for it: another machine has the same address."
            ),
            What::WrongMask(own, theirs) => {
                let both = own.holds(theirs.address) && theirs.holds(own.address);
                let then =
                    if both { "it matters for other addresses" } else { "one looks for the other behind a router" };
                format!(
                    "This computer is {}/{}, {device} {}/{}: their masks differ, so {then}.",
                    own.address, own.bits, theirs.address, theirs.bits
                )
            }
            What::OtherSubnet(reach, count) => {
                Found::OtherSubnet(reach.clone(), *count).sentence(|index| self.name(index))
            }
            What::OnlyV6(address) => format!(
                "{device_first} answers by IPv6, and not at {address}: its mask or gateway is wrong, somebody else has the address, or a firewall holds IPv4 back."
            ),
            What::OnlyV4 => {
                format!("{device_first} answers by IPv4 only: IPv6 is off on it, or something between holds it back.")
            }
            What::LeftOut(count) => Found::LeftOut(*count).sentence(|index| self.name(index)),
            What::OffLink => "Answers that came through a router were left out: only this link is searched.".to_owned(),
            What::ReversePath => {
                format!("The system hides IPv4 answers from other subnets on {on} (rp_filter); IPv6 is not affected.")
            }
            What::Clock(ahead) => format!(
                "The clock of {device} is {} this computer's: what a desk grants may be over by it, or not begun.",
                apart(*ahead, "ahead of", "behind")
            ),
            What::OwnClock(ahead, devices) => format!(
                "This computer's clock is {} that of {devices} devices, which agree.",
                apart(*ahead, "behind", "ahead of")
            ),
            What::Container => {
                "This program runs in a container with a network of its own: what is said to groups does not get in."
                    .to_owned()
            }
            What::Nobody(on) => {
                let names: Vec<_> = on.iter().map(|index| self.name(*index)).collect();
                format!(
                    "Nobody answered on {}. Devices in another VLAN or behind a router cannot be seen from here; some switches and Wi-Fi networks hold multicast back.",
                    names.join(", ")
                )
            }
            What::NotFound(1) => "One device answered on this link, and it is another one.".to_owned(),
            What::NotFound(others) => format!("{others} devices answered on this link, and it is none of them."),
            What::BehindRouter(address, Some(gateway)) => format!(
                "{address} is behind the router {gateway}: a device lets nobody recover who is not on its own link."
            ),
            What::BehindRouter(address, None) => {
                format!("{address} is behind a router: a device lets nobody recover who is not on its own link.")
            }
            What::NoRoute(address) => {
                format!("This computer has no way to {address}: none of its addresses is in that network.")
            }
            What::NobodyThere(address) => format!(
                "Nobody on this link has the address {address}: the device is off, unplugged, in another VLAN, or has another address."
            ),
            What::Silent(address) => format!(
                "{address} does not answer calls: the device is off, a firewall is between, or there is a router that hides itself."
            ),
            What::Closed(address) => {
                format!(
                    "At {address} nothing listens on the LAN tool's port: the device is starting, or this is no Sparekey device."
                )
            }
            What::Stranger(address) => format!("What answers at {address} is no Sparekey device."),
        }
    }
}

fn of(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// How far two clocks are apart: `2 days ahead of`.
fn apart(seconds: i64, ahead: &str, behind: &str) -> String {
    let side = if seconds > 0 { ahead } else { behind };
    format!("{} {side}", duration(seconds.unsigned_abs()))
}

/// Seconds in the largest unit that fits, rounded.
pub(super) fn duration(seconds: u64) -> String {
    let (unit, name) = match seconds {
        0..60 => (1, "second"),
        60..5_400 => (60, "minute"),
        5_400..172_000 => (3_600, "hour"),
        _ => (86_400, "day"),
    };
    let count = (seconds + unit / 2) / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}
