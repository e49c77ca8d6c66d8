use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::BounceAddresses;
use crate::store::Letter;

/// Where a mail server says whom it delivered to: by its own word first.
const RECIPIENT: [&str; 3] = ["Delivered-To", "X-Original-To", "To"];
/// So many words of those headers are looked at.
const MOST_WORDS: usize = 32;

/// What a mail in the maildir is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mail {
    /// A notification (RFC 3464) that this letter was not delivered and will not be.
    Bounce(Letter),
    /// To an address for bounces, and no word of a failure: delays, automatic answers, forged ones.
    NoNews,
    /// Not to an address for bounces.
    Other,
}

impl Mail {
    /// Reads a mail, the end of which may be missing.
    pub(super) fn parse(bytes: &[u8], addresses: &BounceAddresses) -> Self {
        let Some(message) = MessageParser::default().parse(bytes) else { return Self::Other };
        let words = recipients(&message);
        let local_parts = || words.iter().filter_map(|word| Some(word.split_once('@')?.0));
        match local_parts().find_map(|local_part| addresses.letter(local_part)) {
            Some(letter) if tells_failure(&message) => Self::Bounce(letter),
            Some(_) => Self::NoNews,
            None if local_parts().any(BounceAddresses::is_one) => Self::NoNews,
            None => Self::Other,
        }
    }
}

fn recipients<'a>(message: &'a Message<'_>) -> Vec<&'a str> {
    let values = RECIPIENT.into_iter().flat_map(|wanted| {
        message.headers_raw().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    });
    let words = values.flat_map(|value| value.split(|c: char| c.is_whitespace() || ",;:<>()\"".contains(c)));
    words.filter(|word| word.contains('@')).take(MOST_WORDS).collect()
}

/// Whether it is a delivery status notification that says so, in a part of its own and not in what it returns.
fn tells_failure(message: &Message<'_>) -> bool {
    let is_report = message.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"))
            && kind.attribute("report-type").is_some_and(|of| of.eq_ignore_ascii_case("delivery-status"))
    });
    let Some(PartType::Multipart(parts)) = message.parts.first().map(|root| &root.body) else { return false };
    let mut parts = parts.iter().filter_map(|id| message.parts.get(usize::try_from(*id).ok()?));
    is_report && parts.any(|part| is_status(part) && says_failed(&String::from_utf8_lossy(part.contents())))
}

/// RFC 3464, and RFC 6533 for addresses outside ASCII.
fn is_status(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("message")
            && kind.subtype().is_some_and(|subtype| {
                ["delivery-status", "global-delivery-status"].iter().any(|name| subtype.eq_ignore_ascii_case(name))
            })
    })
}

/// `Action: failed` (RFC 3464 section 2.3.3). A letter has one recipient, so any will do.
fn says_failed(status: &str) -> bool {
    let mut actions =
        status.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| name.eq_ignore_ascii_case("action"));
    actions.any(|(_, value)| {
        let word = value.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next();
        word.is_some_and(|word| word.eq_ignore_ascii_case("failed"))
    })
}

#[cfg(test)]
mod tests {
    use sparekey_protocol::{SigningKey, Time};

    use super::*;
    use crate::{case_id::CaseId, keys::Keys};

    /// As Postfix 3.7 wrote it, but for the token.
    const POSTFIX: &str = include_str!("../../tests/bounces/postfix.eml");
    const LETTER: Letter = Letter { case: CaseId([7; 18]), number: 1 };

    fn addresses() -> BounceAddresses {
        let dir = tempfile::tempdir().unwrap();
        Keys::create(dir.path(), &[SigningKey::from_seed(&[1; 32]).public()]).unwrap();
        BounceAddresses::new(&Keys::read(dir.path(), Time(0)).unwrap())
    }

    #[test]
    fn only_word_of_a_failure_is_a_bounce() {
        let addresses = addresses();
        let token = addresses.of(LETTER, "example.org").unwrap().local_part()["bounce+".len()..].to_owned();
        let (bounce, forged) = (POSTFIX.replace("TOKEN", &token), POSTFIX.replace("TOKEN", &"a".repeat(55)));
        let swapped = |from: &str, to: &str| {
            assert!(bounce.contains(from), "{from}");
            bounce.replace(from, to)
        };
        let only = |header: &str| {
            let others = RECIPIENT.iter().filter(|name| **name != header);
            others.fold(bounce.clone(), |mail, name| mail.replace(&format!("\n{name}: "), "\nX-Other: "))
        };
        let returned = bounce.find("Content-Type: message/rfc822").unwrap();
        for (name, mail, expected) in [
            ("a bounce", bounce.clone(), Mail::Bounce(LETTER)),
            ("with CRLF", bounce.replace('\n', "\r\n"), Mail::Bounce(LETTER)),
            ("cut off in what it returns", bounce[..returned + 40].to_owned(), Mail::Bounce(LETTER)),
            ("shouted", swapped("Action: failed", "ACTION:  Failed (no such user)"), Mail::Bounce(LETTER)),
            ("RFC 6533", swapped("message/delivery-status", "message/global-delivery-status"), Mail::Bounce(LETTER)),
            ("by Delivered-To", only("Delivered-To"), Mail::Bounce(LETTER)),
            ("by X-Original-To", only("X-Original-To"), Mail::Bounce(LETTER)),
            ("by To", only("To"), Mail::Bounce(LETTER)),
            ("a delay", swapped("Action: failed", "Action: delayed"), Mail::NoNews),
            ("delivered", swapped("Action: failed", "Action: delivered"), Mail::NoNews),
            ("no action", swapped("Action: failed\n", ""), Mail::NoNews),
            (
                "another report",
                swapped("report-type=delivery-status", "report-type=disposition-notification"),
                Mail::NoNews,
            ),
            ("not a report", swapped("multipart/report", "multipart/mixed"), Mail::NoNews),
            ("a status in what it returns", swapped("message/delivery-status", "message/rfc822"), Mail::NoNews),
            ("an automatic answer", format!("To: bounce+{token}@example.org\n\nAction: failed\n"), Mail::NoNews),
            ("forged", forged, Mail::NoNews),
            ("to somebody", bounce.replace(&format!("bounce+{token}"), "somebody"), Mail::Other),
            ("empty", String::new(), Mail::Other),
            ("no mail", "\0\n\n\0".to_owned(), Mail::Other),
        ] {
            assert_eq!(Mail::parse(mail.as_bytes(), &addresses), expected, "{name}");
        }
    }

    #[test]
    fn nothing_panics_wherever_it_ends_or_breaks() {
        let addresses = addresses();
        for at in 0..POSTFIX.len() {
            let mut broken = POSTFIX.as_bytes().to_vec();
            Mail::parse(&broken[..at], &addresses);
            broken[at] = b'\n';
            Mail::parse(&broken, &addresses);
            broken.remove(at);
            Mail::parse(&broken, &addresses);
        }
    }
}
