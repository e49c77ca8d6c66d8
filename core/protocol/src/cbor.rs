//! CBOR in the deterministic form of RFC 8949 section 4.2.1, and nothing else.
//!
//! One rule makes a decoder strict: what was decoded is encoded again, and must give the very same bytes. So a longer integer,
//! an indefinite length, keys out of order, twice or unknown, and trailing bytes are all refused, without a line about any.

use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

/// Bytes that are not what they should be. Says which rule, never what was in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Longer than the format allows.
    TooLong,
    /// Not the CBOR shape of this format, or a value out of its bounds.
    Shape,
    /// Decodes, but is not the one deterministic encoding: unknown, repeated or unordered keys, long integers, trailing bytes.
    NotDeterministic,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than the format allows",
            Self::Shape => "not the shape of this format",
            Self::NotDeterministic => "not in deterministic encoding",
        })
    }
}

impl core::error::Error for Malformed {}

pub(crate) fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    match minicbor::to_vec(value) {
        Ok(bytes) => bytes,
        // `Vec` as a writer has no error, and no type here refuses to encode.
        Err(_) => unreachable!("encoding to memory cannot fail"),
    }
}

pub(crate) fn decode<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8], limit: usize) -> Result<T, Malformed> {
    if bytes.len() > limit {
        return Err(Malformed::TooLong);
    }
    let value: T = minicbor::decode(bytes).map_err(|_| Malformed::Shape)?;
    // Wiped: it may hold a code or a key.
    let again = Zeroizing::new(encode(&value));
    if *again == bytes { Ok(value) } else { Err(Malformed::NotDeterministic) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Pair {
        #[n(1)]
        first: u64,
        #[n(2)]
        second: Option<u64>,
    }

    #[test]
    fn one_encoding_is_accepted() {
        use Malformed::{NotDeterministic, Shape, TooLong};
        let cases: &[(&str, &str, Result<Pair, Malformed>)] = &[
            ("right", "a2010a020b", Ok(Pair { first: 10, second: Some(11) })),
            ("optional left out", "a1010a", Ok(Pair { first: 10, second: None })),
            ("optional as null", "a2010a02f6", Err(NotDeterministic)),
            ("long integer", "a201180a020b", Err(NotDeterministic)),
            ("long key", "a218010a020b", Err(NotDeterministic)),
            ("keys out of order", "a2020b010a", Err(NotDeterministic)),
            ("key twice", "a3010a010a020b", Err(NotDeterministic)),
            ("unknown key", "a3010a020b030c", Err(NotDeterministic)),
            ("indefinite map", "bf010a020bff", Err(NotDeterministic)),
            ("trailing byte", "a2010a020b00", Err(NotDeterministic)),
            ("missing key", "a1020b", Err(Shape)),
            ("negative", "a2012a020b", Err(Shape)),
            ("text for a number", "a2016161020b", Err(Shape)),
            ("cut short", "a2010a02", Err(Shape)),
            ("nothing", "", Err(Shape)),
            ("deep nesting", "a3010a020b038181818181818181818181818181818100", Err(TooLong)),
        ];
        for (name, hex, expected) in cases {
            let bytes = hex::decode(hex).unwrap();
            assert_eq!(&decode::<Pair>(&bytes, 16), expected, "{name}");
        }
    }
}
