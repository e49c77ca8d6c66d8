//! A client without a browser, for the programs' own interfaces.

use std::time::Duration;

use ::http::{HeaderMap, Request, header};
use serde_json::Value;
use ureq::Agent;

/// The longest answer that is read.
const LONGEST: u64 = 16 * 1024 * 1024;

/// One server, and what is sent with each call.
#[derive(Clone)]
pub struct Api {
    agent: Agent,
    base: String,
    headers: Vec<(String, String)>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Api {
    /// Calls to `base`, which has no slash at its end.
    pub fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)));
        Self { agent: config.build().into(), base: base.to_owned(), headers: Vec::new() }
    }

    /// The same with a header more.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Vec::new()).expect("the server answers")
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body).expect("the server answers")
    }

    /// Sends JSON; `None` if the server did not answer.
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        self.send(method, path, &[(header::CONTENT_TYPE.as_str(), "application/json")], body.to_string().into_bytes())
    }

    /// Sends anything; `None` if the server did not answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("the call is well-formed");
        let mut answer = self.agent.run(request).ok()?;
        let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec().ok()?;
        Some(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body })
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} is no JSON", self.text()))
    }

    /// The body as JSON, of an answer that must have this status.
    #[track_caller]
    pub fn must(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The name of the problem that the answer is.
    pub fn problem(&self) -> String {
        let kind = self.headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
        assert_eq!(kind, Some("application/problem+json"), "{} {}", self.status, self.text());
        let json = self.json();
        for line in ["title", "detail"] {
            assert!(json[line].as_str().is_some_and(|text| text.len() > 10), "a problem says what to do: {json}");
        }
        let name = json["type"].as_str().and_then(|name| name.strip_prefix("urn:sparekey:problem:"));
        name.expect("a problem has a type of ours").to_owned()
    }

    /// A cookie that the answer sets, as `name=value`.
    pub fn cookie(&self) -> Option<String> {
        let cookie = self.headers.get(header::SET_COOKIE)?.to_str().ok()?;
        cookie.split(';').next().map(str::to_owned)
    }
}
