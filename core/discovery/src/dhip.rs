//! Dahua's search (DHIP over UDP 37810): one search out, what devices say to it in.
//!
//! The same port takes commands that change a device. None of them is in this file, and none can be made with it: the search is a
//! fixed text.

use alloc::vec::Vec;
use core::net::IpAddr;

use serde_json_alloc::Value;

use crate::{
    Label, Mac, Refused,
    sadp::prefix_bits,
    sighting::{Dialect, Sighting, Source},
};

/// A UDP datagram carries no more.
const MAX_BYTES: usize = 65_507;
/// Before the text of a message.
const HEADER: usize = 32;
const MAGIC: &[u8; 4] = b"DHIP";
const SEARCH: &[u8] = b"{\"method\":\"DHDiscover.search\",\"params\":{\"mac\":\"\",\"uni\":1}}\n";

/// The search: the header (its own length, the name, twice the length of the text) and the text.
#[must_use]
pub fn search() -> Vec<u8> {
    let length = u32::try_from(SEARCH.len()).expect("a short text").to_le_bytes();
    let nothing = [0; 4];
    let mut datagram = Vec::with_capacity(HEADER + SEARCH.len());
    for field in [[HEADER as u8, 0, 0, 0], *MAGIC, nothing, nothing, length, nothing, length, nothing] {
        datagram.extend_from_slice(&field);
    }
    datagram.extend_from_slice(SEARCH);
    datagram
}

/// Reads an answer. The text begins at the first brace: headers differ.
///
/// # Errors
/// [`Refused`]
pub fn read(datagram: &[u8], source: Source) -> Result<Sighting, Refused> {
    if datagram.len() > MAX_BYTES {
        return Err(Refused::TooLong);
    }
    if datagram.get(4..8) != Some(MAGIC) {
        return Err(Refused::Shape);
    }
    let begin = datagram.iter().position(|byte| *byte == b'{').ok_or(Refused::Shape)?;
    let end = datagram.iter().rposition(|byte| *byte == b'}').ok_or(Refused::Shape)?;
    let text = datagram.get(begin..=end).ok_or(Refused::Shape)?;
    // Nested more than 128 deep is refused (serde_json), so this ends.
    let said: Value = serde_json_alloc::from_slice(text).map_err(|_| Refused::Shape)?;
    if said["method"] != "client.notifyDevInfo" {
        return Err(Refused::NotAnAnswer);
    }
    let info = &said["params"]["deviceInfo"];
    let label = |name: &str| info[name].as_str().and_then(Label::new);
    let mut sighting = Sighting::new(Dialect::Dhip, source);
    sighting.vendor = label("Vendor").or_else(|| label("Manufacturer")).or_else(|| Label::new("Dahua"));
    sighting.model = label("DeviceType");
    sighting.serial = label("SerialNo");
    sighting.name = label("MachineName");
    sighting.firmware = label("Version");
    sighting.mac = said["mac"].as_str().or_else(|| info["mac"].as_str()).and_then(Mac::parse);
    for (version, address) in
        [("IPv4Address", "IPAddress"), ("IPv6Address", "IPAddress"), ("IPv6Address", "LinkLocalAddress")]
    {
        let text = info[version][address].as_str().unwrap_or_default();
        if let Ok(address) = text.split('/').next().unwrap_or_default().parse::<IpAddr>() {
            sighting.add_address(address);
        }
    }
    let v4 = &info["IPv4Address"];
    sighting.bits = v4["SubnetMask"].as_str().and_then(|mask| prefix_bits(mask.parse().ok()?));
    sighting.gateway = v4["DefaultGateway"].as_str().and_then(|gateway| gateway.parse().ok());
    sighting.dhcp = v4["DhcpEnable"].as_bool();
    for (name, what) in [("HttpPort", "http"), ("Port", "control")] {
        if let Some(port) = info[name].as_u64().and_then(|port| u16::try_from(port).ok()) {
            sighting.add_port(what, port);
        }
    }
    // A field of bits whose meaning no source confirms: told as it is, and no state concluded from it.
    if let Some(init) = info["Init"].as_u64() {
        sighting.add_remark("Init", &alloc::format!("{init}"));
    }
    if sighting.serial.is_none() && sighting.mac.is_none() {
        return Err(Refused::Shape);
    }
    Ok(sighting)
}
