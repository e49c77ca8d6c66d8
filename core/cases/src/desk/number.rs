use alloc::format;

use sparekey_protocol::{CaseNumber, Time};

/// The number of the case with this place in the service's sequence: the year it was opened in, and which one it is:
/// `2026-000123`. People read it out; it is no secret, and knowing it opens nothing.
#[must_use]
pub fn number(opened: Time, place: u64) -> CaseNumber {
    let year = opened.calendar().year.min(9_999);
    CaseNumber::new(&format!("{year}-{place:06}")).expect("a year and twenty digits are within 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_year() {
        for (seconds, place, expected) in [
            (0, 1, "1970-000001"),
            (1_798_761_599, 999_999, "2026-999999"),
            (1_798_761_600, 1_000_000, "2027-1000000"),
            (u64::MAX, u64::MAX, "9999-18446744073709551615"),
        ] {
            assert_eq!(number(Time(seconds), place).as_str(), expected);
        }
    }
}
