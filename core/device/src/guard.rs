//! Waits and the stop: what keeps guessing hopeless, and never shuts out a right password.

use minicbor::{Decode, Encode};

use crate::{device::Side, time::Running};

/// Before another request can be opened, in seconds: each is longer than the one before.
const WAITS: [u64; 4] = [60, 5 * 60, 15 * 60, 60 * 60];
/// Seconds without a further wait after which they begin with the shortest again.
const FORGOTTEN: u64 = 24 * 60 * 60;
/// Wrong codes in a row, over all requests, at which the code ways close: at most one chance in a million
/// (NIST SP 800-63B-4 section 3.2.2).
const STOP: u8 = 100;

/// What callers of one kind have tried. Kept in the vault, so a restart shortens nothing.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Guard {
    /// How many waits there were.
    #[n(0)]
    step: u8,
    /// When the last one began.
    #[n(1)]
    since: Running,
    /// Tries taken that were not (yet) found right.
    #[n(2)]
    wrong_in_row: u8,
}

impl Guard {
    /// Seconds until another request can be opened.
    pub(crate) fn wait_left(&self, now: Running) -> u64 {
        let Some(last) = self.step.checked_sub(1) else { return 0 };
        WAITS[usize::from(last).min(WAITS.len() - 1)].saturating_sub(now.at_least_since(self.since))
    }

    /// The next wait begins now.
    pub(crate) fn wait(&mut self, now: Running) {
        if now.at_least_since(self.since) >= FORGOTTEN {
            self.step = 0;
        }
        self.step = self.step.saturating_add(1).min(WAITS.len() as u8);
        self.since = now;
    }

    /// Counts a try before it is looked at.
    pub(crate) fn count_try(&mut self) {
        self.wrong_in_row = self.wrong_in_row.saturating_add(1).min(STOP);
    }

    /// Whether the code ways are closed until somebody shows to be the owner in another way.
    pub(crate) fn is_closed(&self) -> bool {
        self.wrong_in_row >= STOP
    }

    /// Somebody showed to be the owner.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Counted apart, so that nobody on the network can close the way for who stands before the device.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Guards {
    #[n(0)]
    screen: Guard,
    #[n(1)]
    network: Guard,
}

impl Guards {
    pub(crate) fn of(&self, side: Side) -> &Guard {
        match side {
            Side::Screen => &self.screen,
            Side::Network => &self.network,
        }
    }

    pub(crate) fn of_mut(&mut self, side: Side) -> &mut Guard {
        match side {
            Side::Screen => &mut self.screen,
            Side::Network => &mut self.network,
        }
    }

    /// Somebody showed to be the owner.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Running {
        Running { seconds, starts: 0 }
    }

    #[test]
    fn waits_grow_and_stay() {
        let mut guard = Guard::default();
        assert_eq!(guard.wait_left(at(0)), 0);
        let mut now = 1_000;
        for wait in [60, 300, 900, 3_600, 3_600] {
            guard.wait(at(now));
            assert_eq!(guard.wait_left(at(now)), wait);
            assert_eq!(guard.wait_left(at(now + wait - 1)), 1);
            assert_eq!(guard.wait_left(at(now + wait)), 0);
            now += wait;
        }
        guard.wait(at(now + FORGOTTEN));
        assert_eq!(guard.wait_left(at(now + FORGOTTEN)), 60);
    }

    #[test]
    fn a_restart_shortens_nothing() {
        let mut guard = Guard::default();
        guard.wait(at(1_000));
        assert_eq!(guard.wait_left(Running { seconds: 1_000, starts: 50 }), 60);
    }

    #[test]
    fn a_hundred_wrong_close() {
        let mut guard = Guard::default();
        for _ in 0..99 {
            guard.count_try();
            assert!(!guard.is_closed());
        }
        guard.count_try();
        assert!(guard.is_closed());
        guard.reset();
        assert!(!guard.is_closed());
    }
}
