//! A form shown again, with all that was wrong.

use askama::Template;
use axum::response::Response;
use http::{HeaderValue, header};
use sparekey_web::page::{Banner, Tone, html};
use sparekey_web::problem::Problem;

use crate::failure::Failure;

/// The fields of a proof: one of them stands on a page.
const PROOFS: [&str; 6] = ["code", "answers", "key_file", "sheet_code", "grant", "file"];

/// What a form that is shown for the first time or again says.
#[derive(Default)]
pub(super) struct Trouble(Vec<Wrong>);

struct Wrong {
    /// The field it stands at.
    field: Option<&'static str>,
    problem: Problem,
}

impl Trouble {
    /// What is wrong with the proof that was given in this field.
    pub(super) fn of_proof(field: &'static str, failure: Failure) -> Self {
        let field = if failure.is_of_proof() { Some(field) } else { failure.field() };
        Self(vec![Wrong { field, problem: failure.into() }])
    }

    /// Two lines on top, but for a wrong proof: what is wrong stands at its field, and the symbol stays in sight.
    pub(super) fn banner(&self) -> Option<Banner> {
        match self.0.as_slice() {
            [] => None,
            [only] => Some(Banner::from(&only.problem)).filter(|_| self.proof().is_empty()),
            several => {
                let title = format!("{} entries are to be corrected.", several.len());
                Some(Banner::new(
                    Tone::Error,
                    title,
                    "Beside each it says what is wrong. Passwords have to be typed again.",
                ))
            }
        }
    }

    /// What is wrong with a field; nothing if it is not the one. Where several are, with what to do: the banner has no place for it.
    pub(super) fn with(&self, field: &str) -> String {
        match (self.0.as_slice(), self.at(field)) {
            (_, None) => String::new(),
            ([_], Some(problem)) => problem.title().to_owned(),
            (_, Some(problem)) => in_full(problem),
        }
    }

    /// What is wrong with the proof that was given, and what to do.
    pub(super) fn proof(&self) -> String {
        PROOFS.iter().find_map(|field| self.at(field)).map_or_else(String::new, in_full)
    }

    /// The same, for a page with several fields for proofs.
    pub(super) fn proof_at(&self, field: &str) -> String {
        self.at(field).map_or_else(String::new, in_full)
    }

    /// Whether anything was wrong.
    pub(super) fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Seconds until another try is worth it.
    pub(super) fn seconds_to_wait(&self) -> u64 {
        self.0.iter().filter_map(|wrong| wrong.problem.seconds_to_wait()).max().unwrap_or(0)
    }

    /// The page, with the first problem's own status.
    pub(super) fn answer(&self, page: &impl Template) -> Response {
        let mut response = html(page);
        if let Some(Wrong { problem, .. }) = self.0.first().filter(|_| response.status().is_success()) {
            *response.status_mut() = problem.status();
            if let Some(seconds) = problem.seconds_to_wait() {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        response
    }

    /// The problem of this field.
    fn at(&self, field: &str) -> Option<&Problem> {
        self.0.iter().find(|wrong| wrong.field == Some(field)).map(|wrong| &wrong.problem)
    }
}

fn in_full(problem: &Problem) -> String {
    format!("{} {}", problem.title(), problem.what_to_do())
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        vec![failure].into()
    }
}

impl From<Vec<Failure>> for Trouble {
    fn from(failures: Vec<Failure>) -> Self {
        let wrong = |failure: Failure| Wrong { field: failure.field(), problem: failure.into() };
        Self(failures.into_iter().map(wrong).collect())
    }
}
