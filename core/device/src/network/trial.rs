//! A change of the network lasts only if somebody who reached the device afterwards says so.

use core::fmt;

use crate::token::{BearerHash, NetworkConfirmation};

/// Seconds of running time within which a change has to be confirmed.
pub const CONFIRM_WITHIN: u64 = 60;

/// A change that is not confirmed yet. Times are milliseconds of running time, by a clock that nobody can set.
pub struct NetworkTrial {
    token: BearerHash,
    ends: u64,
    in_force: bool,
}

/// Why a change is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconfirmed {
    /// It is not in force yet: who confirms has not seen the device with it.
    NotYet,
    /// There is none, or it is over, or the token is another's.
    Nothing,
}

impl NetworkTrial {
    /// Begins, with 32 fresh random bytes. It ends `within` milliseconds from now, [`CONFIRM_WITHIN`] seconds on a device that is no test's.
    #[must_use]
    pub fn begin(now: u64, within: u64, seed: &[u8; 32]) -> (Self, NetworkConfirmation) {
        let token = NetworkConfirmation::from_seed(seed);
        (Self { token: token.hash(), ends: now.saturating_add(within), in_force: false }, token)
    }

    /// The change is in force.
    pub fn is_in_force(&mut self) {
        self.in_force = true;
    }

    /// When the device returns to what was before.
    #[must_use]
    pub fn ends(&self) -> u64 {
        self.ends
    }

    /// Whether this token confirms it now.
    ///
    /// # Errors
    /// [`Unconfirmed`]
    pub fn confirm(&self, now: u64, token: &str) -> Result<(), Unconfirmed> {
        if now >= self.ends || !self.token.is_of(token) {
            return Err(Unconfirmed::Nothing);
        }
        if self.in_force { Ok(()) } else { Err(Unconfirmed::NotYet) }
    }
}

impl fmt::Debug for NetworkTrial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkTrial")
            .field("ends", &self.ends)
            .field("in_force", &self.in_force)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = CONFIRM_WITHIN * 1_000;

    #[test]
    fn only_its_token_within_the_minute_and_once_it_is_in_force() {
        let (mut trial, token) = NetworkTrial::begin(1_000, MINUTE, &[7; 32]);
        assert_eq!((token.expose().len(), trial.ends()), (43, 61_000));
        assert_eq!(trial.confirm(1_500, token.expose()), Err(Unconfirmed::NotYet));
        assert_eq!(trial.confirm(1_500, "x"), Err(Unconfirmed::Nothing));
        trial.is_in_force();
        let other = NetworkTrial::begin(1_000, MINUTE, &[8; 32]).1;
        for (now, given, expected) in [
            (2_000, token.expose(), Ok(())),
            (60_999, token.expose(), Ok(())),
            (61_000, token.expose(), Err(Unconfirmed::Nothing)),
            (2_000, other.expose(), Err(Unconfirmed::Nothing)),
            (2_000, "", Err(Unconfirmed::Nothing)),
        ] {
            assert_eq!(trial.confirm(now, given), expected, "{now}");
        }
        let (trial, _) = NetworkTrial::begin(u64::MAX, MINUTE, &[7; 32]);
        assert_eq!(trial.ends(), u64::MAX);
    }
}
