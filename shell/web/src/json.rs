//! JSON in: bounded, of the right type, every field known.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::messages;
use crate::problem::Problem;

/// The longest field name that is repeated to the caller.
const NAME_LENGTH: usize = 48;

/// A JSON body, as the protocol wants it: `Content-Type: application/json`, and a type that refuses unknown fields
/// (`#[serde(deny_unknown_fields)]` on `T`).
///
/// The bound is axum's `DefaultBodyLimit`: 2 MB unless the route sets a smaller one. What does not fit is the problem
/// `malformed`, which names the field at fault and nothing else of the inside; what is too long, `too-large`.
#[derive(Clone, Copy, Debug)]
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "Send JSON, with the header Content-Type: application/json.";
            return Err(Problem::new(messages::MALFORMED).detail(detail));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        parse(&body).map(Self)
    }
}

/// Only the exact type: the other ones can be sent from a page of another site without the browser asking us first.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json")
}

/// Why a body was not read to its end: too long, or cut off.
pub(crate) fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        messages::TOO_LARGE.into()
    } else {
        messages::MALFORMED.into()
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let problem = Problem::new(messages::MALFORMED);
        match field_at_fault(&error) {
            Some(field) => problem.detail(format!("Check the field {field}.")).with("field", field),
            None => problem.detail("Send one JSON object, whole and unchanged."),
        }
    })?;
    json.end().map_err(|_| Problem::new(messages::MALFORMED).detail("Send one JSON object and nothing after it."))?;
    Ok(value)
}

/// The field that an error is about, if it is one and its name is a plain one.
///
/// serde puts the name of a missing or unknown field only into its text, between back-quotes.
fn field_at_fault(error: &serde_path_to_error::Error<serde_json::Error>) -> Option<String> {
    if !error.inner().is_data() {
        return None;
    }
    let text = error.inner().to_string();
    let named = text
        .strip_prefix("missing field `")
        .or_else(|| text.strip_prefix("unknown field `"))
        .and_then(|rest| rest.split('`').next());
    let path = error.path().to_string();
    let field = match (named, path.as_str()) {
        (Some(name), ".") => name.to_owned(),
        (Some(name), path) if path.ends_with(name) => path.to_owned(),
        (Some(name), path) => format!("{path}.{name}"),
        (None, ".") => return None,
        (None, path) => path.to_owned(),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    (field.len() <= NAME_LENGTH && field.bytes().all(plain)).then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::routing::post;
    use http_body_util::BodyExt;
    use serde::Deserialize;
    use serde_json::Value;
    use tower::ServiceExt;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Proof {
        #[expect(dead_code)]
        code: String,
        #[expect(dead_code)]
        #[serde(default)]
        answers: Vec<Answer>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Answer {
        #[expect(dead_code)]
        id: u8,
    }

    async fn send(kind: Option<&str>, body: &str) -> (u16, Value) {
        let router =
            Router::new().route("/", post(async |_: ApiJson<Proof>| "taken")).layer(DefaultBodyLimit::max(256));
        let mut request = Request::post("/");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let response = router.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn takes_json_and_says_which_field_is_wrong() {
        for (body, status, field) in [
            (r#"{"code":"12345678"}"#, 200, None),
            (r#"{"code":"1","answers":[{"id":3}]}"#, 200, None),
            (r#"{}"#, 400, Some("code")),
            (r#"{"code":7}"#, 400, Some("code")),
            (r#"{"code":"1","admin":true}"#, 400, Some("admin")),
            (r#"{"code":"1","answers":[{"id":"x"}]}"#, 400, Some("answers[0].id")),
            (r#"{"code":"1","answers":[{}]}"#, 400, Some("answers[0].id")),
            (r#"{"code":"1","<script>":1}"#, 400, None),
            (r#"{"code":"1"} {}"#, 400, None),
            (r#"{"code":"1""#, 400, None),
            (r#"[]"#, 400, None),
            ("", 400, None),
        ] {
            let (got, json) = send(Some("application/json; charset=utf-8"), body).await;
            assert_eq!(got, status, "{body}: {json}");
            assert_eq!(json.get("field").and_then(Value::as_str), field, "{body}: {json}");
            let text = json.to_string();
            assert!(!text.contains("line 1") && !text.contains("expected `") && !text.contains("script"), "{text}");
        }
    }

    #[tokio::test]
    async fn refuses_what_a_foreign_form_could_send() {
        for kind in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("text/plain; application/json"),
        ] {
            let (status, json) = send(kind, r#"{"code":"1"}"#).await;
            assert_eq!(status, 400, "{kind:?}");
            assert_eq!(json["type"], "urn:sparekey:problem:malformed", "{kind:?}");
        }
    }

    #[tokio::test]
    async fn refuses_a_body_over_the_bound() {
        let body = format!(r#"{{"code":"{}"}}"#, "1".repeat(300));
        let (status, json) = send(Some("application/json"), &body).await;
        assert_eq!((status, &json["type"]), (413, &"urn:sparekey:problem:too-large".into()));
    }
}
