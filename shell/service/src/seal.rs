//! What the database holds of secrets and persons: letters sealed, bucket keys hashed with a key.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use minicbor::{Decode, Encode};
use sha2::Sha256;
use sparekey_cases::{
    Scope,
    desk::{Line, Words},
};
use sparekey_mail::{Address, News};
use sparekey_protocol::{
    CaseNumber, Code, DeviceId, Firmware, KeyId, Language, Model, OpeningKey, ReservedEmail, Serial, Time,
    enrol::EnrolmentSecret,
    receipt::What,
    request::{Purpose, Request},
};
use zeroize::Zeroizing;

use crate::{keys::Keys, store::Letter};

const OUTBOX: &[u8] = b"sparekey/v1/outbox";
const BUCKETS: &[u8] = b"sparekey/v1/buckets";
const EVIDENCE: &[u8] = b"sparekey/v1/evidence";
const ENROLMENTS: &[u8] = b"sparekey/v1/enrolments";
const CEREMONIES: &[u8] = b"sparekey/v1/ceremonies";
const NONCE: usize = 12;

/// What a kind of letter is written from.
pub(crate) trait Contents: Encode<()> + for<'b> Decode<'b, ()> {
    /// So that no kind of letter is taken for another. Kept in the database: never changed.
    const KIND: &'static [u8];

    /// What its seal is bound to.
    fn place(letter: Letter) -> Vec<u8> {
        [Self::KIND, &place(letter)].concat()
    }
}

impl Contents for LetterContents {
    const KIND: &'static [u8] = b"";
}

impl Contents for RefusalContents {
    const KIND: &'static [u8] = b"refusal";
}

impl Contents for NoticeContents {
    const KIND: &'static [u8] = b"notice";
}

impl Contents for AnswerContents {
    const KIND: &'static [u8] = b"answer";
}

/// What a letter to an owner is written from.
#[derive(Encode, Decode)]
pub(crate) struct LetterContents {
    #[n(0)]
    pub(crate) purpose: Purpose,
    #[n(1)]
    pub(crate) to: ReservedEmail,
    #[n(2)]
    pub(crate) code: Code,
    #[n(3)]
    pub(crate) serial: Serial,
    #[n(4)]
    pub(crate) model: Model,
    #[n(5)]
    pub(crate) firmware: Firmware,
    #[n(6)]
    pub(crate) device_time: Time,
    #[n(7)]
    pub(crate) start_time: Time,
    #[n(8)]
    pub(crate) language: Language,
    /// When the request was taken.
    #[n(9)]
    pub(crate) received_at: Time,
    /// When this letter was queued.
    #[n(10)]
    pub(crate) queued_at: Time,
}

impl LetterContents {
    /// `None` for a request that asks for no mail.
    pub(crate) fn of(request: &Request, received_at: Time, queued_at: Time) -> Option<Self> {
        let (certificate, contents) = (&request.certificate, &request.contents);
        Some(Self {
            purpose: contents.ask.purpose(),
            to: contents.ask.email()?.clone(),
            code: contents.code.clone(),
            serial: certificate.serial.clone(),
            model: certificate.model.clone(),
            firmware: contents.firmware.clone(),
            device_time: contents.device_time,
            start_time: contents.start_time,
            language: contents.language.clone(),
            received_at,
            queued_at,
        })
    }
}

/// What the mail about a refusal of the desk is written from.
#[derive(Encode, Decode)]
pub(crate) struct RefusalContents {
    /// What somebody gave as his address.
    #[n(0)]
    pub(crate) to: Line,
    #[n(1)]
    pub(crate) reason: Words,
    #[n(2)]
    pub(crate) case: CaseNumber,
    #[n(3)]
    pub(crate) serial: Serial,
    #[n(4)]
    pub(crate) model: Model,
    #[n(5)]
    pub(crate) language: Language,
    /// When it was queued.
    #[n(6)]
    pub(crate) queued_at: Time,
}

/// What a notice for a device's contact is written from.
#[derive(Encode, Decode)]
pub(crate) struct NoticeContents {
    #[n(0)]
    pub(crate) to: ReservedEmail,
    #[n(1)]
    pub(crate) what: What,
    #[n(2)]
    pub(crate) way: Option<String>,
    #[n(3)]
    pub(crate) at: Time,
    #[n(4)]
    pub(crate) count: u32,
    #[n(5)]
    pub(crate) serial: Serial,
    #[n(6)]
    pub(crate) model: Model,
    #[n(7)]
    pub(crate) language: Language,
    /// When it was queued.
    #[n(8)]
    pub(crate) queued_at: Time,
}

/// What the answer to who wrote to the service is written from.
#[derive(Encode, Decode)]
pub(crate) struct AnswerContents {
    /// The sender of his mail's envelope.
    #[n(0)]
    pub(crate) to: Line,
    #[n(1)]
    pub(crate) news: News,
    #[n(2)]
    pub(crate) language: Language,
    /// The Message-ID that it answers, if there is one fit to stand in a header.
    #[n(3)]
    pub(crate) in_reply_to: Option<Line>,
    /// When it was queued.
    #[n(4)]
    pub(crate) queued_at: Time,
}

/// The name of a bucket in the database: the byte of its scope, and a hash that only this service can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BucketKey(pub(crate) [u8; 17]);

/// Keys that grow out of the service's opening key (HKDF, RFC 5869).
pub(crate) struct Sealer {
    /// The key in use, then those of retired opening keys.
    outbox: Vec<Zeroizing<[u8; 32]>>,
    /// Likewise.
    evidence: Vec<Zeroizing<[u8; 32]>>,
    /// Likewise.
    enrolments: Vec<Zeroizing<[u8; 32]>>,
    /// Likewise.
    ceremonies: Vec<Zeroizing<[u8; 32]>>,
    buckets: Zeroizing<[u8; 32]>,
    /// The opening key in use.
    key: KeyId,
}

impl Sealer {
    pub(crate) fn new(keys: &Keys) -> Self {
        let all = |info| keys.opening_keys().map(|key| derive(key, info)).collect();
        let first = keys.opening_keys().next().expect("there is a key in use");
        Self {
            outbox: all(OUTBOX),
            evidence: all(EVIDENCE),
            enrolments: all(ENROLMENTS),
            ceremonies: all(CEREMONIES),
            buckets: derive(first, BUCKETS),
            key: first.public().id(),
        }
    }

    /// Seals what a letter is written from (ChaCha20-Poly1305, RFC 8439) to its place in the outbox.
    pub(crate) fn seal<C: Contents>(&self, letter: Letter, contents: &C) -> Result<Vec<u8>, getrandom::Error> {
        let plaintext = Zeroizing::new(minicbor::to_vec(contents).expect("encoding to memory cannot fail"));
        seal(&self.outbox[0], &C::place(letter), &plaintext)
    }

    /// Opens what was sealed to this place; `None` if it was not, is of another kind, or under keys that are no longer held.
    pub(crate) fn open<C: Contents>(&self, letter: Letter, sealed: &[u8]) -> Option<C> {
        minicbor::decode(&open(&self.outbox, &C::place(letter), sealed)?).ok()
    }

    /// Seals the half of a passkey's challenge that the browser keeps and cannot read.
    pub(crate) fn seal_ceremony(&self, plaintext: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        seal(&self.ceremonies[0], b"", plaintext)
    }

    /// Opens it; `None` if this service did not seal it.
    pub(crate) fn open_ceremony(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open(&self.ceremonies, b"", sealed)
    }

    /// Seals what a device and this service share to the device, under the key that is named with it.
    pub(crate) fn seal_enrolment(
        &self,
        device: DeviceId,
        secret: &EnrolmentSecret,
    ) -> Result<(KeyId, Vec<u8>), getrandom::Error> {
        Ok((self.key, seal(&self.enrolments[0], &device.0, secret.expose())?))
    }

    /// Opens it; `None` if it is not this device's, or sealed under keys that are no longer held.
    pub(crate) fn open_enrolment(&self, device: DeviceId, sealed: &[u8]) -> Option<EnrolmentSecret> {
        let secret = open(&self.enrolments, &device.0, sealed)?;
        secret.as_slice().try_into().ok().map(EnrolmentSecret::from_bytes)
    }

    /// The opening key in use.
    pub(crate) fn key(&self) -> KeyId {
        self.key
    }

    /// Seals a piece of evidence to the hash that its case has of it.
    pub(crate) fn seal_evidence(&self, sha256: &[u8; 32], bytes: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        seal(&self.evidence[0], sha256, bytes)
    }

    /// Opens evidence; `None` if it is not the one with this hash, or sealed under keys that are no longer held.
    pub(crate) fn open_evidence(&self, sha256: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open(&self.evidence, sha256, sealed)
    }

    /// The key of the bucket that counts `what` in this scope (HMAC, RFC 2104).
    pub(crate) fn bucket_key(&self, scope: Scope, what: &[u8]) -> BucketKey {
        self.bucket(scope_byte(scope), what)
    }

    /// The key of the bucket that counts the answers to this sender.
    pub(crate) fn answers_to_one(&self, sender: &Address) -> BucketKey {
        self.bucket(ANSWERS_TO_ONE_BYTE, sender.bucket().as_bytes())
    }

    /// The key of the bucket that counts the answers to all senders.
    pub(crate) fn answers_to_all(&self) -> BucketKey {
        self.bucket(ANSWERS_TO_ALL_BYTE, &[])
    }

    fn bucket(&self, first: u8, what: &[u8]) -> BucketKey {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.buckets.as_slice()).expect("any length serves");
        mac.update(&[first]);
        mac.update(what);
        let hash = mac.finalize().into_bytes();
        let mut key = [first; 17];
        key[1..].copy_from_slice(&hash[..16]);
        BucketKey(key)
    }
}

/// A fresh nonce, and what is sealed under it.
fn seal(key: &[u8; 32], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce)?;
    let payload = Payload { msg: plaintext, aad };
    let sealed = cipher(key).encrypt(&Nonce::from(nonce), payload).expect("it is far below 256 GiB");
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(keys: &[Zeroizing<[u8; 32]>], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>()?;
    keys.iter().find_map(|key| {
        let payload = Payload { msg: ciphertext, aad };
        cipher(key).decrypt(&Nonce::from(*nonce), payload).ok().map(Zeroizing::new)
    })
}

/// The first byte of the keys of this scope. Kept in the database: never changed.
pub(crate) fn scope_byte(scope: Scope) -> u8 {
    match scope {
        Scope::DeviceMail => 1,
        Scope::DeviceDesk => 2,
        Scope::Address => 3,
        Scope::Network => 4,
    }
}

/// The first bytes of the keys of buckets that belong to no scope, likewise.
pub(crate) const ANSWERS_TO_ONE_BYTE: u8 = 5;
pub(crate) const ANSWERS_TO_ALL_BYTE: u8 = 6;

/// A key for one use.
pub(crate) fn derive(key: &OpeningKey, info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    let hkdf = Hkdf::<Sha256>::new(None, key.to_bytes().as_slice());
    hkdf.expand(info, derived.as_mut_slice()).expect("32 bytes are a valid length");
    derived
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(key.into())
}

/// 18 bytes of the case, four of the number.
pub(crate) fn place(letter: Letter) -> Vec<u8> {
    [letter.case.0.as_slice(), &letter.number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use sparekey_protocol::{SigningKey, Time};

    use super::*;
    use crate::case_id::CaseId;

    fn contents() -> LetterContents {
        LetterContents {
            purpose: Purpose::ResetByEmail,
            to: ReservedEmail::new("owner@example.org").unwrap(),
            code: Code::parse("12345678").unwrap(),
            serial: Serial::new("NVR-1").unwrap(),
            model: Model::new("N16").unwrap(),
            firmware: Firmware::new("1.0").unwrap(),
            device_time: Time(1),
            start_time: Time(2),
            language: Language::new("de").unwrap(),
            received_at: Time(3),
            queued_at: Time(4),
        }
    }

    #[test]
    fn sealed_to_its_place_and_opened_after_the_key_was_retired() {
        let dir = tempfile::tempdir().unwrap();
        Keys::create(dir.path(), &[SigningKey::from_seed(&[1; 32]).public()]).unwrap();
        let before = Sealer::new(&Keys::read(dir.path(), Time(0)).unwrap());
        let letter = Letter { case: CaseId([7; 18]), number: 1 };
        let mut sealed = before.seal(letter, &contents()).unwrap();
        for secret in [b"owner".as_slice(), b"12345678"] {
            assert!(!sealed.windows(secret.len()).any(|window| window == secret));
        }

        Keys::retire_opening_key(dir.path(), Time(0)).unwrap();
        let after = Sealer::new(&Keys::read(dir.path(), Time(0)).unwrap());
        assert_eq!(after.open::<LetterContents>(letter, &sealed).unwrap().code.expose(), "12345678");

        for other in [Letter { number: 2, ..letter }, Letter { case: CaseId([8; 18]), ..letter }] {
            assert!(after.open::<LetterContents>(other, &sealed).is_none());
        }
        assert!(after.open::<RefusalContents>(letter, &sealed).is_none());
        assert!(after.open::<NoticeContents>(letter, &sealed).is_none());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(after.open::<LetterContents>(letter, &sealed).is_none());
        assert!(after.open::<LetterContents>(letter, &[]).is_none());
    }

    #[test]
    fn bucket_keys_are_this_services_own() {
        let sealers: Vec<Sealer> = (0..2)
            .map(|_| {
                let dir = tempfile::tempdir().unwrap();
                Keys::create(dir.path(), &[SigningKey::from_seed(&[1; 32]).public()]).unwrap();
                Sealer::new(&Keys::read(dir.path(), Time(0)).unwrap())
            })
            .collect();
        let key = sealers[0].bucket_key(Scope::Address, b"owner@example.org");
        assert_eq!(key, sealers[0].bucket_key(Scope::Address, b"owner@example.org"));
        assert_ne!(key, sealers[0].bucket_key(Scope::Network, b"owner@example.org"));
        assert_ne!(key, sealers[1].bucket_key(Scope::Address, b"owner@example.org"));
    }
}
