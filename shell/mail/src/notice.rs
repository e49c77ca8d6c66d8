//! The mail to a device's contacts about what happened on it: plain text, no code and no link.

use crate::{
    address::Address,
    compose::{ComposeError, Letter, Letterhead, TextLetter},
    shown,
};

mod wording;

use wording::for_language;

/// What happened on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A new password after a right proof.
    Recovered,
    /// Somebody used up the tries of a recovery.
    Refused,
    /// The device was reset by hand.
    FactoryReset,
    /// The device was handed over to a new owner.
    Transferred,
    /// Nothing: the device tries out its mail server.
    TriedOut,
}

/// A notice for one contact. All times are Unix seconds.
pub struct NoticeLetter<'a> {
    /// Whom it goes to.
    pub to: &'a Address,
    /// What happened.
    pub happened: Happened,
    /// By which way back in: its name (protocol section 11). One that is not known here is left out.
    pub way: Option<&'a str>,
    /// When it last happened, by the device's clock; may be wrong.
    pub at: u64,
    /// How often.
    pub count: u32,
    /// Serial number of the device.
    pub serial: &'a str,
    /// Model of the device.
    pub model: &'a str,
    /// When the mail was written (its `Date`).
    pub date: u64,
    /// The owner's language (BCP 47); English if it is not spoken here.
    pub language: &'a str,
    /// `<left@right>` (RFC 5322 section 3.6.4), the same whenever this letter is composed again.
    pub message_id: &'a str,
}

impl Letterhead {
    /// Writes a notice.
    ///
    /// # Errors
    /// [`ComposeError`] if the Message-ID is not what it must be; the texts are made fit to be shown.
    pub fn compose_notice(&self, letter: &NoticeLetter<'_>) -> Result<Letter, ComposeError> {
        let wording = for_language(letter.language);
        let (serial, model) = (shown::plain(letter.serial, 48), shown::plain(letter.model, 32));
        let what = wording.of(letter.happened);
        let mut facts = vec![
            (wording.device, format!("{model}, {serial}")),
            (wording.at, shown::utc(letter.at).unwrap_or_else(|| wording.clock_not_set.to_owned())),
        ];
        if let Some(way) = letter.way.and_then(|way| wording.way(way)) {
            facts.push((wording.by, way.to_owned()));
        }
        if letter.count > 1 {
            facts.push((wording.times, letter.count.to_string()));
        }
        let facts: String = facts.into_iter().map(|(label, value)| format!("    {label}: {value}\n")).collect();
        let footer = wording.footer.replace("{sender}", self.service_name());
        let text = format!("{}\n\n{facts}\n{}\n\n{}\n\n-- \n{footer}\n", what.lead, what.if_you, what.if_not_you);
        self.compose_text(TextLetter {
            to: letter.to,
            subject: what.subject.replace("{serial}", &serial),
            text,
            date: letter.date,
            language: wording.tag,
            message_id: letter.message_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn written(happened: Happened, language: &str, way: Option<&str>, count: u32) -> String {
        let head = Letterhead::new("Recovery", Address::parse("recovery@example.com").unwrap());
        let letter = NoticeLetter {
            to: &Address::parse("owner@example.org").unwrap(),
            happened,
            way,
            at: 1_783_087_500,
            count,
            serial: "NVR-1",
            model: "N16\r\nBcc: x@y.example",
            date: 1_800_000_000,
            language,
            message_id: "<1@example.com>",
        };
        String::from_utf8(head.compose_notice(&letter).unwrap().bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_notice_says_what_happened_in_the_owners_language_and_without_links() {
        use Happened::{FactoryReset, Recovered, Refused, Transferred, TriedOut};
        let mut subjects = std::collections::HashSet::new();
        for language in ["en", "zh-CN", "es-MX", "de"] {
            for happened in [Recovered, Refused, FactoryReset, Transferred, TriedOut] {
                let mail = written(happened, language, Some("sheet"), 3);
                let parsed = MessageParser::default().parse(mail.as_bytes()).unwrap();
                subjects.insert(parsed.subject().unwrap().to_owned());
                let text = parsed.body_text(0).unwrap();
                assert!(
                    text.contains("NVR-1") && text.contains("2026-07-03 14:05 UTC") && text.contains(": 3"),
                    "{text}"
                );
                assert!(!text.contains("://") && !text.contains('@'), "{text}");
                assert!(!mail.split("\r\n\r\n").next().unwrap().contains("Bcc"));
                assert!(mail.lines().all(|line| line.len() <= 100));
            }
        }
        assert_eq!(subjects.len(), 20);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mail = written(Happened::Recovered, "en", Some("telepathy"), 1);
        assert!(!mail.contains("telepathy") && !mail.contains("By:") && !mail.contains("Times:"), "{mail}");
        for way in ["email", "desk", "keyfile", "sheet", "questions", "seccode"] {
            assert!(written(Happened::Recovered, "en", Some(way), 1).contains("    By: "), "{way}");
        }
    }
}
