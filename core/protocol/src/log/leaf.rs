use alloc::vec::Vec;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest, Sha256};

use super::tree::{self, Hash};
use crate::{
    cbor::{self, Malformed},
    ids::{DeviceId, Nonce},
    time::Time,
};

/// The most bytes a leaf has: its greatest encoding.
pub const MAX_LEAF: usize = 83;

/// What the service did that could help somebody into a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// A code was mailed to the reserved email.
    CodeMailed,
    /// A grant was issued; the SHA-256 of its bytes.
    GrantIssued([u8; 32]),
    /// The desk read a code out.
    CodeReadOut,
    /// A security code was issued by telephone.
    SecurityCodeIssued,
}

impl Act {
    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::CodeMailed => 1,
            Self::GrantIssued(_) => 2,
            Self::CodeReadOut => 3,
            Self::SecurityCodeIssued => 4,
        }
    }

    /// Its stable name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CodeMailed => "code-mailed",
            Self::GrantIssued(_) => "grant-issued",
            Self::CodeReadOut => "code-read-out",
            Self::SecurityCodeIssued => "security-code-issued",
        }
    }
}

/// One entry of the public log (protocol section 7). It names nobody: only who knows the device and the nonce recognises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// When; of a grant, its `issued at`.
    pub time: Time,
    /// What was done.
    pub act: Act,
    /// For which request of which device: [`commitment`].
    pub commitment: [u8; 32],
}

impl Leaf {
    /// The leaf of an act that answers this request.
    #[must_use]
    pub fn new(time: Time, act: Act, device: DeviceId, nonce: Nonce) -> Self {
        Self { time, act, commitment: commitment(device, nonce) }
    }

    /// Its bytes: what the log serves and hashes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`Malformed`] unless it is the one encoding of a leaf.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        cbor::decode(bytes, MAX_LEAF)
    }

    /// Its hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        tree::leaf_hash(&self.encode())
    }
}

/// What a leaf says in place of a device and a request: `SHA-256("sparekey/v1/leaf" ‖ device id ‖ nonce)`.
#[must_use]
pub fn commitment(device: DeviceId, nonce: Nonce) -> [u8; 32] {
    Sha256::new().chain_update("sparekey/v1/leaf").chain_update(device.0).chain_update(nonce.0).finalize().into()
}

impl<C> Encode<C> for Leaf {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        let grant = if let Act::GrantIssued(hash) = &self.act { Some(hash) } else { None };
        e.map(3 + u64::from(grant.is_some()))?;
        e.u8(1)?.encode_with(self.time, ctx)?.u8(2)?.u8(self.act.number())?.u8(3)?.bytes(&self.commitment)?;
        if let Some(hash) = grant {
            e.u8(4)?.bytes(hash)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Leaf {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let wrong = || decode::Error::message("not a leaf");
        let entries = d.map()?.ok_or_else(wrong)?;
        let key = |d: &mut Decoder<'b>, expected| if d.u8()? == expected { Ok(()) } else { Err(wrong()) };
        key(d, 1)?;
        let time = d.decode_with(ctx)?;
        key(d, 2)?;
        let number = d.u8()?;
        key(d, 3)?;
        let hash = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| wrong());
        let commitment = hash(d.bytes()?)?;
        let act = match (number, entries) {
            (1, 3) => Act::CodeMailed,
            (3, 3) => Act::CodeReadOut,
            (4, 3) => Act::SecurityCodeIssued,
            (2, 4) => {
                key(d, 4)?;
                Act::GrantIssued(hash(d.bytes()?)?)
            }
            _ => return Err(wrong()),
        };
        Ok(Self { time, act, commitment })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_has_one_encoding() {
        let (device, nonce) = (DeviceId([1; 16]), Nonce([2; 16]));
        for (act, entries) in [
            (Act::CodeMailed, 0xa3),
            (Act::GrantIssued([9; 32]), 0xa4),
            (Act::CodeReadOut, 0xa3),
            (Act::SecurityCodeIssued, 0xa3),
        ] {
            let leaf = Leaf::new(Time(u64::MAX), act, device, nonce);
            let bytes = leaf.encode();
            assert_eq!((bytes[0], bytes[11], bytes[12]), (entries, 2, act.number()));
            assert!(bytes.len() <= MAX_LEAF);
            assert_eq!(Leaf::decode(&bytes), Ok(leaf));
        }
        assert_eq!(Leaf::new(Time(u64::MAX), Act::GrantIssued([9; 32]), device, nonce).encode().len(), MAX_LEAF);
    }

    #[test]
    fn a_grant_without_its_hash_and_a_code_with_one_are_no_leaves() {
        let leaf = |act| Leaf { time: Time(1), act, commitment: [3; 32] }.encode();
        let mut grant = leaf(Act::GrantIssued([9; 32]));
        grant[4] = 1; // its act
        assert_eq!(Leaf::decode(&grant), Err(Malformed::Shape));
        let mut code = leaf(Act::CodeMailed);
        for act in [0, 2, 5] {
            code[4] = act;
            assert_eq!(Leaf::decode(&code), Err(Malformed::Shape), "{act}");
        }
    }

    #[test]
    fn another_device_or_nonce_is_another_commitment() {
        let known = commitment(DeviceId([1; 16]), Nonce([2; 16]));
        assert_ne!(known, commitment(DeviceId([1; 16]), Nonce([3; 16])));
        assert_ne!(known, commitment(DeviceId([2; 16]), Nonce([2; 16])));
    }
}
