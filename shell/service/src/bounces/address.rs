use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sparekey_mail::{Address, BadAddress};
use zeroize::Zeroizing;

use crate::{
    case_id::CaseId,
    keys::Keys,
    seal::{derive, place},
    store::Letter,
};

const BOUNCES: &[u8] = b"sparekey/v1/bounces";
/// Before the token. In lower case: some mail servers keep no other.
const PREFIX: &str = "bounce+";
const TAG: usize = 12;
const CASE: usize = 18;
const PLACE: usize = CASE + 4;

/// The addresses that letters come back to: one for each, which names it to this service only (variable envelope return
/// path). Mail servers see and log them, so the case's id is encrypted in them.
///
/// Encryption is deterministic, so that each attempt of a letter has the same envelope: a synthetic initialisation vector as
/// in RFC 5297, with HMAC-SHA256 as its function. Nobody makes one that holds but this service.
pub(crate) struct BounceAddresses {
    /// The key in use, then those of retired opening keys.
    keys: Vec<Zeroizing<[u8; 32]>>,
}

impl BounceAddresses {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self { keys: keys.opening_keys().map(|key| derive(key, BOUNCES)).collect() }
    }

    /// Where this letter comes back to: `bounce+TOKEN@domain`, the local part of 62 bytes.
    ///
    /// # Errors
    /// [`BadAddress::Length`] if the domain leaves no room for it.
    pub(crate) fn of(&self, letter: Letter, domain: &str) -> Result<Address, BadAddress> {
        let plaintext = place(letter);
        let tag = tag(&self.keys[0], &plaintext).finalize().into_bytes();
        let tag: [u8; TAG] = tag[..TAG].try_into().expect("a hash is longer than its tag");
        let token = [tag.as_slice(), &masked(&self.keys[0], tag, &plaintext)].concat();
        Address::parse(&format!("{PREFIX}{}@{domain}", BASE32_NOPAD.encode(&token).to_ascii_lowercase()))
    }

    /// Whether this is a local part that only [`BounceAddresses::of`] makes, be it forged or not.
    pub(super) fn is_one(local_part: &str) -> bool {
        token(local_part).is_some()
    }

    /// The letter that comes back to this local part; `None` if it is not one of this service's.
    pub(super) fn letter(&self, local_part: &str) -> Option<Letter> {
        let token = token(local_part)?;
        // Decoding allocates by the length: bounded first.
        let token = (token.len() <= 64).then(|| BASE32_NOPAD.decode(token.to_ascii_uppercase().as_bytes()).ok())??;
        let (sent_tag, ciphertext) = token.split_first_chunk::<TAG>()?;
        let plaintext = self.keys.iter().find_map(|key| {
            let plaintext = masked(key, *sent_tag, ciphertext);
            tag(key, &plaintext).verify_truncated_left(sent_tag).is_ok().then_some(plaintext)
        })?;
        let (case, number) = plaintext.split_first_chunk::<CASE>()?;
        Some(Letter { case: CaseId(*case), number: u32::from_be_bytes(number.try_into().ok()?) })
    }
}

fn token(local_part: &str) -> Option<&str> {
    let (prefix, token) = local_part.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(token)
}

fn tag(key: &[u8; 32], plaintext: &[u8]) -> Hmac<Sha256> {
    mac(key).chain_update([1]).chain_update(plaintext)
}

/// Encrypts and decrypts alike.
fn masked(key: &[u8; 32], tag: [u8; TAG], text: &[u8]) -> Vec<u8> {
    let mask = mac(key).chain_update([2]).chain_update(tag).finalize().into_bytes();
    const { assert!(PLACE <= 32, "one hash masks a place") };
    text.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length serves")
}

#[cfg(test)]
mod tests {
    use sparekey_protocol::{SigningKey, Time};

    use super::*;

    const LETTER: Letter = Letter { case: CaseId([7; 18]), number: 2 };

    fn service() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        Keys::create(dir.path(), &[SigningKey::from_seed(&[1; 32]).public()]).unwrap();
        dir
    }

    fn addresses(dir: &tempfile::TempDir) -> BounceAddresses {
        BounceAddresses::new(&Keys::read(dir.path(), Time(0)).unwrap())
    }

    #[test]
    fn an_address_names_its_letter_to_this_service_only() {
        let (ours, others) = (service(), service());
        let address = addresses(&ours).of(LETTER, "example.org").unwrap();
        let local = address.local_part();
        assert_eq!((local.len(), address.domain()), (62, "example.org"));
        assert_eq!(address, addresses(&ours).of(LETTER, "example.org").unwrap(), "each attempt alike");
        for spelling in [local.to_owned(), local.to_ascii_uppercase()] {
            assert_eq!(addresses(&ours).letter(&spelling), Some(LETTER));
            assert_eq!(addresses(&others).letter(&spelling), None);
        }
        Keys::retire_opening_key(ours.path(), Time(0)).unwrap();
        assert_eq!(addresses(&ours).letter(local), Some(LETTER), "under a retired key too");
        assert_ne!(addresses(&ours).of(LETTER, "example.org").unwrap(), address);
    }

    #[test]
    fn nothing_of_the_case_is_seen() {
        let addresses = addresses(&service());
        let token = |letter| {
            let address = addresses.of(letter, "example.org").unwrap();
            BASE32_NOPAD.decode(address.local_part()[PREFIX.len()..].to_ascii_uppercase().as_bytes()).unwrap()
        };
        let (first, second) = (token(LETTER), token(Letter { number: 3, ..LETTER }));
        assert!(!first.windows(3).any(|window| window == [7; 3]));
        assert!(first.iter().zip(&second).filter(|(a, b)| a == b).count() < 8, "letters of a case are not alike");
    }

    #[test]
    fn what_was_altered_names_nothing() {
        let addresses = addresses(&service());
        let address = addresses.of(LETTER, "example.org").unwrap();
        let local = address.local_part();
        for at in PREFIX.len()..local.len() {
            let other = if &local[at..=at] == "a" { "b" } else { "a" };
            let altered = format!("{}{other}{}", &local[..at], &local[at + 1..]);
            assert_eq!(addresses.letter(&altered), None, "{altered}");
        }
        let long = format!("{PREFIX}{}", "a".repeat(10_000));
        for text in ["", "bounce", PREFIX, "bounce+a", "bounce+ä", "bouncé+", &local[..61], &local[1..], &long] {
            assert_eq!(addresses.letter(text), None, "{text}");
        }
        assert!(addresses.of(LETTER, &format!("{}.org", "b.".repeat(100))).is_err());
    }
}
