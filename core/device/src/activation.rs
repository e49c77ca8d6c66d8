use alloc::vec::Vec;

use sparekey_protocol::ReservedEmail;

use crate::{
    Change, Refusal,
    contacts::contacts,
    device::{Caller, Device, Now, on_this_link},
    event::EventKind,
    password::{AcceptablePassword, HashedPassword, Username},
    state::Owner,
    transfer::CheckedTransfer,
    ways::{HashedAnswers, SetUp, Why},
};

/// What an installer sets on the first day. No default password exists.
pub struct NewOwner {
    /// The administrator's name.
    pub username: Username,
    /// The password, hashed off the device's lock.
    pub password: HashedPassword,
    /// Up to two reserved emails.
    pub reserved_emails: Vec<ReservedEmail>,
    /// The answers to three security questions, hashed off the device's lock.
    pub questions: Option<HashedAnswers>,
}

impl Device {
    /// Judges a password before it is hashed. `estimate` is zxcvbn's score (0 to 4) for a password and the words that
    /// an attacker tries first on this device.
    ///
    /// # Errors
    /// [`Refusal::WeakPassword`] with the reason.
    pub fn judge_password(
        &self,
        username: &Username,
        password: &str,
        estimate: impl Fn(&str, &[&str]) -> u8,
    ) -> Result<AcceptablePassword, Refusal> {
        let certificate = self.identity().certificate();
        let blocked = [certificate.serial.as_str(), certificate.model.as_str(), username.as_str()];
        Ok(AcceptablePassword::judge(password, &blocked, estimate)?)
    }

    /// The administrator's name, once there is one.
    #[must_use]
    pub fn username(&self) -> Option<&Username> {
        self.state().owner.as_ref().map(|owner| &owner.username)
    }

    /// Whether an owner may have these emails, and questions: to be asked before a transfer code is tried.
    ///
    /// # Errors
    /// [`Refusal::MethodNotReady`] for questions that the maker forbids; [`Refusal::Malformed`] for more than two emails or the same one
    /// twice.
    pub fn check_activation(&self, emails: &[ReservedEmail], with_questions: bool) -> Result<(), Refusal> {
        if with_questions && !self.policy().questions_allowed() {
            return Err(Refusal::MethodNotReady(Why::Forbidden));
        }
        contacts(emails.to_vec(), &[]).map(drop)
    }

    /// Gives the device its owner. One that was handed over takes its transfer code ([`Device::take_transfer_try`]).
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::AlreadyActive`], [`Refusal::MethodNotReady`] for questions that the maker forbids, or
    /// [`Refusal::Malformed`] for more than two emails or the same one twice. The inner one, put on record, is [`Refusal::WrongProof`]
    /// without the transfer code that the device waits for.
    pub fn activate(
        &mut self,
        now: Now,
        caller: Caller,
        owner: NewOwner,
        transfer: Option<&CheckedTransfer>,
    ) -> Result<Change<'_, Result<(), Refusal>>, Refusal> {
        on_this_link(caller)?;
        if self.is_active() {
            return Err(Refusal::AlreadyActive);
        }
        self.check_activation(&owner.reserved_emails, owner.questions.is_some())?;
        let contacts = contacts(owner.reserved_emails, &[])?;
        if let Err(refusal) = self.may_activate(now, caller, transfer) {
            let mut next = self.next(now);
            next.record.add(now.clock, EventKind::TransferRefused, caller);
            return Ok(Change::new(self, next, Err(refusal)));
        }
        let mut next = self.next(now);
        next.record.add(now.clock, EventKind::Activated, caller);
        next.transfer = None;
        next.guards.reset();
        next.owner = Some(Owner {
            username: owner.username,
            password: owner.password,
            // Not that of an earlier owner, for whose password a verdict may still be on its way.
            password_edition: next.record.last_number(),
            contacts,
            seen: next.record.last_number(),
            set_up: SetUp::with_questions(owner.questions),
        });
        Ok(Change::new(self, next, Ok(())))
    }
}
