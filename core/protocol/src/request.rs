//! The recovery request (protocol section 4): device to service, by way of a phone, a file or a photo.

use alloc::vec::Vec;

use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteSlice, decode, encode};
use zeroize::Zeroizing;

pub use crate::letter::Trust;
use crate::{
    cbor,
    certificate::Certificate,
    code::Code,
    cose::Use,
    ids::{KeyId, MakerId, Nonce, RequestIdentity},
    keys::{OpeningPublicKey, PublicKey, SigningKey},
    letter::{self, Kind, Opened, Parts, Signed},
    refusal::Refusal,
    sealed,
    text::{Firmware, Language, ReservedEmail},
    time::Time,
    verified::Verified,
};

/// The most bytes a request has.
pub const MAX_REQUEST: usize = 2048;

const LETTER: Kind = Kind { signed_as: Use::Request, info: b"sparekey/v1/request", most: MAX_REQUEST };

/// What the plaintext is padded to, so that the symbol's size does not tell the address's length.
const PADDED: [usize; 3] = [96, 160, 384];

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Purpose {
    /// A new password by a code to the reserved email.
    #[n(1)]
    ResetByEmail,
    /// A new password through the desk.
    #[n(2)]
    ResetByDesk,
    /// Proof that the reserved email reaches its owner.
    #[n(3)]
    ConfirmEmail,
}

impl Purpose {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::ResetByEmail => 1,
            Self::ResetByDesk => 2,
            Self::ConfirmEmail => 3,
        }
    }
}

/// What the service reads once everything held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks, as the maker certified.
    pub certificate: Certificate,
    /// The request's own number.
    pub nonce: Nonce,
    /// SHA-256 of all its bytes.
    pub identity: RequestIdentity,
    /// What for, and with what.
    pub contents: Contents,
}

/// What a device seals, and only the service that it pins can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// What the owner is to type.
    pub code: Code,
    /// What is asked for.
    pub ask: Ask,
    /// The firmware version.
    pub firmware: Firmware,
    /// The device's own idea of the time: it may be wrong.
    pub device_time: Time,
    /// When the device started, by the same clock.
    pub start_time: Time,
    /// The language to write to the owner in.
    pub language: Language,
}

/// The purpose with what belongs to it: an address, except through the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Purpose 1.
    ResetByEmail(ReservedEmail),
    /// Purpose 2.
    ResetByDesk,
    /// Purpose 3.
    ConfirmEmail(ReservedEmail),
}

impl Ask {
    /// Its number on the wire.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::ResetByEmail(_) => Purpose::ResetByEmail,
            Self::ResetByDesk => Purpose::ResetByDesk,
            Self::ConfirmEmail(_) => Purpose::ConfirmEmail,
        }
    }

    /// Where a code is to be sent.
    #[must_use]
    pub fn email(&self) -> Option<&ReservedEmail> {
        match self {
            Self::ResetByEmail(email) | Self::ConfirmEmail(email) => Some(email),
            Self::ResetByDesk => None,
        }
    }
}

/// Makes a request on a device. The nonce and the seed are fresh random bytes; the certificate is the device's own.
///
/// Returns `None` if the service's opening key is not usable: a card's maker signed nonsense.
#[must_use]
pub fn seal(
    contents: &Contents,
    nonce: Nonce,
    seed: &[u8; 32],
    certificate: &[u8],
    device: &SigningKey,
    service: &OpeningPublicKey,
) -> Option<Vec<u8>> {
    let (purpose, key) = (contents.ask.purpose(), service.id());
    let plaintext = pad(Plaintext::from(contents));
    let sealed = sealed::seal(service, LETTER.info, &bound_to(purpose, nonce, key, certificate), &plaintext, seed)?;
    let payload = Payload {
        purpose,
        nonce,
        key,
        enc: sealed.enc,
        ciphertext: sealed.ciphertext,
        certificate: certificate.to_vec(),
    };
    Some(LETTER.sign(device, &payload))
}

/// Opens and checks a request: the only way to its contents.
///
/// # Errors
/// The first check that fails, in the order of protocol section 4. Limits come after, and are for `sparekey-cases` to decide.
pub fn open(bytes: &[u8], trust: &impl Trust) -> Result<Verified<Request>, Refusal> {
    let Opened { certificate, payload, plaintext } = LETTER.open::<Payload>(bytes, trust)?;
    let contents = cbor::decode::<Plaintext>(&plaintext, MAX_REQUEST)?.into_contents(payload.purpose)?;

    let identity = RequestIdentity::of(bytes);
    Ok(Verified::after_all_checks(Request { certificate, nonce: payload.nonce, identity, contents }))
}

/// The nonce that a request says openly. Nothing is checked.
#[must_use]
pub fn nonce_of(bytes: &[u8]) -> Option<Nonce> {
    LETTER.claimed::<Payload>(bytes).ok().map(|payload| payload.nonce)
}

/// What anybody who holds a request can know: who asks, and for what. The code and the address are the service's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Who asks, as the maker certified.
    pub certificate: Certificate,
    /// The request's own number.
    pub nonce: Nonce,
    /// What for.
    pub purpose: Purpose,
}

/// Checks a request from outside: by whom it is, without opening it.
///
/// # Errors
/// The first check that fails, in the order of protocol section 4.
pub fn open_outside(bytes: &[u8], maker: &PublicKey) -> Result<Verified<Outside>, Refusal> {
    let known = |id| (id == MakerId::of(&maker.to_bytes())).then_some(*maker);
    let Signed { certificate, payload } = LETTER.signed::<Payload>(bytes, known, |_, _| false)?;
    Ok(Verified::after_all_checks(Outside { certificate, nonce: payload.nonce, purpose: payload.purpose }))
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Payload {
    #[n(1)]
    purpose: Purpose,
    #[n(2)]
    nonce: Nonce,
    #[n(3)]
    key: KeyId,
    #[cbor(n(4), with = "minicbor::bytes")]
    enc: [u8; 32],
    #[cbor(n(5), with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
    #[cbor(n(6), with = "minicbor::bytes")]
    certificate: Vec<u8>,
}

impl letter::Payload for Payload {
    fn parts(&self) -> Parts<'_> {
        let Self { key, enc, ciphertext, certificate, .. } = self;
        Parts { key: *key, enc, ciphertext, certificate }
    }

    fn bound_to(&self) -> Vec<u8> {
        bound_to(self.purpose, self.nonce, self.key, &self.certificate)
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Plaintext {
    #[n(1)]
    code: Code,
    #[n(2)]
    email: Option<ReservedEmail>,
    #[n(3)]
    firmware: Firmware,
    #[n(4)]
    device_time: Time,
    #[n(5)]
    start_time: Time,
    #[n(6)]
    language: Language,
    #[n(7)]
    padding: Option<Zeros>,
}

impl From<&Contents> for Plaintext {
    fn from(contents: &Contents) -> Self {
        Self {
            code: contents.code.clone(),
            email: contents.ask.email().cloned(),
            firmware: contents.firmware.clone(),
            device_time: contents.device_time,
            start_time: contents.start_time,
            language: contents.language.clone(),
            padding: None,
        }
    }
}

impl Plaintext {
    fn into_contents(self, purpose: Purpose) -> Result<Contents, Refusal> {
        let ask = match (purpose, self.email) {
            (Purpose::ResetByEmail, Some(email)) => Ask::ResetByEmail(email),
            (Purpose::ResetByDesk, None) => Ask::ResetByDesk,
            (Purpose::ConfirmEmail, Some(email)) => Ask::ConfirmEmail(email),
            _ => return Err(Refusal::Malformed),
        };
        Ok(Contents {
            code: self.code,
            ask,
            firmware: self.firmware,
            device_time: self.device_time,
            start_time: self.start_time,
            language: self.language,
        })
    }
}

/// The plaintext at the first padded length that it can be brought to; as it is if it is longer than all of them.
fn pad(mut plaintext: Plaintext) -> Zeroizing<Vec<u8>> {
    let bare = Zeroizing::new(cbor::encode(&plaintext));
    for target in PADDED {
        let Some(room) = target.checked_sub(bare.len()) else { continue };
        // The key takes one byte, and the head of the string one, two or three: tried from the longest string that could fit.
        for zeros in (room.saturating_sub(4)..room.saturating_sub(1)).rev() {
            plaintext.padding = Some(Zeros(zeros));
            let padded = Zeroizing::new(cbor::encode(&plaintext));
            if padded.len() == target {
                return padded;
            }
        }
    }
    bare
}

/// So many zero bytes.
struct Zeros(usize);

impl<C> Encode<C> for Zeros {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&alloc::vec![0; self.0])?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Zeros {
    /// Keeps the length only: a byte that is not zero does not survive the encoding again, and is refused with it.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.bytes().map(|bytes| Self(bytes.len()))
    }
}

impl<C> Encode<C> for Code {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(self.expose())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Code {
    /// Exactly eight digits; a code with spaces does not survive the encoding again.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::parse(d.str()?).ok_or(decode::Error::message("not eight digits"))
    }
}

fn bound_to(purpose: Purpose, nonce: Nonce, key: KeyId, certificate: &[u8]) -> Vec<u8> {
    cbor::encode(&(purpose, nonce, key, <&ByteSlice>::from(certificate)))
}
