use alloc::vec::Vec;
use core::fmt;

use sparekey_protocol::Time;

use super::{
    actor::{Actor, OrganisationId, Role},
    case::{Case, State},
    fact::{Evidence, Fact, Requester, Source, Unfit},
    opening::{self, Opening},
    text::Words,
};

/// Most notes and changes of the checklist of one case: all of them are read with it.
const MOST_REMARKS: u32 = 500;
/// Most others who say to be the owner that are written down.
const MOST_OTHERS: usize = 10;
/// Most pieces of evidence of one case.
const MOST_EVIDENCE: usize = 20;

/// What an operator asks for.
#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// A new case.
    Open(Opening<'a>),
    /// The same requests came in once more.
    SendAgain {
        /// How.
        source: Source,
        /// Who says to be the owner.
        requester: &'a Requester,
    },
    /// Write something down.
    Note(&'a Words),
    /// Attach something.
    Attach(&'a Evidence),
    /// An item of the checklist, from 0, is done or is not.
    Check {
        /// Which.
        item: u32,
        /// Whether it is done.
        done: bool,
    },
    /// Give the case to an organisation, or back to the maker.
    HandOver(Option<OrganisationId>),
    /// Agree that the owner be helped.
    Approve,
    /// End the case without help.
    Refuse(&'a Words),
    /// Answer all requests that are left by grants, good for so long.
    Grant(GrantHours),
    /// Ask for the eight digits of one request, from 0. The leaf of the fact that comes of it must be in the public log before they are
    /// shown.
    AskKey {
        /// Which.
        entry: u32,
    },
    /// Show them, once, after it was asked for them.
    ShowKey {
        /// Which.
        entry: u32,
    },
}

/// How long a grant is good: 1 to 24 hours (protocol section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantHours(u8);

impl GrantHours {
    /// So many hours, 1 to 24.
    #[must_use]
    pub fn new(hours: u64) -> Option<Self> {
        u8::try_from(hours).ok().filter(|hours| (1..=24).contains(hours)).map(Self)
    }
}

impl Default for GrantHours {
    fn default() -> Self {
        Self(24)
    }
}

/// What is to be written, all of it or nothing. Empty if everything stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Facts to add, in this order.
    pub facts: Vec<Fact>,
}

impl From<Fact> for Decision {
    fn from(fact: Fact) -> Self {
        Self { facts: [fact].into() }
    }
}

/// Why nothing is done, and nothing written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such case, or it is another's.
    NotFound,
    /// The role does not allow it.
    NotAllowed,
    /// Nobody approves what he opened himself.
    OwnCase,
    /// The case came by mail, and nobody has worked on it: its approval would be one person's alone.
    Unattended,
    /// The passkey is to be asked for again.
    StepUp,
    /// The case has come too far, or not far enough.
    WrongState(State),
    /// Something of the checklist is left.
    ChecklistOpen,
    /// The device no longer waits for an answer.
    Expired,
    /// The digits were shown, or a grant was issued in their place.
    Answered,
    /// A call is answered by eight digits: the device waits for no grant.
    NotByGrant,
    /// None of the requests can be answered; why the first cannot.
    Unfit(Unfit),
    /// There is no such item or entry, or there are too many.
    Malformed,
}

impl Refusal {
    /// Its name in the interface (protocol section 12).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::NotAllowed => "not-allowed",
            Self::OwnCase => "own-case",
            Self::Unattended => "unattended",
            Self::StepUp => "step-up",
            Self::WrongState(_) => "wrong-state",
            Self::ChecklistOpen => "checklist-open",
            Self::Expired => "expired",
            Self::Answered => "answered",
            Self::NotByGrant => "not-by-grant",
            Self::Unfit(unfit) => unfit.name(),
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for Refusal {}

/// Decides about a case of the desk, which is `None` if there is none of that number, or none yet.
///
/// # Errors
/// A [`Refusal`]; nothing is to be written then.
pub fn decide(case: Option<&Case>, actor: &Actor, now: Time, command: Command<'_>) -> Result<Decision, Refusal> {
    if let Command::Open(opening) = command {
        allow(actor, Role::Agent)?;
        return opening::open(actor, &opening).map(Decision::from);
    }
    let case = case.filter(|case| actor.sees(case)).ok_or(Refusal::NotFound)?;
    allow(actor, Role::Agent)?;
    let by = actor.operator;
    match command {
        Command::Open(_) => unreachable!("decided above"),
        Command::SendAgain { source, requester } => {
            // Said once, and no more of them than somebody will read.
            let known = *requester == case.requester || case.others.contains(requester);
            if known || case.others.len() >= MOST_OTHERS || case.state.is_end() {
                return Ok(Decision::default());
            }
            Ok(Fact::SentAgain { by, source, requester: requester.clone() }.into())
        }
        Command::Note(text) => {
            has_room(case)?;
            Ok(Fact::Noted { by, text: text.clone() }.into())
        }
        Command::Attach(evidence) => {
            still(case, &[State::Open, State::Approved])?;
            if case.evidence.len() >= MOST_EVIDENCE {
                return Err(Refusal::Malformed);
            }
            Ok(Fact::EvidenceAdded { by, evidence: evidence.clone() }.into())
        }
        Command::Check { item, done } => check(case, actor, item, done),
        Command::HandOver(to) => hand_over(case, actor, to),
        Command::Approve => approve(case, actor, now),
        Command::Refuse(reason) => refuse(case, actor, reason),
        Command::Grant(hours) => grant(case, actor, now, hours),
        Command::AskKey { entry } => ask_key(case, actor, now, entry),
        Command::ShowKey { entry } => show_key(case, actor, now, entry),
    }
}

fn check(case: &Case, actor: &Actor, item: u32, done: bool) -> Result<Decision, Refusal> {
    still(case, &[State::Open])?;
    let known = case.checklist.get(item as usize).ok_or(Refusal::Malformed)?;
    if known.done.is_some() == done {
        return Ok(Decision::default());
    }
    has_room(case)?;
    Ok(Fact::Checked { by: actor.operator, item, done }.into())
}

/// The maker's own operators give cases away; an organisation's can only give theirs back.
fn hand_over(case: &Case, actor: &Actor, to: Option<OrganisationId>) -> Result<Decision, Refusal> {
    still(case, &[State::Open, State::Approved])?;
    if case.organisation == to {
        return Ok(Decision::default());
    }
    if actor.organisation.is_some() && to.is_some() {
        return Err(Refusal::NotAllowed);
    }
    Ok(Fact::HandedOver { by: actor.operator, to }.into())
}

fn approve(case: &Case, actor: &Actor, now: Time) -> Result<Decision, Refusal> {
    allow(actor, Role::Approver)?;
    // Before the state: who may not approve it is told so whatever became of it.
    match case.first_person() {
        Some(first) if first == actor.operator => return Err(Refusal::OwnCase),
        Some(_) => {}
        None => return Err(Refusal::Unattended),
    }
    if case.state == State::Approved {
        return Ok(Decision::default());
    }
    still(case, &[State::Open])?;
    in_time(case, now)?;
    if case.checklist.iter().any(|item| item.done.is_none()) {
        return Err(Refusal::ChecklistOpen);
    }
    if !actor.presence.is_fresh(now) {
        return Err(Refusal::StepUp);
    }
    Ok(Fact::Approved { by: actor.operator }.into())
}

/// By an approver, or by who opened it or first worked on it: a refusal opens nothing.
fn refuse(case: &Case, actor: &Actor, reason: &Words) -> Result<Decision, Refusal> {
    if case.first_person() != Some(actor.operator) {
        allow(actor, Role::Approver)?;
    }
    still(case, &[State::Open, State::Approved])?;
    Ok(Fact::Refused { by: actor.operator, reason: reason.clone() }.into())
}

fn grant(case: &Case, actor: &Actor, now: Time, hours: GrantHours) -> Result<Decision, Refusal> {
    // The same grants again: nothing new is issued.
    if case.state == State::Granted
        && case.answers.iter().flatten().any(|answer| matches!(answer, super::Answer::Grant { .. }))
    {
        return Ok(Decision::default());
    }
    if case.state == State::Granted {
        return Err(Refusal::Answered);
    }
    if case.verified().any(|(_, asked)| asked.question.is_some()) {
        return Err(Refusal::NotByGrant);
    }
    still(case, &[State::Approved])?;
    in_time(case, now)?;
    let entries = case.unanswered().map(|(place, _)| place).collect();
    let not_after = now.plus(u64::from(hours.0) * 60 * 60);
    Ok(Fact::Granted { by: actor.operator, issued_at: now, not_after, entries }.into())
}

/// Asked again, whoever asks: one leaf is enough.
fn ask_key(case: &Case, actor: &Actor, now: Time, entry: u32) -> Result<Decision, Refusal> {
    may_show_key(case, now, entry)?;
    if case.asked[entry as usize].is_some() {
        return Ok(Decision::default());
    }
    Ok(Fact::KeyAsked { by: actor.operator, at: now, entry }.into())
}

fn show_key(case: &Case, actor: &Actor, now: Time, entry: u32) -> Result<Decision, Refusal> {
    may_show_key(case, now, entry)?;
    if case.asked[entry as usize].is_none() {
        return Err(Refusal::Malformed);
    }
    Ok(Fact::KeyShown { by: actor.operator, at: now, entry }.into())
}

fn may_show_key(case: &Case, now: Time, entry: u32) -> Result<(), Refusal> {
    if !case.verified().any(|(place, _)| place == entry) {
        return Err(Refusal::Malformed);
    }
    if case.answers[entry as usize].is_some() {
        return Err(Refusal::Answered);
    }
    still(case, &[State::Approved])?;
    in_time(case, now)
}

fn has_room(case: &Case) -> Result<(), Refusal> {
    if case.remarks < MOST_REMARKS { Ok(()) } else { Err(Refusal::Malformed) }
}

fn allow(actor: &Actor, least: Role) -> Result<(), Refusal> {
    if actor.role >= least { Ok(()) } else { Err(Refusal::NotAllowed) }
}

fn still(case: &Case, states: &[State]) -> Result<(), Refusal> {
    if states.contains(&case.state) { Ok(()) } else { Err(Refusal::WrongState(case.state)) }
}

fn in_time(case: &Case, now: Time) -> Result<(), Refusal> {
    if now < case.expires_at() { Ok(()) } else { Err(Refusal::Expired) }
}
