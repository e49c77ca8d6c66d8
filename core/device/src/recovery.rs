//! From *Forgot password* to a new one.
//!
//! [`Device::open_recovery`] makes a request; [`Device::take_try`] counts a try before its code is looked at;
//! [`Device::redeem`] turns a right code into a ticket; [`Device::set_password`] turns the ticket into a new password.

use alloc::string::String;
use core::fmt;

use sparekey_protocol::{
    Code, Language, Nonce, ReservedEmail, qr,
    request::{self, Ask, Contents},
};
use zeroize::Zeroizing;

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, Side, on_this_link},
    event::EventKind,
    password::HashedPassword,
    pending::{self, CheckedCode, CodeCheck, EmailedCode, Pending, Proof, RecoveryId, TRIES},
    slow_hash::{HashingCost, SlowHash},
    state::State,
    time::Running,
    token::Ticket,
    ways::{self, Readiness, Way, Why},
};

/// Requests for a reset that are open at once, for callers of one kind. A further one waits, and takes the oldest one's place.
const AT_ONCE: usize = 3;

/// Fresh random bytes for one request.
pub struct OpenSeeds {
    /// Names the request for who opened it.
    pub id: [u8; 16],
    /// Names the request to the service.
    pub nonce: [u8; 16],
    /// For sealing.
    pub seal: Zeroizing<[u8; 32]>,
}

/// A code and its hash, made off the device's lock.
pub struct CodeDraft {
    code: Code,
    hash: SlowHash,
}

impl CodeDraft {
    /// Slow: hashes the code of these random bytes.
    #[must_use]
    pub fn make(seed: &[u8; 16], salt: [u8; 16], cost: HashingCost) -> Self {
        let code = Code::from_seed(seed);
        let hash = SlowHash::make(code.expose().as_bytes(), salt, cost.for_codes());
        Self { code, hash }
    }
}

impl fmt::Debug for CodeDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDraft(secret)")
    }
}

/// A request to show. It is stored already: this comes out of a committed [`Change`].
#[derive(Debug)]
pub struct Opened {
    /// For the calls that follow.
    pub id: RecoveryId,
    /// What the QR says.
    pub qr_text: String,
    /// The request's bytes, for a file.
    pub request: alloc::vec::Vec<u8>,
    /// Wrong codes it bears.
    pub tries_left: u8,
    /// Seconds it is good for.
    pub expires_in: u64,
}

/// An open request, as its screen shows it.
#[derive(Debug)]
pub struct RecoveryView {
    /// What the QR says.
    pub qr_text: String,
    /// Where its code goes, masked.
    pub masked_address: String,
    /// Wrong codes it still bears.
    pub tries_left: u8,
    /// Seconds it is still good for; once proven, its ticket.
    pub expires_in: u64,
    /// Whether the right code came already.
    pub proven: bool,
}

impl Device {
    /// Makes a request whose code goes to a reserved email, counted from 0.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::NotActive`], [`Refusal::MethodNotReady`], [`Refusal::TooManyTries`].
    pub fn open_recovery(
        &mut self,
        now: Now,
        caller: Caller,
        contact: usize,
        language: Language,
        draft: CodeDraft,
        seeds: &OpenSeeds,
    ) -> Result<Change<'_, Opened>, Refusal> {
        let email = self.openable(now, caller, contact)?.clone();
        let running = self.running(now);
        let mut next = self.next(now);
        make_room(&mut next, caller);
        let opened =
            self.add_pending(now, &mut next, caller.side(), Ask::ResetByEmail(email), contact, language, draft, seeds)?;
        if open_by(&next, caller) == AT_ONCE {
            next.guards.of_mut(caller.side()).wait(running);
        }
        next.record.add(now.clock, EventKind::RecoveryOpened, caller);
        Ok(Change::new(self, next, opened))
    }

    /// Whether a request could be opened: to be asked before its code is hashed.
    ///
    /// # Errors
    /// Those of [`Device::open_recovery`].
    pub fn check_open(&self, now: Now, caller: Caller, contact: usize) -> Result<(), Refusal> {
        self.openable(now, caller, contact).map(drop)
    }

    fn openable(&self, now: Now, caller: Caller, contact: usize) -> Result<&ReservedEmail, Refusal> {
        on_this_link(caller)?;
        let owner = self.owner()?;
        let guard = self.guard(caller);
        if let Readiness::NotReady(why) = ways::readiness(Way::Email, self.state(), guard.is_closed()) {
            return Err(Refusal::MethodNotReady(why));
        }
        let contact = owner.contacts.get(contact).ok_or(Refusal::MethodNotReady(Why::NotSetUp))?;
        match guard.wait_left(self.running(now)) {
            0 => Ok(&contact.email),
            retry_after => Err(Refusal::TooManyTries { retry_after }),
        }
    }

    /// An open request: what its screen shows, also after a restart.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::Expired`].
    pub fn recovery(&self, now: Now, caller: Caller, id: RecoveryId) -> Result<RecoveryView, Refusal> {
        on_this_link(caller)?;
        let mut state = self.next(now);
        let pending = reset_by(&mut state, caller, id).ok_or(Refusal::Expired)?;
        self.view(now, pending)
    }

    pub(crate) fn view(&self, now: Now, pending: &Pending) -> Result<RecoveryView, Refusal> {
        let emailed = pending.proof().emailed();
        let contact = self.owner()?.contacts.get(emailed.contact).ok_or(Refusal::Expired)?;
        Ok(RecoveryView {
            qr_text: qr::text(&self.identity().card().url, &emailed.request),
            masked_address: contact.email.masked(),
            tries_left: pending.tries_left(),
            expires_in: pending.seconds_left(self.running(now)),
            proven: pending.is_proven(),
        })
    }

    /// Counts a try, on disk, and then hands out what the typed code is checked against.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::NotActive`], [`Refusal::MethodNotReady`] after the stop, [`Refusal::Expired`],
    /// [`Refusal::TooManyTries`] when none is left.
    pub fn take_try(&mut self, now: Now, caller: Caller, id: RecoveryId) -> Result<Change<'_, CodeCheck>, Refusal> {
        on_this_link(caller)?;
        self.owner()?;
        if self.guard(caller).is_closed() {
            return Err(Refusal::MethodNotReady(Why::TooManyWrongCodes));
        }
        let running = self.running(now);
        let mut next = self.next(now);
        let pending = reset_by(&mut next, caller, id).ok_or(Refusal::Expired)?;
        let Some(check) = pending.take_try() else {
            return Err(if pending.is_proven() { Refusal::Expired } else { self.used_up(running, caller) });
        };
        let last = pending.tries_left() == 0;
        let guard = next.guards.of_mut(caller.side());
        guard.count_try();
        if last {
            guard.wait(running);
        }
        if guard.is_closed() {
            next.record.add(now.clock, EventKind::CodesClosed, caller);
        }
        Ok(Change::new(self, next, check))
    }

    /// Turns the verdict on a code into a ticket for a new password, good for ten minutes.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::Expired`]; the inner one is [`Refusal::WrongProof`].
    pub fn redeem(
        &mut self,
        now: Now,
        caller: Caller,
        checked: &CheckedCode,
        seed: &[u8; 32],
    ) -> Result<Change<'_, Result<Ticket, Refusal>>, Refusal> {
        on_this_link(caller)?;
        let running = self.running(now);
        let mut next = self.next(now);
        let pending = reset_by(&mut next, caller, checked.id()).ok_or(Refusal::Expired)?;
        if pending.is_proven() {
            return Err(Refusal::Expired);
        }
        if !checked.is_right() {
            let tries_left = pending.tries_left();
            next.record.add(now.clock, EventKind::WrongCode, caller);
            return Ok(Change::new(self, next, Err(Refusal::WrongProof { tries_left })));
        }
        let ticket = Ticket::from_seed(seed);
        pending.accept(running, &ticket);
        next.guards.of_mut(caller.side()).reset();
        next.record.add(now.clock, EventKind::RecoveryProven, caller);
        Ok(Change::new(self, next, Ok(ticket)))
    }

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
        next.set_password(password);
        next.record.add(now.clock, EventKind::PasswordRecovered, caller);
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

    /// A request in the making: sealed, and added to the state that is to be stored.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request that is made here")]
    pub(crate) fn add_pending(
        &self,
        now: Now,
        next: &mut State,
        side: Side,
        ask: Ask,
        contact: usize,
        language: Language,
        draft: CodeDraft,
        seeds: &OpenSeeds,
    ) -> Result<Opened, Refusal> {
        let identity = self.identity();
        let confirms = matches!(ask, Ask::ConfirmEmail(_));
        let contents = Contents {
            code: draft.code,
            ask,
            firmware: identity.firmware().clone(),
            device_time: now.clock,
            start_time: now.started,
            language,
        };
        let service = &identity.card().opening_key;
        let request = request::seal(
            &contents,
            Nonce(seeds.nonce),
            &seeds.seal,
            identity.certificate_bytes(),
            &identity.key,
            service,
        )
        .ok_or(Refusal::MethodNotReady(Why::BadCard))?;
        let seconds = self.policy().code_seconds();
        let id = RecoveryId(seeds.id);
        let qr_text = qr::text(&identity.card().url, &request);
        let emailed = EmailedCode { contact, code: draft.hash, request: request.clone() };
        let proof = if confirms { Proof::Confirmation(emailed) } else { Proof::Email(emailed) };
        next.pending.push(Pending::new(id, side, proof, next.running, seconds));
        Ok(Opened { id, qr_text, request, tries_left: TRIES, expires_in: seconds })
    }

    fn used_up(&self, running: Running, caller: Caller) -> Refusal {
        Refusal::TooManyTries { retry_after: self.guard(caller).wait_left(running) }
    }
}

/// A reset asked for by callers of this kind. Nobody on the network has a say in what the screen shows.
fn reset_by(state: &mut State, caller: Caller, id: RecoveryId) -> Option<&mut Pending> {
    pending::find(&mut state.pending, id).filter(|pending| pending.is_reset_by(caller))
}

fn open_by(state: &State, caller: Caller) -> usize {
    state.pending.iter().filter(|pending| pending.is_open_by(caller)).count()
}

/// A further request drops those that are used up, and takes the oldest one's place when as many are open as may be. One that
/// was proven already is never dropped: it bears a ticket.
fn make_room(state: &mut State, caller: Caller) {
    state.pending.retain(|pending| !pending.is_reset_by(caller) || !pending.is_used_up());
    if open_by(state, caller) == AT_ONCE
        && let Some(oldest) = state.pending.iter().position(|pending| pending.is_open_by(caller))
    {
        state.pending.remove(oldest);
    }
}
