use alloc::{string::String, vec::Vec};

use base64::{Engine, engine::general_purpose::STANDARD};
use roxmltree::{Node, ParsingOptions};
use zeroize::Zeroizing;

use super::{
    BATCH, Document, Entry, FileError, GRANT, GRANT_ELEMENTS, GrantFile, KEY, KEY_ELEMENTS, KeyFile, MAX_BATCH,
    MAX_FILE, NAMESPACE, REQUEST, REQUEST_ELEMENTS, RequestFile, shown,
};
use crate::{cbor, request::MAX_REQUEST};

/// A full batch, indented, has some 4,400 nodes.
const MAX_NODES: u32 = 8192;

/// Reads a file.
///
/// # Errors
/// [`FileError`] says which rule it breaks.
pub fn parse(file: &[u8]) -> Result<Document, FileError> {
    if file.len() > MAX_FILE {
        return Err(FileError::TooLong);
    }
    let text = core::str::from_utf8(file).map_err(|_| FileError::Encoding)?;
    if declares_another_encoding(text) {
        return Err(FileError::Encoding);
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, entity_resolver: None };
    let xml = roxmltree::Document::parse_with_options(text, options).map_err(|_| FileError::Xml)?;
    if xml.root().children().any(|node| node.is_pi()) {
        return Err(FileError::Element);
    }
    let root = xml.root_element();
    if root.tag_name().namespace() != Some(NAMESPACE) {
        return Err(FileError::Root);
    }
    if root.attributes().len() > 0 {
        return Err(FileError::Element);
    }
    match root.tag_name().name() {
        REQUEST => parse_request(root).map(Document::Request),
        GRANT => parse_grant(root).map(Document::Grant),
        KEY => parse_key(root).map(Document::Key),
        BATCH => parse_batch(root).map(Document::Batch),
        _ => Err(FileError::Root),
    }
}

fn parse_request(element: Node) -> Result<RequestFile, FileError> {
    let [serial, model, firmware, device_time, start_time, payload] = texts(element, REQUEST_ELEMENTS)?;
    let payload = decode_payload(payload)?;
    if payload.len() > MAX_REQUEST {
        return Err(FileError::Payload);
    }
    Ok(RequestFile {
        serial: shown(serial)?,
        model: shown(model)?,
        firmware: shown(firmware)?,
        device_time: shown(device_time)?,
        start_time: shown(start_time)?,
        payload: payload.to_vec(),
    })
}

fn parse_grant(element: Node) -> Result<GrantFile, FileError> {
    let [serial, case, not_after, payload] = texts(element, GRANT_ELEMENTS)?;
    let payload = decode_payload(payload)?.to_vec();
    Ok(GrantFile { serial: shown(serial)?, case: shown(case)?, not_after: shown(not_after)?, payload })
}

fn parse_key(element: Node) -> Result<KeyFile, FileError> {
    let [serial, created, payload] = texts(element, KEY_ELEMENTS)?;
    let payload = cbor::decode(&decode_payload(payload)?, MAX_FILE).map_err(|_| FileError::Payload)?;
    Ok(KeyFile { serial: shown(serial)?, created: shown(created)?, payload })
}

fn parse_batch(root: Node) -> Result<Vec<Entry>, FileError> {
    let entries = elements(root)?;
    if !(1..=MAX_BATCH).contains(&entries.len()) {
        return Err(FileError::Batch);
    }
    let entry = |element: Node| match element.tag_name().name() {
        REQUEST => parse_request(element).map(Entry::Request),
        GRANT => parse_grant(element).map(Entry::Grant),
        _ => Err(FileError::Element),
    };
    entries.into_iter().map(entry).collect()
}

/// The texts of these elements, each of which stands there exactly once, in any order.
fn texts<'a, const N: usize>(parent: Node<'a, '_>, names: [&str; N]) -> Result<[&'a str; N], FileError> {
    let mut found = [None; N];
    for element in elements(parent)? {
        let place = names.iter().position(|name| *name == element.tag_name().name()).ok_or(FileError::Element)?;
        if found[place].replace(text(element)?).is_some() {
            return Err(FileError::Element);
        }
    }
    let mut texts = [""; N];
    for (text, found) in texts.iter_mut().zip(found) {
        *text = found.ok_or(FileError::Element)?;
    }
    Ok(texts)
}

/// The elements in this one. White space and comments may stand between them, and nothing else.
fn elements<'a, 'input>(parent: Node<'a, 'input>) -> Result<Vec<Node<'a, 'input>>, FileError> {
    let mut elements = Vec::new();
    for node in parent.children() {
        if node.is_element() {
            if node.tag_name().namespace() != Some(NAMESPACE) || node.attributes().len() > 0 {
                return Err(FileError::Element);
            }
            elements.push(node);
        } else if !node.is_comment() && !node.text().is_some_and(|text| text.chars().all(is_xml_space)) {
            return Err(FileError::Element);
        }
    }
    Ok(elements)
}

/// The text of an element that has nothing but text, unbroken by comments.
fn text<'a>(element: Node<'a, '_>) -> Result<&'a str, FileError> {
    let mut children = element.children();
    match (children.next(), children.next()) {
        (None, _) => Ok(""),
        (Some(node), None) if node.is_text() => Ok(node.text().unwrap_or_default()),
        _ => Err(FileError::Element),
    }
}

fn decode_payload(text: &str) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    base64.extend(text.chars().filter(|character| !is_xml_space(*character)));
    if base64.is_empty() {
        return Err(FileError::Payload);
    }
    STANDARD.decode(&*base64).map(Zeroizing::new).map_err(|_| FileError::Payload)
}

fn is_xml_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// The parser passes over the name of an encoding, as it reads UTF-8 only.
fn declares_another_encoding(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let Some((declaration, _)) = text.strip_prefix("<?xml ").and_then(|rest| rest.split_once("?>")) else {
        return false;
    };
    let Some((_, encoding)) = declaration.split_once("encoding") else { return false };
    let name = encoding.split(['"', '\'']).nth(1).unwrap_or_default();
    !name.eq_ignore_ascii_case("utf-8")
}
