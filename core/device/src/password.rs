use alloc::string::String;
use core::fmt;

use minicbor::{Decode, Encode};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::slow_hash::{HashingCost, SlowHash};

/// Why a password is not accepted. There are no composition rules (NIST SP 800-63B-4 section 3.1.1.2, OWASP ASVS 6.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weak {
    /// Fewer than 8 characters.
    TooShort,
    /// More than 128 characters.
    TooLong,
    /// The serial number, the model, the user name or the address.
    Blocked,
    /// Guessed within less than about 10^8 tries: a common word, a pattern, a date.
    Guessable,
}

impl Weak {
    /// A stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooShort => "too-short",
            Self::TooLong => "too-long",
            Self::Blocked => "blocked",
            Self::Guessable => "guessable",
        }
    }
}

/// The least zxcvbn score: "safely unguessable", 10^8 guesses or more.
const LEAST_SCORE: u8 = 3;
const LENGTH: core::ops::RangeInclusive<usize> = 8..=128;

/// A password that may be set. Not yet hashed, wiped on drop, never printed.
pub struct AcceptablePassword(Zeroizing<String>);

impl AcceptablePassword {
    /// Judges a password. `blocked` are the words that an attacker tries first on this device; `estimate` is zxcvbn's
    /// score (0 to 4) for a password and those words.
    pub(crate) fn judge(typed: &str, blocked: &[&str], estimate: impl Fn(&str, &[&str]) -> u8) -> Result<Self, Weak> {
        // Before anything else: normalizing and estimating cost more for longer texts.
        if typed.len() > 4 * LENGTH.end() {
            return Err(Weak::TooLong);
        }
        let password = normalized(typed);
        let characters = password.chars().count();
        if characters < *LENGTH.start() {
            return Err(Weak::TooShort);
        }
        if characters > *LENGTH.end() {
            return Err(Weak::TooLong);
        }
        if blocked.iter().any(|word| word.to_lowercase() == password.to_lowercase()) {
            return Err(Weak::Blocked);
        }
        if estimate(&password, blocked) < LEAST_SCORE { Err(Weak::Guessable) } else { Ok(Self(password)) }
    }

    /// Slow: about half a second at the cost that was measured for this device.
    #[must_use]
    pub fn hash(self, salt: [u8; 16], cost: HashingCost) -> HashedPassword {
        HashedPassword(SlowHash::make(self.0.as_bytes(), salt, cost))
    }
}

impl fmt::Debug for AcceptablePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AcceptablePassword(secret)")
    }
}

/// A password that was accepted, as it is kept.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(transparent)]
pub struct HashedPassword(#[n(0)] pub(crate) SlowHash);

/// The same password from every keyboard: NFKC (NIST SP 800-63B-4 section 3.1.1.2).
pub(crate) fn normalized(typed: &str) -> Zeroizing<String> {
    Zeroizing::new(typed.nfkc().collect())
}

/// The administrator's name: 1 to 32 characters in NFKC, none of them white space or a control character.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Username(#[n(0)] String);

impl Username {
    /// `None` if it is out of bounds.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let name: String = text.nfkc().take(33).collect();
        let letters = name.chars().all(|c| !c.is_whitespace() && !c.is_control());
        ((1..=32).contains(&name.chars().count()) && letters).then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Names differ by more than case, so that no two spellings have tries of their own.
    pub(crate) fn is(&self, typed: &str) -> bool {
        Self::new(typed).is_some_and(|typed| self.0.to_lowercase() == typed.0.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judged_by_length_words_and_strength() {
        let blocked = ["NVR-4216-0001", "NVR-4216", "installer"];
        let score = |password: &str, _: &[&str]| if password.contains("weak") { 2 } else { 3 };
        let long = "x".repeat(129);
        let cases = [
            ("seven77", Err(Weak::TooShort)),
            ("eight888", Ok(())),
            (&long[..128], Ok(())),
            (&long, Err(Weak::TooLong)),
            ("nvr-4216-0001", Err(Weak::Blocked)),
            ("Installer", Err(Weak::Blocked)),
            ("weak weak weak", Err(Weak::Guessable)),
            ("密码密码密码密码", Ok(())),
        ];
        for (password, expected) in cases {
            assert_eq!(AcceptablePassword::judge(password, &blocked, score).map(drop), expected, "{password}");
        }
    }

    #[test]
    fn one_password_from_every_keyboard() {
        assert_eq!(*normalized("pa\u{308}ss"), *normalized("p\u{e4}ss"));
    }

    #[test]
    fn names_have_bounds() {
        for good in ["admin", "José", "a"] {
            assert!(Username::new(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "a\nb", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert!(Username::new(bad).is_none(), "{bad}");
        }
        assert!(Username::new("Admin").unwrap().is("aDMIN"));
        assert!(Username::new("Jose\u{301}").unwrap().is("Jos\u{e9}"));
    }
}
