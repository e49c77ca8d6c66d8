//! What owners read, one file a language.
//!
//! The words promise only what the service knows: how long a code stays valid is the device's to say, on its screen.
//! `{serial}` in a subject and `{service}` in a footer are filled in.

mod de;
mod en;
mod es;
mod zh;

/// All texts of a mail in one language.
pub(super) struct Wording {
    /// Language tag (BCP 47).
    pub(super) tag: &'static str,
    /// For a code that leads to a new password.
    pub(super) reset: PurposeWording,
    /// For a code that confirms an address.
    pub(super) confirm: PurposeWording,
    /// How long the code is valid, and for what.
    pub(super) validity: &'static str,
    /// To tell it to nobody.
    pub(super) secrecy: &'static str,
    /// Heading over what to do if it was somebody else.
    pub(super) not_you: &'static str,
    pub(super) model: &'static str,
    pub(super) serial: &'static str,
    pub(super) firmware: &'static str,
    /// When the service received the request.
    pub(super) asked_at: &'static str,
    pub(super) device_clock: &'static str,
    pub(super) running_since: &'static str,
    /// In place of a time that the device does not know.
    pub(super) clock_not_set: &'static str,
    pub(super) footer: &'static str,
    /// For who wrote to the service.
    pub(super) answer: AnswerWording,
}

/// The answer to a mail. It names neither device nor address.
pub(super) struct AnswerWording {
    /// Subject, if it was taken.
    pub(super) taken: &'static str,
    /// Subject, if it was not.
    pub(super) not_taken: &'static str,
    /// Where the code goes.
    pub(super) code: &'static str,
    /// What the desk does with it.
    pub(super) desk: &'static str,
    /// What to send instead.
    pub(super) what_to_do: &'static str,
    /// That nobody wrote this, and how seldom it is.
    pub(super) automatic: &'static str,
}

/// The texts that depend on what the code is for.
pub(super) struct PurposeWording {
    pub(super) subject: &'static str,
    pub(super) heading: &'static str,
    /// Why this mail came.
    pub(super) reason: &'static str,
    /// What to do with the code.
    pub(super) instruction: &'static str,
    /// What happened if it was not the owner, and what to do then.
    pub(super) if_not_you: &'static str,
}

/// The wording for a language tag (BCP 47), by its first subtag; English for those not spoken yet.
///
/// Chinese is Simplified Chinese whatever the script subtag says: its readers are better served by it than by English.
pub(super) fn for_language(tag: &str) -> &'static Wording {
    let first = tag.split(['-', '_']).next().unwrap_or_default();
    ALL.into_iter().find(|wording| first.eq_ignore_ascii_case(&wording.tag[..2])).unwrap_or(&en::WORDING)
}

const ALL: [&Wording; 4] = [&en::WORDING, &zh::WORDING, &es::WORDING, &de::WORDING];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_match_by_their_first_subtag() {
        for (tag, spoken) in [
            ("en", "en"),
            ("en-GB", "en"),
            ("zh", "zh-Hans"),
            ("zh-CN", "zh-Hans"),
            ("zh-Hans-SG", "zh-Hans"),
            ("ZH_cn", "zh-Hans"),
            ("es-419", "es"),
            ("de-AT", "de"),
            ("DE", "de"),
            ("fr", "en"),
            ("den", "en"),
            ("", "en"),
            ("\r\n", "en"),
        ] {
            assert_eq!(for_language(tag).tag, spoken, "{tag:?}");
        }
    }

    #[test]
    fn every_subject_names_the_device_and_every_footer_the_service() {
        for wording in ALL {
            for purpose in [&wording.reset, &wording.confirm] {
                assert_eq!(purpose.subject.matches("{serial}").count(), 1, "{}", wording.tag);
            }
            assert_eq!(wording.footer.matches("{service}").count(), 1, "{}", wording.tag);
        }
    }
}
