//! Making a request.

use alloc::{vec, vec::Vec};

use sparekey_protocol::Language;

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, Side, on_this_link},
    event::EventKind,
    guard::Class,
    pending::{Pending, Purpose, RecoveryId},
    recovery::{CodeDraft, RecoveryView, parts::Wanted},
    state::State,
    ways::{ContactRule, Readiness, Way, Why, desk},
};

/// Requests of one class that are open at once, for callers of one kind. A further one waits, and takes the oldest one's place.
const AT_ONCE: usize = 3;
/// Seconds before a further one where opening gives nothing to guess at: what fills the disk is to be bounded.
const CROWDED: u64 = 60;

/// Which way back in, and what is to be chosen about it.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The way.
    pub way: Way,
    /// For [`Way::Email`]: which reserved email, from 0. Without meaning where both are asked for.
    pub contact: usize,
    /// For [`Way::Questions`], where the maker's policy asks for a second way beside them: which one. The likeliest one that is
    /// ready if nothing is said.
    pub beside: Option<Way>,
}

impl From<Way> for Asked {
    fn from(way: Way) -> Self {
        Self { way, contact: 0, beside: None }
    }
}

/// Fresh random bytes for one request.
pub struct OpenSeeds {
    /// Names the request for who opened it.
    pub id: [u8; 16],
    /// The question grows out of these, if it is one for the telephone.
    pub question: [u8; 16],
}

impl Device {
    /// Whether a request could be opened, and how many [`CodeDraft`]s it takes (none to two): to be asked before any code is hashed.
    ///
    /// # Errors
    /// Those of [`Device::open_recovery`].
    pub fn check_open(&self, now: Now, caller: Caller, asked: Asked) -> Result<usize, Refusal> {
        self.plan(now, caller, asked, Purpose::Reset).map(|plan| plan.drafts())
    }

    /// Makes a request. For the desk it may be one that was made before: a request stays good over further exports.
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
        let mut next = self.next(now);
        let wanted = match self.plan(now, caller, asked, Purpose::Reset)? {
            Plan::Make(wanted) => wanted,
            Plan::ShowAgain(id) => {
                let pending = next.pending.iter().find(|pending| pending.id == id).ok_or(Refusal::Expired)?;
                let shown = self.view(now, pending)?;
                return Ok(Change::new(self, next, shown));
            }
        };
        let pending = self.pending(now, caller.side(), Purpose::Reset, &wanted, language, drafts, seeds)?;
        let opened = self.view(now, &pending)?;
        for class in crowding(&wanted) {
            make_room(&mut next, caller, class);
        }
        self.note_asks(&mut next, &pending, now.clock);
        next.pending.push(pending);
        if open_by(&next, caller, Class::Codes).count() == AT_ONCE && crowding(&wanted).contains(&Class::Codes) {
            let running = next.running;
            next.guards.wait(Class::Codes, caller.side(), running);
        }
        next.record.add_about(now.clock, EventKind::RecoveryOpened, caller, Some(asked.way));
        Ok(Change::new(self, next, opened))
    }

    /// Seconds until this caller can open a request by this way; 0 if no wait is what stands in between.
    #[must_use]
    pub fn wait_before(&self, now: Now, caller: Caller, way: Way) -> u64 {
        match self.plan(now, caller, way.into(), Purpose::Reset) {
            Err(Refusal::TooManyTries { retry_after }) => retry_after,
            _ => 0,
        }
    }

    /// What opening such a request would do, if it may be opened.
    pub(crate) fn plan(&self, now: Now, caller: Caller, asked: Asked, purpose: Purpose) -> Result<Plan, Refusal> {
        on_this_link(caller)?;
        self.owner()?;
        let wanted = self.wanted(caller.side(), asked, purpose)?;
        let state = self.next(now);
        for class in wanted.iter().map(|wanted| Class::of(wanted.way())) {
            let retry_after = state.guards.wait_left(class, caller.side(), state.running);
            if retry_after > 0 {
                return Err(Refusal::TooManyTries { retry_after });
            }
        }
        if purpose == Purpose::Reset {
            if asked.way == Way::Desk
                && let Some(pending) = desk::shown_again(&state, caller)
            {
                return Ok(Plan::ShowAgain(pending.id));
            }
            for class in crowding(&wanted).into_iter().filter(|class| *class != Class::Codes) {
                let retry_after = crowded(&state, caller, class);
                if retry_after > 0 {
                    return Err(Refusal::TooManyTries { retry_after });
                }
            }
        }
        Ok(Plan::Make(wanted))
    }

    /// The parts of a request by this way, if it is ready. A dry test is one of that way alone.
    fn wanted(&self, side: Side, asked: Asked, purpose: Purpose) -> Result<Vec<Wanted>, Refusal> {
        if let Readiness::NotReady(why) = self.readiness(asked.way, side) {
            return Err(Refusal::MethodNotReady(why));
        }
        let both = self.contact_rule() == ContactRule::Both && purpose == Purpose::Reset;
        Ok(match asked.way {
            Way::Email if both => vec![Wanted::Email(0), Wanted::Email(1)],
            Way::Email => {
                let contacts = &self.owner()?.contacts;
                contacts.get(asked.contact).ok_or(Refusal::MethodNotReady(Why::NotSetUp))?;
                vec![Wanted::Email(asked.contact)]
            }
            Way::Desk => vec![Wanted::Desk],
            Way::KeyFile => vec![Wanted::KeyFile],
            Way::Sheet => vec![Wanted::Sheet],
            Way::SecurityCode => vec![Wanted::SecurityCode],
            Way::Questions => {
                let mut wanted = vec![Wanted::Questions];
                if self.policy().questions_beside() && purpose == Purpose::Reset {
                    let ready = |way: &Way| !matches!(self.readiness(*way, side), Readiness::NotReady(_));
                    let likeliest = || Way::ALL.into_iter().filter(|way| way.goes_beside_questions()).find(ready);
                    let way = asked.beside.or_else(likeliest).filter(|way| way.goes_beside_questions());
                    let way = way.ok_or(Refusal::MethodNotReady(Why::NeedsSecondWay))?;
                    wanted.extend(self.wanted(side, Asked { way, ..asked }, purpose)?);
                }
                wanted
            }
        })
    }
}

/// What opening a request would do.
pub(crate) enum Plan {
    /// Show one that was made before.
    ShowAgain(RecoveryId),
    /// Make one of these parts.
    Make(Vec<Wanted>),
}

impl Plan {
    pub(crate) fn drafts(&self) -> usize {
        match self {
            Self::ShowAgain(_) => 0,
            Self::Make(wanted) => wanted.iter().filter(|wanted| wanted.takes_draft()).count(),
        }
    }
}

/// The classes in which such a request takes a place. Requests for the desk have places of their own.
fn crowding(wanted: &[Wanted]) -> Vec<Class> {
    let ways = wanted.iter().map(|wanted| wanted.way()).filter(|way| *way != Way::Desk);
    let mut classes: Vec<_> = ways.map(Class::of).collect();
    classes.dedup();
    classes
}

fn open_by(state: &State, caller: Caller, class: Class) -> impl Iterator<Item = &Pending> {
    state.pending.iter().filter(move |pending| pending.is_open_by(caller, class))
}

/// Seconds until a further request of a class that gives nothing to guess at may be opened.
fn crowded(state: &State, caller: Caller, class: Class) -> u64 {
    match open_by(state, caller, class).last() {
        Some(last) if open_by(state, caller, class).count() >= AT_ONCE => {
            CROWDED.saturating_sub(state.running.at_least_since(last.opened))
        }
        _ => 0,
    }
}

/// A further request drops those that are used up, and takes the oldest one's place when as many are open as may be. One that
/// was proven already is never dropped: it bears a ticket.
fn make_room(state: &mut State, caller: Caller, class: Class) {
    state.pending.retain(|pending| !pending.is_open_by(caller, class) || !pending.is_used_up());
    if open_by(state, caller, class).count() >= AT_ONCE
        && let Some(oldest) = state.pending.iter().position(|pending| pending.is_open_by(caller, class))
    {
        state.pending.remove(oldest);
    }
}
