//! Letters as their reader's program sees them, parsed by another library than the one that wrote them.
//!
//! `SPAREKEY_BLESS=1` writes the golden files anew.

use std::{fs, path::Path};

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};
use proptest::prelude::*;
use sparekey_mail::{Address, CodeLetter, ComposeError, Letter, Letterhead, Purpose};

const NOW: u64 = 1_783_087_500; // 2026-07-03 14:05 UTC
const LANGUAGES: [&str; 4] = ["en", "zh-CN", "es", "de-AT"];

fn address(text: &str) -> Address {
    Address::parse(text).expect("is an address")
}

fn letterhead() -> Letterhead {
    Letterhead::new("Sparekey Hélp", address("codes@sparekey.example"))
}

fn code_letter<'a>(to: &'a Address, purpose: Purpose, language: &'a str) -> CodeLetter<'a> {
    CodeLetter {
        purpose,
        to,
        code: "12345678",
        serial: "NVR-4F2A99C0",
        model: "DS-7608 <b>",
        firmware: Some("5.4.1"),
        device_time: NOW - 42,
        start_time: NOW - 86_400,
        received_at: NOW,
        date: NOW + 1,
        language,
        message_id: "<q7J3_x-9.1@sparekey.example>",
    }
}

fn compose(letter: &CodeLetter<'_>) -> Letter {
    letterhead().compose(letter).expect("composes")
}

/// The two bodies, decoded.
fn bodies(message: &Message<'_>) -> (String, String) {
    let mut text = None;
    let mut html = None;
    for part in &message.parts {
        match &part.body {
            PartType::Text(body) => text = Some(body.to_string()),
            PartType::Html(body) => html = Some(body.to_string()),
            PartType::Multipart(parts) => assert_eq!(parts.len(), 2),
            other => panic!("unexpected part {other:?}"),
        }
    }
    (text.expect("has text").replace('\r', ""), html.expect("has HTML").replace('\r', ""))
}

/// Names of all headers of the message itself, in order.
fn header_names(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).expect("is UTF-8");
    let (head, _) = text.split_once("\r\n\r\n").expect("has a body");
    head.split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(':').expect("is a header").0.to_owned())
        .collect()
}

const HEADERS: [&str; 10] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Content-Language",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
];

/// What SMTP servers disagree about must not occur at all: bare CR or LF (SMTP smuggling), long lines, NUL.
fn assert_fit_for_smtp(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("is UTF-8");
    assert!(text.ends_with("\r\n"));
    for line in text.split("\r\n") {
        assert!(line.len() <= 998, "line of {} bytes", line.len());
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
    }
}

fn compare_with_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("SPAREKEY_BLESS").is_some() {
        fs::write(&path, text).expect("writes the golden file");
    }
    let golden = fs::read_to_string(&path).expect("the golden file is there: make it with SPAREKEY_BLESS=1");
    assert!(golden == text, "{name} differs from its golden file; if that is meant, run with SPAREKEY_BLESS=1\n{text}");
}

#[test]
fn letters_in_every_language_read_as_agreed() {
    let to = address("owner@example.org");
    for (purpose, name) in [(Purpose::Reset, "reset"), (Purpose::ConfirmAddress, "confirm")] {
        for language in LANGUAGES {
            let letter = compose(&code_letter(&to, purpose, language));
            assert_fit_for_smtp(letter.bytes());
            assert!(letter.bytes().is_ascii());
            let message = MessageParser::default().parse(letter.bytes()).expect("parses");
            let (text, html) = bodies(&message);
            let shown = format!(
                "From: {}\nSubject: {}\nLanguage: {}\n\n{text}",
                message.from().and_then(|from| from.first()).and_then(|from| from.name()).expect("has a name"),
                message.subject().expect("has a subject"),
                message.content_language().as_text().expect("has a language"),
            );
            compare_with_golden(&format!("{name}.{}.txt", &language[..2]), &shown);
            if purpose == Purpose::Reset {
                compare_with_golden(&format!("{name}.{}.html", &language[..2]), &html);
            }
        }
    }
}

#[test]
fn the_bytes_of_a_message_are_stable() {
    let to = address("owner@example.org");
    let letter = code_letter(&to, Purpose::Reset, "en");
    let bytes = compose(&letter).bytes().to_vec();
    assert_eq!(bytes, compose(&letter).bytes());
    compare_with_golden("reset.en.eml", &String::from_utf8(bytes).expect("is ASCII").replace("\r\n", "\n"));
}

#[test]
fn headers_say_who_when_and_that_no_answer_is_wanted() {
    let to = address("owner@example.org");
    let letter = compose(&code_letter(&to, Purpose::Reset, "de"));
    assert_eq!(header_names(letter.bytes()), HEADERS);
    let message = MessageParser::default().parse(letter.bytes()).expect("parses");
    assert_eq!(message.message_id(), Some("q7J3_x-9.1@sparekey.example"));
    assert_eq!(message.date().map(|date| date.to_timestamp()), Some(1_783_087_501));
    assert_eq!(message.to().and_then(|to| to.first()).and_then(|to| to.address()), Some("owner@example.org"));
    assert_eq!(message.header("Auto-Submitted").and_then(|value| value.as_text()), Some("auto-generated"));
    assert_eq!(message.header("X-Auto-Response-Suppress").and_then(|value| value.as_text()), Some("All"));
    assert_eq!(message.content_type().map(|kind| kind.subtype()), Some(Some("alternative")));
    assert_eq!(letter.envelope().to, to);
    assert_eq!(letter.envelope().from, Some(address("codes@sparekey.example")));
}

#[test]
fn mails_hold_no_link_and_nothing_remote() {
    let to = address("owner@example.org");
    for language in LANGUAGES {
        let letter = compose(&code_letter(&to, Purpose::Reset, language));
        let message = MessageParser::default().parse(letter.bytes()).expect("parses");
        let (text, html) = bodies(&message);
        for tempting in ["http", "www.", "href", "src=", "<img", "<a ", "url(", "<script", "<form", "@import", "<link"]
        {
            assert!(!html.contains(tempting), "{language}: {tempting}");
            assert!(!text.contains(tempting), "{language}: {tempting}");
        }
        assert!(text.contains("\n    1234 5678\n"));
        // Copied out of the box, the code comes without a space.
        assert!(html.contains(">1234</span><span>5678</span>"));
        assert!(html.contains("DS-7608 &#60;b&#62;"));
        assert!(!message.subject().expect("has a subject").contains("1234"));
    }
}

#[test]
fn the_log_sees_neither_code_nor_address() {
    let to = address("owner@example.org");
    let shown = format!("{:?}", compose(&code_letter(&to, Purpose::Reset, "en")));
    assert!(!shown.contains("1234") && !shown.contains("owner@"), "{shown}");
}

/// Checklist 9: whatever a device calls itself, the headers stay the same ones and the text stays in its place.
#[test]
fn nothing_from_a_device_reaches_the_headers() {
    let to = address("owner@example.org");
    for hostile in [
        "x\r\nBcc: thief@evil.example",
        "x\nBcc: thief@evil.example",
        "x\rBcc: thief@evil.example",
        "x\r\n\r\n<h1>body</h1>",
        "x%0d%0aBcc: thief@evil.example",
        "x\u{2028}Bcc: thief@evil.example",
        "x\u{85}Bcc: thief@evil.example",
        "x\0y",
        "=?utf-8?q?=0D=0ABcc:_thief@evil.example?=",
        "\n.\r\nMAIL FROM:<thief@evil.example>\r\n",
        ".\r\n.\r\n",
        "\u{202e}moc.live\u{2066}",
        "--=_sparekey_alternative\r\nContent-Type: text/html\r\n\r\n<script>",
        "<script>alert(1)</script>",
    ] {
        let letter = CodeLetter {
            serial: hostile,
            model: hostile,
            firmware: Some(hostile),
            language: hostile,
            ..code_letter(&to, Purpose::Reset, "en")
        };
        let head = Letterhead::new(hostile, address("codes@sparekey.example"));
        let composed = head.compose(&letter).expect("composes");
        assert_fit_for_smtp(composed.bytes());
        assert_eq!(header_names(composed.bytes()), HEADERS, "{hostile:?}");
        let message = MessageParser::default().parse(composed.bytes()).expect("parses");
        assert!(message.bcc().is_none());
        assert_eq!(message.to().map(|to| to.iter().count()), Some(1));
        let (text, html) = bodies(&message);
        assert!(!html.contains("<script") && !html.contains("<h1>body"), "{hostile:?}");
        for invisible in ['\u{202e}', '\u{2066}', '\u{2028}', '\u{85}', '\0', '\r'] {
            assert!(!text.contains(invisible) && !html.contains(invisible), "{hostile:?}");
        }
        assert!(!text.contains("evil.example"), "a program would make a link of it: {text}");
    }
}

#[test]
fn what_only_a_fault_could_cause_is_refused() {
    let to = address("owner@example.org");
    for code in ["", "1234567", "123456789", "1234567a", "１２３４５６７８", "1234\r\n78"] {
        let letter = CodeLetter { code, ..code_letter(&to, Purpose::Reset, "en") };
        assert!(matches!(letterhead().compose(&letter), Err(ComposeError::Code)), "{code:?}");
    }
    let long = format!("<{}@x.example>", "a".repeat(200));
    for message_id in
        ["", "a@b", "<a>", "<a@b", "<a@b>\r\nBcc: x", "<a b@c>", "<a@b@c>", "<@b>", "<.a@b>", "<ä@b>", &long]
    {
        let letter = CodeLetter { message_id, ..code_letter(&to, Purpose::Reset, "en") };
        assert!(matches!(letterhead().compose(&letter), Err(ComposeError::MessageId)), "{message_id:?}");
    }
}

#[test]
fn addresses_in_other_scripts_are_written_as_their_standards_say() {
    // RFC 5891: a domain travels as A-label, so that this needs nothing of any server.
    let to = address("owner@bücher.example");
    let letter = compose(&code_letter(&to, Purpose::Reset, "en"));
    assert!(letter.bytes().is_ascii());
    assert!(String::from_utf8_lossy(letter.bytes()).contains("\r\nTo: owner@xn--bcher-kva.example\r\n"));
    // RFC 6532: a local part stands in the header as it is, in UTF-8.
    let to = address("董事长@例子.测试");
    let letter = compose(&code_letter(&to, Purpose::Reset, "zh"));
    assert_fit_for_smtp(letter.bytes());
    assert!(String::from_utf8_lossy(letter.bytes()).contains("\r\nTo: 董事长@xn--fsqu00a.xn--0zwm56d\r\n"));
}

#[test]
fn clocks_that_were_never_set_do_not_show_1970() {
    let to = address("owner@example.org");
    let letter =
        CodeLetter { device_time: 600, start_time: 0, date: u64::MAX, ..code_letter(&to, Purpose::Reset, "en") };
    let letter = compose(&letter);
    let message = MessageParser::default().parse(letter.bytes()).expect("parses");
    let (text, _) = bodies(&message);
    assert!(text.contains("Device's clock: not set\n"));
    assert!(!text.contains("1970") && !text.contains("Running since"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_device_can_break_a_message(
        serial in any::<String>(),
        model in any::<String>(),
        firmware in proptest::option::of(any::<String>()),
        language in any::<String>(),
        service in any::<String>(),
        times in any::<[u64; 4]>(),
    ) {
        let to = address("owner@example.org");
        let letter = CodeLetter {
            serial: &serial,
            model: &model,
            firmware: firmware.as_deref(),
            language: &language,
            device_time: times[0],
            start_time: times[1],
            received_at: times[2],
            date: times[3],
            ..code_letter(&to, Purpose::ConfirmAddress, "en")
        };
        let letter = Letterhead::new(&service, address("codes@sparekey.example")).compose(&letter).expect("composes");
        assert_fit_for_smtp(letter.bytes());
        prop_assert_eq!(header_names(letter.bytes()), HEADERS);
        prop_assert!(letter.bytes().is_ascii());
    }
}
