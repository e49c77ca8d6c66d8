use serde_json::{Value, json};

use crate::failure::Failure;

/// How results are printed: for people, or as one JSON object a line.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    pub(crate) json: bool,
}

impl Report {
    /// A result. `text` is for people; `data` has the same for programs.
    pub(crate) fn done(self, text: &str, data: &Value) {
        if self.json { println!("{data}") } else { println!("{text}") }
    }

    /// A word beside a result, for people: standard output has the result alone.
    pub(crate) fn aside(self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }

    pub(crate) fn failure(self, failure: &Failure) {
        let Failure { problem, happened, to_do } = failure;
        if self.json {
            let problem =
                json!({ "type": format!("urn:sparekey:problem:{problem}"), "title": happened, "detail": to_do });
            eprintln!("{problem}");
        } else if to_do.is_empty() {
            eprintln!("{happened}");
        } else {
            eprintln!("{happened}\n{to_do}");
        }
    }
}
