//! Argon2id (RFC 9106) with its parameters stored beside each hash.

use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use minicbor::{Decode, Encode};
use subtle::ConstantTimeEq;

/// What one hash costs whoever computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HashingCost {
    /// Memory in KiB.
    #[n(0)]
    pub memory: u32,
    /// Passes over the memory.
    #[n(1)]
    pub passes: u32,
    /// Lanes; computed one after the other.
    #[n(2)]
    pub lanes: u32,
}

impl HashingCost {
    /// RFC 9106 section 4, second recommended option: for memory-constrained environments.
    pub const RFC_9106_LOW_MEMORY: Self = Self { memory: 64 * 1024, passes: 3, lanes: 4 };
    /// The first option of the OWASP Password Storage Cheat Sheet that a device of little memory can afford.
    pub const SMALL: Self = Self { memory: 19 * 1024, passes: 2, lanes: 1 };
    /// The floor: the least of OWASP's options of equal strength.
    pub const FLOOR: Self = Self { memory: 7 * 1024, passes: 5, lanes: 1 };

    /// How long a password's hash should take, in milliseconds.
    const TARGET: u64 = 500;
    /// The longest an owner should wait, in milliseconds: beyond it the next smaller option is tried.
    const PATIENCE: u64 = 2_000;
    /// The part of the free memory that one hash may take.
    const SHARE: u32 = 4;

    /// The cost that makes a password's hash take about half a second on this machine.
    ///
    /// `free` is the memory to be had, in KiB; `measure` computes one hash of the given cost and returns its milliseconds.
    pub fn choose(free: u32, mut measure: impl FnMut(Self) -> u64) -> Self {
        for option in [Self::RFC_9106_LOW_MEMORY, Self::SMALL] {
            if option.memory > free / Self::SHARE {
                continue;
            }
            let took = measure(option).max(1);
            if took <= Self::PATIENCE {
                return option.stretched(took);
            }
        }
        Self::FLOOR
    }

    /// Codes live for minutes and have five tries: for them the small option guards against a stolen vault. A cost below the
    /// floor, which [`HashingCost::choose`] never makes, is for tests and stays as it is.
    #[must_use]
    pub fn for_codes(self) -> Self {
        if self.memory < Self::FLOOR.memory {
            self
        } else if self.memory < Self::SMALL.memory {
            Self::FLOOR
        } else {
            Self::SMALL
        }
    }

    fn stretched(self, took: u64) -> Self {
        let passes = u64::from(self.passes) * Self::TARGET / took;
        Self { passes: u32::try_from(passes).unwrap_or(u32::MAX).clamp(self.passes, 64), ..self }
    }

    fn argon2(self) -> Option<Argon2<'static>> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(32)).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// A hash with its salt and cost.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SlowHash {
    #[n(0)]
    cost: HashingCost,
    #[cbor(n(1), with = "minicbor::bytes")]
    salt: [u8; 16],
    #[cbor(n(2), with = "minicbor::bytes")]
    tag: [u8; 32],
}

impl SlowHash {
    /// Slow. A cost that Argon2 does not know counts as the floor.
    pub(crate) fn make(secret: &[u8], salt: [u8; 16], cost: HashingCost) -> Self {
        let cost = if cost.argon2().is_some() { cost } else { HashingCost::FLOOR };
        let tag = compute(secret, &salt, cost).expect("the cost was just checked");
        Self { cost, salt, tag }
    }

    /// A hash of the same cost that no secret has, to take as long for somebody unknown as for somebody known.
    pub(crate) fn of_nobody(&self) -> Self {
        Self { cost: self.cost, salt: self.salt, tag: [0; 32] }
    }

    /// Slow; compares in constant time.
    pub(crate) fn is_of(&self, secret: &[u8]) -> bool {
        self.tag_of(secret).is_some_and(|tag| self.has_tag(&tag))
    }

    /// Slow: the tag of a secret with this hash's salt and cost, to be compared with all hashes that have the same.
    pub(crate) fn tag_of(&self, secret: &[u8]) -> Option<[u8; 32]> {
        compute(secret, &self.salt, self.cost)
    }

    /// In constant time.
    pub(crate) fn has_tag(&self, tag: &[u8; 32]) -> bool {
        self.tag.ct_eq(tag).into()
    }
}

impl fmt::Debug for SlowHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlowHash({:?})", self.cost)
    }
}

fn compute(secret: &[u8], salt: &[u8; 16], cost: HashingCost) -> Option<[u8; 32]> {
    let mut tag = [0; 32];
    cost.argon2()?.hash_password_into(secret, salt, &mut tag).ok().map(|()| tag)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn the_cost_follows_the_machine() {
        let low = HashingCost::RFC_9106_LOW_MEMORY;
        let cases = [
            ("fast", 4_000_000, 100, HashingCost { passes: 15, ..low }),
            ("just right", 4_000_000, 500, low),
            ("slow but bearable", 4_000_000, 1_500, low),
            ("too slow for the first", 4_000_000, 3_000, HashingCost::FLOOR),
            ("little memory", 100_000, 100, HashingCost { passes: 10, ..HashingCost::SMALL }),
            ("almost no memory", 20_000, 100, HashingCost::FLOOR),
            ("no time passes", 4_000_000, 0, HashingCost { passes: 64, ..low }),
        ];
        for (name, free, milliseconds, expected) in cases {
            assert_eq!(HashingCost::choose(free, |_| milliseconds), expected, "{name}");
        }
    }

    #[test]
    fn a_slow_machine_gets_the_smaller_option() {
        let mut asked = Vec::new();
        let chosen = HashingCost::choose(4_000_000, |cost| {
            asked.push(cost);
            u64::from(cost.memory) * u64::from(cost.passes) / 60
        });
        assert_eq!(asked, [HashingCost::RFC_9106_LOW_MEMORY, HashingCost::SMALL]);
        assert_eq!(chosen, HashingCost::SMALL);
    }

    #[test]
    fn argon2id_of_the_reference_implementation() {
        // `echo -n password | argon2 somesaltsomesalt -id -t 2 -k 65536 -p 1 -l 32 -r`, version 1.3.
        let cost = HashingCost { memory: 65536, passes: 2, lanes: 1 };
        let hash = SlowHash::make(b"password", *b"somesaltsomesalt", cost);
        assert!(hash.is_of(b"password"));
        assert!(!hash.is_of(b"Password"));
    }

    #[test]
    fn an_unknown_name_costs_what_a_known_one_does() {
        let hash = SlowHash::make(b"password", [1; 16], HashingCost { memory: 16, passes: 2, lanes: 1 });
        let nobody = hash.of_nobody();
        assert_eq!(nobody.cost, hash.cost);
        assert!(!nobody.is_of(b"password"));
    }
}
