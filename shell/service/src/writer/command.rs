use sparekey_cases::{Case, Refusal, Scope};
use sparekey_protocol::{MakerId, Serial, Time, Verified, request::Request};
use tokio::sync::oneshot;

use super::{
    desk::DeskCommand,
    mail_in::{Dealt, MailDealtWith},
    people::PeopleCommand,
    receipt::ReceiptCommand,
};
use crate::{
    case_id::CaseId,
    seal::BucketKey,
    store::{Letter, Noted, Outgoing},
};

/// What is asked of the writer, and where the answer goes.
pub(super) enum Command {
    /// The desk's.
    Desk(Box<DeskCommand>),
    /// About operators.
    People(Box<PeopleCommand>),
    /// A mail was dealt with.
    Mail(Box<MailDealtWith>, Reply<Dealt>),
    /// Write what was handed in before, take no more, and end.
    Close(Reply<()>),
    /// A device's receipt.
    Receipt(Box<ReceiptCommand>),
    Submit(Box<Submit>, Reply<Result<(CaseId, Case), Refusal>>),
    /// What became of a letter.
    Note(Letter, Outcome, Reply<()>),
    /// Give me letters to send, at most so many.
    Lease(u32, Reply<Vec<Outgoing>>),
    /// This letter once more, later.
    Postpone(Letter, Time, Reply<()>),
    /// Refuse this device's requests from now on.
    Withdraw(MakerId, Serial, Reply<()>),
    /// This checkpoint was signed, on top of that one. Answered with whether that one still was the last.
    NoteSigned(Noted, Noted, Reply<bool>),
    /// This checkpoint is out, and whether with the cosignatures that were asked for.
    NotePublished(Noted, bool, Reply<()>),
    /// Seal enrolments under the key in use; answered with how many were.
    Reseal(Reply<u64>),
    /// Drop what is old; answered with how many cases were dropped.
    Sweep(Reply<u64>),
}

/// A request on its way to be decided.
pub(crate) struct Submit {
    /// The id, if it makes a new case.
    pub(crate) id: CaseId,
    pub(crate) request: Verified<Request>,
    /// The request itself, if it is one for the desk, which keeps it.
    pub(crate) bytes: Option<Vec<u8>>,
    /// Whether its address can be written to.
    pub(crate) deliverable: bool,
    pub(crate) again: bool,
    pub(crate) buckets: Vec<(Scope, BucketKey)>,
}

/// What became of a letter for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    Refused,
    Expired,
    /// Accepted, and came back.
    Bounced,
}

/// Who waits for an answer, with the answer as it was last decided. It goes out after the commit; without one, who waits
/// hears that nothing was written.
pub(crate) struct Reply<T> {
    to: oneshot::Sender<T>,
    answer: Option<T>,
}

impl<T> Reply<T> {
    pub(super) fn channel() -> (Self, oneshot::Receiver<T>) {
        let (to, receiver) = oneshot::channel();
        (Self { to, answer: None }, receiver)
    }

    /// In place of an answer that was decided before and not committed.
    pub(super) fn decided(&mut self, answer: T) {
        self.answer = Some(answer);
    }

    pub(super) fn send(self) {
        if let Some(answer) = self.answer {
            // Who asked may be gone.
            let _ = self.to.send(answer);
        }
    }
}

impl Command {
    /// Says what was decided: it is committed.
    pub(super) fn answer(self) {
        match self {
            Self::Desk(command) => command.answer(),
            Self::People(command) => command.answer(),
            Self::Receipt(command) => command.1.send(),
            Self::Mail(_, reply) => reply.send(),
            Self::Submit(_, reply) => reply.send(),
            Self::Lease(_, reply) => reply.send(),
            Self::Sweep(reply) | Self::Reseal(reply) => reply.send(),
            Self::NoteSigned(_, _, reply) => reply.send(),
            Self::Close(reply)
            | Self::Note(_, _, reply)
            | Self::Postpone(_, _, reply)
            | Self::NotePublished(_, _, reply)
            | Self::Withdraw(_, _, reply) => reply.send(),
        }
    }
}
