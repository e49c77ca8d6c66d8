//! Keys (protocol section 1). Secret keys are wiped on drop and never printed.

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};
use hpke::{Deserializable, Kem as _, Serializable, kem::X25519HkdfSha256 as Kem};
use zeroize::Zeroizing;

use crate::ids::KeyId;

/// An Ed25519 secret key (RFC 8032): a maker's, a device's, a service's for grants or for its log.
#[derive(Clone)]
pub struct SigningKey(pub(crate) ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key that grows out of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The 32 bytes it grew out of: for its PEM file and nothing else.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}

/// An Ed25519 public key that is a point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// `None` if the bytes are no point of the curve, or one of small order, for which anybody can sign.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Strict verification: one signature, one message, one key; no malleable forms.
    pub(crate) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, signature).is_ok()
    }
}

/// A service's X25519 secret key, which opens requests.
#[derive(Clone)]
pub struct OpeningKey(pub(crate) <Kem as hpke::Kem>::PrivateKey);

impl OpeningKey {
    /// The key of these 32 random bytes (clamped as RFC 7748 section 5 says).
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let key = <Kem as hpke::Kem>::PrivateKey::from_bytes(bytes);
        Self(key.expect("any 32 bytes are an X25519 secret key"))
    }

    /// Its 32 bytes: for its PEM file and nothing else.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> OpeningPublicKey {
        OpeningPublicKey(Kem::sk_to_pk(&self.0).to_bytes().into())
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningKey(secret)")
    }
}

/// The public half of an opening key: what a device seals to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningPublicKey(pub [u8; 32]);

impl OpeningPublicKey {
    /// How requests name the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.0)
    }
}
