//! A switch for each way back in, and one for the recovery service as a whole.

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now},
    event::EventKind,
    login::Checked,
    ways::Way,
};

impl Device {
    /// Switches a way on or off. What was set up for it stays, for when it is switched on again. Every open request is void.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password.
    pub fn switch_way(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        way: Way,
        on: bool,
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        owner.set_up.switches.switch(way, on);
        next.owner = Some(owner);
        let kind = if on { EventKind::WaySwitchedOn } else { EventKind::WaySwitchedOff };
        next.record.add_about(now.clock, kind, caller, Some(way));
        Ok(Change::new(self, next, ()))
    }

    /// Allows the recovery service, or wants none at all: then email, desk and security code are off, whatever their own switches
    /// say, and no reserved email can be confirmed. Every open request is void.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password.
    pub fn switch_service(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        on: bool,
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        owner.set_up.switches.no_service = !on;
        next.owner = Some(owner);
        next.record.add(
            now.clock,
            if on { EventKind::ServiceSwitchedOn } else { EventKind::ServiceSwitchedOff },
            caller,
        );
        Ok(Change::new(self, next, ()))
    }

    /// Whether the owner allows the recovery service. Before there is an owner, yes.
    #[must_use]
    pub fn service_on(&self) -> bool {
        self.state().owner.as_ref().is_none_or(|owner| !owner.set_up.switches.no_service)
    }
}
