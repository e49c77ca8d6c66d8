//! The one writer: takes all commands that wait and lets them be decided in one transaction, so that one `fsync` serves many.
//!
//! Nodes on one PostgreSQL database take turns under a lock, so that decisions never race: limits hold, and the same
//! request is one case, however many nodes hear of it at once. An answer goes out after the commit. A command whose
//! transaction failed is tried once more alone, which harms nobody: all commands can be repeated.

mod command;
pub(crate) mod desk;
mod draft;
pub(crate) mod mail_in;
pub(crate) mod people;
mod receipt;

use std::sync::Arc;

use sparekey_cases::{ANSWERS_TO_ALL, ANSWERS_TO_ONE, Budgets, Case, Refusal, Scope};
use sparekey_protocol::{MakerId, Serial, Time};
use tokio::sync::{Notify, mpsc};

use crate::{
    case_id::CaseId,
    clock::Clock,
    keys::Keys,
    seal::{ANSWERS_TO_ALL_BYTE, ANSWERS_TO_ONE_BYTE, Sealer, scope_byte},
    store::{Batch, Letter, Noted, Outgoing, Store, StoreError},
};
use command::{Command, Reply};
pub(crate) use command::{Outcome, Submit};
use desk::{ActOnCase, Acted, DeskCommand, NotDone, OpenCase, OpenedCase};
use draft::Draft;
use mail_in::{Dealt, MailDealtWith};
use people::PeopleCommand;
pub(crate) use receipt::TakeReceipt;
use receipt::{ReceiptCommand, Taken};

/// Commands that may wait; beyond that, callers are told to come again.
const QUEUE: usize = 1_024;
/// The most commands of one transaction.
const BATCH: usize = 256;

/// How long cases are kept.
const KEPT: u64 = 30 * 24 * 60 * 60;
/// How long the desk's cases are kept, and how long their evidence, from their opening.
const DESK_KEPT: u64 = 365 * 24 * 60 * 60;
/// How long it is known which receipts were taken: no phone carries one for longer.
const RECEIPTS_KEPT: u64 = 2 * 365 * 24 * 60 * 60;
const EVIDENCE_KEPT: u64 = 30 * 24 * 60 * 60;

/// How long a letter is its taker's: longer than any attempt to send it lasts.
pub(crate) const LEASE: u64 = sparekey_mail::LONGEST_SEND.as_secs() + 60;
/// The longest time between two attempts.
pub(crate) const LONGEST_BACKOFF: u64 = 600;

/// The command was not carried out: the database does not answer, or too many wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotWritten;

/// Where commands are handed in. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Command>);

/// The task behind it.
pub(crate) struct Scribe {
    pub(crate) store: Arc<Store>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) budgets: Budgets,
    pub(crate) clock: Arc<dyn Clock>,
    /// Told when leaves were added to the public log.
    pub(crate) leaves: Arc<Notify>,
}

impl Writer {
    /// Starts the task. It ends when all handles are gone, or after [`Writer::close`].
    pub(crate) fn start(scribe: Scribe) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(scribe.run(receiver));
        Self(sender)
    }

    /// Has a request decided. Carried out even if nobody waits for the answer any more.
    pub(crate) async fn submit(&self, submit: Submit) -> Result<Result<(CaseId, Case), Refusal>, NotWritten> {
        let (reply, answer) = Reply::channel();
        self.0.try_send(Command::Submit(Box::new(submit), reply)).map_err(|_| NotWritten)?;
        answer.await.map_err(|_| NotWritten)
    }

    /// Has a receipt decided. Carried out even if nobody waits for the answer any more.
    pub(crate) async fn take_receipt(&self, receipt: TakeReceipt) -> Result<Taken, NotWritten> {
        let (reply, answer) = Reply::channel();
        self.0.try_send(Command::Receipt(Box::new(ReceiptCommand(receipt, reply)))).map_err(|_| NotWritten)?;
        answer.await.map_err(|_| NotWritten)
    }

    /// Opens a case of the desk.
    pub(crate) async fn open_case(&self, open: OpenCase) -> Result<Result<OpenedCase, NotDone>, NotWritten> {
        self.ask(|reply| Command::Desk(Box::new(DeskCommand::Open(Box::new(open), reply)))).await
    }

    /// Does something to a case of the desk.
    pub(crate) async fn act(&self, act: ActOnCase) -> Result<Result<Box<Acted>, NotDone>, NotWritten> {
        self.ask(|reply| Command::Desk(Box::new(DeskCommand::Act(Box::new(act), reply)))).await
    }

    /// Has something about operators written; what strangers ask for must find room.
    pub(crate) async fn people<T>(&self, command: impl FnOnce(Reply<T>) -> PeopleCommand) -> Result<T, NotWritten> {
        let (reply, answer) = Reply::channel();
        self.0.try_send(Command::People(Box::new(command(reply)))).map_err(|_| NotWritten)?;
        answer.await.map_err(|_| NotWritten)
    }

    /// Notes that a mail was dealt with, and queues its answer if there may be one.
    pub(crate) async fn mail_dealt_with(&self, dealt: MailDealtWith) -> Result<Dealt, NotWritten> {
        self.ask(|reply| Command::Mail(Box::new(dealt), reply)).await
    }

    /// Keeps a setting of the service's own.
    pub(crate) async fn keep(&self, name: &'static str, value: String) -> Result<(), NotWritten> {
        self.ask(|reply| Command::Desk(Box::new(DeskCommand::Keep(name, value, reply)))).await
    }

    /// Takes letters that are due, at most so many.
    pub(crate) async fn lease(&self, limit: u32) -> Result<Vec<Outgoing>, NotWritten> {
        self.ask(|reply| Command::Lease(limit, reply)).await
    }

    /// Notes what became of a letter.
    pub(crate) async fn note(&self, letter: Letter, outcome: Outcome) -> Result<(), NotWritten> {
        self.ask(|reply| Command::Note(letter, outcome, reply)).await
    }

    /// Gives a letter back.
    pub(crate) async fn postpone(&self, letter: Letter, due_at: Time) -> Result<(), NotWritten> {
        self.ask(|reply| Command::Postpone(letter, due_at, reply)).await
    }

    /// Withdraws a serial; done if it was.
    pub(crate) async fn withdraw(&self, maker: MakerId, serial: Serial) -> Result<(), NotWritten> {
        self.ask(|reply| Command::Withdraw(maker, serial, reply)).await
    }

    /// Notes a signed checkpoint, if the one before it still is the last. Whether it did.
    pub(crate) async fn note_signed(&self, before: Noted, signed: Noted) -> Result<bool, NotWritten> {
        self.ask(|reply| Command::NoteSigned(before, signed, reply)).await
    }

    /// Notes that a checkpoint is out.
    pub(crate) async fn note_published(&self, published: Noted, witnessed: bool) -> Result<(), NotWritten> {
        self.ask(|reply| Command::NotePublished(published, witnessed, reply)).await
    }

    /// Seals some enrolments anew that are sealed under retired keys. Returns how many: ask again until it is none.
    pub(crate) async fn reseal(&self) -> Result<u64, NotWritten> {
        self.ask(Command::Reseal).await
    }

    /// Drops what is old. Returns how many cases were dropped: ask again until it is none.
    pub(crate) async fn sweep(&self) -> Result<u64, NotWritten> {
        self.ask(Command::Sweep).await
    }

    /// Has the task write what was handed in before, and end.
    pub(crate) async fn close(&self) {
        // If it has ended already, so be it.
        let _ = self.ask(Command::Close).await;
    }

    /// Whether commands are still taken.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Waits for room in the queue: for the service's own tasks, which are few.
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, NotWritten> {
        let (reply, answer) = Reply::channel();
        self.0.send(command(reply)).await.map_err(|_| NotWritten)?;
        answer.await.map_err(|_| NotWritten)
    }
}

impl Scribe {
    async fn run(self, mut receiver: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while receiver.recv_many(&mut waiting, BATCH).await > 0 {
            metrics::histogram!("sparekey_writer_batch").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
            if waiting.iter().any(|command| matches!(command, Command::Close(_))) {
                receiver.close();
            }
            match self.write(&mut waiting).await {
                Ok(()) => waiting.drain(..).for_each(Command::answer),
                Err(error) => self.write_each(waiting.drain(..), error).await,
            }
        }
    }

    /// After a batch failed: one bad command is not to stop the others.
    async fn write_each(&self, commands: impl ExactSizeIterator<Item = Command>, error: StoreError) {
        tracing::warn!(%error, commands = commands.len(), "a batch was not written");
        for mut command in commands {
            match self.write(std::slice::from_mut(&mut command)).await {
                Ok(()) => command.answer(),
                Err(error) => {
                    tracing::warn!(%error, "a command was not written");
                    // A lost connection was to be made anew by this one; since that failed, the others need not try.
                    if error.is_unreachable() {
                        return;
                    }
                }
            }
        }
    }

    /// Carries out all commands, or none. What was decided is to be answered after it.
    async fn write(&self, commands: &mut [Command]) -> Result<(), StoreError> {
        let mut batch = self.store.begin().await?;
        let mut draft = Draft::load(&mut batch, commands).await?;
        // After the lock: it may have taken a while.
        let now = self.clock.now();
        for command in &mut *commands {
            draft.decide(command, now, self)?;
        }
        let queued = draft.write(&mut batch, now).await?;
        let has_notices = commands.iter().any(|command| matches!(command, Command::Desk(_) | Command::Receipt(_)));
        for command in commands {
            self.carry_out(&mut batch, command, now).await?;
        }
        batch.commit().await?;

        if queued > 0 {
            metrics::counter!("sparekey_mails_total", "state" => "queued").increment(queued);
        }
        if queued > 0 || has_notices {
            self.leaves.notify_one();
        }
        Ok(())
    }

    /// What is sealed under keys that nobody holds any more is let go: it opens for nobody.
    async fn reseal(&self, batch: &mut Batch) -> Result<u64, StoreError> {
        let found = batch.enrolled_under_others(self.sealer.key()).await?;
        for enrolled in &found {
            let device = enrolled.certificate.device_id();
            let secret = self.sealer.open_enrolment(device, &enrolled.sealed);
            let sealed = secret.map(|secret| self.sealer.seal_enrolment(device, &secret)).transpose();
            let sealed = sealed.map_err(StoreError::Random)?;
            if sealed.is_none() {
                tracing::warn!(serial = %enrolled.certificate.serial, "an enrolment was sealed under a key that is gone");
            }
            batch.reseal(device, self.sealer.key(), sealed.as_ref().map(|(_, sealed)| sealed.as_slice())).await?;
        }
        Ok(found.len() as u64)
    }

    /// The commands that are not about a case.
    async fn carry_out(&self, batch: &mut Batch, command: &mut Command, now: Time) -> Result<(), StoreError> {
        match command {
            Command::Submit(..) => {} // the draft's
            // The draft's too, but for letters of the desk.
            Command::Note(letter, outcome, _) => desk::note(batch, *letter, *outcome, now).await?,
            Command::Desk(command) => command.carry_out(batch, now, self).await?,
            Command::People(command) => command.carry_out(batch, now).await?,
            Command::Receipt(command) => {
                let ReceiptCommand(receipt, reply) = &mut **command;
                reply.decided(receipt::take(batch, receipt, now, self).await?);
            }
            Command::Mail(dealt, reply) => reply.decided(mail_in::deal(batch, dealt, now, &self.sealer).await?),
            Command::Close(reply) => reply.decided(()),
            Command::Lease(limit, reply) => {
                let (until, latest) = (now.plus(LEASE), now.plus(LONGEST_BACKOFF));
                reply.decided(batch.lease(now, until, latest, *limit).await?);
            }
            Command::Postpone(letter, due_at, reply) => reply.decided(batch.postpone(*letter, *due_at).await?),
            Command::Withdraw(maker, serial, reply) => reply.decided(batch.withdraw(*maker, serial).await?),
            Command::NoteSigned(before, signed, reply) => reply.decided(batch.note_signed(before, signed).await?),
            Command::NotePublished(published, witnessed, reply) => {
                reply.decided(batch.note_published(published, *witnessed).await?);
            }
            Command::Reseal(reply) => reply.decided(self.reseal(batch).await?),
            Command::Sweep(reply) => {
                batch.drop_leaves().await?;
                batch.drop_buckets(now).await?;
                for scope in [Scope::DeviceMail, Scope::DeviceDesk, Scope::Address, Scope::Network] {
                    batch.settle_buckets(scope_byte(scope), self.budgets.of(scope).latest(now)).await?;
                }
                batch.settle_buckets(ANSWERS_TO_ONE_BYTE, ANSWERS_TO_ONE.latest(now)).await?;
                batch.settle_buckets(ANSWERS_TO_ALL_BYTE, ANSWERS_TO_ALL.latest(now)).await?;
                batch.drop_mails(Time(now.since(Time(KEPT)))).await?;
                batch.drop_old_credentials(now).await?;
                batch.drop_receipts(Time(now.since(Time(RECEIPTS_KEPT)))).await?;
                let (oldest, evidence) = (Time(now.since(Time(DESK_KEPT))), Time(now.since(Time(EVIDENCE_KEPT))));
                let desk = batch.drop_desk_cases(oldest, evidence).await?;
                reply.decided(desk + batch.drop_cases(Time(now.since(Time(KEPT)))).await?);
            }
        }
        Ok(())
    }
}
