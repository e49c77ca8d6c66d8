//! Makes index and files agree when the recorder starts: files that were open are cut where they stop being whole, files that the index
//! does not know are read into it, rows without a file are forgotten. Only such files are read: a start takes no longer for what is there.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
};

use sparekey_footage::{Moment, Span, Stretch};

use super::{
    Channel, Recording,
    index::{self, Index},
    writer::DiskError,
};
use crate::mp4::scan::scan;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repaired {
    /// Files whose end was cut off or that were closed.
    pub(crate) files: usize,
    /// Bytes that were cut off.
    pub(crate) bytes: u64,
}

/// Opens the index and mends what a crash left behind. An index that cannot be opened is made anew.
pub(crate) fn repair(folder: &Path) -> Result<(Index, Repaired), DiskError> {
    let index = match Index::open(folder) {
        Ok(index) => index,
        Err(error) => {
            tracing::warn!(%error, "the index of the recordings cannot be read, and is made anew from the files");
            for end in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(folder.join(format!("{}{end}", index::FILE)));
            }
            Index::open(folder)?
        }
    };
    let mut repaired = Repaired::default();
    for open in index.open_files()? {
        mend(&index, folder, open, &mut repaired)?;
    }
    let known = index.names()?;
    for (channel, from) in on_disk(folder)? {
        if known.contains(&(channel, from)) {
            continue;
        }
        take_in_noted(&index, folder, channel, from, &mut repaired)?;
    }
    Ok((index, repaired))
}

/// Reads a file that the index does not know into it.
pub(super) fn take_in(index: &Index, folder: &Path, channel: Channel, from: Moment) -> Result<(), DiskError> {
    take_in_noted(index, folder, channel, from, &mut Repaired::default())
}

fn take_in_noted(
    index: &Index,
    folder: &Path,
    channel: Channel,
    from: Moment,
    repaired: &mut Repaired,
) -> Result<(), DiskError> {
    let span = Span { from, to: from };
    let id = index.begin(channel, from, 0, "")?;
    let stretch = Stretch { span, ticks: 0 };
    let (codecs, fragments) = (String::new(), Vec::new());
    let file = Recording { id, channel, stretch, init: 0, bytes: 0, codecs, locked: false, fragments };
    mend(index, folder, file, repaired)
}

/// Closes a file at the end of what is whole; one without a picture goes.
fn mend(index: &Index, folder: &Path, file: Recording, repaired: &mut Repaired) -> Result<(), DiskError> {
    let path = folder.join(file.path());
    let mut opened = match OpenOptions::new().read(true).write(true).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(index.forget(file.id)?),
        opened => opened?,
    };
    let scanned = scan(&mut opened)?;
    let length = opened.metadata()?.len();
    let Some((first, last)) = scanned.fragments.first().zip(scanned.fragments.last()) else {
        fs::remove_file(&path)?;
        return Ok(index.forget(file.id)?);
    };
    if length > scanned.whole {
        opened.set_len(scanned.whole)?;
        opened.sync_all()?;
    }
    repaired.files += 1;
    repaired.bytes += length - scanned.whole;
    let ticks = last.begins + u64::from(last.ticks) - first.begins;
    let from = file.span().from;
    let to = last.taken.after(u64::from(last.ticks) / 90).max(from.after(1));
    let codecs = scanned.tracks.unwrap_or_default().join(",");
    let stretch = Stretch { span: Span { from, to }, ticks };
    index.close(&Recording {
        stretch,
        init: scanned.init,
        bytes: scanned.whole,
        codecs,
        fragments: scanned.fragments,
        ..file
    })?;
    Ok(())
}

/// All files that have the name of a recording.
fn on_disk(folder: &Path) -> io::Result<Vec<(Channel, Moment)>> {
    let mut found = Vec::new();
    for camera in fs::read_dir(folder)? {
        let camera = camera?;
        if !camera.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(camera.path())? {
            let (camera, file) = (camera.file_name(), file?.file_name());
            found.extend(Recording::of_name(&camera.to_string_lossy(), &file.to_string_lossy()));
        }
    }
    Ok(found)
}

/// Makes what was created, renamed or removed in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
