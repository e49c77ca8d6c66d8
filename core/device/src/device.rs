use core::{fmt, net::IpAddr};

use minicbor::{Decode, Encode};
use sparekey_protocol::Time;

use crate::{
    Change, Refusal,
    event::{Event, EventKind},
    identity::Identity,
    policy::Policy,
    session::Sessions,
    state::{Owner, State},
    time::Running,
};

/// A device as it decides.
///
/// Getters read. Commands ([`Device::activate`], [`Device::log_in`], [`Device::open_recovery`], [`Device::take_try`], …) answer with
/// a [`Change`] to commit, or a [`Refusal`], which wrote nothing. After a start, and every [`crate::TICK_SECONDS`], call [`Device::tick`].
pub struct Device {
    identity: Identity,
    policy: Policy,
    state: State,
    /// The running time when this start began.
    base: Running,
}

/// When a command is given.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Seconds since the device started, by a clock that nobody can set.
    pub since_start: u64,
    /// The device's clock. It may be wrong.
    pub clock: Time,
    /// What that clock said when the device started.
    pub started: Time,
}

/// Who gives a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The device's own screen.
    Screen,
    /// Somebody on the same link.
    Link(IpAddr),
    /// Anybody else.
    Elsewhere(IpAddr),
}

/// The two kinds of callers: each has its own requests, tries and waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum Side {
    /// The device's own screen.
    #[n(0)]
    Screen,
    /// Everybody who comes over a network.
    #[n(1)]
    Network,
}

impl Caller {
    pub(crate) fn side(self) -> Side {
        match self {
            Self::Screen => Side::Screen,
            Self::Link(_) | Self::Elsewhere(_) => Side::Network,
        }
    }

    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Self::Screen => None,
            Self::Link(address) | Self::Elsewhere(address) => Some(address),
        }
    }
}

/// The vault's bytes are not a vault. A device in this state does not start: it would forget its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vault does not hold a device's state")
    }
}

impl core::error::Error for Damaged {}

impl Device {
    /// A device with what it had stored last, or nothing on its first day.
    ///
    /// # Errors
    /// [`Damaged`] if the bytes are no vault.
    pub fn start(identity: Identity, policy: Policy, vault: Option<&[u8]>) -> Result<Self, Damaged> {
        let mut state = vault.map_or(Some(State::default()), State::decode).ok_or(Damaged)?;
        state.running.starts += 1;
        state.card = state.card.and_then(|newer| newer.again(&identity.maker, identity.first_card()));
        let base = state.running;
        Ok(Self { identity, policy, state, base })
    }

    /// What it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether it has an owner.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state.owner.is_some()
    }

    /// The last events, oldest first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        self.state.record.all()
    }

    /// Keeps the running time.
    pub fn tick(&mut self, now: Now) -> Change<'_, ()> {
        let next = self.next(now);
        Change::new(self, next, ())
    }

    /// Records that somebody from another network asked for what only the link may.
    pub fn note_off_link(&mut self, now: Now, caller: Caller) -> Change<'_, ()> {
        let mut next = self.next(now);
        next.record.add(now.clock, EventKind::RefusedOffLink, caller);
        Change::new(self, next, ())
    }

    /// The state that a command changes: as it is, an instant later.
    pub(crate) fn next(&self, now: Now) -> State {
        let mut next = self.state.clone();
        next.running = self.running(now);
        next.pending.retain(|pending| !pending.is_over(next.running));
        next.notices.forget(next.running);
        next
    }

    pub(crate) fn running(&self, now: Now) -> Running {
        Running { seconds: self.base.seconds.saturating_add(now.since_start), starts: self.base.starts }
    }

    pub(crate) fn replace(&mut self, state: State) {
        self.state = state;
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Sessions live in memory, so they change without a commit.
    pub(crate) fn sessions_mut(&mut self) -> &mut Sessions {
        &mut self.state.sessions
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    pub(crate) fn owner(&self) -> Result<&Owner, Refusal> {
        self.state.owner.as_ref().ok_or(Refusal::NotActive)
    }
}

/// Recoveries answer only who is on the same link.
pub(crate) fn on_this_link(caller: Caller) -> Result<(), Refusal> {
    match caller {
        Caller::Screen | Caller::Link(_) => Ok(()),
        Caller::Elsewhere(_) => Err(Refusal::NotOnThisLink),
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("id", &self.identity.device_id()).finish_non_exhaustive()
    }
}
