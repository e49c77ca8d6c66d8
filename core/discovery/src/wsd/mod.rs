//! WS-Discovery as ONVIF devices speak it (WS-Discovery of April 2005 over SOAP 1.2; ONVIF Core Specification section 7).

mod answerer;
mod read;
mod sighting;
mod write;

use alloc::{format, string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use answerer::Answerer;
pub use read::{Heard, Match, Probe, read};
pub use sighting::sighting;
pub use write::{Kind, probe};

use crate::Family;

/// The port of both sides.
pub const PORT: u16 = 3702;

/// Where everybody on a link listens.
#[must_use]
pub fn group(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::new(239, 255, 255, 250).into(),
        Family::V6 => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xc).into(),
    }
}

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const DISCOVERY: &str = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const NETWORK: &str = "http://www.onvif.org/ver10/network/wsdl";
const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const SCOPE: &str = "onvif://www.onvif.org/";
/// A scope of Sparekey devices: their id follows (protocol section 10).
const OURS: &str = "urn:sparekey:device:";

/// Whether a probe's sender asks by multicast DNS as well: a Sparekey device need not answer him twice. It is said by the first bytes of the
/// probe's number, a UUID of version 8 (RFC 9562 section 5.8), which means nothing to other devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// In this dialect alone: another program.
    Here,
    /// In both, and will say by multicast DNS whom he knows: who is not among them may answer here.
    BothTwice,
    /// In both, and asks again soon.
    Both,
}

impl Asks {
    const MARKS: [(Self, &'static [u8; 4]); 2] = [(Self::BothTwice, b"SPK1"), (Self::Both, b"SPK2")];

    /// What a probe's number says.
    fn of(id: &str) -> Self {
        let digits = id.trim_start_matches("urn:").trim_start_matches("uuid:");
        let mark = digits.split_once('-').map(|(mark, _)| mark).unwrap_or_default();
        Self::MARKS.into_iter().find(|(_, bytes)| hex::encode(bytes) == mark).map_or(Self::Here, |(asks, _)| asks)
    }

    fn mark(self, number: &mut [u8; 16]) {
        if let Some((_, bytes)) = Self::MARKS.into_iter().find(|(asks, _)| *asks == self) {
            number[..4].copy_from_slice(bytes);
        }
    }
}

/// What answers on an ONVIF device, as it says it of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its lasting identifier, a UUID.
    pub id: String,
    /// URIs that describe it.
    pub scopes: Vec<String>,
    /// The port of its web interface.
    pub port: u16,
    /// A number that grows with each of its starts: its start time.
    pub instance: u64,
}

impl Endpoint {
    /// A Sparekey device.
    #[must_use]
    pub fn new(announcement: &crate::Announcement, title: &str, port: u16) -> Self {
        let scope = |category, value: &str| format!("{SCOPE}{category}/{}", percent(value));
        Self {
            id: uuid(announcement.device_id),
            scopes: alloc::vec![
                format!("{SCOPE}type/NetworkVideoTransmitter"),
                scope("name", title),
                scope("hardware", &announcement.model),
                scope("SerialNumber", &announcement.serial),
                format!("{OURS}{}", hex::encode(announcement.device_id)),
            ],
            port,
            instance: announcement.start_time,
        }
    }
}

/// The identifier of a device, or of a message: sixteen bytes as a UUID of version 8, whose meaning is its maker's (RFC 9562 section 5.8).
#[must_use]
pub fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

/// A text as part of a URI (RFC 3986 section 2.1).
fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Part of a URI as a text. What is no text stays as it is.
fn unpercent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = digits.and_then(|digits| hex::decode(digits).ok());
        match byte {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| String::from(text))
}
