//! The one writer: takes all commands that wait and lets them be decided in one transaction, so that one `fsync` serves many.
//!
//! Nodes on one PostgreSQL database take turns under a lock, so that decisions never race: limits hold, and the same
//! request is one case, however many nodes hear of it at once. An answer goes out after the commit. A command whose
//! transaction failed is tried once more alone, which harms nobody: all commands can be repeated.

mod draft;

use std::sync::Arc;

use sparekey_cases::{Budgets, Case, Scope};
use sparekey_protocol::{Time, Verified, request::Request};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    case_id::CaseId,
    clock::Clock,
    seal::{BucketKey, Sealer, scope_byte},
    store::{Letter, Outgoing, Store, StoreError},
};
use draft::Draft;

/// Commands that may wait; beyond that, callers are told to come again.
const QUEUE: usize = 1_024;
/// The most commands of one transaction.
const BATCH: usize = 256;

/// How long cases are kept.
const KEPT: u64 = 30 * 24 * 60 * 60;

/// How long a letter is its taker's: longer than any attempt to send it lasts.
pub(crate) const LEASE: u64 = crate::mail::LONGEST_SEND.as_secs() + 60;
/// The longest time between two attempts.
pub(crate) const LONGEST_BACKOFF: u64 = 600;

/// What became of a letter for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    Refused,
    Expired,
}

/// A request on its way to be decided.
pub(crate) struct Submit {
    /// The id, if it makes a new case.
    pub(crate) id: CaseId,
    pub(crate) request: Verified<Request>,
    /// Whether its address can be written to.
    pub(crate) deliverable: bool,
    pub(crate) again: bool,
    pub(crate) buckets: Vec<(Scope, BucketKey)>,
}

/// What is asked of the writer.
enum Command {
    /// Write what was handed in before, take no more, and end.
    Close,
    Submit(Box<Submit>),
    /// What became of a letter.
    Note(Letter, Outcome),
    /// Give me letters to send.
    Lease(u32),
    /// This letter once more, later.
    Postpone(Letter, Time),
    /// Drop what is old.
    Sweep,
}

/// The answer to a [`Command`], in kind.
enum Answer {
    Case(Result<(CaseId, Case), sparekey_cases::Refusal>),
    Letters(Vec<Outgoing>),
    /// How many cases were dropped.
    Swept(u64),
    Done,
}

/// The command was not carried out: the database does not answer, or too many wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotWritten;

type Reply = oneshot::Sender<Result<Answer, NotWritten>>;

/// Where commands are handed in. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<(Command, Reply)>);

/// The task behind it.
pub(crate) struct Scribe {
    pub(crate) store: Arc<Store>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) budgets: Budgets,
    pub(crate) clock: Arc<dyn Clock>,
    /// Told when a letter was queued.
    pub(crate) letters: Arc<Notify>,
}

impl Writer {
    /// Starts the task. It ends when all handles are gone, or after [`Writer::close`].
    pub(crate) fn start(scribe: Scribe) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(scribe.run(receiver));
        Self(sender)
    }

    /// Has a request decided. Carried out even if nobody waits for the answer any more.
    pub(crate) async fn submit(
        &self,
        submit: Submit,
    ) -> Result<Result<(CaseId, Case), sparekey_cases::Refusal>, NotWritten> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send((Command::Submit(Box::new(submit)), reply)).map_err(|_| NotWritten)?;
        match answer.await.map_err(|_| NotWritten)?? {
            Answer::Case(decided) => Ok(decided),
            _ => unreachable!("answered in kind"),
        }
    }

    /// Takes letters that are due, at most so many.
    pub(crate) async fn lease(&self, limit: u32) -> Result<Vec<Outgoing>, NotWritten> {
        match self.ask(Command::Lease(limit)).await? {
            Answer::Letters(letters) => Ok(letters),
            _ => unreachable!("answered in kind"),
        }
    }

    /// Notes what became of a letter.
    pub(crate) async fn note(&self, letter: Letter, outcome: Outcome) -> Result<(), NotWritten> {
        self.ask(Command::Note(letter, outcome)).await.map(drop)
    }

    /// Gives a letter back.
    pub(crate) async fn postpone(&self, letter: Letter, due_at: Time) -> Result<(), NotWritten> {
        self.ask(Command::Postpone(letter, due_at)).await.map(drop)
    }

    /// Drops what is old. Returns how many cases were dropped: ask again until it is none.
    pub(crate) async fn sweep(&self) -> Result<u64, NotWritten> {
        match self.ask(Command::Sweep).await? {
            Answer::Swept(cases) => Ok(cases),
            _ => unreachable!("answered in kind"),
        }
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
    async fn ask(&self, command: Command) -> Result<Answer, NotWritten> {
        let (reply, answer) = oneshot::channel();
        self.0.send((command, reply)).await.map_err(|_| NotWritten)?;
        answer.await.map_err(|_| NotWritten)?
    }
}

impl Scribe {
    async fn run(self, mut receiver: mpsc::Receiver<(Command, Reply)>) {
        let mut waiting = Vec::with_capacity(BATCH);
        while receiver.recv_many(&mut waiting, BATCH).await > 0 {
            metrics::histogram!("sparekey_writer_batch").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
            if waiting.iter().any(|(command, _)| matches!(command, Command::Close)) {
                receiver.close();
            }
            let (commands, replies): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
            match self.write(&commands).await {
                Ok(answers) => send(replies.into_iter().zip(answers.into_iter().map(Ok))),
                Err(error) => self.write_each(&commands, replies, error).await,
            }
        }
    }

    /// After a batch failed: one bad command is not to stop the others.
    async fn write_each(&self, commands: &[Command], replies: Vec<Reply>, error: StoreError) {
        tracing::warn!(%error, commands = commands.len(), "a batch was not written");
        // A lost connection is made anew by the first of them; if that fails, the others need not try.
        let mut unreachable = false;
        for (command, reply) in commands.iter().zip(replies) {
            let answer = if unreachable { Err(NotWritten) } else { self.write_one(command, &mut unreachable).await };
            send([(reply, answer)]);
        }
    }

    async fn write_one(&self, command: &Command, unreachable: &mut bool) -> Result<Answer, NotWritten> {
        match self.write(std::slice::from_ref(command)).await {
            Ok(mut answers) => Ok(answers.remove(0)),
            Err(error) => {
                tracing::warn!(%error, "a command was not written");
                *unreachable = error.is_unreachable();
                Err(NotWritten)
            }
        }
    }

    /// Carries out all commands, or none.
    async fn write(&self, commands: &[Command]) -> Result<Vec<Answer>, StoreError> {
        let mut batch = self.store.begin().await?;
        let mut draft = Draft::load(&mut batch, commands).await?;
        // After the lock: it may have taken a while.
        let now = self.clock.now();
        let decided: Vec<_> =
            commands.iter().map(|command| draft.decide(command, now, self)).collect::<Result<_, _>>()?;
        let queued = draft.write(&mut batch, now).await?;

        let mut answers = Vec::with_capacity(commands.len());
        for (command, decided) in commands.iter().zip(decided) {
            answers.push(match (command, decided) {
                (Command::Submit(_), Some(decided)) => Answer::Case(decided),
                (Command::Submit(_), None) => unreachable!("a request is decided"),
                (Command::Note(..) | Command::Close, _) => Answer::Done,
                (Command::Lease(limit), _) => {
                    let (until, latest) = (now.plus(LEASE), now.plus(LONGEST_BACKOFF));
                    Answer::Letters(batch.lease(now, until, latest, *limit).await?)
                }
                (Command::Postpone(letter, due_at), _) => {
                    batch.postpone(*letter, *due_at).await?;
                    Answer::Done
                }
                (Command::Sweep, _) => {
                    batch.drop_buckets(now).await?;
                    for scope in [Scope::DeviceMail, Scope::DeviceDesk, Scope::Address, Scope::Network] {
                        batch.settle_buckets(scope_byte(scope), self.budgets.of(scope).latest(now)).await?;
                    }
                    Answer::Swept(batch.drop_cases(Time(now.since(Time(KEPT)))).await?)
                }
            });
        }
        batch.commit().await?;

        if queued > 0 {
            metrics::counter!("sparekey_mails_total", "state" => "queued").increment(queued);
            self.letters.notify_one();
        }
        Ok(answers)
    }
}

/// Who asked may be gone.
fn send(answers: impl IntoIterator<Item = (Reply, Result<Answer, NotWritten>)>) {
    for (reply, answer) in answers {
        let _ = reply.send(answer);
    }
}
