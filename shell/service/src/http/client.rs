//! Who asks: the peer of the connection, or, behind proxies that were listed, whom those say they speak for.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use sparekey_web::listen::Peer;
use sparekey_web::problem::Problem;

use super::App;
use super::cidr::Cidr;
use crate::NetworkKey;

/// The network a request came from: what limits count by, and all that logs say of an address. An extractor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) NetworkKey);

impl FromRequestParts<App> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let peer = Peer::from_request_parts(parts, app).await?;
        Ok(Self(NetworkKey::of(address(peer.addr.ip(), &parts.headers, &app.settings.trusted_proxies))))
    }
}

/// The address a request came from.
///
/// A peer that is no trusted proxy is the client, whatever its headers say. For a trusted one it is the right-most address
/// in `X-Forwarded-For` or `Forwarded` (RFC 7239) that is not itself a trusted proxy's: everything left of that one was
/// written by strangers. Where that address cannot be read, or the two headers do not agree (one of them was written by
/// the client and passed on), it is the proxy's own: too narrow a limit then, never a forged one.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let listed = list(headers, "x-forwarded-for", address_in_list);
    let forwarded = list(headers, header::FORWARDED.as_str(), address_in_forwarded);
    let found = match (right_most(&listed, is_trusted), right_most(&forwarded, is_trusted)) {
        (Hops::None, hops) | (hops, Hops::None) => hops,
        (one, other) if one == other => one,
        _ => Hops::Unclear,
    };
    match found {
        Hops::Client(address) => address,
        Hops::None | Hops::Unclear => peer,
    }
}

/// What a header says of the way a request took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hops {
    /// There is no such header.
    None,
    /// The right-most address that is not trusted; the left-most one if all are.
    Client(IpAddr),
    /// An element that had to be read and could not be.
    Unclear,
}

fn right_most(elements: &[Option<IpAddr>], is_trusted: impl Fn(IpAddr) -> bool) -> Hops {
    let mut furthest = Hops::None;
    for element in elements.iter().rev() {
        match element {
            Some(address) if is_trusted(*address) => furthest = Hops::Client(*address),
            Some(address) => return Hops::Client(*address),
            None => return Hops::Unclear,
        }
    }
    furthest
}

/// The elements of all headers of that name, in order (RFC 9110 section 5.3: several lines are one list).
fn list(headers: &HeaderMap, name: &str, read: fn(&str) -> Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let mut elements = Vec::new();
    for line in headers.get_all(name) {
        match line.to_str() {
            Ok(line) => elements.extend(line.split(',').map(|element| read(element.trim()))),
            Err(_) => elements.push(None),
        }
    }
    elements
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address_in_list(element: &str) -> Option<IpAddr> {
    let bracketed = || element.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let plain = element.parse::<IpAddr>().ok();
    let with_port = || element.parse::<SocketAddr>().ok().map(|address| address.ip());
    plain.or_else(bracketed).or_else(with_port).map(|address| address.to_canonical())
}

/// The address in `for=` of one element of `Forwarded`; names such as `unknown` and `_hidden` are none.
fn address_in_forwarded(element: &str) -> Option<IpAddr> {
    let mut values = element.split(';').filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    });
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    address_in_list(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn client(peer: &str, sent: &[(&str, &str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|range| range.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn headers_from_others_change_nothing() {
        for sent in [
            &[][..],
            &[("x-forwarded-for", "198.51.100.7")],
            &[("forwarded", "for=198.51.100.7")],
            &[("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "198.51.100.7"), ("cf-connecting-ip", "198.51.100.7")],
        ] {
            assert_eq!(client("203.0.113.9", sent), "203.0.113.9", "{sent:?}");
        }
    }

    #[test]
    fn a_trusted_proxy_is_believed_as_far_as_it_can_know() {
        let xff = "x-forwarded-for";
        for (sent, expected) in [
            (&[][..], "10.0.0.1"),
            (&[(xff, "198.51.100.7")], "198.51.100.7"),
            (&[(xff, "1.1.1.1, 198.51.100.7")], "198.51.100.7"),
            (&[(xff, "1.1.1.1, 198.51.100.7, 10.9.9.9")], "198.51.100.7"),
            (&[(xff, "1.1.1.1"), (xff, "198.51.100.7")], "198.51.100.7"),
            (&[(xff, "10.2.2.2, 10.3.3.3")], "10.2.2.2"),
            (&[(xff, "198.51.100.7:4711")], "198.51.100.7"),
            (&[(xff, "[2001:db8::7]:4711")], "2001:db8::7"),
            (&[(xff, "2001:db8::7")], "2001:db8::7"),
            (&[(xff, "::ffff:198.51.100.7")], "198.51.100.7"),
            (&[(xff, "2001:db8::7, 2001:db8:ffff::1")], "2001:db8::7"),
            (&[(xff, "198.51.100.7, nonsense")], "10.0.0.1"),
            (&[(xff, "198.51.100.7, ")], "10.0.0.1"),
            (&[(xff, "nonsense, 198.51.100.7")], "198.51.100.7"),
            (&[(xff, "fe80::1%eth0")], "10.0.0.1"),
            (&[(xff, "198.51.100.7, \u{fc}")], "10.0.0.1"),
            (&[("forwarded", "for=198.51.100.7;proto=https;by=10.0.0.1")], "198.51.100.7"),
            (&[("forwarded", "for=1.1.1.1, For=\"[2001:db8::7]:4711\"")], "2001:db8::7"),
            (&[("forwarded", "for=unknown")], "10.0.0.1"),
            (&[("forwarded", "for=_hidden")], "10.0.0.1"),
            (&[("forwarded", "for=1.1.1.1;for=198.51.100.7")], "10.0.0.1"),
            (&[("forwarded", "for=198.51.100.7"), (xff, "198.51.100.7")], "198.51.100.7"),
            (&[("forwarded", "for=1.1.1.1"), (xff, "198.51.100.7")], "10.0.0.1"),
            (&[("x-real-ip", "198.51.100.7")], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", sent), expected, "{sent:?}");
        }
        assert_eq!(client("::ffff:10.0.0.1", &[(xff, "198.51.100.7")]), "198.51.100.7");
    }
}
