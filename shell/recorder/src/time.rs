//! Moments as people and other programs write them.

use sparekey_footage::Moment;
use sparekey_protocol::Time;

/// RFC 3339, with milliseconds, in UTC: `2026-11-25T12:00:00.250Z`.
pub(crate) fn rfc3339(moment: Moment) -> String {
    let seconds = Time(moment.0 / 1_000).rfc_3339();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), moment.0 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_programs_read_it() {
        assert_eq!(rfc3339(Moment(1_764_072_000_250)), "2025-11-25T12:00:00.250Z");
        assert_eq!(rfc3339(Moment(0)), "1970-01-01T00:00:00.000Z");
    }
}
