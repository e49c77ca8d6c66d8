//! Before anything is signed: do database and files belong together? What a crash, or a restored backup, left is repaired here.

use sparekey_protocol::{
    Verified,
    log::{Checkpoint, Edge, LogPolicy, Tile, decode_entries, root},
};

use super::{
    LogError,
    nodes::{read_edge, with_nodes},
    storage::Storage,
};
use crate::store::{LogState, Noted, Store};

/// Reads the last signed tree's edge out of its tiles, and sees that the tree is the one that was signed, and that it extends the
/// one that is out.
///
/// A database that knows less than is out was restored from a backup: if all its leaves are in the log, it follows the log.
///
/// # Errors
/// [`LogError`]; then nothing may be signed.
pub(super) async fn open(storage: &Storage, store: &Store, log: &LogPolicy) -> Result<(LogState, Edge), LogError> {
    // The files first: whatever is out was noted in the database before.
    let out = match storage.checkpoint().await? {
        Some(note) => {
            let checkpoint = log.open(&note).map_err(|_| LogError::OtherLog(storage.to_string()))?;
            Some((checkpoint, note))
        }
        None => None,
    };
    let mut state = store.log_state().await?;
    if let Some((checkpoint, note)) = &out
        && checkpoint.size > state.signed.size
    {
        state = follow(storage, store, log, checkpoint, note).await?;
    }

    let edge = read_edge(storage, state.signed.size).await?;
    let signed = signed_checkpoint(storage, log, &state.signed)?;
    if signed.is_some_and(|signed| signed.root != edge.root()) {
        return Err(LogError::TilesMissing(storage.to_string()));
    }
    match out {
        Some((checkpoint, _)) if checkpoint.root != root_at(storage, checkpoint.size, edge.size()).await? => {
            Err(LogError::Forked(storage.to_string()))
        }
        // Something was published, and is not there.
        None if state.published.size > 0 => Err(LogError::TilesMissing(storage.to_string())),
        _ => Ok((state, edge)),
    }
}

/// What was signed last, if anything was.
fn signed_checkpoint(
    storage: &Storage,
    log: &LogPolicy,
    signed: &Noted,
) -> Result<Option<Verified<Checkpoint>>, LogError> {
    if signed.note.is_empty() {
        return Ok(None);
    }
    let checkpoint = log.open(signed.note.as_bytes()).map_err(|_| LogError::OtherLog(storage.to_string()))?;
    if checkpoint.size == signed.size { Ok(Some(checkpoint)) } else { Err(LogError::Forked(storage.to_string())) }
}

/// The root of the first `size` leaves, out of the tiles of a tree that has at least as many.
async fn root_at(storage: &Storage, size: u64, of: u64) -> Result<sparekey_protocol::log::Hash, LogError> {
    with_nodes(storage, of, |lookup| root(size, lookup)).await
}

/// Brings a database that was restored from a backup up to the log, if it is one of its own past.
async fn follow(
    storage: &Storage,
    store: &Store,
    log: &LogPolicy,
    out: &Verified<Checkpoint>,
    note: &[u8],
) -> Result<LogState, LogError> {
    let forked = || LogError::Forked(storage.to_string());
    let edge = read_edge(storage, out.size).await?;
    if edge.root() != out.root {
        return Err(LogError::TilesMissing(storage.to_string()));
    }
    // Under the writer's lock: nobody adds leaves meanwhile.
    let mut batch = store.begin().await?;
    let state = batch.log_state().await?;
    if out.size <= state.signed.size {
        return Ok(state); // another node was faster
    }
    if let Some(signed) = signed_checkpoint(storage, log, &state.signed)?
        && signed.root != root_at(storage, signed.size, out.size).await?
    {
        return Err(forked());
    }
    let mut number = state.signed.size;
    loop {
        let leaves = store.leaves_from(number).await?;
        if leaves.is_empty() {
            break;
        }
        for leaf in leaves {
            if number < out.size && entry(storage, number, out.size).await? != Some(leaf) {
                return Err(forked());
            }
            number += 1;
        }
    }
    tracing::warn!(
        from = state.signed.size,
        to = out.size,
        "the database was restored from a backup: it goes on where the public log is"
    );
    let published = Noted { size: out.size, note: String::from_utf8_lossy(note).into_owned() };
    batch.follow_log(&published).await?;
    let state = batch.log_state().await?;
    batch.commit().await?;
    Ok(state)
}

async fn entry(storage: &Storage, number: u64, size: u64) -> Result<Option<Vec<u8>>, LogError> {
    let Some(tile) = Tile::of_entry(number, size) else { return Ok(None) };
    let Some(bundle) = storage.tile(tile).await? else { return Ok(None) };
    let entries = decode_entries(&bundle, tile.width).unwrap_or_default();
    Ok(entries.get((number % 256) as usize).map(|entry| entry.to_vec()))
}
