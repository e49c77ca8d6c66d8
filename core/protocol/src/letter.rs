//! What a device writes to its service: signed by the device, and sealed in part so that nobody else reads it.
//!
//! A request (protocol section 4), an enrolment record (section 9) and a receipt are all such letters. They differ in what stands
//! openly beside the sealed part, and share every check and the order of the checks.

use alloc::vec::Vec;

use minicbor::{Decode, Encode, bytes::ByteSlice};
use zeroize::Zeroizing;

use crate::{
    cbor,
    certificate::{Certificate, Claimed},
    cose::{self, Sign1, Use},
    ids::{KeyId, MakerId},
    keys::{OpeningKey, OpeningPublicKey, PublicKey, SigningKey},
    refusal::Refusal,
    sealed,
    text::Serial,
};

/// What a service knows, and opening a letter asks it for.
pub trait Trust {
    /// The key of a maker that this service trusts.
    fn maker(&self, id: MakerId) -> Option<PublicKey>;
    /// Whether that maker withdrew the serial.
    fn is_withdrawn(&self, maker: MakerId, serial: &Serial) -> bool;
    /// An opening key that is in use, or retired for less than 30 days.
    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey>;
}

/// One kind of letter.
pub(crate) struct Kind {
    /// What the device signs it as.
    pub(crate) signed_as: Use,
    /// The `info` of HPKE.
    pub(crate) info: &'static [u8],
    /// The most bytes.
    pub(crate) most: usize,
}

/// What stands in a letter under the signature.
pub(crate) trait Payload: Encode<()> + for<'b> Decode<'b, ()> {
    /// What all letters have.
    fn parts(&self) -> Parts<'_>;
    /// What the seal is bound to: everything that is not sealed.
    fn bound_to(&self) -> Vec<u8>;
}

/// What all letters have.
pub(crate) struct Parts<'p> {
    /// The key that it is sealed to.
    pub(crate) key: KeyId,
    /// HPKE's encapsulated key.
    pub(crate) enc: &'p [u8; 32],
    /// What is sealed.
    pub(crate) ciphertext: &'p [u8],
    /// The bytes of the device's certificate.
    pub(crate) certificate: &'p [u8],
}

/// A letter whose signature holds, and the certificate of who signed it.
pub(crate) struct Signed<P> {
    pub(crate) certificate: Certificate,
    pub(crate) payload: P,
}

/// A letter that was opened.
pub(crate) struct Opened<P> {
    pub(crate) certificate: Certificate,
    pub(crate) payload: P,
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
}

impl Kind {
    /// What a letter says, none of it checked.
    pub(crate) fn claimed<P: Payload>(&self, bytes: &[u8]) -> Result<P, Refusal> {
        Ok(cbor::decode(Sign1::parse(bytes, self.most)?.payload, self.most)?)
    }

    /// Checks by whom a letter is, without opening it.
    pub(crate) fn signed<P: Payload>(
        &self,
        bytes: &[u8],
        maker: impl FnOnce(MakerId) -> Option<PublicKey>,
        is_withdrawn: impl FnOnce(MakerId, &Serial) -> bool,
    ) -> Result<Signed<P>, Refusal> {
        let envelope = Sign1::parse(bytes, self.most)?;
        let payload: P = cbor::decode(envelope.payload, self.most)?;
        let claimed = Claimed::parse(payload.parts().certificate).map_err(|_| Refusal::Malformed)?;

        let maker = maker(claimed.maker()).ok_or(Refusal::UnknownMaker)?;
        let certificate = claimed.verify(&maker).ok_or(Refusal::BadCertificate)?.into_inner();
        if is_withdrawn(certificate.maker, &certificate.serial) {
            return Err(Refusal::Withdrawn);
        }
        let device = PublicKey::from_bytes(&certificate.device_key).ok_or(Refusal::BadSignature)?;
        if !envelope.verify(&device, self.signed_as) {
            return Err(Refusal::BadSignature);
        }
        Ok(Signed { certificate, payload })
    }

    /// Checks a letter and opens it, in the order of protocol section 4.
    pub(crate) fn open<P: Payload>(&self, bytes: &[u8], trust: &impl Trust) -> Result<Opened<P>, Refusal> {
        let maker = |id| trust.maker(id);
        let is_withdrawn = |maker, serial: &Serial| trust.is_withdrawn(maker, serial);
        let Signed { certificate, payload } = self.signed::<P>(bytes, maker, is_withdrawn)?;
        let Parts { key, enc, ciphertext, .. } = payload.parts();
        let key = trust.opening_key(key).ok_or(Refusal::UnknownKey)?;
        let plaintext = sealed::open(key, self.info, &payload.bound_to(), enc, ciphertext);
        let plaintext = plaintext.ok_or(Refusal::NotOpened)?;
        Ok(Opened { certificate, payload, plaintext })
    }

    /// Signs what was put together.
    pub(crate) fn sign<P: Payload>(&self, device: &SigningKey, payload: &P) -> Vec<u8> {
        cose::sign(device, self.signed_as, &cbor::encode(payload))
    }

    /// A letter with nothing but the sealed part. `None` if the service's key is not usable.
    pub(crate) fn seal(
        &self,
        plaintext: &[u8],
        seed: &[u8; 32],
        certificate: &[u8],
        device: &SigningKey,
        service: &OpeningPublicKey,
    ) -> Option<Vec<u8>> {
        let bound_to = bound_to(service.id(), certificate);
        let sealed = sealed::seal(service, self.info, &bound_to, plaintext, seed)?;
        let payload = Bare {
            key: service.id(),
            enc: sealed.enc,
            ciphertext: sealed.ciphertext,
            certificate: certificate.to_vec(),
        };
        Some(self.sign(device, &payload))
    }
}

/// The payload of a letter with nothing but the sealed part.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct Bare {
    #[n(1)]
    key: KeyId,
    #[cbor(n(2), with = "minicbor::bytes")]
    enc: [u8; 32],
    #[cbor(n(3), with = "minicbor::bytes")]
    ciphertext: Vec<u8>,
    #[cbor(n(4), with = "minicbor::bytes")]
    certificate: Vec<u8>,
}

impl Payload for Bare {
    fn parts(&self) -> Parts<'_> {
        let Self { key, enc, ciphertext, certificate } = self;
        Parts { key: *key, enc, ciphertext, certificate }
    }

    fn bound_to(&self) -> Vec<u8> {
        bound_to(self.key, &self.certificate)
    }
}

fn bound_to(key: KeyId, certificate: &[u8]) -> Vec<u8> {
    cbor::encode(&(key, <&ByteSlice>::from(certificate)))
}
