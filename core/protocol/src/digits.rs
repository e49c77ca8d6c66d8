//! Bytes as decimal digits (protocol section 5), so that a QR symbol's numeric mode carries them.
//!
//! Chunks of 7 bytes, each a little-endian integer of 17 digits; a last, shorter chunk takes fewer.

use alloc::{string::String, vec::Vec};
use core::fmt::Write;

use crate::cbor::Malformed;

const CHUNK: usize = 7;
const CHUNK_DIGITS: usize = 17;

/// Digits that a chunk of so many bytes takes.
const WIDTH: [usize; CHUNK + 1] = [0, 3, 5, 8, 10, 13, 15, CHUNK_DIGITS];

/// The digits of these bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len().div_ceil(CHUNK) * CHUNK_DIGITS);
    for chunk in bytes.chunks(CHUNK) {
        let mut number = [0; 8];
        number[..chunk.len()].copy_from_slice(chunk);
        let width = WIDTH[chunk.len()];
        write!(digits, "{:0width$}", u64::from_le_bytes(number)).expect("writing to memory cannot fail");
    }
    digits
}

/// The bytes of these digits, at most `limit` of them.
///
/// # Errors
/// [`Malformed::TooLong`] beyond the limit; [`Malformed::Shape`] for another character, a length that no bytes have, or a number too
/// large for its chunk.
pub fn decode(digits: &str, limit: usize) -> Result<Vec<u8>, Malformed> {
    if digits.len() > limit.div_ceil(CHUNK) * CHUNK_DIGITS {
        return Err(Malformed::TooLong);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::Shape);
    }
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    for chunk in digits.as_bytes().chunks(CHUNK_DIGITS) {
        let length = WIDTH.iter().position(|width| *width == chunk.len()).ok_or(Malformed::Shape)?;
        // 17 digits are less than 2^57.
        let number = chunk.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
        if number >> (8 * length) != 0 {
            return Err(Malformed::Shape);
        }
        bytes.extend_from_slice(&number.to_le_bytes()[..length]);
    }
    if bytes.len() > limit { Err(Malformed::TooLong) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_digits() {
        for (bytes, digits) in [
            (&[][..], ""),
            (&[0], "000"),
            (&[255], "255"),
            (&[0, 1], "00256"),
            (&[255; 7], "72057594037927935"),
            (&[1, 0, 0, 0, 0, 0, 0, 9], "00000000000000001009"),
        ] {
            assert_eq!(encode(bytes), digits);
            assert_eq!(decode(digits, 100).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn other_digits_are_refused() {
        for digits in
            ["0", "00", "256", "65536", "72057594037927936", "99999999999999999", "0000", "00a", "-01", "٠٠٠", " 000"]
        {
            assert_eq!(decode(digits, 100), Err(Malformed::Shape), "{digits}");
        }
        assert_eq!(decode(&encode(&[1; 101]), 100), Err(Malformed::TooLong));
        assert_eq!(decode(&"0".repeat(1_000_000), 100), Err(Malformed::TooLong));
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(decode(&encode(&bytes), 300), Ok(bytes));
        }

        #[test]
        fn one_text_a_value(digits in "[0-9]{0,60}") {
            if let Ok(bytes) = decode(&digits, 100) {
                prop_assert_eq!(encode(&bytes), digits);
            }
        }
    }
}
