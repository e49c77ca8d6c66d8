//! The transfer statement: a device's word that its owner handed it over.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};

use crate::{
    cbor::{self, Malformed},
    certificate::Certificate,
    cose::{self, Sign1, Use},
    ids::DeviceId,
    keys::{PublicKey, SigningKey},
    time::Time,
    verified::Verified,
};

/// The most bytes of a statement.
pub const MAX_STATEMENT: usize = 256;

/// What a device says when it is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Statement {
    /// Which device.
    #[n(1)]
    pub device: DeviceId,
    /// When, by its clock.
    #[n(2)]
    pub at: Time,
    /// The number of the event in its record: no two statements of one device have the same.
    #[n(3)]
    pub number: u64,
    /// Whether the recordings went with it.
    #[n(4)]
    pub recordings_kept: bool,
}

impl Statement {
    /// The signed statement, as it stands in a file.
    #[must_use]
    pub fn sign(&self, device: &SigningKey) -> Vec<u8> {
        cose::sign(device, Use::Transfer, &cbor::encode(self))
    }

    /// Opens a statement of the device that this certificate names.
    ///
    /// # Errors
    /// `None` in place of a [`Malformed`] when the bytes are well formed and another device, or nobody, signed them.
    pub fn verify(bytes: &[u8], certificate: &Verified<Certificate>) -> Result<Verified<Self>, Option<Malformed>> {
        let envelope = Sign1::parse(bytes, MAX_STATEMENT).map_err(Some)?;
        let statement: Self = cbor::decode(envelope.payload, MAX_STATEMENT).map_err(Some)?;
        let key = PublicKey::from_bytes(&certificate.device_key).ok_or(None)?;
        if statement.device != certificate.device_id() || !envelope.verify(&key, Use::Transfer) {
            return Err(None);
        }
        Ok(Verified::after_all_checks(statement))
    }
}
