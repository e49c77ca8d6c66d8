//! `sparekey forgot`: back into one device, by whichever way is ready.

use serde_json::{Value, json};
use sparekey_lan::{
    device::{CallError, Device, Proven, Recovery, Restart},
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
pub(crate) fn run(options: &Forgot, report: Report) -> Result<(), Failure> {
    if let Some(chosen) = chosen::read(&options.many)? {
        return batch::run(options, chosen, report);
    }
    let device = find::device_or_help(&options.whom, options.language.as_deref(), report)?;
    let way = choose(&device, options, report)?;
    let mut recovery = Recovery::open(&device, &way, options.contact).map_err(|error| lan::called(&error))?;
    // A further run asks for the same request again, and hands its grant over.
    if way == "desk" && options.request.is_some() && options.grant.is_none() && !ask::is_person() {
        show(options, recovery.shown(), report)?;
        let serial = device.serial();
        let text = format!("{serial} waits for its grant:  sparekey forgot {serial} --way desk --grant FILE");
        report.done(&text, &json!({ "step": "asked", "serial": serial, "request": options.request }));
        return Ok(());
    }
    let ticket = prove(&device, options, &mut recovery, report)?;
    set(&device, options, &recovery, &ticket, report)
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
fn prove(device: &Device, options: &Forgot, recovery: &mut Recovery, report: Report) -> Result<String, Failure> {
    loop {
        show(options, recovery.shown(), report)?;
        let proof = proof(options, recovery)?;
        match recovery.prove(device, &proof) {
            Ok(Proven::Ticket(ticket)) => return Ok(ticket),
            Ok(Proven::More) => report.aside("That is right. One more proof is asked for."),
            // A person may try again, and is told what is left; a script decides for itself.
            Err(CallError::Refused(problem)) if ask::is_person() && problem.tries_left.is_some_and(|left| left > 0) => {
                let left = problem.tries_left.unwrap_or_default();
                report.aside(&format!("{} {} tries are left.", problem.title, left));
                recovery.look(device).map_err(|error| lan::called(&error))?;
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
    // Where a file goes out or comes in, nobody scans.
    let by_file = options.request.is_some() || options.grant.is_some();
    if let Some(text) = shown["qr_text"].as_str().filter(|_| !by_file) {
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
fn proof(options: &Forgot, recovery: &Recovery) -> Result<Value, Failure> {
    Ok(match recovery.next() {
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
            for question in recovery.shown()["questions"].as_array().into_iter().flatten() {
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
fn set(device: &Device, options: &Forgot, recovery: &Recovery, ticket: &str, report: Report) -> Result<(), Failure> {
    let username = match &options.username {
        Some(name) => name.clone(),
        None if ask::is_person() => match ask::line("The administrator's name [admin]:")?.trim() {
            "" => "admin".to_owned(),
            name => name.to_owned(),
        },
        None => "admin".to_owned(),
    };
    let (password, restart) = loop {
        let password = ask::new_password()?;
        match recovery.set_password(device, ticket, &password) {
            Ok(restart) => break (password, restart),
            Err(CallError::Refused(problem)) if problem.name == "weak-password" && ask::is_person() => {
                report.aside(&format!("{} {}", problem.title, problem.detail));
            }
            Err(error) => return Err(lan::called(&error)),
        }
    };
    report.aside("The new password is set. The device starts again …");
    log_in_again(device, restart, &username, &password)?;
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
    let called = |error: CallError| lan::called(&error);
    let mut recovery = Recovery::open(device, "desk", None).map_err(called)?;
    let Proven::Ticket(ticket) = recovery.prove(device, &json!({ "grant": grant })).map_err(called)? else {
        let happened = format!("{} asks for a second proof.", device.serial());
        return Err(Failure::new(
            "more",
            happened,
            "Open it by itself:  sparekey forgot SERIAL --way desk --grant FILE",
        ));
    };
    let restart = recovery.set_password(device, &ticket, password).map_err(called)?;
    log_in_again(device, restart, options.username.as_deref().unwrap_or("admin"), password)
}

/// Waits for the restart, and proves the new password.
fn log_in_again(device: &Device, restart: Restart, username: &str, password: &str) -> Result<(), Failure> {
    restart.log_in(device, username, password).map_err(|error| match error {
        CallError::Refused(problem) if problem.name == "not-logged-in" => Failure::new(
            "not-logged-in",
            format!("The new password is set, but it does not log in as {}.", plain(username)),
            "Log in with the administrator's own name; it is another one.",
        ),
        CallError::Unreachable(..) => Failure::new(
            "unreachable",
            "The new password is set, but the device does not answer.",
            [lan::called(&error).to_do.as_str(), "Log in with the new password once it is back."].join(" "),
        ),
        error => lan::called(&error),
    })
}

pub(super) fn unreadable() -> Failure {
    Failure::new("not-possible", "The device's answer cannot be understood.", "Use this program's newest version.")
}
