//! What takes a login: a key file, a sheet, and what the device has on record.

use serde_json::{Value, json};
use sparekey_lan::device::{Device, Session};
use sparekey_protocol::Time;
use zeroize::Zeroizing;

use crate::{
    cli::{ExportKey, Login, Sheet},
    client::plain,
    failure::Failure,
    files,
    lan::{self, ask, find},
    report::Report,
};

/// A device, and the password of who logs in.
struct Visit {
    device: Device,
    username: String,
    password: Zeroizing<String>,
}

impl Visit {
    fn begin(login: &Login, report: Report) -> Result<Self, Failure> {
        let device = find::device(&login.whom, report)?;
        let password = ask::hidden(&format!("Password of {}:", login.username))?;
        Ok(Self { device, username: login.username.clone(), password })
    }

    /// What the calls of one session bring, in their order. `true`: with the password once more, as the device asks for it.
    fn calls<const N: usize>(&self, calls: [(&str, &str, bool); N]) -> Result<[Value; N], Failure> {
        let called = |error| lan::called(&error);
        let session = Session::begin(&self.device, &self.username, &self.password).map_err(called)?;
        let again = json!({ "password": self.password.as_str() });
        let mut answers = [const { Value::Null }; N];
        for (answer, (method, path, asked)) in answers.iter_mut().zip(calls) {
            *answer = session.call(method, path, asked.then_some(&again)).map_err(called)?;
        }
        Ok(answers)
    }
}

pub(crate) fn export_key(options: &ExportKey, report: Report) -> Result<(), Failure> {
    // Before the device makes one, which voids the one before.
    files::vacant(&options.out)?;
    let visit = Visit::begin(&options.login, report)?;
    let [answer] = visit.calls([("POST", "/api/v1/key-file", true)])?;
    let xml = answer.as_str().ok_or_else(unreadable)?;
    files::make_private(&options.out, xml.as_bytes())?;
    let (serial, out) = (visit.device.serial(), options.out.display());
    let text = format!("{out} opens {serial}, once: keep it apart from the device. Earlier key files are void.");
    report.done(&text, &json!({ "serial": serial, "out": options.out }));
    Ok(())
}

pub(crate) fn sheet(options: &Sheet, report: Report) -> Result<(), Failure> {
    let visit = Visit::begin(&options.login, report)?;
    let serial = visit.device.serial();
    if !options.new {
        let [sheet] = visit.calls([("GET", "/api/v1/sheet", false)])?;
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
    let [sheet] = visit.calls([("POST", "/api/v1/sheet", true)])?;
    let codes: Vec<_> = sheet["codes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(plain).collect();
    report.done(&codes.join("\n"), &sheet);
    report.aside(&format!(
        "Each opens {serial} once. They are shown this once: print them, and keep them apart from the device."
    ));
    Ok(())
}

pub(crate) fn security(login: &Login, report: Report) -> Result<(), Failure> {
    let visit = Visit::begin(login, report)?;
    let get = |path| ("GET", path, false);
    let [events, switches, card] = visit.calls(["/api/v1/events", "/api/v1/switches", "/api/v1/card"].map(get))?;
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let mut lines =
        vec![format!("{}: helped by {} ({})", visit.device.serial(), text(&card["name"]), text(&card["url"]))];
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
