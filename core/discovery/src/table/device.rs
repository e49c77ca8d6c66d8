//! One row: what each sender says about one device.

use alloc::{collections::BTreeSet, vec::Vec};
use core::net::{IpAddr, Ipv4Addr};

use crate::{
    Label, Mac,
    sighting::{Dialect, Sighting, Source, State},
};

/// Senders and dialects of one row: four dialects, two kinds of addresses, two interfaces.
const MAX_CLAIMS: usize = 16;
/// Addresses shown of one row.
const MAX_SHOWN: usize = 16;
/// Who was silent for so long has gone: three rounds.
const GONE_AFTER: u64 = 45_000;

/// What one sender said in one dialect.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) sighting: Sighting,
    first: u64,
    pub(super) last: u64,
}

/// A device, as far as anybody says. Where senders differ, the first one's word stands, dialects in their order.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its row: never another device's.
    pub id: u32,
    /// When it was first seen.
    pub first: u64,
    /// When it was last seen.
    pub last: u64,
    pub(super) added_by: Source,
    pub(super) claims: Vec<Claim>,
}

impl Device {
    pub(super) fn new(id: u32, added_by: Source, now: u64) -> Self {
        Self { id, first: now, last: now, added_by, claims: Vec::new() }
    }

    /// Notes what a sender says; whether there was room.
    pub(super) fn claim(&mut self, sighting: Sighting, now: u64) -> bool {
        self.last = self.last.max(now);
        let same =
            |claim: &&mut Claim| claim.sighting.dialect == sighting.dialect && claim.sighting.source == sighting.source;
        if let Some(claim) = self.claims.iter_mut().find(same) {
            (claim.sighting, claim.last) = (sighting, now);
            return true;
        }
        if self.claims.len() >= MAX_CLAIMS {
            return false;
        }
        self.claims.push(Claim { sighting, first: now, last: now });
        self.claims.sort_by_key(|claim| (claim.sighting.dialect, claim.first));
        true
    }

    /// One of its senders says goodbye in a dialect; whether it is one.
    pub(super) fn goodbye(&mut self, sighting: &Sighting) -> bool {
        let is_own =
            |claim: &Claim| claim.sighting.dialect == sighting.dialect && claim.sighting.source == sighting.source;
        let own = self.claims.iter().any(is_own);
        if own {
            for claim in self.claims.iter_mut().filter(|claim| claim.sighting.dialect == sighting.dialect) {
                claim.sighting.gone = true;
            }
        }
        own
    }

    /// Whether an answer cannot be of this device: in one dialect it has one identifier, and it has one serial number. Of hardware
    /// addresses it may have several, but not without a serial number that tells they belong together.
    pub(super) fn contradicts(&self, other: &Sighting) -> bool {
        let differ =
            |own: Option<&Label>, theirs: Option<&Label>| matches!((own, theirs), (Some(a), Some(b)) if a != b);
        self.claims.iter().map(|claim| &claim.sighting).any(|own| {
            let identifiers =
                own.dialect == other.dialect && differ(own.identifier.as_ref(), other.identifier.as_ref());
            let serials = differ(own.serial.as_ref(), other.serial.as_ref());
            let same_serial = own.serial.is_some() && own.serial == other.serial;
            let macs = matches!((own.mac, other.mac), (Some(a), Some(b)) if a != b) && !same_serial;
            identifiers || serials || macs
        })
    }

    pub(super) fn agrees(&self, other: &Self) -> bool {
        !other.claims.iter().any(|claim| self.contradicts(&claim.sighting))
    }

    fn said<'a, T: 'a>(&'a self, what: impl Fn(&'a Sighting) -> Option<T>) -> Option<T> {
        self.claims.iter().find_map(|claim| what(&claim.sighting))
    }

    /// What each sender says, dialects in their order.
    pub fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        self.claims.iter().map(|claim| &claim.sighting)
    }

    /// Who made it.
    #[must_use]
    pub fn vendor(&self) -> Option<&Label> {
        self.said(|sighting| sighting.vendor.as_ref())
    }

    /// Its model.
    #[must_use]
    pub fn model(&self) -> Option<&Label> {
        self.said(|sighting| sighting.model.as_ref())
    }

    /// Its serial number.
    #[must_use]
    pub fn serial(&self) -> Option<&Label> {
        self.said(|sighting| sighting.serial.as_ref())
    }

    /// Its firmware.
    #[must_use]
    pub fn firmware(&self) -> Option<&Label> {
        self.said(|sighting| sighting.firmware.as_ref())
    }

    /// What its owner calls it.
    #[must_use]
    pub fn name(&self) -> Option<&Label> {
        let given = self.claims.iter().filter(|claim| claim.sighting.dialect != Dialect::Mdns);
        given.filter_map(|claim| claim.sighting.name.as_ref()).next().or_else(|| self.said(|s| s.name.as_ref()))
    }

    /// Whether it has an owner.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        self.said(|sighting| sighting.state)
    }

    /// A hardware address of it.
    #[must_use]
    pub fn mac(&self) -> Option<Mac> {
        let of_link_local = |(address, _): (IpAddr, u32)| match address {
            IpAddr::V6(v6) => Mac::of_link_local(v6),
            IpAddr::V4(_) => None,
        };
        self.said(|sighting| sighting.mac).or_else(|| self.addresses().into_iter().find_map(of_link_local))
    }

    /// Its id, if it says to be a Sparekey device (protocol section 1), in hexadecimal digits. Its certificate tells whether it is.
    #[must_use]
    pub fn sparekey_id(&self) -> Option<&Label> {
        self.said(|sighting| sighting.identifier.as_ref().filter(|_| sighting.dialect == Dialect::Mdns))
    }

    /// The ways back in that are ready, as a Sparekey device says.
    #[must_use]
    pub fn ways(&self) -> &[Label] {
        self.said(|sighting| (!sighting.ways.is_empty()).then_some(&sighting.ways[..])).unwrap_or_default()
    }

    /// When it started, as it says it.
    #[must_use]
    pub fn started(&self) -> Option<&Label> {
        self.said(|sighting| sighting.started.as_ref())
    }

    /// Whether it gets its address by DHCP.
    #[must_use]
    pub fn dhcp(&self) -> Option<bool> {
        self.said(|sighting| sighting.dhcp)
    }

    /// Its ports, by what answers there.
    #[must_use]
    pub fn ports(&self) -> Vec<(&'static str, u16)> {
        let all: BTreeSet<_> = self.sightings().flat_map(|sighting| sighting.ports.iter().copied()).collect();
        all.into_iter().collect()
    }

    /// What its vendor's answer says besides.
    #[must_use]
    pub fn remarks(&self) -> &[(&'static str, Label)] {
        self.said(|sighting| (!sighting.remarks.is_empty()).then_some(&sighting.remarks[..])).unwrap_or_default()
    }

    /// Where it is reached, each with the interface it is reached by: IPv4 first. What it says it has, and where its answers came
    /// from.
    #[must_use]
    pub fn addresses(&self) -> Vec<(IpAddr, u32)> {
        let mut addresses = Vec::new();
        for sighting in self.sightings() {
            let Source { interface, address } = sighting.source;
            for address in sighting.addresses.iter().copied().chain([address]) {
                if addresses.len() < MAX_SHOWN && !addresses.contains(&(address, interface)) {
                    addresses.push((address, interface));
                }
            }
        }
        addresses
            .sort_by_key(|(address, interface)| (address.is_ipv6(), !is_link_local(*address), *address, *interface));
        addresses
    }

    /// Its IPv4 address with the bits of its network, where it says so, and the interface.
    #[must_use]
    pub fn v4(&self) -> Option<(Ipv4Addr, Option<u8>, u32)> {
        let own = |sighting: &Sighting| {
            sighting.addresses.iter().find_map(|address| match address {
                IpAddr::V4(v4) => Some((*v4, sighting.bits, sighting.source.interface)),
                IpAddr::V6(_) => None,
            })
        };
        let with_bits = self.sightings().find_map(|sighting| own(sighting).filter(|(_, bits, _)| bits.is_some()));
        let source = |sighting: &Sighting| match sighting.source.address {
            IpAddr::V4(v4) => Some((v4, None, sighting.source.interface)),
            IpAddr::V6(_) => None,
        };
        with_bits.or_else(|| self.said(own)).or_else(|| self.said(source))
    }

    /// The interfaces it was heard on.
    #[must_use]
    pub fn interfaces(&self) -> BTreeSet<u32> {
        self.sightings().map(|sighting| sighting.source.interface).collect()
    }

    /// The dialects it was found by.
    #[must_use]
    pub fn found_by(&self) -> BTreeSet<Dialect> {
        self.sightings().map(|sighting| sighting.dialect).collect()
    }

    /// Whether it said goodbye, or was silent for three rounds.
    #[must_use]
    pub fn is_gone(&self, now: u64) -> bool {
        let here = |claim: &Claim| !claim.sighting.gone && now.saturating_sub(claim.last) <= GONE_AFTER;
        !self.claims.iter().any(here)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}
