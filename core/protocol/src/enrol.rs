//! The enrolment record (protocol section 9): a device's secret for security codes, sealed to its service.
//!
//! The device makes the secret and the record when it is provisioned; its maker uploads it. It is a request's sibling: signed by the
//! device, sealed by the same HPKE, and opened by the same [`Trust`].

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

pub use crate::secret::EnrolmentSecret;
use crate::{
    cbor,
    certificate::Certificate,
    cose::Use,
    keys::{OpeningPublicKey, SigningKey},
    letter::{Bare, Kind, Opened, Trust},
    refusal::Refusal,
    verified::Verified,
};

/// The most bytes of an enrolment record.
pub const MAX_ENROLMENT: usize = 1024;

const LETTER: Kind = Kind { signed_as: Use::Enrol, info: b"sparekey/v1/enrol", most: MAX_ENROLMENT };

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
    LETTER.seal(&plaintext, seed, certificate, device, service)
}

/// Opens and checks an enrolment record: the only way to its secret.
///
/// # Errors
/// The first check that fails, in the order of those of a request (protocol section 4).
pub fn open(bytes: &[u8], trust: &impl Trust) -> Result<Verified<Enrolment>, Refusal> {
    let Opened { certificate, plaintext, .. } = LETTER.open::<Bare>(bytes, trust)?;
    let Plaintext { secret } = cbor::decode(&plaintext, MAX_ENROLMENT)?;
    Ok(Verified::after_all_checks(Enrolment { certificate, secret }))
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Plaintext {
    #[n(1)]
    secret: EnrolmentSecret,
}
