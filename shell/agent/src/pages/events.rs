//! The device's record, in words.

use sparekey_device::{Event, EventKind};
use sparekey_protocol::{Calendar, Time};

/// A line of the record.
pub(super) struct Line {
    pub(super) when: String,
    pub(super) what: &'static str,
    /// By which way back in, or about which.
    pub(super) way: &'static str,
    pub(super) from: String,
    pub(super) count: u32,
    pub(super) grave: bool,
}

impl From<&Event> for Line {
    fn from(event: &Event) -> Self {
        let from = event.from.map_or_else(|| "this screen".to_owned(), |addr| addr.to_string());
        let grave = is_news(event.kind);
        Self {
            when: when(event.at),
            what: what(event.kind),
            way: event.way.map_or("", |way| super::ways::words(way).0),
            from,
            count: event.count,
            grave,
        }
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
        EventKind::WrongProof => "Forgot password: wrong file, sheet code or answers",
        EventKind::KeyFileExported => "Key file saved",
        EventKind::SheetMade => "Recovery sheet made",
        EventKind::SheetCodeVoided => "A code of the recovery sheet voided",
        EventKind::QuestionsSet => "Security questions set",
        EventKind::QuestionsRemoved => "Security questions removed",
        EventKind::ContactRuleChanged => "Whose codes are asked for was changed",
        EventKind::WaySwitchedOn => "A way back in switched on",
        EventKind::WaySwitchedOff => "A way back in switched off",
        EventKind::ServiceSwitchedOn => "The recovery service allowed",
        EventKind::ServiceSwitchedOff => "No recovery service any more",
        EventKind::CardReplaced => "The recovery service's card replaced",
        EventKind::WayTested => "A way back in tested",
        EventKind::FactoryReset => "Reset by hand: the ownership ended",
        EventKind::Transferred => "Handed over to a new owner",
        EventKind::StopsLifted => "Somebody at the device opened the ways that wrong codes had closed",
        EventKind::RecordingsErased => "Recordings erased",
        EventKind::TransferRefused => "Activation without the right transfer code: refused",
        EventKind::NoticeDismissed => "Said that the contacts know of something",
        EventKind::NetworkChanged => "The device's network changed, until it is confirmed",
        EventKind::NetworkConfirmed => "The change of the device's network confirmed",
        EventKind::NetworkReturned => "A change of the device's network was not confirmed: it is as before",
        EventKind::MailServerChanged => "The mail server for telling the contacts changed",
        EventKind::AnswersClosed => "Twenty wrong sets of answers: they are refused",
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
        | EventKind::WrongProof
        | EventKind::AnswersClosed
        | EventKind::FactoryReset
        | EventKind::Transferred
        | EventKind::StopsLifted
        | EventKind::TransferRefused
        | EventKind::NetworkReturned
        | EventKind::RefusedOffLink => true,
        EventKind::Activated
        | EventKind::LoggedIn
        | EventKind::PasswordChanged
        | EventKind::ContactConfirmed
        | EventKind::ContactsChanged
        | EventKind::KeyFileExported
        | EventKind::SheetMade
        | EventKind::SheetCodeVoided
        | EventKind::QuestionsSet
        | EventKind::QuestionsRemoved
        | EventKind::ContactRuleChanged
        | EventKind::WaySwitchedOn
        | EventKind::WaySwitchedOff
        | EventKind::ServiceSwitchedOn
        | EventKind::ServiceSwitchedOff
        | EventKind::CardReplaced
        | EventKind::RecordingsErased
        | EventKind::MailServerChanged
        | EventKind::NetworkChanged
        | EventKind::NetworkConfirmed
        | EventKind::NoticeDismissed
        | EventKind::WayTested => false,
    }
}

/// `2026-11-22 19:14:08`, UTC.
pub(super) fn when(time: Time) -> String {
    let Calendar { year, month, day, hour, minute, second } = time.calendar();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
