//! The TLS proof: a device's word that a TLS certificate is its own.
//!
//! A device makes its TLS certificate itself, so the certificate alone tells a caller nothing. The proof binds it to the device key, which the
//! maker certified: who stands between a LAN tool and a device has another TLS key, and the proof that it passes on does not fit it.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::{
    cbor,
    certificate::{Certificate, Claimed},
    cose::{self, Sign1, Use},
    ids::{DeviceId, MakerId},
    keys::{PublicKey, SigningKey},
    refusal::Refusal,
    verified::Verified,
};

/// The most bytes of a proof.
pub const MAX_TLS_PROOF: usize = 256;

#[derive(Encode, Decode)]
#[cbor(map)]
struct Payload {
    #[n(1)]
    device: DeviceId,
    #[cbor(n(2), with = "minicbor::bytes")]
    tls_certificate_hash: [u8; 32],
}

/// Who answers behind a TLS certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What its certificate says. Without a maker's key it says so itself: whoever wants to believe the serial has to have met this
    /// [`Certificate::device_id`] before.
    pub certificate: Certificate,
    /// Whether the maker's signature was checked.
    pub vouched: bool,
}

/// Made on a device for its TLS certificate (X.509 DER, RFC 5280).
#[must_use]
pub fn sign(tls_certificate: &[u8], device: &SigningKey) -> Vec<u8> {
    let payload = Payload {
        device: DeviceId::of(&device.public().to_bytes()),
        tls_certificate_hash: Sha256::digest(tls_certificate).into(),
    };
    cose::sign(device, Use::Tls, &cbor::encode(&payload))
}

/// Opens a proof, for a caller that sees this TLS certificate (X.509 DER) and that the other side has its key.
///
/// # Errors
/// [`Refusal::UnknownMaker`] and [`Refusal::BadCertificate`] where a maker's key is given and the certificate is not its own;
/// [`Refusal::BadSignature`] for a proof of another device, another TLS certificate, or another use.
pub fn open(
    proof: &[u8],
    certificate: &[u8],
    tls_certificate: &[u8],
    maker: Option<&PublicKey>,
) -> Result<Verified<Peer>, Refusal> {
    let envelope = Sign1::parse(proof, MAX_TLS_PROOF)?;
    let payload: Payload = cbor::decode(envelope.payload, MAX_TLS_PROOF)?;
    let claimed = Claimed::parse(certificate)?;
    let certificate = match maker {
        None => claimed.unchecked(),
        Some(maker) if claimed.maker() == MakerId::of(&maker.to_bytes()) => {
            claimed.verify(maker).ok_or(Refusal::BadCertificate)?.into_inner()
        }
        Some(_) => return Err(Refusal::UnknownMaker),
    };
    let key = PublicKey::from_bytes(&certificate.device_key).ok_or(Refusal::BadCertificate)?;
    let hash: [u8; 32] = Sha256::digest(tls_certificate).into();
    let fits = payload.device == certificate.device_id() && payload.tls_certificate_hash == hash;
    if !fits || !envelope.verify(&key, Use::Tls) {
        return Err(Refusal::BadSignature);
    }
    Ok(Verified::after_all_checks(Peer { certificate, vouched: maker.is_some() }))
}
