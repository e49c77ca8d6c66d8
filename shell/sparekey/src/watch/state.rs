//! What was seen at the last visit: a JSON file, replaced whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sparekey_protocol::log::{Checkpoint, Frontier, Hash, Note};

use crate::failure::Failure;

/// The most bytes of a state file: some 100,000 leaves.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Everything of the log that need not be read again.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) origin: String,
    /// The tree as it was, to go on from.
    pub(super) edge: Frontier,
    /// The checkpoint of it, as it was served: the evidence, should the log ever tell another story.
    pub(super) note: String,
    /// Whose leaves were looked for.
    pub(super) watched: Vec<[u8; 32]>,
    /// The leaves that concern them.
    pub(super) found: Vec<Found>,
}

/// A leaf that concerns somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Found {
    pub(super) index: u64,
    pub(super) time: u64,
    pub(super) act: String,
    /// Of a grant, the SHA-256 of its bytes.
    #[serde(with = "optional_hex", default)]
    pub(super) grant: Option<[u8; 32]>,
    #[serde(with = "one_hex")]
    pub(super) commitment: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    origin: String,
    size: u64,
    edge: Vec<String>,
    checkpoint: String,
    watched: Vec<String>,
    found: Vec<Found>,
}

impl State {
    /// The state of the last visit; `None` on the first.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let damaged = || {
            Failure::new(
                "not-possible",
                format!("{} is not a state file of sparekey watch.", path.display()),
                "Put it back from your backup. A new one trusts whatever the log says today: rename the old one, and keep it.",
            )
        };
        let length = match fs::metadata(path) {
            Ok(file) => file.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", path, &error)),
        };
        if length > LONGEST {
            return Err(damaged());
        }
        let bytes = fs::read(path).map_err(|error| failed("read", path, &error))?;
        let written: Written = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        let hashes = |texts: &[String]| texts.iter().map(|text| from_hex(text)).collect::<Option<Vec<_>>>();
        let edge = hashes(&written.edge).ok_or_else(damaged)?.into_iter().map(Hash).collect();
        let edge = Frontier::from_hashes(written.size, edge).ok_or_else(damaged)?;
        let watched = hashes(&written.watched).ok_or_else(damaged)?;
        // Nobody changed one part of it and not the others.
        let note = Note::parse(written.checkpoint.as_bytes()).ok();
        let seen = Checkpoint { origin: written.origin.clone(), size: written.size, root: edge.root() };
        if written.version != 1 || note.and_then(|note| Checkpoint::parse(note.text())) != Some(seen) {
            return Err(damaged());
        }
        Ok(Some(Self { origin: written.origin, edge, note: written.checkpoint, watched, found: written.found }))
    }

    /// Takes the place of the last one, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let written = Written {
            version: 1,
            origin: self.origin.clone(),
            size: self.edge.size(),
            edge: self.edge.hashes().iter().map(ToString::to_string).collect(),
            checkpoint: self.note.clone(),
            watched: self.watched.iter().map(to_hex).collect(),
            found: self.found.clone(),
        };
        let mut text = serde_json::to_vec_pretty(&written).expect("plain data");
        text.push(b'\n');
        replace(path, &text)
    }
}

/// Keeps both checkpoints of a log that contradicts itself beside the state file, which stays as it is. Named by what was shown: another
/// visit keeps another.
pub(super) fn keep_evidence(path: &Path, seen: Option<&str>, shown: &[u8]) -> Result<(), Failure> {
    let evidence = serde_json::json!({ "seen_before": seen, "shown_now": String::from_utf8_lossy(shown) });
    let name: String = Sha256::digest(shown)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    replace(&with_end(path, &format!(".{name}.evidence")), format!("{evidence:#}\n").as_bytes())
}

fn replace(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let new = with_end(path, ".new");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| failed("written", path, &error))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    let happened = format!("{} could not be {what}: {error}.", path.display());
    Failure::new("not-possible", happened, "Check the folder, its owner and the disk.")
}

fn to_hex(bytes: &[u8; 32]) -> String {
    Hash(*bytes).to_string()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

mod one_hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::to_hex(bytes))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<[u8; 32], D::Error> {
        super::from_hex(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("not 64 hexadecimal digits"))
    }
}

mod optional_hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &Option<[u8; 32]>, to: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => to.serialize_some(&super::to_hex(bytes)),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<[u8; 32]>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let bytes =
            text.map(|text| super::from_hex(&text).ok_or_else(|| D::Error::custom("not 64 hexadecimal digits")));
        bytes.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_and_nothing_else_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        assert!(State::read(&path).unwrap().is_none());
        let mut edge = Frontier::new();
        (0..5_u8).for_each(|n| edge.append(Hash([n; 32]), |_, _| {}));
        let note = Checkpoint { origin: "log".into(), size: 5, root: edge.root() };
        let note = note.sign(&sparekey_protocol::SigningKey::from_seed(&[1; 32]));
        let found = Found { index: 4, time: 5, act: "grant-issued".into(), grant: Some([6; 32]), commitment: [7; 32] };
        let state =
            State { origin: "log".into(), edge, note: note.clone(), watched: vec![[7; 32]], found: vec![found] };
        state.write(&path).unwrap();
        state.write(&path).unwrap();
        let read = State::read(&path).unwrap().unwrap();
        assert_eq!(
            (read.edge.root(), read.watched, read.note.as_str()),
            (state.edge.root(), state.watched, note.as_str())
        );
        assert_eq!((read.found[0].grant, read.found[0].commitment), (Some([6; 32]), [7; 32]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");

        let good = fs::read_to_string(&path).unwrap();
        for bad in [
            "",
            "{}",
            "null",
            &good.replace("\"size\": 5", "\"size\": 6"),
            &good.replace("\"version\": 1", "\"version\": 2"),
        ] {
            fs::write(&path, bad).unwrap();
            assert!(State::read(&path).is_err(), "{bad}");
        }
    }
}
