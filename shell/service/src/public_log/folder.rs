//! The log's files in a folder: each is there whole or not at all, and is on disk before anybody hears of it.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// A file, by its path under the log's prefix.
pub(super) type Entry = (String, Vec<u8>);

/// Reads a file, if it is there.
pub(super) fn read(root: &Path, path: &str) -> io::Result<Option<Vec<u8>>> {
    match fs::read(root.join(path)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes files, each in place of one that may be there. When this returns they are on disk, all of them.
pub(super) fn write(root: &Path, files: &[Entry]) -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for (path, bytes) in files {
        let path = root.join(path);
        let folder = path.parent().expect("a file is in a folder");
        make(root, folder, &mut folders)?;
        write_new(&path, bytes)?;
        folders.insert(folder.to_owned());
    }
    for folder in folders {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Drops a folder of partial tiles, whose whole tile is there.
pub(super) fn remove(root: &Path, path: &str) -> io::Result<()> {
    match fs::remove_dir_all(root.join(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Makes a folder, and remembers those in which an entry is new.
fn make(root: &Path, folder: &Path, changed: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder != root
        && let Some(parent) = folder.parent()
    {
        make(root, parent, changed)?;
        changed.insert(parent.to_owned());
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_and_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("log");
        assert_eq!(read(&root, "tile/0/000").unwrap(), None);
        let entry = |path: &str, bytes: &[u8]| (path.to_owned(), bytes.to_owned());
        write(&root, &[entry("tile/0/x001/000", b"a"), entry("tile/0/000.p/3", b"b"), entry("checkpoint", b"c")])
            .unwrap();
        assert_eq!(read(&root, "tile/0/x001/000").unwrap().unwrap(), b"a");
        write(&root, &[entry("checkpoint", b"d")]).unwrap();
        assert_eq!(read(&root, "checkpoint").unwrap().unwrap(), b"d");
        assert_eq!(read(&root, "checkpoint/x").unwrap(), None, "a file is no folder");
        remove(&root, "tile/0/000.p").unwrap();
        remove(&root, "tile/0/000.p").unwrap();
        assert_eq!(read(&root, "tile/0/000.p/3").unwrap(), None);
    }

    #[test]
    fn what_a_crash_left_half_written_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("checkpoint.new"), b"half").unwrap();
        write(dir.path(), &[("checkpoint".into(), b"whole".to_vec())]).unwrap();
        assert_eq!(read(dir.path(), "checkpoint").unwrap().unwrap(), b"whole");
        assert!(!dir.path().join("checkpoint.new").exists());
    }
}
