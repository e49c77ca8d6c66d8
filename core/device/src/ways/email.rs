//! Reserved email: the device's own code, carried to the owner by the service.
//!
//! An email that was never confirmed counts as ready, and says so. A mistyped one would send the code to a stranger, who can do nothing
//! with it without standing before the device or on its link; refusing it would lock out every owner who skipped one step.

use minicbor::{Decode, Encode};

use super::Why;
use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, Side},
    event::EventKind,
    guard::{Class, Guards},
    login::Checked,
    state::Owner,
};

/// Whose codes a recovery by reserved email takes, where there are two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ContactRule {
    /// Either one's.
    #[default]
    #[n(0)]
    Either,
    /// Both: such as the owner's and the installer's.
    #[n(1)]
    Both,
}

pub(crate) fn check(owner: &Owner, guards: &Guards, side: Side) -> Result<(), Why> {
    let enough = match owner.set_up.contact_rule {
        ContactRule::Either => 1,
        ContactRule::Both => 2,
    };
    if owner.contacts.len() < enough {
        return Err(Why::NotSetUp);
    }
    if guards.is_closed(Class::Codes, side) { Err(Why::TooManyWrongCodes) } else { Ok(()) }
}

/// Either one's code: one that arrives is enough. Both: both are to arrive.
pub(crate) fn is_proven(owner: &Owner) -> bool {
    let mut confirmed = owner.contacts.iter().map(|contact| contact.confirmed.is_some());
    match owner.set_up.contact_rule {
        ContactRule::Either => confirmed.any(|confirmed| confirmed),
        ContactRule::Both => confirmed.all(|confirmed| confirmed),
    }
}

impl Device {
    /// Whose codes a recovery by reserved email takes.
    #[must_use]
    pub fn contact_rule(&self) -> ContactRule {
        self.state().owner.as_ref().map(|owner| owner.set_up.contact_rule).unwrap_or_default()
    }

    /// Chooses whose codes a recovery by reserved email takes. Asking for both takes two confirmed emails: a mistyped one would
    /// close the way. Every open request is void.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::MethodNotReady`] for both without two
    /// confirmed emails.
    pub fn set_contact_rule(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        rule: ContactRule,
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, owner) = self.changed_by_owner(now, token, checked)?;
        let confirmed = owner.contacts.iter().filter(|contact| contact.confirmed.is_some()).count();
        if rule == ContactRule::Both && confirmed < 2 {
            return Err(Refusal::MethodNotReady(Why::NotConfirmed));
        }
        next.record.add(now.clock, EventKind::ContactRuleChanged, caller);
        next.owner = Some(Owner { set_up: super::SetUp { contact_rule: rule, ..owner.set_up }, ..owner });
        Ok(Change::new(self, next, ()))
    }
}
