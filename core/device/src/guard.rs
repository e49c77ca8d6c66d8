//! Waits and the stop: what keeps guessing hopeless, and never shuts out a right password.
//!
//! Proofs of one class share their counters, for callers of one kind: who guesses at answers closes no code, and who guesses
//! from the network closes nothing for who stands before the device.

use minicbor::{Decode, Encode};

use crate::{device::Side, time::Running, ways::Way};

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Eight digits of one request: by mail, from the desk, by telephone.
    Codes,
    /// Key files and grants: 256 bits, or a signature. The wait keeps a crowd of them away, not a guess.
    Files,
    /// Codes of the recovery sheet: 80 bits.
    Sheet,
    /// Answers to security questions, which a neighbour may know.
    Answers,
}

impl Class {
    pub(crate) const ALL: [Self; 4] = [Self::Codes, Self::Files, Self::Sheet, Self::Answers];

    /// The class whose waits stand before opening a request by this way.
    pub(crate) fn of(way: Way) -> Self {
        match way {
            Way::Email | Way::SecurityCode => Self::Codes,
            Way::Desk | Way::KeyFile => Self::Files,
            Way::Sheet => Self::Sheet,
            Way::Questions => Self::Answers,
        }
    }

    const fn rule(self) -> Rule {
        match self {
            // At most one chance in a million (NIST SP 800-63B-4 section 3.2.2): a hundred of eight digits.
            Self::Codes => Rule { row: None, waits: &[60, 5 * 60, 15 * 60, 60 * 60], stop: Some(100) },
            Self::Files => Rule { row: Some(7), waits: &[30 * 60], stop: None },
            Self::Sheet => Rule { row: Some(5), waits: &[60, 5 * 60, 15 * 60, 60 * 60], stop: None },
            Self::Answers => {
                Rule { row: Some(5), waits: &[5 * 60, 30 * 60, 4 * 60 * 60, 12 * 60 * 60], stop: Some(20) }
            }
        }
    }
}

struct Rule {
    /// Tries over all requests at which a wait begins; none where each request bears tries of its own.
    row: Option<u8>,
    /// The waits in seconds, each longer than the one before; the last one stays.
    waits: &'static [u64],
    /// Tries in a row, over all requests and waits, at which the class closes.
    stop: Option<u8>,
}

/// Seconds without a further wait after which they begin with the shortest again.
const FORGOTTEN: u64 = 24 * 60 * 60;

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
    /// Those since the last wait, where a row of them begins one.
    #[cbor(n(3), default)]
    row: u8,
}

impl Guard {
    fn wait_left(&self, rule: &Rule, now: Running) -> u64 {
        let Some(last) = self.step.checked_sub(1) else { return 0 };
        rule.waits[usize::from(last).min(rule.waits.len() - 1)].saturating_sub(now.at_least_since(self.since))
    }

    fn wait(&mut self, rule: &Rule, now: Running) {
        if now.at_least_since(self.since) >= FORGOTTEN {
            self.step = 0;
        }
        self.step = self.step.saturating_add(1).min(rule.waits.len() as u8);
        self.since = now;
    }

    fn count_try(&mut self, rule: &Rule, now: Running) {
        self.wrong_in_row = self.wrong_in_row.saturating_add(1);
        if let Some(row) = rule.row {
            self.row = self.row.saturating_add(1);
            if self.row >= row {
                self.row = 0;
                self.wait(rule, now);
            }
        }
    }

    fn uncount_try(&mut self) {
        self.wrong_in_row = self.wrong_in_row.saturating_sub(1);
        self.row = self.row.saturating_sub(1);
    }

    /// Guessed from the start, and no further than the next wait.
    fn lift_stop(&mut self) {
        self.wrong_in_row = 0;
    }

    fn is_closed(&self, rule: &Rule) -> bool {
        rule.stop.is_some_and(|stop| self.wrong_in_row >= stop)
    }
}

/// All counters. A key of this map is one class and kind of caller.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Guards {
    #[n(0)]
    codes_of_screen: Guard,
    #[n(1)]
    codes_of_network: Guard,
    #[cbor(n(2), default)]
    files_of_screen: Guard,
    #[cbor(n(3), default)]
    files_of_network: Guard,
    #[cbor(n(4), default)]
    sheet_of_screen: Guard,
    #[cbor(n(5), default)]
    sheet_of_network: Guard,
    #[cbor(n(6), default)]
    answers_of_screen: Guard,
    #[cbor(n(7), default)]
    answers_of_network: Guard,
}

impl Guards {
    fn of(&self, class: Class, side: Side) -> &Guard {
        match (class, side) {
            (Class::Codes, Side::Screen) => &self.codes_of_screen,
            (Class::Codes, Side::Network) => &self.codes_of_network,
            (Class::Files, Side::Screen) => &self.files_of_screen,
            (Class::Files, Side::Network) => &self.files_of_network,
            (Class::Sheet, Side::Screen) => &self.sheet_of_screen,
            (Class::Sheet, Side::Network) => &self.sheet_of_network,
            (Class::Answers, Side::Screen) => &self.answers_of_screen,
            (Class::Answers, Side::Network) => &self.answers_of_network,
        }
    }

    fn of_mut(&mut self, class: Class, side: Side) -> &mut Guard {
        match (class, side) {
            (Class::Codes, Side::Screen) => &mut self.codes_of_screen,
            (Class::Codes, Side::Network) => &mut self.codes_of_network,
            (Class::Files, Side::Screen) => &mut self.files_of_screen,
            (Class::Files, Side::Network) => &mut self.files_of_network,
            (Class::Sheet, Side::Screen) => &mut self.sheet_of_screen,
            (Class::Sheet, Side::Network) => &mut self.sheet_of_network,
            (Class::Answers, Side::Screen) => &mut self.answers_of_screen,
            (Class::Answers, Side::Network) => &mut self.answers_of_network,
        }
    }

    /// Seconds until another request can be opened or, where no request bears tries of its own, another try be taken.
    pub(crate) fn wait_left(&self, class: Class, side: Side, now: Running) -> u64 {
        self.of(class, side).wait_left(&class.rule(), now)
    }

    /// The next wait begins now.
    pub(crate) fn wait(&mut self, class: Class, side: Side, now: Running) {
        self.of_mut(class, side).wait(&class.rule(), now);
    }

    /// Counts a try before it is looked at. Says whether it closed the class.
    pub(crate) fn count_try(&mut self, class: Class, side: Side, now: Running) -> bool {
        let (guard, rule) = (self.of_mut(class, side), class.rule());
        let was_closed = guard.is_closed(&rule);
        guard.count_try(&rule, now);
        guard.is_closed(&rule) && !was_closed
    }

    /// A try was found right, and was to change nothing: it does not count.
    pub(crate) fn uncount_try(&mut self, class: Class, side: Side) {
        self.of_mut(class, side).uncount_try();
    }

    /// Tries left until the next wait, none during one; `None` where each request bears tries of its own.
    pub(crate) fn tries_left(&self, class: Class, side: Side, now: Running) -> Option<u8> {
        let row = class.rule().row?;
        let waits = self.wait_left(class, side, now) > 0;
        Some(if waits { 0 } else { row.saturating_sub(self.of(class, side).row) })
    }

    /// Whether the class is closed until somebody shows to be the owner in another way.
    pub(crate) fn is_closed(&self, class: Class, side: Side) -> bool {
        self.of(class, side).is_closed(&class.rule())
    }

    /// Somebody is physically present: what is closed opens, and every wait stays.
    pub(crate) fn lift_stops(&mut self) {
        for class in Class::ALL {
            self.of_mut(class, Side::Screen).lift_stop();
            self.of_mut(class, Side::Network).lift_stop();
        }
    }

    /// Somebody of this kind showed to be the owner.
    pub(crate) fn reset_side(&mut self, side: Side) {
        for class in Class::ALL {
            *self.of_mut(class, side) = Guard::default();
        }
    }

    /// Somebody showed to be the owner, with the password.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: Side = Side::Network;

    fn at(seconds: u64) -> Running {
        Running { seconds, starts: 0 }
    }

    #[test]
    fn waits_grow_and_stay() {
        let mut guards = Guards::default();
        assert_eq!(guards.wait_left(Class::Codes, SIDE, at(0)), 0);
        let mut now = 1_000;
        for wait in [60, 300, 900, 3_600, 3_600] {
            guards.wait(Class::Codes, SIDE, at(now));
            assert_eq!(guards.wait_left(Class::Codes, SIDE, at(now)), wait);
            assert_eq!(guards.wait_left(Class::Codes, SIDE, at(now + wait - 1)), 1);
            assert_eq!(guards.wait_left(Class::Codes, SIDE, at(now + wait)), 0);
            now += wait;
        }
        guards.wait(Class::Codes, SIDE, at(now + FORGOTTEN));
        assert_eq!(guards.wait_left(Class::Codes, SIDE, at(now + FORGOTTEN)), 60);
        assert_eq!(guards.wait_left(Class::Codes, Side::Screen, at(now + FORGOTTEN)), 0);
    }

    #[test]
    fn a_restart_shortens_nothing() {
        let mut guards = Guards::default();
        guards.wait(Class::Codes, SIDE, at(1_000));
        assert_eq!(guards.wait_left(Class::Codes, SIDE, Running { seconds: 1_000, starts: 50 }), 60);
    }

    #[test]
    fn a_hundred_wrong_codes_close() {
        let mut guards = Guards::default();
        for _ in 0..99 {
            assert!(!guards.count_try(Class::Codes, SIDE, at(0)));
        }
        assert!(!guards.is_closed(Class::Codes, SIDE));
        assert!(guards.count_try(Class::Codes, SIDE, at(0)));
        assert!(guards.is_closed(Class::Codes, SIDE));
        guards.reset_side(Side::Screen);
        assert!(guards.is_closed(Class::Codes, SIDE));
        guards.reset_side(SIDE);
        assert!(!guards.is_closed(Class::Codes, SIDE));
    }
}
