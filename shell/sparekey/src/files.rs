//! Files that commands read and make. What is there already is never written over.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use sparekey_protocol::{PublicKey, SigningKey, pem};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// No file that a command reads is longer.
const LONGEST: u64 = 64 * 1024;

pub(crate) fn folder(dir: &Path) -> Result<(), Failure> {
    fs::create_dir_all(dir).map_err(|error| failed("made", dir, &error))
}

/// For secrets: readable by their owner only.
pub(crate) fn make_private(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    make(path, contents, 0o600)
}

pub(crate) fn make_public(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    make(path, contents, 0o644)
}

/// Refuses a file that is there already, before something is made that would go into it.
pub(crate) fn vacant(path: &Path) -> Result<(), Failure> {
    if path.exists() { Err(already_there(path)) } else { Ok(()) }
}

fn already_there(path: &Path) -> Failure {
    Failure::new(
        "already-there",
        format!("{} is there already.", path.display()),
        "It is left as it is. Name another place, or move it away first.",
    )
}

fn make(path: &Path, contents: &[u8], mode: u32) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).and_then(|mut file| {
        file.write_all(contents)?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => already_there(path),
        _ => failed("written", path, &error),
    })
}

pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut contents = Zeroizing::new(Vec::new());
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut contents));
    read.map_err(|error| failed("read", path, &error))?;
    if contents.len() as u64 > LONGEST {
        return Err(Failure::malformed(&path.display().to_string(), "longer than any file that belongs here"));
    }
    Ok(contents)
}

pub(crate) fn text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let contents = read(path)?;
    let text = str::from_utf8(&contents).map_err(|_| Failure::malformed(&path.display().to_string(), "not a text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

pub(crate) fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    let not_one = || Failure::malformed(&path.display().to_string(), "not an Ed25519 private key in PEM (PKCS#8)");
    pem::read_signing_key(&text(path)?).ok_or_else(not_one)
}

/// A public key, also out of the file of its private one.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let text = text(path)?;
    let from_private = || pem::read_signing_key(&text).map(|key| key.public());
    let not_one = || Failure::malformed(&path.display().to_string(), "not an Ed25519 key in PEM");
    pem::read_public_key(&text).or_else(from_private).ok_or_else(not_one)
}

/// Whether a file holds a private key.
pub(crate) fn is_private_key(path: &Path) -> bool {
    text(path).is_ok_and(|text| pem::read_signing_key(&text).is_some())
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    let to_do = match error.kind() {
        ErrorKind::NotFound => "Check the path, and whether the command that makes the file was run.",
        ErrorKind::PermissionDenied => "Run as the user that the file belongs to.",
        _ => "Check the disk and try again.",
    };
    Failure::new("not-possible", format!("{} could not be {what}: {error}.", path.display()), to_do)
}
