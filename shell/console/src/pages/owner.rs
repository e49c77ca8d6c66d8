//! What takes a login: a key file, a sheet, the device's own record, its network.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_lan::{Row, device::Session};
use sparekey_protocol::Time;
use sparekey_web::{
    assets::REVEAL,
    csrf::{FormToken, GuardedForm},
    messages,
    page::{Page, Width, html},
    problem::Problem,
};
use zeroize::Zeroizing;

use super::{answer, download, file_name, frame_of, row, troubled};
use crate::app::{App, Trouble};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/devices/{id}/owner", get(form)).route("/devices/{id}/owner/{what}", post(act))
}

#[derive(Template)]
#[template(path = "owner.html")]
struct Owner {
    page: Page,
    token: FormToken,
    id: u32,
    username: String,
}

#[derive(Template)]
#[template(path = "told.html")]
struct Told {
    page: Page,
    id: u32,
    /// Over the lines.
    title: &'static str,
    lines: Vec<String>,
    hint: &'static str,
}

/// What is typed to log in.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Login {
    username: String,
    password: Zeroizing<String>,
}

fn owner(row: &Row, token: FormToken, username: &str, trouble: Option<&Trouble>) -> Response {
    let page = troubled(frame_of("As its owner", row).scripts([&REVEAL]), trouble);
    answer(&Owner { page, token, id: row.id, username: username.to_owned() }, trouble)
}

async fn form(State(app): State<Arc<App>>, Path(id): Path<u32>, token: FormToken) -> Result<Response, Problem> {
    Ok(owner(&row(&app, id)?, token, "admin", None))
}

async fn act(
    State(app): State<Arc<App>>,
    Path((id, what)): Path<(u32, String)>,
    token: FormToken,
    GuardedForm(login): GuardedForm<Login>,
) -> Result<Response, Problem> {
    let row = row(&app, id)?;
    let calls: &[(&str, &str)] = match what.as_str() {
        "key-file" => &[("POST", "/api/v1/key-file")],
        "sheet" => &[("POST", "/api/v1/sheet")],
        "record" => &[("GET", "/api/v1/events")],
        _ => return Err(messages::NOT_FOUND.into()),
    };
    let (username, password) = (login.username.trim().to_owned(), login.password.clone());
    let done = app
        .with(row.clone(), move |device| {
            let session = Session::begin(device, &username, &password)?;
            let body = json!({ "password": password.as_str() });
            let call = |(method, path): &(&str, &str)| session.call(method, path, (*method == "POST").then_some(&body));
            Ok(calls.iter().map(call).collect::<Result<Vec<_>, _>>()?)
        })
        .await;
    let answers = match done {
        Ok(answers) => answers,
        Err(trouble) => return Ok(owner(&row, token, &login.username, Some(&trouble))),
    };
    let first = &answers[0];
    Ok(match what.as_str() {
        "key-file" => download(first.as_str().unwrap_or_default().to_owned(), &format!("key-{}.xml", file_name(&row))),
        "sheet" => told(
            &row,
            "The new recovery sheet",
            strings(&first["codes"]),
            "Each opens the device once. They are shown this once: print them, and keep them apart from the device. The codes of the sheet before are void.",
        ),
        _ => told(&row, "What the device has on record", events(first), "The newest first, by the device's own clock."),
    })
}

fn told(row: &Row, title: &'static str, lines: Vec<String>, hint: &'static str) -> Response {
    html(&Told { page: frame_of(title, row).width(Width::Wide), id: row.id, title, lines, hint })
}

fn strings(values: &Value) -> Vec<String> {
    let texts = values.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.take(64).map(|text| text.chars().take(200).collect()).collect()
}

fn events(answer: &Value) -> Vec<String> {
    let line = |event: &Value| {
        let text = |member: &str| event[member].as_str().unwrap_or_default().chars().take(100).collect::<String>();
        let at = Time(event["at"].as_u64().unwrap_or_default()).rfc_3339();
        let count =
            event["count"].as_u64().filter(|count| *count > 1).map(|count| format!(" ×{count}")).unwrap_or_default();
        format!("{at}  {}{count}  {} {}", text("what"), text("method"), text("from")).trim_end().to_owned()
    };
    answer["events"].as_array().into_iter().flatten().take(500).map(line).collect()
}
