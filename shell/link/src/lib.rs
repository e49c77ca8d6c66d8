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

use std::io;

use sparekey_discovery::diagnosis::{Denied, Machine};

/// What the system says of this computer's network, now.
///
/// # Errors
/// Those of getifaddrs(3).
pub fn machine() -> io::Result<Machine> {
    system::machine()
}

/// Why the system did not do something with a socket.
#[must_use]
pub fn denied(error: &io::Error) -> Denied {
    match error.kind() {
        io::ErrorKind::AddrInUse => Denied::Taken,
        io::ErrorKind::PermissionDenied => Denied::Forbidden,
        _ if system::is_full(error) => Denied::NoRoom,
        _ => Denied::Other,
    }
}
