//! The steps of a recovery on a device, for whoever has a person before him.
//!
//! Open one, show what the device shows, prove part after part, set the new password, wait for the restart, and log in to prove it. Each step
//! is one call; a request that is opened again is the same one, so nothing but what is typed has to be kept between them.

use std::{
    io::ErrorKind,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{CallError, Device, PATIENCE, Session};

/// Until a device is back after a new password.
const BACK: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// No identifier or ticket is longer.
const LONGEST_WORD: usize = 256;

/// A request that a device made.
#[derive(Clone, Debug)]
pub struct Recovery {
    path: String,
    shown: Value,
}

/// What a right proof brings.
#[derive(Debug)]
pub enum Proven {
    /// The ticket that [`Recovery::set_password`] takes. A secret.
    Ticket(String),
    /// One more proof is asked for: [`Recovery::shown`] has it.
    More,
}

/// A device that starts again after a new password.
#[derive(Clone, Copy, Debug)]
pub struct Restart {
    before: Option<u64>,
}

impl Recovery {
    /// Opens one by a way; `contact` is the number of the reserved email, from 1.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn open(device: &Device, way: &str, contact: Option<u8>) -> Result<Self, CallError> {
        let mut body = json!({ "method": way });
        if let Some(contact) = contact {
            body["contact"] = contact.into();
        }
        let shown = device.call("POST", "/api/v1/recoveries", Some(&body), None, PATIENCE)?;
        let known = shown["id"].as_str().and_then(Self::known).ok_or_else(|| unreadable(device))?;
        Ok(Self { shown, ..known })
    }

    /// One that was opened before, by its id; what it shows is not known. `None` if no device gives such an id.
    #[must_use]
    pub fn known(id: &str) -> Option<Self> {
        let is_plain = (1..=LONGEST_WORD).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_plain.then(|| Self { path: format!("/api/v1/recoveries/{id}"), shown: Value::Null })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What the device shows for the next part (protocol section 11): `qr_text`, `questions`, `tries_left` …
    #[must_use]
    pub fn shown(&self) -> &Value {
        &self.shown
    }

    /// The way that the next proof is of.
    #[must_use]
    pub fn next(&self) -> &str {
        let parts = self.shown["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let next = parts.iter().find(|part| part["proven"] == false).unwrap_or(&self.shown);
        next["method"].as_str().unwrap_or_default()
    }

    /// Looks at it again: tries are spent, time passes.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn look(&mut self, device: &Device) -> Result<(), CallError> {
        let now = device.call("GET", &self.path, None, None, PATIENCE)?;
        // Only the first answer has the request's file.
        let file = self.shown["request_xml"].take();
        self.shown = now;
        if file.is_string() {
            self.shown["request_xml"] = file;
        }
        Ok(())
    }

    /// Hands a proof over: exactly one of `code`, `answers`, `key_file`, `sheet_code`, `grant`.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn prove(&mut self, device: &Device, proof: &Value) -> Result<Proven, CallError> {
        let answer = device.call("POST", &format!("{}/proof", self.path), Some(proof), None, PATIENCE)?;
        match answer["ticket"].as_str().filter(|ticket| ticket.len() <= LONGEST_WORD) {
            Some(ticket) => Ok(Proven::Ticket(ticket.to_owned())),
            None if answer["more"] == true => {
                self.look(device)?;
                Ok(Proven::More)
            }
            None => Err(unreadable(device)),
        }
    }

    /// Sets the new password; the device starts again.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn set_password(&self, device: &Device, ticket: &str, password: &str) -> Result<Restart, CallError> {
        let before = start_time(device);
        let body = json!({ "ticket": ticket, "password": password });
        device.call("PUT", &format!("{}/password", self.path), Some(&body), None, PATIENCE)?;
        Ok(Restart { before })
    }
}

impl Restart {
    /// Waits until the device is back, a minute at most. Each start has a later time than the one before.
    ///
    /// # Errors
    /// [`CallError::Unreachable`] if it is not.
    pub fn wait(self, device: &Device) -> Result<(), CallError> {
        let end = Instant::now() + BACK;
        while Instant::now() < end {
            if start_time(device).is_some_and(|now| Some(now) != self.before) {
                return Ok(());
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        let late = "it is not back after a minute".to_owned();
        Err(CallError::Unreachable(device.address().clone(), late, ErrorKind::TimedOut))
    }

    /// Waits, and logs in to prove the new password.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn log_in(self, device: &Device, username: &str, password: &str) -> Result<(), CallError> {
        self.wait(device)?;
        Session::begin(device, username, password).map(drop)
    }
}

fn start_time(device: &Device) -> Option<u64> {
    device.call("GET", "/api/v1/device", None, None, PATIENCE).ok()?["start_time"].as_u64()
}

fn unreadable(device: &Device) -> CallError {
    CallError::Unreadable(device.address().clone())
}
