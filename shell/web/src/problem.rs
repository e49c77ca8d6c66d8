//! Problems on the wire: `application/problem+json` (RFC 9457).

use std::borrow::Cow;
use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use crate::messages::{self, Message};

/// What every problem's `type` begins with.
pub const TYPE_PREFIX: &str = "urn:sparekey:problem:";

/// One answer that is not what was asked for. Also an error type: handlers return it with `?`.
///
/// ```
/// use sparekey_web::{messages, problem::Problem};
/// let problem = Problem::new(messages::WRONG_PROOF).with("tries_left", 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    message: Message,
    detail: Option<Cow<'static, str>>,
    retry_after: Option<u64>,
    extra: Map<String, Value>,
}

impl Problem {
    /// The problem with its usual sentences.
    pub fn new(message: Message) -> Self {
        Self { message, detail: None, retry_after: None, extra: Map::new() }
    }

    /// A fault of ours; the cause goes to the log, never to the caller.
    pub fn internal() -> Self {
        Self::new(messages::INTERNAL)
    }

    /// With a sentence that says more precisely what to do. Never pass on an error's own text.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Worth another try after so many seconds: the member `retry_after` and the header.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// With one more member, such as `tries_left`.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(member.to_owned(), value.into());
        self
    }

    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        self.message.name
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.message.status
    }

    /// What happened.
    pub fn title(&self) -> &'static str {
        self.message.title
    }

    /// What to do.
    pub fn what_to_do(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.message.detail)
    }

    /// Seconds until another try is worth it.
    pub fn seconds_to_wait(&self) -> Option<u64> {
        self.retry_after
    }

    /// The document that is sent.
    pub fn to_json(&self) -> Value {
        let mut members = self.extra.clone();
        members.insert("type".into(), format!("{TYPE_PREFIX}{}", self.name()).into());
        members.insert("status".into(), self.status().as_u16().into());
        members.insert("title".into(), self.title().into());
        members.insert("detail".into(), self.what_to_do().into());
        if let Some(seconds) = self.retry_after {
            members.insert("retry_after".into(), seconds.into());
        }
        Value::Object(members)
    }
}

impl From<Message> for Problem {
    fn from(message: Message) -> Self {
        Self::new(message)
    }
}

/// What happened and what to do, on two lines.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.title(), self.what_to_do())
    }
}

impl std::error::Error for Problem {}

/// The document. The problem itself goes along in the response's extensions, for
/// [`page::problems`](crate::page::problems).
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status(), kind, self.to_json().to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn goes_out_as_rfc_9457_says() {
        let problem = Problem::new(messages::TOO_MANY_TRIES).retry_after(300).with("tries_left", 0);
        let response = problem.into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "300");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:sparekey:problem:too-many-tries",
                "status": 429,
                "title": messages::TOO_MANY_TRIES.title,
                "detail": messages::TOO_MANY_TRIES.detail,
                "retry_after": 300,
                "tries_left": 0,
            })
        );
    }

    #[test]
    fn an_extra_member_cannot_displace_a_fixed_one() {
        let json = Problem::new(messages::EXPIRED).with("status", 200).to_json();
        assert_eq!(json["status"], 409);
    }

    #[test]
    fn reads_as_two_lines() {
        let text = Problem::new(messages::WEAK_PASSWORD).detail("Add a word.").to_string();
        assert_eq!(text, "This password would be guessed too easily.\nAdd a word.");
    }
}
