//! Short texts with bounds. A value of these types has the length (and, where the protocol names them, the letters) it must have.
//!
//! Only a serial number and a base URL have an alphabet. The others are hostile text wherever they are shown or mailed.

use alloc::{borrow::ToOwned, format, string::String};
use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// Shorter or longer than its bounds.
    Length,
    /// Has a letter that is not allowed.
    Letter,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "too short or too long",
            Self::Letter => "has a letter that is not allowed",
        })
    }
}

impl core::error::Error for TextError {}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $min:literal ..= $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Its greatest length in bytes.
            pub const MAX: usize = $max;

            /// Takes a text within its bounds.
            ///
            /// # Errors
            /// [`TextError`] says which bound.
            pub fn new(text: &str) -> Result<Self, TextError> {
                if !($min..=$max).contains(&text.len()) {
                    return Err(TextError::Length);
                }
                let allowed: fn(&str) -> bool = $allowed;
                if allowed(text) { Ok(Self(text.to_owned())) } else { Err(TextError::Letter) }
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
                Self::new(d.str()?).map_err(|_| decode::Error::message("text out of bounds"))
            }
        }
    };
}

macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }
    )*};
}

text!(
    /// A device's serial number: 1 to 48 of `A-Z 0-9 -`.
    Serial, 1..=48, |text| text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
);
text!(
    /// A device's model, 1 to 32 bytes.
    Model, 1..=32, |_| true
);
text!(
    /// A firmware version, 1 to 32 bytes.
    Firmware, 1..=32, |_| true
);
text!(
    /// The owner's language, BCP 47, 2 to 16 bytes.
    Language, 2..=16, |_| true
);
text!(
    /// The desk's number of a case, 1 to 32 bytes.
    CaseNumber, 1..=32, |_| true
);
text!(
    /// A service's name for people, 1 to 64 bytes.
    CardName, 1..=64, |_| true
);
text!(
    /// Where an owner wants codes sent, 3 to 254 bytes (RFC 5321 section 4.5.3.1.3). Never printed whole in logs.
    ReservedEmail, 3..=254, |_| true
);
text!(
    /// A service's base URL: `https://…` without a trailing slash, `http://` for loopback only; 9 to 256 bytes.
    BaseUrl, 9..=256, is_base_url
);
shown!(Serial, Model, Firmware, Language, CaseNumber, CardName, BaseUrl);

impl fmt::Debug for ReservedEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReservedEmail(private)")
    }
}

impl ReservedEmail {
    /// What may be shown of the address (protocol section 12): the first letter of the local part and of the domain, and the
    /// last label: `o••••@e••••.org`. Always four bullets, whatever was there; a first character that is neither letter nor digit
    /// is among them. An A-label (RFC 5890) stays one: its first letter is `x` and tells nothing.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or(("", &self.0));
        let (host, last) = domain.rsplit_once('.').unwrap_or((domain, ""));
        let first = |text: &str| text.chars().next().filter(|c| is_visible(*c)).map_or_else(String::new, String::from);
        let shown = |text: &str| text.chars().filter(|c| is_visible(*c) || *c == '-').collect::<String>();
        let dot = if last.is_empty() { "" } else { "." };
        format!("{}••••@{}••••{dot}{}", first(local), first(host), shown(last))
    }
}

/// Letters and digits, but for the Hangul fillers (U+115F, U+1160, U+3164, U+FFA0), which count as letters and show nothing.
fn is_visible(c: char) -> bool {
    c.is_alphanumeric() && !matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

fn is_base_url(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b);
    if text.ends_with('/') || !text.bytes().all(allowed) {
        return false;
    }
    match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => !host(rest).is_empty(),
        (_, Some(rest)) => is_loopback(host(rest)),
        _ => false,
    }
}

/// The host of `host[:port][/path]`, brackets of an IPv6 address kept.
fn host(authority_and_path: &str) -> &str {
    let authority = authority_and_path.split('/').next().unwrap_or_default();
    match authority.find(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    let v4 = host.parse::<core::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    host == "localhost" || host == "[::1]" || v4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_have_an_alphabet() {
        for good in ["A", "NVR-4216-0001", "0123456789"] {
            assert!(Serial::new(good).is_ok(), "{good}");
        }
        for (bad, why) in
            [("", TextError::Length), ("a", TextError::Letter), ("A B", TextError::Letter), ("Ä", TextError::Letter)]
        {
            assert_eq!(Serial::new(bad), Err(why), "{bad}");
        }
        assert_eq!(Serial::new(&"A".repeat(49)), Err(TextError::Length));
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for good in [
            "https://recover.example.org",
            "https://example.org:8443/sparekey",
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:8080",
            "https://[2001:db8::1]",
        ] {
            assert!(BaseUrl::new(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org",
            "https://example.org/",
            "ftp://example.org",
            "https:///path",
            "http://127.0.0.1.example.org",
            "https://example.org#x",
            "https://user@example.org",
            "https://example.org?q",
            "http://localhost.example.org",
        ] {
            assert!(BaseUrl::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_masked() {
        for (address, masked) in [
            ("owner@example.org", "o••••@e••••.org"),
            ("o@e.org", "o••••@e••••.org"),
            ("owner@mail.example.co.uk", "o••••@m••••.uk"),
            ("józef@przykład.pl", "j••••@p••••.pl"),
            ("owner@localhost", "o••••@l••••"),
            ("董事长@例子.测试", "董••••@例••••.测试"),
            ("owner@xn--bcher-kva.example", "o••••@x••••.example"),
            ("owner@example.xn--p1ai", "o••••@e••••.xn--p1ai"),
            ("+tag@example.org", "••••@e••••.org"),
            ("\"a b\"@[192.0.2.7]", "••••@••••.7"),
            ("\u{3164}x@e.o\u{ffa0}rg", "••••@e••••.org"),
            ("\u{202e}x@e.\u{7}org", "••••@e••••.org"),
            ("nothing", "••••@n••••"),
        ] {
            assert_eq!(ReservedEmail::new(address).unwrap().masked(), masked, "{address:?}");
        }
    }

    #[test]
    fn an_address_is_not_printed() {
        let address = ReservedEmail::new("owner@example.org").unwrap();
        assert!(!alloc::format!("{address:?}").contains("owner"));
    }
}
