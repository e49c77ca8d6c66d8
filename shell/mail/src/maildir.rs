//! A maildir: one file a mail, written aside, synced, then renamed into sight, so that a reader never sees half a mail and
//! a crash never loses one that was reported as delivered.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use zeroize::Zeroizing;

use crate::transport::{Accepted, SendError};

pub(crate) struct Maildir {
    folder: PathBuf,
}

impl Maildir {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every failure is worth another try: a full disk, a folder that is not mounted.
    pub(crate) async fn deliver(&self, message: &[u8]) -> Result<Accepted, SendError> {
        let folder = self.folder.clone();
        let message = Zeroizing::new(message.to_vec());
        let written = tokio::task::spawn_blocking(move || write(&folder, &message)).await;
        let path = written.map_err(io::Error::other).flatten();
        path.map(|path| Accepted::InMaildir { path })
            .map_err(|error| SendError::Later { reason: format!("the maildir cannot be written: {error}") })
    }
}

fn write(folder: &Path, message: &[u8]) -> io::Result<PathBuf> {
    for name in ["tmp", "new", "cur"] {
        DirBuilder::new().recursive(true).mode(0o700).create(folder.join(name))?;
    }
    let name = unique_name()?;
    let (aside, visible) = (folder.join("tmp").join(&name), folder.join("new").join(&name));
    let delivered = write_synced(&aside, message).and_then(|()| fs::rename(&aside, &visible));
    if let Err(error) = delivered {
        // What is left aside is of no use to anybody; the first error is the one to tell.
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    File::open(folder.join("new"))?.sync_all()?;
    Ok(visible)
}

fn write_synced(path: &Path, message: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(message)?;
    file.sync_all()
}

/// Seconds first, so that names sort by time; then what no other delivery has.
fn unique_name() -> io::Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let random = getrandom::u64()?;
    Ok(format!("{}.M{:06}P{}R{random:016x}.sparekey", now.as_secs(), now.subsec_micros(), std::process::id()))
}
