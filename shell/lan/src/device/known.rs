//! Devices that were met: which key each had.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use sparekey_protocol::DeviceId;

/// Why what is known cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// The disk.
    #[error("{path} cannot be read or written ({1})\nCheck the disk and who owns it, or name another file with --known.", path = .0.display())]
    Io(PathBuf, io::Error),
    /// A line is not `SERIAL DEVICE-ID`.
    #[error("line {1} of {path} is not a serial number and a device id\nCorrect it, or take it out.", path = .0.display())]
    Unreadable(PathBuf, usize),
}

/// A file of one line a device: its serial number and, in hexadecimal, its device id. The last line of a serial counts.
#[derive(Clone, Debug)]
pub struct Known(PathBuf);

impl Known {
    /// The file need not be there yet.
    #[must_use]
    pub fn new(file: &Path) -> Self {
        Self(file.to_owned())
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        self.0.display().to_string()
    }

    /// The device that was met with this serial.
    ///
    /// # Errors
    /// [`KnownError`]
    pub fn of(&self, serial: &str) -> Result<Option<DeviceId>, KnownError> {
        let text = match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| KnownError::Io(self.0.clone(), error))?,
        };
        let mut found = None;
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
            let (own, id) = line.split_once(' ').ok_or_else(|| KnownError::Unreadable(self.0.clone(), number))?;
            if own == serial {
                found = Some(device_id(id.trim()).ok_or_else(|| KnownError::Unreadable(self.0.clone(), number))?);
            }
        }
        Ok(found)
    }

    /// Adds a line, in one write.
    ///
    /// # Errors
    /// [`KnownError::Io`]
    pub fn keep(&self, serial: &str, id: DeviceId) -> Result<(), KnownError> {
        let io = |error| KnownError::Io(self.0.clone(), error);
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        let mut file: File = OpenOptions::new().append(true).create(true).open(&self.0).map_err(io)?;
        file.write_all(format!("{serial} {id}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io)
    }
}

fn device_id(hex: &str) -> Option<DeviceId> {
    let bytes: Option<Vec<u8>> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    bytes?.try_into().ok().map(DeviceId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_is_known_and_the_last_line_counts() {
        let folder = std::env::temp_dir().join(format!("sparekey-known-{}", std::process::id()));
        let known = Known::new(&folder.join("known"));
        assert_eq!(known.of("A-1").unwrap(), None);
        let (one, two) = (DeviceId([1; 16]), DeviceId([0xab; 16]));
        known.keep("A-1", one).unwrap();
        known.keep("A-2", two).unwrap();
        assert_eq!((known.of("A-1").unwrap(), known.of("A-2").unwrap()), (Some(one), Some(two)));
        known.keep("A-1", two).unwrap();
        assert_eq!((known.of("A-1").unwrap(), known.of("A").unwrap()), (Some(two), None));
        for bad in ["A-3\n", "A-4 xyz\n"] {
            fs::write(folder.join("known"), bad).unwrap();
            assert!(
                matches!(known.of(bad.split_whitespace().next().unwrap()), Err(KnownError::Unreadable(_, 1))),
                "{bad}"
            );
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
