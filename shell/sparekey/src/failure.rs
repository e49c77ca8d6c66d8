use std::fmt::Display;

/// Why a command did not do what it was asked to: a stable name, what happened, what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) problem: &'static str,
    pub(crate) happened: String,
    pub(crate) to_do: String,
}

impl Failure {
    pub(crate) fn new(problem: &'static str, happened: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { problem, happened: happened.into(), to_do: to_do.into() }
    }

    /// A value that was typed and is out of its bounds.
    pub(crate) fn malformed(what: &str, why: impl Display) -> Self {
        Self::new("malformed", format!("{what}: {why}."), "Correct it and try again; --help says what fits.")
    }

    /// An error of another room, which says both lines itself.
    pub(crate) fn two_lines(problem: &'static str, error: &impl Display) -> Self {
        let text = error.to_string();
        let (happened, to_do) = text.split_once('\n').unwrap_or((&text, ""));
        Self::new(problem, sentence(happened), to_do)
    }
}

/// Errors of other rooms are written to stand in a sentence; here they stand alone.
fn sentence(text: &str) -> String {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let is_word = first.chars().all(char::is_alphabetic);
    let begin: String = first.chars().take(1).flat_map(char::to_uppercase).chain(first.chars().skip(1)).collect();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{} {rest}{end}", if is_word { &begin } else { first })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_other_rooms_become_sentences() {
        for (error, happened) in [
            ("another process serves service.db\nStop it.", "Another process serves service.db."),
            ("/srv/opening.key is missing\nMake it.", "/srv/opening.key is missing."),
            ("settings.toml cannot be used.\nCorrect it.", "settings.toml cannot be used."),
        ] {
            assert_eq!(Failure::two_lines("not-possible", &error).happened, happened);
        }
    }
}
