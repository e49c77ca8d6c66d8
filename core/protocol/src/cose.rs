//! COSE_Sign1 (RFC 9052 section 4.2) with one fixed header: EdDSA, payload attached, nothing unprotected.

use alloc::vec::Vec;

use ed25519_dalek::{Signature, Signer};
use minicbor::{Decode, Decoder, Encode, Encoder, bytes::ByteSlice, decode, encode};

use crate::{
    cbor::{self, Malformed},
    keys::{PublicKey, SigningKey},
};

/// `{1: -8}`: algorithm EdDSA (RFC 9053 section 2.2).
const PROTECTED: &[u8] = &[0xa1, 0x01, 0x27];

/// The external_aad that separates the uses of a key.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Device,
    Service,
    Request,
    Grant,
    Enrol,
    Receipt,
    Transfer,
    Tls,
    Clip,
}

impl Use {
    fn external_aad(self) -> &'static [u8] {
        match self {
            Self::Device => b"sparekey/v1/device",
            Self::Service => b"sparekey/v1/service",
            Self::Request => b"sparekey/v1/request",
            Self::Grant => b"sparekey/v1/grant",
            Self::Enrol => b"sparekey/v1/enrol",
            Self::Receipt => b"sparekey/v1/receipt",
            Self::Transfer => b"sparekey/v1/transfer",
            Self::Tls => b"sparekey/v1/tls",
            Self::Clip => b"sparekey/v1/clip",
        }
    }
}

/// A signed message whose signature has not been checked.
pub(crate) struct Sign1<'b> {
    pub(crate) payload: &'b [u8],
    signature: [u8; 64],
}

impl<'b> Sign1<'b> {
    pub(crate) fn parse(bytes: &'b [u8], limit: usize) -> Result<Self, Malformed> {
        cbor::decode(bytes, limit)
    }

    pub(crate) fn verify(&self, key: &PublicKey, purpose: Use) -> bool {
        key.verifies(&to_be_signed(purpose, self.payload), &Signature::from_bytes(&self.signature))
    }
}

pub(crate) fn sign(key: &SigningKey, purpose: Use, payload: &[u8]) -> Vec<u8> {
    let signature = key.0.sign(&to_be_signed(purpose, payload)).to_bytes();
    cbor::encode(&Sign1 { payload, signature })
}

/// The Sig_structure of RFC 9052 section 4.4.
fn to_be_signed(purpose: Use, payload: &[u8]) -> Vec<u8> {
    let bytes = |slice| <&ByteSlice>::from(slice);
    cbor::encode(&("Signature1", bytes(PROTECTED), bytes(purpose.external_aad()), bytes(payload)))
}

impl<C> Encode<C> for Sign1<'_> {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(4)?.bytes(PROTECTED)?.map(0)?.bytes(self.payload)?.bytes(&self.signature)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Sign1<'b> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let wrong = || decode::Error::message("not a COSE_Sign1 of this protocol");
        if d.array()? != Some(4) || d.bytes()? != PROTECTED || d.map()? != Some(0) {
            return Err(wrong());
        }
        let payload = d.bytes()?;
        let signature = d.bytes()?.try_into().map_err(|_| wrong())?;
        Ok(Self { payload, signature })
    }
}

#[cfg(test)]
mod tests {
    use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};

    use super::*;

    #[test]
    fn another_implementation_makes_the_same_bytes() {
        let key = SigningKey::from_seed(&[7; 32]);
        let theirs = CoseSign1Builder::new()
            .protected(HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).build())
            .payload(b"payload".to_vec())
            .create_signature(b"sparekey/v1/device", |message| key.0.sign(message).to_bytes().to_vec())
            .build()
            .to_vec()
            .unwrap();
        assert_eq!(sign(&key, Use::Device, b"payload"), theirs);
    }

    #[test]
    fn another_implementation_verifies_ours() {
        let key = SigningKey::from_seed(&[7; 32]);
        let message = CoseSign1::from_slice(&sign(&key, Use::Request, b"payload")).unwrap();
        message
            .verify_signature(b"sparekey/v1/request", |signature, bytes| {
                let signature = Signature::from_slice(signature).unwrap();
                if key.public().verifies(bytes, &signature) { Ok(()) } else { Err(()) }
            })
            .unwrap();
    }

    #[test]
    fn a_signature_serves_one_use_only() {
        let key = SigningKey::from_seed(&[7; 32]);
        let bytes = sign(&key, Use::Device, b"payload");
        let parsed = Sign1::parse(&bytes, 200).unwrap();
        assert!(parsed.verify(&key.public(), Use::Device));
        for other in
            [Use::Service, Use::Request, Use::Grant, Use::Enrol, Use::Receipt, Use::Transfer, Use::Tls, Use::Clip]
        {
            assert!(!parsed.verify(&key.public(), other));
        }
    }
}
