//! The security code (protocol section 9): OCRA (RFC 6287), suite `OCRA-1:HOTP-SHA256-8:QN08`, no other.
//!
//! The device shows a question, the desk reads the answer back by telephone. Both hold the device's enrolment secret.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::Sha256;

use crate::{
    code::Code,
    enrol::EnrolmentSecret,
    ids::{DeviceId, Nonce},
};

/// The suite's name, as it goes into every answer.
pub const SUITE: &str = "OCRA-1:HOTP-SHA256-8:QN08";

/// How many bytes a question takes in what is authenticated (RFC 6287 section 5.1).
const QUESTION_BYTES: usize = 128;

/// What a device asks: eight random decimal digits, which are no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question(u32);

impl Question {
    /// A question out of 16 random bytes. The modulus favours none by more than one part in 2^101.
    #[must_use]
    pub fn from_seed(seed: &[u8; 16]) -> Self {
        let number = u128::from_le_bytes(*seed) % 100_000_000;
        Self(u32::try_from(number).expect("eight digits fit"))
    }

    /// Reads exactly eight ASCII digits. Spaces and dashes, as people type them, are passed over.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        Code::parse(typed)?.expose().parse().ok().map(Self)
    }

    /// The right answer. It must not be given before its leaf stands in the public log.
    #[must_use]
    pub fn answer(self, secret: &EnrolmentSecret) -> Code {
        let mac = mac(secret.expose()).chain_update(SUITE).chain_update([0]).chain_update(self.padded());
        let number = truncated(&mac.finalize().into_bytes()) % 100_000_000;
        Code::from_seed(&u128::from(number).to_le_bytes())
    }

    /// What stands for the nonce in the leaf of this answer (protocol section 7): who does not hold the secret cannot recognise it, though
    /// there are few questions.
    #[must_use]
    pub fn nonce(self, secret: &EnrolmentSecret, device: DeviceId) -> Nonce {
        let mac = mac(secret.expose()).chain_update("sparekey/v1/question").chain_update(device.0);
        let mac = mac.chain_update(self.0.to_be_bytes()).finalize().into_bytes();
        Nonce(core::array::from_fn(|i| mac[i]))
    }

    /// The digits as a number, in hexadecimal, padded on the right (RFC 6287 section 5.1 and its reference implementation).
    fn padded(self) -> [u8; QUESTION_BYTES] {
        let mut bytes = [0; QUESTION_BYTES];
        let digits = self.0.checked_ilog(16).map_or(1, |highest| highest + 1);
        for place in 0..digits {
            let nibble = (self.0 >> (4 * (digits - 1 - place)) & 0xf) as u8;
            bytes[place as usize / 2] |= if place % 2 == 0 { nibble << 4 } else { nibble };
        }
        bytes
    }
}

impl<C> Encode<C> for Question {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.u32(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Question {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let number = d.u32()?;
        if number < 100_000_000 { Ok(Self(number)) } else { Err(decode::Error::message("not eight digits")) }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({self})")
    }
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Dynamic truncation (RFC 4226 section 5.3).
fn truncated(mac: &[u8]) -> u32 {
    let at = usize::from(mac[mac.len() - 1] & 0xf);
    let word = [mac[at] & 0x7f, mac[at + 1], mac[at + 2], mac[at + 3]];
    u32::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use sha1::Sha1;
    use sha2::{Digest, Sha512};

    use super::*;

    /// The whole of RFC 6287 for tests, on the two functions that the one suite is made of.
    fn ocra(suite: &str, key: &[u8], counter: Option<u64>, question: &[u8], pin: Option<&str>) -> String {
        let mut message: Vec<u8> = suite.bytes().chain([0]).collect();
        message.extend(counter.into_iter().flat_map(u64::to_be_bytes));
        message.extend_from_slice(question);
        message.extend(pin.into_iter().flat_map(Sha1::digest));
        fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
            <M as KeyInit>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().to_vec()
        }
        let (hash, digits) = suite.split(':').nth(1).unwrap().rsplit_once('-').unwrap();
        let mac = match hash {
            "HOTP-SHA1" => hmac::<Hmac<Sha1>>(key, &message),
            "HOTP-SHA256" => hmac::<Hmac<Sha256>>(key, &message),
            _ => hmac::<Hmac<Sha512>>(key, &message),
        };
        let digits: u32 = digits.parse().unwrap();
        format!("{:0width$}", truncated(&mac) % 10_u32.pow(digits), width = digits as usize)
    }

    const KEY: &[u8; 64] = b"1234567890123456789012345678901234567890123456789012345678901234";

    fn repeated(digit: u32) -> Question {
        Question(11_111_111 * digit)
    }

    #[test]
    fn the_official_vectors_with_eight_digits() {
        // RFC 6287 appendix C.
        let one_way = "237653 243178 653583 740991 608993 388898 816933 224598 750600 294470";
        for (digit, answer) in (0..).zip(one_way.split(' ')) {
            let question = repeated(digit).padded();
            assert_eq!(ocra("OCRA-1:HOTP-SHA1-6:QN08", &KEY[..20], None, &question, None), answer);
        }
        let counted = "65347737 86775851 78192410 71565254 10104329 65983500 70069104 91771096 75011558 08522129";
        for (counter, answer) in (0..).zip(counted.split(' ')) {
            let (suite, question) = ("OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1", Question(12_345_678).padded());
            assert_eq!(ocra(suite, &KEY[..32], Some(counter), &question, Some("1234")), answer);
        }
        let with_pin = "83238735 01501458 17957585 86776967 86807031";
        for (digit, answer) in (0..).zip(with_pin.split(' ')) {
            let (suite, question) = ("OCRA-1:HOTP-SHA256-8:QN08-PSHA1", repeated(digit).padded());
            assert_eq!(ocra(suite, &KEY[..32], None, &question, Some("1234")), answer);
        }
        let long = "07016083 63947962 70123924 25341727 33203315 34205738 44343969 51946085 20403879 31409299";
        for (digit, answer) in (0..).zip(long.split(' ')) {
            let (suite, question) = ("OCRA-1:HOTP-SHA512-8:C-QN08", repeated(digit).padded());
            assert_eq!(ocra(suite, KEY, Some(digit.into()), &question, None), answer);
        }
    }

    #[test]
    fn ours_is_that_of_the_whole_algorithm() {
        let secret = EnrolmentSecret::from_bytes(*KEY.first_chunk().unwrap());
        for question in [0, 1, 10, 255, 256, 4_095, 4_096, 12_345_678, 99_999_999].map(Question) {
            let expected = ocra(SUITE, &KEY[..32], None, &question.padded(), None);
            assert_eq!(question.answer(&secret).expose(), expected, "{question}");
        }
    }

    #[test]
    fn questions_are_eight_digits() {
        assert_eq!(format!("{}", Question::parse("0000-0010").unwrap()), "00000010");
        assert_eq!(Question::parse("0000 0010").unwrap().padded()[..2], [0xa0, 0]);
        assert_eq!(Question::parse("1234567"), None);
        assert_eq!(Question::from_seed(&100_000_007_u128.to_le_bytes()), Question(7));
    }

    #[test]
    fn a_leaf_is_recognised_by_who_holds_the_secret() {
        let (secret, other) = (EnrolmentSecret::from_bytes([1; 32]), EnrolmentSecret::from_bytes([2; 32]));
        let nonce = |question, secret, device| Question(question).nonce(secret, DeviceId([device; 16]));
        let known = nonce(7, &secret, 1);
        for another in [nonce(8, &secret, 1), nonce(7, &other, 1), nonce(7, &secret, 2)] {
            assert_ne!(known, another);
        }
    }
}
