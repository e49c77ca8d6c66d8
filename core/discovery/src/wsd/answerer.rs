//! A device's side: whom it answers, and when.

use alloc::{collections::VecDeque, format, string::String, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use super::{Asks, DEVICE, Endpoint, NETWORK, Probe, write::Saying};
use crate::{Asker, Family, Link, Outgoing, Refused, To, search::mix};

/// An answer waits a random time up to this (WS-Discovery section 2.4, APP_MAX_DELAY).
const SPREAD: u64 = 500;
/// So long waits the answer to who asked by multicast DNS as well: by then he says whether he knows.
const SECOND_CHANCE: u64 = 1_500;
/// What he said before counts as well, if it was so short a time ago: not what an earlier search of his said.
const SAID_BEFORE: u64 = 1_200;
/// Hello and Bye are said twice, with this between (SOAP over UDP section 4.1 allows for more).
const AGAIN: u64 = 250;
/// Answers that wait; probes that are remembered, for each comes several times.
const MOST: usize = 64;
const REMEMBERED: usize = 64;
/// Answers that leave in a second.
const EACH_SECOND: u32 = 50;

#[derive(Debug)]
struct Waiting {
    due: u64,
    interface: u32,
    to: To,
    /// The probe's number; a hello has none.
    probe: Option<String>,
    /// Not to be answered if he said by then, and no earlier than this, that he knows.
    unless_known: Option<(IpAddr, u64)>,
}

/// A device's side of WS-Discovery. Give it what arrives and send what it says, as with [`crate::mdns::Responder`].
#[derive(Debug)]
pub struct Answerer {
    endpoint: Endpoint,
    links: Vec<Link>,
    waiting: Vec<Waiting>,
    heard: VecDeque<(u32, String)>,
    count: u64,
    chance: u64,
    second: u64,
    sent: u32,
}

impl Answerer {
    /// One on no link yet. `seed` spreads its answers in time and numbers its messages; it need not be secret.
    #[must_use]
    pub fn new(endpoint: Endpoint, seed: u64) -> Self {
        let (links, waiting, heard) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { endpoint, links, waiting, heard, count: 0, chance: seed, second: 0, sent: 0 }
    }

    /// The links it answers on now. New ones, and those whose addresses changed, are told.
    pub fn set_links(&mut self, links: &[Link], now: u64) {
        for link in links.iter().filter(|link| !self.links.contains(link)) {
            for family in Family::BOTH.into_iter().filter(|family| link.speaks(*family)) {
                for due in [now, now + AGAIN] {
                    let to = To::Group(family);
                    self.waiting.push(Waiting { due, interface: link.interface, to, probe: None, unless_known: None });
                }
            }
        }
        self.links = links.to_vec();
        self.waiting.retain(|waiting| links.iter().any(|link| link.interface == waiting.interface));
    }

    /// Takes a search. `asked_by_mdns` says that its sender asked by multicast DNS a moment ago.
    ///
    /// # Errors
    /// [`Refused`]: it is not from this link, or not for this device.
    pub fn handle(
        &mut self,
        probe: Probe,
        asker: Asker,
        to_all: bool,
        asked_by_mdns: bool,
        now: u64,
    ) -> Result<(), Refused> {
        let link = self.links.iter().find(|link| link.interface == asker.interface).ok_or(Refused::NotAnAnswer)?;
        let address = asker.address.ip().to_canonical();
        let near = link.reaches(address) && !link.owns(address);
        // An answer to a stranger's address would make this device throw stones for whoever forges it.
        if !near && !to_all {
            return Err(Refused::OffLink);
        }
        if !self.is_meant(&probe) {
            return Err(Refused::NotAnAnswer);
        }
        let heard = (asker.interface, probe.id.clone());
        if self.heard.contains(&heard) || self.waiting.len() >= MOST {
            return Ok(());
        }
        if self.heard.len() == REMEMBERED {
            self.heard.pop_front();
        }
        self.heard.push_back(heard);
        let both = match Asks::of(&probe.id) {
            Asks::Both if asked_by_mdns => return Ok(()),
            asks => asked_by_mdns && asks == Asks::BothTwice,
        };
        let spread = mix(&mut self.chance) % SPREAD;
        let due = now + if both { SECOND_CHANCE + spread / 5 } else { spread };
        let to = if near { To::Peer(asker.address) } else { To::Group(Family::of(address)) };
        let unless_known = both.then_some((asker.address.ip(), now.saturating_sub(SAID_BEFORE)));
        self.waiting.push(Waiting { due, interface: asker.interface, to, probe: Some(probe.id), unless_known });
        Ok(())
    }

    /// Whether all types and scopes that are asked for are this device's.
    fn is_meant(&self, probe: &Probe) -> bool {
        let ours = [(NETWORK, "NetworkVideoTransmitter"), (DEVICE, "Device")];
        let has_type = |(namespace, name): &(String, String)| ours.contains(&(namespace, name));
        let has_scope = |wanted: &String| {
            self.endpoint.scopes.iter().any(|scope| {
                scope
                    .strip_prefix(wanted.trim_end_matches('/'))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        probe.types.iter().all(has_type)
            && (probe.scopes.is_empty() || probe.scopes_known && probe.scopes.iter().all(has_scope))
    }

    /// What is to be sent by now. `knows` tells of who asked by multicast DNS whether he said, since a time, that he knows this device.
    pub fn poll(&mut self, now: u64, mut knows: impl FnMut(u32, IpAddr, u64) -> bool) -> Vec<Outgoing> {
        if now / 1_000 != self.second {
            (self.second, self.sent) = (now / 1_000, 0);
        }
        let due: Vec<_> = self.waiting.extract_if(.., |waiting| waiting.due <= now).collect();
        let mut outgoing = Vec::new();
        for Waiting { interface, to, probe, unless_known, .. } in due {
            if unless_known.is_some_and(|(asker, since)| knows(interface, asker, since)) || self.sent >= EACH_SECOND {
                continue;
            }
            self.sent += u32::from(probe.is_some());
            outgoing.extend(self.say(interface, to, |saying| match &probe {
                Some(probe) => saying.matches(probe),
                None => saying.hello(),
            }));
        }
        outgoing
    }

    /// When [`Answerer::poll`] next has something.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        self.waiting.iter().map(|waiting| waiting.due).min()
    }

    /// Takes it off every list: what is to be sent before the sockets close.
    pub fn goodbye(&mut self) -> Vec<Outgoing> {
        let places = self.links.iter().flat_map(|link| {
            let families = Family::BOTH.into_iter().filter(|family| link.speaks(*family));
            families.map(|family| (link.interface, To::Group(family))).collect::<Vec<_>>()
        });
        let places: Vec<_> = places.collect();
        places.into_iter().filter_map(|(interface, to)| self.say(interface, to, |saying| saying.bye())).collect()
    }

    fn say(&mut self, interface: u32, to: To, how: impl FnOnce(&Saying) -> Vec<u8>) -> Option<Outgoing> {
        let link = self.links.iter().find(|link| link.interface == interface)?;
        let family = match to {
            To::Group(family) => family,
            To::Peer(peer) => Family::of(peer.ip().to_canonical()),
            To::Broadcast => Family::V4,
        };
        let mut number = [0; 16];
        number[..8].copy_from_slice(&mix(&mut self.chance).to_be_bytes());
        number[8..].copy_from_slice(&mix(&mut self.chance).to_be_bytes());
        self.count += 1;
        let saying = Saying {
            endpoint: &self.endpoint,
            addresses: &urls(link, family, self.endpoint.port),
            number,
            count: self.count,
        };
        Some(Outgoing { bytes: how(&saying), interface, to })
    }
}

/// Where its web interface answers on a link: first by the kind of address that was asked by.
fn urls(link: &Link, first: Family, port: u16) -> String {
    let v4 = link.v4.iter().map(|own| IpAddr::V4(own.address));
    let v6 = link.v6.iter().copied().map(IpAddr::V6);
    let mut addresses: Vec<_> = v4.chain(v6).collect();
    addresses.sort_by_key(|address| Family::of(*address) != first);
    let urls =
        addresses.into_iter().map(|address| format!("https://{}/onvif/device_service", SocketAddr::new(address, port)));
    urls.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
