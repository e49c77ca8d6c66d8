//! The device's record, in words.

use sparekey_device::{Event, EventKind};
use sparekey_protocol::{Calendar, Time};

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

/// `2026-11-22 19:14:08`, UTC.
pub(super) fn when(time: Time) -> String {
    let Calendar { year, month, day, hour, minute, second } = time.calendar();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
