//! The files of the vendors, as they are written. What each line means stands in `vendors/README.md`.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::Deserialize;

use crate::{
    Facts, Language,
    condition::{Kind, When},
    language::Text,
    pattern::fits,
};

/// One file each, the general one last. Where two could be meant, the first is.
pub(crate) const FILES: [(&str, &str); 9] = [
    ("hikvision", include_str!("../vendors/hikvision.toml")),
    ("dahua", include_str!("../vendors/dahua.toml")),
    ("uniview", include_str!("../vendors/uniview.toml")),
    ("axis", include_str!("../vendors/axis.toml")),
    ("hanwha", include_str!("../vendors/hanwha.toml")),
    ("reolink", include_str!("../vendors/reolink.toml")),
    ("unifi", include_str!("../vendors/unifi.toml")),
    ("vigi", include_str!("../vendors/vigi.toml")),
    ("general", include_str!("../vendors/general.toml")),
];

/// What is known of a vendor's devices.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Vendor {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) names: Vec<String>,
    #[serde(default)]
    pub(crate) dialects: Vec<String>,
    #[serde(default)]
    pub(crate) models: Vec<String>,
    #[serde(default)]
    pub(crate) recorders: Vec<String>,
    #[serde(default)]
    pub(crate) cameras: Vec<String>,
    pub(crate) sources: BTreeMap<String, SourceOf>,
    #[serde(default)]
    pub(crate) notes: Vec<LineOf>,
    pub(crate) ways: Vec<WayOf>,
}

/// Where something was read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceOf {
    /// None is experience: it was read nowhere.
    pub(crate) url: Option<String>,
    #[serde(default)]
    pub(crate) official: bool,
    #[serde(default)]
    pub(crate) weak: bool,
}

/// A step or a note: a sentence or two in each language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineOf {
    pub(crate) text: Text,
    pub(crate) sources: Vec<String>,
    #[serde(default)]
    pub(crate) when: When,
}

/// A way back in. Texts that many ways share are words of `words.toml`, by their names.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WayOf {
    pub(crate) name: String,
    pub(crate) title: Text,
    #[serde(default)]
    pub(crate) when: When,
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    #[serde(default)]
    pub(crate) at_hand: Vec<String>,
    pub(crate) lives: Option<String>,
    #[serde(default)]
    pub(crate) void: Vec<String>,
    #[serde(default)]
    pub(crate) avoid: Vec<String>,
    pub(crate) loses: String,
    /// The source that is the vendor's own page on it.
    pub(crate) page: Option<String>,
    pub(crate) steps: Vec<LineOf>,
}

impl Vendor {
    /// A file by its name.
    pub(crate) fn load(text: &str) -> Self {
        toml::from_str(text).expect("every file was read by the tests")
    }

    /// Whose device it is: by the vendor's name, then by the model, then by the dialect that only this vendor's devices speak.
    pub(crate) fn of(facts: &Facts) -> (&'static str, Self) {
        let all: Vec<_> = FILES.iter().map(|(file, text)| (*file, Self::load(text))).collect();
        let tests: [fn(&Self, &Facts) -> bool; 3] = [Self::is_named, Self::has_model, Self::speaks];
        let found = tests.iter().find_map(|test| all.iter().position(|(_, vendor)| test(vendor, facts)));
        let at = found.unwrap_or(all.len() - 1);
        all.into_iter().nth(at).expect("it was found there, or is the last")
    }

    fn is_named(&self, facts: &Facts) -> bool {
        let texts = [&facts.vendor, &facts.name];
        texts.into_iter().flatten().any(|text| self.names.iter().any(|name| has_word(text, name)))
    }

    fn has_model(&self, facts: &Facts) -> bool {
        facts.model.as_ref().is_some_and(|model| self.models.iter().any(|pattern| fits(pattern, model)))
    }

    fn speaks(&self, facts: &Facts) -> bool {
        facts.found_by.iter().any(|dialect| self.dialects.contains(dialect))
    }

    pub(crate) fn kind(&self, facts: &Facts) -> Option<Kind> {
        let model = facts.model.as_deref()?;
        let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, model));
        if any(&self.recorders) {
            return Some(Kind::Recorder);
        }
        any(&self.cameras).then_some(Kind::Camera)
    }
}

/// Whether words (in lower case) stand in a text, with no letter or digit right before and behind them.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(word).any(|(at, found)| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !letter(text[..at].chars().next_back()) && !letter(text[at + found.len()..].chars().next())
    })
}

/// Texts that many ways share, and the words around them.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Words {
    pub(crate) labels: BTreeMap<String, Text>,
    pub(crate) said: BTreeMap<String, Text>,
    pub(crate) words: BTreeMap<String, Text>,
}

pub(crate) const WORDS: &str = include_str!("../vendors/words.toml");

impl Words {
    pub(crate) fn load() -> Self {
        toml::from_str(WORDS).expect("the file was read by the tests")
    }

    pub(crate) fn label(&self, name: &str, language: Language) -> String {
        text(&self.labels, name, language)
    }

    /// A sentence of the program's, with what is to be put into it.
    pub(crate) fn said(&self, name: &str, language: Language, values: &[(&str, &str)]) -> String {
        let sentence = text(&self.said, name, language);
        values.iter().fold(sentence, |sentence, (name, value)| sentence.replace(name, value))
    }

    pub(crate) fn word(&self, name: &str, language: Language) -> String {
        text(&self.words, name, language)
    }
}

fn text(all: &BTreeMap<String, Text>, name: &str, language: Language) -> String {
    all.get(name).map(|text| text.in_language(language).into()).expect("the tests found every name that is used")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_of_its_own() {
        for (text, word, has) in [
            ("HIKVISION", "hikvision", true),
            ("hikvision digital technology", "hikvision", true),
            ("unv", "unv", true),
            ("unvr", "unv", false),
            ("taxis", "axis", false),
            ("axis communications", "axis", true),
            ("ip-camera/axis", "axis", true),
            ("", "axis", false),
        ] {
            assert_eq!(has_word(text, word), has, "{text} {word}");
        }
    }
}
