use std::collections::BTreeMap;

use sparekey_cases::{Bucket, Buckets, Budgets, Case, Command, Decision, Fact, Scope, Submission, decide};
use sparekey_protocol::{
    KeyId, MakerId, OpeningKey, PublicKey, RequestIdentity, Serial, SigningKey, Time, Verified,
    request::{self, Request, Trust},
};

use crate::ledger::Letter;

pub(crate) fn maker() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

/// What the service keeps: all that survives its crash.
#[derive(Clone, Default, PartialEq)]
struct Database {
    cases: BTreeMap<RequestIdentity, Case>,
    facts: Vec<(RequestIdentity, Time, Fact)>,
    buckets: BTreeMap<(Scope, String), Bucket>,
    outbox: Vec<Outgoing>,
}

/// A mail on its way out.
#[derive(Clone, PartialEq)]
pub(crate) struct Outgoing {
    pub(crate) identity: RequestIdentity,
    pub(crate) number: u32,
    to: String,
    code: String,
}

impl Outgoing {
    pub(crate) fn letter(&self) -> Letter {
        Letter { to: self.to.clone(), code: self.code.clone(), identity: self.identity }
    }
}

/// What was answered, and the mail that was queued by it, if one was.
pub(crate) struct Taken {
    pub(crate) serial: Serial,
    pub(crate) identity: RequestIdentity,
    pub(crate) queued: Option<Outgoing>,
}

/// The core of a service with a store in memory.
pub(crate) struct Service {
    opening: OpeningKey,
    budgets: Budgets,
    database: Database,
}

impl Trust for Service {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        let maker = maker().public();
        (id == MakerId::of(&maker.to_bytes())).then_some(maker)
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        (id == self.opening.public().id()).then_some(&self.opening)
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        Self { opening: Self::opening_key(), budgets: Budgets::default(), database: Database::default() }
    }

    pub(crate) fn opening_key() -> OpeningKey {
        OpeningKey::from_bytes(&[5; 32])
    }

    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Verified<Request>, sparekey_protocol::Refusal> {
        request::open(bytes, self)
    }

    /// Takes a request. `stored` is false if the service crashes before its transaction is done.
    pub(crate) fn submit(
        &mut self,
        request: &Verified<Request>,
        again: bool,
        network: &str,
        now: Time,
        stored: bool,
    ) -> Result<Taken, sparekey_cases::Refusal> {
        let before = self.database.clone();
        let email = request.contents.ask.email().expect("devices here ask by email only");
        let key = |scope| match scope {
            Scope::DeviceMail | Scope::DeviceDesk => request.certificate.device_id().to_string(),
            Scope::Address => email.as_str().to_owned(),
            Scope::Network => network.to_owned(),
        };
        let found = Scope::of(request.contents.ask.purpose())
            .iter()
            .filter_map(|scope| self.database.buckets.get(&(*scope, key(*scope))).map(|bucket| (*scope, *bucket)));
        let buckets = found.fold(Buckets::default(), |buckets, (scope, bucket)| buckets.with(scope, bucket));
        let submission = Submission { request, deliverable: true, again, budgets: &self.budgets, buckets: &buckets };
        let decided = decide(self.database.cases.get(&request.identity), now, Command::Submit(submission));
        let outcome = decided.map(|decision| {
            let mut queued = None;
            if stored {
                for (scope, bucket) in &decision.taken {
                    self.database.buckets.insert((*scope, key(*scope)), *bucket);
                }
                queued = decision.letter.map(|number| {
                    let (to, code) = (email.as_str().to_owned(), request.contents.code.expose().to_owned());
                    let mail = Outgoing { identity: request.identity, number, to, code };
                    self.database.outbox.push(mail.clone());
                    mail
                });
                self.write(request.identity, now, &decision);
            }
            Taken { serial: request.certificate.serial.clone(), identity: request.identity, queued }
        });
        assert!(outcome.is_ok() && stored || self.database == before, "a refusal changed the service");
        outcome
    }

    /// The next mail to send, left in the outbox until it is noted.
    pub(crate) fn outgoing(&self, place: impl FnOnce(&[Outgoing]) -> Option<usize>) -> Option<Outgoing> {
        place(&self.database.outbox).map(|at| self.database.outbox[at].clone())
    }

    pub(crate) fn is_expired(&self, mail: &Outgoing, now: Time) -> bool {
        now >= self.database.cases[&mail.identity].expires_at
    }

    /// What became of a mail.
    pub(crate) fn note(&mut self, mail: &Outgoing, command: Command<'_>, now: Time) {
        let decision = decide(self.database.cases.get(&mail.identity), now, command).expect("a note is never refused");
        self.write(mail.identity, now, &decision);
        self.database.outbox.retain(|kept| (kept.identity, kept.number) != (mail.identity, mail.number));
    }

    fn write(&mut self, identity: RequestIdentity, now: Time, decision: &Decision) {
        for fact in &decision.facts {
            let case = match (self.database.cases.remove(&identity), fact) {
                (None, Fact::Received(received)) => Case::begin(received, now),
                (Some(case), fact) => case.apply(fact, now),
                (None, fact) => panic!("{} of no case", fact.name()),
            };
            self.database.cases.insert(identity, case);
            self.database.facts.push((identity, now, fact.clone()));
        }
    }

    /// Cases are what their facts make of them.
    pub(crate) fn check_facts(&self) {
        let mut cases: BTreeMap<RequestIdentity, Case> = BTreeMap::new();
        for (identity, at, fact) in &self.database.facts {
            let case = match (cases.remove(identity), fact) {
                (None, Fact::Received(received)) => Case::begin(received, *at),
                (Some(case), fact) => case.apply(fact, *at),
                (None, fact) => panic!("{} of no case", fact.name()),
            };
            cases.insert(*identity, case);
        }
        assert!(cases == self.database.cases, "a case is not what its facts make of it");
    }
}
