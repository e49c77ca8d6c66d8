//! Moments as people and other programs write them.

use sparekey_footage::Moment;
use sparekey_protocol::Time;

/// RFC 3339, with milliseconds, in UTC: `2026-11-25T12:00:00.250Z`.
pub(crate) fn rfc3339(moment: Moment) -> String {
    let seconds = Time(moment.0 / 1_000).rfc_3339();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), moment.0 % 1_000)
}

/// And back from what a form has: `2026-11-25T12:00:00`, in UTC; milliseconds since 1970.
pub(crate) fn local(text: &str) -> Option<u64> {
    let (date, time) = text.trim_end_matches('Z').split_once('T')?;
    let numbers =
        |text: &str, by: char| text.split(by).map(|number| number.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let (&[year, month, day], [hour, minute, rest @ ..]) = (date.as_slice(), time.as_slice()) else { return None };
    let in_range = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && *hour < 24
        && *minute < 60;
    let second = rest.first().copied().unwrap_or(0);
    // Days since 0000-03-01, in years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    (in_range && second < 60).then(|| ((days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_programs_read_it() {
        assert_eq!(rfc3339(Moment(1_764_072_000_250)), "2025-11-25T12:00:00.250Z");
        for moment in [0, 951_827_696_000, 1_764_072_000_000, 1_798_761_599_000, 4_102_444_800_000] {
            assert_eq!(local(&rfc3339(Moment(moment))[..19]), Some(moment));
        }
        for wrong in
            ["", "2026-11-25", "2026-13-25T12:00:00", "2026-11-25T24:00:00", "2026-11-25Tx", "99999-01-01T00:00:00"]
        {
            assert_eq!(local(wrong), None, "{wrong}");
        }
        assert_eq!(rfc3339(Moment(0)), "1970-01-01T00:00:00.000Z");
    }
}
