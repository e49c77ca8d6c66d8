//! Linux: `SO_BINDTODEVICE` (without privileges since 5.7), and hop limits and destinations as control messages (ip(7), ipv6(7)).

#[path = "linux/machine.rs"]
mod machine;

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    os::fd::AsRawFd,
};

use mio::net::UdpSocket;
use nix::{
    errno::Errno,
    sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt},
};
use socket2::Socket;
use sparekey_discovery::Family;

pub(crate) use self::machine::machine;
use crate::{Interface, port::Told};

/// Lets other programs listen on the port as well: those that answer multicast DNS do.
pub(crate) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// Holds a socket to one interface.
pub(crate) fn hold_to(socket: &Socket, interface: &Interface, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => socket.set_multicast_all_v4(false)?,
        Family::V6 => socket.set_multicast_all_v6(false)?,
    }
    match socket.bind_device(Some(interface.name.as_bytes())) {
        // An older kernel: groups are joined on one interface, and left by it, all the same.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        bound => bound,
    }
}

/// Asks for the hop limit and the destination of each datagram.
pub(crate) fn tell_hops(socket: &Socket, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => {
            setsockopt(socket, sockopt::Ipv4RecvTtl, &true)?;
            setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?;
        }
        Family::V6 => {
            setsockopt(socket, sockopt::Ipv6RecvHopLimit, &true)?;
            setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        }
    }
    Ok(())
}

/// Takes one datagram.
pub(crate) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Told> {
    let mut control = [0; 256];
    let mut parts = [IoSliceMut::new(buffer)];
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
    let (mut to, mut hops) = (None, None);
    for control in message.cmsgs()? {
        match control {
            ControlMessageOwned::Ipv4Ttl(limit) | ControlMessageOwned::Ipv6HopLimit(limit) => {
                hops = u8::try_from(limit).ok()
            }
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                to = Some(IpAddr::V4(Ipv4Addr::from_bits(u32::from_be(info.ipi_addr.s_addr))));
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => to = Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr))),
            _ => {}
        }
    }
    let from = message.address.and_then(|from| match (from.as_sockaddr_in(), from.as_sockaddr_in6()) {
        (Some(v4), _) => Some(SocketAddr::from((v4.ip(), v4.port()))),
        (_, Some(v6)) => Some(SocketAddrV6::new(v6.ip(), v6.port(), 0, v6.scope_id()).into()),
        _ => None,
    });
    let from = from.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Told { length: message.bytes, from, to, hops })
}

/// Whether the system has no room for what was asked: `igmp_max_memberships` for groups, memory for all else.
pub(crate) fn is_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENOBUFS as i32)
}

/// What is granted, out of what the system says: twice that, for its own bookkeeping (socket(7) `SO_RCVBUF`).
pub(crate) fn room(said: usize) -> usize {
    said / 2
}
