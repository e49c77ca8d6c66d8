//! From what went wrong inside to what is said outside: the only place where this crate chooses a problem.

use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::rejection::{BytesRejection, FormRejection};
use http::StatusCode;
use sparekey_protocol::{Malformed, Refusal, files::FileError};
use sparekey_web::messages::{self, Message};
use sparekey_web::problem::Problem;

use sparekey_cases::desk::{Refusal as DeskRefusal, Unfit};

use crate::desk::DeskError;
use crate::desk::sign_in::SignInError;
use crate::photo::PhotoError;
use crate::service::SubmitError;

/// When a service that cannot write just now, or a queue that is full, is worth another try.
const RETRY_SECONDS: u64 = 5;

/// Nothing can be stored just now.
pub(crate) fn unavailable() -> Problem {
    Problem::new(messages::UNAVAILABLE).retry_after(RETRY_SECONDS)
}

/// The message of a refusal.
pub(crate) fn message(refusal: Refusal) -> Message {
    match refusal {
        Refusal::TooLarge => messages::TOO_LARGE,
        Refusal::Malformed => messages::MALFORMED,
        Refusal::UnknownMaker => messages::UNKNOWN_MAKER,
        Refusal::BadCertificate => messages::BAD_CERTIFICATE,
        Refusal::Withdrawn => messages::WITHDRAWN,
        Refusal::BadSignature => messages::BAD_SIGNATURE,
        Refusal::UnknownKey => messages::UNKNOWN_KEY,
        Refusal::NotOpened => messages::NOT_OPENED,
    }
}

/// What was typed or pasted is no request.
pub(crate) fn unread(malformed: Malformed) -> Problem {
    message(malformed.into()).into()
}

pub(crate) fn not_submitted(error: &SubmitError) -> Problem {
    match error {
        SubmitError::Refused(refusal) => message(*refusal).into(),
        SubmitError::TooMany { retry_after } => Problem::new(messages::TOO_MANY).retry_after(*retry_after),
        SubmitError::Unavailable => unavailable(),
    }
}

/// Why the desk did not do it.
pub(crate) fn desk(error: &DeskError) -> Problem {
    match error {
        DeskError::NotLoggedIn => messages::NOT_LOGGED_IN.into(),
        DeskError::Refused(refusal) => refused(*refusal),
        DeskError::Request(refusal) => message(*refusal).into(),
        DeskError::File(FileError::TooLong) => messages::TOO_LARGE.into(),
        DeskError::File(error) => Problem::new(messages::MALFORMED).detail(file(*error)),
        DeskError::Field(field) => {
            Problem::new(messages::MALFORMED).detail(format!("Check the field {field}.")).with("field", *field)
        }
        DeskError::NotLoggedYet => Problem::new(messages::NOT_LOGGED_YET).retry_after(RETRY_SECONDS),
        DeskError::Photo(error) => no_request_in_photo(*error),
        DeskError::NameTaken => messages::NAME_TAKEN.into(),
        DeskError::Unavailable => unavailable(),
    }
}

/// Why somebody does not come in.
pub(crate) fn sign_in(error: &SignInError) -> Problem {
    match error {
        SignInError::LinkOver => messages::LINK_OVER.into(),
        SignInError::BadPasskey => messages::BAD_PASSKEY.into(),
        SignInError::Desk(error) => desk(error),
    }
}

fn refused(refusal: DeskRefusal) -> Problem {
    match refusal {
        DeskRefusal::NotFound => messages::NOT_FOUND.into(),
        DeskRefusal::NotAllowed => messages::NOT_ALLOWED.into(),
        DeskRefusal::OwnCase => messages::OWN_CASE.into(),
        DeskRefusal::Unattended => messages::UNATTENDED.into(),
        DeskRefusal::StepUp => messages::STEP_UP.into(),
        DeskRefusal::WrongState(state) => Problem::new(messages::WRONG_STATE).with("state", state.name()),
        DeskRefusal::ChecklistOpen => messages::CHECKLIST_OPEN.into(),
        DeskRefusal::Expired => messages::EXPIRED.into(),
        DeskRefusal::Answered => messages::ANSWERED.into(),
        DeskRefusal::NotByGrant => messages::NOT_BY_GRANT.into(),
        DeskRefusal::Unfit(unfit) => unfit_message(unfit).into(),
        DeskRefusal::Malformed => messages::MALFORMED.into(),
    }
}

/// The message of a request that the desk cannot answer.
pub(crate) fn unfit_message(unfit: Unfit) -> Message {
    match unfit {
        Unfit::TooLarge => messages::TOO_LARGE,
        Unfit::Malformed => messages::MALFORMED,
        Unfit::UnknownMaker => messages::UNKNOWN_MAKER,
        Unfit::BadCertificate => messages::BAD_CERTIFICATE,
        Unfit::Withdrawn => messages::WITHDRAWN,
        Unfit::BadSignature => messages::BAD_SIGNATURE,
        Unfit::UnknownKey => messages::UNKNOWN_KEY,
        Unfit::NotOpened => messages::NOT_OPENED,
        Unfit::NotForTheDesk => messages::NOT_FOR_THE_DESK,
        Unfit::Twice => messages::TWICE,
        Unfit::NotYours => messages::NOT_YOURS,
        Unfit::NotEnrolled => messages::NOT_ENROLLED,
        Unfit::InACase => messages::IN_A_CASE,
    }
}

fn file(error: FileError) -> &'static str {
    match error {
        FileError::TooLong => "The file is longer than 64 KiB.",
        FileError::Encoding => "The file is not UTF-8 text.",
        FileError::Xml => "The file is not plain XML.",
        FileError::Root => "The file is not a recovery request.",
        FileError::Element => "The file has an element that does not belong, or lacks one that does.",
        FileError::Batch => "The batch is empty, or has more than 200 entries.",
        FileError::Payload => "The file's payload is damaged.",
    }
}

pub(crate) fn no_request_in_photo(error: PhotoError) -> Problem {
    match error {
        PhotoError::NoQr => messages::NO_QR.into(),
        PhotoError::TooLarge => messages::TOO_LARGE.into(),
        PhotoError::NotAPicture => messages::BAD_EVIDENCE.into(),
        PhotoError::LockedPdf => messages::LOCKED_PDF.into(),
        PhotoError::BadPdf => messages::BAD_PDF.into(),
        PhotoError::Busy => Problem::new(messages::TOO_MANY).retry_after(RETRY_SECONDS),
        PhotoError::Failed => Problem::internal(),
    }
}

/// A body that is longer than its route takes, or was cut off.
pub(crate) fn body(rejection: &BytesRejection) -> Problem {
    by_status(rejection.status())
}

pub(crate) fn form(rejection: &FormRejection) -> Problem {
    by_status(rejection.status())
}

pub(crate) fn multipart(rejection: &MultipartRejection) -> Problem {
    by_status(rejection.status())
}

pub(crate) fn part(error: &MultipartError) -> Problem {
    by_status(error.status())
}

fn by_status(status: StatusCode) -> Problem {
    Problem::new(if status == StatusCode::PAYLOAD_TOO_LARGE { messages::TOO_LARGE } else { messages::MALFORMED })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desks_refusals_keep_their_names() {
        use sparekey_cases::desk::State;
        for refusal in [
            DeskRefusal::NotFound,
            DeskRefusal::NotAllowed,
            DeskRefusal::OwnCase,
            DeskRefusal::Unattended,
            DeskRefusal::StepUp,
            DeskRefusal::WrongState(State::Open),
            DeskRefusal::ChecklistOpen,
            DeskRefusal::Expired,
            DeskRefusal::Answered,
            DeskRefusal::NotByGrant,
            DeskRefusal::Malformed,
            DeskRefusal::Unfit(Unfit::NotForTheDesk),
            DeskRefusal::Unfit(Unfit::Twice),
            DeskRefusal::Unfit(Unfit::NotYours),
            DeskRefusal::Unfit(Unfit::NotEnrolled),
            DeskRefusal::Unfit(Unfit::InACase),
        ] {
            assert_eq!(refused(refusal).name(), refusal.name());
        }
        for refusal in Refusal::ALL {
            assert_eq!(unfit_message(refusal.into()).name, refusal.name());
        }
    }

    #[test]
    fn refusals_keep_their_names() {
        for refusal in Refusal::ALL {
            assert_eq!(message(refusal).name, refusal.name());
        }
    }
}
