//! The device found again after a change, and held to be the same by its key.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use sparekey_discovery::Link;

use super::{Begun, InForce, Surroundings, Visit, Wanted};
use crate::{
    LanError,
    device::{Address, Belief, CallError, Device},
};

const STEP: Duration = Duration::from_millis(100);
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(10);
/// After its time a device needs some seconds to return.
const TO_RETURN: Duration = Duration::from_secs(30);

/// A device that came back, and keeps its new settings.
#[derive(Debug)]
pub struct Back {
    /// It, at the address where it was found.
    pub device: Device,
    /// How long that took.
    pub after: Duration,
}

/// A device that did not come back: it returns to its old settings by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Its time is over, and nobody answered.
    Silent,
    /// It returned before its time: its system did not take the settings.
    Returned,
}

impl Surroundings {
    /// Looks for the device where it has to be now, and confirms the change to it. Its key must be that of `before`: whoever else answers is told
    /// nothing.
    ///
    /// # Errors
    /// [`LanError`] of the search.
    pub fn find_again(
        &mut self,
        before: &Device,
        begun: &Begun,
        belief: &Belief<'_>,
    ) -> Result<Result<Back, Lost>, LanError> {
        let Begun { was, wanted, .. } = begun;
        let port = wanted.lan.or(was.lan).or(wanted.main).unwrap_or(was.main);
        let end = begun.at + begun.within;
        // Its word may have been heard, and the answer lost.
        let mut may_be_done = false;
        while Instant::now() < end {
            self.finder.step(STEP)?;
            for address in self.places(before, wanted, port) {
                let Ok(device) = Device::meet(address, Some(before.serial()), belief) else { continue };
                if device.id() != before.id() {
                    continue;
                }
                let body = json!({ "confirmation": begun.confirmation });
                match device.call("POST", "/api/v1/network/confirmation", Some(&body), None, PATIENCE) {
                    Ok(_) => return Ok(Ok(Back { device, after: begun.at.elapsed() })),
                    Err(CallError::Refused(problem)) if problem.name == "expired" => {
                        let back = Back { device, after: begun.at.elapsed() };
                        return Ok(if may_be_done { Ok(back) } else { Err(Lost::Returned) });
                    }
                    Err(CallError::Refused(_)) => {}
                    Err(_) => may_be_done = true,
                }
            }
            thread::sleep(PAUSE);
        }
        Ok(Err(Lost::Silent))
    }

    /// Waits until the device is back with what was in force before, and proves it with a login: where it answers. `None` if it is not seen.
    ///
    /// # Errors
    /// [`LanError`] of the search.
    pub fn find_returned(
        &mut self,
        before: &Device,
        begun: &Begun,
        belief: &Belief<'_>,
        (username, password): (&str, &str),
    ) -> Result<Option<Address>, LanError> {
        let end = begun.at + begun.within + TO_RETURN;
        let port = before.address().port();
        while Instant::now() < end {
            self.finder.step(STEP)?;
            let link_local =
                self.link_local(before).into_iter().filter_map(|(address, on)| link_local(address, &on, port));
            let places: Vec<_> = [before.address().clone()].into_iter().chain(link_local).collect();
            for address in places {
                let Ok(device) = Device::meet(address, Some(before.serial()), belief) else { continue };
                if device.id() != before.id() {
                    continue;
                }
                let Ok(visit) = Visit::begin(device, username, password) else { continue };
                // A server may lend another address than before.
                let is_as_before = |now: &InForce| *now == begun.was || (now.dhcp && begun.was.dhcp);
                if visit.in_force().is_ok_and(|now| is_as_before(&now)) {
                    return Ok(Some(visit.device().address().clone()));
                }
            }
            thread::sleep(PAUSE);
        }
        Ok(None)
    }

    /// Where the device has to be reached for its new settings to be right.
    fn places(&self, before: &Device, wanted: &Wanted, port: u16) -> Vec<Address> {
        let v4 = places(wanted, &self.v4(before), &self.links_of(before));
        let mut all: Vec<_> = v4.iter().filter_map(|v4| Address::read(&v4.to_string(), Some(port)).ok()).collect();
        if all.is_empty() || wanted.dhcp {
            all.extend(self.link_local(before).into_iter().filter_map(|(address, on)| link_local(address, &on, port)));
        }
        if !wanted.moves() || before.address().ip().is_ipv6() && (all.is_empty() || wanted.dhcp) {
            all.push(before.address().with_port(port));
        }
        all
    }
}

/// The IPv4 addresses by which this computer reaches the device, once its settings are in force.
fn places(wanted: &Wanted, seen: &[Ipv4Addr], links: &[Link]) -> Vec<Ipv4Addr> {
    let expected = match wanted.address {
        Some((address, _)) => vec![address],
        None => seen.to_vec(),
    };
    expected.into_iter().filter(|address| links.iter().any(|link| link.reaches(IpAddr::V4(*address)))).collect()
}

fn link_local(address: Ipv6Addr, on: &str, port: u16) -> Option<Address> {
    Address::read(&format!("{address}%{on}"), Some(port)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparekey_discovery::Prefix;

    #[test]
    fn an_address_of_ones_own_network_has_to_answer_itself() {
        let v4 = |text: &str| text.parse::<Ipv4Addr>().unwrap();
        let own = Prefix { address: v4("10.0.0.5"), bits: 24 };
        let links = [Link { interface: 2, v4: vec![own], v6: vec![] }];
        let to = |address: &str| Wanted { address: Some((v4(address), 24)), ..Wanted::default() };
        let dhcp = Wanted { dhcp: true, ..Wanted::default() };
        let port = Wanted { lan: Some(9), ..Wanted::default() };
        for (wanted, seen, expected) in [
            (&to("10.0.0.70"), &["10.0.0.64"][..], &["10.0.0.70"][..]),
            (&to("192.168.1.70"), &["10.0.0.64"], &[]),
            (&dhcp, &["10.0.0.99"], &["10.0.0.99"]),
            (&dhcp, &["192.168.1.99"], &[]),
            (&port, &["10.0.0.64"], &["10.0.0.64"]),
        ] {
            let seen: Vec<_> = seen.iter().map(|text| v4(text)).collect();
            let expected: Vec<_> = expected.iter().map(|text| v4(text)).collect();
            assert_eq!(places(wanted, &seen, &links), expected, "{wanted:?}");
        }
    }
}
