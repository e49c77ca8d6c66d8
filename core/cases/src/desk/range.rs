use alloc::{
    format,
    string::{String, ToString},
};
use core::{fmt, str::FromStr};

use sparekey_protocol::Serial;

/// Serial numbers that are an organisation's: `NVR-000100..NVR-000999`, both included and of one length, or all that begin so:
/// `NVR-7*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SerialRange {
    /// From one to another of the same length, in the order of their bytes.
    Between(Serial, Serial),
    /// Beginning so.
    Beginning(String),
}

/// What is no range of serial numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRange;

impl fmt::Display for BadRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no range of serial numbers; write FIRST..LAST, both of one length, or BEGINNING*")
    }
}

impl core::error::Error for BadRange {}

impl SerialRange {
    /// Whether a serial number is in it.
    #[must_use]
    pub fn contains(&self, serial: &Serial) -> bool {
        let serial = serial.as_str();
        match self {
            Self::Between(first, last) => {
                serial.len() == first.as_str().len() && (first.as_str()..=last.as_str()).contains(&serial)
            }
            Self::Beginning(beginning) => serial.starts_with(beginning),
        }
    }
}

impl FromStr for SerialRange {
    type Err = BadRange;

    fn from_str(text: &str) -> Result<Self, BadRange> {
        let serial = |text: &str| Serial::new(text.trim()).map_err(|_| BadRange);
        if let Some(beginning) = text.trim().strip_suffix('*') {
            return serial(beginning).map(|beginning| Self::Beginning(beginning.to_string()));
        }
        let (first, last) = text.split_once("..").ok_or(BadRange)?;
        let (first, last) = (serial(first)?, serial(last)?);
        let in_order = first.as_str().len() == last.as_str().len() && first <= last;
        in_order.then_some(Self::Between(first, last)).ok_or(BadRange)
    }
}

impl fmt::Display for SerialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) => f.write_str(&format!("{first}..{last}")),
            Self::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_own() {
        for (range, inside, outside) in [
            (
                "NVR-100..NVR-199",
                &["NVR-100", "NVR-150", "NVR-199"][..],
                &["NVR-200", "NVR-99", "NVR-1500", "NVR-15"][..],
            ),
            ("A..A", &["A"], &["AA", "B"]),
            ("SK16-*", &["SK16-1", "SK16-"], &["SK1", "SK17-1"]),
        ] {
            let range: SerialRange = range.parse().unwrap();
            assert_eq!(range.to_string().parse(), Ok(range.clone()));
            for serial in inside {
                assert!(range.contains(&Serial::new(serial).unwrap()), "{range} {serial}");
            }
            for serial in outside {
                assert!(!range.contains(&Serial::new(serial).unwrap()), "{range} {serial}");
            }
        }
        for text in ["", "*", "A", "A..", "B..A", "A..AA", "a..b", "A**", "A..B..C"] {
            assert_eq!(text.parse::<SerialRange>(), Err(BadRange), "{text}");
        }
    }
}
