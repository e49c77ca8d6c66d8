//! The answer to who wrote to the service: what became of his mail, what to do, and nothing else. It names neither device nor
//! address, for anybody may have sent the picture.

use lettre::message::header::ContentType;
use minicbor::{Decode, Encode};

use crate::{
    address::Address,
    compose::{ComposeError, Letter, Letterhead, is_message_id, part},
    wording,
};

/// What became of a mail to the service. Kept sealed: its numbers stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum News {
    /// It held a request for a code, which goes to the reserved address.
    #[n(1)]
    Code,
    /// It held a request for the desk, which has a case now.
    #[n(2)]
    Desk,
    /// It held nothing that could be taken.
    #[n(3)]
    NotTaken,
}

/// An answer. All times are Unix seconds.
pub struct AnswerLetter<'a> {
    /// Whom it goes to: the sender of the mail's envelope.
    pub to: &'a Address,
    /// What he is told.
    pub news: News,
    /// When the mail was written (its `Date`).
    pub date: u64,
    /// His language (BCP 47); English if it is not spoken here.
    pub language: &'a str,
    /// The Message-ID of his mail; left out if it is not fit to stand in a header.
    pub in_reply_to: Option<&'a str>,
    /// `<left@right>` (RFC 5322 section 3.6.4), the same whenever this letter is composed again.
    pub message_id: &'a str,
}

impl Letterhead {
    /// Writes an answer as RFC 3834 wants it: marked as automatic, with no envelope sender, to be answered by nothing.
    ///
    /// # Errors
    /// [`ComposeError`] if the Message-ID is not what it must be.
    pub fn compose_answer(&self, letter: &AnswerLetter<'_>) -> Result<Letter, ComposeError> {
        let wording = wording::for_language(letter.language);
        let answer = &wording.answer;
        let (subject, words) = match letter.news {
            News::Code => (answer.taken, answer.code),
            News::Desk => (answer.taken, answer.desk),
            News::NotTaken => (answer.not_taken, answer.what_to_do),
        };
        let footer = wording.footer.replace("{service}", self.service_name());
        let text = format!("{words}\n\n{}\n\n-- \n{footer}\n", answer.automatic);
        let mut message =
            self.headed("auto-replied", letter.to, subject.to_owned(), letter.date, wording.tag, letter.message_id)?;
        if let Some(id) = letter.in_reply_to.filter(|id| is_message_id(id)) {
            message = message.in_reply_to(id.to_owned()).references(id.to_owned());
        }
        let message = message.singlepart(part(ContentType::TEXT_PLAIN, text)).map_err(|_| ComposeError::Message)?;
        Ok(self.letter(letter.to, &message).coming_back_to_nobody())
    }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn written(news: News, language: &str, in_reply_to: Option<&str>) -> (Letter, String) {
        let head = Letterhead::new("Recovery", Address::parse("recovery@example.com").unwrap());
        let letter = AnswerLetter {
            to: &Address::parse("somebody@example.org").unwrap(),
            news,
            date: 1_800_000_000,
            language,
            in_reply_to,
            message_id: "<1@example.com>",
        };
        let letter = head.compose_answer(&letter).unwrap();
        let text = String::from_utf8(letter.bytes().to_vec()).unwrap();
        (letter, text)
    }

    #[test]
    fn it_is_marked_as_automatic_and_comes_back_to_nobody() {
        let (letter, mail) = written(News::Code, "en", Some("<their.id@example.org>"));
        assert_eq!(letter.envelope().from, None);
        let headers = mail.split("\r\n\r\n").next().unwrap();
        for wanted in [
            "Auto-Submitted: auto-replied",
            "X-Auto-Response-Suppress: All",
            "In-Reply-To: <their.id@example.org>",
            "References: <their.id@example.org>",
            "Content-Language: en",
        ] {
            assert!(headers.lines().any(|line| line == wanted), "{wanted} in {headers}");
        }
    }

    #[test]
    fn a_message_id_that_is_none_reaches_no_header() {
        for id in ["<a@b>\r\nBcc: x@y.example", "<a b@c>", "a@b", "<a@b> <c@d>", &format!("<{}@b>", "a".repeat(300))] {
            let (_, mail) = written(News::NotTaken, "en", Some(id));
            assert!(!mail.contains("In-Reply-To") && !mail.contains("References") && !mail.contains("Bcc"), "{mail}");
        }
    }

    #[test]
    fn it_says_what_became_of_the_mail_in_four_languages_and_nothing_else() {
        let mut said = std::collections::HashSet::new();
        for language in ["en", "zh-CN", "es-MX", "de"] {
            for news in [News::Code, News::Desk, News::NotTaken] {
                let (_, mail) = written(news, language, None);
                let parsed = MessageParser::default().parse(mail.as_bytes()).unwrap();
                let text = parsed.body_text(0).unwrap().into_owned();
                assert!(!text.contains("://") && !text.contains('@') && !text.contains('•'), "{text}");
                assert!(!text.bytes().any(|byte| byte.is_ascii_digit()), "no code, no serial: {text}");
                assert!(text.contains("Recovery"), "{text}");
                assert!(mail.lines().all(|line| line.len() <= 100));
                assert!(said.insert(text));
            }
        }
        assert_eq!(written(News::Code, "fr", None).1, written(News::Code, "en", None).1);
    }
}
