//! The files of one folder, written so that a crash leaves the old file or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// No file of a device's folder is longer.
const MAX_FILE: u64 = 4 << 20;

/// What a vault asks of a folder. Tests have one whose power fails.
pub(crate) trait Files: Send {
    /// A whole file; `None` if there is none of that name.
    ///
    /// # Errors
    /// Those of the disk.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// A new file, or a new content for one, on the disk when this returns; readable by its owner only.
    ///
    /// # Errors
    /// Those of the disk; the file may then hold any part of the bytes.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Puts a file in the place of another, on the disk when this returns.
    ///
    /// # Errors
    /// Those of the disk; it may then have happened or not.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
}

/// A folder on a real disk.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder at a path.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where a file of it is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file whole or not at all.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let scratch = format!("{name}.new");
        self.write(&scratch, bytes)?;
        self.rename(&scratch, name)
    }

    /// The names that begin so; none if the folder cannot be read.
    pub(crate) fn names_with(&self, start: &str) -> Vec<String> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.starts_with(start))
            .collect()
    }

    /// Takes a file away; done if there is none.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => sync_folder(&self.0),
        }
    }
}

impl Files for Folder {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Some(bytes))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        // Made anew, so that a file left from before does not lend its wider mode.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))?;
        sync_folder(&self.0)
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A disk in memory whose power fails.
#[cfg(test)]
pub(crate) mod faulty {
    use std::collections::BTreeMap;
    use std::io;
    use std::sync::{Arc, Mutex, MutexGuard};

    use super::Files;

    /// What of the step that the power failed in is on the disk.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Survives {
        /// So many bytes of a file being written.
        pub(crate) bytes: usize,
        /// Whether a rename had happened.
        pub(crate) rename: bool,
    }

    impl Survives {
        /// Every length that a torn write can have, each with and without the rename.
        pub(crate) fn all(longest: usize) -> impl Iterator<Item = Self> {
            (0..=longest).flat_map(|bytes| [false, true].map(|rename| Self { bytes, rename }))
        }
    }

    enum Torn {
        Write(String, Vec<u8>),
        Rename(String, String),
    }

    #[derive(Default)]
    struct Inner {
        files: BTreeMap<String, Vec<u8>>,
        steps_left: Option<usize>,
        torn: Option<Torn>,
    }

    #[derive(Clone, Default)]
    pub(crate) struct Disk(Arc<Mutex<Inner>>);

    impl Disk {
        fn inner(&self) -> MutexGuard<'_, Inner> {
            self.0.lock().unwrap()
        }

        /// Lets so many steps pass; the next one and all after it fail.
        pub(crate) fn fail_after(&self, steps: usize) {
            self.inner().steps_left = Some(steps);
        }

        /// The power is back: what was under way has left what `survives` says.
        pub(crate) fn crash(&self, survives: Survives) {
            let mut inner = self.inner();
            match inner.torn.take() {
                Some(Torn::Write(name, mut bytes)) => {
                    bytes.truncate(survives.bytes);
                    inner.files.insert(name, bytes);
                }
                Some(Torn::Rename(from, to)) if survives.rename => {
                    let bytes = inner.files.remove(&from).unwrap();
                    inner.files.insert(to, bytes);
                }
                _ => {}
            }
            inner.steps_left = None;
        }

        pub(crate) fn copy(&self) -> Self {
            let files = self.inner().files.clone();
            Self(Arc::new(Mutex::new(Inner { files, ..Inner::default() })))
        }

        pub(crate) fn remove(&self, name: &str) {
            self.inner().files.remove(name).unwrap();
        }

        /// Flips a bit.
        pub(crate) fn damage(&self, name: &str, position: usize) {
            self.inner().files.get_mut(name).unwrap()[position] ^= 0x10;
        }
    }

    impl Inner {
        fn step(&mut self, torn: Torn) -> io::Result<Torn> {
            match &mut self.steps_left {
                Some(0) => {
                    // Only the first failing step was under way; nothing runs after it.
                    self.torn.get_or_insert(torn);
                    return Err(io::Error::other("the power failed"));
                }
                Some(left) => *left -= 1,
                None => {}
            }
            Ok(torn)
        }
    }

    impl Files for Disk {
        fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
            Ok(self.inner().files.get(name).cloned())
        }

        fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
            let mut inner = self.inner();
            inner.step(Torn::Write(name.to_owned(), bytes.to_vec()))?;
            inner.files.insert(name.to_owned(), bytes.to_vec());
            Ok(())
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            let mut inner = self.inner();
            inner.step(Torn::Rename(from.to_owned(), to.to_owned()))?;
            let bytes = inner.files.remove(from).unwrap();
            inner.files.insert(to.to_owned(), bytes);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_whole_and_is_ones_own() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path());
        assert_eq!(folder.read("a").unwrap(), None);
        for content in [b"first".as_slice(), b"2"] {
            folder.replace("a", content).unwrap();
            assert_eq!(folder.read("a").unwrap().unwrap(), content);
        }
        let mode = fs::metadata(folder.path("a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no scratch file is left");
    }

    #[test]
    fn a_file_without_end_is_not_read() {
        assert!(Folder::new("/dev").read("zero").is_err());
    }
}
