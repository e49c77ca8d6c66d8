//! The LAN tool's socket: the kernel itself drops whatever passed a router.
//!
//! RFC 5082 (generalised TTL security): who sends with a hop limit of 255 and is received with 255 stands on the same link,
//! since every router takes one off and nobody can send more. The option is on the listening socket, so a connection from
//! further away is not refused but never begins.

use std::io;
use std::net::{SocketAddr, TcpListener};

/// The greatest hop limit there is.
const MOST_HOPS: u32 = 255;
const BACKLOG: i32 = 64;

/// Binds such a socket.
///
/// # Errors
/// Those of bind(2), and `Unsupported` where the kernel cannot hold callers to this.
#[cfg(target_os = "linux")]
pub(crate) fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};

    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(false)?;
        socket.set_unicast_hops_v6(MOST_HOPS)?;
        minimum(&socket, libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT)?;
    }
    // Also on an IPv6 socket, which IPv4 callers reach as well.
    socket.set_ttl_v4(MOST_HOPS)?;
    minimum(&socket, libc::IPPROTO_IP, libc::IP_MINTTL)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Elsewhere there is no such socket.
///
/// # Errors
/// Always `Unsupported`.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bind(_: SocketAddr) -> io::Result<TcpListener> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Sets the least hop limit that is received (ip(7) `IP_MINTTL`, ipv6(7) `IPV6_MINHOPCOUNT`).
#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // no safe crate wraps these two options
fn minimum(socket: &socket2::Socket, level: libc::c_int, option: libc::c_int) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    let value: libc::c_int = MOST_HOPS.cast_signed();
    let size = libc::socklen_t::try_from(size_of_val(&value)).expect("an int is four bytes");
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the pointer and size are those of `value`, which
    // the kernel reads before the call returns.
    let outcome = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), size) };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use socket2::{Domain, Socket, Type};
    use std::time::Duration;

    fn connect(to: SocketAddr, hops: u32) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        if to.is_ipv6() {
            socket.set_unicast_hops_v6(hops)?;
        } else {
            socket.set_ttl_v4(hops)?;
        }
        socket.connect_timeout(&to.into(), Duration::from_millis(100))
    }

    #[test]
    fn only_who_is_on_the_link_can_connect() {
        for (bound, host) in
            [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "127.0.0.1"), ("[::]:0", "::1")]
        {
            let Ok(listener) = bind(bound.parse().unwrap()) else {
                assert!(bound.starts_with('['), "only IPv6 may be missing");
                continue;
            };
            let to = SocketAddr::new(host.parse().unwrap(), listener.local_addr().unwrap().port());
            connect(to, 255).unwrap();
            for hops in [254, 64, 1] {
                assert!(connect(to, hops).is_err(), "{hops} hops left, {host} to {bound}");
            }
        }
    }
}
