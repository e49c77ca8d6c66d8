//! Removable disks, such as USB sticks, for who stands at the device's own screen.
//!
//! What is on a stick was put there by anybody. So nothing of it is followed: a stick is a folder that another disk is mounted on, a file
//! is a regular one at its top, and both are opened by the names that were just found there, never by a path that somebody sent.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, StatVfsMountFlags, fstat, fstatvfs, openat, statat, unlinkat,
};
use zeroize::Zeroizing;

/// Most bytes of a file that is read: the most that any of our files has (protocol section 8).
const MAX_FILE: u64 = 64 * 1024;
/// Most files that are shown of a stick.
const MAX_SHOWN: usize = 50;
/// Most names that are looked at in a folder.
const MAX_NAMES: usize = 10_000;
/// Most sticks that are shown.
const MAX_STICKS: usize = 10;
/// How many files of one name are written beside each other.
const MAX_SAME: u32 = 99;
/// A folder, and no link to one.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Whether the second folder is where another disk than the first one's begins.
type IsMounted = fn(&Path, &rustix::fs::Stat, &rustix::fs::Stat) -> bool;

/// The folders under which removable disks are mounted.
#[derive(Clone, Debug)]
pub(crate) struct Removable {
    folders: Vec<PathBuf>,
    is_mounted: IsMounted,
}

/// A stick that is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stick {
    /// Where it is mounted, which tells it from others.
    pub(crate) place: String,
    /// What people know it by.
    pub(crate) name: String,
    pub(crate) read_only: bool,
    /// The names of the XML files at its top, in their order.
    pub(crate) files: Vec<String>,
}

/// A new file on a stick. Unless it is written, it is taken away again.
#[derive(Debug)]
pub(crate) struct NewFile {
    folder: OwnedFd,
    file: File,
    name: String,
    is_written: bool,
}

impl Removable {
    pub(crate) fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders, is_mounted: |_, above, below| above.st_dev != below.st_dev }
    }

    #[cfg(test)]
    pub(crate) fn with(folders: Vec<PathBuf>, is_mounted: IsMounted) -> Self {
        Self { folders, is_mounted }
    }

    /// Whether there is no place for sticks.
    pub(crate) fn is_none(&self) -> bool {
        self.folders.is_empty()
    }

    /// The sticks that are in. What cannot be looked at is none. Waits for the disks.
    pub(crate) fn sticks(&self) -> Vec<Stick> {
        self.mounted().into_iter().map(|(place, folder)| stick(&place, &folder)).collect()
    }

    /// The content of a file at the top of a stick.
    ///
    /// # Errors
    /// `NotFound` where the stick, or a file that is one and is named `*.xml`, is not there; `FileTooLarge`; those of the disk.
    pub(crate) fn read(&self, place: &str, name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let folder = self.open(place)?;
        if !is_xml(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Not blocking: a pipe that nobody writes to opens at once, and is refused then.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&folder, name, flags, Mode::empty())?;
        if !is_file(&fstat(&file)?) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_FILE as usize + 1));
        File::from(file).take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    /// A file of this name, or of it with a number, that was not there before: `key-file.xml`, `key-file-2.xml`.
    ///
    /// # Errors
    /// `NotFound` where the stick is not there; `AlreadyExists` where all numbers are taken; those of the disk.
    pub(crate) fn create(&self, place: &str, stem: &str) -> io::Result<NewFile> {
        let folder = self.open(place)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for number in 1..=MAX_SAME {
            let name = if number == 1 { format!("{stem}.xml") } else { format!("{stem}-{number}.xml") };
            match openat(&folder, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => return Ok(NewFile { folder, file: file.into(), name, is_written: false }),
                Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn open(&self, place: &str) -> io::Result<OwnedFd> {
        let found = self.mounted().into_iter().find(|(found, _)| found == Path::new(place));
        found.map(|(_, folder)| folder).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The sticks, directly in a folder or one below it: `/media/STICK`, `/run/media/anna/STICK`.
    fn mounted(&self) -> Vec<(PathBuf, OwnedFd)> {
        let mut found = Vec::new();
        for path in &self.folders {
            // Who set it may have set a link.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let Ok(folder) = openat(CWD, path, flags, Mode::empty()) else { continue };
            for (below, child, is_one) in self.below(path, &folder) {
                if is_one {
                    found.push((below, child));
                } else {
                    let ones = self.below(&below, &child).into_iter().filter(|(.., is_one)| *is_one);
                    found.extend(ones.map(|(path, child, _)| (path, child)));
                }
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found.truncate(MAX_STICKS);
        found
    }

    /// The folders in a folder, and whether each is a stick.
    fn below(&self, path: &Path, folder: &OwnedFd) -> Vec<(PathBuf, OwnedFd, bool)> {
        let Ok(above) = fstat(folder) else { return Vec::new() };
        let open = |name: String| {
            let child = openat(folder, name.as_str(), FOLDER, Mode::empty()).ok()?;
            let path = path.join(name);
            let is_one = (self.is_mounted)(&path, &above, &fstat(&child).ok()?);
            Some((path, child, is_one))
        };
        names(folder).into_iter().take(MAX_SHOWN).filter_map(open).collect()
    }
}

impl NewFile {
    /// Writes it; it is on the disk when this returns.
    ///
    /// # Errors
    /// Those of the disk; the file is taken away then.
    pub(crate) fn write(mut self, bytes: &[u8]) -> io::Result<String> {
        self.file.write_all(bytes)?;
        self.file.sync_all()?;
        rustix::fs::fsync(&self.folder)?;
        self.is_written = true;
        Ok(self.name.clone())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_written {
            // A stick that was pulled out keeps what it has.
            let _ = unlinkat(&self.folder, self.name.as_str(), AtFlags::empty());
        }
    }
}

fn stick(place: &Path, folder: &OwnedFd) -> Stick {
    let is_one = |name: &String| {
        is_xml(name) && statat(folder, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| is_file(&stat))
    };
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // What does not say is tried.
    let read_only = fstatvfs(folder).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY));
    let files = names(folder).into_iter().filter(is_one).take(MAX_SHOWN).collect();
    Stick { place: place.to_string_lossy().into_owned(), name, read_only, files }
}

/// The names in a folder that can be shown, in their order.
fn names(folder: &OwnedFd) -> Vec<String> {
    let Ok(entries) = Dir::read_from(folder) else { return Vec::new() };
    let names = entries
        .take(MAX_NAMES)
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
    let mut names: Vec<_> =
        names.filter(|name| !matches!(name.as_str(), "." | "..") && !name.chars().any(char::is_control)).collect();
    names.sort();
    names
}

fn is_xml(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("xml")) && !name.contains(['/', '\0'])
}

fn is_file(stat: &rustix::fs::Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// `/media` with a stick in it, one below it, and what is none.
    fn media() -> (TempDir, Removable) {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["STICK", "anna/STICK-2", "anna/deep/STICK-3", "plain", "plain/folder"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("STICK-4"), "a file").unwrap();
        symlink(dir.path().join("STICK"), dir.path().join("STICK-5")).unwrap();
        symlink("/", dir.path().join("STICK-6")).unwrap();
        let folders = vec!["/nonexistent".into(), dir.path().into()];
        let removable =
            Removable::with(folders, |path, _, _| path.file_name().unwrap().to_string_lossy().starts_with("STICK"));
        (dir, removable)
    }

    #[test]
    fn sticks_are_found_and_nothing_that_only_points_to_one() {
        let (dir, removable) = media();
        let found = removable.sticks();
        let names: Vec<_> = found.iter().map(|stick| stick.name.as_str()).collect();
        assert_eq!(names, ["STICK", "STICK-2"]);
        assert_eq!(found[1].place, dir.path().join("anna/STICK-2").to_str().unwrap());
        assert!(!found[0].read_only);
        // Folders of the same disk are no sticks.
        assert_eq!(Removable::new(vec![dir.path().into()]).sticks(), []);
    }

    #[test]
    fn what_the_kernel_mounts_is_a_stick() {
        // `/proc` is mounted on the root's disk wherever this runs.
        let found = Removable::new(vec!["/".into()]).mounted();
        assert!(found.iter().any(|(place, _)| place == Path::new("/proc")), "{found:?}");
    }

    #[test]
    fn plain_files_at_the_top_are_listed_and_read() {
        let (dir, removable) = media();
        let stick = dir.path().join("STICK");
        fs::write(stick.join("b.xml"), "<b/>").unwrap();
        fs::write(stick.join("A.XML"), "<a/>").unwrap();
        fs::write(stick.join("note.txt"), "").unwrap();
        fs::write(stick.join("new\nline.xml"), "").unwrap();
        fs::write(stick.join("large.xml"), vec![b' '; MAX_FILE as usize + 1]).unwrap();
        fs::write(stick.join("full.xml"), vec![b' '; MAX_FILE as usize]).unwrap();
        fs::create_dir(stick.join("folder.xml")).unwrap();
        symlink("/etc/hostname", stick.join("link.xml")).unwrap();
        symlink("b.xml", stick.join("near.xml")).unwrap();
        rustix::fs::mknodat(CWD, stick.join("pipe.xml"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let found = removable.sticks();
        assert_eq!(found[0].files, ["A.XML", "b.xml", "full.xml", "large.xml"]);

        let place = &found[0].place;
        assert_eq!(&removable.read(place, "b.xml").unwrap()[..], b"<b/>");
        assert_eq!(removable.read(place, "full.xml").unwrap().len() as u64, MAX_FILE);
        assert_eq!(removable.read(place, "large.xml").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        for name in
            ["link.xml", "near.xml", "folder.xml", "pipe.xml", "note.txt", "none.xml", "", "../plain/x.xml", "./b.xml"]
        {
            assert!(removable.read(place, name).is_err(), "{name}");
        }
        for place in
            ["", "/", "/etc", "STICK", &format!("{place}/../plain"), dir.path().join("STICK-5").to_str().unwrap()]
        {
            assert!(removable.read(place, "b.xml").is_err() && removable.create(place, "x").is_err(), "{place}");
        }
        for number in 0..60 {
            fs::write(stick.join(format!("many-{number}.xml")), "").unwrap();
        }
        assert_eq!(removable.sticks()[0].files.len(), MAX_SHOWN);
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let (dir, removable) = media();
        let (stick, outside) = (dir.path().join("STICK"), dir.path().join("plain/outside.xml"));
        let place = stick.to_str().unwrap();
        fs::write(stick.join("key.xml"), "old").unwrap();
        symlink(&outside, stick.join("key-2.xml")).unwrap();
        let new = removable.create(place, "key").unwrap();
        assert_eq!(new.write(b"<key/>").unwrap(), "key-3.xml");
        assert_eq!(fs::read(stick.join("key-3.xml")).unwrap(), b"<key/>");
        assert_eq!(fs::read(stick.join("key.xml")).unwrap(), b"old");
        assert!(!outside.exists(), "no link was followed");
        // What was not written leaves nothing.
        drop(removable.create(place, "key").unwrap());
        assert!(!stick.join("key-4.xml").exists());
        for number in 4..=MAX_SAME {
            fs::write(stick.join(format!("key-{number}.xml")), "").unwrap();
        }
        assert_eq!(removable.create(place, "key").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
