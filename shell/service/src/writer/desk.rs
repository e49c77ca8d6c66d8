//! What the desk has written: each command carried out within the writer's transaction, after who asks was recognised in it.

use sparekey_cases::{
    Bucket, Case as RequestCase, Fact as RequestFact, Received, Scope,
    desk::{
        Actor, Answer, Call, Case, Command as Ask, Evidence, Fact, GrantHours, Incoming, Line, Opening, OrganisationId,
        Refusal, Requester, Source, Words, decide, number,
    },
};
use sparekey_mail::Address;
use sparekey_protocol::{
    CaseNumber, Code, Refusal as RequestRefusal, Time, Verified,
    files::RequestFile,
    grant::Grant,
    log::Leaf,
    request::{self, Request, Trust},
};

use super::{Outcome, Reply, Scribe};
use crate::{
    case_id::CaseId,
    operators::{Credential, Known},
    seal::RefusalContents,
    store::{Batch, DeskId, DeskRow, IssuedGrant, Letter, StoreError},
};

/// The setting with the items of a checklist, one a line.
pub(crate) const CHECKLIST_SETTING: &str = "checklist";

/// What is asked of the desk, and where the answer goes.
pub(crate) enum DeskCommand {
    Open(Box<OpenCase>, Reply<Result<OpenedCase, NotDone>>),
    Act(Box<ActOnCase>, Reply<Result<Box<Acted>, NotDone>>),
    /// The service's own settings: name and value.
    Keep(&'static str, String, Reply<()>),
}

/// A case that is to be opened.
pub(crate) struct OpenCase {
    /// Of the operator who opens it; none for one that came by mail.
    pub(crate) credential: Option<Credential>,
    pub(crate) source: Source,
    pub(crate) incoming: Vec<IncomingRequest>,
    pub(crate) requester: Requester,
    pub(crate) note: Option<Words>,
}

/// One request of it.
pub(crate) enum IncomingRequest {
    /// The device's own words.
    Sealed(Box<SealedRequest>),
    /// A call about an enrolled device, if it is one.
    Call(Option<Call>),
}

/// A request as it came in.
pub(crate) struct SealedRequest {
    /// Its id, if the service has not taken it before.
    pub(crate) id: CaseId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) request: Result<Verified<Request>, RequestRefusal>,
    pub(crate) file: Option<RequestFile>,
}

impl IncomingRequest {
    fn as_incoming(&self, in_a_case: bool) -> Incoming<'_> {
        match self {
            Self::Sealed(one) => {
                let request = one.request.as_ref().map_err(|refusal| *refusal);
                Incoming::Request { request, file: one.file.as_ref(), in_a_case }
            }
            Self::Call(call) => Incoming::Call { call: call.as_ref(), in_a_case },
        }
    }
}

/// A case that was opened, or the one that was there about the same requests.
pub(crate) struct OpenedCase {
    pub(crate) number: CaseNumber,
    pub(crate) is_new: bool,
}

/// Something that is to be done to a case.
pub(crate) struct ActOnCase {
    pub(crate) credential: Credential,
    pub(crate) number: CaseNumber,
    pub(crate) act: Act,
}

/// What.
pub(crate) enum Act {
    Note(Words),
    /// With the sealed bytes.
    Attach(Evidence, Vec<u8>),
    Check {
        item: u32,
        done: bool,
    },
    HandOver(Option<OrganisationId>),
    Approve,
    Refuse(Words),
    Grant(GrantHours),
    /// Of the request of this entry.
    AskKey(u32),
    ShowKey(u32),
}

/// What came of it.
pub(crate) struct Acted {
    /// The case as it is now.
    pub(crate) row: DeskRow,
    /// The eight digits, if they were asked for: not to be shown before their leaf is in the log.
    pub(crate) key: Option<Code>,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NotDone {
    /// The token or session is not good, or no longer.
    Unknown,
    Refused(Refusal),
    /// A request that was good when the case was opened no longer opens.
    Request(RequestRefusal),
}

impl DeskCommand {
    pub(super) fn answer(self) {
        match self {
            Self::Open(_, reply) => reply.send(),
            Self::Act(_, reply) => reply.send(),
            Self::Keep(_, _, reply) => reply.send(),
        }
    }

    pub(super) async fn carry_out(&mut self, batch: &mut Batch, now: Time, scribe: &Scribe) -> Result<(), StoreError> {
        match self {
            Self::Open(open, reply) => reply.decided(open_case(batch, open, now).await?),
            Self::Act(act, reply) => reply.decided(act_on(batch, act, now, scribe).await?),
            Self::Keep(name, value, reply) => reply.decided(batch.put_setting(None, name, value).await?),
        }
        Ok(())
    }
}

async fn open_case(batch: &mut Batch, open: &OpenCase, now: Time) -> Result<Result<OpenedCase, NotDone>, StoreError> {
    let actor = match open.credential {
        None => Actor::mail(),
        Some(credential) => match batch.known(credential, now).await? {
            Some(known) => known.actor,
            None => return Ok(Err(NotDone::Unknown)),
        },
    };
    let ranges = match actor.organisation {
        None => Vec::new(),
        Some(id) => batch.organisation(id).await?.ok_or(StoreError::Damaged("organisation"))?.ranges,
    };
    let checklist = checklist(batch, actor.organisation).await?;
    // Each request has one case at most that may help: what came before is that case, and nobody makes many out of few.
    let mut there = Vec::new();
    for one in &open.incoming {
        let id = match one {
            IncomingRequest::Sealed(one) => match &one.request {
                Ok(request) => batch.request_id(request.identity).await?,
                Err(_) => None,
            },
            IncomingRequest::Call(call) => call.as_ref().map(|call| CaseId::of_call(call.identity())),
        };
        there.push(match id {
            Some(id) => batch.desk_case_about(id, actor.organisation).await?,
            None => None,
        });
    }
    let incoming: Vec<Incoming<'_>> =
        open.incoming.iter().zip(&there).map(|(one, there)| one.as_incoming(there.is_some())).collect();
    let opening = Opening {
        source: open.source,
        incoming: &incoming,
        requester: &open.requester,
        ranges: &ranges,
        checklist: &checklist,
    };
    let mut decision = match decide(None, &actor, now, Ask::Open(opening)) {
        Ok(decision) => decision,
        Err(refusal) => {
            // Nothing in it is new: the case that is there.
            return match there.into_iter().flatten().next() {
                Some(number) if matches!(refusal, Refusal::Unfit(_)) => {
                    send_again(batch, open, &actor, &number, now).await?;
                    Ok(Ok(OpenedCase { number, is_new: false }))
                }
                _ => Ok(Err(NotDone::Refused(refusal))),
            };
        }
    };
    if let Some(note) = &open.note {
        decision.facts.push(Fact::Noted { by: actor.operator, text: note.clone() });
    }
    let case = Case::replay(decision.facts.iter().map(|fact| (now, fact.clone()))).expect("it begins with its opening");

    let mut requests = Vec::new();
    for (place, asked) in case.verified() {
        let id = match &open.incoming[place as usize] {
            IncomingRequest::Sealed(one) => {
                let verified = one.request.as_ref().expect("a verified entry has a request");
                match batch.request_id(asked.identity).await? {
                    Some(id) => id,
                    None => {
                        take_request(batch, one.id, verified, now).await?;
                        one.id
                    }
                }
            }
            // Nothing of a call is kept but the case itself.
            IncomingRequest::Call(_) => CaseId::of_call(asked.identity),
        };
        requests.push((place, id, asked));
    }
    let id = batch.next_desk_place().await?;
    let number = number(now, id.0.unsigned_abs());
    batch.put_desk_case(id, &number, &case).await?;
    for fact in &decision.facts {
        batch.add_desk_fact(id, now, fact).await?;
    }
    for (place, request, asked) in requests {
        batch.add_desk_entry(id, place, request, asked).await?;
        if let IncomingRequest::Sealed(one) = &open.incoming[place as usize] {
            batch.keep_request(request, &one.bytes).await?;
        }
    }
    Ok(Ok(OpenedCase { number, is_new: true }))
}

/// The case that is there hears of who sent its requests once more.
async fn send_again(
    batch: &mut Batch,
    open: &OpenCase,
    actor: &Actor,
    number: &CaseNumber,
    now: Time,
) -> Result<(), StoreError> {
    let Some(mut row) = batch.desk_case(number).await? else { return Ok(()) };
    let again = Ask::SendAgain { source: open.source, requester: &open.requester };
    // Whoever may not do anything to it has sent nothing to be written down.
    let Ok(decision) = decide(Some(&row.case), actor, now, again) else { return Ok(()) };
    for fact in &decision.facts {
        row.case = row.case.apply(fact, now);
        batch.add_desk_fact(row.id, now, fact).await?;
    }
    if !decision.facts.is_empty() {
        batch.put_desk_case(row.id, &row.number, &row.case).await?;
    }
    Ok(())
}

/// A request that the service sees for the first time. It came by an operator, so no budget is asked; one that came by mail was
/// handed in before.
async fn take_request(batch: &mut Batch, id: CaseId, request: &Verified<Request>, now: Time) -> Result<(), StoreError> {
    let received = Received::of(request, false, now);
    let case = RequestCase::begin(&received, now);
    batch.put_cases([(id, &case)].into_iter()).await?;
    batch.add_facts(now, &[(id, RequestFact::Received(received))]).await
}

/// The checklist of an organisation; the maker's, if it has none of its own.
pub(crate) async fn checklist(batch: &mut Batch, of: Option<OrganisationId>) -> Result<Vec<Line>, StoreError> {
    let own = batch.setting(of, CHECKLIST_SETTING).await?;
    let text = match own {
        Some(text) => text,
        None => batch.setting(None, CHECKLIST_SETTING).await?.unwrap_or_default(),
    };
    Ok(text.lines().filter_map(|line| Line::new(line).ok()).collect())
}

async fn act_on(
    batch: &mut Batch,
    ask: &ActOnCase,
    now: Time,
    scribe: &Scribe,
) -> Result<Result<Box<Acted>, NotDone>, StoreError> {
    let Some(Known { actor, .. }) = batch.known(ask.credential, now).await? else { return Ok(Err(NotDone::Unknown)) };
    let row = batch.desk_case(&ask.number).await?;
    if let Act::HandOver(Some(to)) = ask.act
        && batch.organisation(to).await?.is_none()
    {
        return Ok(Err(NotDone::Refused(Refusal::Malformed)));
    }
    let mut decision = match decide(row.as_ref().map(|row| &row.case), &actor, now, ask.act.as_command()) {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Err(NotDone::Refused(refusal))),
    };
    let mut row = row.expect("there is no decision about no case");
    let ended_before = row.case.state.is_end();
    let key = match ask.act {
        Act::AskKey(entry) | Act::ShowKey(entry) => match key_of(batch, &row, entry, now, scribe).await? {
            // Before the log has it, nobody is given it.
            Ok(code) => matches!(ask.act, Act::ShowKey(_)).then_some(code),
            Err(not_done) => return Ok(Err(not_done)),
        },
        _ => None,
    };
    if let Err(not_done) = check_granted(batch, &row, &mut decision.facts, now, scribe).await? {
        return Ok(Err(not_done));
    }
    for fact in &decision.facts {
        row.case = row.case.apply(fact, now);
    }
    if !decision.facts.is_empty() {
        batch.put_desk_case(row.id, &row.number, &row.case).await?;
    }
    for fact in decision.facts {
        batch.add_desk_fact(row.id, now, &fact).await?;
        if let (Fact::EvidenceAdded { .. }, Act::Attach(_, sealed)) = (&fact, &ask.act) {
            let place = row.case.evidence.len() - 1;
            batch.add_evidence(row.id, u32::try_from(place).expect("they are few"), sealed).await?;
        }
        log(batch, &row, &fact, scribe).await?;
        row.facts.push((now, fact));
        if let Act::Refuse(reason) = &ask.act {
            tell_owner(batch, &mut row, reason, now, scribe).await?;
        }
    }
    if row.case.state.is_end() && !ended_before {
        batch.drop_requests(row.id).await?;
    }
    Ok(Ok(Box::new(Acted { row, key })))
}

/// What is to be granted is checked once more: makers may have withdrawn devices since. Of a batch the others are granted all the
/// same. If nothing is left that can be granted, and nothing was before, says why.
async fn check_granted(
    batch: &mut Batch,
    row: &DeskRow,
    facts: &mut Vec<Fact>,
    now: Time,
    scribe: &Scribe,
) -> Result<Result<(), NotDone>, StoreError> {
    let Some(Fact::Granted { entries, .. }) = facts.first_mut() else { return Ok(Ok(())) };
    let (mut good, mut bad) = (Vec::new(), None);
    for entry in std::mem::take(entries) {
        match open_request(batch, row, entry, now, scribe).await? {
            Ok(_) => good.push(entry),
            Err(not_done) => bad = bad.or(Some(not_done)),
        }
    }
    if !good.is_empty() {
        *entries = good;
        return Ok(Ok(()));
    }
    facts.clear();
    let was_granted = row.case.answers.iter().flatten().any(|answer| matches!(answer, Answer::Grant { .. }));
    Ok(if was_granted { Ok(()) } else { bad.map_or(Ok(()), Err) })
}

/// What could help somebody into a device stands in the public log from this transaction on; nobody is handed it before it is out.
async fn log(batch: &mut Batch, row: &DeskRow, fact: &Fact, scribe: &Scribe) -> Result<(), StoreError> {
    let asked = |entry: u32| {
        let mut verified = row.case.verified();
        verified.find(|(place, _)| *place == entry).map(|(_, asked)| asked).ok_or(StoreError::Damaged("case"))
    };
    match fact {
        Fact::Granted { issued_at, not_after, entries, .. } => {
            let (mut issued, mut leaves) = (Vec::new(), Vec::new());
            for entry in entries {
                let asked = asked(*entry)?;
                let grant = Grant {
                    device: asked.device,
                    nonce: asked.nonce,
                    issued_at: *issued_at,
                    not_after: *not_after,
                    case: row.number.clone(),
                };
                let signed = grant.sign(scribe.keys.grant_key());
                leaves.push(grant.leaf(&signed));
                issued.push(IssuedGrant { entry: *entry, signed, leaf: 0 });
            }
            let first = batch.append_leaves(&leaves).await?;
            for (mut grant, leaf) in issued.into_iter().zip(first..) {
                grant.leaf = leaf;
                batch.add_grant(row.id, &grant).await?;
            }
        }
        Fact::KeyAsked { at, entry, .. } => {
            let asked = asked(*entry)?;
            let leaf = Leaf::new(*at, asked.key_act(), asked.device, asked.nonce);
            let number = batch.append_leaves(&[leaf]).await?;
            batch.add_key_leaf(row.id, *entry, number).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Letters of the desk are numbered from here on, by their cases; codes have one to three.
const DESK_LETTERS: u32 = 1_000;
/// How long a refusal is news.
const NOTICE_LASTS: u64 = 2 * 24 * 60 * 60;

/// Queues the mail about a refusal, if whoever asked gave an address and that one's budget allows it.
async fn tell_owner(
    batch: &mut Batch,
    row: &mut DeskRow,
    reason: &Words,
    now: Time,
    scribe: &Scribe,
) -> Result<(), StoreError> {
    let case = &row.case;
    // Nobody knows then which of them asked.
    if !case.others.is_empty() {
        return Ok(());
    }
    let address =
        case.requester.contact.as_ref().and_then(|contact| Some((contact, Address::parse(contact.as_str()).ok()?)));
    let (Some((contact, address)), Some((entry, asked))) = (address, case.verified().next()) else { return Ok(()) };
    let Some(request) = batch.request_id_of(row.id, entry).await? else { return Ok(()) };
    let Some(number) = u32::try_from(row.id.0).ok().and_then(|place| place.checked_add(DESK_LETTERS)) else {
        return Ok(());
    };
    let key = scribe.sealer.bucket_key(Scope::Address, address.bucket().as_bytes());
    let bucket = batch.buckets(&[key]).await?.pop().map_or_else(Bucket::default, |(_, bucket)| bucket);
    let Ok(taken) = bucket.take(scribe.budgets.of(Scope::Address), now) else {
        batch.add_desk_fact(row.id, now, &Fact::MailRefused).await?;
        row.facts.push((now, Fact::MailRefused));
        return Ok(());
    };
    batch.put_buckets([(key, taken)].into_iter()).await?;
    let letter = Letter { case: request, number };
    let contents = RefusalContents {
        to: contact.clone(),
        reason: reason.clone(),
        case: row.number.clone(),
        serial: asked.serial.clone(),
        model: asked.model.clone(),
        language: case.requester.language.clone().unwrap_or_else(|| asked.language.clone()),
        queued_at: now,
    };
    let sealed = scribe.sealer.seal(letter, &contents).map_err(StoreError::Random)?;
    batch.queue_notice(now, letter, now.plus(NOTICE_LASTS), sealed).await
}

/// Notes what became of a letter of the desk.
pub(super) async fn note(batch: &mut Batch, letter: Letter, outcome: Outcome, now: Time) -> Result<(), StoreError> {
    let Some(place) = letter.number.checked_sub(DESK_LETTERS) else { return Ok(()) };
    let fact = match outcome {
        Outcome::Accepted => Fact::MailSent,
        Outcome::Refused | Outcome::Expired | Outcome::Bounced => Fact::MailRefused,
    };
    if let Some(id) = batch.refused_case(DeskId(place.into()), letter.case).await?
        // A mail can come back any number of times, and says nothing new then.
        && !batch.has_desk_fact(id, fact.name()).await?
    {
        batch.add_desk_fact(id, now, &fact).await?;
    }
    Ok(())
}

/// The eight digits of an entry: those of its request, or the answer to its question.
async fn key_of(
    batch: &mut Batch,
    row: &DeskRow,
    entry: u32,
    now: Time,
    scribe: &Scribe,
) -> Result<Result<Code, NotDone>, StoreError> {
    let mut verified = row.case.verified();
    let asked = verified.find(|(place, _)| *place == entry).map(|(_, asked)| asked);
    let Some(question) = asked.and_then(|asked| asked.question) else {
        let request = open_request(batch, row, entry, now, scribe).await?;
        return Ok(request.map(|request| request.contents.code.clone()));
    };
    let asked = asked.expect("a question is asked by somebody");
    if scribe.keys.at(now).is_withdrawn(asked.maker, &asked.serial) {
        return Ok(Err(NotDone::Request(RequestRefusal::Withdrawn)));
    }
    let enrolled = batch.enrolment(asked.device).await?;
    let secret = enrolled.and_then(|enrolled| scribe.sealer.open_enrolment(asked.device, &enrolled.sealed));
    // Enrolled anew since, it has another secret: the leaf would name another nonce than the device knows.
    let secret = secret.filter(|secret| question.nonce(secret, asked.device) == asked.nonce);
    Ok(secret.map(|secret| question.answer(&secret)).ok_or(NotDone::Refused(Refusal::Expired)))
}

/// The request of an entry, checked once more: its maker may have withdrawn it since.
async fn open_request(
    batch: &mut Batch,
    row: &DeskRow,
    entry: u32,
    now: Time,
    scribe: &Scribe,
) -> Result<Result<Verified<Request>, NotDone>, StoreError> {
    let Some(bytes) = batch.request_of(row.id, entry).await? else {
        return Ok(Err(NotDone::Refused(Refusal::Expired)));
    };
    Ok(request::open(&bytes, &scribe.keys.at(now)).map_err(NotDone::Request))
}

impl Act {
    fn as_command(&self) -> Ask<'_> {
        match self {
            Self::Note(text) => Ask::Note(text),
            Self::Attach(evidence, _) => Ask::Attach(evidence),
            Self::Check { item, done } => Ask::Check { item: *item, done: *done },
            Self::HandOver(to) => Ask::HandOver(*to),
            Self::Approve => Ask::Approve,
            Self::Refuse(reason) => Ask::Refuse(reason),
            Self::Grant(hours) => Ask::Grant(*hours),
            Self::AskKey(entry) => Ask::AskKey { entry: *entry },
            Self::ShowKey(entry) => Ask::ShowKey { entry: *entry },
        }
    }
}
