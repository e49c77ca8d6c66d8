//! Why the device's network is not changed, in words.

use sparekey_device::BadNetwork;
use sparekey_web::messages::{self, Message};
use sparekey_web::problem::Problem;

use crate::failure::Malformed;
use crate::network::Refused;

const NOT_MANAGED: Message = Message {
    title: "The network of this device is not set in this way.",
    detail: "Set it where its system sets it, or name the interface in the device's settings.toml: network = \"eth0\".",
    ..messages::NOT_POSSIBLE
};
const NO_DHCP: Message = Message {
    title: "This device has no program that gets an address by DHCP.",
    detail: "Give an address, or have udhcpc or dhclient installed on the device.",
    ..messages::NOT_POSSIBLE
};
const NO_WAY_BACK: Message = Message {
    title: "The address came by DHCP, and this device has no program that would get it again.",
    detail: "Have udhcpc or dhclient installed on the device: without it there is no way back from a wrong change.",
    ..messages::NOT_POSSIBLE
};
const ONE_ADDRESS: Message = Message {
    title: "This device answers at one address only, so it would not be reached at another.",
    detail: "Have it listen on all its addresses: listen = \"[::]:8443\" in its settings.toml.",
    ..messages::NOT_POSSIBLE
};
const UNREADABLE: Message = Message {
    title: "The device cannot tell what its network is at the moment.",
    detail: "Wait a moment and do it again; if it stays, look at the device's log.",
    ..messages::NOT_POSSIBLE
};
const UNDER_WAY: Message = Message {
    title: "Another change of this device's network waits to be confirmed.",
    detail: "Confirm that one, or wait until the device has returned from it.",
    ..messages::NOT_POSSIBLE
};
const NOT_YET: Message = Message {
    title: "The change is not in force yet.",
    detail: "Confirm it a moment later, at the device's new address.",
    ..messages::NOT_POSSIBLE
};
const NOTHING: Message = Message {
    title: "No change of the network waits for this confirmation.",
    detail: "The device has returned to what was before, or somebody confirmed it; look at its network.",
    ..messages::EXPIRED
};
const PORT_TAKEN: &str = "Another program on the device has this port.";

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotManaged => Self::new(NOT_MANAGED),
            Refused::NoDhcp => Self::new(NO_DHCP),
            Refused::NoWayBack => Self::new(NO_WAY_BACK),
            Refused::OneAddress => Self::new(ONE_ADDRESS),
            Refused::Unreadable => Self::new(UNREADABLE),
            Refused::UnderWay { retry_after } => Self::new(UNDER_WAY).retry_after(retry_after),
            Refused::NotYet => Self::new(NOT_YET).retry_after(1),
            Refused::Nothing => Self::new(NOTHING),
            Refused::PortTaken(field) => {
                Self::new(Message { title: PORT_TAKEN, detail: "Give another one.", ..messages::MALFORMED })
                    .with("field", field)
            }
        }
    }
}

/// What is wrong with settings, and what to give in place of them.
pub(crate) fn bad(bad: BadNetwork) -> Malformed {
    let (title, detail) = match bad {
        BadNetwork::BesideDhcp => (
            "By DHCP a server on the link says address, gateway and resolvers.",
            "Ask for DHCP alone, or give an address.",
        ),
        BadNetwork::NoAddress => ("There is no address.", "Give one, with the length of its prefix."),
        BadNetwork::Address => ("No device can have this address.", "Give one of your network, such as 192.168.1.64."),
        BadNetwork::NetworkAddress => (
            "This is the address of the whole network, or of everybody in it.",
            "Give one between the network's first and last address.",
        ),
        BadNetwork::Bits => ("This is no length of a prefix.", "Give 1 to 31: 24 is the mask 255.255.255.0."),
        BadNetwork::Gateway => (
            "The gateway is not in the network of the address, or is that address.",
            "Give another host of the same network, or none.",
        ),
        BadNetwork::Dns => ("These cannot be resolvers.", "Give at most three addresses of hosts."),
        BadNetwork::Port => ("This is no port.", "Give 1 to 65535."),
        BadNetwork::LanPort => {
            ("This is no port, or this device has no socket of its own for the LAN tool.", "Give 1 to 65535, or none.")
        }
        BadNetwork::SamePorts => ("Both ports are the same.", "Give two."),
    };
    Malformed { field: bad.field(), title, detail }
}
