use alloc::vec::Vec;
use core::fmt;

use sparekey_protocol::{
    ReservedEmail, Time, Verified,
    request::{Purpose, Request},
};

use crate::{
    case::{Case, MailState},
    fact::{Fact, Received},
    limits::{Bucket, Buckets, Budgets, Scope, take_each},
};

/// How long a code is mailed after its request was taken: what a device gives it by default. The device decides by its own clock.
const CODE_LASTS: u64 = 30 * 60;
/// How long the desk may answer: what a device gives its request (protocol section 6).
const DESK_LASTS: u64 = 48 * 60 * 60;
/// The first letter, and twice once more (protocol section 12).
const MOST_LETTERS: u32 = 3;
/// Seconds between a letter and the next (protocol section 12).
const BETWEEN_LETTERS: u64 = 60;

/// What is asked of a case.
#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// A request that was opened.
    Submit(Submission<'a>),
    /// A mail server took a letter.
    MailAccepted {
        /// Which one, from 1.
        letter: u32,
    },
    /// A letter cannot be delivered.
    MailRefused {
        /// Which one, from 1.
        letter: u32,
    },
    /// A letter could not be sent while its code was good.
    MailExpired {
        /// Which one, from 1.
        letter: u32,
    },
    /// A letter that a mail server took came back.
    MailBounced {
        /// Which one, from 1.
        letter: u32,
    },
}

/// A request with what the shell knows about it.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// The proof that every check passed.
    pub request: &'a Verified<Request>,
    /// Whether the reserved address is one that can be written to. Of no meaning for the desk.
    pub deliverable: bool,
    /// Whether the mail is wanted once more.
    pub again: bool,
    /// How much is let through.
    pub budgets: &'a Budgets,
    /// What is left of it.
    pub buckets: &'a Buckets,
}

/// What is to be written, all of it or nothing. Empty if everything stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Facts to add, in this order.
    pub facts: Vec<Fact>,
    /// Buckets as they are now.
    pub taken: Vec<(Scope, Bucket)>,
    /// The letter to queue.
    pub letter: Option<u32>,
}

/// Why nothing is done, and nothing written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A limit is reached.
    TooMany {
        /// Seconds to wait, at least 1: the longest wait of all limits that are reached.
        retry_after: u64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { retry_after } => write!(f, "too many: wait {retry_after} seconds"),
        }
    }
}

impl core::error::Error for Refusal {}

/// Decides about a case, which is `None` if there is none yet.
///
/// # Errors
/// A [`Refusal`]; nothing is to be written then.
pub fn decide(case: Option<&Case>, now: Time, command: Command<'_>) -> Result<Decision, Refusal> {
    match (command, case) {
        (Command::Submit(submission), None) => receive(&submission, now),
        (Command::Submit(submission), Some(case)) if submission.again => mail_again(case, &submission, now),
        // The same bytes again: answered as before, and nothing sent.
        (Command::Submit(_), Some(_)) => Ok(Decision::default()),
        (Command::MailAccepted { letter }, Some(case)) => Ok(note(case, Fact::MailSent { letter }, letter)),
        (Command::MailRefused { letter }, Some(case)) => Ok(note(case, Fact::MailRefused { letter }, letter)),
        (Command::MailExpired { letter }, Some(case)) => Ok(note(case, Fact::MailExpired { letter }, letter)),
        (Command::MailBounced { letter }, Some(case)) => Ok(note(case, Fact::MailBounced { letter }, letter)),
        // The case was dropped with its age.
        (
            Command::MailAccepted { .. }
            | Command::MailRefused { .. }
            | Command::MailExpired { .. }
            | Command::MailBounced { .. },
            None,
        ) => Ok(Decision::default()),
    }
}

fn receive(submission: &Submission<'_>, now: Time) -> Result<Decision, Refusal> {
    let request = submission.request;
    let purpose = request.contents.ask.purpose();
    let taken = take(submission, purpose, now)?;
    let email = request.contents.ask.email();
    let received = Fact::Received(Received::of(request, submission.deliverable, now));
    Ok(match email {
        None => Decision { facts: [received].into(), taken, letter: None },
        Some(_) if submission.deliverable => Decision { facts: [received].into(), taken, letter: Some(1) },
        // An address that cannot be written to is said at once, as if the mail server had.
        Some(_) => Decision { facts: [received, Fact::MailRefused { letter: 1 }].into(), taken, letter: None },
    })
}

impl Received {
    /// What is kept of a request that was opened now, and whose address, if it has one, can be written to or not.
    #[must_use]
    pub fn of(request: &Verified<Request>, deliverable: bool, now: Time) -> Self {
        let purpose = request.contents.ask.purpose();
        Self {
            identity: request.identity,
            maker: request.certificate.maker,
            device: request.certificate.device_id(),
            purpose,
            serial: request.certificate.serial.clone(),
            model: request.certificate.model.clone(),
            masked_address: request.contents.ask.email().filter(|_| deliverable).map(ReservedEmail::masked),
            nonce: request.nonce,
            expires_at: now.plus(if purpose == Purpose::ResetByDesk { DESK_LASTS } else { CODE_LASTS }),
        }
    }
}

fn mail_again(case: &Case, submission: &Submission<'_>, now: Time) -> Result<Decision, Refusal> {
    let Some(mail) = case.mail else { return Ok(Decision::default()) };
    // On its way already, or of no use any more: answered as it stands.
    if mail.state == MailState::Queued || now >= case.expires_at || !submission.deliverable {
        return Ok(Decision::default());
    }
    if mail.letter >= MOST_LETTERS {
        return Err(Refusal::TooMany { retry_after: case.expires_at.since(now) });
    }
    let early = mail.since.plus(BETWEEN_LETTERS).since(now);
    if early > 0 {
        return Err(Refusal::TooMany { retry_after: early });
    }
    let taken = take(submission, case.purpose, now)?;
    let letter = mail.letter + 1;
    Ok(Decision { facts: [Fact::AskedAgain { letter }].into(), taken, letter: Some(letter) })
}

/// One from each bucket, or none from any.
fn take(submission: &Submission<'_>, purpose: Purpose, now: Time) -> Result<Vec<(Scope, Bucket)>, Refusal> {
    let scopes = Scope::of(purpose);
    let asked = scopes.iter().map(|scope| (*scope, submission.buckets.of(*scope)));
    match take_each(asked, submission.budgets, now) {
        Ok(taken) => Ok(scopes.iter().copied().zip(taken).collect()),
        Err(retry_after) => Err(Refusal::TooMany { retry_after }),
    }
}

/// What became of a letter, if that is news: a note may come twice, and late. Sent is the last word but for a bounce, which
/// only a letter that was sent can have.
fn note(case: &Case, fact: Fact, letter: u32) -> Decision {
    let Some(mail) = case.mail.filter(|mail| mail.letter == letter) else { return Decision::default() };
    let news = match (mail.state, &fact) {
        (MailState::Sent, fact) => matches!(fact, Fact::MailBounced { .. }),
        (_, Fact::MailBounced { .. }) => false,
        (MailState::Queued, _) => true,
        (MailState::Refused, fact) => matches!(fact, Fact::MailSent { .. }),
    };
    if news { Decision { facts: [fact].into(), ..Decision::default() } } else { Decision::default() }
}
