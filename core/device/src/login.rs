//! Logging in with the password, which always works when it is the right one.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now},
    event::{Event, EventKind},
    password::{HashedPassword, normalized},
    slow_hash::SlowHash,
    state::{Owner, State},
    token::Token,
};

/// The longest text that is looked at as a password, in bytes: four for each of 128 characters.
const LONGEST_TYPED: usize = 512;

/// A password's hash on its way to the thread that computes.
pub struct PasswordCheck {
    hash: SlowHash,
    known: bool,
    edition: u64,
}

impl PasswordCheck {
    /// Slow, and equally so for a name that nobody has.
    #[must_use]
    pub fn run(self, typed: &str) -> Checked {
        let fits = typed.len() <= LONGEST_TYPED;
        let right = self.hash.is_of(normalized(if fits { typed } else { "" }).as_bytes());
        Checked { right: right && fits && self.known, edition: self.edition }
    }
}

impl fmt::Debug for PasswordCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordCheck(secret)")
    }
}

/// The verdict on a name and a password. It is worth nothing once the password was changed.
#[derive(Debug)]
pub struct Checked {
    right: bool,
    edition: u64,
}

/// A session that began.
#[derive(Debug)]
pub struct LoggedIn {
    /// To be sent with every further call.
    pub token: Token,
    /// What happened since the owner last logged in: attempts, recoveries, new passwords.
    pub news: Vec<Event>,
}

impl Device {
    /// Hands out what a password is to be checked against: for a name that nobody has, something that takes as long.
    ///
    /// # Errors
    /// [`Refusal::NotActive`].
    pub fn password_check(&self, username: &str) -> Result<PasswordCheck, Refusal> {
        let owner = self.owner()?;
        let known = owner.username.is(username);
        let hash = if known { owner.password.0.clone() } else { owner.password.0.of_nobody() };
        Ok(PasswordCheck { hash, known, edition: owner.password_edition })
    }

    /// Begins a session, or records that the password was wrong.
    ///
    /// # Errors
    /// [`Refusal::NotActive`]; the inner one is [`Refusal::NotLoggedIn`].
    pub fn log_in(
        &mut self,
        now: Now,
        caller: Caller,
        checked: &Checked,
        seed: &[u8; 32],
    ) -> Result<Change<'_, Result<LoggedIn, Refusal>>, Refusal> {
        let owner = self.owner()?;
        let right = checked.right && checked.edition == owner.password_edition;
        let seen = owner.seen;
        let mut next = self.next(now);
        if !right {
            next.record.add(now.clock, EventKind::LoginRefused, caller);
            return Ok(Change::new(self, next, Err(Refusal::NotLoggedIn)));
        }
        let news = next.record.all().iter().filter(|event| event.number > seen).cloned().collect();
        let token = Token::from_seed(seed);
        next.sessions.begin(now.since_start, &token, caller.address());
        next.guards.reset();
        next.record.add(now.clock, EventKind::LoggedIn, caller);
        if let Some(owner) = &mut next.owner {
            owner.seen = next.record.last_number();
        }
        Ok(Change::new(self, next, Ok(LoggedIn { token, news })))
    }

    /// Whether this token stands for a living session. Asking keeps it alive.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`].
    pub fn session(&mut self, now: Now, token: &str) -> Result<(), Refusal> {
        if self.sessions_mut().touch(now.since_start, token) { Ok(()) } else { Err(Refusal::NotLoggedIn) }
    }

    /// Ends one session.
    pub fn log_out(&mut self, token: &str) {
        self.sessions_mut().end(token);
    }

    /// Sets a new password for who knows the old one: every other session ends, every open request is void.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password.
    pub fn change_password(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        password: HashedPassword,
    ) -> Result<Change<'_, ()>, Refusal> {
        self.session(now, token)?;
        self.right_now(checked)?;
        let mut next = self.next(now);
        let mut mine = next.sessions.clone();
        next.set_password(password, &[]);
        mine.end_all_but(token);
        next.sessions = mine;
        next.record.add(now.clock, EventKind::PasswordChanged, caller);
        Ok(Change::new(self, next, ()))
    }

    /// The state for a change by who is logged in and knows the password, and its owner, to be changed and put back. Every open
    /// request is void with the change.
    pub(crate) fn changed_by_owner(
        &mut self,
        now: Now,
        token: &str,
        checked: &Checked,
    ) -> Result<(State, Owner), Refusal> {
        self.session(now, token)?;
        self.right_now(checked)?;
        let owner = self.owner()?.clone();
        let mut next = self.next(now);
        next.pending.clear();
        Ok((next, owner))
    }

    /// The password was right, and is still the same.
    pub(crate) fn right_now(&self, checked: &Checked) -> Result<(), Refusal> {
        let same = checked.edition == self.owner()?.password_edition;
        if checked.right && same { Ok(()) } else { Err(Refusal::NotLoggedIn) }
    }
}
