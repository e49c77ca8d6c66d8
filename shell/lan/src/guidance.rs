//! Other vendors' devices: which of them was meant, and what its owner can do.

use std::net::IpAddr;

use sparekey_guidance::{Facts, Guidance, Language};

use crate::Row;

/// Fewer letters of a serial number than these are near to too much.
const LEAST: usize = 4;
/// What this project's devices say of their vendor, in dialects that have no room for more.
const OURS: &str = "Sparekey";

/// How near a device is to what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// A part of its serial number, or more than that: labels often show a short one.
    Near,
    /// Its serial number or hardware address, whatever the case and the dashes.
    Exact,
}

impl Row {
    /// Whether it says that it is a Sparekey device.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.device_id.is_some() || self.vendor.as_deref() == Some(OURS)
    }

    /// Whether it says that it has this address.
    #[must_use]
    pub fn has_address(&self, wanted: IpAddr) -> bool {
        let bare = |text: &String| text.split('%').next().unwrap_or_default().parse() == Ok(wanted);
        self.addresses.iter().any(bare)
    }

    /// How near its serial number is to what was typed.
    #[must_use]
    pub fn nearness(&self, typed: &str) -> Option<Nearness> {
        let typed = letters(typed);
        let serial = letters(self.serial.as_deref().unwrap_or_default());
        let is = |own: &str| !own.is_empty() && own == typed;
        if is(&serial) || is(&letters(self.mac.as_deref().unwrap_or_default())) {
            return Some(Nearness::Exact);
        }
        let (short, long) = if serial.len() < typed.len() { (&serial, &typed) } else { (&typed, &serial) };
        (short.len() >= LEAST && long.contains(short.as_str())).then_some(Nearness::Near)
    }
}

/// Letters and digits alone, in upper case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// What the owner of another vendor's device can do, in the language of a tag (BCP 47) or locale. Nothing is asked of the device: all of it
/// comes from its row.
#[must_use]
pub fn guidance(row: &Row, language: &str) -> Guidance {
    let owned = |text: &&'static str| (*text).to_owned();
    let facts = Facts {
        vendor: row.vendor.clone(),
        model: row.model.clone(),
        name: row.name.clone(),
        serial: row.serial.clone(),
        firmware: row.firmware.clone(),
        start_time: row.start_time.clone(),
        mac: row.mac.clone(),
        state: row.state.as_ref().map(owned),
        found_by: row.found_by.iter().map(owned).collect(),
        remarks: row.remarks.iter().map(|(name, value)| (owned(name), value.clone())).collect(),
        network: row.network.clone(),
    };
    sparekey_guidance::guidance(&facts, Language::of(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(serial: &str, mac: &str) -> Row {
        Row { serial: Some(serial.to_owned()), mac: Some(mac.to_owned()), ..Row::default() }
    }

    #[test]
    fn short_serials_and_other_cases_are_near() {
        let camera = row("DS-2CD2043G2-I20230405AAWRK12345678", "68:6d:bc:01:02:03");
        for (typed, nearness) in [
            ("DS-2CD2043G2-I20230405AAWRK12345678", Some(Nearness::Exact)),
            ("ds-2cd2043g2-i20230405aawrk12345678", Some(Nearness::Exact)),
            ("DS2CD2043G2I20230405AAWRK12345678", Some(Nearness::Exact)),
            ("K12345678", Some(Nearness::Near)),
            ("DS-2CD2043G2-I20230405AAWRK12345678WCVU", Some(Nearness::Near)),
            ("686DBC010203", Some(Nearness::Exact)),
            ("68-6d-bc-01-02-03", Some(Nearness::Exact)),
            ("K12345679", None),
            ("678", None),
            ("", None),
        ] {
            assert_eq!(camera.nearness(typed), nearness, "{typed}");
        }
        assert_eq!(Row::default().nearness(""), None);
        assert_eq!(row("A1", "").nearness("A1B2C3"), None, "a serial of two letters is in everything");
    }

    #[test]
    fn addresses_are_compared_as_addresses() {
        let row = Row { addresses: vec!["192.168.1.64".to_owned(), "fe80::1%eth0".to_owned()], ..Row::default() };
        for (address, has) in [("192.168.1.64", true), ("fe80:0::1", true), ("192.168.1.6", false)] {
            assert_eq!(row.has_address(address.parse().unwrap()), has, "{address}");
        }
    }

    #[test]
    fn a_row_is_all_that_guidance_needs() {
        let row = Row {
            vendor: Some("Hikvision".to_owned()),
            state: Some("inactive"),
            network: Some("…".to_owned()),
            ..Row::default()
        };
        let said = guidance(&row, "de_AT.UTF-8");
        assert_eq!((said.language, said.file, said.ways[0].name.as_str()), ("de", "hikvision", "activate"));
        assert_eq!(said.network, row.network);
        assert!(!row.is_ours());
        assert!(Row { vendor: Some("Sparekey".to_owned()), ..Row::default() }.is_ours());
    }
}
