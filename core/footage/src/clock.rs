//! The clock that recordings are filed by.
//!
//! A system's clock is set: by people, by NTP, by a battery that is empty. What was recorded before must stay where it is, and what comes
//! must not lie over it. So recordings have a clock that never goes back: the system's, or, where that was set back, one that goes on from
//! what was given last. How far it is ahead is told to people until the system's has caught up.

use crate::Moment;

/// Never goes back, and never stands still for longer than the system's monotonic clock does.
#[derive(Clone, Copy, Debug)]
pub struct RecordingClock {
    /// What was given last, and the monotonic clock's milliseconds then.
    last: (Moment, u64),
}

impl RecordingClock {
    /// Begins: not before what is on the disk already.
    #[must_use]
    pub fn new(system: Moment, monotonic: u64, recorded: Option<Moment>) -> Self {
        Self { last: (recorded.map_or(system, |recorded| system.max(recorded)), monotonic) }
    }

    /// What it is now, by the system's clock and the monotonic one (milliseconds since any fixed point).
    pub fn now(&mut self, system: Moment, monotonic: u64) -> Moment {
        let (last, then) = self.last;
        let now = system.max(last.after(monotonic.saturating_sub(then)));
        self.last = (now, monotonic.max(then));
        now
    }

    /// How many milliseconds it is ahead of the system's clock: more than a few if that was set back.
    #[must_use]
    pub fn ahead(&self, system: Moment, monotonic: u64) -> u64 {
        let (last, then) = self.last;
        last.after(monotonic.saturating_sub(then)).since(system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn set_back_an_hour_it_goes_on() {
        let mut clock = RecordingClock::new(Moment(10 * HOUR), 0, None);
        assert_eq!(clock.now(Moment(10 * HOUR + 5_000), 5_000), Moment(10 * HOUR + 5_000));
        assert_eq!(clock.now(Moment(9 * HOUR + 6_000), 6_000), Moment(10 * HOUR + 6_000));
        assert_eq!(clock.ahead(Moment(9 * HOUR + 7_000), 7_000), HOUR);
        // Set right again, and forwards.
        assert_eq!(clock.now(Moment(12 * HOUR), 8_000), Moment(12 * HOUR));
        assert_eq!(clock.ahead(Moment(12 * HOUR), 8_000), 0);
    }

    #[test]
    fn after_a_restart_with_an_empty_battery_it_begins_where_it_was() {
        let mut clock = RecordingClock::new(Moment(0), 0, Some(Moment(50 * HOUR)));
        assert_eq!(clock.now(Moment(1_000), 1_000), Moment(50 * HOUR + 1_000));
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_never_stands_still(steps in proptest::collection::vec((0..HOUR, 0..5_000u64), 1..100)) {
            let mut clock = RecordingClock::new(Moment(HOUR), 0, None);
            let (mut last, mut monotonic) = (Moment(HOUR), 0);
            for (system, passed) in steps {
                monotonic += passed;
                let now = clock.now(Moment(system), monotonic);
                prop_assert!(now.since(last) >= passed && now >= Moment(system));
                last = now;
            }
        }
    }
}
