//! How hard a password is to guess, by zxcvbn.

/// zxcvbn's score, 0 to 4, for a password and the words that an attacker tries first here.
pub(crate) fn estimate(password: &str, words: &[&str]) -> u8 {
    zxcvbn::zxcvbn(password, words).score().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_and_own_names_are_weak() {
        for weak in ["password1", "12345678", "qwertyuiop", "NVR-4216-0001x", "iloveyou2"] {
            assert!(estimate(weak, &["NVR-4216-0001"]) < 3, "{weak}");
        }
        for strong in ["four unrelated lamps sing", "kX9#mQ2$vL7p"] {
            assert!(estimate(strong, &[]) >= 3, "{strong}");
        }
    }
}
