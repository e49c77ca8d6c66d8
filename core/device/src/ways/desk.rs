//! Through the desk: the request goes out as a file or a QR, and a grant comes back, or the eight digits that were sealed in it.
//!
//! A request stays good over restarts and further exports, for 48 hours of running time: asked for again by callers of the same
//! kind, the same one is shown. So nobody pushes out the request that a desk works on. Who types wrong digits into it closes the
//! digits and not the grant.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sparekey_protocol::{
    Card, DeviceId, Nonce, Time,
    grant::{self, GrantRefusal},
};

use crate::{
    Refusal,
    device::{Caller, Device, Now},
    pending::{Pending, Purpose},
    proof::{Of, Verdict},
    slow_hash::SlowHash,
    state::State,
};

/// How long a request is good for, in seconds of running time (protocol section 6).
pub(crate) const SECONDS: u64 = 48 * 60 * 60;
/// Requests for callers of one kind. A further one is made once the digits of all before it are used up; none is ever dropped
/// for another.
const AT_ONCE: usize = 3;
/// Grants that are looked at in a batch which names this device more than once: as many as it may have requests, of both kinds of
/// callers.
const OWN_IN_BATCH: usize = 2 * AT_ONCE;

/// A request that a desk may be working on.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Request {
    #[n(0)]
    pub(crate) nonce: Nonce,
    /// The digits that the desk may read out.
    #[n(1)]
    pub(crate) code: SlowHash,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) request: Vec<u8>,
}

/// The request that is shown again, rather than another one made.
pub(crate) fn shown_again(state: &State, caller: Caller) -> Option<&Pending> {
    let open = || state.pending.iter().filter(|pending| is_open_by(pending, caller));
    let has_digits = |pending: &&Pending| pending.parts.iter().all(|part| part.tries_left > 0);
    let full = open().count() >= AT_ONCE;
    open().rfind(has_digits).or_else(|| open().next_back().filter(|_| full))
}

fn is_open_by(pending: &Pending, caller: Caller) -> bool {
    let [part] = pending.parts.as_slice() else { return false };
    pending.purpose == Purpose::Reset
        && pending.side == caller.side()
        && !pending.is_proven()
        && part.awaited.granted_as().is_some()
}

/// What a grant is held against.
pub(crate) struct Against {
    card: Card,
    device: DeviceId,
    /// The requests that it may answer: all that wait, whoever asked for them. A file that was asked for from a browser may be
    /// handed over at the screen.
    nonces: Vec<Nonce>,
    clock: Time,
}

impl Against {
    pub(crate) fn of(device: &Device, now: Now, state: &State, purpose: Purpose) -> Self {
        let waiting = state.pending.iter().filter(|pending| pending.purpose == purpose && !pending.is_proven());
        let nonces = waiting.flat_map(|pending| pending.parts.iter().filter_map(|part| part.awaited.granted_as()));
        Self {
            card: device.card().clone(),
            device: device.identity().device_id(),
            nonces: nonces.collect(),
            clock: now.clock,
        }
    }

    /// Slow: several signatures.
    pub(crate) fn verdict(&self, bundle: &[u8]) -> Verdict {
        let grant = match grant::open(bundle, &self.card, self.device, |nonce| self.nonces.contains(&nonce)) {
            Ok(grant) => grant,
            Err(refusal) => return refused(refusal),
        };
        // A clock that was never set lags behind every grant, and lets it pass; one that runs ahead refuses.
        if self.clock > grant.not_after {
            return Verdict::Refused(Refusal::Expired);
        }
        Verdict::Right(Of::Request(grant.nonce))
    }

    /// Slow: of several grants the first right one of this device, or what is wrong with its last. Those that name another
    /// device are passed over, and so is what is no grant, so that a long batch costs no more than a few signatures.
    pub(crate) fn verdict_among(&self, bundles: &[Vec<u8>]) -> Verdict {
        let own = bundles.iter().filter(|bundle| grant::named(bundle) == Some(self.device));
        let mut verdict = Verdict::Refused(Refusal::NotForThisDevice);
        for bundle in own.take(OWN_IN_BATCH) {
            verdict = self.verdict(bundle);
            if let Verdict::Right(_) = verdict {
                break;
            }
        }
        verdict
    }
}

fn refused(refusal: GrantRefusal) -> Verdict {
    match refusal {
        GrantRefusal::Malformed => Verdict::Refused(Refusal::Malformed),
        GrantRefusal::BadSignature => Verdict::Wrong,
        GrantRefusal::OtherDevice | GrantRefusal::OtherRequest => Verdict::Refused(Refusal::NotForThisDevice),
        GrantRefusal::NoProof | GrantRefusal::Checkpoint(_) | GrantRefusal::NotInTree | GrantRefusal::UnusableCard => {
            Verdict::Refused(Refusal::NotInLog)
        }
    }
}
