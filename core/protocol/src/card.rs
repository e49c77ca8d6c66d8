use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    cbor::{self, Malformed},
    cose::{self, Sign1, Use},
    ids::MakerId,
    keys::{OpeningPublicKey, PublicKey, SigningKey},
    text::{BaseUrl, CardName},
    verified::Verified,
};

/// The most bytes a service card takes.
pub const MAX_CARD: usize = 4096;
/// The most bytes of a note verifier key (C2SP signed-note).
const MAX_VERIFIER_KEY: usize = 256;
/// The most witnesses a card names.
const MAX_WITNESSES: usize = 16;

/// What a device pins: which service may help its owner (protocol section 3).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Card {
    /// Who says so.
    #[n(1)]
    pub maker: MakerId,
    /// A device replaces its card only by one with a higher edition.
    #[n(2)]
    pub edition: u64,
    /// The service's name for people.
    #[n(3)]
    pub name: CardName,
    /// Where the service is.
    #[n(4)]
    pub url: BaseUrl,
    /// What requests are sealed to.
    #[n(5)]
    pub opening_key: OpeningPublicKey,
    /// What grants are signed with (Ed25519).
    #[cbor(n(6), with = "minicbor::bytes")]
    pub grant_key: [u8; 32],
    /// The public log's note verifier key.
    #[n(7)]
    pub log_key: VerifierKey,
    /// Who must have cosigned a checkpoint, if anybody.
    #[n(8)]
    pub witnesses: Option<Witnesses>,
}

impl Card {
    /// The signed card, as it stands in a file.
    #[must_use]
    pub fn sign(&self, maker: &SigningKey) -> Vec<u8> {
        cose::sign(maker, Use::Service, &cbor::encode(self))
    }

    /// Opens a card signed by this maker.
    ///
    /// # Errors
    /// `None` in place of a [`Malformed`] when the bytes are well formed and the signature, or the maker named, is another's.
    pub fn verify(bytes: &[u8], maker: &PublicKey) -> Result<Verified<Self>, Option<Malformed>> {
        let envelope = Sign1::parse(bytes, MAX_CARD).map_err(Some)?;
        let card: Self = cbor::decode(envelope.payload, MAX_CARD).map_err(Some)?;
        if card.maker != MakerId::of(&maker.to_bytes()) || !envelope.verify(maker, Use::Service) {
            return Err(None);
        }
        Ok(Verified::after_all_checks(card))
    }

    /// Whether a device that pins this card takes that one in its place.
    #[must_use]
    pub fn is_replaced_by(&self, newer: &Verified<Self>) -> bool {
        newer.maker == self.maker && newer.edition > self.edition
    }
}

/// A note verifier key, `<name>+<hash>+<key>` (C2SP signed-note), within its bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey(String);

impl VerifierKey {
    /// Takes a key string of 1 to 256 bytes.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (1..=MAX_VERIFIER_KEY).contains(&text.len()).then(|| Self(text.into()))
    }

    /// The key string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Witnesses of the public log, and how many of them must have cosigned a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnesses {
    quorum: u64,
    keys: Vec<VerifierKey>,
}

impl Witnesses {
    /// `None` unless there are 1 to 16 keys, and at least as many as the quorum.
    #[must_use]
    pub fn new(quorum: u64, keys: Vec<VerifierKey>) -> Option<Self> {
        let reachable = usize::try_from(quorum).is_ok_and(|quorum| (1..=keys.len()).contains(&quorum));
        (reachable && keys.len() <= MAX_WITNESSES).then_some(Self { quorum, keys })
    }

    /// How many must have cosigned, and who counts.
    #[must_use]
    pub fn quorum_of(&self) -> (u64, &[VerifierKey]) {
        (self.quorum, &self.keys)
    }
}

impl<C> Encode<C> for VerifierKey {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for VerifierKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::new(d.str()?).ok_or(decode::Error::message("verifier key out of bounds"))
    }
}

impl<C> Encode<C> for Witnesses {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.u64(self.quorum)?.encode_with(&self.keys, ctx)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Witnesses {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let wrong = || decode::Error::message("not a list of witnesses");
        if d.array()? != Some(2) {
            return Err(wrong());
        }
        let quorum = d.u64()?;
        Self::new(quorum, d.decode_with(ctx)?).ok_or_else(wrong)
    }
}

impl<C> Encode<C> for OpeningPublicKey {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for OpeningPublicKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.bytes()?.try_into().map(Self).map_err(|_| decode::Error::message("wrong length"))
    }
}
