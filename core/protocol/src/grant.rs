//! The grant (protocol section 6): the desk's answer to a request, as a file, with the proof that it stands in the public log.

use alloc::{string::String, vec::Vec};
use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest, Sha256};

use crate::{
    card::Card,
    cbor::{self, Malformed},
    cose::{self, Sign1, Use},
    ids::{DeviceId, Nonce},
    keys::{PublicKey, SigningKey},
    log::{Act, CheckpointRefusal, Leaf, LogPolicy, LogProof, MAX_PROOF},
    text::CaseNumber,
    time::Time,
    verified::Verified,
};

/// The most bytes of a signed grant.
pub const MAX_GRANT: usize = 256;
/// The most bytes of a grant bundle.
pub const MAX_BUNDLE: usize = MAX_GRANT + MAX_PROOF + 16;

/// What the desk says: whoever holds the device with this request may set a new password.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Grant {
    /// The one device.
    #[n(1)]
    pub device: DeviceId,
    /// The one request.
    #[n(2)]
    pub nonce: Nonce,
    /// When the desk said so.
    #[n(3)]
    pub issued_at: Time,
    /// Until when it is good, for a device whose clock is set.
    #[n(4)]
    pub not_after: Time,
    /// What the desk knows it by.
    #[n(5)]
    pub case: CaseNumber,
}

impl Grant {
    /// How long a grant is good at most: 24 hours, in seconds.
    pub const LIFE: u64 = 24 * 60 * 60;

    /// The signed grant. It works only in a [`bundle`] that proves its leaf ([`Leaf`]) to be in the public log.
    #[must_use]
    pub fn sign(&self, grant_key: &SigningKey) -> Vec<u8> {
        cose::sign(grant_key, Use::Grant, &cbor::encode(self))
    }

    /// The leaf that must stand in the log for the signed grant with these bytes.
    #[must_use]
    pub fn leaf(&self, signed: &[u8]) -> Leaf {
        Leaf::new(self.issued_at, Act::GrantIssued(Sha256::digest(signed).into()), self.device, self.nonce)
    }
}

/// A grant with its proof (`c2sp.org/tlog-proof@v1`): what the desk hands out.
#[must_use]
pub fn bundle(signed: &[u8], proof: &LogProof) -> Vec<u8> {
    cbor::encode(&Bundle { grant: signed.to_vec(), proof: proof.encode() })
}

/// Why a grant was refused: the first check that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantRefusal {
    /// Not a grant bundle.
    Malformed,
    /// The pinned service did not sign it.
    BadSignature,
    /// For another device.
    OtherDevice,
    /// For no request that this device waits on.
    OtherRequest,
    /// It came without a proof, or with something else in its place.
    NoProof,
    /// The proof's checkpoint is not one of the pinned log.
    Checkpoint(CheckpointRefusal),
    /// The log that the proof shows does not hold this grant at that place.
    NotInTree,
    /// The card's log key cannot be used, so that no grant can be checked.
    UnusableCard,
}

impl GrantRefusal {
    /// The stable name (protocol section 11).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::BadSignature => "wrong-proof",
            Self::OtherDevice | Self::OtherRequest => "not-for-this-device",
            Self::NoProof | Self::Checkpoint(_) | Self::NotInTree | Self::UnusableCard => "not-in-log",
        }
    }
}

impl fmt::Display for GrantRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("it is not a grant"),
            Self::BadSignature => f.write_str("the grant was not signed by this device's service"),
            Self::OtherDevice => f.write_str("the grant is for another device"),
            Self::OtherRequest => f.write_str("the grant answers another request, or one that is over"),
            Self::NoProof => f.write_str("the grant comes without its proof from the public log"),
            Self::Checkpoint(refusal) => {
                write!(f, "the grant's proof is not from this service's public log: {refusal}")
            }
            Self::NotInTree => f.write_str("the grant does not stand in the service's public log"),
            Self::UnusableCard => f.write_str("this device's card names a public log that cannot be checked"),
        }
    }
}

impl core::error::Error for GrantRefusal {}

/// Which device a grant bundle names, unchecked: to pick a device's own out of a batch, and for nothing else.
#[must_use]
pub fn named(bundle: &[u8]) -> Option<DeviceId> {
    let bundle: Bundle = cbor::decode(bundle, MAX_BUNDLE).ok()?;
    let envelope = Sign1::parse(&bundle.grant, MAX_GRANT).ok()?;
    cbor::decode::<Grant>(envelope.payload, MAX_GRANT).ok().map(|grant| grant.device)
}

/// Opens a grant bundle and checks everything that does not need a clock: the only way to a grant's contents.
///
/// `device` is who asks, `awaits` says whether a request with this nonce, of purpose 2, is still waited on. What is left to the device is
/// time: the request's own age, and `not_after` if its clock is set.
///
/// # Errors
/// The first check that fails, in the order of protocol section 6.
pub fn open(
    bundle: &[u8],
    card: &Card,
    device: DeviceId,
    awaits: impl FnOnce(Nonce) -> bool,
) -> Result<Verified<Grant>, GrantRefusal> {
    let Bundle { grant: signed, proof } = match cbor::decode(bundle, MAX_BUNDLE) {
        Ok(bundle) => bundle,
        // A grant alone: right, and of no use.
        Err(_) if Sign1::parse(bundle, MAX_GRANT).is_ok() => return Err(GrantRefusal::NoProof),
        Err(_) => return Err(GrantRefusal::Malformed),
    };
    let envelope = Sign1::parse(&signed, MAX_GRANT)?;
    let grant: Grant = cbor::decode(envelope.payload, MAX_GRANT)?;

    let key = PublicKey::from_bytes(&card.grant_key).ok_or(GrantRefusal::BadSignature)?;
    if !envelope.verify(&key, Use::Grant) {
        return Err(GrantRefusal::BadSignature);
    }
    if grant.device != device {
        return Err(GrantRefusal::OtherDevice);
    }
    if !awaits(grant.nonce) {
        return Err(GrantRefusal::OtherRequest);
    }
    let policy = LogPolicy::of_card(card).map_err(|_| GrantRefusal::UnusableCard)?;
    let proof = LogProof::parse(&proof).map_err(|_| GrantRefusal::NoProof)?;
    proof
        .verify(&grant.leaf(&signed), &policy)
        .map_err(|checkpoint| checkpoint.map_or(GrantRefusal::NotInTree, GrantRefusal::Checkpoint))?;

    Ok(Verified::after_all_checks(grant))
}

/// What who watches the log needs of a grant. No proof was looked at: it is no [`Grant`], and no device acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// For which device.
    pub device: DeviceId,
    /// For which request.
    pub nonce: Nonce,
    /// The desk's number.
    pub case: CaseNumber,
    /// What must stand in the log.
    pub leaf: Leaf,
}

/// Reads a bundle whose grant the card's service signed, and does not look at its proof.
///
/// # Errors
/// [`GrantRefusal::Malformed`] or [`GrantRefusal::BadSignature`].
pub fn read_unproven(bundle: &[u8], card: &Card) -> Result<Unproven, GrantRefusal> {
    let signed = cbor::decode::<Bundle>(bundle, MAX_BUNDLE)?.grant;
    let envelope = Sign1::parse(&signed, MAX_GRANT)?;
    let grant: Grant = cbor::decode(envelope.payload, MAX_GRANT)?;
    let key = PublicKey::from_bytes(&card.grant_key).ok_or(GrantRefusal::BadSignature)?;
    if !envelope.verify(&key, Use::Grant) {
        return Err(GrantRefusal::BadSignature);
    }
    let leaf = grant.leaf(&signed);
    Ok(Unproven { device: grant.device, nonce: grant.nonce, case: grant.case, leaf })
}

impl From<Malformed> for GrantRefusal {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

struct Bundle {
    grant: Vec<u8>,
    proof: String,
}

impl<C> Encode<C> for Bundle {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.bytes(&self.grant)?.str(&self.proof)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Bundle {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(2) {
            return Err(decode::Error::message("not a grant bundle"));
        }
        Ok(Self { grant: d.bytes()?.into(), proof: d.str()?.into() })
    }
}
