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
    writer::{DiskError, MARK, Writer},
};

/// Files that are being written, by their channel; the writer keeps it.
pub(crate) type Open = Arc<Mutex<BTreeMap<Channel, Recording>>>;

/// A connection to the index for who reads; none: it was not asked yet, or the disk is away.
pub(crate) type Reader = Arc<Mutex<Option<Index>>>;

/// All recordings. Its calls wait for the disk.
pub(crate) struct Library {
    folder: PathBuf,
    index: Reader,
    open: Open,
}

impl Library {
    pub(crate) fn new(folder: &Path, writer: &Writer) -> Self {
        let (index, open) = (Arc::clone(&writer.reader), Arc::clone(&writer.open));
        Self { folder: folder.to_owned(), index, open }
    }

    /// Where all files lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a file lies.
    pub(crate) fn path(&self, recording: &Recording) -> PathBuf {
        self.folder.join(recording.path())
    }

    /// Asks the index; where that fails, once more by a new connection: the disk may have been away.
    pub(crate) fn ask<T>(&self, ask: impl Fn(&Index) -> Result<T, Error>) -> Result<T, Error> {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = index.as_ref().and_then(|index| ask(index).ok()) {
            return Ok(answer);
        }
        *index = None;
        // Never where another disk is: the index would be made there.
        if !self.folder.join(MARK).exists() {
            return Err(Error::InvalidPath(self.folder.clone()));
        }
        ask(index.insert(Index::open(&self.folder)?))
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
        self.ask(|index| index.file(id))
    }

    /// Reads a file that was fetched back into the index.
    pub(crate) fn take_in(&self, channel: Channel, from: Moment) -> Result<(), DiskError> {
        let index = Index::open(&self.folder)?;
        take_in(&index, &self.folder, channel, from)
    }

    /// Files of a channel that have something of a span, in order.
    pub(crate) fn files(&self, channel: Channel, span: Span) -> Result<Vec<Recording>, Error> {
        let open = self.open().get(&channel).filter(|open| open.span().common(span).is_some()).cloned();
        let mut files = self.ask(|index| index.files(channel, span))?;
        files.retain(|file| open.as_ref().is_none_or(|open| open.id != file.id));
        files.extend(open);
        Ok(files)
    }

    /// What of a span is recorded.
    pub(crate) fn recorded(&self, channel: Channel, span: Span) -> Result<Vec<Span>, Error> {
        let open = self.open().get(&channel).map(Recording::span);
        let closed = self.ask(|index| index.spans(channel, span))?;
        Ok(timeline::recorded(closed.into_iter().chain(open), span, timeline::JOINED))
    }
}
