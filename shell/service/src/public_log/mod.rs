//! The public log (protocol section 7): every act that could help anybody into a device is a leaf in it, before it takes effect.
//!
//! A leaf is written with its fact and its letter in one transaction of the writer. Then, under a lock so that of many nodes one
//! does it: tiles are stored, a checkpoint that extends the last one is signed and noted in the database, put out, and noted as
//! out. Only then letters leave and grants are handed out. Each step can be repeated; `docs/design/003-public-log.md` names the step that
//! repairs each crash.
//!
//! This module must not decide what is logged: `sparekey-cases` and the writer do.

mod folder;
mod nodes;
mod objects;
mod open;
mod publisher;
mod storage;
mod witness;

use std::{path::PathBuf, sync::Arc, time::Duration};

use sparekey_protocol::log::{Leaf, LogPolicy, LogProof, Tile, inclusion_proof};
use tokio::{sync::watch, time};

pub(crate) use self::publisher::{Parts, Publisher};
pub use self::{
    storage::{BadPlace, Storage, StorageError},
    witness::{BadWitness, WitnessUrl},
};
use crate::store::{LogState, Noted, StoreError};

/// Where the log is kept, and who is to see its checkpoints.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// Where its files are.
    pub storage: Storage,
    /// Who is asked to cosign.
    pub witnesses: Vec<WitnessUrl>,
    /// How many of them must have: as many as the cards of this service's makers ask for.
    pub quorum: usize,
}

impl LogSettings {
    /// In a folder, without witnesses.
    #[must_use]
    pub fn in_folder(path: PathBuf) -> Self {
        Self { storage: Storage::folder(path), witnesses: Vec::new(), quorum: 0 }
    }
}

/// Why the log does not go on.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The storage's own word.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database's own word.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was signed cannot be found, or was altered.
    #[error(
        "the public log's files in {0} are not those that this service signed\nNothing more is signed. Restore them, or name the right place with --log."
    )]
    TilesMissing(String),
    /// A checkpoint is out that this database does not know, and leaves in it that are other ones.
    #[error(
        "the database and the public log's files in {0} tell different stories\nNothing more is signed. Restore the database that belongs to them."
    )]
    Forked(String),
    /// Not this key's checkpoint.
    #[error(
        "the checkpoint in {0} is not one of this service's log key\nPut log.key back, or name the right place with --log."
    )]
    OtherLog(String),
    /// The writer did not carry it out.
    #[error("the database does not take what is written\nCheck that it runs and can be reached.")]
    NotWritten,
}

/// A leaf is not yet proven: it is not published, or not yet seen by enough witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotProven;

/// What is asked of the log: its checkpoint, its tiles, and proofs. Cheap to clone.
#[derive(Clone)]
pub struct PublicLog {
    storage: Storage,
    policy: Arc<LogPolicy>,
    /// How far it is, as this node last heard.
    state: watch::Receiver<Arc<LogState>>,
}

impl PublicLog {
    /// The signed checkpoint that is out; `None` before the first is.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn checkpoint(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.storage.checkpoint().await
    }

    /// A tile of the tree that is out, exactly as wide as asked.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StorageError> {
        let is_out = |size| Tile::in_tree(tile.kind, tile.index, size).is_some_and(|out| tile.width <= out.width);
        let known = self.state.borrow().published.size;
        // Another node may have published more than this one has heard of.
        if !is_out(known) && !self.published_size().await?.is_some_and(is_out) {
            return Ok(None);
        }
        self.storage.read(tile.path()).await
    }

    /// The proof that this leaf, which has this number, stands in the log: once it is published, and seen by the quorum of witnesses. Waits
    /// for that, at most so long.
    ///
    /// # Errors
    /// [`NotProven`]: to be asked again later.
    pub async fn prove(&self, number: u64, leaf: &Leaf, at_most: Duration) -> Result<String, NotProven> {
        let mut state = self.state.clone();
        let Noted { size, note } = {
            let is_in = state.wait_for(|state| state.witnessed.size > number);
            let Ok(Ok(state)) = time::timeout(at_most, is_in).await else { return Err(NotProven) };
            state.witnessed.clone()
        };
        let path = nodes::with_nodes(&self.storage, size, |lookup| inclusion_proof(number, size, lookup)).await;
        let path = path.map_err(|error| {
            tracing::error!(%error, "a proof could not be made");
            NotProven
        })?;
        let proof = LogProof { index: number, path: path.ok_or(NotProven)?, checkpoint: &note };
        // What is handed out is what the device will find right.
        proof.verify(leaf, &self.policy).map_err(|_| {
            tracing::error!(number, "the log does not hold what was written to it");
            NotProven
        })?;
        Ok(proof.encode())
    }

    async fn published_size(&self) -> Result<Option<u64>, StorageError> {
        let note = self.storage.checkpoint().await?;
        let log = LogPolicy::of_log(self.policy.log().clone());
        Ok(note.and_then(|note| log.open(&note).ok()).map(|checkpoint| checkpoint.size))
    }
}
