//! One row a device, however many dialects it answers in, by however many of its addresses.
//!
//! Answers are joined by what they say of the device: its identifier, its hardware address, its serial number; and if they say none that
//! the row has, by where they came from. Nothing of that is proof. So a row keeps what each sender said apart, a later
//! sender never replaces what an earlier one said, and two answers that contradict each other are two rows.

mod device;

use alloc::{collections::BTreeMap, vec::Vec};
use core::net::IpAddr;

pub use device::Device;

use crate::{
    Label, Mac,
    sighting::{Sighting, Source},
};
use device::Claim;

/// Rows of a table.
pub const MAX_DEVICES: usize = 16_384;
/// Rows that one sender can add: a recorder may answer for its cameras.
pub const MAX_PER_SOURCE: usize = 32;
/// Rows that say the same of themselves, such as one serial number.
const MAX_ALIKE: usize = 8;
/// A shorter serial number may be another vendor's as well.
const LEAST_SERIAL: usize = 6;

/// What an answer is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Identifier(Label),
    Mac(Mac),
    Serial(Label),
    Place(Source),
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A new row.
    New(u32),
    /// A row that was there.
    Known(u32),
    /// There is no room for it.
    LeftOut,
    /// A goodbye of somebody who is not in the table, or not of the one it is for.
    Nobody,
}

/// All devices that were seen.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<u32, Device>,
    keys: BTreeMap<Key, Vec<u32>>,
    of_source: BTreeMap<Source, usize>,
    next: u32,
    left_out: u64,
}

impl Table {
    /// The rows, in the order in which they came.
    pub fn devices(&self) -> impl ExactSizeIterator<Item = &Device> {
        self.rows.values()
    }

    /// One row.
    #[must_use]
    pub fn device(&self, id: u32) -> Option<&Device> {
        self.rows.get(&id)
    }

    /// How many answers found no room.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes an answer that came now, in milliseconds since any start.
    pub fn see(&mut self, sighting: Sighting, now: u64) -> Seen {
        let keys = keys_of(&sighting);
        if sighting.gone {
            return self.goodbye(&sighting, &keys);
        }
        let mut found = self.find(&sighting, &keys);
        let (id, outcome) = match found.split_off(usize::from(!found.is_empty())) {
            others if !found.is_empty() => {
                for other in others {
                    self.join(found[0], other);
                }
                (found[0], Seen::Known(found[0]))
            }
            _ => {
                let of_source = self.of_source.get(&sighting.source).copied().unwrap_or_default();
                if of_source >= MAX_PER_SOURCE || self.rows.len() >= MAX_DEVICES {
                    self.left_out += 1;
                    return Seen::LeftOut;
                }
                self.of_source.insert(sighting.source, of_source + 1);
                let id = self.next;
                self.next += 1;
                self.rows.insert(id, Device::new(id, sighting.source, now));
                (id, Seen::New(id))
            }
        };
        let row = self.rows.get_mut(&id).expect("it was found or added");
        if row.claim(sighting, now) {
            self.index(id, &keys);
        }
        outcome
    }

    /// The rows that this answer is of, the oldest first.
    fn find(&self, sighting: &Sighting, keys: &[Key]) -> Vec<u32> {
        let fits = |id: &&u32| self.rows.get(id).is_some_and(|row| !row.contradicts(sighting));
        let of = |key: &Key| self.keys.get(key).into_iter().flatten();
        let (places, names): (Vec<_>, Vec<_>) = keys.iter().partition(|key| matches!(key, Key::Place(_)));
        let mut found: Vec<u32> = names.into_iter().flat_map(|key| of(key).filter(fits).take(1).copied()).collect();
        if found.is_empty() {
            // By its place alone, and only if that is one device's.
            let mut here: Vec<u32> = places.into_iter().flat_map(of).copied().collect();
            here.dedup();
            if here.len() == 1 && here.iter().all(|id| fits(&id)) {
                found = here;
            }
        }
        found.sort_unstable();
        found.dedup();
        // Two rows that contradict each other stay two, whoever claims to be both.
        let agree = |first: u32, other: &u32| self.rows.get(other).is_none_or(|other| self.rows[&first].agrees(other));
        if let Some(first) = found.first().copied() {
            found.retain(|other| *other == first || agree(first, other));
        }
        found
    }

    fn goodbye(&mut self, sighting: &Sighting, keys: &[Key]) -> Seen {
        let names = keys.iter().filter(|key| !matches!(key, Key::Place(_)));
        let ids: Vec<u32> = names.flat_map(|key| self.keys.get(key).into_iter().flatten()).copied().collect();
        // Only its own sender can take a device off the list.
        let of_same = |id: &u32| self.rows.get_mut(id).is_some_and(|row| row.goodbye(sighting));
        ids.into_iter().find(of_same).map_or(Seen::Nobody, Seen::Known)
    }

    /// Two rows turn out to be one device.
    fn join(&mut self, id: u32, other: u32) {
        let Some(joined) = self.rows.remove(&other) else { return };
        self.release(joined.added_by);
        for ids in self.keys.values_mut() {
            if let Some(at) = ids.iter().position(|found| *found == other) {
                if ids.contains(&id) {
                    ids.remove(at);
                } else {
                    ids[at] = id;
                }
            }
        }
        let row = self.rows.get_mut(&id).expect("the row that stays");
        for Claim { sighting, last, .. } in joined.claims {
            row.claim(sighting, last);
        }
    }

    fn release(&mut self, source: Source) {
        if let Some(count) = self.of_source.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.of_source.remove(&source);
            }
        }
    }

    fn index(&mut self, id: u32, keys: &[Key]) {
        for key in keys {
            let ids = self.keys.entry(key.clone()).or_default();
            if !ids.contains(&id) && ids.len() < MAX_ALIKE {
                ids.push(id);
            }
        }
    }
}

/// What an answer can be recognised by, the surest first.
fn keys_of(sighting: &Sighting) -> Vec<Key> {
    let Sighting { source, identifier, mac, serial, .. } = sighting;
    let link_local =
        core::iter::once(source.address).chain(sighting.addresses.iter().copied()).find_map(|address| match address {
            IpAddr::V6(v6) => Mac::of_link_local(v6),
            IpAddr::V4(_) => None,
        });
    let serial = serial.clone().filter(|serial| serial.as_str().len() >= LEAST_SERIAL);
    identifier
        .clone()
        .map(Key::Identifier)
        .into_iter()
        .chain(mac.or(link_local).map(Key::Mac))
        .chain(serial.map(Key::Serial))
        .chain([Key::Place(*source)])
        .collect()
}

#[cfg(test)]
mod tests;
