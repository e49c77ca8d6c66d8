//! Erasing the recordings when an ownership ends.
//!
//! The device says that they are to be erased, and says so at each start until it was told that they are: nothing is answered
//! before. A crash repeats the erasing. What a recorder records, and where, is not this crate's to know: it brings its own
//! [`Recordings`].

use std::path::Path;
use std::sync::Arc;
use std::{fmt, fs, io};

/// Where a device's recordings are, if nothing else was said: a folder in its own.
const FOLDER: &str = "recordings";

/// How a device erases its recordings.
#[derive(Clone)]
pub struct Recordings(Arc<dyn Fn() -> io::Result<()> + Send + Sync>);

impl Recordings {
    /// Erased by this function: all of them, durably. It is called again if it did not come to its end, so it has to bear that.
    #[must_use]
    pub fn erased_by(erase: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(erase))
    }

    /// All that lies in the folder `recordings` of a device's folder.
    #[must_use]
    pub fn in_folder(dir: &Path) -> Self {
        let folder = dir.join(FOLDER);
        Self::erased_by(move || empty(&folder))
    }

    /// Erases them.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn erase(&self) -> io::Result<()> {
        (self.0)()
    }
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recordings")
    }
}

/// Removes all that is in a folder, and keeps the folder: it may be a link to another disk, or one that is mounted there. No
/// folder is an empty one, but a link that leads nowhere is a disk that is not there.
fn empty(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map(drop)?,
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }?;
    }
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn all_that_is_in_the_folder_goes_and_nothing_beside_it() {
        let (dir, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let recordings = Recordings::in_folder(dir.path());
        recordings.erase().unwrap();
        let folder = dir.path().join(FOLDER);
        fs::create_dir_all(folder.join("camera-1/2026")).unwrap();
        fs::write(folder.join("camera-1/2026/0.mp4"), "moving").unwrap();
        fs::write(folder.join("index"), "one").unwrap();
        fs::write(disk.path().join("of somebody else"), "kept").unwrap();
        symlink(disk.path(), folder.join("elsewhere")).unwrap();
        recordings.erase().unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        assert!(disk.path().join("of somebody else").exists(), "a link in it is removed, and not followed");
        recordings.erase().unwrap();
    }

    #[test]
    fn a_folder_on_another_disk_is_emptied_and_a_disk_that_is_away_is_told() {
        let (dir, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let recordings = Recordings::in_folder(dir.path());
        symlink(disk.path(), dir.path().join(FOLDER)).unwrap();
        fs::write(disk.path().join("0.mp4"), "moving").unwrap();
        recordings.erase().unwrap();
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
        disk.close().unwrap();
        assert!(recordings.erase().is_err());
    }
}
