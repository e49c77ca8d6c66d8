//! What an ONVIF device says, in the words of the table.

use alloc::string::String;
use core::net::{IpAddr, Ipv6Addr};

use super::{Match, OURS, SCOPE, unpercent};
use crate::{
    Label, Mac,
    sighting::{Dialect, Sighting, Source},
};

/// What a device says of itself; `None` for what is no video device, such as a printer.
#[must_use]
pub fn sighting(said: &Match, source: Source, gone: bool) -> Option<Sighting> {
    let of_onvif = |scope: &String| scope.starts_with(SCOPE);
    let is_video = said.types.iter().any(|kind| kind == "NetworkVideoTransmitter" || kind == "NetworkVideoDisplay")
        || said.scopes.iter().any(of_onvif);
    if !is_video && !gone {
        return None;
    }
    let scope = |category: &str| {
        let values =
            said.scopes.iter().filter_map(|scope| scope.strip_prefix(SCOPE)?.strip_prefix(category)?.strip_prefix('/'));
        values.map(unpercent).find_map(|value| Label::new(&value))
    };
    let mut sighting = Sighting::new(Dialect::Onvif, source);
    let endpoint = said.endpoint.trim_start_matches("urn:").trim_start_matches("uuid:");
    sighting.identifier = Label::new(&endpoint.to_ascii_lowercase());
    sighting.model = scope("hardware");
    sighting.name = scope("name");
    sighting.serial = scope("SerialNumber");
    sighting.mac = scope("MacAddress").and_then(|mac| Mac::parse(mac.as_str()));
    // Many say their vendor's name first, then the model.
    let model = sighting.model.as_ref().map(Label::as_str).unwrap_or_default();
    let vendor = sighting.name.as_ref().and_then(|name| name.as_str().strip_suffix(model)).map(str::trim);
    let ours = said.scopes.iter().any(|scope| scope.starts_with(OURS)).then_some("Sparekey");
    sighting.vendor = ours.or(vendor.filter(|_| !model.is_empty())).and_then(Label::new);
    for url in &said.addresses {
        if let Some((address, port)) = address_of(url) {
            if let Some(address) = address {
                sighting.add_address(address);
            }
            sighting.add_port(if url.starts_with("https:") { "https" } else { "http" }, port);
        }
    }
    sighting.gone = gone;
    Some(sighting)
}

/// The address and port of a URL. A name is not looked up: no address.
fn address_of(url: &str) -> Option<(Option<IpAddr>, u16)> {
    let (usual, rest) = match url.split_once("://")? {
        (scheme, rest) if scheme.eq_ignore_ascii_case("http") => (80, rest),
        (scheme, rest) if scheme.eq_ignore_ascii_case("https") => (443, rest),
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (address, after) = bracketed.split_once(']')?;
        // A scope means something to its own host only (RFC 6874).
        let address = address.split('%').next().unwrap_or_default().parse::<Ipv6Addr>().ok()?;
        let port = after.strip_prefix(':').map_or(Some(usual), |port| port.parse().ok())?;
        return Some((Some(address.into()), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, usual),
    };
    Some((host.parse().ok(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_out_of_urls_and_names_are_not_looked_up() {
        for (url, expected) in [
            ("http://192.168.1.64/onvif/device_service", Some((Some("192.168.1.64"), 80))),
            ("https://192.168.1.64:8443/", Some((Some("192.168.1.64"), 8443))),
            ("http://[fe80::1%25eth0]:8080/x", Some((Some("fe80::1"), 8080))),
            ("http://camera.local/x", Some((None, 80))),
            ("http://1.2.3.4:99999/", None),
            ("http://[::1", None),
            ("ftp://1.2.3.4/", None),
            ("", None),
        ] {
            let expected = expected.map(|(address, port)| (address.map(|a| a.parse().unwrap()), port));
            assert_eq!(address_of(url), expected, "{url}");
        }
    }
}
