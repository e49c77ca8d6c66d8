//! What a hand on the device can do: open again what guessing closed, and end an ownership. Neither lets anybody in.

use minicbor::{Decode, Encode};

use crate::{
    Change,
    device::{Caller, Device, Now},
    event::EventKind,
    notice::NoticeKind,
    state::State,
};

/// Somebody is physically present: a button on the device is held, a jumper is set, a file lies where only a hand could put it.
///
/// Only the outside's presence detector may make one. A call over any network, and a page on the device's screen, must never.
#[derive(Debug)]
pub struct Presence(());

impl Presence {
    /// To be called by the presence detector, and nowhere else.
    #[must_use]
    pub fn detected() -> Self {
        Self(())
    }
}

/// What becomes of the recordings when an ownership ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Recordings {
    /// They stay, for the next owner.
    #[n(0)]
    Keep,
    /// They are to be erased before the device does anything else.
    #[n(1)]
    Erase,
}

impl Device {
    /// Opens again the ways that wrong codes and answers closed, for all callers. Waits stay, and so do all counters of tries until the
    /// next wait.
    pub fn lift_stops(&mut self, now: Now, _: Presence) -> Change<'_, ()> {
        let mut next = self.next(now);
        next.guards.lift_stops();
        next.record.add(now.clock, EventKind::StopsLifted, Caller::Screen);
        Change::new(self, next, ())
    }

    /// Ends the ownership: password, contacts, ways, requests, tickets and sessions are void, a transfer that waits too. The record
    /// stays, and the card, and the running time. Then the agent is to erase the recordings if it was asked to
    /// ([`Device::recordings_to_erase`]) and to restart.
    pub fn factory_reset(&mut self, now: Now, _: Presence, recordings: Recordings) -> Change<'_, ()> {
        let mut next = self.next(now);
        next.notify(now, NoticeKind::FactoryReset, None);
        next.end_ownership(recordings);
        next.record.add(now.clock, EventKind::FactoryReset, Caller::Screen);
        Change::new(self, next, ())
    }

    /// Whether the recordings are to be erased before anything else: asked at each start, so that a crash repeats the erasing and
    /// never forgets it.
    #[must_use]
    pub fn recordings_to_erase(&self) -> bool {
        self.state().erase
    }

    /// The recordings are erased.
    pub fn recordings_erased(&mut self, now: Now) -> Change<'_, ()> {
        let mut next = self.next(now);
        if next.erase {
            next.erase = false;
            next.record.add(now.clock, EventKind::RecordingsErased, Caller::Screen);
        }
        Change::new(self, next, ())
    }
}

impl State {
    /// Nothing that anybody knew or held is worth anything any more.
    pub(crate) fn end_ownership(&mut self, recordings: Recordings) {
        self.owner = None;
        self.transfer = None;
        self.mail_servers.current = None;
        self.pending.clear();
        self.guards.reset();
        self.sessions.end_all();
        self.erase |= recordings == Recordings::Erase;
    }
}
