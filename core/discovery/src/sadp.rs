//! Hikvision's search (SADP over UDP 37020): one inquiry out, what devices say to it in.
//!
//! The same port takes commands that change a device. None of them is in this file, and none can be made with it: the inquiry is
//! a fixed text but for its number.

use alloc::{format, vec::Vec};
use core::net::{IpAddr, Ipv4Addr};

use sparekey_xml::{Node, parse, text};

use crate::{
    Label, Mac, Refused,
    sighting::{Dialect, Sighting, Source, State},
};

/// Fields of an answer that tell how its password can be reset, and whether now.
const REMARKS: [&str; 12] = [
    "Activated",
    "BootTime",
    "DeviceLock",
    "Encrypt",
    "HCPlatformEnable",
    "OEMInfo",
    "PasswordResetAbility",
    "PasswordResetModeSecond",
    "ResetAbility",
    "SupportGUID",
    "SupportMailBox",
    "SupportSecurityQuestion",
];

/// The inquiry.
#[must_use]
pub fn inquiry(number: [u8; 16]) -> Vec<u8> {
    let digits = hex::encode_upper(number);
    let [a, b, c, d, e] = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>{a}-{b}-{c}-{d}-{e}</Uuid><Types>inquiry</Types></Probe>")
        .into_bytes()
}

/// Reads an answer, to whosever inquiry it is. Every field may be missing.
///
/// # Errors
/// [`Refused`]; [`Refused::NotAnAnswer`] for inquiries, ours and others'.
pub fn read(datagram: &[u8], source: Source) -> Result<Sighting, Refused> {
    let document = parse(datagram)?;
    let root = document.root_element();
    let name = root.tag_name().name();
    if name.eq_ignore_ascii_case("Probe") {
        return Err(Refused::NotAnAnswer);
    }
    if !name.eq_ignore_ascii_case("ProbeMatch") {
        return Err(Refused::Shape);
    }
    // Anything but an inquiry's answer acknowledges somebody's command.
    let kind = field(root, "Types").unwrap_or("inquiry");
    if !kind.to_ascii_lowercase().starts_with("inquiry") {
        return Err(Refused::NotAnAnswer);
    }
    let label = |name| field(root, name).and_then(Label::new);
    let mut sighting = Sighting::new(Dialect::Sadp, source);
    sighting.vendor = Label::new("Hikvision");
    sighting.model = label("DeviceDescription");
    // Written as model and serial in one.
    let model = sighting.model.as_ref().map(Label::as_str).unwrap_or_default();
    let serial = field(root, "DeviceSN")
        .map(|serial| serial.strip_prefix(model).filter(|rest| !rest.is_empty()).unwrap_or(serial));
    sighting.serial = serial.and_then(Label::new);
    sighting.firmware = label("SoftwareVersion");
    sighting.mac = field(root, "MAC").and_then(Mac::parse);
    sighting.state =
        field(root, "Activated").and_then(is_true).map(|yes| if yes { State::Active } else { State::Inactive });
    sighting.started = label("BootTime");
    for name in ["IPv4Address", "IPv6Address"] {
        if let Some(address) = field(root, name).and_then(|text| text.parse::<IpAddr>().ok()) {
            sighting.add_address(address);
        }
    }
    sighting.bits = field(root, "IPv4SubnetMask").and_then(|mask| prefix_bits(mask.parse().ok()?));
    sighting.gateway = field(root, "IPv4Gateway").and_then(|text| text.parse().ok());
    sighting.gateway = sighting.gateway.filter(|gateway: &Ipv4Addr| !gateway.is_unspecified());
    sighting.dhcp = field(root, "DHCP").and_then(is_true);
    for (name, what) in [("HttpPort", "http"), ("CommandPort", "control"), ("SDKOverTLSPort", "control-tls")] {
        if let Some(port) = field(root, name).and_then(|text| text.parse().ok()) {
            sighting.add_port(what, port);
        }
    }
    for name in REMARKS {
        if let Some(value) = field(root, name) {
            sighting.add_remark(name, value);
        }
    }
    if sighting.serial.is_none() && sighting.mac.is_none() {
        return Err(Refused::Shape);
    }
    Ok(sighting)
}

/// The text of a field; names are compared without case.
fn field<'a>(root: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let found = root.children().find(|node| node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name));
    found.map(text).filter(|text| !text.is_empty())
}

/// Yes or no; one firmware writes `flase`.
fn is_true(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "flase" | "0" => Some(false),
        _ => None,
    }
}

/// How many bits a mask has; `None` if there are holes in it.
pub(crate) fn prefix_bits(mask: Ipv4Addr) -> Option<u8> {
    let bits = mask.to_bits();
    let ones = bits.leading_ones();
    (bits.count_ones() == ones && ones > 0).then(|| u8::try_from(ones).expect("at most 32"))
}
