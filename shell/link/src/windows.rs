//! Windows: sockets are held to an interface by its address. Hop limits are not told here: what comes from a link-local or a connected address
//! counts as near. The firewall lets answers to a group in for three seconds only, so rounds are repeated, and the installer adds a rule.

use std::io;

use mio::net::UdpSocket;
use socket2::Socket;
use sparekey_discovery::{
    Family,
    diagnosis::{Machine, Medium, Nic},
};

use crate::{Interface, port::Told};

/// Lets other programs listen on the port as well: the system's own answers multicast DNS.
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// What is sent to a group leaves by the interface that `port.rs` chooses; a group is joined on one interface.
pub(crate) fn hold_to(_: &Socket, _: &Interface, _: Family) -> io::Result<()> {
    Ok(())
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
    /// `WSAENOBUFS`
    const FULL: i32 = 10_055;
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
