use std::{fmt, io, path::PathBuf, str::FromStr};

use sparekey_protocol::log::{Hash, MAX_NOTE, Tile, TileKind, decode_entries, encode_entries};

use super::{folder, objects::Objects};

/// Where the checkpoint is, under the log's prefix.
pub(super) const CHECKPOINT: &str = "checkpoint";

/// The log's files did not do as they were asked.
#[derive(Debug, thiserror::Error)]
#[error("the public log's files in {place} cannot be used: {source}\nCheck that they can be reached and written.")]
pub struct StorageError {
    place: String,
    source: io::Error,
}

/// Where tiles and checkpoints are kept. It is all public; who can write there can make the log unreadable, and forge nothing.
#[derive(Clone, Debug)]
pub struct Storage(Place);

#[derive(Clone, Debug)]
enum Place {
    Folder(PathBuf),
    Objects(Objects),
}

impl Storage {
    /// In a folder; it is made with the first tile.
    #[must_use]
    pub fn folder(path: PathBuf) -> Self {
        Self(Place::Folder(path))
    }

    /// The file at this path under the log's prefix.
    pub(super) async fn read(&self, path: String) -> Result<Option<Vec<u8>>, StorageError> {
        match &self.0 {
            Place::Folder(root) => {
                let root = root.clone();
                self.blocking(move || folder::read(&root, &path)).await
            }
            Place::Objects(objects) => self.named(objects.read(&path).await),
        }
    }

    /// The checkpoint that is out.
    pub(super) async fn checkpoint(&self) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.read(CHECKPOINT.into()).await?.filter(|note| note.len() <= MAX_NOTE))
    }

    /// A tile; out of the whole one if it is partial and gone.
    pub(super) async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StorageError> {
        let found = self.read(tile.path()).await?;
        if found.is_some() || tile.is_whole() {
            return Ok(found);
        }
        let Some(whole) = self.read(tile.whole().path()).await? else { return Ok(None) };
        let width = usize::from(tile.width);
        Ok(match tile.kind {
            TileKind::Hashes(_) => whole.get(..width * Hash::LENGTH).map(<[u8]>::to_vec),
            TileKind::Entries => {
                decode_entries(&whole, 256).ok().map(|entries| encode_entries(entries.into_iter().take(width)))
            }
        })
    }

    /// Writes tiles. When it returns they are kept.
    pub(super) async fn write_tiles(&self, tiles: Vec<(Tile, Vec<u8>)>) -> Result<(), StorageError> {
        self.write(tiles.into_iter().map(|(tile, bytes)| (tile.path(), bytes)).collect()).await
    }

    /// Puts a checkpoint in the place of the one before it. Its tiles must have been written.
    pub(super) async fn write_checkpoint(&self, note: &str) -> Result<(), StorageError> {
        self.write(vec![(CHECKPOINT.into(), note.into())]).await
    }

    /// Drops the partial tiles of a tile that is whole.
    pub(super) async fn drop_partials(&self, tile: Tile) -> Result<(), StorageError> {
        let path = format!("{}.p", tile.whole().path());
        match &self.0 {
            Place::Folder(root) => {
                let root = root.clone();
                self.blocking(move || folder::remove(&root, &path)).await
            }
            Place::Objects(objects) => self.named(objects.remove(&path).await),
        }
    }

    async fn write(&self, files: Vec<folder::Entry>) -> Result<(), StorageError> {
        match &self.0 {
            Place::Folder(root) => {
                let root = root.clone();
                self.blocking(move || folder::write(&root, &files)).await
            }
            Place::Objects(objects) => self.named(objects.write(files).await),
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        self.named(tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error))))
    }

    fn named<T>(&self, done: io::Result<T>) -> Result<T, StorageError> {
        done.map_err(|source| StorageError { place: self.to_string(), source })
    }
}

/// Why a setting names no place for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither a folder nor the URL of an object store that this program was built for (`cargo build --features s3`)"
)]
pub struct BadPlace;

impl FromStr for Storage {
    type Err = BadPlace;

    /// A folder, or the URL of an object store.
    fn from_str(text: &str) -> Result<Self, BadPlace> {
        if text.contains("://") {
            return Objects::open(text).map(|objects| Self(Place::Objects(objects))).ok_or(BadPlace);
        }
        if text.is_empty() { Err(BadPlace) } else { Ok(Self::folder(text.into())) }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Folder(root) => root.display().fmt(f),
            Place::Objects(objects) => objects.fmt(f),
        }
    }
}
