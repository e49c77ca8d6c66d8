//! `sparekey desk …`: the desk from a terminal. It shows what the service says, and decides nothing.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    cli::{Desk, DeskCommand, DeskGrant, DeskList, DeskOpen},
    client::{Client, escape, plain},
    failure::Failure,
    files,
    report::Report,
};

/// The largest photo that a service takes.
const LONGEST: u64 = 12 * 1024 * 1024;

pub(crate) fn run(options: &Desk, report: Report) -> Result<(), Failure> {
    let client = Client::new(&options.service, &options.token, options.ca.as_deref())?;
    let case = |number: &str, rest: &str| format!("/v1/cases/{}{rest}", escape(number));
    match &options.command {
        DeskCommand::Open(options) => open(&client, options, report),
        DeskCommand::List(options) => list(&client, options, report),
        DeskCommand::Show(one) => {
            let view = client.get(&case(&one.case, ""))?.json()?;
            report.done(&shown(&view), &view);
            Ok(())
        }
        DeskCommand::Note(note) => {
            let view = client.post(&case(&note.case, "/notes"), &json!({ "text": note.text }))?.json()?;
            stands(&view, report)
        }
        DeskCommand::Attach(attach) => {
            let contents = read(&attach.file)?;
            let kind = picture(&contents).unwrap_or("application/pdf");
            let path = case(&attach.case, &format!("/evidence?name={}", escape(&attach.name)));
            stands(&client.send("POST", &path, Some(kind), contents)?.json()?, report)
        }
        DeskCommand::Evidence(evidence) => {
            let place =
                evidence.place.checked_sub(1).ok_or_else(|| Failure::malformed("PLACE", "they count from 1"))?;
            let answer = client.get(&case(&evidence.case, &format!("/evidence/{place}")))?;
            files::make_private(&evidence.out, &answer.body)?;
            let data = json!({ "case": evidence.case, "out": evidence.out, "bytes": answer.body.len() });
            report.done(&format!("Written: {}", evidence.out.display()), &data);
            Ok(())
        }
        DeskCommand::Check(check) => {
            let item = check.item.checked_sub(1).ok_or_else(|| Failure::malformed("ITEM", "items count from 1"))?;
            let body = json!({ "item": item, "done": !check.undo });
            stands(&client.post(&case(&check.case, "/checklist"), &body)?.json()?, report)
        }
        DeskCommand::HandOver(to) => {
            let body = json!({ "organisation": to.to });
            stands(&client.post(&case(&to.case, "/hand-over"), &body)?.json()?, report)
        }
        DeskCommand::Approve(one) => {
            stands(&client.send("POST", &case(&one.case, "/approve"), None, Vec::new())?.json()?, report)
        }
        DeskCommand::Refuse(refuse) => {
            let body = json!({ "reason": refuse.reason });
            stands(&client.post(&case(&refuse.case, "/refuse"), &body)?.json()?, report)
        }
        DeskCommand::Grant(options) => grant(&client, options, &case(&options.case, "/grant"), report),
        DeskCommand::Key(options) => {
            let body = json!({ "entry": options.entry - 1 });
            let key = client.post(&case(&options.case, "/key"), &body)?.json()?;
            report.aside(&format!("For {}. It is shown once:", text(&key, "serial")));
            report.done(&text(&key, "code"), &key);
            Ok(())
        }
    }
}

fn open(client: &Client, options: &DeskOpen, report: Report) -> Result<(), Failure> {
    let Some(file) = &options.file else {
        let call = json!({ "serial": options.serial, "question": options.question });
        let mut body = said(options);
        body["call"] = call;
        return opened(client.post("/v1/cases", &body)?.json()?, report);
    };
    let contents = read(file)?;
    let kind = picture(&contents);
    let answer = match kind {
        Some(kind) => {
            let beside = [
                ("name", &options.name),
                ("contact", &options.contact),
                ("language", &options.language),
                ("note", &options.note),
            ];
            let beside = beside.iter().filter(|(_, said)| !said.is_empty());
            let query: Vec<String> = beside.map(|(name, said)| format!("{name}={}", escape(said))).collect();
            client.send("POST", &format!("/v1/cases?{}", query.join("&")), Some(kind), contents)?
        }
        None => {
            let text = String::from_utf8(contents)
                .map_err(|_| Failure::malformed(&file.display().to_string(), "neither a picture nor a text"))?;
            let from =
                if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') { "file" } else { "request" };
            let value = if from == "file" { text } else { text.trim().to_owned() };
            let mut body = said(options);
            body[from] = value.into();
            client.post("/v1/cases", &body)?
        }
    };
    opened(answer.json()?, report)
}

/// What stands beside a request.
fn said(options: &DeskOpen) -> Value {
    json!({ "name": options.name, "contact": options.contact, "language": options.language, "note": options.note })
}

/// Says which case it is, and which of its requests cannot be answered.
fn opened(mut view: Value, report: Report) -> Result<(), Failure> {
    let number = text(&view, "number");
    for entry in view["requests"].as_array().into_iter().flatten() {
        if let Some(refused) = entry["refused"].as_str() {
            let place = entry["entry"].as_u64().unwrap_or(0) + 1;
            report.aside(&format!("Request {place} cannot be answered: {}.", plain(refused)));
        }
    }
    view["case"] = number.clone().into();
    report.done(&number, &view);
    Ok(())
}

fn list(client: &Client, options: &DeskList, report: Report) -> Result<(), Failure> {
    let mut query = String::from("?");
    for (name, value) in [("state", &options.state), ("text", &options.find)] {
        if let Some(value) = value {
            query.push_str(&format!("{name}={}&", escape(value)));
        }
    }
    let mut before = String::new();
    loop {
        let page = client.get(&format!("/v1/cases{query}{before}"))?.json()?;
        for line in page["cases"].as_array().into_iter().flatten() {
            let requests = line["requests"].as_u64().unwrap_or(1);
            let more = if requests > 1 { format!(" and {} more", requests - 1) } else { String::new() };
            let words = format!(
                "{:14} {:9} {}{more}  {}",
                text(line, "number"),
                text(line, "state"),
                text(line, "serial"),
                text(line, "opened_by"),
            );
            report.done(&words, line);
        }
        let Some(next) = page["next"].as_i64() else { return Ok(()) };
        before = format!("before={next}");
    }
}

fn grant(client: &Client, options: &DeskGrant, path: &str, report: Report) -> Result<(), Failure> {
    let mut written = Vec::new();
    let mut parts = 1;
    let mut part = 1;
    while part <= parts {
        let answer = client.post(path, &json!({ "hours": options.hours, "part": part }))?;
        let of = answer.headers.get("sparekey-parts").and_then(|value| value.to_str().ok()?.parse().ok());
        parts = of.unwrap_or(1);
        let place = place(&options.out, part);
        files::make_public(&place, &answer.body)?;
        written.push(place.display().to_string());
        part += 1;
    }
    let data = json!({ "case": options.case, "number": options.case, "files": written, "out": options.out });
    report.done(&format!("Written: {}", written.join(", ")), &data);
    Ok(())
}

/// `FILE`, then `FILE-2`, `FILE-3`, … before the end of the name.
pub(crate) fn place(out: &Path, part: u32) -> PathBuf {
    if part == 1 {
        return out.to_owned();
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let end = out.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    out.with_file_name(format!("{stem}-{part}{end}"))
}

fn stands(view: &Value, report: Report) -> Result<(), Failure> {
    let words = format!("Case {} is {}.", text(view, "number"), text(view, "state"));
    report.done(&words, view);
    Ok(())
}

/// A case for people.
fn shown(view: &Value) -> String {
    let mut lines = vec![format!("Case {}: {}", text(view, "number"), text(view, "state"))];
    lines.push(match (text(view, "source").as_str(), view["worked_by"].as_str()) {
        ("mail", None) => "Came by mail; nobody has worked on it yet".to_owned(),
        ("mail", Some(by)) => format!("Came by mail; {} was the first to work on it", plain(by)),
        (source, _) => format!("Opened by {} from a {source}", text(view, "opened_by")),
    });
    if let Some(by) = view["approved_by"].as_str() {
        lines.push(format!("Approved by {}", plain(by)));
    }
    for entry in view["requests"].as_array().into_iter().flatten() {
        let place = entry["entry"].as_u64().unwrap_or(0) + 1;
        match &entry["verified"] {
            Value::Null => lines.push(format!("Request {place} cannot be answered: {}", text(entry, "refused"))),
            verified => {
                lines.push(format!("Request {place}, verified:"));
                for name in ["serial", "model", "maker", "firmware", "question"] {
                    let said = text(verified, name);
                    if !said.is_empty() {
                        lines.push(format!("  {name:9} {said}"));
                    }
                }
            }
        }
        for claim in entry["claims"].as_array().into_iter().flatten() {
            lines.push(format!("  not borne out: {} {}", text(claim, "element"), text(claim, "text")));
        }
        if let Some(by) = entry["answer"]["by"].as_str() {
            lines.push(format!("  answered by {}", plain(by)));
        }
        for past in entry["history"].as_array().into_iter().flatten() {
            let number = past["number"].as_str().unwrap_or_default();
            lines.push(format!("  before: {} {} {}", text(past, "what"), plain(number), text(past, "state")));
        }
    }
    lines.push("Claimed, not verified:".to_owned());
    for name in ["name", "contact", "language"] {
        if let Some(said) = view["claimed"][name].as_str() {
            lines.push(format!("  {name:9} {}", plain(said)));
        }
    }
    for (item, place) in view["checklist"].as_array().into_iter().flatten().zip(1..) {
        let done = if item["done"] == true { "x" } else { " " };
        lines.push(format!("[{done}] {place} {}", text(item, "text")));
    }
    for fact in view["facts"].as_array().into_iter().flatten() {
        let said = plain(fact["text"].as_str().unwrap_or_default());
        lines.push(format!("- {} {} {said}", text(fact, "by"), text(fact, "what")).trim_end().to_owned());
    }
    lines.join("\n")
}

/// A member, fit for a terminal.
fn text(value: &Value, member: &str) -> String {
    plain(value[member].as_str().unwrap_or_default())
}

/// The content type of a picture, by how it begins.
fn picture(contents: &[u8]) -> Option<&'static str> {
    match contents {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut contents = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(LONGEST + 1).read_to_end(&mut contents)
    } else {
        File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut contents))
    };
    read.map_err(|error| {
        Failure::new("not-possible", format!("{} could not be read: {error}.", path.display()), "Check the path.")
    })?;
    if contents.len() as u64 > LONGEST {
        return Err(Failure::new(
            "too-large",
            format!("{} is longer than 12 MiB.", path.display()),
            "Send a smaller picture.",
        ));
    }
    Ok(contents)
}
