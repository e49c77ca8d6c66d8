//! A recorder's interface (protocol section 11), as a program uses it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Answer, Api};
use crate::wait::until;

/// The administrator's name in all tests.
pub const OWNER: &str = "admin";

/// A recorder that answers.
#[derive(Clone)]
pub struct Recorder(pub Api);

/// A recovery that was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// For the calls that follow.
    pub id: String,
    /// What the QR says.
    pub qr_text: String,
}

impl Opened {
    /// Out of the answer to *Forgot password*.
    pub fn of(json: &Value) -> Self {
        let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("{name} in {json}")).to_owned();
        Self { id: text("id"), qr_text: text("qr_text") }
    }

    /// The request behind the QR's `#`.
    pub fn digits(&self) -> &str {
        self.qr_text.split_once("/r#").expect("the text is a link").1
    }
}

impl Recorder {
    /// Calls to this interface.
    pub fn new(api: Api) -> Self {
        Self(api)
    }

    /// The first day.
    pub fn activate(&self, password: &str, emails: &[&str]) {
        let body = json!({ "username": OWNER, "password": password, "reserved_emails": emails });
        self.0.post("/api/v1/activation", &body).must(201);
    }

    /// Logs in.
    pub fn log_in(&self, password: &str) -> Answer {
        self.0.post("/api/v1/sessions", &json!({ "username": OWNER, "password": password }))
    }

    /// Logs in; `None` if the recorder went away.
    pub fn try_log_in(&self, password: &str) -> Option<Answer> {
        self.0.json("POST", "/api/v1/sessions", &json!({ "username": OWNER, "password": password }))
    }

    /// *Forgot password*.
    pub fn open(&self) -> Opened {
        Opened::of(&self.try_open().must(201))
    }

    /// *Forgot password*, which may be refused.
    pub fn try_open(&self) -> Answer {
        self.0.post("/api/v1/recoveries", &json!({ "method": "email" }))
    }

    /// *Forgot password*, through the desk: the request's id and its file.
    pub fn ask_the_desk(&self) -> (String, String) {
        // After a new password it starts again.
        let ask = || self.0.json("POST", "/api/v1/recoveries", &json!({ "method": "desk" }));
        let opened = until("the recorder to answer", Duration::from_secs(60), ask).must(201);
        let text = |name: &str| opened[name].as_str().unwrap_or_else(|| panic!("{name} in {opened}")).to_owned();
        (text("id"), text("request_xml"))
    }

    /// The desk's grant file is handed over.
    pub fn hand_over(&self, id: &str, grant: &str) -> Answer {
        self.0.post(&format!("/api/v1/recoveries/{id}/proof"), &json!({ "grant": grant }))
    }

    /// The code is typed.
    pub fn prove(&self, id: &str, code: &str) -> Answer {
        self.0.post(&format!("/api/v1/recoveries/{id}/proof"), &json!({ "code": code }))
    }

    /// The new password; `None` if the recorder went away.
    pub fn set_password(&self, id: &str, ticket: &str, password: &str) -> Option<Answer> {
        let body = json!({ "ticket": ticket, "password": password });
        self.0.json("PUT", &format!("/api/v1/recoveries/{id}/password"), &body)
    }

    /// The same to its end: until it has started again the old agent answers, and may be gone with the next call.
    pub fn reset(&self, id: &str, ticket: &str, password: &str) {
        let started = || {
            let answer = self.0.json("GET", "/api/v1/device", &Value::Null)?;
            (answer.status == 200).then(|| answer.json()["start_time"].clone())
        };
        let before = started();
        assert_eq!(self.set_password(id, ticket, password).unwrap().status, 202);
        until("the restart", Duration::from_secs(60), || started().filter(|now| Some(now) != before.as_ref()));
        self.log_in(password).must(201);
    }

    /// How a recovery stands.
    pub fn view(&self, id: &str) -> Answer {
        self.0.get(&format!("/api/v1/recoveries/{id}"))
    }
}
