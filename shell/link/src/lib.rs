//! Datagram sockets on every interface of this machine, for who searches a link and for who answers there.
//!
//! A socket belongs to one interface and one kind of addresses: it hears that link alone and speaks on it alone, whatever the routes say. What is
//! sent leaves with a hop limit of 255; of what arrives it is told, where the system tells ([`Datagram::hops`]). [`Ports`] waits for all of
//! them on one thread. What is said is not decided here (`sparekey-discovery`).
//!
//! What differs between systems is in one file each: `linux.rs`, `macos.rs`, `windows.rs`.
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that panics is a test that fails

mod interface;
mod port;
mod ports;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "linux.rs"]
mod system;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
#[path = "macos.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub use interface::{Interface, interfaces};
pub use mio::Waker;
pub use port::{Datagram, Wanted};
pub use ports::Ports;
pub use system::hides_other_subnets;
