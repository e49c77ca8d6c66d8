//! The LAN tool's commands that talk to a device: whoever answers has proven who it is before anything secret is sent.

pub(crate) mod activate;
pub(crate) mod ask;
mod batch;
mod cameras;
mod chosen;
mod each;
mod find;
pub(crate) mod forgot;
pub(crate) mod network;
mod other_vendor;
pub(crate) mod owner;

use sparekey_lan::device::{CallError, MeetError};
use sparekey_web::messages;

use crate::failure::Failure;

/// What a device answered, or why it was not asked.
fn called(error: &CallError) -> Failure {
    Failure::two_lines(known_name(error.name()), error)
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
