//! Ports for servers whose address must be known before they start, such as a service whose card names its URL.

use std::{
    net::{Ipv4Addr, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the ports that the system hands out by itself (ip(7), `ip_local_port_range`), so that no connection takes one
/// while its server restarts.
const FIRST: u32 = 10_000;
const BLOCKS: u32 = 2_700;
const BLOCK: u32 = 8;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// The first of eight free loopback ports in a row. Tests of other processes look elsewhere.
pub fn free() -> u16 {
    loop {
        let block = process::id().wrapping_mul(31).wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % BLOCKS;
        let first = u16::try_from(FIRST + block * BLOCK).expect("all blocks lie below 65536");
        let bound = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (first..).take(BLOCK as usize).all(bound) {
            return first;
        }
    }
}
