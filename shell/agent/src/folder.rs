//! A device's folder: what it is, what it pins, what it keeps.
//!
//! `device.key` never leaves it. `device.cert` and `card` are raw COSE bytes signed by the maker in `maker.pub`; all four
//! are made once, by [`init`]. `tls.cert`, `tls.key` and `hashing.toml` are made at the first start. The vault changes with every command.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sparekey_device::{BadIdentity, Device, Identity, Policy, ServiceAsk};
use sparekey_protocol::enrol::{self, EnrolmentSecret};
use sparekey_protocol::{Card, Certificate, Firmware, Model, PublicKey, Serial, SigningKey, Verified, pem};
use sparekey_web::tls::{SelfSigned, TlsError, self_signed};
use zeroize::Zeroizing;

use crate::files::{Files, Folder};
use crate::link;
use crate::presence;
use crate::rand::random;
use crate::settings::{BadSettings, Settings};
use crate::vault::{Vault, VaultError};

const DEVICE_KEY: &str = "device.key";
const CERTIFICATE: &str = "device.cert";
const CARD: &str = "card";
const MAKER: &str = "maker.pub";
const ENROLMENT: &str = "enrolment.key";
const SETTINGS: &str = "settings.toml";
const TLS_CERTIFICATE: &str = "tls.cert";
const TLS_KEY: &str = "tls.key";
const LOCK: &str = "lock";

/// Why a folder cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process runs on it.
    #[error("{path} is in use by another process.\nStop that one first: a device runs once.", path = .0.display())]
    InUse(PathBuf),
    /// There is a device already.
    #[error("{path} holds a device already.\nGive another folder; a device's key cannot be made again.", path = .0.display())]
    Exists(PathBuf),
    /// A file is not there.
    #[error("{path} is missing.\nMake a device first: sparekey recorder init DIR --serial S --model M --card FILE --maker-key FILE.", path = .0.display())]
    Missing(PathBuf),
    /// A file holds something else.
    #[error("{path} is not what it should be.\nPut back the file that was made with this device.", path = .0.display())]
    Unreadable(PathBuf),
    /// The files do not belong together.
    #[error(
        "The files of this device do not belong together: {0}.\nPut back the files that were made with this device."
    )]
    Foreign(BadIdentity),
    /// The card given is not that maker's.
    #[error(
        "The service card was not signed with this maker key.\nGive the card that this maker made: sparekey maker card."
    )]
    ForeignCard,
    /// A device goes forward only.
    #[error(
        "This device pins edition {pinned} of its card, and edition {given} is not higher.\nGive a card of a higher edition: sparekey maker card --edition N."
    )]
    OldCard {
        /// The edition it pins.
        pinned: u64,
        /// The edition that was given.
        given: u64,
    },
    /// A setting.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The device's own certificate for HTTPS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The recordings are to be erased, and cannot be.
    #[error(
        "The recordings are to be erased before the device does anything else, and that fails ({0}).\nCheck the disk that they are on: is it there, and writable?"
    )]
    Recordings(io::Error),
    /// The disk.
    #[error("{path} cannot be read or written ({1}).\nCheck the disk and who owns the folder.", path = .0.display())]
    Io(PathBuf, io::Error),
}

/// Makes a device: its key, a certificate by this maker, the pinned card, an empty vault.
///
/// The key comes last: a folder without one is not a device yet, and what an interrupted `init` left there is made anew.
///
/// # Errors
/// See [`FolderError`].
pub fn init(dir: &Path, serial: Serial, model: Model, card: &[u8], maker: &SigningKey) -> Result<(), FolderError> {
    let io = |error| FolderError::Io(dir.to_owned(), error);
    Card::verify(card, &maker.public()).map_err(|_| FolderError::ForeignCard)?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
    let folder = Folder::new(dir);
    if folder.read(DEVICE_KEY).map_err(io)?.is_some() {
        return Err(FolderError::Exists(dir.to_owned()));
    }
    let key = SigningKey::from_seed(&random());
    let certificate = Certificate::new(&maker.public(), serial, model, &key.public()).sign(maker);
    let write = |name: &str, bytes: &[u8]| folder.replace(name, bytes).map_err(io);
    write(CERTIFICATE, &certificate)?;
    write(CARD, card)?;
    write(MAKER, pem::write_public_key(&maker.public()).as_bytes())?;
    match Vault::open(folder.clone()) {
        Err(VaultError::Missing) => Vault::create(folder.clone()).map_err(io)?,
        Ok((_, state)) if state.is_empty() => {}
        // The memory of a device whose key is gone is not given to another.
        _ => return Err(FolderError::Exists(dir.to_owned())),
    }
    write(DEVICE_KEY, pem::write_signing_key(&key).as_bytes())
}

/// The card that a device pins.
///
/// # Errors
/// [`FolderError::Missing`], [`FolderError::InUse`], [`FolderError::Unreadable`], those of the disk.
pub fn card(dir: &Path) -> Result<Card, FolderError> {
    Held::take(dir)?.pinned_card().map(Verified::into_inner)
}

/// Pins another card of the same maker, of a higher edition, in a device's folder. It is in force from the next start.
///
/// # Errors
/// [`FolderError::ForeignCard`], [`FolderError::OldCard`], [`FolderError::InUse`], those of the disk.
pub fn replace_card(dir: &Path, card: &[u8]) -> Result<(), FolderError> {
    let held = Held::take(dir)?;
    let newer = Card::verify(card, &held.maker()?).map_err(|_| FolderError::ForeignCard)?;
    let pinned = held.pinned_card()?;
    if !pinned.is_replaced_by(&newer) {
        return Err(FolderError::OldCard { pinned: pinned.edition, given: newer.edition });
    }
    held.write(CARD, card)
}

/// Makes the device's secret for security codes, if it has none yet, and the record by which its maker enrols it with the service of
/// its card (protocol section 9). The device answers questions from its next start on, if its owner switches that on.
///
/// # Errors
/// [`FolderError::Missing`], [`FolderError::InUse`], [`FolderError::Unreadable`], those of the disk.
pub fn enrol(dir: &Path) -> Result<Vec<u8>, FolderError> {
    let held = Held::take(dir)?;
    let secret = match held.enrolment()? {
        Some(secret) => secret,
        None => {
            let secret = EnrolmentSecret::from_bytes(random());
            held.write(ENROLMENT, secret.expose())?;
            secret
        }
    };
    let key = Zeroizing::new(held.text(DEVICE_KEY)?);
    let key = pem::read_signing_key(&key).ok_or_else(|| held.unreadable(DEVICE_KEY))?;
    let certificate = held.bytes(CERTIFICATE)?;
    enrol::seal(&secret, &random(), &certificate, &key, &held.pinned_card()?.opening_key)
        .ok_or_else(|| held.unreadable(CARD))
}

/// What a device asked its service, as its vault has it: also of a device that runs.
///
/// # Errors
/// [`FolderError::Missing`], [`FolderError::Unreadable`], those of the vault and of the disk.
pub fn service_asks(dir: &Path) -> Result<(Certificate, Vec<ServiceAsk>), FolderError> {
    let held = Held::look(dir)?;
    let firmware = Firmware::new("-").expect("a short text");
    let identity = held.identity(firmware)?;
    let certificate = identity.certificate().clone();
    let state = Vault::peek(&held.folder)?;
    if state.is_empty() {
        return Ok((certificate, Vec::new()));
    }
    let device = Device::start(identity, Policy::default(), Some(&state));
    let device = device.map_err(|_| FolderError::Vault(VaultError::Damaged))?;
    Ok((certificate, device.service_asks()))
}

/// A folder that this process alone runs on. Let go when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    folder: Folder,
    _lock: Option<File>,
}

impl Held {
    /// Takes a device's folder.
    ///
    /// # Errors
    /// [`FolderError::Missing`], [`FolderError::InUse`], those of the disk.
    pub(crate) fn take(dir: &Path) -> Result<Self, FolderError> {
        let folder = Folder::new(dir);
        let key = folder.path(DEVICE_KEY);
        if !key.try_exists().map_err(|error| FolderError::Io(key.clone(), error))? {
            return Err(FolderError::Missing(key));
        }
        let path = folder.path(LOCK);
        let io = |error| FolderError::Io(path.clone(), error);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder, _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(FolderError::Io(path, error)),
        }
    }

    /// Looks into a device's folder, whoever runs on it. Nothing is to be written then.
    fn look(dir: &Path) -> Result<Self, FolderError> {
        let folder = Folder::new(dir);
        let key = folder.path(DEVICE_KEY);
        if key.try_exists().map_err(|error| FolderError::Io(key.clone(), error))? {
            Ok(Self { folder, _lock: None })
        } else {
            Err(FolderError::Missing(key))
        }
    }

    /// Its files.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What the device is and pins.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub(crate) fn identity(&self, firmware: Firmware) -> Result<Identity, FolderError> {
        let key = Zeroizing::new(self.text(DEVICE_KEY)?);
        let key = pem::read_signing_key(&key).ok_or_else(|| self.unreadable(DEVICE_KEY))?;
        let maker = self.maker()?;
        let (certificate, card) = (self.bytes(CERTIFICATE)?, self.bytes(CARD)?);
        let identity = Identity::new(key, certificate, &card, &maker, firmware).map_err(FolderError::Foreign)?;
        Ok(match self.enrolment()? {
            Some(secret) => identity.with_enrolment(secret),
            None => identity,
        })
    }

    /// The secret for security codes, if the device was enrolled.
    fn enrolment(&self) -> Result<Option<EnrolmentSecret>, FolderError> {
        let Some(bytes) = self.optional(ENROLMENT)?.map(Zeroizing::new) else { return Ok(None) };
        let secret = bytes.as_slice().try_into().map_err(|_| self.unreadable(ENROLMENT))?;
        Ok(Some(EnrolmentSecret::from_bytes(secret)))
    }

    fn pinned_card(&self) -> Result<Verified<Card>, FolderError> {
        Card::verify(&self.bytes(CARD)?, &self.maker()?).map_err(|_| self.unreadable(CARD))
    }

    fn maker(&self) -> Result<PublicKey, FolderError> {
        pem::read_public_key(&self.text(MAKER)?).ok_or_else(|| self.unreadable(MAKER))
    }

    /// The settings; the defaults where there is no file.
    ///
    /// # Errors
    /// [`FolderError::Settings`], those of the disk.
    pub(crate) fn settings(&self) -> Result<Settings, FolderError> {
        let text = if self.optional(SETTINGS)?.is_some() { self.text(SETTINGS)? } else { String::new() };
        Ok(Settings::parse(&text)?)
    }

    /// The vault and what it held last.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) fn vault(&self) -> Result<(Vault<Folder>, Zeroizing<Vec<u8>>), FolderError> {
        Ok(Vault::open(self.folder.clone())?)
    }

    /// The certificate for HTTPS, made at the first start.
    ///
    /// # Errors
    /// Those of the disk, and of making one.
    pub(crate) fn tls(&self, common_name: &str) -> Result<SelfSigned, FolderError> {
        if let (Some(_), Some(_)) = (self.optional(TLS_CERTIFICATE)?, self.optional(TLS_KEY)?) {
            return Ok(SelfSigned {
                certificate: self.text(TLS_CERTIFICATE)?,
                key: Zeroizing::new(self.text(TLS_KEY)?),
            });
        }
        let mut names = vec!["localhost".to_owned()];
        names.extend(link::own_addresses().iter().map(ToString::to_string));
        let made = self_signed(&names, common_name)?;
        self.write(TLS_KEY, made.key.as_bytes())?;
        self.write(TLS_CERTIFICATE, made.certificate.as_bytes())?;
        Ok(made)
    }

    /// Where the presence detector looks.
    pub(crate) fn presence(&self) -> PathBuf {
        self.folder.path(presence::FOLDER)
    }

    /// A file that may be missing.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<Vec<u8>>, FolderError> {
        self.folder.read(name).map_err(|error| FolderError::Io(self.folder.path(name), error))
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        self.folder.replace(name, bytes).map_err(|error| FolderError::Io(self.folder.path(name), error))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, FolderError> {
        self.optional(name)?.ok_or_else(|| FolderError::Missing(self.folder.path(name)))
    }

    fn text(&self, name: &str) -> Result<String, FolderError> {
        String::from_utf8(self.bytes(name)?).map_err(|_| self.unreadable(name))
    }

    fn unreadable(&self, name: &str) -> FolderError {
        FolderError::Unreadable(self.folder.path(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use std::os::unix::fs::PermissionsExt;

    fn firmware() -> Firmware {
        Firmware::new("1").unwrap()
    }

    #[test]
    fn an_interrupted_init_is_begun_again() {
        let dir = testing::device_folder();
        std::fs::remove_file(dir.path().join(DEVICE_KEY)).unwrap();
        assert!(matches!(Held::take(dir.path()), Err(FolderError::Missing(_))));
        let (serial, model) = (Serial::new("A").unwrap(), Model::new("B").unwrap());
        init(dir.path(), serial.clone(), model.clone(), &testing::card(), &testing::maker()).unwrap();
        Held::take(dir.path()).unwrap().identity(firmware()).unwrap();

        // One that has been running is not made anew.
        Held::take(dir.path()).unwrap().vault().unwrap().0.write(b"an owner").unwrap();
        std::fs::remove_file(dir.path().join(DEVICE_KEY)).unwrap();
        let again = init(dir.path(), serial, model, &testing::card(), &testing::maker());
        assert!(matches!(again, Err(FolderError::Exists(_))));
    }

    #[test]
    fn a_card_is_replaced_by_a_higher_edition_of_the_same_maker() {
        let dir = testing::device_folder();
        let pinned = card(dir.path()).unwrap();
        let edition = |edition, maker: &SigningKey| Card { edition, ..pinned.clone() }.sign(maker);
        let stranger = SigningKey::from_seed(&[99; 32]);
        let foreign = replace_card(dir.path(), &edition(pinned.edition + 1, &stranger));
        assert!(matches!(foreign, Err(FolderError::ForeignCard)));
        let same = replace_card(dir.path(), &edition(pinned.edition, &testing::maker()));
        assert!(matches!(same, Err(FolderError::OldCard { .. })));
        replace_card(dir.path(), &edition(pinned.edition + 1, &testing::maker())).unwrap();
        assert_eq!(card(dir.path()).unwrap().edition, pinned.edition + 1);
    }

    #[test]
    fn a_device_is_made_once_and_run_once() {
        let dir = testing::device_folder();
        let (serial, model) = (Serial::new("A").unwrap(), Model::new("B").unwrap());
        let again = init(dir.path(), serial, model, &testing::card(), &testing::maker());
        assert!(matches!(again, Err(FolderError::Exists(_))));

        let held = Held::take(dir.path()).unwrap();
        assert_eq!(held.identity(firmware()).unwrap().certificate().serial.as_str(), testing::SERIAL);
        assert!(matches!(Held::take(dir.path()), Err(FolderError::InUse(_))));
        drop(held);
        Held::take(dir.path()).unwrap();
    }

    #[test]
    fn what_is_private_is_readable_by_its_owner_only() {
        let dir = testing::device_folder();
        let held = Held::take(dir.path()).unwrap();
        held.tls("recorder").unwrap();
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        }
    }

    #[test]
    fn the_certificate_for_https_stays_the_same() {
        let dir = testing::device_folder();
        let held = Held::take(dir.path()).unwrap();
        assert_eq!(held.tls("a").unwrap().certificate, held.tls("a").unwrap().certificate);
    }

    #[test]
    fn a_foreign_card_is_not_pinned() {
        let dir = tempfile::tempdir().unwrap();
        let (serial, model) = (Serial::new("A").unwrap(), Model::new("B").unwrap());
        let other = SigningKey::from_seed(&[77; 32]);
        let made = init(dir.path(), serial, model, &testing::card(), &other);
        assert!(matches!(made, Err(FolderError::ForeignCard)));
    }

    #[test]
    fn each_missing_or_swapped_file_is_named() {
        for name in [DEVICE_KEY, CERTIFICATE, CARD, MAKER] {
            let dir = testing::device_folder();
            std::fs::remove_file(dir.path().join(name)).unwrap();
            let error = Held::take(dir.path()).and_then(|held| held.identity(firmware())).unwrap_err();
            assert!(matches!(error, FolderError::Missing(_)) && error.to_string().contains(name), "{error}");
            std::fs::write(dir.path().join(name), "something else").unwrap();
            assert!(Held::take(dir.path()).and_then(|held| held.identity(firmware())).is_err(), "{name}");
        }
    }
}
