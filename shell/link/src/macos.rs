//! macOS and its kin: `IP_BOUND_IF`. Hop limits are not told here: what comes from a link-local or a connected address counts as near.

use std::{io, num::NonZeroU32};

use mio::net::UdpSocket;
use socket2::Socket;
use sparekey_discovery::Family;

use crate::{Interface, port::Told};

/// Lets other programs listen on the port as well: the system's own answers multicast DNS.
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)
}

/// Holds a socket to one interface.
pub(crate) fn hold_to(socket: &Socket, interface: &Interface, family: Family) -> io::Result<()> {
    let index = NonZeroU32::new(interface.link.interface);
    match family {
        Family::V4 => socket.bind_device_by_index_v4(index),
        Family::V6 => socket.bind_device_by_index_v6(index),
    }
}

/// Nothing is asked for.
pub(crate) fn tell_hops(_: &Socket, _: Family) -> io::Result<()> {
    Ok(())
}

/// Takes one datagram.
pub(crate) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Told> {
    let (length, from) = socket.recv_from(buffer)?;
    Ok(Told { length, from, to: None, hops: None })
}

/// This system does not.
#[must_use]
pub fn hides_other_subnets(_: &str) -> bool {
    false
}
