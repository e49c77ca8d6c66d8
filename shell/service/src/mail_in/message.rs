//! A mail as far as it matters: who sent it, whether a program did, and what is attached. Pure, and bounded whatever it is given.

use mail_parser::{HeaderName, MessageParser};
use sparekey_cases::desk::{Line, Requester};
use sparekey_protocol::Language;

use super::{automatic, mime};
use sparekey_mail::Address;

/// The most bytes of a mail's header. Ordinary ones have a tenth.
const MOST_HEADER: usize = 128 * 1024;
/// So many mail servers were on the way of a mail that goes in a circle (RFC 5321 section 6.3).
const MOST_HOPS: usize = 50;

/// A mail that was read. Nothing of it is believed.
#[derive(Debug)]
pub struct Mail {
    /// The largest pictures in it, decoded, at most [`MOST_PICTURES`](super::MOST_PICTURES).
    pub pictures: Vec<Vec<u8>>,
    /// The first recovery files in it, decoded, at most [`MOST_FILES`](super::MOST_FILES) of 64 KiB.
    pub files: Vec<Vec<u8>>,
    /// Who says to have written it, for people.
    pub(super) requester: Requester,
    /// The address in `From`.
    pub(super) from: Option<Address>,
    /// What `Return-Path` says, if there is one.
    pub(super) return_path: Option<String>,
    /// What an answer refers to.
    pub(super) message_id: Option<Line>,
    /// A program wrote it.
    pub(super) automatic: bool,
    /// It goes in a circle.
    pub(super) circles: bool,
}

impl Mail {
    /// Reads a mail (RFC 5322). `None` for what has no header, or one that is longer than any mail's.
    #[must_use]
    pub fn read(mail: &[u8]) -> Option<Self> {
        let (header, body) = mime::split(mail, MOST_HEADER)?;
        let message = MessageParser::default().parse_headers(header)?;
        let froms = message.from().and_then(|from| from.as_list()).unwrap_or_default();
        let (name, from) = match froms {
            [one] => (one.name(), one.address()),
            _ => (None, None),
        };
        let optional = |text: Option<&str>| text.and_then(|text| Line::optional(text).ok().flatten());
        let language = language(&message);
        let found = mime::find(&message, body);
        Some(Self {
            pictures: found.pictures,
            files: found.files,
            requester: Requester { name: optional(name), contact: optional(from), language },
            from: from.and_then(|from| Address::parse(from).ok()),
            return_path: message.header_raw(HeaderName::ReturnPath).map(|path| path.trim().to_owned()),
            message_id: optional(message.header_raw(HeaderName::MessageId)),
            automatic: automatic::by_headers(message.headers_raw()),
            circles: message.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case("Received")).count()
                > MOST_HOPS,
        })
    }
}

/// The first language that `Content-Language` (RFC 3282) names, or that `Accept-Language` does.
fn language(message: &mail_parser::Message<'_>) -> Option<Language> {
    ["Content-Language", "Accept-Language"].iter().find_map(|wanted| {
        let (_, text) = message.headers_raw().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        let tag = text.split([',', ';']).next().unwrap_or_default().trim();
        let is_tag = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        Language::new(tag).ok().filter(|_| is_tag)
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
    const XML: &str = "<?xml version=\"1.0\"?>\n<RecoveryRequest xmlns=\"urn:sparekey:recovery:1\"/>\n";

    fn read(mail: &str) -> Mail {
        Mail::read(mail.as_bytes()).unwrap()
    }

    fn base64(bytes: &[u8]) -> String {
        let text = STANDARD.encode(bytes);
        text.as_bytes().chunks(76).map(|line| format!("{}\r\n", str::from_utf8(line).unwrap())).collect()
    }

    fn picture() -> String {
        format!("Content-Type: image/png; name=\"a.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(PNG))
    }

    fn mixed(boundary: &str, parts: &[String]) -> String {
        let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
        format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n")
    }

    fn counts(mail: &str) -> (usize, usize) {
        let mail = read(mail);
        assert!(mail.pictures.iter().all(|picture| picture == PNG));
        (mail.pictures.len(), mail.files.len())
    }

    #[test]
    fn pictures_and_files_are_found_by_what_they_hold() {
        let text = "Content-Type: text/plain\r\n\r\nHello".to_owned();
        let xml = format!("Content-Type: application/xml\r\n\r\n{XML}");
        let xml_base64 = format!(
            "Content-Type: application/octet-stream; name=x.xml\r\nContent-Transfer-Encoding: BASE64\r\n\r\n{}",
            base64(XML.as_bytes())
        );
        let printable = format!(
            "Content-Type: text/xml\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
            XML.replace('=', "=3D")
        );
        let misnamed = picture().replace("image/png; name=\"a.png\"", "application/pdf");
        let zip = format!(
            "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            base64(b"PK\x03\x04 x.png")
        );
        let other_xml = "Content-Type: application/xml\r\n\r\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_owned();
        let large_xml = format!("Content-Type: application/xml\r\n\r\n{XML}{}", " ".repeat(64 * 1024));
        for (name, mail, expected) in [
            ("a picture alone", picture(), (1, 0)),
            ("beside a text", mixed("b", &[text.clone(), picture()]), (1, 0)),
            ("two levels deep", mixed("b", &[mixed("b2", &[text.clone(), picture()]), xml.clone()]), (1, 1)),
            (
                "in a mail that is passed on",
                format!("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n{}", mixed("b", &[picture()])),
                (1, 0),
            ),
            ("misnamed", mixed("b", &[misnamed]), (1, 0)),
            ("encoded files", mixed("b", &[xml_base64, printable, xml]), (0, 3)),
            ("an archive", mixed("b", &[zip]), (0, 0)),
            ("another XML", mixed("b", &[other_xml, large_xml]), (0, 0)),
            ("only text", text, (0, 0)),
            ("LF only", mixed("b", &[picture()]).replace("\r\n", "\n"), (1, 0)),
        ] {
            assert_eq!(counts(&format!("From: a@b.example\r\n{mail}")), expected, "{name}");
        }
    }

    #[test]
    fn a_photo_is_found_behind_the_pictures_of_a_signature() {
        let icons: Vec<String> = (0..20).map(|_| picture()).collect();
        let photo = [PNG, &[7; 5_000]].concat();
        let last = format!("Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", base64(&photo));
        let mail = read(&mixed("b", &[mixed("c", &icons), last]));
        assert_eq!((mail.pictures.len(), &mail.pictures[0]), (4, &photo));
    }

    #[test]
    fn however_much_there_is_little_is_taken() {
        let many: Vec<String> = (0..1_000).map(|_| picture()).collect();
        assert_eq!(counts(&mixed("b", &many)), (4, 0));
        let mut deep = picture();
        for level in 0..9 {
            assert_eq!(counts(&deep).0, usize::from(level <= 8), "{level}");
            deep = mixed(&format!("b{level}"), &[deep]);
        }
        assert_eq!(counts(&deep), (0, 0));
        // Parts without end, and one mail in the other.
        let empty = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n".repeat(500_000));
        assert_eq!(counts(&empty), (0, 0));
        let nested = format!("{}{}", "Content-Type: message/rfc822\r\n\r\n".repeat(100_000), picture());
        assert_eq!(counts(&nested), (0, 0));
        assert!(Mail::read(&[b'a'; MOST_HEADER + 1]).is_none());
        assert!(Mail::read(format!("{}\r\n\r\n", "A: b\r\n".repeat(40_000)).as_bytes()).is_none());
        // Headers that are hard to read, as long as they may be.
        for (name, piece) in [
            ("Content-Type", "multipart/mixed; a*0=x;"),
            ("Content-Type", "; a*0*=utf-8''%41"),
            ("Content-Type", "; boundary*1=b"),
            ("From", "(((("),
            ("From", "a@b.example, "),
            ("From", "g: a@b.example;"),
            ("From", "=?utf-8?q?=41?= "),
            ("From", "\"\\"),
            ("Subject", "=?utf-8?b?QQ==?= =?x?"),
            ("References", "<a@b> "),
            ("Received", "from a (b [1.2.3.4]) by "),
            ("Date", "Mon, ("),
            ("X-A\r\n", ": b\r\nA"),
        ] {
            let header = format!("{name}: {}\r\n\r\n", piece.repeat(120_000 / piece.len()));
            assert!(Mail::read(header.as_bytes()).is_some_and(|mail| mail.pictures.is_empty()), "{name}: {piece}");
        }
        for nothing in ["", "\r\n", "\r\n\r\n"] {
            assert!(Mail::read(nothing.as_bytes()).is_none(), "{nothing:?}");
        }
    }

    #[test]
    fn who_wrote_it_is_one_or_nobody() {
        let mail = read(
            "From: \"Ada L.\" <ada@example.org>\r\nMessage-ID: <1@x.example>\r\nReturn-Path: <ada@x.example>\r\n\r\n",
        );
        assert_eq!(mail.from.unwrap().as_stored(), "ada@example.org");
        assert_eq!(mail.requester.name.unwrap().as_str(), "Ada L.");
        assert_eq!(mail.requester.contact.unwrap().as_str(), "ada@example.org");
        assert_eq!(mail.message_id.unwrap().as_str(), "<1@x.example>");
        assert_eq!(mail.return_path.as_deref(), Some("<ada@x.example>"));
        for from in ["a@b.example, c@d.example", "", "undisclosed:;", "<>", "nonsense"] {
            assert!(read(&format!("From: {from}\r\nSubject: x\r\n\r\n")).from.is_none(), "{from}");
        }
    }

    #[test]
    fn the_language_is_the_first_that_is_named() {
        for (headers, expected) in [
            ("Content-Language: de-AT\r\n", Some("de-AT")),
            ("Content-Language: es, en\r\nAccept-Language: de\r\n", Some("es")),
            ("Accept-Language: zh-CN;q=0.9, en\r\n", Some("zh-CN")),
            ("Content-Language: \r\nAccept-Language: de\r\n", Some("de")),
            ("Content-Language: d\u{e9}\r\n", None),
            ("Content-Language: much-too-long-to-be-one\r\n", None),
            ("", None),
        ] {
            let mail = read(&format!("From: a@b.example\r\n{headers}\r\n"));
            assert_eq!(mail.requester.language.as_ref().map(Language::as_str), expected, "{headers}");
        }
    }

    #[test]
    fn a_mail_in_a_circle_is_known_by_its_hops() {
        for (hops, circles) in [(0, false), (50, false), (51, true)] {
            let mail = format!("{}From: a@b.example\r\n\r\n", "Received: by x.example\r\n".repeat(hops));
            assert_eq!(read(&mail).circles, circles, "{hops}");
        }
    }
}
