//! What was asked of the service, so that the owner can look for the answers in its public log (protocol section 7): nothing was
//! answered that does not stand there.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sparekey_protocol::{Nonce, Time, request};

use crate::{
    device::Device,
    pending::Pending,
    proof::{Awaited, Of},
    ways::Way,
};

/// At most so many; the oldest makes room.
const KEPT: usize = 64;

/// One request that the service may answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ServiceAsk {
    /// By which its leaves are found.
    #[n(0)]
    pub nonce: Nonce,
    /// By which way back in.
    #[n(1)]
    pub way: Way,
    /// When, by the device's clock.
    #[n(2)]
    pub at: Time,
    /// Whether what the service gave in answer was typed or handed over here, and was right.
    #[n(3)]
    pub answered: bool,
}

/// The last ones, oldest first.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ServiceAsks {
    #[n(0)]
    asks: Vec<ServiceAsk>,
}

impl ServiceAsks {
    pub(crate) fn add(&mut self, asks: impl Iterator<Item = ServiceAsk>) {
        self.asks.extend(asks);
        let over = self.asks.len().saturating_sub(KEPT);
        self.asks.drain(..over);
    }

    pub(crate) fn answered(&mut self, nonce: Nonce) {
        self.asks.iter_mut().filter(|ask| ask.nonce == nonce).for_each(|ask| ask.answered = true);
    }
}

impl Device {
    /// What was asked of the service last, oldest first: at most 64 requests.
    #[must_use]
    pub fn service_asks(&self) -> &[ServiceAsk] {
        &self.state().asks.asks
    }

    /// The parts of a request that the service may answer.
    pub(crate) fn asks(&self, pending: &Pending, at: Time) -> impl Iterator<Item = ServiceAsk> {
        let parts = pending.parts.iter().map(|part| &part.awaited);
        parts.filter_map(move |awaited| {
            let nonce = self.nonce_of(awaited)?;
            Some(ServiceAsk { nonce, way: awaited.way(), at, answered: false })
        })
    }

    /// The request that a right proof answered; `None` if the service had no part in it.
    pub(crate) fn answered_by(&self, pending: &Pending, part: usize, of: Of) -> Option<Nonce> {
        match of {
            Of::Request(nonce) => Some(nonce),
            Of::Part => self.nonce_of(&pending.parts.get(part)?.awaited),
            Of::SheetCode(_) => None,
        }
    }

    fn nonce_of(&self, awaited: &Awaited) -> Option<Nonce> {
        match awaited {
            Awaited::Email(emailed) => request::nonce_of(&emailed.request),
            Awaited::Desk(request) => Some(request.nonce),
            Awaited::SecurityCode(asked) => {
                let secret = self.identity().enrolment.as_ref()?;
                Some(asked.question().nonce(secret, self.identity().device_id()))
            }
            Awaited::KeyFile | Awaited::Sheet | Awaited::Questions => None,
        }
    }
}
