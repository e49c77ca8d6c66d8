//! A form shown again, with what was wrong.

use askama::Template;
use axum::response::Response;
use http::{HeaderValue, header};
use sparekey_web::page::{Banner, html};
use sparekey_web::problem::Problem;

use crate::failure::Failure;

/// The fields of a proof: one of them stands on a page.
const PROOFS: [&str; 5] = ["code", "answers", "key_file", "sheet_code", "grant"];

/// What a form that is shown for the first time or again says.
#[derive(Default)]
pub(super) struct Trouble(Option<Wrong>);

struct Wrong {
    /// The field it stands at.
    field: Option<&'static str>,
    problem: Problem,
}

impl Trouble {
    /// Two lines on top, but for a wrong proof: what is wrong stands at its field, and the symbol stays in sight.
    pub(super) fn banner(&self) -> Option<Banner> {
        self.problem().filter(|_| self.proof().is_empty()).map(Banner::from)
    }

    /// What is wrong with a field; nothing if it is not the one.
    pub(super) fn with(&self, field: &str) -> &str {
        self.at(field).map_or("", Problem::title)
    }

    /// What is wrong with the proof that was given, and what to do.
    pub(super) fn proof(&self) -> String {
        let found = PROOFS.iter().find_map(|field| self.at(field));
        found.map_or_else(String::new, |problem| format!("{} {}", problem.title(), problem.what_to_do()))
    }

    /// Seconds until another try is worth it.
    pub(super) fn seconds_to_wait(&self) -> u64 {
        self.problem().and_then(Problem::seconds_to_wait).unwrap_or(0)
    }

    /// The page, with the problem's own status.
    pub(super) fn answer(&self, page: &impl Template) -> Response {
        let mut response = html(page);
        if let Some(problem) = self.problem().filter(|_| response.status().is_success()) {
            *response.status_mut() = problem.status();
            if let Some(seconds) = problem.seconds_to_wait() {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        response
    }

    fn problem(&self) -> Option<&Problem> {
        self.0.as_ref().map(|wrong| &wrong.problem)
    }

    /// The problem, if it is one of this field.
    fn at(&self, field: &str) -> Option<&Problem> {
        self.0.as_ref().filter(|wrong| wrong.field == Some(field)).map(|wrong| &wrong.problem)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self(Some(Wrong { field: failure.field(), problem: failure.into() }))
    }
}
