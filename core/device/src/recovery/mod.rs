//! From *Forgot password* to a new one.
//!
//! [`Device::open_recovery`] makes a request; [`Device::take_try`] counts a try before its proof is looked at;
//! [`Device::redeem`] turns right proofs into a ticket; [`Device::set_password`] turns the ticket into a new password.

mod dry;
mod open;
mod parts;
mod seal;
mod tries;
mod view;

use alloc::vec::Vec;

pub use open::{Asked, OpenSeeds};
pub(crate) use parts::Wanted;
pub use seal::{CodeDraft, CodeSeeds};
pub use tries::Progress;
pub use view::{PartView, RecoveryView, Shows};

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, on_this_link},
    event::EventKind,
    notice::NoticeKind,
    password::HashedPassword,
    pending::{self, Pending, RecoveryId},
    state::State,
};

impl Device {
    /// Sets the new password: every session ends, every open request is void, it is recorded. Then the agent is to restart.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::NotActive`], [`Refusal::Expired`] for a ticket that is not this request's or too old.
    pub fn set_password(
        &mut self,
        now: Now,
        caller: Caller,
        id: RecoveryId,
        ticket: &str,
        password: HashedPassword,
    ) -> Result<Change<'_, ()>, Refusal> {
        self.check_ticket(now, caller, id, ticket)?;
        let mut next = self.next(now);
        let pending = reset_by(&mut next, caller, id).ok_or(Refusal::Expired)?;
        let by: Vec<_> = pending.parts.iter().map(|part| part.awaited.way()).collect();
        let sheet_codes: Vec<_> = pending.parts.iter().filter_map(|part| part.sheet_code).collect();
        next.notify(now, NoticeKind::Recovered, by.first().copied());
        next.set_password(password, &by);
        next.use_sheet_codes(&sheet_codes);
        next.record.add_about(now.clock, EventKind::PasswordRecovered, caller, by.first().copied());
        Ok(Change::new(self, next, ()))
    }

    /// Whether a ticket would let its holder set a password: to be asked before half a second goes into hashing one.
    ///
    /// # Errors
    /// Those of [`Device::set_password`].
    pub fn check_ticket(&self, now: Now, caller: Caller, id: RecoveryId, ticket: &str) -> Result<(), Refusal> {
        on_this_link(caller)?;
        self.owner()?;
        let mut state = self.next(now);
        let proven = reset_by(&mut state, caller, id).is_some_and(|pending| pending.is_ticket(ticket));
        if proven { Ok(()) } else { Err(Refusal::Expired) }
    }
}

/// A reset, or the dry test of one, that callers of this kind asked for.
fn of_caller(state: &mut State, caller: Caller, id: RecoveryId) -> Option<&mut Pending> {
    pending::find(&mut state.pending, id).filter(|pending| pending.answers(caller))
}

/// A reset asked for by callers of this kind. Nobody on the network has a say in what the screen shows.
fn reset_by(state: &mut State, caller: Caller, id: RecoveryId) -> Option<&mut Pending> {
    pending::find(&mut state.pending, id).filter(|pending| pending.is_reset_by(caller))
}
