use minicbor::{Decode, Encode};

/// How often the agent has the running time stored, in seconds: what a crash can lose of it.
pub const TICK_SECONDS: u64 = 60;

/// How long a device has been running, over all its starts.
///
/// A device's clock may be wrong, or set by whoever stands before it; its running time only grows. A crash loses at most
/// [`TICK_SECONDS`] of it, so between two readings lies a range, and each rule takes the end of it that lets nobody in:
/// a wait is over when it *surely* is, a code has expired when it *may* have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Running {
    #[n(0)]
    pub(crate) seconds: u64,
    #[n(1)]
    pub(crate) starts: u64,
}

impl Running {
    /// Seconds that surely have passed since an earlier reading.
    pub(crate) fn at_least_since(self, earlier: Self) -> u64 {
        self.seconds.saturating_sub(earlier.seconds)
    }

    /// Seconds that may have passed: each restart in between can have hidden a tick.
    pub(crate) fn at_most_since(self, earlier: Self) -> u64 {
        let restarts = self.starts.saturating_sub(earlier.starts);
        self.at_least_since(earlier).saturating_add(restarts.saturating_mul(TICK_SECONDS))
    }
}
