use serde::Serialize;
use sparekey_cases::desk::{Actor, Answer, Case, Fact, Outcome, Requester, Role, State};
use sparekey_protocol::Time;
use utoipa::ToSchema;

use super::{Desk, DeskError, Names};
use crate::store::{DeskLine, DeskRow};

/// Entries whose history is looked up: a batch of many is shown without.
const MOST_HISTORIES: usize = 20;
/// Lines of a history.
const HISTORY: u32 = 20;

/// A case in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CaseLine {
    /// What people call the case by.
    #[schema(example = "2026-000123")]
    pub(crate) number: String,
    /// `open`, `approved`, `granted` or `refused`.
    pub(crate) state: &'static str,
    /// The serial number that was verified; the first, if there are several.
    pub(crate) serial: String,
    /// How many requests were verified.
    pub(crate) requests: u32,
    /// Who opened it.
    pub(crate) opened_by: String,
    /// Seconds since 1970, UTC.
    pub(crate) opened_at: u64,
    /// The organisation whose it is; absent for the maker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) organisation: Option<String>,
}

impl CaseLine {
    pub(super) fn of(line: DeskLine, names: &Names) -> Self {
        Self {
            number: line.number,
            state: line.state.name(),
            serial: line.serial,
            requests: line.requests,
            opened_by: names.operator(line.opened_by),
            opened_at: line.opened_at.0,
            organisation: names.organisation(line.organisation),
        }
    }
}

/// A case, whole: what is verified apart from what is only claimed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CaseView {
    /// What people call the case by.
    #[schema(example = "2026-000123")]
    pub(crate) number: String,
    /// `open`, `approved`, `granted` or `refused`.
    pub(crate) state: &'static str,
    /// `file`, `photo`, `digits`, `request`, `telephone` or `mail`.
    pub(crate) source: &'static str,
    /// The organisation whose it is; absent for the maker's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) organisation: Option<String>,
    /// Who opened it.
    pub(crate) opened_by: String,
    /// Seconds since 1970, UTC.
    pub(crate) opened_at: u64,
    /// Who first worked on it, if it came by mail: he does not approve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) worked_by: Option<String>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) approved_by: Option<String>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) approved_at: Option<u64>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) reason: Option<String>,
    /// When it can no longer be answered.
    pub(crate) expires_at: u64,
    /// The requests, each with its result.
    pub(crate) requests: Vec<EntryView>,
    /// What somebody says of himself. Nothing of it is verified.
    pub(crate) claimed: ClaimedView,
    /// Others from whom the same requests came. Whoever stands before a device can send them: only one is its owner.
    pub(crate) also_claimed: Vec<ClaimedView>,
    /// What is to be looked at before it may be approved.
    pub(crate) checklist: Vec<ItemView>,
    /// What was attached.
    pub(crate) evidence: Vec<EvidenceView>,
    /// What happened, in order.
    pub(crate) facts: Vec<FactView>,
    /// What who asks may do now: of `note`, `attach`, `check`, `hand-over`, `approve`, `refuse`, `grant`, `key`.
    pub(crate) may: Vec<&'static str>,
}

/// One request of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// Its place in the case, from 0.
    pub(crate) entry: u32,
    /// What was verified; absent if the request cannot be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) verified: Option<VerifiedView>,
    /// The problem's name, if it cannot be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) refused: Option<&'static str>,
    /// What the file says beside it and the request does not bear out.
    pub(crate) claims: Vec<ClaimView>,
    /// How it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) answer: Option<AnswerView>,
    /// What else there was about this serial number.
    pub(crate) history: Vec<HistoryView>,
}

/// What a device signed and its maker certified.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct VerifiedView {
    /// Certified by the maker.
    pub(crate) serial: String,
    /// Certified by the maker.
    pub(crate) model: String,
    /// The identifier of the maker's key, which this service trusts.
    pub(crate) maker: String,
    /// The device's identifier.
    pub(crate) device: String,
    /// Signed by the device; absent for a call, of which the device has signed nothing.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) signed: Option<SignedView>,
    /// The question that was read out by telephone; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) question: Option<String>,
}

/// What a device says of itself under its signature.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SignedView {
    /// Its firmware.
    pub(crate) firmware: String,
    /// Its own clock; many devices have none.
    pub(crate) device_time: u64,
    /// When it started, by the same clock.
    pub(crate) start_time: u64,
    /// The owner's language.
    pub(crate) language: String,
}

/// An element of a file that nothing bears out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ClaimView {
    /// Its name.
    pub(crate) element: String,
    /// What it says.
    pub(crate) text: String,
}

/// How a request was answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AnswerView {
    /// `grant` or `key`.
    pub(crate) by: &'static str,
    /// When.
    pub(crate) at: u64,
    /// Until when a grant is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) not_after: Option<u64>,
}

/// Something about the same serial number.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HistoryView {
    /// When.
    pub(crate) at: u64,
    /// `case`, `reset-by-email`, `reset-by-desk` or `confirm-email`.
    pub(crate) what: &'static str,
    /// The case's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) number: Option<String>,
    /// How it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) state: Option<String>,
}

/// What somebody says of himself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ClaimedView {
    /// A name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) name: Option<String>,
    /// Where to write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) contact: Option<String>,
    /// The language to write in.
    pub(crate) language: String,
}

/// An item of the checklist.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ItemView {
    /// What is to be looked at.
    pub(crate) text: String,
    /// Whether it was.
    pub(crate) done: bool,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) by: Option<String>,
}

/// Something attached.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// Its place, from 0.
    pub(crate) place: u32,
    /// What somebody called it.
    pub(crate) name: String,
    /// `picture` or `pdf`.
    pub(crate) kind: &'static str,
    /// Bytes.
    pub(crate) size: u32,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FactView {
    /// When.
    pub(crate) at: u64,
    /// What: `opened`, `noted`, `approved`, …
    pub(crate) what: &'static str,
    /// Who did it; absent for what the service noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) by: Option<String>,
    /// A note, a reason, an organisation, an item: whatever belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) text: Option<String>,
}

impl CaseView {
    pub(super) fn of(row: &DeskRow, names: &Names, actor: &Actor, now: Time) -> Self {
        let case = &row.case;
        Self {
            number: row.number.to_string(),
            state: case.state.name(),
            source: case.source.name(),
            organisation: names.organisation(case.organisation),
            opened_by: names.operator(case.opened.by),
            opened_at: case.opened.at.0,
            worked_by: case.worked.map(|mark| names.operator(mark.by)),
            approved_by: case.approved.map(|mark| names.operator(mark.by)),
            approved_at: case.approved.map(|mark| mark.at.0),
            reason: case.reason.as_ref().map(ToString::to_string),
            expires_at: case.expires_at().0,
            requests: (0..).zip(&case.entries).map(|(place, _)| EntryView::of(case, place)).collect(),
            claimed: ClaimedView { language: language(case), ..ClaimedView::of(&case.requester) },
            also_claimed: case.others.iter().map(ClaimedView::of).collect(),
            checklist: case
                .checklist
                .iter()
                .map(|item| ItemView {
                    text: item.text.to_string(),
                    done: item.done.is_some(),
                    by: item.done.map(|mark| names.operator(mark.by)),
                })
                .collect(),
            evidence: (0..)
                .zip(&case.evidence)
                .map(|(place, evidence)| EvidenceView {
                    place,
                    name: evidence.name.to_string(),
                    kind: evidence.kind.name(),
                    size: evidence.size,
                })
                .collect(),
            facts: row.facts.iter().map(|(at, fact)| FactView::of(*at, fact, case, names)).collect(),
            may: may(case, actor, now),
        }
    }

    /// What is left to say of a case that is another's now.
    pub(super) fn given_away(row: &DeskRow) -> Self {
        let names =
            Names { operators: std::collections::HashMap::new(), organisations: std::collections::HashMap::new() };
        let case = Case { checklist: Vec::new(), evidence: Vec::new(), others: Vec::new(), ..row.case.clone() };
        let row = DeskRow { id: row.id, number: row.number.clone(), facts: Vec::new(), case };
        let nobody = Actor {
            operator: sparekey_cases::desk::OperatorId(0),
            role: Role::Viewer,
            organisation: None,
            presence: sparekey_cases::desk::Presence::Token,
        };
        Self::of(&row, &names, &nobody, Time(0))
    }
}

impl ClaimedView {
    fn of(requester: &Requester) -> Self {
        let Requester { name, contact, language } = requester;
        Self {
            name: name.as_ref().map(ToString::to_string),
            contact: contact.as_ref().map(ToString::to_string),
            language: language.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

impl EntryView {
    fn of(case: &Case, place: u32) -> Self {
        let entry = &case.entries[place as usize];
        let (verified, refused) = match &entry.outcome {
            Outcome::Unfit(unfit) => (None, Some(unfit.name())),
            Outcome::Verified(asked) => (
                Some(VerifiedView {
                    serial: asked.serial.to_string(),
                    model: asked.model.to_string(),
                    maker: asked.maker.to_string(),
                    device: asked.device.to_string(),
                    signed: asked.question.is_none().then(|| SignedView {
                        firmware: asked.firmware.to_string(),
                        device_time: asked.device_time.0,
                        start_time: asked.start_time.0,
                        language: asked.language.to_string(),
                    }),
                    question: asked.question.map(|question| question.to_string()),
                }),
                None,
            ),
        };
        let claims = entry.claims.iter();
        Self {
            entry: place,
            verified,
            refused,
            claims: claims.map(|one| ClaimView { element: one.element.clone(), text: one.text.clone() }).collect(),
            answer: case.answers[place as usize].map(|answer| match answer {
                Answer::Grant { issued_at, not_after } => {
                    AnswerView { by: "grant", at: issued_at.0, not_after: Some(not_after.0) }
                }
                Answer::Key { at } => AnswerView { by: "key", at: at.0, not_after: None },
            }),
            history: Vec::new(),
        }
    }
}

impl FactView {
    fn of(at: Time, fact: &Fact, case: &Case, names: &Names) -> Self {
        let item = |item: u32| case.checklist.get(item as usize).map(|item| item.text.to_string());
        let text = match fact {
            Fact::Opened(opened) => Some(opened.source.name().to_owned()),
            Fact::Noted { text, .. } => Some(text.to_string()),
            Fact::Refused { reason, .. } => Some(reason.to_string()),
            Fact::EvidenceAdded { evidence, .. } => Some(evidence.name.to_string()),
            Fact::Checked { item: place, done: true, .. } => item(*place),
            Fact::Checked { item: place, done: false, .. } => item(*place).map(|text| format!("not: {text}")),
            Fact::HandedOver { to, .. } => names.organisation(*to),
            Fact::Granted { entries, .. } => Some(entries.len().to_string()),
            Fact::KeyAsked { .. }
            | Fact::KeyShown { .. }
            | Fact::SentAgain { .. }
            | Fact::Approved { .. }
            | Fact::MailSent
            | Fact::MailRefused => None,
        };
        Self { at: at.0, what: fact.name(), by: fact.by().map(|by| names.operator(by)), text }
    }
}

/// The language that somebody asked for; that of the first device otherwise.
fn language(case: &Case) -> String {
    let device = || case.verified().next().map(|(_, asked)| asked.language.to_string());
    case.requester.language.as_ref().map(ToString::to_string).or_else(device).unwrap_or_default()
}

/// What pages offer. Deciding is `sparekey_cases`' alone: this only spares people buttons that would be refused.
fn may(case: &Case, actor: &Actor, now: Time) -> Vec<&'static str> {
    let agent = actor.role >= Role::Agent;
    let approver = actor.role >= Role::Approver;
    let own = case.first_person() == Some(actor.operator);
    let attended = case.first_person().is_some();
    let under_way = !case.state.is_end();
    let in_time = now < case.expires_at();
    let approved = case.state == State::Approved;
    let by_telephone = case.verified().any(|(_, asked)| asked.question.is_some());
    let has_grants = case.answers.iter().flatten().any(|answer| matches!(answer, Answer::Grant { .. }));
    [
        ("note", agent),
        ("attach", agent && under_way),
        ("check", agent && case.state == State::Open),
        ("hand-over", agent && under_way && (actor.organisation.is_none() || case.organisation.is_some())),
        ("approve", approver && attended && !own && case.state == State::Open && in_time),
        ("refuse", under_way && (approver || (agent && own))),
        ("grant", agent && !by_telephone && ((approved && in_time) || has_grants)),
        ("key", agent && approved && in_time),
    ]
    .into_iter()
    .filter_map(|(name, allowed)| allowed.then_some(name))
    .collect()
}

impl Desk {
    pub(super) async fn add_history(
        &self,
        view: &mut CaseView,
        row: &DeskRow,
        actor: &Actor,
        names: &Names,
    ) -> Result<(), DeskError> {
        for (place, asked) in row.case.verified().take(MOST_HISTORIES) {
            let cases = self.store.desk_history(asked.maker, &asked.serial, actor.organisation, HISTORY).await?;
            let cases =
                cases.into_iter().map(|line| CaseLine::of(line, names)).filter(|line| line.number != view.number);
            let mut history: Vec<HistoryView> = cases
                .map(|line| HistoryView {
                    at: line.opened_at,
                    what: "case",
                    number: Some(line.number),
                    state: Some(line.state.to_owned()),
                })
                .collect();
            let requests = self.store.requests_of(asked.maker, &asked.serial, HISTORY).await?;
            history.extend(requests.into_iter().map(|(at, purpose, mail)| HistoryView {
                at: at.0,
                what: match purpose {
                    1 => "reset-by-email",
                    2 => "reset-by-desk",
                    _ => "confirm-email",
                },
                number: None,
                state: mail,
            }));
            history.sort_by_key(|one| std::cmp::Reverse(one.at));
            view.requests[place as usize].history = history;
        }
        Ok(())
    }
}
