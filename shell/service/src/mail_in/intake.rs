//! From a mail to what becomes of it: its requests are handed in as a phone hands them in, and its sender hears of it at most once.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use sha2::{Digest, Sha256};
use sparekey_cases::desk::Requester;
use sparekey_mail::{Address, News};
use sparekey_protocol::{Language, qr, request::Purpose};
use tokio::{sync::Semaphore, task, time};

use super::{automatic, message::Mail};
use crate::{
    desk::{Carried, DeskError, read_file},
    photo::{PhotoError, PhotoReader},
    service::{Service, SubmitError},
    store::MailId,
    writer::mail_in::{Answer, Dealt},
};

/// Mails worked on at once: as many as a phone's network may send pictures.
const AT_ONCE: usize = 2;
/// How long a mail waits for its turn; then its server keeps it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Takes mails, wherever they come from.
pub(super) struct Intake {
    service: Arc<Service>,
    photos: Arc<PhotoReader>,
    /// The address that people write to.
    address: Address,
    turns: Semaphore,
}

/// Who sent a mail, as far as its carrier says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// Nobody: it is word of another mail (RFC 5321 section 4.5.5).
    Nobody,
    /// The sender of its envelope.
    Sender(String),
    /// The carrier keeps no envelope: what the mail's own headers say.
    AsWritten,
}

impl Writer {
    pub(super) fn of_envelope(sender: &str) -> Self {
        if sender.is_empty() { Self::Nobody } else { Self::Sender(sender.to_owned()) }
    }
}

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was dealt with, and all that is to be kept of it is kept.
    Done,
    /// It goes in a circle.
    Circles,
    /// It could not be dealt with now. Nothing is lost or doubled if it comes again.
    Later,
}

/// What a mail's requests came to.
struct Outcome {
    news: News,
    /// The language of the device that asked.
    language: Option<Language>,
}

/// The database does not answer, or there is too much to do.
struct Busy;

impl Intake {
    pub(super) fn new(service: Arc<Service>, photos: Arc<PhotoReader>, address: Address) -> Self {
        Self { service, photos, address, turns: Semaphore::new(AT_ONCE) }
    }

    /// Whether mail to this address is for this service.
    pub(super) fn is_for_us(&self, recipient: &str) -> bool {
        Address::parse(recipient).is_ok_and(|recipient| recipient.bucket() == self.address.bucket())
    }

    /// Deals with a mail, or not at all. The same mail again changes nothing.
    pub(super) async fn take(&self, writer: Writer, mail: Bytes) -> Verdict {
        let verdict = match self.deal(writer, mail).await {
            Ok(verdict) => verdict,
            Err(Busy) => Verdict::Later,
        };
        let outcome = match verdict {
            Verdict::Done => "taken",
            Verdict::Circles => "refused",
            Verdict::Later => "put-off",
        };
        metrics::counter!("sparekey_mails_in_total", "outcome" => outcome).increment(1);
        verdict
    }

    async fn deal(&self, writer: Writer, bytes: Bytes) -> Result<Verdict, Busy> {
        let id = MailId(Sha256::digest(&bytes).into());
        if self.service.knows_mail(id).await.map_err(|_| Busy)? {
            return Ok(Verdict::Done);
        }
        let turn = time::timeout(LONGEST_WAIT, self.turns.acquire()).await.map_err(|_| Busy)?;
        let _turn = turn.expect("the semaphore is never closed");
        // What a parser breaks on is no mail.
        let read = task::spawn_blocking(move || Mail::read(&bytes)).await.ok().flatten();
        let Some(mut mail) = read else { return self.note(id, None).await };
        if mail.circles {
            return Ok(Verdict::Circles);
        }
        let sender = self.sender(writer, &mail);
        if sender == Writer::Nobody {
            return self.note(id, None).await;
        }
        let outcome = self.hand_in_all(&mut mail).await?;
        let answer = self.answer(&sender, &mail, outcome);
        self.note(id, answer).await
    }

    async fn note(&self, id: MailId, answer: Option<Answer>) -> Result<Verdict, Busy> {
        let state = match self.service.note_mail(id, answer).await.map_err(|_| Busy)? {
            Dealt::Answered => "queued",
            Dealt::Withheld => "withheld",
            Dealt::Silently | Dealt::Before => "none",
        };
        metrics::counter!("sparekey_mail_answers_total", "state" => state).increment(1);
        Ok(Verdict::Done)
    }

    /// Where the carrier does not say who sent it, `Return-Path` does, if it is there, and else `From`.
    fn sender(&self, writer: Writer, mail: &Mail) -> Writer {
        match (writer, &mail.return_path) {
            (Writer::AsWritten, Some(path)) => {
                Writer::of_envelope(path.trim_start_matches('<').trim_end_matches('>').trim())
            }
            (Writer::AsWritten, None) => {
                mail.from.as_ref().map_or(Writer::Nobody, |from| Writer::Sender(from.as_stored().to_owned()))
            }
            (writer, _) => writer,
        }
    }

    /// All that is in the mail, files first.
    async fn hand_in_all(&self, mail: &mut Mail) -> Result<Outcome, Busy> {
        let mut outcome = Outcome { news: News::NotTaken, language: None };
        for file in std::mem::take(&mut mail.files) {
            if let Ok(carried) = read_file(&file) {
                self.hand_in(carried, &mail.requester, &mut outcome).await?;
            }
        }
        for picture in std::mem::take(&mut mail.pictures) {
            match self.photos.read(picture.into()).await {
                Ok(text) => {
                    if let Ok(bytes) = qr::read(&text) {
                        self.hand_in(vec![(bytes, None)], &mail.requester, &mut outcome).await?;
                    }
                }
                Err(PhotoError::Busy) => return Err(Busy),
                // A decoder that breaks on it would break again.
                Err(_) => {}
            }
        }
        Ok(outcome)
    }

    /// Each request goes the way of all requests; the desk has one case about all of those that are for it.
    async fn hand_in(&self, carried: Vec<Carried>, requester: &Requester, outcome: &mut Outcome) -> Result<(), Busy> {
        let mut for_the_desk = Vec::new();
        for (bytes, file) in carried {
            let (view, language) = match self.service.submit_from_mail(&bytes).await {
                Ok(taken) => taken,
                Err(error) => {
                    let reason = match error {
                        SubmitError::Refused(refusal) => refusal.name(),
                        SubmitError::TooMany { .. } => "too-many",
                        SubmitError::Unavailable => "unavailable",
                    };
                    metrics::counter!("sparekey_requests_refused_total", "reason" => reason).increment(1);
                    if error == SubmitError::Unavailable {
                        return Err(Busy);
                    }
                    continue;
                }
            };
            metrics::counter!("sparekey_requests_opened_total").increment(1);
            outcome.language.get_or_insert(language);
            match view.purpose {
                Purpose::ResetByDesk => for_the_desk.push((bytes, file)),
                Purpose::ResetByEmail | Purpose::ConfirmEmail => outcome.news = News::Code,
            }
        }
        if for_the_desk.is_empty() {
            return Ok(());
        }
        match self.service.open_case_from_mail(for_the_desk, requester.clone()).await {
            Ok(number) => {
                tracing::info!(%number, "a mail opened a case");
                if outcome.news == News::NotTaken {
                    outcome.news = News::Desk;
                }
                Ok(())
            }
            Err(DeskError::Unavailable) => Err(Busy),
            Err(error) => {
                tracing::warn!(%error, "a mail opened no case");
                Ok(())
            }
        }
    }

    /// The answer to a person; none to a program, to a list, or to ourselves (RFC 3834 section 2).
    fn answer(&self, sender: &Writer, mail: &Mail, outcome: Outcome) -> Option<Answer> {
        let Writer::Sender(sender) = sender else { return None };
        let (to, from) = (Address::parse(sender).ok()?, mail.from.as_ref()?);
        let is_person = |address: &Address| !automatic::by_local_part(address.local_part()) && !self.is_ours(address);
        if mail.automatic || !is_person(&to) || !is_person(from) {
            return None;
        }
        let asked = mail.requester.language.clone().or(outcome.language);
        Some(Answer {
            to,
            news: outcome.news,
            language: asked.unwrap_or_else(|| Language::new("en").expect("it is in its bounds")),
            in_reply_to: mail.message_id.clone(),
        })
    }

    fn is_ours(&self, address: &Address) -> bool {
        [&self.address, self.service.writes_from()].iter().any(|own| own.bucket() == address.bucket())
    }
}
