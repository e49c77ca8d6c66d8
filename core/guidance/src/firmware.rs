//! Firmware versions, as vendors write them.

use alloc::vec::Vec;

/// Numbers of a version that are compared.
const MAX_NUMBERS: usize = 8;

/// A version that can be compared: `V4.21.000 build 190101` is 4, 21, 0.
#[derive(Clone, Debug)]
pub struct Firmware(Vec<u32>);

impl Firmware {
    /// Reads the first version in a text: the first digit after a `V`, or else the first digit, begins it; dots go on with it, and anything
    /// else ends it. `None` if there is none, or a number is beyond all reason.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let after_v = (1..bytes.len()).find(|at| digit(*at) && bytes[at - 1].eq_ignore_ascii_case(&b'v'));
        let begin = after_v.or_else(|| (0..bytes.len()).find(|at| digit(*at)))?;
        let version = text.get(begin..)?.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?;
        let numbers = version.split('.').take_while(|number| !number.is_empty()).take(MAX_NUMBERS);
        numbers.map(|number| number.parse().ok()).collect::<Option<_>>().map(Self)
    }

    /// Whether it is this version or a later one. Numbers that are missing are zeros.
    #[must_use]
    pub fn is_at_least(&self, other: &Self) -> bool {
        let number = |version: &Self, at: usize| version.0.get(at).copied().unwrap_or_default();
        let numbers = |version: &Self| (0..MAX_NUMBERS).map(|at| number(version, at)).collect::<Vec<_>>();
        numbers(self) >= numbers(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        for (device, least, is) in [
            ("V4.21.000", "V4.21.000", true),
            ("V4.21.000 build 180910", "V4.21.000", true),
            ("V4.22.005build 190101", "V4.21.000", true),
            ("V4.30.5", "V4.21.000", true),
            ("V4.3", "V4.21.000", false),
            ("V4.1", "V4.21.000", false),
            ("V4.20.999", "V4.21.000", false),
            ("V3.4.106 build 200313", "V3.4.90", true),
            ("V3.4.9", "V3.4.90", false),
            ("v5.7.15", "V5.7.2", true),
            ("V10.0", "V9.9.9", true),
            ("4.001.0000000.9.R", "4.1.0.9", true),
            ("3.215.0000000.6", "4.0", false),
            ("Version V4.60.000", "V4.21.000", true),
            ("4", "4.0.0", true),
            ("V4.21.", "4.21", true),
            ("1.2.3.4.5.6.7.8.9", "1.2.3.4.5.6.7.8", true),
        ] {
            let [device, least] = [device, least].map(|text| Firmware::read(text).unwrap());
            assert_eq!(device.is_at_least(&least), is, "{device:?} {least:?}");
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "V", "build", "V..", "录像机", "V4.99999999999"] {
            assert!(Firmware::read(text).is_none(), "{text:?}");
        }
        assert!(Firmware::read("é4.1").is_some());
    }
}
