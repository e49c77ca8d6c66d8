//! Short texts that a stranger chose, made fit to be shown.

use alloc::string::String;
use core::fmt;

/// One line of 1 to [`Label::MAX`] bytes without control characters: a terminal shows it and does nothing else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// The greatest length, in bytes.
    pub const MAX: usize = 128;

    /// What can be shown of a text; `None` if nothing can. White space becomes single spaces; control characters, those that change the direction
    /// of writing and those that nobody sees are dropped, and what is too long is cut.
    #[must_use]
    pub fn new(hostile: &str) -> Option<Self> {
        let mut shown = String::new();
        let mut pending_space = false;
        for letter in hostile.chars() {
            if letter.is_whitespace() {
                pending_space = !shown.is_empty();
                continue;
            }
            if is_unseen(letter) {
                continue;
            }
            let space = usize::from(pending_space);
            if shown.len() + space + letter.len_utf8() > Self::MAX {
                break;
            }
            if pending_space {
                shown.push(' ');
                pending_space = false;
            }
            shown.push(letter);
        }
        (!shown.is_empty()).then_some(Self(shown))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, marks of direction (Unicode UAX 9), zero-width ones, tags, and noncharacters.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(u32::from(letter),
            0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF | 0xFFF0..=0xFFFF
            | 0xE0000..=0xE0FFF)
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn what_a_terminal_would_act_on_is_gone() {
        for (hostile, shown) in [
            ("NVR-8", Some("NVR-8")),
            ("  two\t words\r\n", Some("two words")),
            ("\u{1b}[2Jred\u{7}", Some("[2Jred")),
            ("\u{9b}31m", Some("31m")),
            ("a\u{202e}gpj.exe", Some("agpj.exe")),
            ("z\u{200b}w\u{feff}", Some("zw")),
            ("录像机", Some("录像机")),
            ("", None),
            ("\u{0}\u{1b}\n", None),
        ] {
            assert_eq!(Label::new(hostile).map(|label| label.to_string()).as_deref(), shown, "{hostile:?}");
        }
        let long = Label::new(&"é".repeat(1_000)).unwrap();
        assert_eq!(long.as_str().len(), Label::MAX);
    }
}
