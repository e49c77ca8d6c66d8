//! Security code: a question read out by telephone, and the desk's answer (protocol section 9).
//!
//! Off by default on both sides: the device needs a secret of its own, shared with its service when it was provisioned, and its
//! owner has to switch the way on.

use minicbor::{Decode, Encode};
use sparekey_protocol::{Code, enrol::EnrolmentSecret, ocra::Question};

use super::Why;
use crate::{
    device::Side,
    guard::{Class, Guards},
    identity::Identity,
};

/// A question that was shown. It is no secret.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Asked {
    /// The random bytes that it grew out of.
    #[cbor(n(0), with = "minicbor::bytes")]
    seed: [u8; 16],
}

impl Asked {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Self { seed }
    }

    pub(crate) fn question(&self) -> Question {
        Question::from_seed(&self.seed)
    }

    pub(crate) fn answer(&self, secret: &EnrolmentSecret) -> Code {
        self.question().answer(secret)
    }
}

pub(crate) fn check(identity: &Identity, guards: &Guards, side: Side) -> Result<(), Why> {
    if identity.enrolment.is_none() {
        return Err(Why::NotEnrolled);
    }
    if guards.is_closed(Class::Codes, side) { Err(Why::TooManyWrongCodes) } else { Ok(()) }
}
