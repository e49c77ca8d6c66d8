use std::time::{SystemTime, UNIX_EPOCH};

use sparekey_protocol::Time;

/// Tells the time. Tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// Now, in Unix seconds. It may jump both ways.
    fn now(&self) -> Time;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        // A machine that starts before 1970 is at the beginning of time.
        Time(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}
