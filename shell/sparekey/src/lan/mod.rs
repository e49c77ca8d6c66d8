//! The LAN tool's commands that talk to a device: whoever answers has proven who it is before anything secret is sent.

pub(crate) mod activate;
pub(crate) mod ask;
mod batch;
mod cameras;
mod chosen;
pub(crate) mod console;
pub(crate) mod doctor;
mod each;
mod find;
pub(crate) mod forgot;
pub(crate) mod network;
mod other_vendor;
pub(crate) mod owner;

use sparekey_lan::{
    device::{CallError, MeetError, Problem},
    doctor as diagnosis,
};
use sparekey_web::messages;

use crate::failure::Failure;

/// What a device answered, or why it was not asked; and the likeliest reason, where this computer can tell one.
fn called(error: &CallError) -> Failure {
    let failure = Failure::two_lines(known_name(error.name()), error);
    match error {
        CallError::Unreachable(address, ..) => {
            let likeliest = diagnosis::of_address(address, error);
            let to_do = doctor::because(likeliest.as_ref(), &failure.to_do);
            Failure { to_do, ..failure }
        }
        CallError::Refused(problem) => {
            Failure { to_do: [failure.to_do, left(problem)].join(" ").trim_end().to_owned(), ..failure }
        }
        CallError::Unreadable(_) | CallError::System(_) => failure,
    }
}

/// What a device says is left: tries, or time until it is open again.
fn left(problem: &Problem) -> String {
    let tries = problem.tries_left.map(|left| format!("Tries left: {left}."));
    let wait = problem.retry_after.filter(|seconds| *seconds > 0);
    let wait = wait.map(|seconds| format!("Minutes left: {}.", seconds.div_ceil(60)));
    tries.into_iter().chain(wait).collect::<Vec<_>>().join(" ")
}

fn met(error: &MeetError) -> Failure {
    match error {
        MeetError::Call(error) => called(error),
        error => Failure::two_lines(error.name_of_tool(), error),
    }
}

/// A device may name a problem of a later version.
fn known_name(name: &str) -> &'static str {
    match messages::by_name(name) {
        Some(message) => message.name,
        None if name == "unreachable" => "unreachable",
        None => "not-possible",
    }
}
