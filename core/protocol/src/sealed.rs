//! HPKE (RFC 9180) in base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.

use alloc::vec::Vec;
use core::convert::Infallible;

use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305 as Aead, kdf::HkdfSha256 as Kdf,
    kem::X25519HkdfSha256 as Kem, single_shot_open, single_shot_seal_with_rng,
};
use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::keys::{OpeningKey, OpeningPublicKey};

/// An encapsulated key and what was sealed under it.
pub(crate) struct Sealed {
    pub(crate) enc: [u8; 32],
    pub(crate) ciphertext: Vec<u8>,
}

/// `None` if the public key is no usable point, for which the shared secret would be all zero (RFC 9180 section 7.1.4).
pub(crate) fn seal(
    key: &OpeningPublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    seed: &[u8; 32],
) -> Option<Sealed> {
    let key = <Kem as hpke::Kem>::PublicKey::from_bytes(&key.0).ok()?;
    let mut rng = Seed { bytes: Zeroizing::new(*seed), used: 0 };
    let (enc, ciphertext) =
        single_shot_seal_with_rng::<Aead, Kdf, Kem>(&OpModeS::Base, &key, info, plaintext, aad, &mut rng).ok()?;
    Some(Sealed { enc: enc.to_bytes().into(), ciphertext })
}

/// `None` if it does not open: altered, for another key, or for another use.
pub(crate) fn open(
    key: &OpeningKey,
    info: &[u8],
    aad: &[u8],
    enc: &[u8; 32],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(enc).ok()?;
    single_shot_open::<Aead, Kdf, Kem>(&OpModeR::Base, &key.0, &enc, info, ciphertext, aad).ok().map(Zeroizing::new)
}

/// Randomness that was drawn outside of core: 32 bytes, handed out once.
struct Seed {
    bytes: Zeroizing<[u8; 32]>,
    used: usize,
}

impl TryRng for Seed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + wanted.len();
        wanted.copy_from_slice(self.bytes.get(self.used..end).expect("sealing draws 32 bytes, once"));
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Seed {}
