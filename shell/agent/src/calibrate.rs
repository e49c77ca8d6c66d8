//! What a password's hash shall cost on this machine: measured once, at the first start.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use sparekey_device::{Device, HashingCost, Username};

use crate::folder::{FolderError, Held};
use crate::rand::random;

const FILE: &str = "hashing.toml";
/// Assumed where the system does not tell, in KiB: enough for the floor.
const UNKNOWN_MEMORY: u32 = 28 * 1024;

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The cost of new hashes. Each hash keeps its own, so a changed file locks nobody out.
///
/// # Errors
/// Those of the disk.
pub(crate) fn hashing_cost(held: &Held, device: &Device) -> Result<HashingCost, FolderError> {
    if let Some(cost) = held.optional(FILE)?.as_deref().and_then(read) {
        return Ok(cost);
    }
    let cost = HashingCost::choose(free_memory(), |cost| measure(device, cost));
    tracing::info!(
        memory_kib = cost.memory,
        passes = cost.passes,
        lanes = cost.lanes,
        "the cost of a hash was measured"
    );
    held.write(FILE, write(cost).as_bytes())?;
    Ok(cost)
}

/// More than any of these is a slip of whoever wrote the file: the device would not come up, or never answer a login.
const MOST: HashingCost = HashingCost { memory: 1 << 20, passes: 64, lanes: 16 };

/// `None` for anything below the floor's memory, without a pass, or beyond all measure.
fn read(bytes: &[u8]) -> Option<HashingCost> {
    let Cost { memory_kib, passes, lanes } = toml::from_slice(bytes).ok()?;
    let fits = (HashingCost::FLOOR.memory..=MOST.memory).contains(&memory_kib)
        && (1..=MOST.passes).contains(&passes)
        && (1..=MOST.lanes).contains(&lanes);
    fits.then_some(HashingCost { memory: memory_kib, passes, lanes })
}

fn write(cost: HashingCost) -> String {
    let cost = Cost { memory_kib: cost.memory, passes: cost.passes, lanes: cost.lanes };
    toml::to_string(&cost).expect("three numbers are TOML")
}

/// Milliseconds for one hash.
fn measure(device: &Device, cost: HashingCost) -> u64 {
    let name = Username::new("measure").expect("a name of seven letters");
    let password = hex::encode(random::<16>());
    let acceptable = device.judge_password(&name, &password, |_, _| 4).expect("32 letters, judged strong");
    let begun = Instant::now();
    let _ = acceptable.hash(random(), cost);
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// `MemAvailable` of proc(5), in KiB.
fn free_memory() -> u32 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    available(&text).unwrap_or(UNKNOWN_MEMORY)
}

fn available(meminfo: &str) -> Option<u32> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(u32::try_from(kib).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_as_it_was_written_and_never_below_the_floor() {
        for cost in [HashingCost::FLOOR, HashingCost::RFC_9106_LOW_MEMORY] {
            assert_eq!(read(write(cost).as_bytes()), Some(cost));
        }
        for bad in ["", "memory_kib = 8\npasses = 1\nlanes = 1", "memory_kib = 65536\npasses = 0\nlanes = 1"] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn meminfo_is_read() {
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   123456 kB\n"), Some(123_456));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
    }
}
