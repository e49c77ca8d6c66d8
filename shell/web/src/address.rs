//! Who counts as one, where something is counted by address.

use std::net::{IpAddr, Ipv6Addr};

/// What counts as one host: an IPv4 address (also mapped into IPv6), or an IPv6 /64, which one host can fill with addresses
/// as it likes. Loopback, and link-local addresses, which are all of one /64, count singly.
#[must_use]
pub fn one_host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() && !v6.is_unicast_link_local() => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_is_one_and_neighbours_are_not() {
        for (address, host) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("2001:db8::1", "2001:db8::"),
            ("2001:db8::ffff:ffff:ffff:ffff", "2001:db8::"),
            ("2001:db8:0:1::1", "2001:db8:0:1::"),
            ("fd00::7", "fd00::"),
            ("fe80::1", "fe80::1"),
            ("fe80::2", "fe80::2"),
        ] {
            let host: IpAddr = host.parse().unwrap();
            assert_eq!(one_host(address.parse().unwrap()), host, "{address}");
        }
    }
}
