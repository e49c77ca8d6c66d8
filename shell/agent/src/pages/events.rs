//! The device's record, in words.

use sparekey_device::{Event, EventKind};
use sparekey_protocol::Time;

/// A line of the record.
pub(super) struct Line {
    pub(super) when: String,
    pub(super) what: &'static str,
    pub(super) from: String,
    pub(super) count: u32,
    pub(super) grave: bool,
}

impl From<&Event> for Line {
    fn from(event: &Event) -> Self {
        let from = event.from.map_or_else(|| "this screen".to_owned(), |addr| addr.to_string());
        let grave = is_news(event.kind);
        Self { when: when(event.at), what: what(event.kind), from, count: event.count, grave }
    }
}

fn what(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Activated => "Activated",
        EventKind::LoggedIn => "Logged in",
        EventKind::LoginRefused => "Wrong name or password",
        EventKind::RecoveryOpened => "Forgot password: a code was asked for",
        EventKind::WrongCode => "Forgot password: wrong code",
        EventKind::RecoveryProven => "Forgot password: right code",
        EventKind::PasswordRecovered => "New password by Forgot password",
        EventKind::PasswordChanged => "Password changed",
        EventKind::ContactConfirmed => "Reserved email confirmed",
        EventKind::ContactsChanged => "Reserved emails changed",
        EventKind::CodesClosed => "A hundred wrong codes: codes are refused",
        EventKind::RefusedOffLink => "Forgot password from another network: refused",
    }
}

/// Whether an owner is told of it when they next log in.
pub(super) fn is_news(kind: EventKind) -> bool {
    match kind {
        EventKind::LoginRefused
        | EventKind::RecoveryOpened
        | EventKind::WrongCode
        | EventKind::RecoveryProven
        | EventKind::PasswordRecovered
        | EventKind::CodesClosed
        | EventKind::RefusedOffLink => true,
        EventKind::Activated
        | EventKind::LoggedIn
        | EventKind::PasswordChanged
        | EventKind::ContactConfirmed
        | EventKind::ContactsChanged => false,
    }
}

/// `2026-11-22 19:14:08`, UTC (Gregorian calendar, from days since 1970-01-01).
pub(super) fn when(Time(seconds): Time) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years are counted from the first of March, so that the leap day is the last one; 400 years have 146,097 days.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_read_them() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (1_795_374_848, "2026-11-22 19:14:08"),
            (4_107_542_399, "2100-02-28 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(when(Time(seconds)), expected);
        }
    }
}
