//! macOS and its kin: `IP_BOUND_IF`. Hop limits are not told here: what comes from a link-local or a connected address counts as near.

use std::{io, num::NonZeroU32};

use mio::net::UdpSocket;
use socket2::Socket;
use sparekey_discovery::{
    Family,
    diagnosis::{Machine, Medium, Nic},
};

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

/// Whether the system has no room for what was asked.
pub(crate) fn is_full(error: &io::Error) -> bool {
    /// `ENOBUFS`
    const FULL: i32 = 55;
    error.raw_os_error() == Some(FULL)
}

/// This computer's network as it is now, as far as is told here: the interfaces that are up and have an address.
pub(crate) fn machine() -> io::Result<Machine> {
    let nics = crate::interfaces()?.into_iter().map(|interface| Nic {
        name: interface.name,
        link: interface.link,
        medium: Medium::Cable,
        usual: interface.usual,
        up: true,
        carrier: true,
        multicast: true,
        mtu: 0,
        mac: None,
        bridge: None,
        without_v6: false,
        filter: 0,
        default_route: None,
    });
    Ok(Machine { nics: nics.collect(), ..Machine::default() })
}

/// What is granted, out of what the system says.
pub(crate) fn room(said: usize) -> usize {
    said
}
