//! What is around the device: who has which address, and by which of them it can come back.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

use sparekey_discovery::{Device as Seen, Link};

use crate::{Finder, LanError, device::Device};

/// A search ends by itself; this is the bound.
const LONGEST: Duration = Duration::from_secs(6);
const STEP: Duration = Duration::from_millis(100);

/// How an address would be reached from this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// By itself: it is in a network of this computer's.
    Directly,
    /// Not by itself, but the device by IPv6 link-local. With this computer's own address there.
    LinkLocal(String),
    /// Not at all. With this computer's own address there.
    Not(String),
}

/// The link, as a search sees it.
#[derive(Debug)]
pub struct Surroundings {
    pub(super) finder: Finder,
}

impl Surroundings {
    /// Searches the link.
    ///
    /// # Errors
    /// [`LanError`]
    pub fn look() -> Result<Self, LanError> {
        let mut finder = Finder::new(Vec::new())?;
        let end = Instant::now() + LONGEST;
        while Instant::now() < end && !finder.is_over() {
            finder.step(STEP)?;
        }
        Ok(Self { finder })
    }

    /// Who else has an address, for people; nobody that was seen if `None`.
    #[must_use]
    pub fn holder_of(&self, address: Ipv4Addr, device: &Device) -> Option<String> {
        let own = self.finder.search().links().iter().any(|link| link.owns(address.into()));
        if own {
            return Some("this computer".to_owned());
        }
        let now = self.finder.now();
        let others = self.finder.search().table().devices().filter(|seen| !is(seen, device) && !seen.is_gone(now));
        let mut holders = others.filter(|seen| seen.addresses().iter().any(|(other, _)| *other == IpAddr::V4(address)));
        holders.next().map(|seen| {
            let name = seen.serial().or(seen.name()).or(seen.model()).or(seen.vendor());
            name.map_or_else(|| "another device".to_owned(), ToString::to_string)
        })
    }

    /// How the device will be reached at an address.
    #[must_use]
    pub fn reaches(&self, address: Ipv4Addr, device: &Device) -> Reached {
        let links = self.links_of(device);
        if links.iter().any(|link| link.reaches(address.into())) {
            return Reached::Directly;
        }
        let own = links.iter().find_map(|link| link.v4.first());
        let own = own.map_or_else(|| "no IPv4 address".to_owned(), |own| format!("{}/{}", own.address, own.bits));
        if self.link_local(device).is_empty() { Reached::Not(own) } else { Reached::LinkLocal(own) }
    }

    /// The links that the device is on; all of this computer's where it was not seen.
    pub(super) fn links_of(&self, device: &Device) -> Vec<Link> {
        let links = self.finder.search().links();
        let on: Vec<u32> = self.seen(device).flat_map(|seen| seen.interfaces()).collect();
        links.iter().filter(|link| on.is_empty() || on.contains(&link.interface)).cloned().collect()
    }

    /// The device's link-local addresses, each with the name of its interface.
    pub(super) fn link_local(&self, device: &Device) -> Vec<(Ipv6Addr, String)> {
        let mut all = Vec::new();
        for (address, interface) in self.seen(device).flat_map(Seen::addresses) {
            let IpAddr::V6(v6) = address else { continue };
            let found = (v6, self.finder.name_of(interface));
            if v6.is_unicast_link_local() && !all.contains(&found) {
                all.push(found);
            }
        }
        all
    }

    /// The device's IPv4 addresses, as it says now.
    pub(super) fn v4(&self, device: &Device) -> Vec<Ipv4Addr> {
        self.seen(device).filter_map(|seen| seen.v4().map(|(address, ..)| address)).collect()
    }

    fn seen(&self, device: &Device) -> impl Iterator<Item = &Seen> {
        self.finder.search().table().devices().filter(move |seen| is(seen, device))
    }
}

/// Whether a row of the search claims to be this device. Whether it is, is proven when it is met.
fn is(seen: &Seen, device: &Device) -> bool {
    let id = device.id().to_string();
    seen.sparekey_id().is_some_and(|claimed| claimed.as_str().eq_ignore_ascii_case(&id))
}
