use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The eight decimal digits that the device chose, the service mails and the owner types. Wiped on drop, compared in constant
/// time, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code([u8; 8]);

impl Code {
    /// How many digits a code has.
    pub const DIGITS: usize = 8;

    /// A code out of 16 random bytes. The modulus favours no code by more than one part in 2^101.
    #[must_use]
    pub fn from_seed(seed: &[u8; 16]) -> Self {
        let mut number = u128::from_le_bytes(*seed) % 100_000_000;
        let mut digits = [b'0'; Self::DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).expect("a remainder of ten fits");
            number /= 10;
        }
        Self(digits)
    }

    /// Reads exactly eight ASCII digits. Spaces and dashes, as people type them, are passed over.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let mut digits = Zeroizing::new([0; Self::DIGITS]);
        let mut count = 0;
        for byte in typed.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
            *digits.get_mut(count)? = byte.is_ascii_digit().then_some(byte)?;
            count += 1;
        }
        (count == Self::DIGITS).then_some(Self(*digits))
    }

    /// The digits, for sealing, hashing or mailing.
    #[must_use]
    pub fn expose(&self) -> &str {
        core::str::from_utf8(&self.0).expect("ASCII digits are UTF-8")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(secret)")
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Code {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        for typed in ["12345678", "1234 5678", "1234-5678", " 1 2 3 4 5 6 7 8 "] {
            assert_eq!(Code::parse(typed).unwrap().expose(), "12345678", "{typed}");
        }
        for typed in ["", "1234567", "123456789", "1234567a", "１２３４５６７８", "12345678\n", "+1234567"] {
            assert!(Code::parse(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn a_seed_gives_eight_digits() {
        assert_eq!(Code::from_seed(&[0; 16]).expose(), "00000000");
        assert_eq!(Code::from_seed(&12_345_678_u128.to_le_bytes()).expose(), "12345678");
        assert_eq!(Code::from_seed(&100_000_007_u128.to_le_bytes()).expose(), "00000007");
    }
}
