use alloc::{format, string::String};
use core::fmt;

use sparekey_protocol::Time;

/// A case's number: the year it was opened in, and which one it is in this service: `2026-000123`. People read it out; it is no
/// secret, and knowing it opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CaseNumber(String);

impl CaseNumber {
    /// The greatest length in bytes (protocol section 6).
    pub const MAX: usize = 32;

    /// The number of the case with this place in the service's sequence.
    #[must_use]
    pub fn new(opened: Time, place: u64) -> Self {
        Self(format!("{}-{place:06}", year(opened)))
    }

    /// What may be a number, as somebody types it; looking it up tells whether it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=Self::MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The year of a time, at most 9999.
fn year(Time(seconds): Time) -> u64 {
    const LAST: u64 = 253_402_300_799;
    let days = seconds.min(LAST) / 86_400;
    // Years of 365.2425 days put the first and the last hours of some years wrong: one correction finds the right one.
    let guess = days * 400 / 146_097;
    let year = 1970 + guess + 1;
    if first_day(year) <= days {
        year
    } else if first_day(year - 1) <= days {
        year - 1
    } else {
        year - 2
    }
}

/// The first day of a year, counted from 1970-01-01.
fn first_day(year: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    365 * (year - 1970) + leap_days(year - 1) - leap_days(1969)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn numbers_have_the_year() {
        // From `date -u -d @…`.
        for (seconds, place, number) in [
            (0, 1, "1970-000001"),
            (951_868_800, 7, "2000-000007"),
            (1_798_761_599, 999_999, "2026-999999"),
            (1_798_761_600, 1_000_000, "2027-1000000"),
            (4_102_444_799, 1, "2099-000001"),
            (4_102_444_800, 1, "2100-000001"),
            (u64::MAX, u64::MAX, "9999-18446744073709551615"),
        ] {
            let made = CaseNumber::new(Time(seconds), place);
            assert_eq!(made.to_string(), number);
            assert_eq!(CaseNumber::parse(number), Some(made));
        }
        for text in ["", "2026_1", "../etc", "1111111111111111111111111111111111", "２０２６-1"] {
            assert_eq!(CaseNumber::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_new_year_is_told_from_its_eve() {
        for year in 1971..=9999_u64 {
            let midnight = first_day(year) * 86_400;
            assert_eq!(super::year(Time(midnight)), year);
            assert_eq!(super::year(Time(midnight - 1)), year - 1);
        }
    }
}
