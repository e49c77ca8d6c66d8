//! Reserved emails: up to two, each confirmed by the same QR and code that a reset uses.

use alloc::{string::String, vec, vec::Vec};

use sparekey_protocol::{Code, Language, ReservedEmail, Time};

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, Side, on_this_link},
    event::EventKind,
    login::Checked,
    pending::{Pending, Purpose},
    proof::{Against, Awaited, CheckedProof, Kind, Of, ProofCheck, Typed},
    recovery::{CodeDraft, OpenSeeds, RecoveryView, Wanted},
    state::Contact,
    ways::{ContactRule, Way, Why},
};

/// At most so many.
const CONTACTS: usize = 2;

/// A reserved email, as its owner sees it.
#[derive(Debug)]
pub struct ContactView<'d> {
    /// The address, whole.
    pub email: &'d ReservedEmail,
    /// When it was confirmed, by the device's clock.
    pub confirmed: Option<Time>,
}

impl Device {
    /// The reserved emails: for who is logged in.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`], [`Refusal::NotActive`].
    pub fn contacts(&mut self, now: Now, token: &str) -> Result<Vec<ContactView<'_>>, Refusal> {
        self.session(now, token)?;
        let contacts = &self.owner()?.contacts;
        Ok(contacts.iter().map(|Contact { email, confirmed }| ContactView { email, confirmed: *confirmed }).collect())
    }

    /// The reserved emails, masked: what *Forgot password* may show to who is on the same link.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::NotActive`].
    pub fn masked_contacts(&self, caller: Caller) -> Result<Vec<String>, Refusal> {
        on_this_link(caller)?;
        Ok(self.owner()?.contacts.iter().map(|contact| contact.email.masked()).collect())
    }

    /// Replaces the reserved emails. One that stays the same stays confirmed; every open request is void. Unless both are
    /// confirmed, they cannot both be asked for: [`ContactRule::Either`] holds again.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::Malformed`] for more than two, or one twice.
    pub fn set_contacts(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        emails: Vec<ReservedEmail>,
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        owner.contacts = contacts(emails, &owner.contacts)?;
        let confirmed = owner.contacts.iter().filter(|contact| contact.confirmed.is_some()).count();
        if confirmed < CONTACTS {
            // Both are asked for only where both were found to work.
            owner.set_up.contact_rule = ContactRule::Either;
        }
        if confirmed == 0 {
            owner.set_up.forget_test(Way::Email);
        }
        next.owner = Some(owner);
        next.record.add(now.clock, EventKind::ContactsChanged, caller);
        Ok(Change::new(self, next, ()))
    }

    /// Makes a request that proves a reserved email, counted from 0. It replaces an earlier one for the same email.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`]; [`Refusal::MethodNotReady`] if the owner wants no service; [`Refusal::Malformed`] if there is no
    /// such email.
    pub fn open_confirmation(
        &mut self,
        now: Now,
        token: &str,
        contact: usize,
        language: &Language,
        draft: &CodeDraft,
        seeds: &OpenSeeds,
    ) -> Result<Change<'_, RecoveryView>, Refusal> {
        self.session(now, token)?;
        if self.owner()?.set_up.switches.no_service {
            return Err(Refusal::MethodNotReady(Why::NoService));
        }
        let drafts = core::slice::from_ref(draft);
        let wanted = [Wanted::Email(contact)];
        let pending = self.pending(now, Side::Screen, Purpose::Confirmation, &wanted, language, drafts, seeds)?;
        let opened = self.view(now, &pending)?;
        let mut next = self.next(now);
        next.pending.retain(|pending| !pending.confirms(contact));
        self.note_asks(&mut next, &pending, now.clock);
        next.pending.push(pending);
        Ok(Change::new(self, next, opened))
    }

    /// Takes one of the five tries of a confirmation, before its code is looked at.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`]; [`Refusal::Expired`] if none is open; [`Refusal::TooManyTries`].
    pub fn take_confirmation_try(
        &mut self,
        now: Now,
        token: &str,
        contact: usize,
        code: Code,
    ) -> Result<Change<'_, ProofCheck>, Refusal> {
        self.session(now, token)?;
        let mut next = self.next(now);
        let pending = next.pending.iter_mut().find(|pending| pending.confirms(contact)).ok_or(Refusal::Expired)?;
        let id = pending.id;
        let (number, part) = pending.waiting_for(Kind::Code).next().ok_or(Refusal::Expired)?;
        part.tries_left = part.tries_left.checked_sub(1).ok_or(Refusal::TooManyTries { retry_after: 0 })?;
        let Awaited::Email(emailed) = &part.awaited else { return Err(Refusal::Expired) };
        let against = vec![(number, Against::Code(emailed.code.clone()))];
        Ok(Change::new(self, next, ProofCheck { id, typed: Typed::Code(code), against }))
    }

    /// Confirms a reserved email with the verdict on its code.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`]; [`Refusal::Expired`]; [`Refusal::WrongProof`].
    pub fn confirm(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &CheckedProof,
    ) -> Result<Change<'_, ()>, Refusal> {
        self.session(now, token)?;
        let mut next = self.next(now);
        let is_it = |pending: &&Pending| pending.id == checked.id && pending.purpose == Purpose::Confirmation;
        let pending = next.pending.iter().find(is_it).ok_or(Refusal::Expired)?;
        let part = pending.parts.first().ok_or(Refusal::Expired)?;
        let contact = part.awaited.contact().ok_or(Refusal::Expired)?;
        if !checked.is_right() {
            return Err(Refusal::WrongProof { tries_left: part.tries_left });
        }
        if let Some((nonce, way)) = self.answered_by(pending, 0, Of::Part) {
            self.note_answered(&mut next, nonce, way, now.clock);
        }
        next.pending.retain(|pending| pending.id != checked.id);
        next.record.add(now.clock, EventKind::ContactConfirmed, caller);
        next.confirmed(contact, now.clock);
        Ok(Change::new(self, next, ()))
    }

    /// The open confirmation of a reserved email, counted from 0: what its screen shows.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`]; [`Refusal::Expired`] if none is open.
    pub fn confirmation(&mut self, now: Now, token: &str, contact: usize) -> Result<RecoveryView, Refusal> {
        self.session(now, token)?;
        let state = self.next(now);
        let pending = state.pending.iter().find(|pending| pending.confirms(contact)).ok_or(Refusal::Expired)?;
        self.view(now, pending)
    }
}

/// At most two, all different; one that is known stays confirmed.
pub(crate) fn contacts(emails: Vec<ReservedEmail>, known: &[Contact]) -> Result<Vec<Contact>, Refusal> {
    let twice = |(i, email)| emails.get(i + 1..).is_some_and(|rest: &[ReservedEmail]| rest.contains(email));
    if emails.len() > CONTACTS || emails.iter().enumerate().any(twice) {
        return Err(Refusal::Malformed);
    }
    let confirmed = |email: &ReservedEmail| known.iter().find(|known| known.email == *email)?.confirmed;
    Ok(emails.into_iter().map(|email| Contact { confirmed: confirmed(&email), email }).collect())
}
