//! Patterns of models: `*` stands for anything, case does not matter.

/// Whether a model fits a pattern such as `DS-7*NI*`.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0, 0);
    // Where to go on if what follows the last star does not fit: a step further.
    let mut back = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at + 1, from));
                at += 1;
            }
            Some(byte) if byte.eq_ignore_ascii_case(&text[from]) => (at, from) = (at + 1, from + 1),
            _ => match back {
                Some((star, begin)) => {
                    back = Some((star, begin + 1));
                    (at, from) = (star, begin + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, fit) in [
            ("DS-7*", "DS-7608NI-K2", true),
            ("ds-7*ni*", "DS-7608NI-K2", true),
            ("DS-7*NI", "DS-7608NI-K2", false),
            ("*NI*", "DS-7608NI", true),
            ("DS-2*", "DS-7608NI", false),
            ("*", "", true),
            ("", "", true),
            ("", "A", false),
            ("A", "", false),
            ("*aab", "aaaab", true),
            ("*a*b*c", "xxaxbxbc", true),
            ("RLN8-410", "rln8-410", true),
            ("录*", "录像机", true),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }
}
