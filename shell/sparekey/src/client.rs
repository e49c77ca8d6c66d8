//! Calls to a service, by those commands that are not one themselves.

use std::{path::Path, sync::Arc, time::Duration};

use serde_json::Value;
use sparekey_protocol::BaseUrl;
use sparekey_web::{messages, problem::TYPE_PREFIX};
use ureq::{
    Agent,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{card, failure::Failure, files};

/// How long an answer may take, a photo's included.
const PATIENCE: Duration = Duration::from_secs(60);
/// No answer is longer: a file of grants, a page of a list, something attached.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A service, and the token that is shown to it.
pub(crate) struct Client {
    agent: Agent,
    base: BaseUrl,
    token: String,
}

/// What the service answered.
pub(crate) struct Answer {
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|_| unreadable())
    }
}

/// The certificates of a file.
fn trusted(file: &Path) -> Result<RootCerts, Failure> {
    let pem = files::read(file)?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| if let Ok(PemItem::Certificate(certificate)) = item { Some(certificate) } else { None })
        .collect();
    if certificates.is_empty() {
        return Err(Failure::malformed(&file.display().to_string(), "no certificate in PEM"));
    }
    Ok(RootCerts::from(certificates))
}

impl Client {
    /// `ca` is a file of certificates (PEM) to trust in place of the system's.
    pub(crate) fn new(url: &str, token: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        let base = card::url(url.trim_end_matches('/'))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(ca.map_or(Ok(RootCerts::PlatformVerifier), trusted)?)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A token goes to the service that was named, and nowhere else.
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .tls_config(tls)
            .build();
        Ok(Self { agent: config.into(), base, token: token.trim().to_owned() })
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send("GET", path, None, Vec::new())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send("POST", path, Some("application/json"), body.to_string().into_bytes())
    }

    /// A file that is served for everybody; `None` if there is none.
    pub(crate) fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let (status, answer) = self.exchange(http::Request::get(format!("{}{path}", self.base)), Vec::new())?;
        match status {
            status if status.is_success() => Ok(Some(answer.body)),
            http::StatusCode::NOT_FOUND | http::StatusCode::GONE => Ok(None),
            _ => Err(refused(&answer.body)),
        }
    }

    pub(crate) fn send(&self, method: &str, path: &str, kind: Option<&str>, body: Vec<u8>) -> Result<Answer, Failure> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(http::header::AUTHORIZATION, format!("Bearer {}", self.token));
        if let Some(kind) = kind {
            request = request.header(http::header::CONTENT_TYPE, kind);
        }
        let (status, answer) = self.exchange(request, body)?;
        if status.is_success() { Ok(answer) } else { Err(refused(&answer.body)) }
    }

    fn exchange(&self, request: http::request::Builder, body: Vec<u8>) -> Result<(http::StatusCode, Answer), Failure> {
        let request = request.body(body).map_err(|_| Failure::malformed("--token", "not a token"))?;
        let mut answer = self.agent.run(request).map_err(|error| {
            Failure::new(
                "not-possible",
                format!("{} does not answer: {error}.", self.base),
                "Check the address, and that the service runs.",
            )
        })?;
        let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec().map_err(|_| unreadable())?;
        Ok((answer.status(), Answer { headers: answer.headers().clone(), body }))
    }
}

/// The problem that the service named (RFC 9457).
fn refused(body: &[u8]) -> Failure {
    let Ok(problem) = serde_json::from_slice::<Value>(body) else { return unreadable() };
    let text = |member: &str| problem[member].as_str().unwrap_or_default();
    let known = text("type").strip_prefix(TYPE_PREFIX).and_then(messages::by_name);
    match known {
        Some(message) => Failure::new(message.name, plain(text("title")), plain(text("detail"))),
        None => unreadable(),
    }
}

fn unreadable() -> Failure {
    Failure::new("not-possible", "The answer cannot be understood.", "Check that the address is that of a service.")
}

/// What came from elsewhere, for a terminal: no control character gets there.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A part of a path or a query (RFC 3986).
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_keep_their_names_and_terminals_their_peace() {
        let body = br#"{"type":"urn:sparekey:problem:own-case","title":"a\u001b[31m","detail":"b"}"#;
        let failure = refused(body);
        assert_eq!((failure.problem, failure.happened.as_str()), ("own-case", "a\u{fffd}[31m"));
        for body in [&b"<html>"[..], b"{}", br#"{"type":"urn:sparekey:problem:no-such"}"#] {
            assert_eq!(refused(body).problem, "not-possible");
        }
        assert_eq!(escape("../a b?"), "..%2Fa%20b%3F");
    }
}
