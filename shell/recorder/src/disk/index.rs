//! The index: a row a file. What is in it can be read out of the files again, so it is written lazily: after the files, and without
//! waiting for the disk.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension, Row, params};
use sparekey_footage::{Moment, Span, Stretch, retention};

use super::{Channel, Recording, Stream};
use crate::mp4::scan::Fragment;

pub(crate) type Error = rusqlite::Error;

/// The index's file, beside the recordings.
pub(crate) const FILE: &str = "index.db";
/// Of the tables below.
const VERSION: u32 = 1;
const TABLES: &str = "
    CREATE TABLE file (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        camera INTEGER NOT NULL,
        stream TEXT NOT NULL,
        begins INTEGER NOT NULL, -- milliseconds since 1970
        ends INTEGER NOT NULL,
        ticks INTEGER NOT NULL, -- of 1/90000 s
        init INTEGER NOT NULL, -- bytes before the first fragment
        bytes INTEGER NOT NULL,
        codecs TEXT NOT NULL,
        fragments BLOB NOT NULL,
        closed INTEGER NOT NULL,
        locked INTEGER NOT NULL DEFAULT 0,
        sent INTEGER NOT NULL DEFAULT 0, -- to the backup
        UNIQUE (camera, stream, begins)
    ) STRICT;
    CREATE INDEX oldest ON file (begins) WHERE closed;
    CREATE INDEX unsent ON file (begins) WHERE closed AND NOT sent;
    CREATE INDEX opened ON file (id) WHERE NOT closed;
    CREATE TABLE lock (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        camera INTEGER NOT NULL,
        begins INTEGER NOT NULL,
        ends INTEGER NOT NULL,
        note TEXT NOT NULL
    ) STRICT;
";

/// Bytes of a fragment in a row.
const PACKED: usize = 16;
/// In the last bit of its ticks: that it begins with a key picture.
const KEY: u32 = 1 << 31;

/// A connection to it.
pub(crate) struct Index(Connection);

impl Index {
    /// Opens it, or makes it.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        // For its owner only, as the recordings are.
        let path = folder.join(FILE);
        let _ = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        let db = Connection::open(path)?;
        db.busy_timeout(Duration::from_secs(10))?;
        db.pragma_update(None, "journal_mode", "wal")?;
        // A power cut may cost the last rows, which are in the files.
        db.pragma_update(None, "synchronous", "normal")?;
        match db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))? {
            0 => {
                db.execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
            }
            VERSION => {}
            _ => return Err(Error::InvalidQuery),
        }
        Ok(Self(db))
    }

    /// A new file; its number.
    pub(crate) fn begin(&self, channel: Channel, from: Moment, init: u64, codecs: &str) -> Result<i64, Error> {
        let mut add = self.0.prepare_cached(
            "INSERT INTO file (camera, stream, begins, ends, ticks, init, bytes, codecs, fragments, closed)
             VALUES (?1, ?2, ?3, ?3, 0, ?4, ?4, ?5, x'', 0)",
        )?;
        add.insert(params![channel.0, channel.1.name(), signed(from.0), signed(init), codecs])
    }

    /// A file that is whole now.
    pub(crate) fn close(&self, file: &Recording) -> Result<(), Error> {
        let mut change = self.0.prepare_cached(
            "UPDATE file SET ends = ?2, ticks = ?3, init = ?4, bytes = ?5, codecs = ?6, fragments = ?7, closed = 1,
                locked = EXISTS (SELECT 1 FROM lock WHERE lock.camera = file.camera AND lock.begins < ?2 AND file.begins < lock.ends)
             WHERE id = ?1",
        )?;
        let (ends, ticks) = (signed(file.span().to.0), signed(file.stretch.ticks));
        change.execute(params![
            file.id,
            ends,
            ticks,
            signed(file.init),
            signed(file.bytes),
            file.codecs,
            pack(&file.fragments)
        ])?;
        Ok(())
    }

    /// Forgets a file.
    pub(crate) fn forget(&self, id: i64) -> Result<(), Error> {
        self.0.prepare_cached("DELETE FROM file WHERE id = ?1")?.execute([id]).map(drop)
    }

    /// A file by its number.
    pub(crate) fn file(&self, id: i64) -> Result<Option<Recording>, Error> {
        let mut find = self.0.prepare_cached(&select("id = ?1"))?;
        find.query_row([id], read).optional()
    }

    /// Closed files of a channel that have something of a span, in order.
    pub(crate) fn files(&self, channel: Channel, span: Span) -> Result<Vec<Recording>, Error> {
        let mut find = self.0.prepare_cached(&select(
            "closed AND camera = ?1 AND stream = ?2 AND begins < ?4 AND ends > ?3 ORDER BY begins",
        ))?;
        let range = params![channel.0, channel.1.name(), signed(span.from.0), signed(span.to.0)];
        find.query_map(range, read)?.collect()
    }

    /// When the closed files of a channel were recorded, of those that have something of a span, in order.
    pub(crate) fn spans(&self, channel: Channel, span: Span) -> Result<Vec<Span>, Error> {
        let mut find = self.0.prepare_cached(
            "SELECT begins, ends FROM file WHERE closed AND camera = ?1 AND stream = ?2 AND begins < ?4 AND ends > ?3 ORDER BY begins",
        )?;
        let range = params![channel.0, channel.1.name(), signed(span.from.0), signed(span.to.0)];
        let spans = find.query_map(range, |row| Ok(Span::new(moment(row, 0)?, moment(row, 1)?)))?;
        spans.filter_map(Result::transpose).collect()
    }

    /// Files that were being written when the recorder ended.
    pub(crate) fn open_files(&self) -> Result<Vec<Recording>, Error> {
        self.0.prepare_cached(&select("NOT closed"))?.query_map([], read)?.collect()
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Result<std::collections::BTreeSet<(Channel, Moment)>, Error> {
        let mut find = self.0.prepare("SELECT camera, stream, begins FROM file")?;
        find.query_map([], |row| Ok(((row.get(0)?, stream(row, 1)?), moment(row, 2)?)))?.collect()
    }

    /// Where the last recording ends.
    pub(crate) fn last(&self) -> Result<Option<Moment>, Error> {
        let last = "SELECT max(ends) FROM (SELECT ends FROM file WHERE closed ORDER BY begins DESC LIMIT 1000)";
        self.0
            .query_row(last, [], |row| row.get::<_, Option<i64>>(0))
            .map(|last| last.map(|last| Moment(last.unsigned_abs())))
    }

    /// Closed files, the oldest first, from one on; so many.
    pub(crate) fn oldest(&self, from: Moment, after: i64, count: u32) -> Result<Vec<retention::File>, Error> {
        let mut find = self.0.prepare_cached(
            "SELECT id, camera, begins, ends, bytes, locked FROM file
             WHERE closed AND (begins, id) > (?1, ?2) ORDER BY begins, id LIMIT ?3",
        )?;
        let read = |row: &Row<'_>| {
            Ok(retention::File {
                id: row.get(0)?,
                camera: row.get(1)?,
                span: Span { from: moment(row, 2)?, to: moment(row, 3)? },
                bytes: row.get::<_, i64>(4)?.unsigned_abs(),
                locked: row.get(5)?,
            })
        };
        find.query_map(params![signed(from.0), after, count], read)?.collect()
    }

    /// Closed files that were not sent to the backup, the oldest first.
    pub(crate) fn not_sent(&self, count: u32) -> Result<Vec<Recording>, Error> {
        self.0
            .prepare_cached(&select("closed AND NOT sent ORDER BY begins LIMIT ?1"))?
            .query_map([count], read)?
            .collect()
    }

    /// A file is at the backup.
    pub(crate) fn sent(&self, id: i64) -> Result<(), Error> {
        self.0.prepare_cached("UPDATE file SET sent = 1 WHERE id = ?1")?.execute([id]).map(drop)
    }

    /// Bytes of each camera.
    pub(crate) fn usage(&self) -> Result<std::collections::BTreeMap<u32, u64>, Error> {
        let mut sum = self.0.prepare_cached("SELECT camera, sum(bytes) FROM file GROUP BY camera")?;
        sum.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?.collect()
    }

    /// Keeps a span of a camera for good: what of it is recorded, and what will be. The number of the lock.
    pub(crate) fn lock(&self, camera: u32, span: Span, note: &str) -> Result<i64, Error> {
        let range = params![camera, signed(span.from.0), signed(span.to.0)];
        let all = self.0.unchecked_transaction()?;
        all.execute("UPDATE file SET locked = 1 WHERE camera = ?1 AND begins < ?3 AND ends > ?2", range)?;
        let add = "INSERT INTO lock (camera, begins, ends, note) VALUES (?1, ?2, ?3, ?4)";
        all.execute(add, params![camera, signed(span.from.0), signed(span.to.0), note])?;
        let id = all.last_insert_rowid();
        all.commit()?;
        Ok(id)
    }

    /// Lets go of a lock; what no other lock keeps may go again. Whether there was one.
    pub(crate) fn unlock(&self, id: i64) -> Result<bool, Error> {
        let all = self.0.unchecked_transaction()?;
        let camera = all
            .query_row("DELETE FROM lock WHERE id = ?1 RETURNING camera", [id], |row| row.get::<_, u32>(0))
            .optional()?;
        if let Some(camera) = camera {
            all.execute(
                "UPDATE file SET locked = EXISTS (SELECT 1 FROM lock WHERE lock.camera = file.camera
                    AND lock.begins < file.ends AND file.begins < lock.ends) WHERE camera = ?1 AND locked",
                [camera],
            )?;
        }
        all.commit()?;
        Ok(camera.is_some())
    }

    /// The locks of a camera that have something of a span: number, span, note.
    pub(crate) fn locks(&self, camera: u32, span: Span) -> Result<Vec<(i64, Span, String)>, Error> {
        let mut find = self.0.prepare_cached(
            "SELECT id, begins, ends, note FROM lock WHERE camera = ?1 AND begins < ?3 AND ends > ?2 ORDER BY begins",
        )?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, Span { from: moment(row, 1)?, to: moment(row, 2)? }, row.get(3)?));
        find.query_map(params![camera, signed(span.from.0), signed(span.to.0)], read)?.collect()
    }
}

fn select(which: &str) -> String {
    format!(
        "SELECT id, camera, stream, begins, ends, ticks, init, bytes, codecs, locked, fragments FROM file WHERE {which}"
    )
}

fn read(row: &Row<'_>) -> Result<Recording, Error> {
    let unsigned = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let span = Span { from: moment(row, 3)?, to: moment(row, 4)? };
    let stretch = Stretch { span, ticks: unsigned(5)? };
    Ok(Recording {
        id: row.get(0)?,
        channel: (row.get(1)?, stream(row, 2)?),
        stretch,
        init: unsigned(6)?,
        bytes: unsigned(7)?,
        codecs: row.get(8)?,
        locked: row.get(9)?,
        fragments: unpack(row.get_ref(10)?.as_blob().unwrap_or_default(), stretch),
    })
}

fn moment(row: &Row<'_>, column: usize) -> Result<Moment, Error> {
    row.get::<_, i64>(column).map(|time| Moment(time.unsigned_abs()))
}

fn stream(row: &Row<'_>, column: usize) -> Result<Stream, Error> {
    let name: String = row.get(column)?;
    Ok(Stream::BOTH.into_iter().find(|known| known.name() == name).unwrap_or(Stream::Main))
}

/// SQLite's integers have a sign.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Four numbers of four bytes each: where it begins in ticks, how long it plays, where it is, how long it is.
fn pack(fragments: &[Fragment]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(fragments.len() * PACKED);
    let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    for of in fragments {
        let ticks = of.ticks.min(KEY - 1) | if of.key { KEY } else { 0 };
        for value in [small(of.begins), ticks, small(of.offset), of.length] {
            packed.extend_from_slice(&value.to_le_bytes());
        }
    }
    packed
}

fn unpack(packed: &[u8], stretch: Stretch) -> Vec<Fragment> {
    let fragment = |packed: &[u8; PACKED]| {
        let value = |at: usize| u32::from_le_bytes([packed[at], packed[at + 1], packed[at + 2], packed[at + 3]]);
        let (begins, ticks) = (u64::from(value(0)), value(4));
        Fragment {
            taken: stretch.moment_at(begins),
            begins,
            ticks: ticks & !KEY,
            offset: value(8).into(),
            length: value(12),
            key: ticks & KEY != 0,
        }
    };
    packed.as_chunks().0.iter().map(fragment).collect()
}
