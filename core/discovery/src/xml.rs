//! What the two dialects in XML share: reading within bounds, writing with nothing left unescaped.

use alloc::string::String;

use roxmltree::{Document, Node, ParsingOptions};

use crate::Refused;

/// A UDP datagram carries no more.
const MAX_BYTES: usize = 65_507;
/// A full answer has some 200.
const MAX_NODES: u32 = 2_048;

/// Reads a datagram: no document type, so no entities; trailing zero bytes are passed over, as some devices send them.
pub(crate) fn parse(datagram: &[u8]) -> Result<Document<'_>, Refused> {
    if datagram.len() > MAX_BYTES {
        return Err(Refused::TooLong);
    }
    let end = datagram.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = core::str::from_utf8(&datagram[..end]).map_err(|_| Refused::Shape)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    Document::parse_with_options(text.trim(), options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => Refused::TooMany,
        _ => Refused::Shape,
    })
}

/// The first element in this one of that name, in any namespace: vendors are not careful with them.
pub(crate) fn child<'a, 'input>(parent: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    parent.children().find(|node| node.is_element() && node.tag_name().name() == name)
}

/// The text of an element, without what surrounds it.
pub(crate) fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

/// Text that stands in an element or attribute as it is.
pub(crate) fn escape(text: &str) -> String {
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
