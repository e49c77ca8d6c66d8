//! Dry tests: a way back in is tried out, and nothing changes but that it is known to work.
//!
//! A test goes the same way as a recovery, by [`Device::take_try`] and [`Device::redeem`], and ends in [`crate::Progress::Tested`] where that
//! ends in a ticket. Its wrong tries count as those of a recovery do, so it tells a guesser nothing more.

use sparekey_protocol::Language;

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now},
    pending::Purpose,
    recovery::{Asked, CodeDraft, OpenSeeds, RecoveryView, open::Plan},
};

impl Device {
    /// Whether a test could begin, and how many [`CodeDraft`]s it takes: to be asked before any code is hashed.
    ///
    /// # Errors
    /// Those of [`Device::open_test`].
    pub fn check_test(&mut self, now: Now, caller: Caller, token: &str, asked: Asked) -> Result<usize, Refusal> {
        self.session(now, token)?;
        self.plan(now, caller, asked, Purpose::Test).map(|plan| plan.drafts())
    }

    /// Begins the dry test of one way, for who is logged in. It replaces an earlier test of the same way. What is asked for beside
    /// a way is not tested with it.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`], and those of [`Device::open_recovery`].
    #[expect(clippy::too_many_arguments, reason = "those of a recovery, and the session")]
    pub fn open_test(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        asked: Asked,
        language: &Language,
        drafts: &[CodeDraft],
        seeds: &OpenSeeds,
    ) -> Result<Change<'_, RecoveryView>, Refusal> {
        self.session(now, token)?;
        let Plan::Make(wanted) = self.plan(now, caller, asked, Purpose::Test)? else { return Err(Refusal::Expired) };
        let pending = self.pending(now, caller.side(), Purpose::Test, &wanted, language, drafts, seeds)?;
        let opened = self.view(now, &pending)?;
        let mut next = self.next(now);
        next.pending.retain(|other| other.purpose != Purpose::Test || other.way() != asked.way);
        self.note_asks(&mut next, &pending, now.clock);
        next.pending.push(pending);
        Ok(Change::new(self, next, opened))
    }
}
