//! What the desk decides, about requests that were really sealed, signed and opened.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use proptest::{collection::vec, prelude::*};
use sparekey_cases::desk::{
    Actor, Answer, Case, Command, Decision, Evidence, EvidenceKind, Fact, GrantHours, Incoming, Line, Opening,
    OperatorId, OrganisationId, Outcome, Presence, Refusal, Requester, Role, SerialRange, Source, State, Unfit, Words,
    decide,
};
use sparekey_protocol::{
    Certificate, Code, Firmware, KeyId, Language, MakerId, Model, Nonce, OpeningKey, PublicKey,
    Refusal as RequestRefusal, ReservedEmail, Serial, SigningKey, Time, Verified,
    files::RequestFile,
    request::{self, Ask, Contents, Request, Trust},
};

const START: Time = Time(1_800_000_000);
const DAY: u64 = 24 * 60 * 60;
const ACME: OrganisationId = OrganisationId(1);
const OTHER: OrganisationId = OrganisationId(2);

struct Everyone(SigningKey, OpeningKey);

impl Trust for Everyone {
    fn maker(&self, _: MakerId) -> Option<PublicKey> {
        Some(self.0.public())
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, _: KeyId) -> Option<&OpeningKey> {
        Some(&self.1)
    }
}

fn request(device: u8, ask: Ask) -> Verified<Request> {
    let trust = Everyone(SigningKey::from_seed(&[1; 32]), OpeningKey::from_bytes(&[2; 32]));
    let key = SigningKey::from_seed(&[device; 32]);
    let (serial, model) = (Serial::new(&format!("NVR-{device}")).unwrap(), Model::new("N16").unwrap());
    let certificate = Certificate::new(&trust.0.public(), serial, model, &key.public()).sign(&trust.0);
    let contents = Contents {
        code: Code::parse("12345678").unwrap(),
        ask,
        firmware: Firmware::new("1.0").unwrap(),
        device_time: Time(1_700_000_000),
        start_time: Time(1_690_000_000),
        language: Language::new("de").unwrap(),
    };
    let bytes = request::seal(&contents, Nonce([device; 16]), &[5; 32], &certificate, &key, &trust.1.public()).unwrap();
    request::open(&bytes, &trust).unwrap()
}

fn desk_request(device: u8) -> Verified<Request> {
    request(device, Ask::ResetByDesk)
}

fn actor(operator: u32, role: Role) -> Actor {
    Actor { operator: OperatorId(operator), role, organisation: None, presence: Presence::Token }
}

fn of(actor: Actor, organisation: OrganisationId) -> Actor {
    Actor { organisation: Some(organisation), ..actor }
}

fn words(text: &str) -> Words {
    Words::new(text).unwrap()
}

/// What an opening is made of, to be lent.
struct Desk {
    requests: Vec<Result<Verified<Request>, RequestRefusal>>,
    ranges: Vec<SerialRange>,
    checklist: Vec<Line>,
    requester: Requester,
}

impl Desk {
    fn with(requests: impl IntoIterator<Item = Verified<Request>>) -> Self {
        let requests = requests.into_iter().map(Ok).collect();
        Self { requests, ranges: Vec::new(), checklist: Vec::new(), requester: Requester::default() }
    }

    fn try_open(&self, actor: &Actor) -> Result<Case, Refusal> {
        let incoming: Vec<_> = self
            .requests
            .iter()
            .map(|request| Incoming::Request {
                request: request.as_ref().map_err(|refusal| *refusal),
                file: None,
                in_a_case: false,
            })
            .collect();
        let opening = Opening {
            source: Source::File,
            incoming: &incoming,
            requester: &self.requester,
            ranges: &self.ranges,
            checklist: &self.checklist,
        };
        let decision = decide(None, actor, START, Command::Open(opening))?;
        Ok(Case::replay(decision.facts.into_iter().map(|fact| (START, fact))).unwrap())
    }

    fn open(&self, actor: &Actor) -> Case {
        self.try_open(actor).unwrap()
    }
}

fn then(case: Case, actor: &Actor, now: Time, command: Command<'_>) -> Case {
    let decision = decide(Some(&case), actor, now, command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
    decision.facts.iter().fold(case, |case, fact| case.apply(fact, now))
}

fn refused(case: &Case, actor: &Actor, now: Time, command: Command<'_>) -> Refusal {
    decide(Some(case), actor, now, command).expect_err("it is refused")
}

const AGENT: u32 = 1;
const APPROVER: u32 = 2;

fn agent() -> Actor {
    actor(AGENT, Role::Agent)
}

fn approver() -> Actor {
    actor(APPROVER, Role::Approver)
}

fn approved(desk: &Desk) -> Case {
    then(desk.open(&agent()), &approver(), START, Command::Approve)
}

#[test]
fn one_opens_another_approves_and_the_grant_goes_out() {
    let case = Desk::with([desk_request(3)]).open(&agent());
    assert_eq!((case.state, case.opened.by, case.organisation), (State::Open, OperatorId(AGENT), None));
    let Outcome::Verified(asked) = &case.entries[0].outcome else { panic!("{case:?}") };
    assert_eq!((asked.serial.as_str(), asked.language.as_str()), ("NVR-3", "de"));

    let case = then(case, &approver(), START.plus(60), Command::Approve);
    assert_eq!((case.state, case.approved.unwrap().by), (State::Approved, OperatorId(APPROVER)));

    let now = START.plus(120);
    let case = then(case, &agent(), now, Command::Grant(GrantHours::new(2).unwrap()));
    assert_eq!(case.state, State::Granted);
    assert_eq!(case.answers, [Some(Answer::Grant { issued_at: now, not_after: now.plus(7_200) })]);
    let again = decide(Some(&case), &agent(), now.plus(99), Command::Grant(GrantHours::default()));
    assert_eq!(again, Ok(Decision::default()), "the same grant, and no second one");
    assert_eq!(refused(&case, &agent(), now, Command::ShowKey { entry: 0 }), Refusal::Answered);
    assert_eq!(refused(&case, &approver(), now, Command::Refuse(&words("no"))), Refusal::WrongState(State::Granted));
}

#[test]
fn nobody_approves_what_he_opened() {
    let desk = Desk::with([desk_request(3)]);
    for role in [Role::Agent, Role::Approver, Role::Administrator] {
        let opener = actor(7, role);
        let case = desk.open(&opener);
        let expected = if role == Role::Agent { Refusal::NotAllowed } else { Refusal::OwnCase };
        assert_eq!(refused(&case, &opener, START, Command::Approve), expected, "{role}");
        // Another token, a passkey, a higher role, another organisation: the same person.
        for himself in [
            Actor { role: Role::Administrator, ..opener },
            Actor { role: Role::Approver, presence: Presence::Passkey { asked_at: Some(START) }, ..opener },
        ] {
            assert_eq!(refused(&case, &himself, START, Command::Approve), Refusal::OwnCase);
        }
        let case = then(case, &actor(8, Role::Approver), START, Command::Approve);
        assert_eq!(
            refused(&case, &Actor { role: Role::Approver, ..opener }, START, Command::Approve),
            Refusal::OwnCase
        );
    }
}

#[test]
fn a_case_that_came_by_mail_takes_two_people_as_well() {
    let desk = Desk::with([desk_request(3)]);
    let case = desk.open(&Actor::mail());
    assert_eq!((case.opened.by, case.first_person()), (OperatorId::MAIL, None));
    for alone in [approver(), actor(9, Role::Administrator)] {
        assert_eq!(refused(&case, &alone, START, Command::Approve), Refusal::Unattended);
    }
    let note = words("called him back");
    for act in [Command::Note(&note), Command::HandOver(Some(ACME))] {
        let worked = then(case.clone(), &approver(), START, act);
        assert_eq!(worked.first_person(), Some(approver().operator));
        assert_eq!(refused(&worked, &approver(), START, Command::Approve), Refusal::OwnCase);
        // Only the first counts.
        let worked = then(worked, &actor(8, Role::Approver), START, Command::Note(&note));
        assert_eq!(refused(&worked, &approver(), START, Command::Approve), Refusal::OwnCase);
        let done = then(worked, &actor(8, Role::Approver), START, Command::Approve);
        assert_eq!(done.state, State::Approved);
    }
    // An agent who worked on it may refuse it; one who did not may not.
    assert_eq!(refused(&case, &agent(), START, Command::Refuse(&note)), Refusal::NotAllowed);
    let worked = then(case, &agent(), START, Command::Note(&note));
    assert_eq!(then(worked, &agent(), START, Command::Refuse(&note)).state, State::Refused);
}

#[test]
fn what_could_go_on_for_ever_has_a_bound() {
    let desk = Desk { checklist: vec![Line::new("label").unwrap()], ..Desk::with([desk_request(3)]) };
    let note = words("called again");
    let check = |done| Command::Check { item: 0, done };
    let mut case = desk.open(&agent());
    for round in 0..500 {
        case = then(case, &agent(), START, if round % 2 == 0 { Command::Note(&note) } else { check(round % 4 == 1) });
    }
    for more in [Command::Note(&note), check(true)] {
        assert_eq!(refused(&case, &agent(), START, more), Refusal::Malformed);
    }
    assert_eq!(then(case, &approver(), START, Command::Refuse(&note)).state, State::Refused);
}

#[test]
fn the_same_requests_from_somebody_else_are_written_down_once() {
    let desk = Desk::with([desk_request(3)]);
    let said = |name: &str| Requester { name: Some(Line::new(name).unwrap()), contact: None, language: None };
    let mut case = desk.open(&agent());
    for name in ["Ada", "Ada", "Bo"] {
        let requester = said(name);
        case = then(case, &Actor::mail(), START, Command::SendAgain { source: Source::Mail, requester: &requester });
    }
    assert_eq!(case.others, [said("Ada"), said("Bo")]);
    for n in 0..20 {
        let requester = said(&format!("Cy {n}"));
        case = then(case, &Actor::mail(), START, Command::SendAgain { source: Source::Mail, requester: &requester });
    }
    assert_eq!(case.others.len(), 10, "no more than somebody will read");
    assert_eq!(case.first_person(), Some(agent().operator));
}

#[test]
fn each_role_may_do_its_part() {
    let desk = Desk::with([desk_request(3)]);
    let (open, ready) = (desk.open(&agent()), approved(&desk));
    let asked = then(ready.clone(), &agent(), START, Command::AskKey { entry: 0 });
    let (note, reason) = (words("note"), words("no"));
    let evidence =
        Evidence { name: Line::new("label").unwrap(), kind: EvidenceKind::Picture, size: 1, sha256: [0; 32] };
    let table: &[(&Case, Command<'_>, Role)] = &[
        (&open, Command::Note(&note), Role::Agent),
        (&open, Command::Attach(&evidence), Role::Agent),
        (&open, Command::HandOver(Some(ACME)), Role::Agent),
        (&open, Command::Approve, Role::Approver),
        (&open, Command::Refuse(&reason), Role::Approver),
        (&ready, Command::Refuse(&reason), Role::Approver),
        (&ready, Command::Grant(GrantHours::default()), Role::Agent),
        (&ready, Command::AskKey { entry: 0 }, Role::Agent),
        (&asked, Command::ShowKey { entry: 0 }, Role::Agent),
    ];
    for (case, command, least) in table {
        for role in Role::ALL {
            let decision = decide(Some(case), &actor(9, role), START, *command);
            if role < *least {
                assert_eq!(decision, Err(Refusal::NotAllowed), "{role} {command:?}");
            } else {
                assert_eq!(decision.unwrap().facts.len(), 1, "{role} {command:?}");
            }
        }
    }
    for role in Role::ALL {
        assert_eq!(desk.try_open(&actor(9, role)).is_ok(), role >= Role::Agent, "{role}");
    }
    // Who opened it may take it back, and nothing else beyond his role.
    assert_eq!(then(open, &agent(), START, Command::Refuse(&reason)).state, State::Refused);
}

#[test]
fn organisations_see_their_own_and_nothing_else() {
    let desk = Desk::with([desk_request(3)]);
    let (ours, theirs) = (desk.open(&of(agent(), ACME)), desk.open(&of(agent(), OTHER)));
    let makers = desk.open(&agent());
    let (note, reason) = (words("note"), words("no"));
    let commands = [
        Command::Note(&note),
        Command::Check { item: 0, done: true },
        Command::HandOver(None),
        Command::Approve,
        Command::Refuse(&reason),
        Command::Grant(GrantHours::default()),
        Command::AskKey { entry: 0 },
        Command::ShowKey { entry: 0 },
    ];
    let stranger = of(actor(5, Role::Administrator), ACME);
    for case in [&theirs, &makers] {
        for command in commands {
            // As if there were none.
            assert_eq!(refused(case, &stranger, START, command), Refusal::NotFound, "{command:?}");
            assert_eq!(decide(None, &stranger, START, command), Err(Refusal::NotFound));
        }
    }
    assert!(decide(Some(&ours), &stranger, START, Command::Approve).is_ok());
    for case in [&ours, &theirs, &makers] {
        assert!(decide(Some(case), &approver(), START, Command::Approve).is_ok(), "the maker's see all");
    }
}

#[test]
fn a_case_is_handed_over_and_back() {
    let distributor = of(actor(5, Role::Approver), ACME);
    let case = Desk::with([desk_request(3)]).open(&agent());
    let case = then(case, &agent(), START, Command::HandOver(Some(ACME)));
    assert!(distributor.sees(&case) && agent().sees(&case));
    assert_eq!(decide(Some(&case), &agent(), START, Command::HandOver(Some(ACME))), Ok(Decision::default()));
    assert_eq!(refused(&case, &distributor, START, Command::HandOver(Some(OTHER))), Refusal::NotAllowed);
    let case = then(case, &distributor, START, Command::HandOver(None));
    assert!(!distributor.sees(&case));
}

#[test]
fn a_checklist_is_worked_through_first() {
    let mut desk = Desk::with([desk_request(3)]);
    desk.checklist = ["label seen", "invoice seen"].map(|text| Line::new(text).unwrap()).into();
    let case = desk.open(&agent());
    assert_eq!(refused(&case, &approver(), START, Command::Approve), Refusal::ChecklistOpen);
    let case = then(case, &agent(), START, Command::Check { item: 0, done: true });
    let case = then(case, &approver(), START.plus(1), Command::Check { item: 1, done: true });
    assert_eq!(decide(Some(&case), &agent(), START, Command::Check { item: 1, done: true }), Ok(Decision::default()));
    assert_eq!(refused(&case, &agent(), START, Command::Check { item: 2, done: true }), Refusal::Malformed);
    let undone = then(case.clone(), &agent(), START, Command::Check { item: 0, done: false });
    assert_eq!(refused(&undone, &approver(), START, Command::Approve), Refusal::ChecklistOpen);
    let case = then(case, &approver(), START, Command::Approve);
    assert_eq!(
        refused(&case, &agent(), START, Command::Check { item: 0, done: false }),
        Refusal::WrongState(State::Approved)
    );
}

#[test]
fn an_approval_asks_for_the_passkey_again() {
    let case = Desk::with([desk_request(3)]).open(&agent());
    for (asked_at, fresh) in [(None, false), (Some(START), true), (Some(Time(START.0 - 300)), false)] {
        let approver = Actor { presence: Presence::Passkey { asked_at }, ..approver() };
        let decision = decide(Some(&case), &approver, START, Command::Approve);
        assert_eq!(decision.is_ok(), fresh, "{asked_at:?}");
        if !fresh {
            assert_eq!(decision, Err(Refusal::StepUp));
        }
    }
}

#[test]
fn an_old_case_can_only_be_refused() {
    let desk = Desk::with([desk_request(3)]);
    let (open, ready) = (desk.open(&agent()), approved(&desk));
    let asked = then(ready.clone(), &agent(), START, Command::AskKey { entry: 0 });
    let last = START.plus(7 * DAY - 1);
    let commands = [
        (&open, Command::Approve),
        (&ready, Command::Grant(GrantHours::default())),
        (&ready, Command::AskKey { entry: 0 }),
        (&asked, Command::ShowKey { entry: 0 }),
    ];
    for (case, command) in commands {
        assert!(decide(Some(case), &approver(), last, command).is_ok());
        assert_eq!(refused(case, &approver(), last.plus(1), command), Refusal::Expired);
    }
    assert!(decide(Some(&open), &approver(), last.plus(1), Command::Refuse(&words("too late"))).is_ok());
}

#[test]
fn nothing_comes_before_an_approval_or_after_the_end() {
    let desk = Desk::with([desk_request(3)]);
    let open = desk.open(&agent());
    let reason = words("no");
    let gone = then(desk.open(&agent()), &approver(), START, Command::Refuse(&reason));
    assert_eq!((gone.state, gone.reason.as_ref()), (State::Refused, Some(&reason)));
    for case in [open, gone] {
        let key = [Command::AskKey { entry: 0 }, Command::ShowKey { entry: 0 }];
        for command in [Command::Grant(GrantHours::default())].into_iter().chain(key) {
            assert_eq!(refused(&case, &approver(), START, command), Refusal::WrongState(case.state));
        }
        if case.state == State::Refused {
            for command in [Command::Approve, Command::Refuse(&reason), Command::HandOver(Some(ACME))] {
                assert_eq!(refused(&case, &approver(), START, command), Refusal::WrongState(State::Refused));
            }
        }
    }
}

#[test]
fn a_batch_is_one_approval_with_a_result_each() {
    let address = ReservedEmail::new("owner@example.org").unwrap();
    let mut desk =
        Desk::with([desk_request(3), desk_request(4), desk_request(3), request(5, Ask::ResetByEmail(address))]);
    desk.requests.push(Err(RequestRefusal::UnknownMaker));
    let case = desk.open(&agent());
    let unfit: Vec<_> = case
        .entries
        .iter()
        .map(|entry| match entry.outcome {
            Outcome::Verified(_) => None,
            Outcome::Unfit(unfit) => Some(unfit),
        })
        .collect();
    assert_eq!(unfit, [None, None, Some(Unfit::Twice), Some(Unfit::NotForTheDesk), Some(Unfit::UnknownMaker)]);

    let case = then(case, &approver(), START, Command::Approve);
    for entry in [2, 4, 5, u32::MAX] {
        assert_eq!(refused(&case, &agent(), START, Command::AskKey { entry }), Refusal::Malformed);
        assert_eq!(refused(&case, &agent(), START, Command::ShowKey { entry }), Refusal::Malformed);
    }
    assert_eq!(
        refused(&case, &agent(), START, Command::ShowKey { entry: 1 }),
        Refusal::Malformed,
        "the log comes first"
    );
    let case = then(case, &agent(), START, Command::AskKey { entry: 1 });
    assert_eq!(case.asked[1], Some(START));
    assert_eq!(decide(Some(&case), &approver(), START.plus(9), Command::AskKey { entry: 1 }), Ok(Decision::default()));
    let case = then(case, &agent(), START, Command::ShowKey { entry: 1 });
    assert_eq!(case.state, State::Approved, "one is left");
    for again in [Command::AskKey { entry: 1 }, Command::ShowKey { entry: 1 }] {
        assert_eq!(refused(&case, &agent(), START, again), Refusal::Answered);
    }
    let case = then(case, &agent(), START, Command::Grant(GrantHours::default()));
    assert_eq!(case.state, State::Granted);
    assert!(matches!(case.answers[..], [Some(Answer::Grant { .. }), Some(Answer::Key { .. }), None, None, None]));
}

#[test]
fn a_case_of_nothing_that_can_be_answered_is_none() {
    let mut desk = Desk::with([]);
    assert_eq!(desk.try_open(&agent()), Err(Refusal::Malformed));
    desk.requests = vec![Err(RequestRefusal::Withdrawn), Err(RequestRefusal::Malformed)];
    assert_eq!(desk.try_open(&agent()), Err(Refusal::Unfit(Unfit::Withdrawn)));
    desk.requests = vec![Err(RequestRefusal::Malformed); 201];
    assert_eq!(desk.try_open(&agent()), Err(Refusal::Malformed));
}

#[test]
fn an_organisation_opens_what_is_in_its_ranges() {
    let mut desk = Desk::with([desk_request(3), desk_request(4)]);
    desk.ranges = vec!["NVR-4..NVR-9".parse().unwrap()];
    let case = desk.open(&of(agent(), ACME));
    assert_eq!(case.entries[0].outcome, Outcome::Unfit(Unfit::NotYours));
    assert_eq!(case.verified().map(|(place, _)| place).collect::<Vec<_>>(), [1]);
}

#[test]
fn claims_are_what_differs() {
    let verified = desk_request(3);
    let asked = (&verified.certificate, &verified.contents);
    let honest = RequestFile::new(
        &asked.0.serial,
        &asked.0.model,
        &asked.1.firmware,
        asked.1.device_time,
        asked.1.start_time,
        Vec::new(),
    );
    let lying =
        RequestFile { serial: "NVR-1".into(), model: String::new(), start_time: "never".into(), ..honest.clone() };
    let claims = |request, file| {
        let incoming = [
            Incoming::Request { request: Ok(&verified), file: None, in_a_case: false },
            Incoming::Request { request, file: Some(file), in_a_case: false },
        ];
        let requester = Requester::default();
        let opening =
            Opening { source: Source::File, incoming: &incoming, requester: &requester, ranges: &[], checklist: &[] };
        let facts = decide(None, &agent(), START, Command::Open(opening)).unwrap().facts;
        let Fact::Opened(opened) = &facts[0] else { panic!("{facts:?}") };
        opened.entries[1].claims.iter().map(|claim| format!("{} {}", claim.element, claim.text)).collect::<Vec<_>>()
    };
    assert!(claims(Ok(&verified), &honest).is_empty());
    assert_eq!(claims(Ok(&verified), &lying), ["Serial NVR-1", "StartTime never"]);
    assert_eq!(claims(Err(RequestRefusal::Malformed), &honest).len(), 5, "nothing of it is verified");
}

#[test]
fn facts_are_kept_as_cbor() {
    let by = OperatorId(7);
    let mut desk = Desk::with([desk_request(3)]);
    desk.requester = Requester {
        name: Some(Line::new("Ada").unwrap()),
        contact: None,
        language: Some(Language::new("es").unwrap()),
    };
    desk.requests.push(Err(RequestRefusal::NotOpened));
    desk.checklist = vec![Line::new("label").unwrap()];
    let incoming: Vec<_> = desk
        .requests
        .iter()
        .map(|request| Incoming::Request {
            request: request.as_ref().map_err(|refusal| *refusal),
            file: None,
            in_a_case: false,
        })
        .collect();
    let (requester, checklist) = (&desk.requester, &desk.checklist);
    let opening = Opening { source: Source::Photo, incoming: &incoming, requester, ranges: &[], checklist };
    let mut facts = decide(None, &agent(), START, Command::Open(opening)).unwrap().facts;
    let evidence = Evidence { name: Line::new("label").unwrap(), kind: EvidenceKind::Pdf, size: 7, sha256: [1; 32] };
    facts.extend([
        Fact::Noted { by, text: words("a\nb") },
        Fact::EvidenceAdded { by, evidence },
        Fact::Checked { by, item: 0, done: true },
        Fact::HandedOver { by, to: Some(ACME) },
        Fact::HandedOver { by, to: None },
        Fact::Approved { by },
        Fact::Refused { by, reason: words("no") },
        Fact::Granted { by, issued_at: START, not_after: START.plus(DAY), entries: vec![0, 199] },
        Fact::KeyAsked { by, at: START, entry: 0 },
        Fact::KeyShown { by, at: START, entry: 0 },
        Fact::MailSent,
        Fact::MailRefused,
    ]);
    for fact in &facts {
        let bytes = minicbor::to_vec(fact).unwrap();
        assert_eq!(&minicbor::decode::<Fact>(&bytes).unwrap(), fact);
        assert!(!bytes.windows(8).any(|window| window == b"12345678"), "no code");
    }
    assert!(Case::replay(facts.into_iter().skip(1).map(|fact| (START, fact))).is_none(), "it begins with its opening");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Approve,
    Refuse,
    Grant,
    Ask(u32),
    Key(u32),
    HandOver(Option<u32>),
    Later(u64),
}

proptest! {
    /// Whoever does what in whatever order: help only after an approval by another than who opened it (or, of what came by mail, who
    /// first worked on it), one answer a request, one end, and a refusal changes nothing.
    #[test]
    fn help_comes_only_after_two_people(
        steps in vec((1_u32..5, 0_usize..4, proptest::option::of(1_u32..3), prop_oneof![
            Just(Step::Approve), Just(Step::Refuse), Just(Step::Grant), (0_u32..3).prop_map(Step::Ask), (0_u32..3).prop_map(Step::Key),
            proptest::option::of(1_u32..3).prop_map(Step::HandOver), (0..3 * DAY).prop_map(Step::Later),
        ]), 1..40),
        // 0 is the mail.
        opener in 0_u32..5,
    ) {
        let mut case = Desk::with([desk_request(3), desk_request(4)]).open(&actor(opener, Role::Administrator));
        let (mut now, reason) = (START, words("no"));
        let mut facts = Vec::new();
        for (who, role, organisation, step) in steps {
            let organisation = organisation.map(OrganisationId);
            let actor = Actor { organisation, ..actor(who, Role::ALL[role]) };
            let command = match step {
                Step::Approve => Command::Approve,
                Step::Refuse => Command::Refuse(&reason),
                Step::Grant => Command::Grant(GrantHours::default()),
                Step::Ask(entry) => Command::AskKey { entry },
                Step::Key(entry) => Command::ShowKey { entry },
                Step::HandOver(to) => Command::HandOver(to.map(OrganisationId)),
                Step::Later(seconds) => {
                    now = now.plus(seconds);
                    continue;
                }
            };
            let Ok(decision) = decide(Some(&case), &actor, now, command) else { continue };
            for fact in decision.facts {
                prop_assert!(actor.sees(&case), "only who sees a case acts on it");
                prop_assert!(!case.state.is_end(), "a case ends once");
                if let Fact::Granted { entries, .. } = &fact {
                    prop_assert!(entries.iter().all(|entry| case.answers[*entry as usize].is_none()));
                    prop_assert!(!entries.is_empty());
                }
                if let Fact::KeyShown { entry, .. } = &fact {
                    prop_assert!(case.asked[*entry as usize].is_some(), "the log comes first");
                    prop_assert!(case.answers[*entry as usize].is_none());
                }
                case = case.apply(&fact, now);
                facts.push((now, fact));
            }
        }
        let helped = case.answers.iter().any(Option::is_some);
        if helped || case.state == State::Granted {
            let first = if opener == OperatorId::MAIL.0 { facts.first().and_then(|(_, fact)| fact.by()) } else { Some(OperatorId(opener)) };
            prop_assert!(first.is_some() && case.approved.is_some_and(|mark| Some(mark.by) != first));
        }
        let approvals = facts.iter().filter(|(_, fact)| matches!(fact, Fact::Approved { .. })).count();
        prop_assert!(approvals <= 1);
    }
}
