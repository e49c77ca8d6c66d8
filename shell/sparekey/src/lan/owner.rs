//! What takes a login: a key file, a sheet, and what the device has on record.

use std::time::Duration;

use serde_json::{Value, json};
use sparekey_lan::device::Device;
use sparekey_protocol::Time;
use zeroize::Zeroizing;

use crate::{
    cli::{ExportKey, Login, Sheet},
    client::plain,
    failure::Failure,
    files,
    lan::{self, ask, find, forgot},
    report::Report,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A session on a device, and the password that began it.
struct Session {
    device: Device,
    answer: Value,
    password: Zeroizing<String>,
}

impl Session {
    fn begin(login: &Login, report: Report) -> Result<Self, Failure> {
        let device = find::device(&login.whom, report)?;
        let password = ask::hidden(&format!("Password of {}:", login.username))?;
        let body = json!({ "username": login.username, "password": password.as_str() });
        let answer = device.call("POST", "/api/v1/sessions", Some(&body), None, PATIENCE);
        Ok(Self { answer: answer.map_err(|error| lan::called(&error))?, device, password })
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let called = self.device.call(method, path, body, self.answer["token"].as_str(), PATIENCE);
        called.map_err(|error| lan::called(&error))
    }

    /// The password once more, as the device asks for it.
    fn again(&self) -> Value {
        json!({ "password": self.password.as_str() })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        forgot::log_out(&self.device, &self.answer);
    }
}

pub(crate) fn export_key(options: &ExportKey, report: Report) -> Result<(), Failure> {
    // Before the device makes one, which voids the one before.
    files::vacant(&options.out)?;
    let session = Session::begin(&options.login, report)?;
    let answer = session.call("POST", "/api/v1/key-file", Some(&session.again()))?;
    let xml = answer.as_str().ok_or_else(unreadable)?;
    files::make_private(&options.out, xml.as_bytes())?;
    let (serial, out) = (session.device.serial(), options.out.display());
    let text = format!("{out} opens {serial}, once: keep it apart from the device. Earlier key files are void.");
    report.done(&text, &json!({ "serial": serial, "out": options.out }));
    Ok(())
}

pub(crate) fn sheet(options: &Sheet, report: Report) -> Result<(), Failure> {
    let session = Session::begin(&options.login, report)?;
    let serial = session.device.serial();
    if !options.new {
        let sheet = session.call("GET", "/api/v1/sheet", None)?;
        let mut lines = vec![format!("The sheet of {serial}:")];
        for (code, number) in sheet["codes"].as_array().into_iter().flatten().zip(1..) {
            lines.push(format!("  {number}  {}", plain(code.as_str().unwrap_or_default())));
        }
        if lines.len() == 1 {
            lines.push("  There is none. Make one with --new.".to_owned());
        }
        report.done(&lines.join("\n"), &sheet);
        return Ok(());
    }
    let sheet = session.call("POST", "/api/v1/sheet", Some(&session.again()))?;
    let codes: Vec<_> = sheet["codes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(plain).collect();
    report.done(&codes.join("\n"), &sheet);
    report.aside(&format!(
        "Each opens {serial} once. They are shown this once: print them, and keep them apart from the device."
    ));
    Ok(())
}

pub(crate) fn security(login: &Login, report: Report) -> Result<(), Failure> {
    let session = Session::begin(login, report)?;
    let events = session.call("GET", "/api/v1/events", None)?;
    let switches = session.call("GET", "/api/v1/switches", None)?;
    let card = session.call("GET", "/api/v1/card", None)?;
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let mut lines =
        vec![format!("{}: helped by {} ({})", session.device.serial(), text(&card["name"]), text(&card["url"]))];
    let word = |on: &Value| if on == true { "on" } else { "off" };
    lines.push(format!("  {:10} {}", "service", word(&switches["service"])));
    for (name, on) in switches["methods"].as_object().into_iter().flatten() {
        lines.push(format!("  {:10} {}", plain(name), word(on)));
    }
    for event in events["events"].as_array().into_iter().flatten() {
        let at = Time(event["at"].as_u64().unwrap_or_default()).rfc_3339();
        let count = event["count"].as_u64().filter(|count| *count > 1).map(|count| format!(" ×{count}"));
        let more = ["method", "from"].map(|member| text(&event[member])).join(" ");
        lines.push(format!("{at} {}{} {more}", text(&event["what"]), count.unwrap_or_default()).trim_end().to_owned());
    }
    report.done(&lines.join("\n"), &json!({ "events": events["events"], "switches": switches, "card": card }));
    Ok(())
}

fn unreadable() -> Failure {
    Failure::new("not-possible", "The device's answer cannot be understood.", "Use this program's newest version.")
}
