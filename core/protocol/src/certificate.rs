use alloc::vec::Vec;

use minicbor::{Decode, Encode};

use crate::{
    cbor::{self, Malformed},
    cose::{self, Sign1, Use},
    ids::{DeviceId, MakerId},
    keys::{PublicKey, SigningKey},
    text::{Model, Serial},
    verified::Verified,
};

/// The most bytes a device certificate takes: it fits into a request of 2,048.
pub const MAX_CERTIFICATE: usize = 512;

/// What a maker says of a device (protocol section 2). It does not expire, as an IEEE 802.1AR initial identity does not.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Certificate {
    /// Who says so.
    #[n(1)]
    pub maker: MakerId,
    /// The serial number on the label.
    #[n(2)]
    pub serial: Serial,
    /// The model on the label.
    #[n(3)]
    pub model: Model,
    /// The device's Ed25519 public key.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub device_key: [u8; 32],
}

impl Certificate {
    /// What a maker signs for a device.
    #[must_use]
    pub fn new(maker: &PublicKey, serial: Serial, model: Model, device_key: &PublicKey) -> Self {
        Self { maker: MakerId::of(&maker.to_bytes()), serial, model, device_key: device_key.to_bytes() }
    }

    /// The signed certificate, as it stands in a file or a request.
    #[must_use]
    pub fn sign(&self, maker: &SigningKey) -> Vec<u8> {
        cose::sign(maker, Use::Device, &cbor::encode(self))
    }

    /// Opens a certificate signed by this maker.
    ///
    /// # Errors
    /// `None` in place of a [`Malformed`] when the bytes are well formed and the signature, or the maker named, is another's.
    pub fn verify(bytes: &[u8], maker: &PublicKey) -> Result<Verified<Self>, Option<Malformed>> {
        let claimed = Claimed::parse(bytes).map_err(Some)?;
        if claimed.certificate.maker != MakerId::of(&maker.to_bytes()) {
            return Err(None);
        }
        claimed.verify(maker).ok_or(None)
    }

    /// The device's identifier.
    #[must_use]
    pub fn device_id(&self) -> DeviceId {
        DeviceId::of(&self.device_key)
    }
}

/// A certificate whose signature has not been checked: good for looking up the maker it names, and for asking whoever shows it to prove
/// that it has the key in it.
pub(crate) struct Claimed<'b> {
    envelope: Sign1<'b>,
    certificate: Certificate,
}

impl<'b> Claimed<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Self, Malformed> {
        let envelope = Sign1::parse(bytes, MAX_CERTIFICATE)?;
        let certificate = cbor::decode(envelope.payload, MAX_CERTIFICATE)?;
        Ok(Self { envelope, certificate })
    }

    pub(crate) fn maker(&self) -> MakerId {
        self.certificate.maker
    }

    /// What it says, of itself.
    pub(crate) fn unchecked(self) -> Certificate {
        self.certificate
    }

    pub(crate) fn verify(self, maker: &PublicKey) -> Option<Verified<Certificate>> {
        self.envelope.verify(maker, Use::Device).then(|| Verified::after_all_checks(self.certificate))
    }
}
