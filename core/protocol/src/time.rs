use minicbor::{Decode, Encode};

/// Whole seconds since the Unix epoch, UTC, by somebody's clock: a device's may be wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Time(#[n(0)] pub u64);

impl Time {
    /// This time and some seconds more; the end of time instead of an overflow.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds since an earlier time; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
