//! A device to test with.

use sparekey_protocol::{BaseUrl, Card, CardName, MakerId, Model, OpeningKey, Serial, SigningKey, VerifierKey};
use tempfile::TempDir;

use crate::files::Folder;

pub(crate) const SERIAL: &str = "NVR-4216-0001";
pub(crate) const MODEL: &str = "SK-NVR-16";

pub(crate) fn maker() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

pub(crate) fn opening_key() -> OpeningKey {
    OpeningKey::from_bytes(&[2; 32])
}

pub(crate) fn card() -> Vec<u8> {
    let maker = maker();
    let log = sparekey_protocol::log_verifier_key("recover.example.org/log", &SigningKey::from_seed(&[4; 32]).public());
    let card = Card {
        maker: MakerId::of(&maker.public().to_bytes()),
        edition: 1,
        name: CardName::new("Example recovery").unwrap(),
        url: BaseUrl::new("https://recover.example.org").unwrap(),
        opening_key: opening_key().public(),
        grant_key: SigningKey::from_seed(&[3; 32]).public().to_bytes(),
        log_key: VerifierKey::new(&log).unwrap(),
        witnesses: None,
    };
    card.sign(&maker)
}

/// A device's folder whose hashes are cheap.
pub(crate) fn device_folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (serial, model) = (Serial::new(SERIAL).unwrap(), Model::new(MODEL).unwrap());
    crate::folder::init(dir.path(), serial, model, &card(), &maker()).unwrap();
    let folder = Folder::new(dir.path());
    folder.replace("hashing.toml", b"memory_kib = 7168\npasses = 1\nlanes = 1\n").unwrap();
    folder.replace("settings.toml", b"listen = '127.0.0.1:0'\n").unwrap();
    dir
}
