//! An image's bytes in, the texts of its QR symbols out. Pure; may take minutes on a hostile
//! image, so only [`run_child`](super::run_child) calls it in a service.

use serde::{Deserialize, Serialize};

use super::pixels::Luma;
use super::symbol::{self, Threshold};

/// Most bytes of an image (protocol section 12).
pub const MAX_BYTES: usize = 12 * 1024 * 1024;
/// Most pixels of an image: phones take 12 to 50 million.
pub const MAX_PIXELS: u64 = 50_000_000;

/// A picture's sides are divided by these, one after the other. A symbol that fills a photo is
/// quickest and best read small; only one that is far away needs every pixel.
const SCALES: [usize; 5] = [8, 4, 3, 2, 1];
/// A picture is not made smaller than this, in pixels a side: the symbol of a request has 81
/// modules or more a side, and a module needs 3.
const MIN_SIDE: usize = 300;

/// A wide neighbourhood bears noise, a narrow one bears steep light.
const THRESHOLDS: [Threshold; 3] = [Threshold::Squares, Threshold::Mean(20), Threshold::Mean(50)];

/// Why no symbol came out of an image. The names are what the child writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Unreadable {
    /// More than [`MAX_BYTES`] or [`MAX_PIXELS`].
    #[error("the image is larger than 12 MiB or 50 megapixels")]
    TooLarge,
    /// Neither JPEG nor PNG nor WebP, or a damaged one.
    #[error("these bytes are not a JPEG, PNG or WebP image")]
    NotAnImage,
    /// More than one picture in the file.
    #[error("the image is animated")]
    Animated,
    /// An image without a QR symbol that can be read.
    #[error("the image shows no QR symbol that can be read")]
    NoSymbol,
}

/// The texts of the QR symbols in a JPEG, PNG or WebP.
///
/// Stops at the first try that shows a recovery request ([`find_request`]); where none does, all
/// other texts seen are returned. At most sixteen symbols a try, fifteen tries, and 7,089 characters
/// a symbol, which is what one can hold.
///
/// # Errors
/// [`Unreadable`] says which.
pub fn read_symbols(image: &[u8]) -> Result<Vec<String>, Unreadable> {
    if image.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let whole = Luma::decode(image)?;
    let mut others = Vec::new();
    for by in SCALES {
        if by > 1 && whole.width.min(whole.height) / by < MIN_SIDE {
            continue;
        }
        let shrunk = (by > 1).then(|| whole.shrunk(by));
        for threshold in THRESHOLDS {
            let texts = symbol::read(shrunk.as_ref().unwrap_or(&whole), threshold);
            if find_request(&texts).is_some() {
                return Ok(texts);
            }
            others.extend(texts);
        }
    }
    others.sort();
    others.dedup();
    if others.is_empty() { Err(Unreadable::NoSymbol) } else { Ok(others) }
}

/// The text that looks like a recovery request: a URL with `/r#` and digits, else digits alone
/// (protocol section 5).
#[must_use]
pub fn find_request(texts: &[String]) -> Option<&str> {
    let of_url = |text: &&String| text.split_once("/r#").is_some_and(|(_, rest)| are_digits(rest));
    let found = texts.iter().find(of_url).or_else(|| texts.iter().find(|text| are_digits(text)));
    found.map(String::as_str)
}

/// The two signatures and two keys of a request alone make 460 digits; a serial number on a
/// label beside the monitor has few.
const MIN_DIGITS: usize = 400;

fn are_digits(text: &str) -> bool {
    text.len() >= MIN_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_from_other_symbols() {
        let digits = "0123456789".repeat(50);
        let url = format!("https://recover.example.org/r#{digits}");
        let label = "DS-7608 0420240001".to_owned();
        let number = "4006381333931".to_owned();
        let cases: [(&[&String], Option<&String>); 6] = [
            (&[&label, &url], Some(&url)),
            (&[&digits, &url], Some(&url)),
            (&[&number, &digits], Some(&digits)),
            (&[&number], None),
            (&[&label], None),
            (&[], None),
        ];
        for (texts, expected) in cases {
            let texts: Vec<String> = texts.iter().map(|&t| t.clone()).collect();
            assert_eq!(find_request(&texts), expected.map(String::as_str), "{texts:?}");
        }
        assert_eq!(find_request(&[format!("{url}x")]), None);
        assert_eq!(find_request(&[format!("https://example.org/r#{}", "é".repeat(500))]), None);
    }

    #[test]
    fn the_names_are_stable() {
        for (reason, name) in [
            (Unreadable::TooLarge, "\"too-large\""),
            (Unreadable::NotAnImage, "\"not-an-image\""),
            (Unreadable::Animated, "\"animated\""),
            (Unreadable::NoSymbol, "\"no-symbol\""),
        ] {
            assert_eq!(serde_json::to_string(&reason).unwrap(), name);
        }
    }
}
