//! Texts from elsewhere, made fit to be shown to an owner.
//!
//! Model, serial and firmware come from a device, which may be anybody's. They must not reach past their own line, change
//! the direction of what stands around them, or become a link in a mail program that makes links of what looks like one.

use sparekey_protocol::{Calendar, Time};

use crate::address::Address;

/// Characters of a server's answer that are kept.
const REPLY_CHARS: usize = 200;

/// A text on one line, at most `limit` characters, without control and format characters, and with nothing that a mail
/// program would turn into a link.
pub(crate) fn plain(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut rest = text.chars().filter(|c| !is_invisible(*c)).peekable();
    while let Some(c) = rest.next() {
        match c {
            '@' | '/' | '\\' => line.push(' '),
            c if c.is_whitespace() => line.push(' '),
            '.' | ':' | '。' | '．' | '｡' => {
                line.push(c);
                // `example.org` is a link to many programs, `example. org` to none; `5.4.1` is left alone.
                if rest.peek().is_some_and(|next| next.is_alphabetic()) {
                    line.push(' ');
                }
            }
            c => line.push(c),
        }
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let joined = words.join(" ");
    if joined.chars().count() <= limit {
        return joined;
    }
    joined.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// A firmware version, if it looks like one; a sentence in its place would be words put into the service's mouth.
pub(crate) fn version(text: &str) -> Option<String> {
    let looks_like_one = (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit());
    looks_like_one.then(|| plain(text, 40))
}

/// A mail server's words, for a log and a page: on one line, at most 200 characters, the recipient masked (servers like to
/// quote it).
pub(crate) fn reply(text: &str, to: &Address) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for spelling in [to.as_stored(), to.for_transport().as_ref()] {
        line = replace_ignoring_case(&line, spelling, &to.reserved().masked());
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(REPLY_CHARS).collect()
}

fn replace_ignoring_case(text: &str, from: &str, to: &str) -> String {
    // ASCII folding keeps every byte where it was.
    let (folded, from) = (text.to_ascii_lowercase(), from.to_ascii_lowercase());
    let mut replaced = String::with_capacity(text.len());
    let mut done = 0;
    for (start, found) in folded.match_indices(&from) {
        replaced.push_str(&text[done..start]);
        replaced.push_str(to);
        done = start + found.len();
    }
    replaced.push_str(&text[done..]);
    replaced
}

/// Controls, separators of lines, and characters that show nothing or steer what is around them.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffd}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// `2026-07-03 14:05 UTC`, the same in every language; `None` for a clock that was never set (before 2020) or runs wild.
pub(crate) fn utc(seconds: u64) -> Option<String> {
    const CLOCK_WAS_SET: u64 = 1_577_836_800; // 2020-01-01
    const YEAR_10000: u64 = 253_402_300_800;
    if !(CLOCK_WAS_SET..YEAR_10000).contains(&seconds) {
        return None;
    }
    let Calendar { year, month, day, hour, minute, .. } = Time(seconds).calendar();
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_stays_on_its_line_and_is_no_link() {
        for (text, shown) in [
            ("DS-7608NI-K2", "DS-7608NI-K2"),
            ("录像机 8路", "录像机 8路"),
            ("a\r\nBcc: x@y.example", "a Bcc: x y. example"),
            ("\u{202e}lived\u{202c}", "lived"),
            ("a\u{2028}b\u{2029}c\0d\u{1b}[31m", "a b cd[31m"),
            ("http://evil.example/x", "http: evil. example x"),
            ("www.evil.example", "www. evil. example"),
            ("V5.4.1", "V5.4.1"),
            ("  a \t b  ", "a b"),
            ("ａ．ｃｏｍ", "ａ． ｃｏｍ"),
        ] {
            assert_eq!(plain(text, 48), shown, "{text:?}");
        }
        assert_eq!(plain(&"x".repeat(100), 10), "xxxxxxxxx…");
    }

    #[test]
    fn firmware_is_a_version_or_nothing() {
        for (text, shown) in [
            ("5.4.1", Some("5.4.1")),
            ("V4.30.085_build-220218", Some("V4.30.085_build-220218")),
            ("2.0.rc1", Some("2.0. rc1")),
            ("Call +49 800 1234567", None),
            ("update now", None),
            ("latest", None),
            ("1\n2", None),
            ("", None),
        ] {
            assert_eq!(version(text).as_deref(), shown, "{text:?}");
        }
    }

    #[test]
    fn times_are_utc_and_unset_clocks_are_none() {
        for (seconds, shown) in [
            (0, None),
            (600, None),
            (u64::MAX, None),
            (253_402_300_800, None),
            (1_577_836_800, Some("2020-01-01 00:00 UTC")),
            (1_709_208_000, Some("2024-02-29 12:00 UTC")),
            (1_783_087_500, Some("2026-07-03 14:05 UTC")),
            (253_402_300_799, Some("9999-12-31 23:59 UTC")),
        ] {
            assert_eq!(utc(seconds).as_deref(), shown, "{seconds}");
        }
    }

    #[test]
    fn what_a_server_says_is_masked_and_bounded() {
        let to = Address::parse("Owner@example.org").expect("is an address");
        let said = "5.1.1 <owner@EXAMPLE.org>:\r\n no \u{1b}[31m such user owner@example.org";
        assert_eq!(reply(said, &to), "5.1.1 <O••••@e••••.org>: no [31m such user O••••@e••••.org");
        assert_eq!(reply(&"ä".repeat(1_000), &to).chars().count(), REPLY_CHARS);
    }

    proptest! {
        #[test]
        fn shown_text_is_one_bounded_visible_line(text in any::<String>(), limit in 1usize..60) {
            let shown = plain(&text, limit);
            prop_assert!(shown.chars().count() <= limit);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)));
            prop_assert!(!shown.contains("://") && !shown.contains('@'));
        }
    }
}
