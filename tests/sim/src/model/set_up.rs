//! What an owner sets up, and which ways are ready by it.

use sparekey_device::{Caller, ways::Way};
use sparekey_protocol::DeviceId;

use super::{Answer, Class, Kind, Model, ok};

impl Model {
    /// A device on its first day.
    pub(crate) fn of(id: DeviceId, questions_beside: bool) -> Self {
        Self { id: Some(id), questions_beside, switched_off: Self::default_switches(), ..Self::default() }
    }

    /// Whether a way is ready for callers of this kind.
    pub(crate) fn is_ready(&self, way: Way, kind: Kind) -> bool {
        let on_link = kind == Kind::Link;
        let needs_service = matches!(way, Way::Email | Way::Desk | Way::SecurityCode);
        if self.password.is_none() || needs_service && self.no_service || self.switched_off.contains(&way) {
            return false;
        }
        match way {
            Way::Email => !self.contacts.is_empty() && !self.guards.is_closed(Class::Codes, on_link),
            Way::Desk => true,
            Way::KeyFile => self.key_file.is_some(),
            Way::Sheet => self.sheet.iter().any(|(_, good)| *good),
            Way::SecurityCode => !self.guards.is_closed(Class::Codes, on_link),
            Way::Questions => {
                let beside = [Way::Email, Way::Sheet, Way::KeyFile, Way::SecurityCode];
                let second = beside.into_iter().any(|way| self.is_ready(way, kind));
                self.questions.is_some()
                    && !self.guards.is_closed(Class::Answers, on_link)
                    && (second || !self.questions_beside)
            }
        }
    }

    pub(crate) fn has_line(&self, number: u64) -> bool {
        self.sheet.contains(&(number, true))
    }

    /// A change of ways by who is logged in and knows the password; `ready` says whether the way itself allows it.
    pub(crate) fn asked_to_set_up(&mut self, token: &str, right: bool, edition: u64, ready: bool) -> Answer {
        match self.asked_to_change(token, right, edition) {
            answer if answer == ok() && !ready => "method-not-ready".to_owned(),
            answer => answer,
        }
    }

    /// Every change of ways voids what is open.
    pub(crate) fn did_set_up(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.requests.clear();
    }

    pub(crate) fn switch(&mut self, way: Way, on: bool) {
        self.switched_off.retain(|off| *off != way);
        if !on {
            self.switched_off.push(way);
        }
    }

    /// Nothing that anybody knew is worth anything.
    pub(crate) fn did_factory_reset(&mut self) {
        let Self { edition, now, stored, up, questions_beside, id, .. } = self.clone();
        let switched_off = Self::default_switches();
        *self = Self { edition, now, stored, up, questions_beside, id, switched_off, ..Self::default() };
    }

    /// The same, but that the next owner has to have this code.
    pub(crate) fn did_transfer(&mut self, code: u64) {
        self.did_factory_reset();
        self.transfer = Some(code);
    }

    pub(crate) fn asked_for_a_transfer_try(&self, caller: Caller) -> Answer {
        let answer = || {
            let kind = Kind::of(caller)?;
            if self.transfer.is_none() {
                return Err("expired".to_owned());
            }
            match self.guards.left(Class::Sheet, kind == Kind::Link, self.now.counted) {
                0 => Ok(()),
                left => Err(format!("too-many-tries {left}")),
            }
        };
        answer().err().unwrap_or_else(ok)
    }

    pub(crate) fn did_take_a_transfer_try(&mut self, kind: Kind) {
        self.guards.count(Class::Sheet, kind == Kind::Link, self.now.counted);
    }

    pub(crate) fn did_lift_stops(&mut self) {
        self.guards.lift_stops();
    }

    /// The security code is off until it is switched on.
    fn default_switches() -> Vec<Way> {
        vec![Way::SecurityCode]
    }
}
