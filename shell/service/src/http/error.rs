//! From what went wrong inside to what is said outside: the only place where this crate chooses a problem.

use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::rejection::{BytesRejection, FormRejection};
use http::StatusCode;
use sparekey_protocol::{Malformed, Refusal};
use sparekey_web::messages::{self, Message};
use sparekey_web::problem::Problem;

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

pub(crate) fn no_request_in_photo(error: PhotoError) -> Problem {
    match error {
        PhotoError::NoQr => messages::NO_QR.into(),
        PhotoError::TooLarge => messages::TOO_LARGE.into(),
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
    fn refusals_keep_their_names() {
        for refusal in Refusal::ALL {
            assert_eq!(message(refusal).name, refusal.name());
        }
    }
}
