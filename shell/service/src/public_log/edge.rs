use sparekey_protocol::log::{Frontier, Hash, Node, Tile, TileKind, decode_entries, encode_entries, leaf_hash};

use super::{LogError, storage::Storage};

/// Levels of tiles that a tree of 64-bit size has.
const LEVELS: u8 = 8;
const WIDTH: usize = 256;

/// The right edge of the tree as it is stored: what is needed to add leaves, to make their tiles, and to know the root.
#[derive(Clone, Default)]
pub(super) struct Edge {
    frontier: Frontier,
    /// Of each level, the hashes of the tile that is not yet whole.
    rows: [Vec<Hash>; LEVELS as usize],
    /// The leaves of the bundle that is not yet whole.
    entries: Vec<Vec<u8>>,
}

impl Edge {
    /// Reads the edge of a tree of this size. Its root is what the tiles make it: to be compared with the one that was signed.
    ///
    /// # Errors
    /// [`LogError::TilesMissing`] if a tile is not there or not what it should be.
    pub(super) async fn read(storage: &Storage, size: u64) -> Result<Self, LogError> {
        let missing = || LogError::TilesMissing(storage.to_string());
        let mut edge = Self::default();
        let mut tiles = Vec::new();
        for level in 0..LEVELS {
            let Some(tile) = partial(TileKind::Hashes(level), size) else { continue };
            let bytes = storage.tile(tile).await?.ok_or_else(missing)?;
            let (hashes, rest) = bytes.as_chunks::<{ Hash::LENGTH }>();
            if hashes.len() != usize::from(tile.width) || !rest.is_empty() {
                return Err(missing());
            }
            edge.rows[usize::from(level)] = hashes.iter().copied().map(Hash).collect();
            tiles.push((tile, bytes));
        }
        // All whole nodes at the right edge are in tiles that are not whole.
        let lookup = |node: Node| tiles.iter().find_map(|(tile, bytes)| tile.node(bytes, node)).ok_or_else(missing);
        edge.frontier = Frontier::read(size, lookup)?;
        if let Some(tile) = partial(TileKind::Entries, size) {
            let bundle = storage.tile(tile).await?.ok_or_else(missing)?;
            let entries = decode_entries(&bundle, tile.width).map_err(|_| missing())?;
            if !entries.iter().map(|entry| leaf_hash(entry)).eq(edge.rows[0].iter().copied()) {
                return Err(missing());
            }
            edge.entries = entries.into_iter().map(<[u8]>::to_vec).collect();
        }
        Ok(edge)
    }

    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Adds leaves. Returns the tiles that the larger tree has and the smaller had not.
    pub(super) fn append(&mut self, leaves: Vec<Vec<u8>>) -> Vec<(Tile, Vec<u8>)> {
        let old = self.size();
        let mut tiles = Vec::new();
        let Self { frontier, rows, entries } = self;
        for leaf in leaves {
            let hash = leaf_hash(&leaf);
            entries.push(leaf);
            if entries.len() == WIDTH {
                let tile = Tile { kind: TileKind::Entries, index: frontier.size() / WIDTH as u64, width: 256 };
                tiles.push((tile, bundle(entries)));
                entries.clear();
            }
            frontier.append(hash, |node, hash| {
                if node.level % 8 != 0 {
                    return;
                }
                let row = &mut rows[usize::from(node.level / 8)];
                row.push(hash);
                if row.len() == WIDTH {
                    let tile =
                        Tile { kind: TileKind::Hashes(node.level / 8), index: node.index / WIDTH as u64, width: 256 };
                    tiles.push((tile, joined(row)));
                    row.clear();
                }
            });
        }
        let new = self.size();
        for (level, row) in (0..LEVELS).zip(&self.rows) {
            if old >> (8 * level) != new >> (8 * level)
                && let Some(tile) = partial(TileKind::Hashes(level), new)
            {
                tiles.push((tile, joined(row)));
            }
        }
        if old != new
            && let Some(tile) = partial(TileKind::Entries, new)
        {
            tiles.push((tile, bundle(&self.entries)));
        }
        tiles
    }
}

/// The last tile of its kind, if it is not whole.
fn partial(kind: TileKind, size: u64) -> Option<Tile> {
    let level = if let TileKind::Hashes(level) = kind { level } else { 0 };
    let index = (size >> (8 * level)) / WIDTH as u64;
    Tile::in_tree(kind, index, size)
}

fn joined(row: &[Hash]) -> Vec<u8> {
    row.iter().flat_map(|hash| hash.0).collect()
}

fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    encode_entries(entries.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
        range.map(|n| n.to_be_bytes().to_vec()).collect()
    }

    #[tokio::test]
    async fn it_is_read_as_it_was_written_at_every_size() {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::folder(dir.path().join("log"));
        let (mut edge, mut at) = (Edge::default(), 0);
        // Across the ends of tiles, by one and by many.
        for next in [0, 1, 2, 255, 256, 257, 511, 513, 1_000, 65_535, 65_536, 65_537, 66_000] {
            let tiles = edge.append(leaves(at..next));
            let mut made: Vec<_> = tiles.iter().map(|(tile, _)| *tile).collect();
            let mut expected = Tile::between(at, next);
            made.sort_unstable();
            expected.sort_unstable();
            assert_eq!(made, expected, "{at} to {next}");
            storage.write_tiles(tiles).await.unwrap();
            let read = Edge::read(&storage, next).await.unwrap();
            assert_eq!((read.root(), &read.rows, &read.entries), (edge.root(), &edge.rows, &edge.entries), "{next}");
            at = next;
        }
        assert!(matches!(Edge::read(&storage, at + 1).await, Err(LogError::TilesMissing(_))));
        // Partial tiles that are gone are read out of whole ones.
        storage.drop_partials(Tile { kind: TileKind::Hashes(0), index: 0, width: 256 }).await.unwrap();
        storage.drop_partials(Tile { kind: TileKind::Entries, index: 0, width: 256 }).await.unwrap();
        let mut small = Edge::default();
        small.append(leaves(0..255));
        assert_eq!(Edge::read(&storage, 255).await.unwrap().root(), small.root());
    }
}
