//! `cameras.json` in a device's folder: which cameras there are, and how much of them is kept.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{backup::Backup, camera::Origin, disk::writer::Keep, rtsp::Account, secret::Secret};

const FILE: &str = "cameras.json";
/// More cameras than a recorder of this kind takes.
pub(crate) const MOST_CAMERAS: usize = 64;
const LONGEST: u64 = 1 << 20;

/// All that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// How much is kept.
    pub(crate) keep: Keep,
    /// Where recordings are sent.
    pub(crate) backup: Option<Backup>,
    /// Below which folders that may be, as whoever set the recorder up allows: an owner in a browser is not to write anywhere.
    pub(crate) backup_roots: Vec<PathBuf>,
    /// The account of other programs.
    pub(crate) programs: Option<Account>,
    pub(crate) cameras: Vec<Camera>,
    /// The number of the last camera that was added: none is given twice, since recordings bear it.
    pub(crate) last: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep: Keep::default(),
            backup: None,
            backup_roots: ["/mnt", "/media", "/run/media", "/srv"].map(PathBuf::from).into(),
            programs: None,
            cameras: Vec::new(),
            last: 0,
        }
    }
}

/// One camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Camera {
    pub(crate) id: u32,
    /// What people call it.
    pub(crate) name: String,
    pub(crate) source: Source,
    /// Whether it is recorded, or only shown.
    #[serde(default = "yes")]
    pub(crate) record: bool,
}

fn yes() -> bool {
    true
}

/// Where its pictures come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Source {
    /// By RTSP.
    Rtsp(Box<Rtsp>),
    /// An MP4 file, over and over.
    File(PathBuf),
}

/// A camera's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rtsp {
    pub(crate) url: Url,
    /// The address of smaller pictures, for walls and phones.
    #[serde(default)]
    pub(crate) small: Option<Url>,
    #[serde(default)]
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) password: Secret,
    /// By UDP; where a camera has no TCP.
    #[serde(default)]
    pub(crate) udp: bool,
}

impl Source {
    /// Its large stream, and its small one if it has one.
    pub(crate) fn origins(&self) -> (Origin, Option<Origin>) {
        match self {
            Self::File(path) => (Origin::File(path.clone()), None),
            Self::Rtsp(of) => {
                let origin = |url: &Url| Origin::Rtsp {
                    url: url.clone(),
                    username: of.username.clone(),
                    password: of.password.clone(),
                    udp: of.udp,
                };
                (origin(&of.url), of.small.as_ref().map(origin))
            }
        }
    }
}

/// An address as people give it: with a name and a password in it, or without.
pub(crate) fn rtsp(address: &str) -> Result<(Url, String, String), &'static str> {
    let mut url = Url::parse(address.trim()).map_err(|_| "An address is such as rtsp://192.168.1.64/stream1.")?;
    if url.scheme() != "rtsp" || url.host().is_none() || address.len() > 1_000 {
        return Err("An address is such as rtsp://192.168.1.64/stream1.");
    }
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .map(String::from)
            .map_err(|_| "Its name or password is no text.")
    };
    let (username, password) = (decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| "An address is such as rtsp://192.168.1.64/stream1.")?;
    Ok((url, username, password))
}

impl Settings {
    /// Reads them; none is none.
    pub(crate) fn read(dir: &Path) -> io::Result<Self> {
        let path = dir.join(FILE);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Ok(found) if found.len() > LONGEST => return Err(io::ErrorKind::FileTooLarge.into()),
            found => found.map(drop)?,
        }
        serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)
    }

    /// Writes them: whole or not at all, for their owner only.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let (path, scratch) = (dir.join(FILE), dir.join(format!("{FILE}.new")));
        let _ = fs::remove_file(&scratch);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&scratch)?;
        file.write_all(&serde_json::to_vec_pretty(self).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(scratch, path)?;
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let (url, name, password) = rtsp(" rtsp://admin:a%2Fb%40c@10.0.0.9:8554/cam0?x=1 ").unwrap();
        assert_eq!(
            (url.as_str(), name.as_str(), password.as_str()),
            ("rtsp://10.0.0.9:8554/cam0?x=1", "admin", "a/b@c")
        );
        for wrong in ["", "http://10.0.0.9/", "rtsp:", "rtsp:///cam", "10.0.0.9", "file:///etc/passwd"] {
            assert!(rtsp(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_says_no_password() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(dir.path()).unwrap(), Settings::default());
        let password = Secret::new("tangerine".to_owned().into());
        let url = Url::parse("rtsp://10.0.0.9/").unwrap();
        let source =
            Source::Rtsp(Box::new(Rtsp { url, small: None, username: "admin".to_owned(), password, udp: false }));
        let camera = Camera { id: 3, name: "Door".to_owned(), source, record: true };
        let settings = Settings { cameras: vec![camera], last: 3, ..Settings::default() };
        settings.write(dir.path()).unwrap();
        assert_eq!(Settings::read(dir.path()).unwrap(), settings);
        assert!(!format!("{settings:?}").contains("tangerine"));
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
