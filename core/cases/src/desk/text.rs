use alloc::string::{String, ToString};
use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Why a text that somebody typed is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadText {
    /// Nothing but white space.
    Empty,
    /// More than its bound.
    TooLong,
}

impl fmt::Display for BadText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there is nothing in it",
            Self::TooLong => "it is too long",
        })
    }
}

impl core::error::Error for BadText {}

macro_rules! typed {
    ($(#[$doc:meta])* $name:ident, $max:literal, $kept:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Its greatest length in bytes.
            pub const MAX: usize = $max;

            /// Takes what was typed, without white space around it and without control characters. It is hostile text all the
            /// same: whoever shows it escapes it.
            ///
            /// # Errors
            /// [`BadText`].
            pub fn new(typed: &str) -> Result<Self, BadText> {
                // Bounded before anything is copied.
                if typed.len() > 2 * Self::MAX {
                    return Err(BadText::TooLong);
                }
                let kept: fn(char) -> bool = $kept;
                let typed = typed.replace("\r\n", "\n");
                let clean = |c: char| if kept(c) { c } else if c.is_whitespace() { ' ' } else { '\u{fffd}' };
                let text: String = typed.trim().chars().map(clean).collect();
                match text.len() {
                    0 => Err(BadText::Empty),
                    length if length > Self::MAX => Err(BadText::TooLong),
                    _ => Ok(Self(text)),
                }
            }

            /// The same, for a field that may stay empty.
            ///
            /// # Errors
            /// [`BadText::TooLong`].
            pub fn optional(typed: &str) -> Result<Option<Self>, BadText> {
                match Self::new(typed) {
                    Err(BadText::Empty) => Ok(None),
                    other => other.map(Some),
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                d.str().map(|text| Self(text.to_string()))
            }
        }
    };
}

typed!(
    /// One line that somebody typed: a name, an address, an item of a checklist. 1 to 254 bytes.
    Line, 254, |c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}') && !steers(c)
);
typed!(
    /// Some lines that somebody typed: a note, a reason. 1 to 4,000 bytes.
    Words, 4_000, |c| c == '\n' || !(c.is_control() || steers(c))
);

/// Changes the direction of what stands around it, or shows nothing: with such, one text is made to look like another.
fn steers(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn what_is_typed_is_bounded_and_plain() {
        for (typed, line) in [
            ("  Ada \t", Ok("Ada")),
            ("a\nb", Ok("a b")),
            ("a\u{2028}b\u{1b}[31m", Ok("a b\u{fffd}[31m")),
            ("<script>", Ok("<script>")),
            ("NVR\u{202e}1", Ok("NVR\u{fffd}1")),
            (" \n ", Err(BadText::Empty)),
            ("", Err(BadText::Empty)),
        ] {
            assert_eq!(Line::new(typed).map(|line| line.to_string()), line.map(ToString::to_string), "{typed:?}");
        }
        assert_eq!(Words::new("a\r\nb\0").unwrap().as_str(), "a\nb\u{fffd}");
        assert!(Line::new(&"a".repeat(254)).is_ok());
        assert_eq!(Line::new(&"a".repeat(255)), Err(BadText::TooLong));
        assert_eq!(Line::new(&" ".repeat(100_000)), Err(BadText::TooLong));
        // A control character grows to three bytes.
        assert_eq!(Line::new(&"\0".repeat(100)), Err(BadText::TooLong));
        assert_eq!(Line::optional("  "), Ok(None));
    }
}
