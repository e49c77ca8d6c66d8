//! Settings as people type them.

use std::net::{IpAddr, Ipv4Addr};

/// An address with the length of its network's prefix.
///
/// # Errors
/// What it is to look like.
pub fn address(text: &str) -> Result<(Ipv4Addr, u8), &'static str> {
    let read = || {
        let (address, bits) = text.trim().split_once('/')?;
        Some((address.parse().ok()?, bits.parse().ok()?))
    };
    read().ok_or("not an address with the length of its prefix, such as 192.168.1.64/24")
}

/// An address, or `none`.
///
/// # Errors
/// What it is to look like.
pub fn gateway(text: &str) -> Result<Option<Ipv4Addr>, &'static str> {
    match text.trim() {
        "none" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "neither an IPv4 address nor none"),
    }
}

/// Addresses with commas between, or `none`.
///
/// # Errors
/// What it is to look like.
pub fn dns(text: &str) -> Result<Vec<IpAddr>, &'static str> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let all: Result<_, _> = text.split(',').map(|one| one.trim().parse()).collect();
    all.map_err(|_| "neither addresses with commas between, nor none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_read_or_told() {
        assert_eq!(address(" 192.168.1.64/24 "), Ok((Ipv4Addr::new(192, 168, 1, 64), 24)));
        for wrong in ["192.168.1.64", "192.168.1/24", "192.168.1.64/x", "fe80::1/64", ""] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        assert_eq!((gateway("none"), gateway("10.0.0.1")), (Ok(None), Ok(Some(Ipv4Addr::new(10, 0, 0, 1)))));
        assert!(gateway("nine").is_err());
        let two: Vec<IpAddr> = vec![Ipv4Addr::new(9, 9, 9, 9).into(), std::net::Ipv6Addr::LOCALHOST.into()];
        assert_eq!((dns("none"), dns("9.9.9.9, ::1")), (Ok(Vec::new()), Ok(two)));
        assert!(dns("9.9.9.9,,").is_err());
    }
}
