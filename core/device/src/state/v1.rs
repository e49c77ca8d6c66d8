//! How version 1 stored an open request: one proof each. Read, so that a request outlives an update of the firmware; never
//! written.

use alloc::vec;

use minicbor::{Decode, Encode};

use crate::{
    device::Side,
    pending::{self, Accepted, RecoveryId},
    proof::{Awaited, EmailedCode},
    time::Running,
};

#[derive(Clone, Encode, Decode)]
pub(crate) enum Proof {
    #[n(0)]
    Email(#[n(0)] EmailedCode),
    #[n(1)]
    Confirmation(#[n(0)] EmailedCode),
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Pending {
    #[n(0)]
    id: RecoveryId,
    #[n(1)]
    side: Side,
    #[n(2)]
    proof: Proof,
    #[n(3)]
    opened: Running,
    #[n(4)]
    seconds: u64,
    #[n(5)]
    tries_left: u8,
    #[n(6)]
    accepted: Option<Accepted>,
}

impl From<Pending> for pending::Pending {
    fn from(old: Pending) -> Self {
        let Pending { id, side, proof, opened, seconds, tries_left, accepted } = old;
        let (purpose, emailed) = match proof {
            Proof::Email(emailed) => (pending::Purpose::Reset, emailed),
            Proof::Confirmation(emailed) => (pending::Purpose::Confirmation, emailed),
        };
        let part = pending::Part {
            awaited: Awaited::Email(emailed),
            tries_left,
            proven: accepted.is_some(),
            sheet_code: None,
        };
        Self { id, side, purpose, parts: vec![part], opened, seconds, accepted }
    }
}
