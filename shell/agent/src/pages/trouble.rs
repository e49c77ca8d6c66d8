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
    /// Two lines on top.
    pub(super) fn banner(&self) -> Option<Banner> {
        self.0.as_ref().map(Banner::from)
    }

    /// What is wrong with a field; nothing if it is not the one.
    pub(super) fn with(&self, field: &str) -> &str {
        let Some(problem) = &self.0 else { return "" };
        let at_fault = match problem.name() {
            name if name == messages::WEAK_PASSWORD.name => Some("password".to_owned()),
            name if name == messages::WRONG_PROOF.name => Some("code".to_owned()),
            _ => problem.to_json().get("field").and_then(|field| field.as_str().map(str::to_owned)),
        };
        if at_fault.as_deref() == Some(field) { problem.what_to_do() } else { "" }
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
