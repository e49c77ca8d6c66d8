//! Verifier keys of signed notes, and the two kinds of signatures in use: the log's own, and its witnesses' cosignatures.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer};
use sha2::{Digest, Sha256};

use super::note::signature_line;
use crate::{
    card::VerifierKey,
    keys::{PublicKey, SigningKey},
    time::Time,
};

/// What a key's signatures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 over the text (type 0x01).
    Ed25519,
    /// Ed25519 over a time and the text (type 0x04, c2sp.org/tlog-cosignature).
    Cosignature,
}

impl Algorithm {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// Why a verifier key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not `name+id+key`, or a key that is no point of the curve.
    Malformed,
    /// The identifier is not that of this name and key.
    WrongId,
    /// An algorithm that is not in use here, such as ML-DSA-44 (type 0x06); its type.
    Unsupported(u8),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a note verifier key"),
            Self::WrongId => f.write_str("the verifier key's identifier is another key's"),
            Self::Unsupported(0x06) => f.write_str("ML-DSA-44 keys (type 0x06) are not supported"),
            Self::Unsupported(byte) => write!(f, "verifier keys of type 0x{byte:02x} are not supported"),
        }
    }
}

impl core::error::Error for KeyError {}

/// A key that signatures of notes are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    algorithm: Algorithm,
    key: PublicKey,
    id: [u8; 4],
}

impl NoteKey {
    /// The key of this name; `None` if no key may have it: empty, too long, or with a space, a plus or a control character.
    #[must_use]
    pub fn new(name: &str, algorithm: Algorithm, key: PublicKey) -> Option<Self> {
        is_key_name(name).then(|| Self { id: key_id(name, algorithm, &key), name: name.to_owned(), algorithm, key })
    }

    /// Reads a verifier key, `<name>+<id>+<key>`.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &VerifierKey) -> Result<Self, KeyError> {
        let mut parts = text.as_str().splitn(3, '+');
        let mut part = || parts.next().ok_or(KeyError::Malformed);
        let (name, id, typed) = (part()?, part()?, part()?);
        let typed = STANDARD.decode(typed).map_err(|_| KeyError::Malformed)?;
        let (algorithm, key) = match typed.split_first() {
            Some((0x01, key)) => (Algorithm::Ed25519, key),
            Some((0x04, key)) => (Algorithm::Cosignature, key),
            Some((other, _)) => return Err(KeyError::Unsupported(*other)),
            None => return Err(KeyError::Malformed),
        };
        let key = key.try_into().ok().and_then(PublicKey::from_bytes).ok_or(KeyError::Malformed)?;
        let key = Self::new(name, algorithm, key).ok_or(KeyError::Malformed)?;
        if hex::encode(key.id) == id { Ok(key) } else { Err(KeyError::WrongId) }
    }

    /// The key's name: of a log, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its short identifier, which tells keys of one name apart and proves nothing.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// What its signatures are.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key without its name.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key
    }

    /// Its verifier key string.
    #[must_use]
    pub fn to_verifier_key(&self) -> String {
        verifier_key(&self.name, self.algorithm, &self.key)
    }

    /// Whether this is the key's signature of this text, in the form of its algorithm.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 => self.holds(text.as_bytes(), signature),
            Algorithm::Cosignature => {
                let Some((time, signature)) = signature.split_first_chunk() else { return false };
                let time = u64::from_be_bytes(*time);
                // The specification's bound.
                i64::try_from(time).is_ok() && self.holds(cosigned(time, text).as_bytes(), signature)
            }
        }
    }

    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verifies(message, &signature))
    }
}

/// The line with which a log signs a text under its name.
pub(super) fn sign(name: &str, key: &SigningKey, text: &str) -> String {
    let id = key_id(name, Algorithm::Ed25519, &key.public());
    signature_line(name, id, &key.0.sign(text.as_bytes()).to_bytes())
}

/// The line with which a witness cosigns the text of a checkpoint that it saw at this time.
#[must_use]
pub fn cosign(name: &str, key: &SigningKey, time: Time, text: &str) -> String {
    let id = key_id(name, Algorithm::Cosignature, &key.public());
    let signature = key.0.sign(cosigned(time.0, text).as_bytes()).to_bytes();
    signature_line(name, id, &[&time.0.to_be_bytes()[..], &signature].concat())
}

/// The verifier key string of a witness.
#[must_use]
pub fn cosigner_verifier_key(name: &str, key: &PublicKey) -> Option<String> {
    NoteKey::new(name, Algorithm::Cosignature, *key).map(|key| key.to_verifier_key())
}

/// `<name>+<id>+<key>`.
pub(crate) fn verifier_key(name: &str, algorithm: Algorithm, key: &PublicKey) -> String {
    let typed: Vec<u8> = core::iter::once(algorithm.byte()).chain(key.to_bytes()).collect();
    format!("{name}+{}+{}", hex::encode(key_id(name, algorithm, key)), STANDARD.encode(typed))
}

/// Not empty, no spaces of any script, no plus, no control characters.
pub(super) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}

/// What a witness signs (c2sp.org/tlog-cosignature, "Ed25519 signed message").
fn cosigned(time: u64, text: &str) -> String {
    ["cosignature/v1\ntime ", &time.to_string(), "\n", text].concat()
}

fn key_id(name: &str, algorithm: Algorithm, key: &PublicKey) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update("\n").chain_update([algorithm.byte()]);
    let hash: [u8; 32] = hash.chain_update(key.to_bytes()).finalize().into();
    core::array::from_fn(|i| hash[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::note::Note;

    fn parse(text: &str) -> Result<NoteKey, KeyError> {
        NoteKey::parse(&VerifierKey::new(text).unwrap())
    }

    #[test]
    fn the_example_of_the_specification() {
        let text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        let key = parse(text).unwrap();
        assert_eq!((key.name(), key.to_verifier_key().as_str()), ("example.com/foo", text));
        let note = "This is an example message.\n\n\u{2014} example.com/foo \
            Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        let parsed = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(parsed.verified_by(&key), Some(true));
        let altered = note.replace("example message", "example massage");
        assert_eq!(Note::parse(altered.as_bytes()).unwrap().verified_by(&key), Some(false));
    }

    #[test]
    fn keys_that_cannot_be_used() {
        let good = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        for (text, error) in [
            (good.replace("530d903a", "530d903b"), KeyError::WrongId),
            (good.replace("530d903a", "530D903A"), KeyError::WrongId),
            (good.replace("foo", "bar"), KeyError::WrongId),
            (good.replace("+Aeky", "+Aek"), KeyError::Malformed),
            (good.replace("example.com/foo", ""), KeyError::Malformed),
            (good.replace("example.com/foo", "example com"), KeyError::Malformed),
            (good.replace("example.com/foo", "example\u{2003}com"), KeyError::Malformed),
            (good.replace("+Aeky", "+Ague"), KeyError::Unsupported(2)),
            (good.replace("+Aeky", "+BnoK"), KeyError::Unsupported(6)),
            ("example.com/foo+530d903a+".into(), KeyError::Malformed),
            ("example.com/foo+530d903a".into(), KeyError::Malformed),
            // The neutral element, for which anybody can sign.
            ("example.com/foo+530d903a+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into(), KeyError::Malformed),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_cosignature_binds_its_time_and_is_no_signature_of_a_log() {
        let key = SigningKey::from_seed(&[9; 32]);
        let witness = parse(&cosigner_verifier_key("witness.example", &key.public()).unwrap()).unwrap();
        let text = "example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let line = cosign("witness.example", &key, Time(1_679_315_147), text);
        let note = [text, "\n", &line].concat();
        let note = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(note.verified_by(&witness), Some(true));
        let log = NoteKey::new("witness.example", Algorithm::Ed25519, key.public()).unwrap();
        assert_eq!(note.verified_by(&log), None, "another identifier");
        let mut signature = note.signatures()[0].signature.clone();
        assert!(!log.verifies(text, &signature) && !log.verifies(text, &signature[8..]));
        signature[7] ^= 1;
        assert!(!witness.verifies(text, &signature), "another time");
    }
}
