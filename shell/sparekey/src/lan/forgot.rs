//! `sparekey forgot`: back into one device, by whichever way is ready.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sparekey_lan::{
    device::{CallError, Device},
    qr,
};

use crate::{
    cli::Forgot,
    client::plain,
    failure::Failure,
    files,
    lan::{self, ask, batch, cameras, chosen, find},
    report::Report,
};

/// The likeliest first: what an owner has at hand, then what has to be looked for, then what takes other people.
const LIKELIEST: [&str; 6] = ["email", "keyfile", "sheet", "questions", "desk", "seccode"];
/// A device hashes slowly, one caller after the other.
const PATIENCE: Duration = Duration::from_secs(60);
/// Until a device is back after a new password.
const RESTART: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

pub(crate) fn run(options: &Forgot, report: Report) -> Result<(), Failure> {
    if let Some(chosen) = chosen::read(&options.many)? {
        return batch::run(options, chosen, report);
    }
    let device = find::device_or_help(&options.whom, options.language.as_deref(), report)?;
    let way = choose(&device, options, report)?;
    let mut body = json!({ "method": way });
    if let Some(contact) = options.contact {
        body["contact"] = contact.into();
    }
    let opened = call(&device, "POST", "/api/v1/recoveries", Some(&body))?;
    let id = opened["id"].as_str().ok_or_else(unreadable)?.to_owned();
    let path = format!("/api/v1/recoveries/{}", crate::client::escape(&id));
    // A further run asks for the same request again, and hands its grant over.
    if way == "desk" && options.request.is_some() && options.grant.is_none() && !ask::is_person() {
        show(options, &opened, report)?;
        let serial = device.serial();
        let text = format!("{serial} waits for its grant:  sparekey forgot {serial} --way desk --grant FILE");
        report.done(&text, &json!({ "step": "asked", "serial": serial, "request": options.request }));
        return Ok(());
    }
    let ticket = prove(&device, options, &path, opened, report)?;
    set(&device, options, &path, &ticket, report)
}

/// Which way: the one named, or the one that a person picks.
fn choose(device: &Device, options: &Forgot, report: Report) -> Result<String, Failure> {
    if let Some(way) = &options.way {
        return Ok(way.clone());
    }
    let methods = device.description()["methods"].as_array().cloned().unwrap_or_default();
    let ready = |name: &str| methods.iter().any(|method| method["name"] == name && method["ready"] == true);
    let ready: Vec<_> = LIKELIEST.into_iter().filter(|name| ready(name)).collect();
    if ready.is_empty() {
        return Err(Failure::new(
            "method-not-ready",
            format!("No way back into {} is ready.", device.serial()),
            "Ask who sold it; a hand on the device can reset it, at its own screen.",
        ));
    }
    if !ask::is_person() {
        let happened = format!("{} has these ways ready: {}.", device.serial(), ready.join(", "));
        return Err(Failure::new("which-way", happened, "Name one with --way."));
    }
    report.aside(&format!("{} can be opened by:", device.serial()));
    for (name, number) in ready.iter().zip(1..) {
        report.aside(&format!("  {number}  {}", in_words(name)));
    }
    for method in methods.iter().filter(|method| method["ready"] == false) {
        let text = |member: &str| plain(method[member].as_str().unwrap_or_default());
        report.aside(&format!("  -  {} ({})", in_words(&text("name")), text("why")));
    }
    let typed = ask::line("Which one [1]?")?;
    let number = if typed.trim().is_empty() { Ok(1) } else { typed.trim().parse::<usize>() };
    let chosen = number.ok().and_then(|number| ready.get(number.checked_sub(1)?));
    chosen.map(|name| (*name).to_owned()).ok_or_else(|| Failure::malformed("The choice", "not one of the numbers"))
}

fn in_words(name: &str) -> &str {
    match name {
        "email" => "reserved email: scan a QR, read a code in a mail",
        "keyfile" => "key file",
        "sheet" => "recovery sheet: one of its codes",
        "questions" => "three security questions",
        "desk" => "the support desk: send a file or a photo, get a grant or digits",
        "seccode" => "by telephone",
        other => other,
    }
}

/// Proves one part after the other, until there is a ticket.
fn prove(device: &Device, options: &Forgot, path: &str, opened: Value, report: Report) -> Result<String, Failure> {
    let mut shown = opened;
    loop {
        show(options, &shown, report)?;
        let proof = proof(options, &shown)?;
        match device.call("POST", &format!("{path}/proof"), Some(&proof), None, PATIENCE) {
            Ok(answer) => match answer["ticket"].as_str() {
                Some(ticket) => return Ok(ticket.to_owned()),
                None if answer["more"] == true => {
                    report.aside("That is right. One more proof is asked for.");
                    shown = call(device, "GET", path, None)?;
                }
                None => return Err(unreadable()),
            },
            // A person may try again, and is told what is left; a script decides for itself.
            Err(CallError::Refused(problem)) if ask::is_person() && problem.tries_left.is_some_and(|left| left > 0) => {
                let left = problem.tries_left.unwrap_or_default();
                report.aside(&format!("{} {} tries are left.", problem.title, left));
                shown = call(device, "GET", path, None)?;
            }
            Err(error) => return Err(lan::called(&error)),
        }
    }
}

/// What the device shows for the next part.
fn show(options: &Forgot, shown: &Value, report: Report) -> Result<(), Failure> {
    if let Some(file) = &options.request
        && let Some(xml) = shown["request_xml"].as_str()
    {
        files::make_public(file, xml.as_bytes())?;
        report.aside(&format!("The request is in {}: send it to who sold the device.", file.display()));
    }
    if report.json {
        report.done("", &json!({ "step": "opened", "recovery": shown }));
        return Ok(());
    }
    if let Some(text) = shown["qr_text"].as_str() {
        report.aside(&qr::half_blocks(text).ok_or_else(unreadable)?);
        report.aside("Scan this with a phone, and read what it says.");
    }
    if let Some(to) = shown["masked_address"].as_str() {
        report.aside(&format!("The code goes to {}.", plain(to)));
    }
    if let Some(question) = shown["question"].as_str() {
        report.aside(&format!("Tell the desk this number: {}", plain(question)));
    }
    Ok(())
}

/// The proof of the part that is next.
fn proof(options: &Forgot, shown: &Value) -> Result<Value, Failure> {
    let parts = shown["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let next = parts.iter().find(|part| part["proven"] == false).unwrap_or(shown);
    Ok(match next["method"].as_str().unwrap_or_default() {
        "keyfile" => {
            let file = match &options.key_file {
                Some(file) => file.clone(),
                None => ask::line("The key file:")?.as_str().into(),
            };
            json!({ "key_file": files::text(&file)?.as_str() })
        }
        "sheet" => json!({ "sheet_code": ask::line("A code of the sheet:")?.as_str() }),
        "questions" => {
            let mut answers = Vec::new();
            for question in shown["questions"].as_array().into_iter().flatten() {
                let text = plain(question["text"].as_str().unwrap_or_default());
                answers.push(json!({ "id": question["id"], "answer": ask::line(&text)?.as_str() }));
            }
            json!({ "answers": answers })
        }
        "desk" => match &options.grant {
            Some(file) => json!({ "grant": files::text(file)?.as_str() }),
            None => {
                let typed = ask::line("The eight digits of the desk, or the grant file:")?;
                let digits = typed.chars().filter(|c| !c.is_whitespace()).all(|c| c.is_ascii_digit());
                if digits {
                    json!({ "code": typed.as_str() })
                } else {
                    json!({ "grant": files::text(typed.trim().as_ref())?.as_str() })
                }
            }
        },
        _ => json!({ "code": ask::line("The code:")?.as_str() }),
    })
}

/// The new password, the restart, and a login that proves it.
fn set(device: &Device, options: &Forgot, path: &str, ticket: &str, report: Report) -> Result<(), Failure> {
    let username = match &options.username {
        Some(name) => name.clone(),
        None if ask::is_person() => match ask::line("The administrator's name [admin]:")?.trim() {
            "" => "admin".to_owned(),
            name => name.to_owned(),
        },
        None => "admin".to_owned(),
    };
    let before = start_time(device);
    let password = loop {
        let password = ask::new_password()?;
        let body = json!({ "ticket": ticket, "password": password.as_str() });
        match device.call("PUT", &format!("{path}/password"), Some(&body), None, PATIENCE) {
            Ok(_) => break password,
            Err(CallError::Refused(problem)) if problem.name == "weak-password" && ask::is_person() => {
                report.aside(&format!("{} {}", problem.title, problem.detail));
            }
            Err(error) => return Err(lan::called(&error)),
        }
    };
    report.aside("The new password is set. The device starts again …");
    log_in_again(device, before, &username, &password)?;
    let serial = device.serial();
    let text = format!("{serial} has its new password, and {username} logs in with it.");
    let data = json!({ "step": "done", "serial": serial, "device_id": device.id().to_string(), "logged_in": true });
    report.done(&text, &data);
    match &options.cameras.cameras {
        Some(selection) => cameras::run(&options.cameras, selection, &password, report),
        None => Ok(()),
    }
}

/// One of many: its request again, its own grant out of the file, the password of all.
pub(super) fn by_grant(device: &Device, options: &Forgot, grant: &str, password: &str) -> Result<(), Failure> {
    let opened = call(device, "POST", "/api/v1/recoveries", Some(&json!({ "method": "desk" })))?;
    let path = format!("/api/v1/recoveries/{}", crate::client::escape(opened["id"].as_str().ok_or_else(unreadable)?));
    let proof = json!({ "grant": grant });
    let proven = call(device, "POST", &format!("{path}/proof"), Some(&proof))?;
    let before = start_time(device);
    let body = json!({ "ticket": proven["ticket"].as_str().ok_or_else(unreadable)?, "password": password });
    call(device, "PUT", &format!("{path}/password"), Some(&body))?;
    log_in_again(device, before, options.username.as_deref().unwrap_or("admin"), password)
}

/// Waits for the restart, and proves the new password.
fn log_in_again(device: &Device, before: Option<u64>, username: &str, password: &str) -> Result<(), Failure> {
    until_back(device, before)?;
    let body = json!({ "username": username, "password": password });
    match device.call("POST", "/api/v1/sessions", Some(&body), None, PATIENCE) {
        Ok(answer) => {
            log_out(device, &answer);
            Ok(())
        }
        Err(CallError::Refused(problem)) if problem.name == "not-logged-in" => Err(Failure::new(
            "not-logged-in",
            format!("The new password is set, but it does not log in as {}.", plain(username)),
            "Log in with the administrator's own name; it is another one.",
        )),
        Err(error) => Err(lan::called(&error)),
    }
}

fn start_time(device: &Device) -> Option<u64> {
    device.call("GET", "/api/v1/device", None, None, PATIENCE).ok()?["start_time"].as_u64()
}

/// Each start has a later time than the one before.
fn until_back(device: &Device, before: Option<u64>) -> Result<(), Failure> {
    let end = Instant::now() + RESTART;
    while Instant::now() < end {
        if start_time(device).is_some_and(|now| Some(now) != before) {
            return Ok(());
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    Err(Failure::new(
        "unreachable",
        "The new password is set, but the device is not back after a minute.",
        "Look whether it is on; then log in with the new password.",
    ))
}

/// Ends a session that was only to prove something.
pub(super) fn log_out(device: &Device, session: &Value) {
    if let Some(token) = session["token"].as_str() {
        let _ = device.call("DELETE", "/api/v1/sessions/current", None, Some(token), PATIENCE);
    }
}

pub(super) fn call(device: &Device, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
    device.call(method, path, body, None, PATIENCE).map_err(|error| lan::called(&error))
}

pub(super) fn unreadable() -> Failure {
    Failure::new("not-possible", "The device's answer cannot be understood.", "Use this program's newest version.")
}
