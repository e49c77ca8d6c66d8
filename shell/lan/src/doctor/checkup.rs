//! A checkup: this computer, its link, and the devices on it or one of them.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use serde_json::Value;
use sparekey_discovery::{
    Device as Seen, Reach,
    diagnosis::{Asked, Call, Cause, Look, Machine, Medium, Nic, Outcome, Weight, What},
};

use super::{Finding, findings, look};
use crate::{
    Finder, Row,
    device::{Address, Belief, CallError, Device, MeetError},
};

/// Devices that are called where none is named, for their clocks and their ways in.
const MAX_CALLED: usize = 16;
/// Addresses of one device that are called.
const MAX_ADDRESSES: usize = 4;

/// One interface, and what it sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// The system's name of it.
    pub name: String,
    /// `cable`, `Wi-Fi`, `bridge`, `VLAN 20 of eth0`, `second face of eth0`, `virtual cable`, `tunnel`.
    pub medium: String,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether somebody is at the other end.
    pub carrier: bool,
    /// Whether it was searched.
    pub searched: bool,
    /// The longest packet in bytes; 0 where the system does not tell.
    pub mtu: u32,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Its addresses: IPv4 with their prefix, and the link-local ones.
    pub addresses: Vec<String>,
    /// The bridge that it is a port of.
    pub bridge: Option<String>,
    /// How many devices were heard on it.
    pub devices: usize,
    /// How many of them by which dialect.
    pub found_by: BTreeMap<&'static str, usize>,
}

impl Interface {
    fn of(nic: &Nic, finder: &Finder) -> Self {
        let index = nic.link.interface;
        let heard: Vec<_> =
            finder.search().table().devices().filter(|device| device.interfaces().contains(&index)).collect();
        let mut found_by = BTreeMap::new();
        for dialect in heard.iter().flat_map(|device| device.found_by()) {
            *found_by.entry(dialect.name()).or_default() += 1;
        }
        let v4 = nic.link.v4.iter().map(|own| format!("{}/{}", own.address, own.bits));
        Self {
            name: nic.name.clone(),
            medium: match &nic.medium {
                Medium::Cable => "cable".to_owned(),
                Medium::Wifi => "Wi-Fi".to_owned(),
                Medium::Bridge => "bridge".to_owned(),
                Medium::Vlan(of, Some(number)) => format!("VLAN {number} of {of}"),
                Medium::Vlan(of, None) => format!("VLAN of {of}"),
                Medium::Shares(of) => format!("second face of {of}"),
                Medium::Pair => "virtual cable".to_owned(),
                Medium::Tunnel => "tunnel".to_owned(),
            },
            up: nic.up,
            carrier: nic.carrier,
            searched: finder.interfaces().iter().any(|interface| interface.link.interface == index),
            mtu: nic.mtu,
            mac: nic.mac.map(|mac| mac.to_string()),
            addresses: v4.chain(nic.link.v6.iter().map(ToString::to_string)).collect(),
            bridge: nic.bridge.clone(),
            devices: heard.len(),
            found_by,
        }
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let mut words = vec![self.medium.clone()];
        match (self.up, self.carrier) {
            (false, _) => words.push("switched off".to_owned()),
            (true, false) => words.push("nothing plugged in".to_owned()),
            (true, true) => {}
        }
        words.extend(self.bridge.as_ref().map(|bridge| format!("port of {bridge}")));
        words.extend((self.mtu > 0).then(|| format!("MTU {}", self.mtu)));
        words.push(if self.addresses.is_empty() { "no address".to_owned() } else { self.addresses.join(" ") });
        if self.searched {
            let by: Vec<_> = self.found_by.iter().map(|(name, count)| format!("{name} {count}")).collect();
            let devices = if self.devices == 1 { "1 device".to_owned() } else { format!("{} devices", self.devices) };
            words.push(if by.is_empty() { devices } else { format!("{devices} ({})", by.join(", ")) });
        } else {
            words.push("not searched".to_owned());
        }
        format!("{}: {}", self.name, words.join(", "))
    }
}

/// A device that was called.
#[derive(Debug)]
pub struct Visit {
    /// Its serial number, as it was asked for or as it says.
    pub serial: Option<String>,
    /// Where it answered.
    pub reached: Option<Address>,
    /// What it says of itself (`GET /api/v1/device`), proven by its key.
    pub description: Option<Value>,
    row: Option<u32>,
    calls: Vec<Call>,
    ahead: Option<i64>,
    refused: Vec<Finding>,
}

impl Visit {
    /// Calls all these addresses at once. Nothing is changed, and no key is remembered.
    fn pay(serial: Option<String>, row: Option<u32>, addresses: &[Address], belief: &Belief<'_>) -> Self {
        let mut visit =
            Self { serial, reached: None, description: None, row, calls: Vec::new(), ahead: None, refused: Vec::new() };
        let asked = visit.serial.clone();
        let answers: Vec<_> = thread::scope(|scope| {
            let call = |address: &Address| {
                let (address, serial) = (address.clone(), asked.as_deref());
                scope.spawn(move || Device::look(address, serial, belief).map(|device| (device, seconds())))
            };
            let calls: Vec<_> = addresses.iter().take(MAX_ADDRESSES).map(|address| (address, call(address))).collect();
            let ended = |(address, call): (&Address, thread::ScopedJoinHandle<'_, _>)| {
                (address.clone(), call.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            };
            calls.into_iter().map(ended).collect()
        });
        for (address, answer) in answers {
            let (place, interface) = address.place();
            let outcome = match answer {
                Ok((device, now)) => {
                    if visit.reached.is_none() {
                        visit.ahead = device.description()["device_time"]
                            .as_u64()
                            .map(|time| i64::try_from(time).unwrap_or(i64::MAX).saturating_sub(now));
                        visit.description = Some(device.description().clone());
                        visit.serial = Some(device.serial().to_owned());
                        visit.reached = Some(address);
                    }
                    Outcome::Answered
                }
                Err(error) => {
                    let outcome = outcome(&error);
                    if !matches!(error, MeetError::Call(_)) {
                        visit.refused.push(refusal(&error, visit.serial.clone()));
                    }
                    outcome
                }
            };
            visit.calls.push(Call { address: place, interface, outcome });
        }
        visit
    }
}

fn seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn outcome(error: &MeetError) -> Outcome {
    match error {
        MeetError::Call(error) => of_call(error),
        _ => Outcome::Answered,
    }
}

fn of_call(error: &CallError) -> Outcome {
    match error {
        CallError::Unreachable(_, _, kind) => match kind {
            ErrorKind::ConnectionRefused => Outcome::Refused,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable => Outcome::NoWay,
            _ => Outcome::Silent,
        },
        CallError::Unreadable(_) => Outcome::Stranger,
        CallError::Refused(_) | CallError::System(_) => Outcome::Answered,
    }
}

/// A device that is there and not believed.
fn refusal(error: &MeetError, serial: Option<String>) -> Finding {
    let text = error.to_string();
    let (happened, mend) = text.split_once('\n').unwrap_or((&text, ""));
    Finding {
        name: error.name_of_tool(),
        hinders: true,
        happened: format!("{}.", happened.trim_end_matches('.')),
        mend: mend.to_owned(),
        command: None,
        interface: None,
        serial,
        address: None,
        weight: Weight::Hinders,
    }
}

/// All there is to tell.
#[derive(Debug)]
pub struct Checkup {
    /// The interfaces, in the order of their numbers.
    pub interfaces: Vec<Interface>,
    /// What is wrong or worth knowing, the likeliest first.
    pub findings: Vec<Finding>,
    /// The Sparekey devices that were called.
    pub visits: Vec<Visit>,
}

impl Checkup {
    /// Of the whole link, after a search. It calls the Sparekey devices that were found, some of them if there are many.
    #[must_use]
    pub fn of_link(finder: &mut Finder, belief: &Belief<'_>) -> Self {
        let rows: Vec<_> =
            finder.rows().into_iter().filter(|row| !row.gone && row.device_id.is_some()).take(MAX_CALLED).collect();
        let visits: Vec<_> = thread::scope(|scope| {
            let visit = |row: &Row| {
                let (serial, id, addresses) = (row.serial.clone(), row.id, addresses(row));
                scope.spawn(move || Visit::pay(serial, Some(id), &addresses, belief))
            };
            let visits: Vec<_> = rows.iter().map(visit).collect();
            let ended = |visit: thread::ScopedJoinHandle<'_, _>| {
                visit.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            visits.into_iter().map(ended).collect()
        });
        Self::new(finder, visits, |_, _, _| true)
    }

    /// Of one device, after a search: by its serial number, by an address that it is said to have, or both.
    #[must_use]
    pub fn of_device(
        finder: &mut Finder,
        serial: Option<&str>,
        address: Option<&Address>,
        belief: &Belief<'_>,
    ) -> Self {
        let place = address.map(|address| address.place().0.to_string());
        let is_it = |row: &&Row| {
            serial.is_some_and(|serial| row.serial.as_deref() == Some(serial))
                || serial.is_none() && row.addresses.iter().any(|own| Some(own) == place.as_ref())
        };
        let rows: Vec<_> = finder.rows().into_iter().filter(|row| !row.gone).filter(|row| is_it(&row)).collect();
        let mut visits: Vec<_> = rows
            .iter()
            .map(|row| {
                // Another vendor's device is listed, and never spoken to.
                let called = if row.device_id.is_some() { addresses(row) } else { Vec::new() };
                let named = address.filter(|address| row.device_id.is_some() && !called.contains(address)).cloned();
                let called: Vec<_> = named.into_iter().chain(called).collect();
                Visit::pay(row.serial.clone(), Some(row.id), &called, belief)
            })
            .collect();
        if visits.is_empty() {
            let called: Vec<_> = address.cloned().into_iter().collect();
            visits.push(Visit::pay(serial.map(str::to_owned), None, &called, belief));
        }
        Self::new(finder, visits, concerns)
    }

    fn new(finder: &mut Finder, visits: Vec<Visit>, concerns: impl Fn(&Cause, &[&Seen], bool) -> bool) -> Self {
        // Who answers for which address, the calls have found out.
        if let Err(error) = finder.look_here() {
            tracing::debug!(%error, "the network interfaces cannot be read again");
        }
        let table = finder.search().table();
        let seen = |visit: &Visit| visit.row.and_then(|id| table.device(id));
        let asked: Vec<_> =
            visits.iter().map(|visit| Asked { device: seen(visit), calls: &visit.calls, ahead: visit.ahead }).collect();
        let devices: Vec<_> = visits.iter().filter_map(seen).collect();
        let reached = visits.iter().any(|visit| visit.reached.is_some());
        let refused = visits.iter().flat_map(|visit| visit.refused.iter().cloned());
        let mut findings: Vec<_> = refused.collect();
        findings.extend(finder.findings_that(&asked, |cause| concerns(cause, &devices, reached)));
        // Who else answers at an address is seldom the reason, and mostly follows from it.
        findings.sort_by_key(|finding| (finding.weight, finding.name == "other-device"));
        let interfaces = finder.machine().nics.iter().map(|nic| Interface::of(nic, finder)).collect();
        Self { interfaces, findings, visits }
    }

    /// The likeliest reason why something does not work; `None` if everything does.
    #[must_use]
    pub fn likeliest(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.hinders)
    }
}

/// Whether a cause matters for these devices, which one is asked about. If none was found, everything may; unless it is reached all the
/// same, at an address that was named.
fn concerns(cause: &Cause, devices: &[&Seen], reached: bool) -> bool {
    if devices.is_empty() && reached {
        return matches!(cause.what, What::OnlyV6(_) | What::Clock(_) | What::OwnClock(..) | What::SameNetwork(..));
    }
    if devices.is_empty() {
        return !matches!(cause.what, What::SharedAddress(_) | What::OtherSubnet(..)) && cause.device.is_none();
    }
    let is_on = |on: u32| devices.iter().any(|device| device.interfaces().contains(&on));
    let has = |address| devices.iter().any(|device| device.v4().is_some_and(|(own, ..)| own == address));
    match (&cause.what, cause.device, cause.interface) {
        (What::SharedAddress(address), ..) => has(*address),
        (What::OtherSubnet(Reach::LinkLocal { theirs, .. } | Reach::Elsewhere { theirs, .. }, _), ..) => has(theirs.0),
        (_, Some(id), _) => devices.iter().any(|device| device.id == id),
        (_, None, Some(on)) => is_on(on),
        (_, None, None) => true,
    }
}

/// Where a Sparekey device says to answer.
fn addresses(row: &Row) -> Vec<Address> {
    let port = row.ports.iter().find(|port| port.name == "sparekey").map(|port| port.port);
    row.addresses.iter().filter_map(|address| Address::read(address, port).ok()).collect()
}

/// What on this computer keeps devices from being found, out of what the system knows already. `None` if there is nothing to tell.
#[must_use]
pub fn of_this_computer() -> Option<Finding> {
    let machine = sparekey_link::machine().ok()?;
    findings(&look(&machine, None), |_| true).into_iter().find(|finding| finding.hinders)
}

/// The likeliest reason why a call to an address brought nothing, out of what the system knows already. `None` if there is none to tell.
#[must_use]
pub fn of_address(address: &Address, error: &CallError) -> Option<Finding> {
    let (place, interface) = address.place();
    let calls = [Call { address: place, interface, outcome: of_call(error) }];
    // To itself a computer speaks without any network.
    let (machine, only_calls) =
        if place.is_loopback() { (Machine::default(), true) } else { (sparekey_link::machine().ok()?, false) };
    let asked = [Asked { calls: &calls, ..Asked::default() }];
    let look = Look { asked: &asked, ..look(&machine, None) };
    let all = findings(&look, |cause| !only_calls || !matches!(cause.what, What::NoAdapter));
    all.into_iter().find(|finding| finding.hinders)
}
