use alloc::vec::Vec;

use super::{
    frontier::Frontier,
    tile::{Tile, TileKind, decode_entries, encode_entries},
    tree::{Hash, Node, leaf_hash},
};

/// Levels of tiles that a tree of 64-bit size has.
const LEVELS: u8 = 8;
const WIDTH: usize = 256;

/// The right edge of a tree that is kept in tiles: what is needed to add leaves, to make their tiles, and to know the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    frontier: Frontier,
    /// Of each level, the hashes of the tile that is not yet whole.
    rows: [Vec<Hash>; LEVELS as usize],
    /// The leaves of the bundle that is not yet whole.
    entries: Vec<Vec<u8>>,
}

impl Edge {
    /// The tiles that [`Edge::from_tiles`] needs of a tree of this size: those that are not whole.
    pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
        let hashes = (0..LEVELS).map(TileKind::Hashes);
        hashes.chain([TileKind::Entries]).filter_map(move |kind| partial(kind, size))
    }

    /// The edge of a tree of this size. Its root is what the tiles make it: to be compared with the one that was signed.
    ///
    /// `None` if a tile is missing, or not what it should be.
    #[must_use]
    pub fn from_tiles(size: u64, tiles: &[(Tile, Vec<u8>)]) -> Option<Self> {
        let bytes = |wanted: Tile| tiles.iter().find(|(tile, _)| *tile == wanted).map(|(_, bytes)| &bytes[..]);
        let mut edge = Self::default();
        for level in 0..LEVELS {
            let Some(tile) = partial(TileKind::Hashes(level), size) else { continue };
            let (hashes, rest) = bytes(tile)?.as_chunks::<{ Hash::LENGTH }>();
            if hashes.len() != usize::from(tile.width) || !rest.is_empty() {
                return None;
            }
            edge.rows[usize::from(level)] = hashes.iter().copied().map(Hash).collect();
        }
        // All whole nodes at the right edge are in tiles that are not whole.
        let lookup = |node: Node| tiles.iter().find_map(|(tile, bytes)| tile.node(bytes, node)).ok_or(());
        edge.frontier = Frontier::read(size, lookup).ok()?;
        if let Some(tile) = partial(TileKind::Entries, size) {
            let entries = decode_entries(bytes(tile)?, tile.width).ok()?;
            if !entries.iter().map(|entry| leaf_hash(entry)).eq(edge.rows[0].iter().copied()) {
                return None;
            }
            edge.entries = entries.into_iter().map(<[u8]>::to_vec).collect();
        }
        Some(edge)
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The tree's root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Adds leaves. Returns the tiles that the larger tree has and the smaller had not ([`Tile::between`]), which must be stored before a
    /// checkpoint of its size is signed.
    #[must_use]
    pub fn append(&mut self, leaves: Vec<Vec<u8>>) -> Vec<(Tile, Vec<u8>)> {
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
    use alloc::collections::BTreeMap;

    use super::*;

    fn leaves(range: core::ops::Range<u64>) -> Vec<Vec<u8>> {
        range.map(|n| n.to_be_bytes().to_vec()).collect()
    }

    #[test]
    fn it_is_read_as_it_was_written_at_every_size() {
        let mut stored = BTreeMap::new();
        let (mut edge, mut at) = (Edge::default(), 0);
        // Across the ends of tiles, by one and by many.
        for next in [0, 1, 2, 255, 256, 257, 511, 513, 1_000, 65_535, 65_536, 65_537, 66_000] {
            let tiles = edge.append(leaves(at..next));
            let mut made: Vec<_> = tiles.iter().map(|(tile, _)| *tile).collect();
            let mut expected = Tile::between(at, next);
            made.sort_unstable();
            expected.sort_unstable();
            assert_eq!(made, expected, "{at} to {next}");
            stored.extend(tiles);
            let read = |size| -> Vec<(Tile, Vec<u8>)> {
                Edge::tiles(size).filter_map(|tile| Some((tile, stored.get(&tile)?.clone()))).collect()
            };
            assert_eq!(Edge::from_tiles(next, &read(next)).as_ref(), Some(&edge), "{next}");
            assert_eq!(Edge::from_tiles(next + 1, &read(next + 1)), None, "what is not stored is not read");
            at = next;
        }
    }

    #[test]
    fn an_altered_tile_makes_another_root_or_none() {
        let mut edge = Edge::default();
        let tiles: Vec<_> = edge.append(leaves(0..700)).into_iter().filter(|(tile, _)| !tile.is_whole()).collect();
        assert_eq!(Edge::from_tiles(700, &tiles).unwrap().root(), edge.root());
        for which in 0..tiles.len() {
            let mut altered = tiles.clone();
            altered[which].1[5] ^= 1;
            assert!(Edge::from_tiles(700, &altered).is_none_or(|altered| altered.root() != edge.root()), "{which}");
            altered[which].1.pop();
            assert_eq!(Edge::from_tiles(700, &altered), None, "{which} cut short");
        }
    }
}
