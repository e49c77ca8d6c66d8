//! XML from whoever is there, within bounds; and back, with nothing left unescaped.
//!
//! For the dialects of other people's devices. The project's own files have stricter rules (`sparekey-protocol`).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;

pub use roxmltree::{Document, Node};
use roxmltree::{Error, ParsingOptions};

/// A document is no longer: as much as a UDP datagram carries.
pub const MAX_BYTES: usize = 65_507;
/// A full answer of a device has some 200.
const MAX_NODES: u32 = 2_048;

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// More than [`MAX_BYTES`].
    TooLong,
    /// More nodes than any answer has.
    TooMany,
    /// No UTF-8, not well-formed, or with a document type.
    Shape,
}

/// Reads a document (XML 1.0): no document type, so no entities; trailing zero bytes are passed over, as some devices send them.
///
/// # Errors
/// [`Refused`]
pub fn parse(bytes: &[u8]) -> Result<Document<'_>, Refused> {
    if bytes.len() > MAX_BYTES {
        return Err(Refused::TooLong);
    }
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = core::str::from_utf8(&bytes[..end]).map_err(|_| Refused::Shape)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    Document::parse_with_options(text.trim(), options).map_err(|error| match error {
        Error::NodesLimitReached => Refused::TooMany,
        _ => Refused::Shape,
    })
}

/// The first element in this one of that name, in any namespace: vendors are not careful with them.
#[must_use]
pub fn child<'a, 'input>(parent: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    parent.children().find(|node| node.is_element() && node.tag_name().name() == name)
}

/// The text of an element, without what surrounds it.
#[must_use]
pub fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

/// Text that stands in an element or attribute as it is.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // XML 1.0 has no way to write these.
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_bound_is_refused() {
        let deep = "<a>".repeat(4_000);
        let many = alloc::format!("<a>{}</a>", "<b/>".repeat(4_000));
        let long = alloc::format!("<a>{}</a>", "b".repeat(MAX_BYTES));
        for (sent, why) in [
            (&b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"[..], Refused::Shape),
            (b"<a>\xff</a>", Refused::Shape),
            (b"", Refused::Shape),
            (deep.as_bytes(), Refused::TooMany),
            (many.as_bytes(), Refused::TooMany),
            (long.as_bytes(), Refused::TooLong),
        ] {
            assert_eq!(parse(sent).map(|_| ()), Err(why), "{:?}", &sent[..sent.len().min(40)]);
        }
        assert!(parse(b" <a/>\n\0\0").is_ok());
    }

    #[test]
    fn what_is_escaped_comes_back() {
        let text = "<a href=\"b\">&amp; 'c'\u{1}";
        let written = alloc::format!("<x y=\"{0}\">{0}</x>", escape(text));
        let document = parse(written.as_bytes()).expect("well-formed");
        let expected = text.trim_end_matches('\u{1}');
        assert_eq!(
            (document.root_element().attribute("y"), super::text(document.root_element())),
            (Some(expected), expected)
        );
    }
}
