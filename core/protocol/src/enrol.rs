//! The enrolment record (protocol section 9): a device's secret for security codes, sealed to its service.
//!
//! The device makes the secret and the record when it is provisioned; its maker uploads it. It is a request's sibling: signed by the
//! device, sealed by the same HPKE, and opened by the same [`Trust`].

use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteSlice, decode, encode};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    cbor,
    certificate::{Certificate, Claimed},
    cose::{self, Sign1, Use},
    ids::KeyId,
    keys::{OpeningPublicKey, PublicKey, SigningKey},
    refusal::Refusal,
    request::Trust,
    sealed,
    verified::Verified,
};

/// The most bytes of an enrolment record.
pub const MAX_ENROLMENT: usize = 1024;

const INFO: &[u8] = b"sparekey/v1/enrol";

/// What a device and its service share for security codes: 32 random bytes of that device's own. Wiped on drop, compared in
/// constant time, never printed.
#[derive(Clone)]
pub struct EnrolmentSecret(Zeroizing<[u8; 32]>);

impl EnrolmentSecret {
    /// The secret of these 32 random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes: for a vault, or a service's sealed store, and nothing else.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EnrolmentSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentSecret(secret)")
    }
}

impl PartialEq for EnrolmentSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl Eq for EnrolmentSecret {}

/// What the service reads out of an enrolment record once everything held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Which device, as the maker certified.
    pub certificate: Certificate,
    /// Its secret.
    pub secret: EnrolmentSecret,
}

/// Makes an enrolment record on a device. The seed is 32 fresh random bytes; the certificate is the device's own.
///
/// Returns `None` if the service's opening key is not usable: a card's maker signed nonsense.
#[must_use]
pub fn seal(
    secret: &EnrolmentSecret,
    seed: &[u8; 32],
    certificate: &[u8],
    device: &SigningKey,
    service: &OpeningPublicKey,
) -> Option<Vec<u8>> {
    let plaintext = Zeroizing::new(cbor::encode(&Plaintext { secret: secret.clone() }));
    let sealed = sealed::seal(service, INFO, &aad(service.id(), certificate), &plaintext, seed)?;
    let payload = Payload {
        key: service.id(),
        enc: sealed.enc,
        ciphertext: sealed.ciphertext,
        certificate: certificate.to_vec(),
    };
    Some(cose::sign(device, Use::Enrol, &cbor::encode(&payload)))
}

/// Opens and checks an enrolment record: the only way to its secret.
///
/// # Errors
/// The first check that fails, in the order of those of a request (protocol section 4).
pub fn open(bytes: &[u8], trust: &impl Trust) -> Result<Verified<Enrolment>, Refusal> {
    let envelope = Sign1::parse(bytes, MAX_ENROLMENT)?;
    let payload: Payload = cbor::decode(envelope.payload, MAX_ENROLMENT)?;
    let claimed = Claimed::parse(&payload.certificate).map_err(|_| Refusal::Malformed)?;

    let maker = trust.maker(claimed.maker()).ok_or(Refusal::UnknownMaker)?;
    let certificate = claimed.verify(&maker).ok_or(Refusal::BadCertificate)?.into_inner();
    if trust.is_withdrawn(certificate.maker, &certificate.serial) {
        return Err(Refusal::Withdrawn);
    }
    let device = PublicKey::from_bytes(&certificate.device_key).ok_or(Refusal::BadSignature)?;
    if !envelope.verify(&device, Use::Enrol) {
        return Err(Refusal::BadSignature);
    }
    let key = trust.opening_key(payload.key).ok_or(Refusal::UnknownKey)?;
    let aad = aad(payload.key, &payload.certificate);
    let plaintext = sealed::open(key, INFO, &aad, &payload.enc, &payload.ciphertext).ok_or(Refusal::NotOpened)?;
    let Plaintext { secret } = cbor::decode(&plaintext, MAX_ENROLMENT)?;

    Ok(Verified::after_all_checks(Enrolment { certificate, secret }))
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Payload {
    #[n(1)]
    key: KeyId,
    #[cbor(n(2), with = "minicbor::bytes")]
    enc: [u8; 32],
    #[cbor(n(3), with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
    #[cbor(n(4), with = "minicbor::bytes")]
    certificate: Vec<u8>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Plaintext {
    #[n(1)]
    secret: EnrolmentSecret,
}

impl<C> Encode<C> for EnrolmentSecret {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&*self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for EnrolmentSecret {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.bytes()?.try_into().map(Self::from_bytes).map_err(|_| decode::Error::message("wrong length"))
    }
}

/// What the seal is bound to: everything of the record that is not sealed.
fn aad(key: KeyId, certificate: &[u8]) -> Vec<u8> {
    cbor::encode(&(key, <&ByteSlice>::from(certificate)))
}
