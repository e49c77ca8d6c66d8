//! What was asked of the service, so that the owner can look for the answers in its public log (protocol section 7): nothing was
//! answered that does not stand there.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sparekey_protocol::{Nonce, Time, request};

use crate::{
    device::Device,
    pending::{Pending, Purpose},
    proof::{Awaited, Of},
    state::State,
    ways::Way,
};

/// Of each kind at most so many; the oldest makes room.
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

/// The last ones of each kind, oldest first. What was answered is kept apart, and so is what only its owner can ask for, so that nobody who
/// opens many requests makes the device forget the one that let somebody in.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ServiceAsks {
    /// For a new password, and not answered.
    #[n(0)]
    asks: Vec<ServiceAsk>,
    #[cbor(n(1), default)]
    answered: Vec<ServiceAsk>,
    /// Dry tests and confirmations, not answered.
    #[cbor(n(2), default)]
    tests: Vec<ServiceAsk>,
}

impl ServiceAsks {
    fn add(&mut self, asks: Vec<ServiceAsk>, is_test: bool, waits: impl Fn(Nonce) -> bool) {
        let list = if is_test { &mut self.tests } else { &mut self.asks };
        list.extend(asks);
        while list.len() > KEPT {
            // One that waits may still be answered. They are few: a device has few requests open.
            let oldest = list.iter().position(|ask| !waits(ask.nonce)).unwrap_or(0);
            list.remove(oldest);
        }
    }

    fn answered(&mut self, ask: ServiceAsk) {
        for list in [&mut self.asks, &mut self.tests, &mut self.answered] {
            list.retain(|other| other.nonce != ask.nonce);
        }
        self.answered.push(ask);
        let over = self.answered.len().saturating_sub(KEPT);
        self.answered.drain(..over);
    }

    /// When it was asked.
    fn at(&self, nonce: Nonce) -> Option<Time> {
        let mut all = self.asks.iter().chain(&self.tests).chain(&self.answered);
        all.find(|ask| ask.nonce == nonce).map(|ask| ask.at)
    }
}

impl Device {
    /// What was asked of the service last, oldest first: what was answered, what was not, and tests, at most 64 each.
    #[must_use]
    pub fn service_asks(&self) -> Vec<ServiceAsk> {
        let ServiceAsks { asks, answered, tests } = &self.state().asks;
        let mut all: Vec<_> = answered.iter().chain(asks).chain(tests).cloned().collect();
        all.sort_by_key(|ask| ask.at);
        all
    }

    /// Notes the parts of a request that the service may answer.
    pub(crate) fn note_asks(&self, next: &mut State, pending: &Pending, at: Time) {
        let parts = pending.parts.iter().map(|part| &part.awaited);
        let asks = parts.filter_map(|awaited| {
            let nonce = self.nonce_of(awaited)?;
            Some(ServiceAsk { nonce, way: awaited.way(), at, answered: false })
        });
        let open = next.pending.iter().flat_map(|pending| &pending.parts);
        let waiting: Vec<_> = open.filter_map(|part| self.nonce_of(&part.awaited)).collect();
        next.asks.add(asks.collect(), pending.purpose != Purpose::Reset, |nonce| waiting.contains(&nonce));
    }

    /// Notes that what the service gave in answer was right.
    pub(crate) fn note_answered(&self, next: &mut State, nonce: Nonce, way: Way, now: Time) {
        let at = next.asks.at(nonce).unwrap_or(now);
        next.asks.answered(ServiceAsk { nonce, way, at, answered: true });
    }

    /// The request that a right proof answered, and its way; `None` if the service had no part in it.
    pub(crate) fn answered_by(&self, pending: &Pending, part: usize, of: Of) -> Option<(Nonce, Way)> {
        let awaited = &pending.parts.get(part)?.awaited;
        let nonce = match of {
            Of::Request(nonce) => Some(nonce),
            Of::Part => self.nonce_of(awaited),
            Of::SheetCode(_) => None,
        };
        nonce.map(|nonce| (nonce, awaited.way()))
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
