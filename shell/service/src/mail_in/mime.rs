//! What is attached to a mail (RFC 2046), without believing anything of its size, number or depth.
//!
//! Parts are slices of the mail; only what looks like a picture or a recovery file is decoded, and of those only a few: the largest
//! pictures, since mail programs put small ones into everybody's signature, and the first files.
//! Each byte is looked at once for each level that it is nested in, and there are few of those. Archives are never unpacked:
//! what they hold is neither.

use mail_parser::{
    ContentType, Message, MessageParser, MimeHeaders,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode},
};
use std::cmp::Reverse;

use memchr::memmem;
use sparekey_protocol::files::MAX_FILE;

/// The most parts that are looked at, those that hold others included.
const MOST_PARTS: usize = 200;
/// How deep parts may be nested.
const DEEPEST: usize = 8;
/// The most pictures, and the most files, that are taken from a mail.
pub const MOST_PICTURES: usize = 4;
/// See [`MOST_PICTURES`].
pub const MOST_FILES: usize = 4;
/// The most bytes of the header of a part.
const MOST_HEADER: usize = 16 * 1024;
/// RFC 2046 section 5.1.1.
const LONGEST_BOUNDARY: usize = 70;
/// What every recovery file says (protocol section 8).
const NAMESPACE: &[u8] = b"urn:sparekey:recovery:1";

/// What was found, decoded.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The largest, the largest first.
    pub(super) pictures: Vec<Vec<u8>>,
    /// The first.
    pub(super) files: Vec<Vec<u8>>,
}

/// What was seen so far.
#[derive(Default)]
struct Seen<'a> {
    /// As they came, encoded.
    pictures: Vec<(Encoding, &'a [u8])>,
    files: Vec<Vec<u8>>,
    parts: usize,
}

/// The header and the body of a mail or a part; the header with the empty line that ends it.
pub(super) fn split(entity: &[u8], most_header: usize) -> Option<(&[u8], &[u8])> {
    for empty in [&b"\r\n"[..], b"\n"] {
        if let Some(body) = entity.strip_prefix(empty) {
            return Some((&[], body));
        }
    }
    let head = &entity[..entity.len().min(most_header)];
    let end = |end: &[u8]| memmem::find(head, end).map(|at| at + end.len());
    let end = match (end(b"\n\r\n"), end(b"\n\n")) {
        (Some(one), Some(other)) => one.min(other),
        (one, other) => match one.or(other) {
            Some(end) => end,
            // Nothing but a header.
            None if entity.len() <= most_header => entity.len(),
            None => return None,
        },
    };
    Some(entity.split_at(end))
}

/// Looks for pictures and files in the body of a mail with this header.
pub(super) fn find(header: &Message<'_>, body: &[u8]) -> Found {
    let mut seen = Seen::default();
    look(Some(header), body, 0, &mut seen);
    seen.pictures.sort_by_key(|(_, body)| Reverse(body.len()));
    let largest = seen.pictures.into_iter().take(MOST_PICTURES);
    Found { pictures: largest.filter_map(|(encoding, body)| encoding.decode(body)).collect(), files: seen.files }
}

fn look<'a>(header: Option<&Message<'_>>, body: &'a [u8], depth: usize, found: &mut Seen<'a>) {
    found.parts += 1;
    let kind = header.and_then(|header| header.content_type());
    let is = |wanted: &str| kind.is_some_and(|kind| kind.ctype().eq_ignore_ascii_case(wanted));
    let encoding = header.and_then(|header| header.content_transfer_encoding()).unwrap_or_default().trim();
    if is("multipart") {
        // RFC 2045 section 6.4: never encoded.
        if let Some(boundary) = kind.and_then(boundary).filter(|_| depth < DEEPEST) {
            for part in parts(body, boundary) {
                if found.parts >= MOST_PARTS {
                    return;
                }
                look_into(part, depth + 1, found);
            }
        }
    } else if is("message") {
        let is_mail = kind
            .and_then(ContentType::subtype)
            .is_some_and(|subtype| ["rfc822", "global"].iter().any(|mail| subtype.eq_ignore_ascii_case(mail)));
        if is_mail && depth < DEEPEST && Encoding::of(encoding) == Encoding::None {
            look_into(body, depth + 1, found);
        }
    } else {
        take(Encoding::of(encoding), body, found);
    }
}

fn look_into<'a>(entity: &'a [u8], depth: usize, found: &mut Seen<'a>) {
    let Some((header, body)) = split(entity, MOST_HEADER) else { return };
    look(MessageParser::new().with_mime_headers().parse_headers(header).as_ref(), body, depth, found);
}

fn boundary<'a>(kind: &'a ContentType<'_>) -> Option<&'a str> {
    kind.attribute("boundary").filter(|boundary| (1..=LONGEST_BOUNDARY).contains(&boundary.len()))
}

/// What stands between the lines that are `--boundary`, and after the last one if it does not end with `--`.
fn parts<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = &'a [u8]> {
    let line = [b"--", boundary.as_bytes()].concat();
    let finder = memmem::Finder::new(&line).into_owned();
    let mut at = 0;
    // Where the part begins whose end is looked for.
    let mut begin: Option<usize> = None;
    let mut over = false;
    std::iter::from_fn(move || {
        while !over {
            let Some(hit) = finder.find(&body[at..]).map(|hit| at + hit) else {
                over = true;
                return begin.map(|begin| &body[begin..]);
            };
            at = hit + line.len();
            if hit > 0 && body[hit - 1] != b'\n' {
                continue;
            }
            let rest = &body[at..];
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (is_last, blank) = match rest[..end].strip_prefix(b"--") {
                Some(blank) => (true, blank),
                None => (false, &rest[..end]),
            };
            if !blank.trim_ascii().is_empty() {
                continue;
            }
            at = (at + end + 1).min(body.len());
            over = is_last;
            // The line break before a boundary belongs to it.
            let part = begin.map(|begin| {
                let part = &body[begin..hit.max(begin)];
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                part.strip_suffix(b"\r").unwrap_or(part)
            });
            begin = (!is_last).then_some(at);
            if part.is_some() {
                return part;
            }
        }
        None
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    fn of(name: &str) -> Self {
        if name.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::None
        }
    }

    fn decode(self, body: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::None => Some(body.to_vec()),
            Self::Base64 => base64_decode(body),
            Self::QuotedPrintable => quoted_printable_decode(body),
        }
    }

    /// The first bytes of what a body says, to tell what it is before all of it is decoded.
    fn begin(self, body: &[u8]) -> Vec<u8> {
        let begin = &body[..body.len().min(256)];
        if self != Self::Base64 {
            return begin.to_vec();
        }
        let mut letters: Vec<u8> = begin.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        letters.truncate(letters.len() / 4 * 4);
        base64_decode(&letters).unwrap_or_default()
    }
}

/// Takes a part that is a picture or a file of ours, by what it holds and not by what it is called.
fn take<'a>(encoding: Encoding, body: &'a [u8], found: &mut Seen<'a>) {
    let begin = encoding.begin(body);
    if is_picture(&begin) {
        found.pictures.push((encoding, body));
        return;
    }
    // Encoded it is larger, at worst three times.
    let first = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&begin).trim_ascii_start().first();
    if first == Some(&b'<') && body.len() <= 4 * MAX_FILE && found.files.len() < MOST_FILES {
        let decoded = encoding.decode(body);
        found.files.extend(decoded.filter(|file| file.len() <= MAX_FILE && memmem::find(file, NAMESPACE).is_some()));
    }
}

/// JPEG, PNG, WebP: what is read at all.
fn is_picture(begin: &[u8]) -> bool {
    begin.starts_with(b"\xff\xd8\xff")
        || begin.starts_with(b"\x89PNG\r\n\x1a\n")
        || (begin.starts_with(b"RIFF") && begin.get(8..12) == Some(b"WEBP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(body: &str, boundary: &str) -> Vec<String> {
        parts(body.as_bytes(), boundary).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect()
    }

    #[test]
    fn parts_stand_between_boundaries() {
        for (body, expected) in [
            ("", &[][..]),
            ("no boundary", &[]),
            ("--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", &["\r\none", "\r\ntwo"]),
            ("--b\n\none\n--b--\nafter\n--b\nno", &["\none"]),
            ("before\r\n--b\r\nx\r\n--b--", &["x"]),
            ("--b  \r\nx\r\n--b-- \t\r\n", &["x"]),
            ("--b\r\ncut off", &["cut off"]),
            ("--b\r\n--b\r\n--b--", &["", ""]),
            ("--b\r\n--bb\r\n--b--", &["--bb"]),
            ("--b\r\nx --b\r\n y\r\n--b--", &["x --b\r\n y"]),
            ("--b--\r\n--b\r\nx", &[]),
            ("--b", &[""]),
        ] {
            assert_eq!(cut(body, "b"), expected, "{body:?}");
        }
    }

    #[test]
    fn a_header_ends_at_the_first_empty_line() {
        for (entity, header, body) in [
            (&b"A: 1\r\n\r\nbody"[..], &b"A: 1\r\n\r\n"[..], &b"body"[..]),
            (b"A: 1\n\nbody\r\n\r\n", b"A: 1\n\n", b"body\r\n\r\n"),
            (b"A: 1\r\nB: 2", b"A: 1\r\nB: 2", b""),
            (b"\r\nbody", b"", b"body"),
            (b"\nbody", b"", b"body"),
            (b"", b"", b""),
        ] {
            assert_eq!(split(entity, 64), Some((header, body)));
        }
        assert_eq!(split(&[b'a'; 65], 64), None);
        assert!(split(&[b'a'; 64], 64).is_some());
    }
}
