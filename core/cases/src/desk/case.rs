use alloc::vec::Vec;

use sparekey_protocol::Time;

use super::{
    actor::{OperatorId, OrganisationId},
    fact::{Asked, Entry, Evidence, Fact, Opened, Outcome, Requester, Source},
    text::{Line, Words},
};

/// How long the desk may answer: the device keeps its request for 48 hours of its own running time, and may have been switched
/// off for some of a week.
const ANSWERED_WITHIN: u64 = 7 * 24 * 60 * 60;

/// A case of the desk as it stands. Its number is the shell's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Who opened it, and when.
    pub opened: Mark,
    /// Whose it is; none for the maker's.
    pub organisation: Option<OrganisationId>,
    /// What it was opened from.
    pub source: Source,
    /// Its requests, 1 to 200.
    pub entries: Vec<Entry>,
    /// How each of them was answered, in the same order.
    pub answers: Vec<Option<Answer>>,
    /// When it was first asked for the eight digits of each, as the public log says.
    pub asked: Vec<Option<Time>>,
    /// Who says to be the owner.
    pub requester: Requester,
    /// What is to be looked at before it may be approved.
    pub checklist: Vec<Item>,
    /// What was attached.
    pub evidence: Vec<Evidence>,
    /// Who first worked on it, if it came by mail: no person opened it then.
    pub worked: Option<Mark>,
    /// Where it stands.
    pub state: State,
    /// Who approved it, and when.
    pub approved: Option<Mark>,
    /// Who ended it, and when.
    pub ended: Option<Mark>,
    /// Why it was refused.
    pub reason: Option<Words>,
    /// Others who say to be the owner: the same requests came from them too.
    pub others: Vec<Requester>,
    /// How often something was written down or looked at: what could go on for ever.
    pub remarks: u32,
}

/// Who did something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The operator.
    pub by: OperatorId,
    /// By the service's clock.
    pub at: Time,
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It is looked into.
    Open,
    /// A second person agreed that the owner be helped.
    Approved,
    /// Every request that could be answered was.
    Granted,
    /// It ended without help.
    Refused,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Approved, Self::Granted, Self::Refused];

    /// Its name in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Granted => "granted",
            Self::Refused => "refused",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more can come of the case.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Granted | Self::Refused)
    }
}

/// An item of the checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is to be looked at.
    pub text: Line,
    /// Who did, and when.
    pub done: Option<Mark>,
}

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// By a grant.
    Grant {
        /// When it was issued.
        issued_at: Time,
        /// Until when it is good.
        not_after: Time,
    },
    /// By its eight digits.
    Key {
        /// When they were shown.
        at: Time,
    },
}

impl Case {
    /// The case that begins so.
    #[must_use]
    pub fn begin(opened: Opened, at: Time) -> Self {
        let Opened { by, organisation, source, entries, requester, checklist } = opened;
        Self {
            opened: Mark { by, at },
            organisation,
            source,
            answers: entries.iter().map(|_| None).collect(),
            asked: entries.iter().map(|_| None).collect(),
            entries,
            requester,
            checklist: checklist.into_iter().map(|text| Item { text, done: None }).collect(),
            evidence: Vec::new(),
            worked: None,
            state: State::Open,
            approved: None,
            ended: None,
            reason: None,
            others: Vec::new(),
            remarks: 0,
        }
    }

    /// The case that all its facts make, each with its time; none if they do not begin with its opening.
    pub fn replay(facts: impl IntoIterator<Item = (Time, Fact)>) -> Option<Self> {
        let mut facts = facts.into_iter();
        let (at, Fact::Opened(opened)) = facts.next()? else { return None };
        Some(facts.fold(Self::begin(opened, at), |case, (at, fact)| case.apply(&fact, at)))
    }

    /// The case after one more fact.
    #[must_use]
    pub fn apply(mut self, fact: &Fact, at: Time) -> Self {
        if self.opened.by == OperatorId::MAIL && self.worked.is_none() {
            self.worked = fact.by().filter(|by| *by != OperatorId::MAIL).map(|by| Mark { by, at });
        }
        match fact {
            // Said once, at the beginning. Notes and mails change nothing.
            Fact::Opened(_) | Fact::MailSent | Fact::MailRefused => {}
            Fact::SentAgain { requester, .. } => {
                self.remarks = self.remarks.saturating_add(1);
                if *requester != self.requester && !self.others.contains(requester) {
                    self.others.push(requester.clone());
                }
            }
            Fact::Noted { .. } => self.remarks = self.remarks.saturating_add(1),
            Fact::EvidenceAdded { evidence, .. } => self.evidence.push(evidence.clone()),
            Fact::Checked { by, item, done } => {
                self.remarks = self.remarks.saturating_add(1);
                if let Some(item) = self.checklist.get_mut(*item as usize) {
                    item.done = done.then_some(Mark { by: *by, at });
                }
            }
            Fact::HandedOver { to, .. } => self.organisation = *to,
            Fact::Approved { by } => {
                self.state = State::Approved;
                self.approved = Some(Mark { by: *by, at });
            }
            Fact::Refused { by, reason } => {
                self.state = State::Refused;
                self.ended = Some(Mark { by: *by, at });
                self.reason = Some(reason.clone());
            }
            Fact::Granted { by, issued_at, not_after, entries } => {
                let answer = Answer::Grant { issued_at: *issued_at, not_after: *not_after };
                entries.iter().for_each(|entry| self.answer(*entry, answer));
                self.end_if_answered(Mark { by: *by, at });
            }
            Fact::KeyAsked { at: asked, entry, .. } => {
                if let Some(place) = self.asked.get_mut(*entry as usize) {
                    *place = Some(*asked);
                }
            }
            Fact::KeyShown { by, at: shown, entry } => {
                self.answer(*entry, Answer::Key { at: *shown });
                self.end_if_answered(Mark { by: *by, at });
            }
        }
        self
    }

    /// The first of the two people that it takes: who opened it or, if it came by mail, who first worked on it.
    #[must_use]
    pub fn first_person(&self) -> Option<OperatorId> {
        if self.opened.by == OperatorId::MAIL { self.worked.map(|mark| mark.by) } else { Some(self.opened.by) }
    }

    /// The verified requests, each with its place.
    pub fn verified(&self) -> impl Iterator<Item = (u32, &Asked)> {
        self.entries.iter().zip(0..).filter_map(|(entry, place)| match &entry.outcome {
            Outcome::Verified(asked) => Some((place, asked)),
            Outcome::Unfit(_) => None,
        })
    }

    /// The verified requests that have no answer yet.
    pub fn unanswered(&self) -> impl Iterator<Item = (u32, &Asked)> {
        self.verified().filter(|(place, _)| self.answers[*place as usize].is_none())
    }

    /// When the desk can no longer answer.
    #[must_use]
    pub fn expires_at(&self) -> Time {
        self.opened.at.plus(ANSWERED_WITHIN)
    }

    fn answer(&mut self, entry: u32, answer: Answer) {
        if let Some(place) = self.answers.get_mut(entry as usize) {
            *place = Some(answer);
        }
    }

    fn end_if_answered(&mut self, mark: Mark) {
        if self.unanswered().next().is_none() {
            self.state = State::Granted;
            self.ended = Some(mark);
        }
    }
}
