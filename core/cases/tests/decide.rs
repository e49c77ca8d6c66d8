//! What the service decides about requests that were really sealed, signed and opened.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use proptest::{collection::vec, prelude::*};
use sparekey_cases::{
    Bucket, Buckets, Budgets, Case, Command, Decision, Fact, MailState, Refusal, Scope, Submission, decide,
};
use sparekey_protocol::{
    Certificate, Code, Firmware, KeyId, Language, MakerId, Model, Nonce, OpeningKey, PublicKey, ReservedEmail, Serial,
    SigningKey, Time, Verified,
    request::{self, Ask, Contents, Request, Trust},
};

const START: Time = Time(1_800_000_000);
const NONCE: Nonce = Nonce([4; 16]);
const MASKED: &str = "o••••@e••••.org";

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

fn request(ask: Ask) -> Verified<Request> {
    let trust = Everyone(SigningKey::from_seed(&[1; 32]), OpeningKey::from_bytes(&[2; 32]));
    let device = SigningKey::from_seed(&[3; 32]);
    let (serial, model) = (Serial::new("NVR-1").unwrap(), Model::new("N16").unwrap());
    let certificate = Certificate::new(&trust.0.public(), serial, model, &device.public()).sign(&trust.0);
    let contents = Contents {
        code: Code::parse("12345678").unwrap(),
        ask,
        firmware: Firmware::new("1.0").unwrap(),
        device_time: Time(5),
        start_time: Time(1),
        language: Language::new("en").unwrap(),
    };
    let bytes = request::seal(&contents, NONCE, &[5; 32], &certificate, &device, &trust.1.public()).unwrap();
    request::open(&bytes, &trust).unwrap()
}

fn email() -> ReservedEmail {
    ReservedEmail::new("owner@example.org").unwrap()
}

/// One case with its buckets, as a store would keep them.
struct Kept {
    request: Verified<Request>,
    deliverable: bool,
    budgets: Budgets,
    buckets: Buckets,
    case: Option<Case>,
}

impl Kept {
    fn new(ask: Ask) -> Self {
        let (budgets, buckets) = (Budgets::default(), Buckets::default());
        Self { request: request(ask), deliverable: true, budgets, buckets, case: None }
    }

    fn submit(&mut self, again: bool, now: Time) -> Result<Decision, Refusal> {
        let (request, budgets, buckets) = (self.request.clone(), self.budgets, self.buckets);
        let submission = Submission {
            request: &request,
            deliverable: self.deliverable,
            again,
            budgets: &budgets,
            buckets: &buckets,
        };
        self.decide(Command::Submit(submission), now)
    }

    fn decide(&mut self, command: Command<'_>, now: Time) -> Result<Decision, Refusal> {
        let decision = decide(self.case.as_ref(), now, command)?;
        for (scope, bucket) in &decision.taken {
            self.buckets = self.buckets.with(*scope, *bucket);
        }
        for fact in &decision.facts {
            self.case = Some(match (self.case.take(), fact) {
                (None, Fact::Received(received)) => Case::begin(received, now),
                (Some(case), fact) => case.apply(fact, now),
                (None, fact) => panic!("{fact:?} of no case"),
            });
        }
        Ok(decision)
    }

    fn state(&self) -> MailState {
        self.case.as_ref().unwrap().mail.unwrap().state
    }
}

#[test]
fn a_first_request_queues_one_letter() {
    for ask in [Ask::ResetByEmail(email()), Ask::ConfirmEmail(email())] {
        let mut kept = Kept::new(ask);
        let decision = kept.submit(false, START).unwrap();
        assert_eq!(decision.letter, Some(1));
        assert_eq!(decision.taken.len(), 3);
        let case = kept.case.clone().unwrap();
        assert_eq!(case.expires_at, START.plus(1_800));
        assert_eq!(case.masked_address.as_deref(), Some(MASKED));
        assert_eq!(kept.state(), MailState::Queued);

        assert_eq!(kept.submit(false, START.plus(9_999)), Ok(Decision::default()), "the same bytes again");
    }
}

#[test]
fn the_desk_gets_no_letter() {
    let mut kept = Kept::new(Ask::ResetByDesk);
    let decision = kept.submit(false, START).unwrap();
    assert_eq!(decision.letter, None);
    assert_eq!(decision.taken.iter().map(|(scope, _)| *scope).collect::<Vec<_>>(), [Scope::DeviceDesk, Scope::Network]);
    let case = kept.case.clone().unwrap();
    assert_eq!((case.expires_at, case.mail, case.masked_address), (START.plus(172_800), None, None));
    assert_eq!(kept.submit(true, START.plus(100)), Ok(Decision::default()));
}

#[test]
fn an_address_that_is_none_is_refused_at_once() {
    let mut kept = Kept::new(Ask::ResetByEmail(email()));
    kept.deliverable = false;
    assert_eq!(kept.submit(false, START).unwrap().letter, None);
    assert_eq!(kept.case.as_ref().unwrap().masked_address, None);
    assert_eq!(kept.state(), MailState::Refused);
    assert_eq!(kept.submit(true, START.plus(100)), Ok(Decision::default()));
}

#[test]
fn twice_again_and_a_minute_apart() {
    let mut kept = Kept::new(Ask::ResetByEmail(email()));
    kept.submit(false, START).unwrap();
    assert_eq!(kept.submit(true, START.plus(600)), Ok(Decision::default()), "still queued");

    kept.decide(Command::MailAccepted { letter: 1 }, START.plus(610)).unwrap();
    assert_eq!(kept.submit(true, START.plus(611)), Err(Refusal::TooMany { retry_after: 59 }));
    assert_eq!(kept.submit(true, START.plus(670)).unwrap().letter, Some(2));
    assert_eq!(kept.submit(true, START.plus(671)), Ok(Decision::default()), "queued once more");

    kept.decide(Command::MailRefused { letter: 2 }, START.plus(700)).unwrap();
    assert_eq!(kept.state(), MailState::Refused);
    assert_eq!(kept.submit(true, START.plus(760)).unwrap().letter, Some(3));
    kept.decide(Command::MailAccepted { letter: 3 }, START.plus(761)).unwrap();
    assert_eq!(kept.submit(true, START.plus(1_000)), Err(Refusal::TooMany { retry_after: 800 }), "twice is enough");
    assert_eq!(kept.submit(true, START.plus(1_800)), Ok(Decision::default()), "expired: as it stands");
    assert_eq!(kept.submit(false, START.plus(1_000)), Ok(Decision::default()));
}

#[test]
fn a_letter_again_is_counted_like_the_first() {
    let mut kept = Kept::new(Ask::ResetByEmail(email()));
    kept.budgets.address.burst = 1;
    kept.submit(false, START).unwrap();
    kept.decide(Command::MailAccepted { letter: 1 }, START).unwrap();
    assert_eq!(kept.submit(true, START.plus(60)), Err(Refusal::TooMany { retry_after: 14_340 }));
}

#[test]
fn the_longest_wait_is_named_and_nothing_taken() {
    let mut kept = Kept::new(Ask::ResetByEmail(email()));
    let empty =
        |budget: sparekey_cases::Budget| Bucket { full_at: START.plus(u64::from(budget.burst * budget.period)) };
    kept.buckets = kept.buckets.with(Scope::Network, empty(kept.budgets.network));
    assert_eq!(kept.submit(false, START), Err(Refusal::TooMany { retry_after: 12 }));
    kept.buckets = kept.buckets.with(Scope::Address, empty(kept.budgets.address));
    let before = kept.buckets;
    assert_eq!(kept.submit(false, START), Err(Refusal::TooMany { retry_after: 14_400 }));
    assert_eq!((kept.buckets, kept.case), (before, None));
}

#[test]
fn notes_that_come_late_or_twice_change_nothing() {
    let mut kept = Kept::new(Ask::ResetByEmail(email()));
    assert_eq!(kept.decide(Command::MailAccepted { letter: 1 }, START), Ok(Decision::default()), "no such case");
    kept.submit(false, START).unwrap();
    assert_eq!(kept.decide(Command::MailRefused { letter: 2 }, START), Ok(Decision::default()), "no such letter");
    kept.decide(Command::MailExpired { letter: 1 }, START).unwrap();
    assert_eq!(kept.state(), MailState::Refused);
    kept.decide(Command::MailAccepted { letter: 1 }, START).unwrap();
    assert_eq!(kept.state(), MailState::Sent, "it did arrive");
    for command in
        [Command::MailAccepted { letter: 1 }, Command::MailRefused { letter: 1 }, Command::MailExpired { letter: 1 }]
    {
        assert_eq!(kept.decide(command, START), Ok(Decision::default()));
    }
}

#[test]
fn a_letter_that_was_sent_may_come_back() {
    let (accepted, bounced) = (Command::MailAccepted { letter: 1 }, Command::MailBounced { letter: 1 });
    let refused = Command::MailRefused { letter: 1 };
    let table: [(&str, &[Command<'_>], MailState, bool); 6] = [
        ("after it was sent", &[accepted, bounced], MailState::Refused, true),
        ("twice", &[accepted, bounced, bounced], MailState::Refused, false),
        ("then a late refusal", &[accepted, bounced, refused], MailState::Refused, false),
        ("before it was sent", &[bounced], MailState::Queued, false),
        ("after a refusal", &[refused, bounced], MailState::Refused, false),
        ("another letter", &[accepted, Command::MailBounced { letter: 2 }], MailState::Sent, false),
    ];
    for (name, commands, state, is_news) in table {
        let mut kept = Kept::new(Ask::ResetByEmail(email()));
        assert_eq!(kept.decide(bounced, START), Ok(Decision::default()), "no such case");
        kept.submit(false, START).unwrap();
        let decisions = commands.iter().map(|command| kept.decide(*command, START).unwrap());
        assert_eq!(decisions.last().unwrap() != Decision::default(), is_news, "{name}");
        assert_eq!(kept.state(), state, "{name}");
    }
}

#[test]
fn a_bounce_of_an_earlier_letter_is_late() {
    let mut kept = Kept::new(Ask::ResetByEmail(email()));
    kept.submit(false, START).unwrap();
    kept.decide(Command::MailAccepted { letter: 1 }, START).unwrap();
    assert_eq!(kept.submit(true, START.plus(60)).unwrap().letter, Some(2));
    kept.decide(Command::MailAccepted { letter: 2 }, START.plus(61)).unwrap();
    assert_eq!(kept.decide(Command::MailBounced { letter: 1 }, START.plus(62)), Ok(Decision::default()));
    kept.decide(Command::MailBounced { letter: 2 }, START.plus(62)).unwrap();
    assert_eq!(kept.state(), MailState::Refused);
    assert_eq!(kept.submit(true, START.plus(122)).unwrap().letter, Some(3), "once more, a minute later");
}

#[test]
fn facts_are_kept_as_cbor() {
    let mut kept = Kept::new(Ask::ResetByEmail(email()));
    let mut facts = kept.submit(false, START).unwrap().facts;
    facts.extend([2, 3].map(|letter| Fact::AskedAgain { letter }));
    facts.extend([Fact::MailSent { letter: 1 }, Fact::MailRefused { letter: 2 }, Fact::MailExpired { letter: 3 }]);
    facts.push(Fact::MailBounced { letter: 1 });
    let Fact::Received(received) = &facts[0] else { panic!("{facts:?}") };
    assert_eq!(received.nonce, NONCE);
    assert_eq!(minicbor::to_vec(received).unwrap()[0], 0xa9, "a map of nine, which may grow");
    for fact in facts {
        let bytes = minicbor::to_vec(&fact).unwrap();
        assert_eq!(minicbor::decode::<Fact>(&bytes).unwrap(), fact);
        assert!(!bytes.windows(5).any(|window| window == b"owner"), "no whole address");
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit(bool),
    Accepted,
    Refused,
    Expired,
    Bounced,
    Clock(i64),
}

proptest! {
    /// Whatever happens in whatever order: at most three letters, one on its way at a time, a minute between them by any
    /// clock that goes forward, and none after the code's end.
    #[test]
    fn letters_are_few(steps in vec(prop_oneof![
        any::<bool>().prop_map(Step::Submit),
        Just(Step::Accepted), Just(Step::Refused), Just(Step::Expired), Just(Step::Bounced),
        (-100_i64..200).prop_map(Step::Clock),
    ], 1..60)) {
        let mut kept = Kept::new(Ask::ResetByEmail(email()));
        let mut now = START;
        let mut forward = 0;
        let mut last: Option<(u32, u64)> = None;
        for step in steps {
            let letter = last.map_or(1, |(letter, _)| letter);
            let before = (kept.case.clone(), kept.buckets);
            let decision = match step {
                Step::Submit(again) => kept.submit(again, now),
                Step::Accepted => kept.decide(Command::MailAccepted { letter }, now),
                Step::Refused => kept.decide(Command::MailRefused { letter }, now),
                Step::Expired => kept.decide(Command::MailExpired { letter }, now),
                Step::Bounced => kept.decide(Command::MailBounced { letter }, now),
                Step::Clock(seconds) => {
                    now = Time(now.0.saturating_add_signed(seconds));
                    forward += u64::try_from(seconds).unwrap_or(0);
                    continue;
                }
            };
            let Ok(decision) = decision else {
                prop_assert_eq!(before, (kept.case.clone(), kept.buckets), "a refusal changes nothing");
                continue;
            };
            if let Some(next) = decision.letter {
                prop_assert_eq!(next, last.map_or(1, |(letter, _)| letter + 1));
                prop_assert!(next <= 3);
                if let Some((_, queued)) = last {
                    prop_assert!(forward - queued >= 60);
                    prop_assert!(before.0.as_ref().and_then(|case| case.mail).unwrap().state != MailState::Queued);
                    prop_assert!(now < before.0.unwrap().expires_at);
                }
                last = Some((next, forward));
            }
        }
    }
}
