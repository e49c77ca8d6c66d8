//! A form shown again, with what was wrong.

use askama::Template;
use axum::response::Response;
use http::{HeaderValue, header};
use sparekey_web::messages;
use sparekey_web::page::{Banner, html};
use sparekey_web::problem::Problem;

/// What a form that is shown for the first time or again says.
#[derive(Default)]
pub(super) struct Trouble(Option<Problem>);

impl Trouble {
    /// Two lines on top, but for a wrong code: what is wrong stands at its field, and the symbol stays in sight.
    pub(super) fn banner(&self) -> Option<Banner> {
        self.0.as_ref().filter(|_| self.code().is_empty()).map(Banner::from)
    }

    /// What is wrong with a field; nothing if it is not the one.
    pub(super) fn with(&self, field: &str) -> &str {
        self.at(field).map_or("", Problem::title)
    }

    /// What is wrong with the code, and what to do.
    pub(super) fn code(&self) -> String {
        self.at("code").map_or_else(String::new, |problem| format!("{} {}", problem.title(), problem.what_to_do()))
    }

    /// The problem, if it is one of this field.
    fn at(&self, field: &str) -> Option<&Problem> {
        let problem = self.0.as_ref()?;
        let document = problem.to_json();
        let at_fault = match document.get("field").and_then(|field| field.as_str()) {
            Some(field) => field,
            None if problem.name() == messages::WEAK_PASSWORD.name => "password",
            None if problem.name() == messages::WRONG_PROOF.name => "code",
            None => return None,
        };
        (at_fault == field).then_some(problem)
    }

    /// Seconds until another try is worth it.
    pub(super) fn seconds_to_wait(&self) -> u64 {
        self.0.as_ref().and_then(Problem::seconds_to_wait).unwrap_or(0)
    }

    /// The page, with the problem's own status.
    pub(super) fn answer(&self, page: &impl Template) -> Response {
        let mut response = html(page);
        if let Some(problem) = self.0.as_ref().filter(|_| response.status().is_success()) {
            *response.status_mut() = problem.status();
            if let Some(seconds) = problem.seconds_to_wait() {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        response
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self(Some(problem))
    }
}
