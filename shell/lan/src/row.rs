//! A device as it is shown.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;
use sparekey_discovery::{Device, Dialect, Label, Reach, State};

use crate::Finder;

/// What is known of one device. Every text was made fit to be shown; nothing of it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its serial number.
    pub serial: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// `inactive` or `active`, where it says so.
    pub state: Option<&'static str>,
    /// Where it is reached, IPv4 first; link-local ones with their interface.
    pub addresses: Vec<String>,
    /// A hardware address.
    pub mac: Option<String>,
    /// The interface it was first heard on.
    pub interface: String,
    /// All of them.
    pub interfaces: Vec<String>,
    /// The dialects that it answered in: `mdns`, `sadp`, `dahua`, `onvif`.
    pub found_by: Vec<&'static str>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// When it started, as it tells it: seconds for Sparekey devices, a text of its own clock for others.
    pub start_time: Option<String>,
    /// Ways back in that are ready (Sparekey devices).
    pub methods: Vec<String>,
    /// Its ports.
    pub ports: Vec<Port>,
    /// Whether its address comes by DHCP.
    pub dhcp: Option<bool>,
    /// What keeps this computer from reaching it by IPv4.
    pub network: Option<String>,
    /// The device id of a Sparekey device (protocol section 1).
    pub device_id: Option<String>,
    /// What its vendor's answer says besides, by the names there.
    pub remarks: BTreeMap<&'static str, String>,
    /// When it was first and last heard, in seconds since 1970.
    pub first_seen: u64,
    /// See above.
    pub last_seen: u64,
    /// Whether it said goodbye or has been silent for long.
    pub gone: bool,
    /// Its number in the table: never another device's.
    #[serde(skip)]
    pub id: u32,
    /// Whether it came within the last moments.
    #[serde(skip)]
    pub is_new: bool,
}

/// What answers on a port, as far as its device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// `http`, `https`, `control`, `control-tls`, `sparekey`.
    pub name: &'static str,
    /// Its number.
    pub port: u16,
}

/// So long a row counts as new, in milliseconds.
const NEW: u64 = 5_000;
/// A search's first rows are not called new: all of them are.
const BEGINNING: u64 = 3_000;

impl Row {
    pub(crate) fn new(device: &Device, finder: &Finder) -> Self {
        let now = finder.now();
        let text = |label: Option<&Label>| label.map(ToString::to_string);
        let interfaces: Vec<String> = device.interfaces().into_iter().map(|index| finder.name_of(index)).collect();
        let seen = |at: u64| {
            let at = finder.began_at() + Duration::from_millis(at);
            at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
        };
        let shown = |(address, interface): (IpAddr, u32)| match address {
            IpAddr::V6(v6) if Ipv6Addr::is_unicast_link_local(&v6) => format!("{v6}%{}", finder.name_of(interface)),
            other => other.to_string(),
        };
        let mut addresses: Vec<String> = device.addresses().into_iter().map(shown).collect();
        addresses.dedup();
        let reach = Reach::of(device, finder.search().links());
        Self {
            serial: text(device.serial()),
            vendor: text(device.vendor()),
            model: text(device.model()),
            name: text(device.name()),
            state: device.state().map(State::name),
            addresses,
            mac: device.mac().map(|mac| mac.to_string()),
            interface: interfaces.first().cloned().unwrap_or_default(),
            interfaces,
            found_by: device.found_by().into_iter().map(Dialect::name).collect(),
            firmware: text(device.firmware()),
            start_time: text(device.started()),
            methods: device.ways().iter().map(ToString::to_string).collect(),
            ports: device.ports().into_iter().map(|(name, port)| Port { name, port }).collect(),
            dhcp: device.dhcp(),
            network: reach.and_then(|reach| reach.sentence(|index| finder.name_of(index))),
            device_id: text(device.sparekey_id()),
            remarks: device.remarks().iter().map(|(name, value)| (*name, value.to_string())).collect(),
            first_seen: seen(device.first),
            last_seen: seen(device.last),
            gone: device.is_gone(now),
            id: device.id,
            is_new: device.first > BEGINNING && now.saturating_sub(device.first) < NEW,
        }
    }

    /// The cells of a list, as [`COLUMNS`] names them.
    #[must_use]
    pub fn cells(&self) -> [String; COLUMNS.len()] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let ports: Vec<_> = self.ports.iter().map(|Port { name, port }| format!("{name} {port}")).collect();
        [
            if self.gone { "gone".to_owned() } else { self.state.unwrap_or_default().to_owned() },
            text(&self.vendor),
            text(&self.model),
            text(&self.serial),
            text(&self.name),
            self.addresses.join(" "),
            text(&self.mac),
            self.interfaces.join(" "),
            text(&self.firmware),
            text(&self.start_time),
            self.methods.join(" "),
            ports.join(", "),
            self.found_by.join(" "),
            self.last_seen.to_string(),
            text(&self.network),
        ]
    }

    /// Whether every word stands somewhere in it, whatever the case.
    #[must_use]
    pub fn matches(&self, words: &str) -> bool {
        let all = self.cells().join("\n").to_lowercase();
        words.to_lowercase().split_whitespace().all(|word| all.contains(word))
    }
}

/// The columns of a list. Programs read them by name: they stay.
pub const COLUMNS: [&str; 15] = [
    "state",
    "vendor",
    "model",
    "serial",
    "name",
    "addresses",
    "mac",
    "interface",
    "firmware",
    "start_time",
    "methods",
    "ports",
    "found_by",
    "last_seen",
    "network",
];
