//! Material for the fuzz targets in `tests/`: one maker, device and service, and messages that are evil inside and properly
//! signed and sealed outside, so that random input reaches the decoders behind the signatures.
//!
//! `cargo test -p sparekey-fuzz` runs every target for two seconds on a stable compiler; `BOLERO_RANDOM_TEST_TIME_MS` makes it
//! longer. With `cargo bolero test` and a nightly compiler the same targets run under libFuzzer.
#![forbid(unsafe_code)]

use std::convert::Infallible;

use ed25519_dalek::Signer;
use hpke::{
    Deserializable, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256,
    single_shot_seal_with_rng,
};
use minicbor::{Decoder, Encoder, bytes::ByteSlice};
use rand_core::{TryCryptoRng, TryRng};
use sparekey_protocol::{
    Certificate, Code, Firmware, KeyId, Language, MakerId, Model, Nonce, OpeningKey, PublicKey, ReservedEmail, Serial,
    SigningKey, Time,
    request::{Ask, Contents, Trust},
};

/// The seed of the maker's key.
pub const MAKER: [u8; 32] = [1; 32];
/// The seed of the device's key.
pub const DEVICE: [u8; 32] = [3; 32];

/// A service that trusts that maker, and withdrew nothing.
#[derive(Debug)]
pub struct Service(OpeningKey);

impl Default for Service {
    fn default() -> Self {
        Self(OpeningKey::from_bytes(&[5; 32]))
    }
}

impl Service {
    /// Its opening key.
    #[must_use]
    pub fn opening(&self) -> &OpeningKey {
        &self.0
    }
}

impl Trust for Service {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        let maker = SigningKey::from_seed(&MAKER).public();
        (id == MakerId::of(&maker.to_bytes())).then_some(maker)
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        (id == self.0.public().id()).then_some(&self.0)
    }
}

/// The device's certificate.
///
/// # Panics
/// Never: the texts are in their bounds.
#[must_use]
pub fn certificate() -> Vec<u8> {
    let (maker, device) = (SigningKey::from_seed(&MAKER), SigningKey::from_seed(&DEVICE));
    let (serial, model) = (Serial::new("NVR-1").expect("in bounds"), Model::new("NVR").expect("in bounds"));
    Certificate::new(&maker.public(), serial, model, &device.public()).sign(&maker)
}

/// What a request of purpose 1 says.
///
/// # Panics
/// Never: the texts are in their bounds.
#[must_use]
pub fn contents() -> Contents {
    Contents {
        code: Code::from_seed(&[7; 16]),
        ask: Ask::ResetByEmail(ReservedEmail::new("owner@example.org").expect("in bounds")),
        firmware: Firmware::new("1.0").expect("in bounds"),
        device_time: Time(1_790_000_000),
        start_time: Time(1_789_000_000),
        language: Language::new("en").expect("in bounds"),
    }
}

/// A message with one byte replaced, put in or taken out at each of these places.
#[must_use]
pub fn edited(message: &[u8], edits: &[(u16, u8, u8)]) -> Vec<u8> {
    let mut message = message.to_vec();
    for &(at, byte, edit) in edits {
        let at = usize::from(at) % (message.len() + 1);
        match edit % 3 {
            0 => message.insert(at, byte),
            1 if at < message.len() => drop(message.remove(at)),
            _ if at < message.len() => message[at] = byte,
            _ => message.push(byte),
        }
    }
    message
}

/// The payload of a COSE_Sign1.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn payload_of(message: &[u8]) -> &[u8] {
    let mut decoder = Decoder::new(message);
    let mut skip =
        || decoder.array().and_then(|_| decoder.skip()).and_then(|()| decoder.skip()).and_then(|()| decoder.bytes());
    skip().expect("a signed message")
}

/// A COSE_Sign1 of any payload.
///
/// # Panics
/// Never: memory takes what is written.
#[must_use]
pub fn signed(seed: &[u8; 32], external_aad: &[u8], payload: &[u8]) -> Vec<u8> {
    const PROTECTED: &[u8] = &[0xa1, 0x01, 0x27];
    let bytes = |slice| <&ByteSlice>::from(slice);
    let structure = minicbor::to_vec(("Signature1", bytes(PROTECTED), bytes(external_aad), bytes(payload)))
        .expect("memory takes it");
    let signature = ed25519_dalek::SigningKey::from_bytes(seed).sign(&structure).to_bytes();
    let mut message = Encoder::new(Vec::new());
    let written = message.array(4).and_then(|e| e.bytes(PROTECTED)).and_then(|e| e.map(0));
    written.and_then(|e| e.bytes(payload)).and_then(|e| e.bytes(&signature)).expect("memory takes it");
    message.into_writer()
}

/// A request with any plaintext in it, sealed and signed as it should be.
///
/// # Panics
/// Never: the key is a good one, and memory takes what is written.
#[must_use]
pub fn request_with(service: &Service, plaintext: &[u8]) -> Vec<u8> {
    type PublicKeyOf<K> = <K as hpke::Kem>::PublicKey;
    let (public, nonce, certificate) = (service.opening().public(), Nonce([2; 16]), certificate());
    let aad = minicbor::to_vec((1, nonce, public.id(), <&ByteSlice>::from(&certificate[..]))).expect("memory takes it");
    let recipient = PublicKeyOf::<X25519HkdfSha256>::from_bytes(&public.0).expect("a good key");
    let (enc, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &recipient,
        b"sparekey/v1/request",
        plaintext,
        &aad,
        &mut Nines,
    )
    .expect("a good key");
    let mut payload = Encoder::new(Vec::new());
    let written = payload.map(6).and_then(|e| e.u8(1)?.u8(1)).and_then(|e| e.u8(2)?.encode(nonce));
    let written = written.and_then(|e| e.u8(3)?.encode(public.id())).and_then(|e| e.u8(4)?.bytes(&enc.to_bytes()));
    let written = written.and_then(|e| e.u8(5)?.bytes(&ciphertext)).and_then(|e| e.u8(6)?.bytes(&certificate));
    written.expect("memory takes it");
    signed(&DEVICE, b"sparekey/v1/request", &payload.into_writer())
}

/// No randomness at all, so that a finding is found again.
struct Nines;

impl TryRng for Nines {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(9)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(9)
    }

    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        wanted.fill(9);
        Ok(())
    }
}

impl TryCryptoRng for Nines {}
