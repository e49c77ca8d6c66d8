//! What there is to play: files that are closed, out of the index, and those that are being written.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sparekey_footage::{Moment, Span, timeline};

use super::{
    Channel, Recording,
    index::{Error, Index},
    repair::take_in,
    writer::DiskError,
};

/// Files that are being written, by their channel; the writer keeps it.
pub(crate) type Open = Arc<Mutex<BTreeMap<Channel, Recording>>>;

/// All recordings. Its calls wait for the disk.
pub(crate) struct Library {
    folder: PathBuf,
    index: Mutex<Index>,
    open: Open,
}

impl Library {
    pub(crate) fn new(folder: &Path, open: Open) -> Result<Self, Error> {
        Ok(Self { folder: folder.to_owned(), index: Mutex::new(Index::open(folder)?), open })
    }

    /// Where all files lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a file lies.
    pub(crate) fn path(&self, recording: &Recording) -> PathBuf {
        self.folder.join(recording.path())
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Channel, Recording>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file by its number.
    pub(crate) fn file(&self, id: i64) -> Result<Option<Recording>, Error> {
        if let Some(open) = self.open().values().find(|open| open.id == id) {
            return Ok(Some(open.clone()));
        }
        // It may have been closed between the two looks.
        self.index().file(id)
    }

    /// Reads a file that was fetched back into the index.
    pub(crate) fn take_in(&self, channel: Channel, from: Moment) -> Result<(), DiskError> {
        take_in(&self.index(), &self.folder, channel, from)
    }

    /// Files of a channel that have something of a span, in order.
    pub(crate) fn files(&self, channel: Channel, span: Span) -> Result<Vec<Recording>, Error> {
        let open = self.open().get(&channel).filter(|open| open.span().common(span).is_some()).cloned();
        let mut files = self.index().files(channel, span)?;
        files.retain(|file| open.as_ref().is_none_or(|open| open.id != file.id));
        files.extend(open);
        Ok(files)
    }

    /// What of a span is recorded.
    pub(crate) fn recorded(&self, channel: Channel, span: Span) -> Result<Vec<Span>, Error> {
        let open = self.open().get(&channel).map(Recording::span);
        let closed = self.index().spans(channel, span)?;
        Ok(timeline::recorded(closed.into_iter().chain(open), span, timeline::JOINED))
    }
}
