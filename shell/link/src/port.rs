//! One socket: one interface, one kind of addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
};

use mio::net::UdpSocket;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use sparekey_discovery::Family;

use crate::{Interface, system};

/// Who sends with it, and who requires it, knows that no router was between (RFC 5082).
const HOPS: u32 = 255;
/// What a socket is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// IPv4 or IPv6.
    pub family: Family,
    /// The port that it listens on, shared with other programs; any if there is none.
    pub port: Option<u16>,
    /// The group whose messages it hears.
    pub group: Option<IpAddr>,
    /// How many bytes the system is to keep until they are taken. What it does not grant, it cuts.
    pub buffer: usize,
}

/// What arrived.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a, D> {
    /// The socket's name.
    pub door: D,
    /// The interface.
    pub interface: u32,
    /// The sender.
    pub from: SocketAddr,
    /// The address that it was sent to, where the system tells.
    pub to: Option<IpAddr>,
    /// Whether it was sent to a group or to everybody, rather than to this machine alone.
    pub to_all: bool,
    /// Its hop limit, where the system tells.
    pub hops: Option<u8>,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What the system tells of a datagram besides its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) length: usize,
    pub(crate) from: SocketAddr,
    pub(crate) to: Option<IpAddr>,
    pub(crate) hops: Option<u8>,
}

#[derive(Debug)]
pub(crate) struct Port<D> {
    pub(crate) door: D,
    pub(crate) interface: u32,
    pub(crate) family: Family,
    pub(crate) socket: UdpSocket,
    joined: bool,
    /// So many bytes wait for the program at most.
    pub(crate) room: usize,
    /// Something may be waiting: what was told once is not told again.
    pub(crate) ready: bool,
}

impl<D: Copy> Port<D> {
    pub(crate) fn open(door: D, interface: &Interface, wanted: &Wanted) -> io::Result<Self> {
        let v4 = wanted.family == Family::V4;
        let index = interface.link.interface;
        let domain = if v4 { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        system::share_port(&socket)?;
        system::hold_to(&socket, interface, wanted.family)?;
        system::tell_hops(&socket, wanted.family)?;
        // Less than that is no reason not to listen.
        let _ = socket.set_recv_buffer_size(wanted.buffer);
        let room = system::room(socket.recv_buffer_size()?);
        let port = wanted.port.unwrap_or(0);
        let everywhere = if v4 {
            socket.set_broadcast(true)?;
            socket.set_ttl_v4(HOPS)?;
            socket.set_multicast_ttl_v4(HOPS)?;
            // Other programs on this machine search, and are found, as well.
            socket.set_multicast_loop_v4(true)?;
            if let Some(own) = interface.link.v4.first() {
                socket.set_multicast_if_v4(&own.address)?;
            }
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
        } else {
            socket.set_only_v6(true)?;
            socket.set_unicast_hops_v6(HOPS)?;
            socket.set_multicast_hops_v6(HOPS)?;
            socket.set_multicast_loop_v6(true)?;
            socket.set_multicast_if_v6(index)?;
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
        };
        socket.bind(&everywhere.into())?;
        match wanted.group {
            Some(IpAddr::V4(group)) => socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))?,
            Some(IpAddr::V6(group)) => socket.join_multicast_v6(&group, index)?,
            None => {}
        }
        socket.set_nonblocking(true)?;
        let socket = UdpSocket::from_std(socket.into());
        Ok(Self {
            door,
            interface: index,
            family: wanted.family,
            socket,
            joined: wanted.group.is_some(),
            room,
            ready: true,
        })
    }

    /// Takes one datagram.
    pub(crate) fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Datagram<'a, D>> {
        let told = system::receive(&self.socket, buffer)?;
        // Where the system does not tell to whom it was sent, a socket in a group hears mostly that.
        let to_all = told.to.map_or(self.joined, |to| to.is_multicast() || to == Ipv4Addr::BROADCAST);
        Ok(Datagram {
            door: self.door,
            interface: self.interface,
            from: told.from,
            to: told.to,
            to_all,
            hops: told.hops,
            bytes: &buffer[..told.length],
        })
    }

    pub(crate) fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = match to {
            SocketAddr::V6(v6) => SocketAddrV6::new(*v6.ip(), v6.port(), 0, self.interface).into(),
            SocketAddr::V4(_) => to,
        };
        self.socket.send_to(bytes, to).map(|_| ())
    }
}
