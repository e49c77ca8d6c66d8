use alloc::string::String;
use core::fmt::{self, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    BATCH, Document, Entry, FileError, GRANT, GRANT_ELEMENTS, GrantFile, KEY, KEY_ELEMENTS, MAX_BATCH, MAX_FILE,
    NAMESPACE, REQUEST, REQUEST_ELEMENTS, RequestFile, shown,
};
use crate::{cbor, request::MAX_REQUEST};

/// Writes a file. A text's control characters become U+FFFD, as they do when it is read.
///
/// # Errors
/// [`FileError`] if [`super::parse`] would refuse what was written: a text, a payload, a batch or the whole is too long, or empty.
pub fn write(document: &Document) -> Result<Zeroizing<String>, FileError> {
    // All at once: a string that grows would leave pieces of a key file's secret behind.
    let mut out = Zeroizing::new(String::with_capacity(MAX_FILE));
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    match document {
        Document::Request(request) => write_request(&mut out, request)?,
        Document::Grant(grant) => write_grant(&mut out, grant)?,
        Document::Key(key) => {
            let payload = Zeroizing::new(cbor::encode(&key.payload));
            write_element(&mut out, KEY, KEY_ELEMENTS, [&key.serial, &key.created], &payload)?;
        }
        Document::Batch(entries) => {
            if !(1..=MAX_BATCH).contains(&entries.len()) {
                return Err(FileError::Batch);
            }
            push(&mut out, format_args!("<{BATCH} xmlns=\"{NAMESPACE}\">\n"));
            for entry in entries {
                match entry {
                    Entry::Request(request) => write_request(&mut out, request)?,
                    Entry::Grant(grant) => write_grant(&mut out, grant)?,
                }
            }
            push(&mut out, format_args!("</{BATCH}>\n"));
        }
    }
    if out.len() > MAX_FILE { Err(FileError::TooLong) } else { Ok(out) }
}

fn write_request(out: &mut String, file: &RequestFile) -> Result<(), FileError> {
    if file.payload.len() > MAX_REQUEST {
        return Err(FileError::Payload);
    }
    let texts = [&file.serial, &file.model, &file.firmware, &file.device_time, &file.start_time];
    write_element(out, REQUEST, REQUEST_ELEMENTS, texts, &file.payload)
}

fn write_grant(out: &mut String, file: &GrantFile) -> Result<(), FileError> {
    write_element(out, GRANT, GRANT_ELEMENTS, [&file.serial, &file.case, &file.not_after], &file.payload)
}

fn write_element<const T: usize, const N: usize>(
    out: &mut String,
    root: &str,
    names: [&str; N],
    texts: [&String; T],
    payload: &[u8],
) -> Result<(), FileError> {
    const { assert!(T + 1 == N) };
    if payload.is_empty() {
        return Err(FileError::Payload);
    }
    push(out, format_args!("<{root} xmlns=\"{NAMESPACE}\">\n"));
    for (name, text) in names.iter().zip(texts) {
        let text = escape(text)?;
        push(out, format_args!("  <{name}>{text}</{name}>\n"));
    }
    out.push_str("  <Payload>");
    STANDARD.encode_string(payload, out);
    push(out, format_args!("</Payload>\n</{root}>\n"));
    Ok(())
}

fn push(out: &mut String, text: fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory cannot fail");
}

fn escape(text: &str) -> Result<String, FileError> {
    Ok(shown(text)?.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}
