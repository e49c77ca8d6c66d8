use std::collections::{HashMap, HashSet};

use sparekey_cases::{Bucket, Buckets, Case, Command as Ask, Decision, Fact, Refusal, Submission, decide};
use sparekey_protocol::{
    RequestIdentity, Time,
    log::{Act, Leaf},
};

use super::{Command, Outcome, Scribe, Submit};
use crate::{
    case_id::CaseId,
    seal::{BucketKey, LetterContents},
    store::{Batch, Letter, Queued, StoreError},
};

/// What a batch of commands makes of the database: read at once, decided one after the other, written at once.
#[derive(Default)]
pub(super) struct Draft {
    cases: HashMap<CaseId, Case>,
    ids: HashMap<RequestIdentity, CaseId>,
    buckets: HashMap<BucketKey, Bucket>,
    changed_cases: HashSet<CaseId>,
    changed_buckets: HashSet<BucketKey>,
    facts: Vec<(CaseId, Fact)>,
    /// The bytes of requests to the desk.
    kept: Vec<(CaseId, Vec<u8>)>,
    letters: Vec<Queued>,
    done: HashSet<Letter>,
}

impl Draft {
    /// Reads all that the commands are about.
    pub(super) async fn load(batch: &mut Batch, commands: &[Command]) -> Result<Self, StoreError> {
        let (mut identities, mut keys, mut ids) = (HashSet::new(), HashSet::new(), HashSet::new());
        for command in commands {
            match command {
                Command::Submit(submit, _) => {
                    identities.insert(submit.request.identity);
                    keys.extend(submit.buckets.iter().map(|(_, key)| *key));
                }
                Command::Note(letter, ..) => {
                    ids.insert(letter.case);
                }
                _ => {}
            }
        }
        let mut draft = Self::default();
        let found = batch.cases_of(&Vec::from_iter(identities)).await?.into_iter();
        for (id, case) in found.chain(batch.cases(&Vec::from_iter(ids)).await?) {
            draft.ids.insert(case.identity, id);
            draft.cases.insert(id, case);
        }
        draft.buckets.extend(batch.buckets(&Vec::from_iter(keys)).await?);
        Ok(draft)
    }

    /// Decides a command on top of those before it, if it is about a case.
    pub(super) fn decide(&mut self, command: &mut Command, now: Time, scribe: &Scribe) -> Result<(), StoreError> {
        match command {
            Command::Submit(submit, reply) => reply.decided(self.submit(submit, now, scribe)?),
            Command::Note(letter, outcome, reply) => {
                self.note(*letter, *outcome, now);
                reply.decided(());
            }
            _ => {}
        }
        Ok(())
    }

    fn submit(
        &mut self,
        submit: &Submit,
        now: Time,
        scribe: &Scribe,
    ) -> Result<Result<(CaseId, Case), Refusal>, StoreError> {
        let found = self.ids.get(&submit.request.identity).copied();
        let buckets = submit.buckets.iter().fold(Buckets::default(), |buckets, (scope, key)| {
            self.buckets.get(key).map_or(buckets, |bucket| buckets.with(*scope, *bucket))
        });
        let submission = Submission {
            request: &submit.request,
            deliverable: submit.deliverable,
            again: submit.again,
            budgets: &scribe.budgets,
            buckets: &buckets,
        };
        let before = found.and_then(|id| self.cases.get(&id));
        let decision = match decide(before, now, Ask::Submit(submission)) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let id = found.unwrap_or(submit.id);
        for (scope, bucket) in &decision.taken {
            let (_, key) = submit.buckets.iter().find(|(of, _)| of == scope).expect("the shell names each scope's key");
            self.buckets.insert(*key, *bucket);
            self.changed_buckets.insert(*key);
        }
        let letter = decision.letter;
        if let (None, Some(bytes)) = (found, &submit.bytes) {
            self.kept.push((id, bytes.clone()));
        }
        self.apply(id, decision, now);
        let case = self.cases.get(&id).expect("a submitted request has a case").clone();
        if let Some(number) = letter {
            let letter = Letter { case: id, number };
            let contents = LetterContents::of(&submit.request, case.received_at, now).expect("a letter has an address");
            let sealed = scribe.sealer.seal(letter, &contents).map_err(StoreError::Random)?;
            let (device, nonce) = (submit.request.certificate.device_id(), submit.request.nonce);
            let leaf = Leaf::new(now, Act::CodeMailed, device, nonce);
            self.letters.push(Queued { letter, not_after: case.expires_at, sealed, leaf });
        }
        Ok(Ok((id, case)))
    }

    fn note(&mut self, letter: Letter, outcome: Outcome, now: Time) {
        let number = letter.number;
        let ask = match outcome {
            Outcome::Accepted => Ask::MailAccepted { letter: number },
            Outcome::Refused => Ask::MailRefused { letter: number },
            Outcome::Expired => Ask::MailExpired { letter: number },
            Outcome::Bounced => Ask::MailBounced { letter: number },
        };
        let decision = decide(self.cases.get(&letter.case), now, ask).unwrap_or_default();
        self.apply(letter.case, decision, now);
        self.done.insert(letter);
    }

    fn apply(&mut self, id: CaseId, decision: Decision, now: Time) {
        for fact in decision.facts {
            let case = match (self.cases.remove(&id), &fact) {
                (None, Fact::Received(received)) => Some(Case::begin(received, now)),
                (case, fact) => case.map(|case| case.apply(fact, now)),
            };
            if let Some(case) = case {
                self.ids.insert(case.identity, id);
                self.cases.insert(id, case);
                self.changed_cases.insert(id);
                self.facts.push((id, fact));
            }
        }
    }

    /// Writes all that changed. Returns how many letters were queued.
    pub(super) async fn write(self, batch: &mut Batch, now: Time) -> Result<u64, StoreError> {
        let queued = self.letters.len() as u64;
        batch
            .put_cases(
                self.cases.iter().filter(|(id, _)| self.changed_cases.contains(id)).map(|(id, case)| (*id, case)),
            )
            .await?;
        batch.add_facts(now, &self.facts).await?;
        for (id, bytes) in &self.kept {
            batch.keep_request(*id, bytes).await?;
        }
        batch.put_buckets(self.changed_buckets.iter().map(|key| (*key, self.buckets[key]))).await?;
        batch.unqueue(&self.done).await?;
        batch.queue(now, self.letters).await?;
        Ok(queued)
    }
}
