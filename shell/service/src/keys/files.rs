//! Small files that are made once, whole and synced, or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::KeysError;

/// The most bytes of any file here.
const MAX_FILE: u64 = 4096;

/// Parses a file as what it should be.
pub(super) fn read_key<K>(path: &Path, parse: impl Fn(&str) -> Option<K>) -> Result<K, KeysError> {
    let error = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeysError::Missing(path.to_owned()),
        _ => KeysError::Io(path.to_owned(), error),
    };
    if fs::metadata(path).map_err(error)?.len() > MAX_FILE {
        return Err(KeysError::NotAKey(path.to_owned()));
    }
    let text = Zeroizing::new(fs::read(path).map_err(error)?);
    let key = std::str::from_utf8(&text).ok().and_then(parse);
    key.ok_or_else(|| KeysError::NotAKey(path.to_owned()))
}

/// The files of a folder with this extension.
pub(super) fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, KeysError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeysError::Missing(dir.to_owned())),
        Err(error) => return Err(KeysError::Io(dir.to_owned(), error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(io_error(dir)));
    paths
        .filter(|path| path.as_ref().is_ok_and(|p| p.extension().is_some_and(|e| e == extension)) || path.is_err())
        .collect()
}

/// Makes a file that is not there yet.
pub(super) fn create(path: &Path, mode: u32, contents: &[u8]) -> Result<(), KeysError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeysError::Exists(path.to_owned()),
        _ => KeysError::Io(path.to_owned(), error),
    })?;
    file.write_all(contents).and_then(|()| file.sync_all()).map_err(io_error(path))
}

/// A file is the old one or the new one, whatever happens.
pub(super) fn replace(dir: &Path, name: &str, mode: u32, contents: &[u8]) -> Result<(), KeysError> {
    let (path, new) = (dir.join(name), dir.join(format!("{name}.new")));
    if let Err(error) = fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(KeysError::Io(new, error));
    }
    create(&new, mode, contents)?;
    fs::rename(&new, &path).map_err(io_error(&path))?;
    sync(dir)
}

/// What was made in the folder is there after a power cut.
pub(super) fn sync(dir: &Path) -> Result<(), KeysError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error(dir))
}

pub(super) fn io_error(path: &Path) -> impl Fn(io::Error) -> KeysError {
    let path = path.to_owned();
    move |error| KeysError::Io(path.clone(), error)
}
