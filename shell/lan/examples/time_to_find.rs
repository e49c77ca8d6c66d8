//! How long a search takes: `time_to_find COUNT SECONDS INTERFACE`. Prints one JSON object: how many Sparekey devices of COUNT were found, when half,
//! 95 of 100 and all of them were, in milliseconds, and what went over the link. It ends once all are found, or after SECONDS.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{env, fs, time::Duration};

use serde_json::json;
use sparekey_lan::{Finder, discovery::Dialect};

fn main() {
    let args: Vec<String> = env::args().collect();
    let [_, count, seconds, interface] = &args[..] else { panic!("time_to_find COUNT SECONDS INTERFACE") };
    let (count, seconds): (usize, u64) = (count.parse().unwrap(), seconds.parse().unwrap());
    let mut finder = Finder::new(vec![interface.clone()]).unwrap();
    let found = |finder: &Finder| {
        let devices = finder.search().table().devices();
        let mut times: Vec<u64> = devices.filter(|d| d.serial().is_some()).map(|device| device.first).collect();
        times.sort_unstable();
        times
    };
    while finder.now() < 1_000 * seconds && finder.search().table().devices().len() < count {
        finder.step(Duration::from_millis(20)).unwrap();
    }
    let times = found(&finder);
    let at = |part: usize| times.get((count * part).div_ceil(100).max(1) - 1);
    let traffic = finder.traffic();
    let by = |dialect| finder.search().table().devices().filter(|device| device.found_by().contains(&dialect)).count();
    let left_out: u64 = finder.search().refused().values().sum();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|text| text.trim().to_owned());
    println!(
        "{}",
        json!({
            "found": times.len(), "of": count, "t50": at(50), "t95": at(95), "t100": at(100),
            "sent": traffic.sent, "sent_bytes": traffic.sent_bytes,
            "received": traffic.received, "received_bytes": traffic.received_bytes, "memory": memory,
            "by_mdns": by(Dialect::Mdns), "by_onvif": by(Dialect::Onvif), "refused": left_out,
        })
    );
}
