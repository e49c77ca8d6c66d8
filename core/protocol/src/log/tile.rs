//! Tiles (c2sp.org/tlog-tiles): the tree in files of 256 hashes, and its entries in bundles of 256.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::tree::{Hash, Node, node_hash};
use crate::cbor::Malformed;

/// The levels of the tree that one tile spans.
const HEIGHT: u8 = 8;
/// Hashes, or entries, of a whole tile.
const WIDTH: u64 = 1 << HEIGHT;
/// The highest level of tiles.
const MAX_LEVEL: u8 = 63;

/// The most bytes of a bundle of leaves.
pub const MAX_BUNDLE_BYTES: usize = 256 * (2 + super::leaf::MAX_LEAF);

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of nodes, each over so many whole tiles of the level below; leaves' hashes at level 0.
    Hashes(u8),
    /// The leaves themselves.
    Entries,
}

/// Names one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// What is in it.
    pub kind: TileKind,
    /// Which one, from the left.
    pub index: u64,
    /// How many hashes or entries it has: 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tile in a tree of this size that holds a node, or below it what the node is made of; `None` if the node is not whole in it.
    #[must_use]
    pub fn of_node(node: Node, size: u64) -> Option<Self> {
        let (level, depth) = (node.level / HEIGHT, node.level % HEIGHT);
        let first = node.index.checked_shl(depth.into()).filter(|first| first >> depth == node.index)?;
        let tile = Self::in_tree(TileKind::Hashes(level), first >> HEIGHT, size)?;
        let end = (first & (WIDTH - 1)) + (1 << depth);
        (end <= u64::from(tile.width)).then_some(tile)
    }

    /// The bundle in a tree of this size that holds an entry.
    #[must_use]
    pub fn of_entry(index: u64, size: u64) -> Option<Self> {
        if index < size { Self::in_tree(TileKind::Entries, index >> HEIGHT, size) } else { None }
    }

    /// This tile as it is in a tree of this size; `None` if it is empty there.
    #[must_use]
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        };
        let hashes = size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0);
        let left = hashes.checked_sub(index.checked_mul(WIDTH)?)?;
        let width = u16::try_from(left.min(WIDTH)).expect("at most 256");
        (width > 0).then_some(Self { kind, index, width })
    }

    /// All tiles that a tree of `new` leaves has and one of `old` leaves has not, entries too: what must be stored before a
    /// checkpoint of that size is.
    #[must_use]
    pub fn between(old: u64, new: u64) -> Vec<Self> {
        let mut tiles = Vec::new();
        let mut add = |kind, level: u32| {
            let (first, last) = (old >> (8 * level), new >> (8 * level));
            if first < last {
                let indices = first / WIDTH..=(last - 1) / WIDTH;
                tiles.extend(indices.filter_map(|index| Self::in_tree(kind, index, new)));
            }
        };
        add(TileKind::Entries, 0);
        for level in 0..8 {
            add(TileKind::Hashes(level), u32::from(level));
        }
        tiles
    }

    /// Whether it has all 256.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// This tile when it will be whole.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { width: 256, ..self }
    }

    /// Its path under the log's prefix: `tile/0/x001/x234/067`, with `.p/5` behind if it has five hashes only.
    #[must_use]
    pub fn path(&self) -> String {
        let level = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".into(),
        };
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.is_whole() { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{level}/{number}{partial}")
    }

    /// Reads a path under the log's prefix, in its one spelling.
    #[must_use]
    pub fn parse_path(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match level {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level <= MAX_LEVEL)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| (1..256).contains(width))?),
            None => (rest, 256),
        };
        let mut index: u64 = 0;
        for part in number.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok().filter(|_| digits.len() == 3)?)?;
        }
        let tile = Self { kind, index, width };
        // Signs, leading zeros, an `x` too many or too few: another spelling than ours is none.
        (tile.path() == path).then_some(tile)
    }

    /// The hash of a node that this tile, with these bytes, holds or is made of; `None` if it holds neither, or has another length.
    #[must_use]
    pub fn node(&self, bytes: &[u8], node: Node) -> Option<Hash> {
        let (level, depth) = (node.level / HEIGHT, node.level % HEIGHT);
        let first = node.index.checked_shl(depth.into())?;
        let whole = bytes.len() == usize::from(self.width) * Hash::LENGTH;
        if self.kind != TileKind::Hashes(level) || first >> HEIGHT != self.index || !whole {
            return None;
        }
        let first = usize::try_from(first & (WIDTH - 1)).expect("below 256");
        let (hashes, _) = bytes.as_chunks::<{ Hash::LENGTH }>();
        let mut row: Vec<Hash> = hashes.get(first..first + (1 << depth))?.iter().copied().map(Hash).collect();
        while row.len() > 1 {
            row = row.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        row.pop()
    }
}

/// A bundle of entries: each with its length before it, 16 bits, big-endian.
#[must_use]
pub fn encode_entries<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bundle = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).expect("leaves are short");
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    bundle
}

/// The entries of a bundle, of which there are `width`.
///
/// # Errors
/// [`Malformed`] unless it has exactly so many, and nothing behind them.
pub fn decode_entries(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, Malformed> {
    if bundle.len() > MAX_BUNDLE_BYTES {
        return Err(Malformed::TooLong);
    }
    let mut rest = bundle;
    let mut entries = Vec::with_capacity(usize::from(width).min(256));
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(Malformed::Shape)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() && entries.len() == usize::from(width) { Ok(entries) } else { Err(Malformed::Shape) }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, vec};

    use super::*;
    use crate::log::{Frontier, leaf_hash, root};

    #[test]
    fn paths_of_the_specification() {
        let tile = |kind, index, width| Tile { kind, index, width };
        for (tile, path) in [
            (tile(TileKind::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(TileKind::Hashes(0), 273, 112), "tile/0/273.p/112"),
            (tile(TileKind::Hashes(63), 0, 1), "tile/63/000.p/1"),
            (tile(TileKind::Entries, 1_000, 255), "tile/entries/x001/000.p/255"),
            (tile(TileKind::Entries, u64::MAX, 256), "tile/entries/x018/x446/x744/x073/x709/x551/615"),
        ] {
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::parse_path(path), Some(tile));
        }
        for path in [
            "",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/00/000",
            "tile/64/000",
            "tile/+1/000",
            "tile/data/000",
            "tile/0/x000/001",
            "tile/0/001/001",
            "tile/0/x001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/0/001.p/+1",
            "tile/0/001.p/",
            "tile/0/+01",
            "tile/0/../000",
            "tile/0/000/",
            "/tile/0/000",
            "tile/entries/x018/x446/x744/x073/x709/x551/616",
            "tile/entries/x999/x018/x446/x744/x073/x709/x551/615",
        ] {
            assert_eq!(Tile::parse_path(path), None, "{path}");
        }
    }

    #[test]
    fn the_tree_of_70_000_leaves_of_the_specification() {
        let mut counts = BTreeMap::<_, (usize, Vec<u16>)>::new();
        for tile in Tile::between(0, 70_000) {
            let count = counts.entry(tile.kind).or_default();
            if tile.is_whole() { count.0 += 1 } else { count.1.push(tile.width) }
        }
        let expected = [
            (TileKind::Hashes(0), (273, vec![112])),
            (TileKind::Hashes(1), (1, vec![17])),
            (TileKind::Hashes(2), (0, vec![1])),
            (TileKind::Entries, (273, vec![112])),
        ];
        assert_eq!(counts, BTreeMap::from(expected));
        assert_eq!(Tile::between(0, 256).len(), 3, "a whole tile, its entries, and one of width 1 above");
        assert_eq!(Tile::between(256, 256), []);
        assert_eq!(Tile::between(255, 256).len(), 3);
    }

    #[test]
    fn every_node_is_found_in_its_tile() {
        // Of 66,000 leaves, so that there are three levels of tiles.
        let size = 66_000_u64;
        let mut nodes = BTreeMap::new();
        let mut frontier = Frontier::new();
        for leaf in 0..size {
            frontier.append(leaf_hash(&leaf.to_be_bytes()), |node, hash| {
                nodes.insert(node, hash);
            });
        }
        let read = |tile: Tile| {
            let TileKind::Hashes(level) = tile.kind else { return Vec::new() };
            let start = tile.index * WIDTH;
            let hash = |index| nodes[&Node { level: level * HEIGHT, index }].0;
            (start..start + u64::from(tile.width)).flat_map(hash).collect()
        };
        let tiles: BTreeMap<Tile, Vec<u8>> =
            Tile::between(0, size).into_iter().map(|tile| (tile, read(tile))).collect();
        let lookup = |node| Tile::of_node(node, size).and_then(|tile| tile.node(&tiles[&tile], node)).ok_or(node);
        for (node, hash) in nodes.iter().filter(|(node, _)| node.index % 97 == 0 || node.level > 6) {
            assert_eq!(lookup(*node), Ok(*hash));
        }
        assert_eq!(root(size, lookup), Ok(frontier.root()));
        assert_eq!(Tile::of_node(Node { level: 0, index: size }, size), None);
        assert_eq!(Tile::of_node(Node { level: 16, index: 1 }, size), None);
        assert_eq!(Tile::of_node(Node { level: 63, index: u64::MAX }, u64::MAX), None);
    }

    #[test]
    fn bundles() {
        let entries: [&[u8]; 3] = [b"one", b"", b"three"];
        let bundle = encode_entries(entries);
        assert_eq!(bundle, b"\0\x03one\0\0\0\x05three");
        assert_eq!(decode_entries(&bundle, 3).unwrap(), entries);
        for (bundle, width) in [(&bundle[..], 2), (&bundle[..], 4), (&bundle[..12], 3), (b"\0", 0), (b"\xff\xffx", 1)] {
            assert_eq!(decode_entries(bundle, width), Err(Malformed::Shape));
        }
        assert_eq!(decode_entries(&vec![0; MAX_BUNDLE_BYTES + 1], 256), Err(Malformed::TooLong));
    }
}
