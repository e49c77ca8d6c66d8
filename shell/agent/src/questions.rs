//! The texts of the security questions, by their numbers, in the languages of the screen. A number keeps its question for good:
//! owners' answers belong to it.

use sparekey_device::ways::QuestionId;
use sparekey_protocol::Language;

const EN: &str = include_str!("questions/en.txt");
const DE: &str = include_str!("questions/de.txt");
const ES: &str = include_str!("questions/es.txt");
const ZH: &str = include_str!("questions/zh.txt");

/// A question in a language, or in English if there is none in that one.
pub(crate) fn text(id: QuestionId, language: Option<&Language>) -> &'static str {
    let line = usize::from(id.number()) - 1;
    list(language).lines().nth(line).expect("each list has a line for each number")
}

/// All of them, with their numbers.
pub(crate) fn all(language: Option<&Language>) -> impl Iterator<Item = (u8, &'static str)> {
    (1..).zip(list(language).lines())
}

/// The language that the questions stand in, for who reads this one (BCP 47).
pub(crate) fn tag(language: Option<&Language>) -> &'static str {
    match language.and_then(|language| language.as_str().get(..2)).map(str::to_ascii_lowercase).as_deref() {
        Some("de") => "de",
        Some("es") => "es",
        Some("zh") => "zh-Hans",
        _ => "en",
    }
}

fn list(language: Option<&Language>) -> &'static str {
    match tag(language) {
        "de" => DE,
        "es" => ES,
        "zh-Hans" => ZH,
        _ => EN,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_language_has_each_question_once() {
        for tag in ["en", "de-AT", "es", "ZH-Hant", "fr"] {
            let language = Language::new(tag).unwrap();
            let texts: HashSet<_> = all(Some(&language)).map(|(_, text)| text).collect();
            assert_eq!(texts.len(), usize::from(QuestionId::COUNT), "{tag}");
            assert!(texts.iter().all(|text| text.ends_with(['?', '？'])), "{tag}");
            for (number, question) in all(Some(&language)) {
                assert_eq!(text(QuestionId::new(number).unwrap(), Some(&language)), question);
            }
        }
        assert_eq!(list(None), EN);
    }
}
