//! The languages that everything is written in.

use alloc::string::String;

use serde::Deserialize;

/// A language that owners are spoken to in: those of the mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// Spanish.
    Es,
    /// Simplified Chinese.
    Zh,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::En, Self::De, Self::Es, Self::Zh];

    /// The language for a tag (BCP 47) or a locale's name (`de_AT.UTF-8`), by its first subtag; English for those not spoken yet.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        let first = tag.trim().split(['-', '_', '.', '@']).next().unwrap_or_default();
        let is = |language: &Self| first.eq_ignore_ascii_case(&language.tag()[..2]);
        Self::ALL.into_iter().find(is).unwrap_or_default()
    }

    /// Its tag (BCP 47).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Es => "es",
            Self::Zh => "zh-Hans",
        }
    }
}

/// A text in every language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    en: String,
    de: String,
    es: String,
    zh: String,
}

impl Text {
    pub(crate) fn in_language(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::De => &self.de,
            Language::Es => &self.es,
            Language::Zh => &self.zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_match_by_their_first_subtag() {
        for (tag, spoken) in [
            ("en-GB", "en"),
            ("de", "de"),
            ("de_AT.UTF-8", "de"),
            ("DE@euro", "de"),
            ("es-419", "es"),
            ("zh_CN.UTF-8", "zh-Hans"),
            ("zh-Hant", "zh-Hans"),
            ("fr", "en"),
            ("den", "en"),
            ("C.UTF-8", "en"),
            ("", "en"),
        ] {
            assert_eq!(Language::of(tag).tag(), spoken, "{tag:?}");
        }
    }
}
