//! The sender: takes letters that are due, hands them over, and notes what became of each.
//!
//! A letter that was taken is leased, so that no other node takes it, for longer than any attempt lasts. It goes out twice
//! only if this process, or the database, dies between the mail server's acceptance and the note of it; both then bear the
//! same Message-ID.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use sha2::{Digest, Sha256};
use sparekey_mail::{
    Address, AnswerLetter, CodeLetter, Envelope, Happened, LONGEST_SEND, Letter as Composed, Letterhead, NoticeLetter,
    Purpose as LetterPurpose, RefusalLetter, SendError, Transport,
};
use sparekey_protocol::{receipt::What, request::Purpose};
use tokio::{sync::Notify, task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use crate::{
    bounces::BounceAddresses,
    clock::Clock,
    seal::{AnswerContents, LetterContents, NoticeContents, RefusalContents, Sealer},
    store::{Letter, Outgoing},
    writer::{LONGEST_BACKOFF, Outcome, Writer},
};

/// Letters on their way at once.
const AT_ONCE: usize = 4;
/// How often it looks by itself: for letters put off, and for those of a node that died.
const LOOK: Duration = Duration::from_secs(1);
/// Between two tries to note something.
const NOTE_AGAIN: Duration = Duration::from_secs(1);
/// How many more such tries a service that is shut down makes.
const LAST_NOTES: u32 = 5;

/// The sender's task.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) writer: Writer,
    pub(crate) transport: Transport,
    pub(crate) letterhead: Letterhead,
    pub(crate) sealer: Arc<Sealer>,
    /// Where letters come back to; the mailbox they are from, if nobody looks for bounces.
    pub(crate) bounces: Option<Arc<BounceAddresses>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) letters: Arc<Notify>,
    pub(crate) stop: CancellationToken,
    /// On their way or to be noted: a lease that ends meanwhile does not send them twice.
    pub(crate) in_hand: Arc<Mutex<HashSet<Letter>>>,
}

impl Sender {
    /// Sends until it is stopped; then finishes what is on its way.
    pub(crate) async fn run(self) {
        let mut on_their_way = JoinSet::new();
        while !self.stop.is_cancelled() {
            let free = AT_ONCE - on_their_way.len();
            let taken = if free > 0 { self.take(free).await } else { Vec::new() };
            let perhaps_more = taken.len() == free;
            for outgoing in taken {
                on_their_way.spawn(self.clone().deliver(outgoing));
            }
            if perhaps_more && on_their_way.len() < AT_ONCE {
                continue;
            }
            tokio::select! {
                Some(_) = on_their_way.join_next() => {}
                () = self.letters.notified() => {}
                () = time::sleep(LOOK) => {}
                () = self.stop.cancelled() => {}
            }
        }
        while on_their_way.join_next().await.is_some() {}
    }

    async fn take(&self, limit: usize) -> Vec<Outgoing> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let taken = self.writer.lease(limit).await.unwrap_or_default();
        let mut in_hand = self.in_hand.lock().expect("nothing panics while it is held");
        taken.into_iter().filter(|outgoing| in_hand.insert(outgoing.letter)).collect()
    }

    /// From the outbox to its end, or back into the outbox.
    async fn deliver(self, outgoing: Outgoing) {
        let letter = outgoing.letter;
        match self.attempt(&outgoing).await {
            Some(outcome) => self.note(letter, outcome).await,
            None => {
                let now = self.clock.now();
                let due_at = now.plus(backoff(outgoing.attempts)).min(outgoing.not_after.max(now.plus(1)));
                metrics::counter!("sparekey_mails_total", "state" => "retried").increment(1);
                // If this is not written, the lease ends by itself.
                let _ = self.writer.postpone(letter, due_at).await;
            }
        }
        self.in_hand.lock().expect("nothing panics while it is held").remove(&letter);
    }

    /// What became of it for good; `None` to try again later.
    async fn attempt(&self, outgoing: &Outgoing) -> Option<Outcome> {
        let message_id = message_id(outgoing.letter, self.letterhead.from().domain());
        if self.clock.now() >= outgoing.not_after {
            tracing::warn!(message_id, attempts = outgoing.attempts, "a code expired before its mail could be sent");
            return Some(Outcome::Expired);
        }
        let composed = match self.compose(outgoing, &message_id) {
            Ok(composed) => composed,
            Err(outcome) => return outcome,
        };
        let envelope = self.envelope(outgoing.letter, composed.envelope());
        let sent = time::timeout(LONGEST_SEND, self.transport.send(&envelope, composed.bytes())).await;
        match sent {
            Ok(Ok(_)) => {
                tracing::info!(message_id, "mail sent");
                Some(Outcome::Accepted)
            }
            Ok(Err(error @ SendError::Refused { .. })) => {
                tracing::warn!(message_id, %error, "mail refused");
                Some(Outcome::Refused)
            }
            Ok(Err(error @ SendError::Later { .. })) => {
                tracing::warn!(message_id, %error, attempts = outgoing.attempts, "mail put off");
                None
            }
            Err(_) => {
                tracing::warn!(
                    message_id,
                    attempts = outgoing.attempts,
                    "mail put off: the mail server takes too long"
                );
                None
            }
        }
    }

    /// A letter, written.
    ///
    /// # Errors
    /// What becomes of one that cannot be written: refused for good, or `None` to try again later.
    fn compose(&self, outgoing: &Outgoing, message_id: &str) -> Result<Composed, Option<Outcome>> {
        let address = |text: &str| Address::parse(text).map_err(|_| Some(Outcome::Refused));
        let (letter, sealed) = (outgoing.letter, outgoing.sealed.as_slice());
        let composed = if let Some(contents) = self.sealer.open::<LetterContents>(letter, sealed) {
            let to = address(contents.to.as_str())?;
            self.letterhead.compose(&code_letter(&contents, &to, message_id))
        } else if let Some(contents) = self.sealer.open::<NoticeContents>(letter, sealed) {
            let to = address(contents.to.as_str())?;
            self.letterhead.compose_notice(&notice_letter(&contents, &to, message_id))
        } else if let Some(contents) = self.sealer.open::<RefusalContents>(letter, sealed) {
            let to = address(contents.to.as_str())?;
            self.letterhead.compose_refusal(&refusal_letter(&contents, &to, message_id))
        } else if let Some(contents) = self.sealer.open::<AnswerContents>(letter, sealed) {
            let to = address(contents.to.as_str())?;
            self.letterhead.compose_answer(&answer_letter(&contents, &to, message_id))
        } else {
            // Another node may hold the key; if none does, the letter ends with its code.
            tracing::error!(message_id, "a letter in the outbox cannot be opened with this service's keys");
            return Err(None);
        };
        composed.map_err(|error| {
            tracing::error!(message_id, %error, "a letter cannot be written");
            Some(Outcome::Refused)
        })
    }

    /// A letter comes back to its own address, if anybody looks there; one that comes back to nobody stays so.
    fn envelope(&self, letter: Letter, written: &Envelope) -> Envelope {
        let domain = self.letterhead.from().domain();
        let bounces = || self.bounces.as_ref().and_then(|bounces| bounces.of(letter, domain).ok());
        Envelope { from: written.from.clone().map(|from| bounces().unwrap_or(from)), ..written.clone() }
    }

    /// Tries until it is written: a letter that left and is not noted would leave again.
    async fn note(&self, letter: Letter, outcome: Outcome) {
        let state = match outcome {
            Outcome::Accepted => "sent",
            Outcome::Refused => "refused",
            Outcome::Expired => "expired",
            Outcome::Bounced => "bounced",
        };
        metrics::counter!("sparekey_mails_total", "state" => state).increment(1);
        let mut last_notes = LAST_NOTES;
        while self.writer.note(letter, outcome).await.is_err() {
            if self.stop.is_cancelled() {
                last_notes -= 1;
            }
            if last_notes == 0 {
                tracing::error!(state, "what became of a mail could not be noted: it may be sent again");
                return;
            }
            time::sleep(NOTE_AGAIN).await;
        }
    }
}

fn code_letter<'a>(contents: &'a LetterContents, to: &'a Address, message_id: &'a str) -> CodeLetter<'a> {
    CodeLetter {
        purpose: match contents.purpose {
            Purpose::ConfirmEmail => LetterPurpose::ConfirmAddress,
            Purpose::ResetByEmail | Purpose::ResetByDesk => LetterPurpose::Reset,
        },
        to,
        code: contents.code.expose(),
        serial: contents.serial.as_str(),
        model: contents.model.as_str(),
        firmware: Some(contents.firmware.as_str()),
        device_time: contents.device_time.0,
        start_time: contents.start_time.0,
        received_at: contents.received_at.0,
        date: contents.queued_at.0,
        language: contents.language.as_str(),
        message_id,
    }
}

fn refusal_letter<'a>(contents: &'a RefusalContents, to: &'a Address, message_id: &'a str) -> RefusalLetter<'a> {
    RefusalLetter {
        to,
        reason: contents.reason.as_str(),
        case: contents.case.as_str(),
        serial: contents.serial.as_str(),
        model: contents.model.as_str(),
        date: contents.queued_at.0,
        language: contents.language.as_str(),
        message_id,
    }
}

fn notice_letter<'a>(contents: &'a NoticeContents, to: &'a Address, message_id: &'a str) -> NoticeLetter<'a> {
    NoticeLetter {
        to,
        happened: match contents.what {
            What::Recovered => Happened::Recovered,
            What::Refused => Happened::Refused,
            What::FactoryReset => Happened::FactoryReset,
            What::Transferred => Happened::Transferred,
        },
        way: contents.way.as_deref(),
        at: contents.at.0,
        count: contents.count,
        serial: contents.serial.as_str(),
        model: contents.model.as_str(),
        date: contents.queued_at.0,
        language: contents.language.as_str(),
        message_id,
    }
}

fn answer_letter<'a>(contents: &'a AnswerContents, to: &'a Address, message_id: &'a str) -> AnswerLetter<'a> {
    AnswerLetter {
        to,
        news: contents.news,
        date: contents.queued_at.0,
        language: contents.language.as_str(),
        in_reply_to: contents.in_reply_to.as_ref().map(|id| id.as_str()),
        message_id,
    }
}

/// The same for each attempt of a letter, and no way to the case's id: mail servers log it.
pub(crate) fn message_id(letter: Letter, host: &str) -> String {
    let hash = Sha256::new().chain_update("sparekey/v1/message-id").chain_update(letter.case.0).finalize();
    let name: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("<{name}.{}@{host}>", letter.number)
}

/// Seconds until the next attempt: 5, 15, 45, … up to ten minutes, a tenth more or less, so that nodes do not march in step.
fn backoff(attempts: u32) -> u64 {
    let step = 5 * 3_u64.saturating_pow(attempts.saturating_sub(1).min(8));
    let seconds = step.min(LONGEST_BACKOFF - LONGEST_BACKOFF / 10);
    let mut random = [0; 2];
    // Without randomness they march in step, which harms little.
    let _ = getrandom::fill(&mut random);
    let tenth = (seconds / 10).max(1);
    seconds - tenth + u64::from(u16::from_le_bytes(random)) % (2 * tenth + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case_id::CaseId;

    #[test]
    fn attempts_grow_apart() {
        for (attempts, about) in [(0, 5), (1, 5), (2, 15), (3, 45), (4, 135), (5, 405), (6, 540), (1_000, 540)] {
            for _ in 0..20 {
                let seconds = backoff(attempts);
                assert!(seconds.abs_diff(about) <= (about / 10).max(1), "{attempts}: {seconds}");
                assert!(seconds <= LONGEST_BACKOFF);
            }
        }
    }

    #[test]
    fn a_message_id_is_stable_and_tells_no_case() {
        let letter = Letter { case: CaseId([7; 18]), number: 2 };
        let id = message_id(letter, "example.org");
        assert_eq!(id, message_id(letter, "example.org"));
        assert!(id.ends_with(".2@example.org>") && !id.contains(&letter.case.to_string()));
        assert_ne!(id, message_id(Letter { number: 1, ..letter }, "example.org"));
    }
}
