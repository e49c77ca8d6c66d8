//! The log, as the service (or whoever mirrors it) serves it.

use sparekey_protocol::{
    Verified,
    log::{Checkpoint, CheckpointRefusal, Hash, LogPolicy, Node, Tile, TileKind, consistency_proof, decode_entries},
};

use crate::{client::Client, failure::Failure};

/// Entries of one bundle.
pub(super) struct Entries {
    /// The number of the first.
    pub(super) first: u64,
    pub(super) entries: Vec<Vec<u8>>,
}

/// A log that is read.
pub(super) struct Log {
    client: Client,
    pub(super) policy: LogPolicy,
}

impl Log {
    pub(super) fn new(client: Client, policy: LogPolicy) -> Self {
        Self { client, policy }
    }

    /// The signed checkpoint, as it is served.
    pub(super) fn note(&self) -> Result<Vec<u8>, Failure> {
        let note = self.client.file("/log/checkpoint")?;
        note.ok_or_else(|| {
            Failure::new(
                "not-possible",
                "The service serves no checkpoint of a public log.",
                "Check the address, and that the service is of a version that keeps one.",
            )
        })
    }

    pub(super) fn open(&self, note: &[u8]) -> Result<Verified<Checkpoint>, CheckpointRefusal> {
        self.policy.open(note)
    }

    /// The entries of the bundle that holds this one, in a tree of this size; `None` if they are not
    /// served, or not as the format says.
    pub(super) fn entries(&self, number: u64, size: u64) -> Result<Option<Entries>, Failure> {
        let Some(tile) = Tile::of_entry(number, size) else { return Ok(None) };
        let Some((bundle, width)) = self.tile(tile)? else { return Ok(None) };
        let Ok(entries) = decode_entries(&bundle, width) else { return Ok(None) };
        let entries = entries.into_iter().take(tile.width.into()).map(<[u8]>::to_vec).collect();
        Ok(Some(Entries { first: tile.index * 256, entries }))
    }

    /// The proof, out of the log's tiles, that a tree extends an earlier one; `None` if tiles are not served.
    pub(super) fn consistency(&self, old: u64, new: u64) -> Result<Option<Vec<Hash>>, Failure> {
        let lookup = |node: Node| -> Result<Hash, Option<Failure>> {
            let tile = Tile::of_node(node, new).ok_or(None)?;
            let (bytes, _) = self.tile(tile).map_err(Some)?.ok_or(None)?;
            let width = usize::from(tile.width) * Hash::LENGTH;
            bytes.get(..width).and_then(|bytes| tile.node(bytes, node)).ok_or(None)
        };
        match consistency_proof(old, new, lookup) {
            Ok(proof) => Ok(proof),
            Err(None) => Ok(None),
            Err(Some(failure)) => Err(failure),
        }
    }

    /// A tile, or the whole one if the partial one is gone, with how many it holds.
    fn tile(&self, tile: Tile) -> Result<Option<(Vec<u8>, u16)>, Failure> {
        let path = |tile: Tile| format!("/log/{}", tile.path());
        if let Some(bytes) = self.client.file(&path(tile))? {
            return Ok(Some((bytes, tile.width)));
        }
        if tile.is_whole() || matches!(tile.kind, TileKind::Hashes(level) if level > 7) {
            return Ok(None);
        }
        Ok(self.client.file(&path(tile.whole()))?.map(|bytes| (bytes, 256)))
    }
}
