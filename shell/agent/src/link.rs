//! Where a caller is, as far as the kernel can tell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::uri::Authority;
use http::{HeaderMap, header};
use sparekey_device::Caller;

use crate::hasher::Client;

/// How long a reading of the interfaces is good for.
const FRESH: Duration = Duration::from_secs(5);

/// What a proxy adds, besides all that begins with [`X_FORWARDED`]. A call that has one was forwarded: nothing is known of
/// where it began.
const FORWARDED: [&str; 12] = [
    "forwarded",
    "via",
    "cdn-loop",
    "cf-connecting-ip",
    "client-ip",
    "fly-client-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-original-forwarded-for",
    "x-real-ip",
];
const X_FORWARDED: &str = "x-forwarded";

/// Which socket a call came in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The ordinary one: the caller's address tells.
    Main,
    /// The LAN tool's, where the kernel drops whatever passed a router ([`crate::lan_listener`]).
    Link,
}

/// What tells whether an address is near.
pub(crate) struct Near<F> {
    /// Whether callers over loopback are the device's own screen ([`crate::settings::Settings::screen`]).
    pub(crate) screen: bool,
    /// Whether an address is on a directly connected network.
    pub(crate) is_connected: F,
}

/// Decides where a caller is.
pub(crate) fn locate(door: Door, peer: IpAddr, headers: &HeaderMap, near: Near<impl FnOnce(IpAddr) -> bool>) -> Caller {
    let peer = peer.to_canonical();
    if was_forwarded(headers) {
        Caller::Elsewhere(peer)
    } else if door == Door::Link {
        Caller::Link(peer)
    } else if peer.is_loopback() {
        // A tunnel or proxy on the device comes over loopback, too, but mostly under another name.
        if near.screen && names_loopback(headers) { Caller::Screen } else { Caller::Elsewhere(peer) }
    } else if is_link_local(peer) || (near.is_connected)(peer) {
        Caller::Link(peer)
    } else {
        Caller::Elsewhere(peer)
    }
}

fn was_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| FORWARDED.contains(&name.as_str()) || name.as_str().starts_with(X_FORWARDED))
}

/// Whether the call was made to `localhost` or a loopback address. Exactly one `Host` is let through
/// ([`sparekey_web::host`]).
fn names_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    host.is_some_and(|host| {
        let name = host.host();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.to_canonical().is_loopback())
    })
}

/// Routers do not pass these on (RFC 4291 section 2.5.6, RFC 3927 section 2.7).
fn is_link_local(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// A directly connected network: an interface's address and how many bits of it are the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// Any address in it.
    pub(crate) addr: IpAddr,
    /// Bits of the prefix.
    pub(crate) bits: u8,
}

impl Prefix {
    /// Whether the address is inside. A prefix of no bits, which would hold everybody, holds nobody.
    pub(crate) fn holds(&self, peer: IpAddr) -> bool {
        match (self.addr.to_canonical(), peer.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => {
                let mask = u32::MAX.checked_shl(u32::from(32_u8.saturating_sub(self.bits))).unwrap_or(0);
                mask != 0 && own.to_bits() & mask == peer.to_bits() & mask
            }
            (IpAddr::V6(own), IpAddr::V6(peer)) => {
                let mask = u128::MAX.checked_shl(u32::from(128_u8.saturating_sub(self.bits))).unwrap_or(0);
                mask != 0 && own.to_bits() & mask == peer.to_bits() & mask
            }
            _ => false,
        }
    }
}

/// The machine's interfaces, read again when the last reading is older than five seconds.
#[derive(Debug, Default)]
pub(crate) struct Interfaces(Mutex<Option<(Instant, Vec<Prefix>)>>);

impl Interfaces {
    /// Whether the address lies in a network that this machine is directly connected to.
    pub(crate) fn is_connected(&self, peer: IpAddr) -> bool {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.as_ref().is_none_or(|(read, _)| read.elapsed() >= FRESH) {
            *cached = Some((Instant::now(), connected()));
        }
        cached.iter().flat_map(|(_, prefixes)| prefixes).any(|prefix| prefix.holds(peer))
    }
}

/// The networks of all interfaces, but for loopback and tunnels, whose other end is not on this link. None if they cannot
/// be read: then nobody on the network is let near a recovery.
fn connected() -> Vec<Prefix> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the network interfaces cannot be read");
        Vec::new()
    });
    let shared = interfaces.into_iter().filter(|interface| !interface.is_loopback() && !interface.is_p2p());
    shared
        .map(|interface| match interface.addr {
            if_addrs::IfAddr::V4(v4) => Prefix { addr: v4.ip.into(), bits: v4.prefixlen },
            if_addrs::IfAddr::V6(v6) => Prefix { addr: v6.ip.into(), bits: v6.prefixlen },
        })
        .collect()
}

/// What counts as one client when tries are slowed down. On this link each address is one: a house's network is not one
/// client. From further away an IPv6 /64 is, which one host fills as it likes.
pub(crate) fn client(caller: Caller) -> Client {
    match caller {
        Caller::Screen => Client::Screen,
        Caller::Link(addr) => Client::Network(addr),
        Caller::Elsewhere(IpAddr::V6(addr)) => {
            Client::Network(Ipv6Addr::from_bits(addr.to_bits() & !u128::from(u64::MAX)).into())
        }
        Caller::Elsewhere(addr) => Client::Network(addr),
    }
}

/// The addresses by which this machine is reached on its links, for a certificate and for people.
pub(crate) fn own_addresses() -> Vec<IpAddr> {
    let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    addresses.extend(connected().iter().map(|prefix| prefix.addr));
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn on_lan(peer: IpAddr) -> bool {
        [("192.168.1.64", 24), ("2001:db8:1::64", 64)]
            .iter()
            .any(|(addr, bits)| Prefix { addr: ip(addr), bits: *bits }.holds(peer))
    }

    fn to(host: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))])
    }

    fn place(door: Door, peer: &str, headers: &HeaderMap) -> &'static str {
        word(locate(door, ip(peer), headers, Near { screen: true, is_connected: on_lan }))
    }

    fn word(caller: Caller) -> &'static str {
        match caller {
            Caller::Screen => "screen",
            Caller::Link(_) => "link",
            Caller::Elsewhere(_) => "elsewhere",
        }
    }

    #[test]
    fn the_address_tells_where_a_caller_is() {
        for (peer, expected) in [
            ("127.0.0.1", "screen"),
            ("127.9.9.9", "screen"),
            ("::1", "screen"),
            ("::ffff:127.0.0.1", "screen"),
            ("192.168.1.5", "link"),
            ("::ffff:192.168.1.5", "link"),
            ("169.254.3.4", "link"),
            ("fe80::1", "link"),
            ("2001:db8:1::5", "link"),
            ("192.168.2.5", "elsewhere"),
            ("10.0.0.1", "elsewhere"),
            ("2001:db8:2::5", "elsewhere"),
            ("8.8.8.8", "elsewhere"),
        ] {
            assert_eq!(place(Door::Main, peer, &to("localhost:8443")), expected, "{peer}");
        }
    }

    #[test]
    fn the_screen_calls_the_device_by_a_loopback_name() {
        for host in ["localhost", "LocalHost:8443", "127.0.0.1", "127.0.1.1:80", "[::1]:8443", "[::ffff:127.0.0.1]"] {
            assert_eq!(place(Door::Main, "127.0.0.1", &to(host)), "screen", "{host}");
        }
        for host in ["recorder.local", "192.168.1.64:8443", "[2001:db8:1::64]", "0.0.0.0", "localhost.example", ""] {
            assert_eq!(place(Door::Main, "127.0.0.1", &to(host)), "elsewhere", "{host}");
        }
        assert_eq!(place(Door::Main, "::1", &HeaderMap::new()), "elsewhere");
    }

    #[test]
    fn a_device_that_forwards_to_itself_has_no_screen() {
        for (peer, expected) in [("127.0.0.1", "elsewhere"), ("::1", "elsewhere"), ("192.168.1.5", "link")] {
            let near = Near { screen: false, is_connected: on_lan };
            assert_eq!(word(locate(Door::Main, ip(peer), &to("localhost"), near)), expected, "{peer}");
        }
    }

    #[test]
    fn a_forwarded_call_is_from_elsewhere_whoever_forwards_it() {
        let further =
            ["x-forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-anything"];
        for name in FORWARDED.into_iter().chain(further) {
            let mut headers = to("localhost");
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("127.0.0.1"));
            for peer in ["127.0.0.1", "::1", "192.168.1.5", "fe80::1"] {
                for door in [Door::Main, Door::Link] {
                    assert_eq!(place(door, peer, &headers), "elsewhere", "{name} {peer}");
                }
            }
        }
    }

    #[test]
    fn behind_the_kernels_door_everybody_is_on_the_link_and_nobody_at_the_screen() {
        for peer in ["127.0.0.1", "192.168.1.5", "10.9.9.9"] {
            assert_eq!(place(Door::Link, peer, &to("localhost")), "link", "{peer}");
        }
    }

    #[test]
    fn prefixes_end_where_they_end() {
        for (prefix, bits, inside, outside) in [
            ("10.0.0.1", 8, "10.255.255.255", "11.0.0.0"),
            ("192.0.2.129", 25, "192.0.2.255", "192.0.2.127"),
            ("192.0.2.1", 32, "192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", 64, "2001:db8::ffff:1", "2001:db8:0:1::1"),
            ("2001:db8::1", 128, "2001:db8::1", "2001:db8::2"),
        ] {
            let prefix = Prefix { addr: ip(prefix), bits };
            assert!(prefix.holds(ip(inside)), "{prefix:?}");
            assert!(!prefix.holds(ip(outside)), "{prefix:?}");
        }
        for (addr, peer) in [("0.0.0.0", "8.8.8.8"), ("::", "2001:db8::1"), ("10.0.0.1", "2001:db8::1")] {
            assert!(!Prefix { addr: ip(addr), bits: 0 }.holds(ip(peer)));
        }
    }

    #[test]
    fn the_machines_own_interfaces_can_be_read() {
        let interfaces = Interfaces::default();
        for own in own_addresses().into_iter().filter(|addr| !addr.is_loopback()) {
            assert!(interfaces.is_connected(own), "{own}");
        }
        assert!(!interfaces.is_connected(ip("240.0.0.1")), "nobody is connected to the reserved block");
    }

    #[test]
    fn one_host_is_one_client() {
        let elsewhere = |addr| client(Caller::Elsewhere(ip(addr)));
        assert_eq!(elsewhere("2001:db8::1"), elsewhere("2001:db8::ffff"));
        assert_ne!(elsewhere("2001:db8::1"), elsewhere("2001:db8:0:1::1"));
        assert_ne!(elsewhere("192.0.2.1"), elsewhere("192.0.2.2"));
        let on_link = |addr| client(Caller::Link(ip(addr)));
        assert_ne!(on_link("2001:db8::1"), on_link("2001:db8::2"), "neighbours are not one");
        assert_ne!(on_link("fe80::1"), on_link("fe80::2"));
        assert_eq!(client(Caller::Screen), Client::Screen);
    }
}
