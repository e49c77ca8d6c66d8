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
        Self::new(problem, happened, to_do)
    }
}
