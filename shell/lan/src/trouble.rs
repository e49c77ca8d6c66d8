//! What keeps a search from finding, one line each.

use std::collections::BTreeSet;

use sparekey_discovery::{Door, Refused};

use crate::Finder;

/// Something that went wrong on an interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// A socket could not be had.
    Socket(Door, String),
    /// Nothing can be sent on an interface.
    Send(String, String),
}

impl Trouble {
    fn sentence(&self) -> String {
        match self {
            Self::Socket(door, error) => {
                let port = door.listens_on().map_or_else(String::new, |port| format!(" {port}"));
                format!("UDP port{port} cannot be listened on ({error}): stop the program that keeps it for itself.")
            }
            Self::Send(interface, error) if cfg!(target_os = "macos") => format!(
                "Nothing can be sent on {interface} ({error}): allow this program in System Settings, Privacy & Security, Local Network."
            ),
            Self::Send(interface, error) => {
                format!("Nothing can be sent on {interface} ({error}): a firewall on this computer may forbid it.")
            }
        }
    }
}

/// All there is to say about the network, what matters most first.
pub(crate) fn sentences(finder: &Finder, troubles: &BTreeSet<Trouble>) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    if finder.interfaces().is_empty() {
        sentences
            .push("No network interface is up with an address: plug in a cable, or join a Wi-Fi network.".to_owned());
    }
    sentences.extend(finder.search().findings().iter().map(|finding| finding.sentence(|index| finder.name_of(index))));
    sentences.extend(troubles.iter().map(Trouble::sentence));
    let hidden = finder.interfaces().iter().find(|interface| sparekey_link::hides_other_subnets(&interface.name));
    if let Some(interface) = hidden {
        sentences.push(format!(
            "The system hides IPv4 answers from other subnets on {} (rp_filter); IPv6 is not affected. To see them: sudo sysctl net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{}.rp_filter=0",
            interface.name, interface.name
        ));
    }
    if finder.search().refused().contains_key(&Refused::OffLink) {
        sentences.push("Answers that came through a router were left out: only this link is searched.".to_owned());
    }
    if finder.search().table().devices().len() == 0 && !finder.interfaces().is_empty() {
        let names: Vec<_> = finder.interfaces().iter().map(|interface| interface.name.as_str()).collect();
        sentences.push(format!(
            "Nobody answered on {}. Devices in another VLAN or behind a router cannot be seen from here; some switches and Wi-Fi networks hold multicast back.",
            names.join(", ")
        ));
    }
    sentences
}
