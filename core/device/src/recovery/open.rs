//! Making a request.

use alloc::{vec, vec::Vec};

use sparekey_protocol::{Language, request::Ask};

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, Side, on_this_link},
    event::EventKind,
    guard::Class,
    pending::{Part, Pending, Purpose, RecoveryId},
    proof::{Awaited, EmailedCode},
    recovery::{CodeDraft, RecoveryView, Sealing},
    state::State,
    ways::{self, Readiness, Way, Why},
};

/// Requests of one class that are open at once, for callers of one kind. A further one waits, and takes the oldest one's place.
const AT_ONCE: usize = 3;

/// Which way back in, and what is to be chosen about it.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The way.
    pub way: Way,
    /// For [`Way::Email`]: which reserved email, from 0.
    pub contact: usize,
}

impl From<Way> for Asked {
    fn from(way: Way) -> Self {
        Self { way, contact: 0 }
    }
}

/// Fresh random bytes for one request.
pub struct OpenSeeds {
    /// Names the request for who opened it.
    pub id: [u8; 16],
}

impl Device {
    /// Whether a request could be opened, and how many [`CodeDraft`]s it takes: to be asked before any code is hashed.
    ///
    /// # Errors
    /// Those of [`Device::open_recovery`].
    pub fn check_open(&self, now: Now, caller: Caller, asked: Asked) -> Result<usize, Refusal> {
        self.openable(now, caller, asked).map(|wanted| wanted.len())
    }

    /// Makes a request.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::NotActive`], [`Refusal::MethodNotReady`], [`Refusal::TooManyTries`]; [`Refusal::Expired`]
    /// if there are fewer drafts than [`Device::check_open`] asked for: something changed meanwhile.
    pub fn open_recovery(
        &mut self,
        now: Now,
        caller: Caller,
        asked: Asked,
        language: &Language,
        drafts: &[CodeDraft],
        seeds: &OpenSeeds,
    ) -> Result<Change<'_, RecoveryView>, Refusal> {
        let wanted = self.openable(now, caller, asked)?;
        let mut next = self.next(now);
        make_room(&mut next, caller, Class::Codes);
        let parts = self.parts(now, Purpose::Reset, &wanted, language, drafts)?;
        let opened = self.add_pending(now, &mut next, caller.side(), Purpose::Reset, parts, seeds)?;
        if open_by(&next, caller, Class::Codes) == AT_ONCE {
            let running = next.running;
            next.guards.wait(Class::Codes, caller.side(), running);
        }
        next.record.add(now.clock, EventKind::RecoveryOpened, caller);
        Ok(Change::new(self, next, opened))
    }

    /// The parts that the request would have, if it may be opened.
    fn openable(&self, now: Now, caller: Caller, asked: Asked) -> Result<Vec<Wanted>, Refusal> {
        on_this_link(caller)?;
        let owner = self.owner()?;
        if let Readiness::NotReady(why) = ways::readiness(asked.way, self.state(), caller.side()) {
            return Err(Refusal::MethodNotReady(why));
        }
        owner.contacts.get(asked.contact).ok_or(Refusal::MethodNotReady(Why::NotSetUp))?;
        match self.state().guards.wait_left(Class::Codes, caller.side(), self.running(now)) {
            0 => Ok(vec![Wanted::Email(asked.contact)]),
            retry_after => Err(Refusal::TooManyTries { retry_after }),
        }
    }

    /// Makes the parts of a request; each code takes one draft.
    pub(crate) fn parts(
        &self,
        now: Now,
        purpose: Purpose,
        wanted: &[Wanted],
        language: &Language,
        drafts: &[CodeDraft],
    ) -> Result<Vec<Part>, Refusal> {
        let mut drafts = drafts.iter();
        let mut make = |wanted: &Wanted| -> Result<Part, Refusal> {
            let mut draft = || drafts.next().ok_or(Refusal::Expired);
            Ok(Part::new(match *wanted {
                Wanted::Email(contact) => {
                    let email = self.owner()?.contacts.get(contact).ok_or(Refusal::Malformed)?.email.clone();
                    let ask = match purpose {
                        Purpose::Reset => Ask::ResetByEmail(email),
                        Purpose::Confirmation => Ask::ConfirmEmail(email),
                    };
                    let draft = draft()?;
                    let request = self.seal(now, Sealing { ask, draft, language })?;
                    Awaited::Email(EmailedCode { contact, code: draft.hash.clone(), request })
                }
            }))
        };
        wanted.iter().map(&mut make).collect()
    }

    /// A request in the making: added to the state that is to be stored.
    pub(crate) fn add_pending(
        &self,
        now: Now,
        next: &mut State,
        side: Side,
        purpose: Purpose,
        parts: Vec<Part>,
        seeds: &OpenSeeds,
    ) -> Result<RecoveryView, Refusal> {
        let seconds = self.policy().code_seconds();
        let id = RecoveryId(seeds.id);
        let pending = Pending { id, side, purpose, parts, opened: next.running, seconds, accepted: None };
        let view = self.view(now, &pending)?;
        next.pending.push(pending);
        Ok(view)
    }
}

/// A part that a request is to have.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// A code to this reserved email.
    Email(usize),
}

fn open_by(state: &State, caller: Caller, class: Class) -> usize {
    state.pending.iter().filter(|pending| pending.is_open_by(caller, class)).count()
}

/// A further request drops those that are used up, and takes the oldest one's place when as many are open as may be. One that
/// was proven already is never dropped: it bears a ticket.
fn make_room(state: &mut State, caller: Caller, class: Class) {
    state.pending.retain(|pending| !pending.is_open_by(caller, class) || !pending.is_used_up());
    if open_by(state, caller, class) == AT_ONCE
        && let Some(oldest) = state.pending.iter().position(|pending| pending.is_open_by(caller, class))
    {
        state.pending.remove(oldest);
    }
}
