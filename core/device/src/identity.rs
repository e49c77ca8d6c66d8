use alloc::vec::Vec;
use core::fmt;

use sparekey_protocol::{
    Card, Certificate, DeviceId, Firmware, PublicKey, SigningKey, Verified, clip::Clip, enrol::EnrolmentSecret,
    tls_proof,
};

/// What a device is, and what it pins: made when it was provisioned, never changed by a recovery.
#[derive(Debug)]
pub struct Identity {
    pub(crate) key: SigningKey,
    pub(crate) certificate_bytes: Vec<u8>,
    pub(crate) certificate: Verified<Certificate>,
    pub(crate) card: Verified<Card>,
    pub(crate) firmware: Firmware,
    /// To check newer cards with.
    pub(crate) maker: PublicKey,
    pub(crate) enrolment: Option<EnrolmentSecret>,
}

/// Why the parts of an identity do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadIdentity {
    /// The certificate is not one by the pinned maker.
    Certificate,
    /// The certificate is another device's.
    Key,
    /// The service card is not one by the pinned maker.
    Card,
}

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "the certificate was not made by this device's maker",
            Self::Key => "the certificate belongs to another device",
            Self::Card => "the service card was not made by this device's maker",
        })
    }
}

impl core::error::Error for BadIdentity {}

impl Identity {
    /// Checks that the maker made both the certificate and the card, and that the certificate is this key's.
    ///
    /// # Errors
    /// [`BadIdentity`] says which part is foreign.
    pub fn new(
        key: SigningKey,
        certificate_bytes: Vec<u8>,
        card: &[u8],
        maker: &PublicKey,
        firmware: Firmware,
    ) -> Result<Self, BadIdentity> {
        let certificate = Certificate::verify(&certificate_bytes, maker).map_err(|_| BadIdentity::Certificate)?;
        if certificate.device_key != key.public().to_bytes() {
            return Err(BadIdentity::Key);
        }
        let card = Card::verify(card, maker).map_err(|_| BadIdentity::Card)?;
        Ok(Self { key, certificate_bytes, certificate, card, firmware, maker: *maker, enrolment: None })
    }

    /// The same, with the secret for security codes that the device shares with its service (protocol section 9).
    #[must_use]
    pub fn with_enrolment(self, secret: EnrolmentSecret) -> Self {
        Self { enrolment: Some(secret), ..self }
    }

    /// The certificate, as it was signed.
    #[must_use]
    pub fn certificate_bytes(&self) -> &[u8] {
        &self.certificate_bytes
    }

    /// What the maker certified.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The card that it was provisioned with. The one in force is [`crate::Device::card`].
    #[must_use]
    pub fn first_card(&self) -> &Card {
        &self.card
    }

    /// The device's word that a TLS certificate (X.509 DER) is its own.
    #[must_use]
    pub fn tls_proof(&self, tls_certificate: &[u8]) -> Vec<u8> {
        tls_proof::sign(tls_certificate, &self.key)
    }

    /// The device's word on a clip of its recordings, with its certificate.
    #[must_use]
    pub fn sign_clip(&self, clip: &Clip) -> Vec<u8> {
        clip.sign(&self.key, &self.certificate_bytes)
    }

    /// The firmware version.
    #[must_use]
    pub fn firmware(&self) -> &Firmware {
        &self.firmware
    }

    /// The device's identifier.
    #[must_use]
    pub fn device_id(&self) -> DeviceId {
        self.certificate.device_id()
    }
}
