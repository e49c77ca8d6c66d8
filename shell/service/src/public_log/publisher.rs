//! The publisher: one at a time over all nodes, it brings leaves out of the database into the log.

use std::{sync::Arc, time::Duration};

use sparekey_protocol::{
    SigningKey,
    log::{Checkpoint, Edge, LogPolicy, NoteKey, Tile},
};
use tokio::{
    sync::{Notify, watch},
    time,
};
use tokio_util::sync::CancellationToken;

use super::{LogError, LogSettings, PublicLog, open::open, storage::Storage, witness::Witnesses};
use crate::{
    store::{LogState, Noted, Store, Turn},
    writer::Writer,
};

/// How often it looks by itself: for leaves of a node that died, and for witnesses that did not answer.
const LOOK: Duration = Duration::from_secs(1);
/// How soon a node asks again for its turn, while another has it and there is something to publish.
const BETWEEN_TURNS: Duration = Duration::from_millis(100);
/// After a failure; then twice as long each time.
const AGAIN: Duration = Duration::from_millis(250);
const LONGEST_AGAIN: Duration = Duration::from_secs(30);
/// Leaves of one round, so that mails of the first of them do not wait for the last.
const MOST_READINGS: u32 = 4;

/// The publisher's task.
pub(crate) struct Publisher {
    storage: Storage,
    store: Arc<Store>,
    writer: Writer,
    key: SigningKey,
    origin: String,
    /// The log's key alone: what this service itself believes.
    log: LogPolicy,
    witnesses: Witnesses,
    state: watch::Sender<Arc<LogState>>,
    /// Told by the writer when leaves were added.
    leaves: Arc<Notify>,
    /// Tells the sender that letters may leave.
    letters: Arc<Notify>,
    stop: CancellationToken,
    /// The last signed tree's edge, if it was this node that signed it.
    edge: Option<(Noted, Edge)>,
    /// The step after which a test has it end.
    #[cfg(test)]
    ends_after: Option<Step>,
}

/// What came of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Done,
    /// Another node publishes, and there is something left.
    OthersTurn,
}

/// The steps of a round, each on disk before the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    TilesWritten,
    SignedNoted,
    CheckpointOut,
    PublishedNoted,
}

/// What a publisher is made with.
pub(crate) struct Parts {
    pub(crate) settings: LogSettings,
    pub(crate) store: Arc<Store>,
    pub(crate) writer: Writer,
    pub(crate) key: SigningKey,
    pub(crate) log: NoteKey,
    pub(crate) leaves: Arc<Notify>,
    pub(crate) letters: Arc<Notify>,
    pub(crate) stop: CancellationToken,
}

impl Publisher {
    /// A publisher on a log that was seen to be whole, and the handle by which the log is asked.
    ///
    /// # Errors
    /// [`LogError`] if database and files do not belong together.
    pub(crate) async fn open(parts: Parts) -> Result<(Self, PublicLog), LogError> {
        let Parts { settings, store, writer, key, log, leaves, letters, stop } = parts;
        let LogSettings { storage, witnesses, quorum } = settings;
        let own = LogPolicy::of_log(log.clone());
        let turn = wait_for_turn(&store).await?;
        let (state, _) = open(&storage, &store, &own).await?;
        turn.end().await?;
        let witnesses = Witnesses::new(log.clone(), witnesses, quorum);
        let (sender, receiver) = watch::channel(Arc::new(state));
        let public = PublicLog { storage: storage.clone(), policy: witnesses.policy(), state: receiver };
        let publisher = Self {
            storage,
            store,
            writer,
            key,
            origin: log.name().to_owned(),
            log: own,
            witnesses,
            state: sender,
            leaves,
            letters,
            stop,
            edge: None,
            #[cfg(test)]
            ends_after: None,
        };
        Ok((publisher, public))
    }

    /// Publishes until it is stopped.
    pub(crate) async fn run(mut self) {
        let mut again = AGAIN;
        loop {
            let (pause, at_once) = match self.round().await {
                Ok(Round::Done) => {
                    again = AGAIN;
                    (LOOK, true)
                }
                Ok(Round::OthersTurn) => (BETWEEN_TURNS, false),
                Err(error) => {
                    self.edge = None;
                    metrics::counter!("sparekey_log_failures_total").increment(1);
                    tracing::error!(%error, "the public log does not go on: no mail leaves until it does");
                    let pause = again;
                    again = (again * 2).min(LONGEST_AGAIN);
                    (pause, false)
                }
            };
            tokio::select! {
                () = self.leaves.notified(), if at_once => {}
                () = time::sleep(pause) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Brings out all leaves that there are. What fails, or is cut off, is repeated by the next round, on this node or another.
    async fn round(&mut self) -> Result<Round, LogError> {
        let turn = self.store.publishing_turn().await?;
        let mut state = self.store.log_state().await?;
        let Some(turn) = turn else {
            // Another node is at it: what it brings out is told here too.
            let left = state.next_leaf > state.published.size;
            if **self.state.borrow() != state {
                self.tell(state);
            }
            return Ok(if left { Round::OthersTurn } else { Round::Done });
        };
        // Whoever signed last knows the edge; who did not reads it, and sees that all is as it was signed.
        let (mut signed, mut edge) = match self.edge.take() {
            Some((signed, edge)) if signed == state.signed => (signed, edge),
            _ => {
                let (opened, edge) = open(&self.storage, &self.store, &self.log).await?;
                state = opened;
                (state.signed.clone(), edge)
            }
        };
        let leaves = self.leaves_from(edge.size()).await?;
        if !leaves.is_empty() || signed.note.is_empty() {
            let tiles = edge.append(leaves);
            let whole: Vec<Tile> = tiles.iter().map(|(tile, _)| *tile).filter(Tile::is_whole).collect();
            // Tiles before the signature: what is signed can be proven.
            self.storage.write_tiles(tiles).await?;
            self.reached(Step::TilesWritten)?;
            let checkpoint = Checkpoint { origin: self.origin.clone(), size: edge.size(), root: edge.root() };
            let next = Noted { size: checkpoint.size, note: checkpoint.sign(&self.key) };
            // Noted before anybody sees it: a checkpoint that is out is never forgotten. If another was noted meanwhile, this one is not.
            if !self.writer.note_signed(signed, next.clone()).await.map_err(|_| LogError::NotWritten)? {
                turn.end().await?;
                return Ok(Round::Done);
            }
            self.reached(Step::SignedNoted)?;
            signed = next;
            self.publish(&signed, false).await?;
            for tile in whole {
                self.storage.drop_partials(tile).await?;
            }
        } else if state.published.size < signed.size || state.published.note.is_empty() {
            // Signed, and cut off before it was out.
            self.publish(&signed, false).await?;
        } else if state.witnessed.size < signed.size || state.witnessed.note.is_empty() {
            self.publish(&signed, true).await?;
        } else if **self.state.borrow() != state {
            // Another node was here.
            self.tell(state);
        }
        self.edge = Some((signed, edge));
        turn.end().await?;
        Ok(Round::Done)
    }

    async fn leaves_from(&self, first: u64) -> Result<Vec<Vec<u8>>, LogError> {
        let mut leaves = Vec::new();
        for _ in 0..MOST_READINGS {
            let read = self.store.leaves_from(first + leaves.len() as u64).await?;
            let is_last = read.is_empty();
            leaves.extend(read);
            if is_last {
                break;
            }
        }
        Ok(leaves)
    }

    /// Puts a signed checkpoint out, with the cosignatures that come in time, and says so. `only_witnessed`: it is out already, and is
    /// put out again if enough witnesses saw it now.
    async fn publish(&self, signed: &Noted, only_witnessed: bool) -> Result<(), LogError> {
        let cosigned = self.witnesses.cosign(&self.storage, signed).await;
        if only_witnessed && !cosigned.enough {
            return Ok(());
        }
        let out = Noted { size: signed.size, note: signed.note.clone() + &cosigned.lines };
        self.storage.write_checkpoint(&out.note).await?;
        self.reached(Step::CheckpointOut)?;
        self.writer.note_published(out, cosigned.enough).await.map_err(|_| LogError::NotWritten)?;
        self.reached(Step::PublishedNoted)?;
        let state = self.store.log_state().await?;
        self.tell(state);
        Ok(())
    }

    /// Where a test ends a round, as a crash would.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "only tests end here"))]
    fn reached(&self, _step: Step) -> Result<(), LogError> {
        #[cfg(test)]
        if self.ends_after == Some(_step) {
            return Err(LogError::NotWritten);
        }
        Ok(())
    }

    fn tell(&self, state: LogState) {
        metrics::gauge!("sparekey_log_leaves").set(state.published.size as f64);
        self.state.send_replace(Arc::new(state));
        self.letters.notify_one();
    }
}

/// A log is opened while nobody adds to it.
async fn wait_for_turn(store: &Store) -> Result<Turn, LogError> {
    loop {
        if let Some(turn) = store.publishing_turn().await? {
            return Ok(turn);
        }
        time::sleep(BETWEEN_TURNS).await;
    }
}

#[cfg(test)]
mod tests;
