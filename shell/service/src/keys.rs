//! The service's folder of keys: made once by `init`, read at each start, never overwritten.

mod files;

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use sparekey_protocol::{
    KeyId, MakerId, OpeningKey, OpeningPublicKey, PublicKey, Serial, SigningKey, Time,
    log::{Algorithm, NoteKey},
    log_verifier_key, pem,
    request::Trust,
};
use zeroize::Zeroizing;

use files::{create, files, io_error, read_key, replace, sync};

const OPENING_KEY: &str = "opening.key";
const OPENING_PUB: &str = "opening.pub";
const GRANT_KEY: &str = "grant.key";
const GRANT_PUB: &str = "grant.pub";
const LOG_KEY: &str = "log.key";
const LOG_PUB: &str = "log.pub";
const MAKERS: &str = "makers";
/// `opening-<key id>.retired`: when it was retired in Unix seconds, a line feed, the key.
const RETIRED: &str = "retired";

/// How long a retired opening key opens requests that were sealed before the change (protocol section 3).
const RETIRED_FOR: u64 = 30 * 24 * 60 * 60;

/// Why the folder cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// `init` on a folder that was set up before.
    #[error("{0} is there already\nNothing was changed. Choose another folder, or run the service that is there.")]
    Exists(PathBuf),
    /// A folder that `init` did not make.
    #[error("{0} is missing\nSet the folder up first: sparekey service init DIR --maker FILE")]
    Missing(PathBuf),
    /// Not a key of the kind that belongs there.
    #[error("{0} is not the key it should be\nPut it back from your backup.")]
    NotAKey(PathBuf),
    /// A service that trusts no maker can help nobody.
    #[error("no maker is trusted\nName at least one: sparekey service init DIR --maker FILE")]
    NoMaker,
    /// The system's own word.
    #[error("{0} cannot be used: {1}\nCheck the folder, its owner and the disk.")]
    Io(PathBuf, #[source] io::Error),
    /// No randomness.
    #[error("the system gives no random bytes: {0}\nNo key was made.")]
    Random(#[from] getrandom::Error),
}

/// What a maker needs of a service to write its card.
#[derive(Clone, Debug)]
pub struct PublicHalves {
    /// What requests are sealed to.
    pub opening: OpeningPublicKey,
    /// What grants are checked with.
    pub grant: PublicKey,
    /// The log's note verifier key (C2SP signed-note).
    pub log: String,
}

/// The service's secret keys, the makers it trusts, and what those withdrew.
pub struct Keys {
    opening: OpeningKey,
    grant: SigningKey,
    log: SigningKey,
    retired: Vec<(Time, OpeningKey)>,
    makers: BTreeMap<MakerId, PublicKey>,
    withdrawn: RwLock<Arc<HashSet<(MakerId, Serial)>>>,
}

impl Keys {
    /// Makes the keys of a new service, and the folder if it is not there.
    ///
    /// # Errors
    /// [`KeysError`]; an existing key is never touched.
    pub fn create(dir: &Path, makers: &[PublicKey]) -> Result<(), KeysError> {
        if makers.is_empty() {
            return Err(KeysError::NoMaker);
        }
        let makers_dir = dir.join(MAKERS);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&makers_dir).map_err(io_error(&makers_dir))?;
        let opening = new_opening_key()?;
        let grant = SigningKey::from_seed(&*random()?);
        let log = SigningKey::from_seed(&*random()?);

        // The opening key first: if it is there, this folder is somebody's and nothing more is written.
        create(&dir.join(OPENING_KEY), 0o600, pem::write_opening_key(&opening).as_bytes())?;
        create(&dir.join(GRANT_KEY), 0o600, pem::write_signing_key(&grant).as_bytes())?;
        create(&dir.join(LOG_KEY), 0o600, pem::write_signing_key(&log).as_bytes())?;
        create(&dir.join(OPENING_PUB), 0o644, pem::write_opening_public_key(&opening.public()).as_bytes())?;
        create(&dir.join(GRANT_PUB), 0o644, pem::write_public_key(&grant.public()).as_bytes())?;
        create(&dir.join(LOG_PUB), 0o644, format!("{}\n", log_key_text(&log.public())).as_bytes())?;
        for maker in makers {
            let path = makers_dir.join(format!("{}.pub", MakerId::of(&maker.to_bytes())));
            create(&path, 0o644, pem::write_public_key(maker).as_bytes())?;
        }
        sync(&makers_dir)?;
        sync(dir)
    }

    /// Reads what [`Keys::create`] made.
    ///
    /// # Errors
    /// [`KeysError`] names the file that is missing or is not what it should be.
    pub fn read(dir: &Path, now: Time) -> Result<Self, KeysError> {
        let opening = read_key(&dir.join(OPENING_KEY), pem::read_opening_key)?;
        let grant = read_key(&dir.join(GRANT_KEY), pem::read_signing_key)?;
        let log = read_key(&dir.join(LOG_KEY), pem::read_signing_key)?;

        let mut makers = BTreeMap::new();
        for path in files(&dir.join(MAKERS), "pub")? {
            let key = read_key(&path, pem::read_public_key)?;
            makers.insert(MakerId::of(&key.to_bytes()), key);
        }
        if makers.is_empty() {
            return Err(KeysError::NoMaker);
        }
        let mut retired = Vec::new();
        for path in files(dir, RETIRED)? {
            let (at, key) = read_key(&path, read_retired)?;
            if now.since(at) < RETIRED_FOR {
                retired.push((at, key));
            }
        }
        Ok(Self { opening, grant, log, retired, makers, withdrawn: RwLock::default() })
    }

    /// The public halves, for a maker's card.
    ///
    /// # Errors
    /// [`KeysError`] names the file that is missing or is not what it should be.
    pub fn public_halves(dir: &Path) -> Result<PublicHalves, KeysError> {
        Ok(PublicHalves {
            opening: read_key(&dir.join(OPENING_PUB), pem::read_opening_public_key)?,
            grant: read_key(&dir.join(GRANT_PUB), pem::read_public_key)?,
            log: read_key(&dir.join(LOG_PUB), |text| Some(text.trim_end().to_owned()).filter(|key| key.contains('+')))?,
        })
    }

    /// Replaces the opening key by a new one: `sparekey service rotate DIR`. The old one opens requests for 30 more days.
    ///
    /// A service that runs goes on with the keys that it read at its start, so it is to be started again, all its nodes with
    /// the new files. Devices seal to the old key until their makers' cards name the new one: the card's next edition is to
    /// be out, and on the devices, within those 30 days.
    ///
    /// # Errors
    /// [`KeysError`]; both keys are held whatever happens, and calling it once more repairs what was left half done.
    pub fn retire_opening_key(dir: &Path, now: Time) -> Result<(), KeysError> {
        let old = read_key(&dir.join(OPENING_KEY), pem::read_opening_key)?;
        let text = Zeroizing::new(format!("{}\n{}", now.0, *pem::write_opening_key(&old)));
        let new = new_opening_key()?;
        replace(dir, &format!("opening-{}.{RETIRED}", old.public().id()), 0o600, text.as_bytes())?;
        replace(dir, OPENING_KEY, 0o600, pem::write_opening_key(&new).as_bytes())?;
        replace(dir, OPENING_PUB, 0o644, pem::write_opening_public_key(&new.public()).as_bytes())
    }

    /// What is to be believed at this time.
    pub(crate) fn at(&self, now: Time) -> TrustAt<'_> {
        let withdrawn = Arc::clone(&self.withdrawn.read().expect("nothing panics while it is held"));
        TrustAt { keys: self, withdrawn, now }
    }

    /// Takes over the list of withdrawn serials as the database has it now.
    pub(crate) fn set_withdrawn(&self, withdrawn: HashSet<(MakerId, Serial)>) {
        *self.withdrawn.write().expect("nothing panics while it is held") = Arc::new(withdrawn);
    }

    /// What grants are signed with.
    pub(crate) fn grant_key(&self) -> &SigningKey {
        &self.grant
    }

    /// What the public log's checkpoints are signed with.
    pub(crate) fn log_key(&self) -> &SigningKey {
        &self.log
    }

    /// The key by which the public log's checkpoints are checked. Its name is the log's origin.
    pub(crate) fn log_note_key(&self) -> NoteKey {
        let key = self.log.public();
        NoteKey::new(&log_origin(&key), Algorithm::Ed25519, key).expect("an origin of letters, digits and dashes")
    }

    /// The opening key in use, then the retired ones.
    pub(crate) fn opening_keys(&self) -> impl Iterator<Item = &OpeningKey> {
        std::iter::once(&self.opening).chain(self.retired.iter().map(|(_, key)| key))
    }
}

/// [`Keys`] at a moment: a retired key ends with its 30 days, also while the service runs.
pub(crate) struct TrustAt<'k> {
    keys: &'k Keys,
    withdrawn: Arc<HashSet<(MakerId, Serial)>>,
    now: Time,
}

impl Trust for TrustAt<'_> {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        self.keys.makers.get(&id).copied()
    }

    fn is_withdrawn(&self, maker: MakerId, serial: &Serial) -> bool {
        self.withdrawn.contains(&(maker, serial.clone()))
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        if self.keys.opening.public().id() == id {
            return Some(&self.keys.opening);
        }
        let mut retired = self.keys.retired.iter().filter(|(at, _)| self.now.since(*at) < RETIRED_FOR);
        retired.find(|(_, key)| key.public().id() == id).map(|(_, key)| key)
    }
}

/// The log's name in the world is its key's: an origin of its own for each service.
fn log_key_text(key: &PublicKey) -> String {
    log_verifier_key(&log_origin(key), key)
}

fn log_origin(key: &PublicKey) -> String {
    // The same first 8 bytes of a SHA-256 that name a maker's key.
    format!("sparekey-log-{}", MakerId::of(&key.to_bytes()))
}

fn read_retired(text: &str) -> Option<(Time, OpeningKey)> {
    let (at, key) = text.split_once('\n')?;
    Some((Time(at.parse().ok()?), pem::read_opening_key(key)?))
}

fn new_opening_key() -> Result<OpeningKey, KeysError> {
    Ok(OpeningKey::from_bytes(&*random()?))
}

fn random() -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn maker() -> PublicKey {
        SigningKey::from_seed(&[1; 32]).public()
    }

    #[test]
    fn made_once_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("service");
        Keys::create(&dir, &[maker()]).unwrap();
        for name in [OPENING_KEY, GRANT_KEY, LOG_KEY] {
            assert_eq!(fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        let halves = Keys::public_halves(&dir).unwrap();
        let keys = Keys::read(&dir, Time(0)).unwrap();
        assert_eq!(keys.opening.public(), halves.opening);
        assert!(halves.log.starts_with("sparekey-log-"), "{}", halves.log);
        let trust = keys.at(Time(0));
        assert_eq!(trust.maker(MakerId::of(&maker().to_bytes())), Some(maker()));
        assert!(trust.maker(MakerId([0; 8])).is_none());

        let before = fs::read(dir.join(OPENING_KEY)).unwrap();
        assert!(matches!(Keys::create(&dir, &[maker()]), Err(KeysError::Exists(_))));
        assert_eq!(fs::read(dir.join(OPENING_KEY)).unwrap(), before);
    }

    #[test]
    fn a_folder_that_is_not_whole_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Keys::read(dir.path(), Time(0)), Err(KeysError::Missing(_))));
        assert!(matches!(Keys::create(dir.path(), &[]), Err(KeysError::NoMaker)));
        Keys::create(dir.path(), &[maker()]).unwrap();
        fs::copy(dir.path().join(GRANT_KEY), dir.path().join(OPENING_KEY)).unwrap();
        assert!(
            matches!(Keys::read(dir.path(), Time(0)), Err(KeysError::NotAKey(path)) if path.ends_with(OPENING_KEY))
        );
    }

    #[test]
    fn a_retired_key_opens_for_thirty_days() {
        let dir = tempfile::tempdir().unwrap();
        let retired_at = Time(1_000_000);
        Keys::create(dir.path(), &[maker()]).unwrap();
        let old = Keys::public_halves(dir.path()).unwrap().opening.id();
        Keys::retire_opening_key(dir.path(), retired_at).unwrap();
        let new = Keys::public_halves(dir.path()).unwrap().opening.id();
        assert_ne!(old, new);

        let keys = Keys::read(dir.path(), retired_at).unwrap();
        let last_second = retired_at.plus(RETIRED_FOR - 1);
        assert!(keys.at(last_second).opening_key(old).is_some());
        assert!(keys.at(last_second.plus(1)).opening_key(old).is_none());
        assert!(keys.at(last_second.plus(1)).opening_key(new).is_some());
        assert!(Keys::read(dir.path(), last_second.plus(1)).unwrap().retired.is_empty());
    }

    #[test]
    fn a_withdrawn_serial_is_withdrawn_by_its_maker_only() {
        let dir = tempfile::tempdir().unwrap();
        Keys::create(dir.path(), &[maker()]).unwrap();
        let keys = Keys::read(dir.path(), Time(0)).unwrap();
        let (id, serial) = (MakerId::of(&maker().to_bytes()), Serial::new("A-1").unwrap());
        keys.set_withdrawn([(id, serial.clone())].into());
        assert!(keys.at(Time(0)).is_withdrawn(id, &serial));
        assert!(!keys.at(Time(0)).is_withdrawn(MakerId([0; 8]), &serial));
        assert!(!keys.at(Time(0)).is_withdrawn(id, &Serial::new("A-2").unwrap()));
    }
}
