//! Refusals and failures as problems: the one place where their status and words are chosen.

mod network;

use axum::response::{IntoResponse, Response};
use sparekey_device::ways::Why;
use sparekey_device::{Refusal, Weak};
use sparekey_web::messages::{self, Message};
use sparekey_web::problem::Problem;

use crate::failure::{Failure, Malformed};

pub(crate) use self::network::bad as bad_network;

/// A login that was refused. It does not tell which of the two was wrong.
const WRONG_LOGIN: Message = Message {
    title: "This name or password is not right.",
    detail: "Check both and try again; capital letters count in the password.",
    ..messages::NOT_LOGGED_IN
};

/// The current password, asked for again, was wrong.
const WRONG_PASSWORD: Message = Message {
    title: "The current password is not right.",
    detail: "Type the password that you log in with now.",
    ..messages::WRONG_PROOF
};

/// Somebody else's device, until they say otherwise.
const WRONG_TRANSFER_CODE: Message = Message {
    title: "This is not this device's transfer code.",
    detail: "Compare it with what the previous owner was given, and type it again.",
    ..messages::WRONG_PROOF
};

/// A grant's own end, by the device's clock.
const GRANT_OVER: Message = Message {
    title: "This grant is not good any more, or the request that it answers is over.",
    detail: "Ask the desk for a new one; check the device's clock, which may be wrong.",
    ..messages::EXPIRED
};

/// A factory reset from anywhere else.
const NOT_AT_SCREEN: Message = Message {
    title: "This is done at the device's own screen only.",
    detail: "Go to the device, and open this page on its screen.",
    ..messages::NOT_ON_THIS_LINK
};

/// Without a hand on the button.
const NOBODY_THERE: Message = Message {
    title: "Nobody is known to stand before the device.",
    detail: "Hold its button for ten seconds, and go on within two minutes.",
    ..messages::EXPIRED
};

/// Another request so soon.
const NEXT_CODE: Message = Message {
    title: "The next code cannot be asked for yet.",
    detail: "Use the code in the newest mail, or wait until the time shown has passed.",
    ..messages::TOO_MANY_TRIES
};

/// Somebody else's hashes come first.
const BUSY: Message = Message {
    title: "Too many others are trying at this moment.",
    detail: "Wait a few seconds and do it again.",
    ..messages::TOO_MANY_TRIES
};

/// The disk is full, read-only or broken.
pub(crate) const UNWRITABLE: Message = Message {
    title: "The device cannot write to its memory at the moment.",
    detail: "Wait a moment and do it again; if it stays, have its disk looked at: it may be full or worn out.",
    ..messages::UNAVAILABLE
};

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => problem(refusal),
            Failure::Malformed(Malformed { field, title, detail }) => {
                Self::new(Message { title, detail, ..messages::MALFORMED }).with("field", field)
            }
            Failure::WrongLogin => Self::new(WRONG_LOGIN),
            Failure::WrongPassword => Self::new(WRONG_PASSWORD).with("field", "current"),
            Failure::WrongTransferCode { tries_left } => {
                Self::new(WRONG_TRANSFER_CODE).with("field", "transfer_code").with("tries_left", tries_left)
            }
            Failure::GrantOver => Self::new(GRANT_OVER),
            Failure::NotAtScreen => Self::new(NOT_AT_SCREEN),
            Failure::NobodyThere => Self::new(NOBODY_THERE),
            Failure::TooEarly { retry_after } => Self::new(NEXT_CODE).retry_after(retry_after),
            Failure::Network(refused) => refused.into(),
            Failure::Full(full) => Self::new(BUSY).retry_after(full.retry_after),
            Failure::Unstored => Self::new(UNWRITABLE),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// The problem that tells of a refusal.
fn problem(refusal: Refusal) -> Problem {
    let plain = Problem::new(message(refusal));
    match refusal {
        Refusal::WrongProof { tries_left } => plain.detail(wrong_proof(tries_left)).with("tries_left", tries_left),
        Refusal::TooManyTries { retry_after: 0 } => plain.detail("Start again with a new request.").retry_after(0),
        Refusal::TooManyTries { retry_after } => plain.retry_after(retry_after),
        Refusal::MethodNotReady(why) => plain.detail(why_not(why)).with("why", why.name()),
        Refusal::WeakPassword(weak) => plain.detail(stronger(weak)).with("why", weak.name()),
        _ => plain,
    }
}

fn message(refusal: Refusal) -> Message {
    match refusal {
        Refusal::NotOnThisLink => messages::NOT_ON_THIS_LINK,
        Refusal::AlreadyActive => messages::ALREADY_ACTIVE,
        Refusal::NotActive => messages::NOT_ACTIVE,
        Refusal::MethodNotReady(_) => messages::METHOD_NOT_READY,
        Refusal::Expired => messages::EXPIRED,
        Refusal::WeakPassword(_) => messages::WEAK_PASSWORD,
        Refusal::Malformed => messages::MALFORMED,
        Refusal::NotForThisDevice => messages::NOT_FOR_THIS_DEVICE,
        Refusal::NotInLog => messages::NOT_IN_LOG,
        Refusal::WrongProof { .. } => messages::WRONG_PROOF,
        Refusal::NotLoggedIn => messages::NOT_LOGGED_IN,
        Refusal::TooManyTries { .. } => messages::TOO_MANY_TRIES,
    }
}

fn wrong_proof(tries_left: u8) -> &'static str {
    match tries_left {
        0 => "No try is left for now; start again, or wait.",
        _ => "Compare it with the newest mail, file or sheet for this device, and try again.",
    }
}

/// Why a way back in is not ready, and what makes it so.
pub(crate) fn why_not(why: Why) -> &'static str {
    match why {
        Why::NotActive => "The device has no owner yet; activate it first.",
        Why::NotSetUp => "It was not set up on this device.",
        Why::TooManyWrongCodes => "A hundred wrong codes came in a row, so it is closed until someone logs in.",
        Why::TooManyWrongAnswers => {
            "Twenty wrong sets of answers came in a row, so it is closed until someone logs in."
        }
        Why::VoidAfterUse => "The key file was used; log in and save a new one.",
        Why::VoidAfterPasswordChange => {
            "The password was changed after the key file was saved; log in and save a new one."
        }
        Why::UsedUp => "Every code of the recovery sheet was used; log in and print a new one.",
        Why::SwitchedOff => "The owner switched it off.",
        Why::NoService => "The owner wants no recovery service.",
        Why::Forbidden => "The maker of this device does not allow it.",
        Why::NeedsSecondWay => "It counts only beside a second way, and no other is ready.",
        Why::NotConfirmed => "Confirm both reserved emails first.",
        Why::NotEnrolled => "The maker did not enrol this device for it.",
        Why::BadCard => "The recovery service that this device knows cannot be used; ask who sold it.",
    }
}

/// How to make a password strong enough.
pub(crate) fn stronger(weak: Weak) -> &'static str {
    match weak {
        Weak::TooShort => "Use at least 8 characters; four or five unrelated words are good.",
        Weak::TooLong => "Use at most 128 characters.",
        Weak::Blocked => "Use something else than the device's own names; four or five unrelated words are good.",
        Weak::Guessable => "Add a word or two that nobody connects with you.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_members_are_the_protocols() {
        let all = [
            Refusal::NotOnThisLink,
            Refusal::AlreadyActive,
            Refusal::NotActive,
            Refusal::MethodNotReady(Why::NotSetUp),
            Refusal::Expired,
            Refusal::WeakPassword(Weak::TooShort),
            Refusal::Malformed,
            Refusal::NotForThisDevice,
            Refusal::NotInLog,
            Refusal::WrongProof { tries_left: 4 },
            Refusal::NotLoggedIn,
            Refusal::TooManyTries { retry_after: 60 },
        ];
        for refusal in all {
            assert_eq!(problem(refusal).name(), refusal.name());
        }
        assert_eq!(problem(Refusal::WrongProof { tries_left: 4 }).to_json()["tries_left"], 4);
        assert_eq!(problem(Refusal::TooManyTries { retry_after: 60 }).seconds_to_wait(), Some(60));
    }
}
