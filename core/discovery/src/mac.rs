//! Hardware addresses.

use core::{fmt, net::Ipv6Addr};

/// The hardware address of one network interface (IEEE 802, EUI-48). Never all zero, never a group's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Takes six bytes; `None` if they are no interface's address.
    #[must_use]
    pub fn new(bytes: [u8; 6]) -> Option<Self> {
        (bytes != [0; 6] && bytes[0] & 1 == 0).then_some(Self(bytes))
    }

    /// Reads twelve hexadecimal digits, alone or with `:`, `-` or `.` between.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 17 {
            return None;
        }
        let mut digits = text.chars().filter(|letter| !matches!(letter, ':' | '-' | '.'));
        let mut bytes = [0; 6];
        for byte in &mut bytes {
            let mut digit = || digits.next()?.to_digit(16);
            let (high, low) = (digit()?, digit()?);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(()).and_then(|()| Self::new(bytes))
    }

    /// The hardware address that a link-local address was made from (RFC 4291 appendix A, modified EUI-64); `None` if it was
    /// made in another way.
    #[must_use]
    pub fn of_link_local(address: Ipv6Addr) -> Option<Self> {
        let octets = address.octets();
        let made_so = address.is_unicast_link_local() && octets[11..13] == [0xff, 0xfe];
        let bytes = [octets[8] ^ 2, octets[9], octets[10], octets[13], octets[14], octets[15]];
        made_so.then_some(()).and_then(|()| Self::new(bytes))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_spelling_is_read_and_nothing_else() {
        for text in ["68-6d-bc-01-02-03", "68:6D:BC:01:02:03", "686dbc010203", "686d.bc01.0203"] {
            assert_eq!(Mac::parse(text).unwrap().to_string(), "68:6d:bc:01:02:03", "{text}");
        }
        for text in [
            "",
            "68-6d-bc-01-02",
            "68-6d-bc-01-02-03-04",
            "00:00:00:00:00:00",
            "ff-ff-ff-ff-ff-ff",
            "68-6d-bc-01-02-0g",
        ] {
            assert_eq!(Mac::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_local_address_may_tell_it() {
        let of = |text: &str| Mac::of_link_local(text.parse().unwrap()).map(|mac| mac.to_string());
        assert_eq!(of("fe80::6a6d:bcff:fe01:203").as_deref(), Some("68:6d:bc:01:02:03"));
        for other in ["fe80::1", "2001:db8::6a6d:bcff:fe01:203"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
