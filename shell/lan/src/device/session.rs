//! What takes a login: it ends by itself.

use serde_json::{Value, json};

use super::{CallError, Device, PATIENCE};

/// A session on a device. It is logged out when dropped.
#[derive(Debug)]
pub struct Session<'a> {
    device: &'a Device,
    token: String,
}

impl<'a> Session<'a> {
    /// Logs in.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn begin(device: &'a Device, username: &str, password: &str) -> Result<Self, CallError> {
        let body = json!({ "username": username, "password": password });
        let answer = device.call("POST", "/api/v1/sessions", Some(&body), None, PATIENCE)?;
        let token = answer["token"].as_str().ok_or_else(|| CallError::Unreadable(device.address().clone()))?;
        Ok(Self { device, token: token.to_owned() })
    }

    /// A call as who logged in.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, CallError> {
        self.device.call(method, path, body, Some(&self.token), PATIENCE)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let _ = self.device.call("DELETE", "/api/v1/sessions/current", None, Some(&self.token), PATIENCE);
    }
}
