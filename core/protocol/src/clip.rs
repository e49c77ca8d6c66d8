//! The clip statement: a device's word on a clip of its recordings, which stands beside the clip in a file of its own.
//!
//! Whoever is handed a clip can tell from it which device recorded it, by which camera and when, and that not a bit was changed since it
//! was cut out. It says nothing of whether the camera told the truth.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    cbor,
    certificate::{Certificate, Claimed},
    cose::{self, Sign1, Use},
    ids::{DeviceId, MakerId},
    keys::{PublicKey, SigningKey},
    refusal::Refusal,
    verified::Verified,
};

/// The most bytes of a statement, with its certificate.
pub const MAX_CLIP: usize = 1_024;
/// The most bytes of a camera's name.
pub const MAX_CAMERA: usize = 128;

/// What a device says of a clip.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Clip {
    /// Which device.
    #[n(1)]
    pub device: DeviceId,
    /// The camera's name.
    #[n(2)]
    pub camera: String,
    /// When the first picture was taken, in milliseconds since 1970, by the recorder's clock.
    #[n(3)]
    pub from: u64,
    /// When the last one ends.
    #[n(4)]
    pub to: u64,
    /// SHA-256 (FIPS 180-4) of the clip's file.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// The file's bytes.
    #[n(6)]
    pub length: u64,
}

/// A statement and the certificate of who made it.
#[derive(Encode, Decode)]
struct Bundle<'b> {
    #[cbor(b(0), with = "minicbor::bytes")]
    clip: &'b [u8],
    #[cbor(b(1), with = "minicbor::bytes")]
    certificate: &'b [u8],
}

/// What is known of who made a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What was said.
    pub clip: Clip,
    /// By whom. Without a maker's key the device says so itself.
    pub certificate: Certificate,
    /// Whether the maker's signature was checked.
    pub vouched: bool,
}

impl Clip {
    /// Its file: the CBOR array of the statement, signed by the device, and the device's certificate.
    #[must_use]
    pub fn sign(&self, device: &SigningKey, certificate: &[u8]) -> Vec<u8> {
        let clip = cose::sign(device, Use::Clip, &cbor::encode(self));
        cbor::encode(&Bundle { clip: &clip, certificate })
    }
}

/// Opens a statement's file.
///
/// # Errors
/// [`Refusal::Malformed`]; [`Refusal::UnknownMaker`] and [`Refusal::BadCertificate`] where a maker's key is given and the certificate is
/// not its own; [`Refusal::BadSignature`] for a statement that another device signed, or for another use.
pub fn open(file: &[u8], maker: Option<&PublicKey>) -> Result<Verified<Said>, Refusal> {
    let bundle: Bundle<'_> = cbor::decode(file, MAX_CLIP)?;
    let envelope = Sign1::parse(bundle.clip, MAX_CLIP)?;
    let clip: Clip = cbor::decode(envelope.payload, MAX_CLIP)?;
    let claimed = Claimed::parse(bundle.certificate)?;
    let certificate = match maker {
        None => claimed.unchecked(),
        Some(maker) if claimed.maker() == MakerId::of(&maker.to_bytes()) => {
            claimed.verify(maker).ok_or(Refusal::BadCertificate)?.into_inner()
        }
        Some(_) => return Err(Refusal::UnknownMaker),
    };
    let key = PublicKey::from_bytes(&certificate.device_key).ok_or(Refusal::BadCertificate)?;
    if clip.device != certificate.device_id() || !envelope.verify(&key, Use::Clip) {
        return Err(Refusal::BadSignature);
    }
    Ok(Verified::after_all_checks(Said { clip, certificate, vouched: maker.is_some() }))
}
