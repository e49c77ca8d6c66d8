//! The receipt: what a device wants its contacts told, sealed to its service and carried by a phone.
//!
//! It is a request's sibling: signed by the device, sealed by the same HPKE, opened by the same [`Trust`]. It asks for nothing but mails to
//! the addresses in it, so the service bounds it as it bounds mails of requests, and takes a device's number once.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::{
    cbor,
    certificate::Certificate,
    cose::Use,
    keys::{OpeningPublicKey, SigningKey},
    letter::{self, Bare, Kind, Trust},
    refusal::Refusal,
    text::{Language, ReservedEmail},
    time::Time,
    verified::Verified,
};

/// The most bytes of a receipt.
pub const MAX_RECEIPT: usize = 2048;
/// The most addresses.
const MOST: usize = 2;
/// The longest name of a way.
const LONGEST_WAY: usize = 16;

const LETTER: Kind = Kind { signed_as: Use::Receipt, info: b"sparekey/v1/receipt", most: MAX_RECEIPT };

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum What {
    /// A new password after a right proof.
    #[n(1)]
    Recovered,
    /// Somebody used up the tries of a recovery.
    #[n(2)]
    Refused,
    /// The device was reset by hand.
    #[n(3)]
    FactoryReset,
    /// The device was handed over.
    #[n(4)]
    Transferred,
}

/// What a device seals.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// Counts up on each device.
    #[n(1)]
    pub number: u64,
    /// What happened.
    #[n(2)]
    pub what: What,
    /// The name of the way back in (protocol section 11), at most 16 bytes.
    #[n(3)]
    pub way: Option<String>,
    /// When it last happened, by the device's clock, which may be wrong.
    #[n(4)]
    pub at: Time,
    /// How often.
    #[n(5)]
    pub count: u32,
    /// Whom to tell: one or two.
    #[n(6)]
    pub to: Vec<ReservedEmail>,
    /// The language to write to them in.
    #[n(7)]
    pub language: Language,
}

/// What the service reads once everything held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Which device, as the maker certified.
    pub certificate: Certificate,
    /// What it wants told.
    pub receipt: Receipt,
}

/// Makes a receipt on a device. The seed is 32 fresh random bytes; the certificate is the device's own.
///
/// Returns `None` if the service's opening key is not usable: a card's maker signed nonsense.
#[must_use]
pub fn seal(
    receipt: &Receipt,
    seed: &[u8; 32],
    certificate: &[u8],
    device: &SigningKey,
    service: &OpeningPublicKey,
) -> Option<Vec<u8>> {
    let plaintext = Zeroizing::new(cbor::encode(receipt));
    LETTER.seal(&plaintext, seed, certificate, device, service)
}

/// Opens and checks a receipt: the only way to its contents.
///
/// # Errors
/// The first check that fails, in the order of those of a request (protocol section 4).
pub fn open(bytes: &[u8], trust: &impl Trust) -> Result<Verified<Opened>, Refusal> {
    let letter::Opened { certificate, plaintext, .. } = LETTER.open::<Bare>(bytes, trust)?;
    let receipt: Receipt = cbor::decode(&plaintext, MAX_RECEIPT)?;
    let way_fits = receipt.way.as_ref().is_none_or(|way| (1..=LONGEST_WAY).contains(&way.len()));
    if !way_fits || !(1..=MOST).contains(&receipt.to.len()) {
        return Err(Refusal::Malformed);
    }

    Ok(Verified::after_all_checks(Opened { certificate, receipt }))
}
