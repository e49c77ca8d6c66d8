//! Where a device answers, as people write it and as a search finds it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr, SocketAddrV6},
};

/// The LAN tool's port on a device (protocol section 11) where nothing else is said.
const PORT: u16 = 8444;

/// An address with its port and, if it is link-local, its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(super) socket: SocketAddr,
    zone: Option<String>,
}

/// Not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not an address.
    #[error("not an address, such as 192.168.1.64, 192.168.1.64:8444 or [fe80::1%eth0]:8444")]
    Shape,
    /// An interface that is not there.
    #[error("there is no such interface behind the %")]
    Interface,
}

impl Address {
    /// Reads an address, with a port or without; a link-local one with its interface.
    ///
    /// # Errors
    /// [`BadAddress`]
    pub fn read(text: &str, port: Option<u16>) -> Result<Self, BadAddress> {
        Self::read_with(text, port, |name| {
            let all = sparekey_link::interfaces().ok()?;
            all.into_iter().find(|interface| interface.name == name).map(|interface| interface.link.interface)
        })
    }

    /// The same address, at another port.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        let mut other = self.clone();
        other.socket.set_port(port);
        other
    }

    /// What `Host` says (RFC 9110 section 7.2): without the interface, which is this computer's matter.
    pub(crate) fn host(&self) -> String {
        match self.socket {
            SocketAddr::V4(v4) => v4.to_string(),
            SocketAddr::V6(v6) => format!("[{}]:{}", v6.ip(), v6.port()),
        }
    }

    /// Address, port and interface, for the system.
    pub(crate) fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.socket.port()
    }

    /// Without port and interface.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.socket.ip()
    }

    /// Where it is, without its port, and the number of its interface if it has one.
    #[must_use]
    pub fn place(&self) -> (IpAddr, Option<u32>) {
        let scope = match self.socket {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => Some(v6.scope_id()),
            _ => None,
        };
        (self.socket.ip(), scope)
    }

    fn read_with(text: &str, port: Option<u16>, index: impl Fn(&str) -> Option<u32>) -> Result<Self, BadAddress> {
        let port = port.unwrap_or(PORT);
        if let Ok(IpAddr::V4(v4)) = text.parse() {
            return Ok(Self { socket: SocketAddr::from((v4, port)), zone: None });
        }
        if let Ok(SocketAddr::V4(v4)) = text.parse() {
            return Ok(Self { socket: v4.into(), zone: None });
        }
        let (host, port) = match text.strip_prefix('[') {
            None => (text, port),
            Some(rest) => match rest.split_once(']').ok_or(BadAddress::Shape)? {
                (host, "") => (host, port),
                (host, port) => {
                    let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
                    (host, port.ok_or(BadAddress::Shape)?)
                }
            },
        };
        let (host, zone) = host.split_once('%').map_or((host, None), |(host, zone)| (host, Some(zone)));
        let v6 = host.parse().map_err(|_| BadAddress::Shape)?;
        let scope = match zone {
            None => 0,
            Some(zone) => zone.parse().ok().or_else(|| index(zone)).ok_or(BadAddress::Interface)?,
        };
        Ok(Self { socket: SocketAddrV6::new(v6, port, 0, scope).into(), zone: zone.map(str::to_owned) })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.zone, self.socket) {
            (Some(zone), SocketAddr::V6(v6)) => write!(f, "[{}%{zone}]:{}", v6.ip(), v6.port()),
            (_, socket) => write!(f, "{socket}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let index = |name: &str| (name == "eth0").then_some(7);
        for (text, shown) in [
            ("192.168.1.64", Ok("192.168.1.64:8444")),
            ("192.168.1.64:443", Ok("192.168.1.64:443")),
            ("::1", Ok("[::1]:8444")),
            ("[::1]", Ok("[::1]:8444")),
            ("[::1]:1", Ok("[::1]:1")),
            ("fe80::1%eth0", Ok("[fe80::1%eth0]:8444")),
            ("[fe80::1%eth0]:9", Ok("[fe80::1%eth0]:9")),
            ("fe80::1%eth9", Err(BadAddress::Interface)),
            ("NVR-1", Err(BadAddress::Shape)),
            ("[::1", Err(BadAddress::Shape)),
            ("[::1]:x", Err(BadAddress::Shape)),
            ("", Err(BadAddress::Shape)),
        ] {
            let read = Address::read_with(text, None, index).map(|address| address.to_string());
            assert_eq!(read.as_deref().map_err(|error| *error), shown, "{text}");
        }
        let SocketAddr::V6(v6) = Address::read_with("fe80::1%eth0", None, index).unwrap().socket else { panic!() };
        assert_eq!(v6.scope_id(), 7);
    }
}
