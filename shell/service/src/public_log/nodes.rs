use std::collections::BTreeMap;

use sparekey_protocol::log::{Edge, Hash, Node, Tile};

use super::{LogError, storage::Storage};

/// Reads the edge of a tree of this size out of its tiles. Its root is to be compared with the one that was signed.
///
/// # Errors
/// [`LogError::TilesMissing`] if a tile is not there or not what it should be.
pub(super) async fn read_edge(storage: &Storage, size: u64) -> Result<Edge, LogError> {
    let missing = || LogError::TilesMissing(storage.to_string());
    let mut tiles = Vec::new();
    for tile in Edge::tiles(size) {
        tiles.push((tile, storage.tile(tile).await?.ok_or_else(missing)?));
    }
    Edge::from_tiles(size, &tiles).ok_or_else(missing)
}

/// A node is in a tile that was not yet read.
#[derive(Debug)]
pub(super) struct NotRead;

/// Does something that looks nodes of a tree of this size up, with the tiles that they are in. It is done twice: to learn which those
/// are, and with them.
///
/// # Errors
/// [`LogError::TilesMissing`] if one is not there.
pub(super) async fn with_nodes<T>(
    storage: &Storage,
    size: u64,
    work: impl Fn(&mut dyn FnMut(Node) -> Result<Hash, NotRead>) -> Result<T, NotRead>,
) -> Result<T, LogError> {
    let missing = || LogError::TilesMissing(storage.to_string());
    let mut wanted = Vec::new();
    let learnt = work(&mut |node| {
        wanted.push(Tile::of_node(node, size).ok_or(NotRead)?);
        Ok(Hash([0; Hash::LENGTH]))
    });
    if learnt.is_err() {
        return Err(missing());
    }
    wanted.sort_unstable();
    wanted.dedup();
    let mut tiles = BTreeMap::new();
    for tile in wanted {
        tiles.insert(tile, storage.tile(tile).await?.ok_or_else(missing)?);
    }
    let mut lookup = |node| {
        let tile = Tile::of_node(node, size).ok_or(NotRead)?;
        tiles.get(&tile).and_then(|bytes| tile.node(bytes, node)).ok_or(NotRead)
    };
    work(&mut lookup).map_err(|NotRead| missing())
}
