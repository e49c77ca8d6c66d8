//! Many devices at once, by the desk: one file out, one file of grants in, one new password.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use sparekey_lan::{
    Row, batch,
    device::{Proven, Recovery},
};
use sparekey_protocol::files::{self, Document, Entry};
use sparekey_web::{
    assets::{POLL, REVEAL},
    csrf::{FormToken, GuardedForm},
    messages,
    page::{Page, html},
    problem::Problem,
    upload::GuardedUpload,
};
use zeroize::Zeroizing;

use super::{DROP, answer, download, frame, troubled};
use crate::{
    app::{App, Trouble},
    jobs::Progress,
};

const FROM_THE_DESK: &str = "Hand over the file that came back from the desk.";

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/many/request", post(request))
        .route("/many/grant", get(form).post(grant))
        .route("/jobs/{number}", get(show))
        .route("/jobs/{number}/state", get(state))
        .route("/jobs/{number}/files/{place}", get(file))
}

/// The devices that boxes of the list stand for: `d17=on`.
fn chosen(app: &App, fields: &BTreeMap<String, String>) -> Vec<Row> {
    let ids: Vec<u32> = fields.keys().filter_map(|name| name.strip_prefix('d')?.parse().ok()).collect();
    app.picture().rows.into_iter().filter(|row| ids.contains(&row.id) && row.device_id.is_some()).collect()
}

#[derive(Template)]
#[template(path = "nobody.html")]
struct Nobody {
    page: Page,
}

fn nobody() -> Response {
    let trouble =
        Trouble::new("No device is chosen.", "Choose devices of yours in the list, those with a box before them.");
    answer(&Nobody { page: troubled(frame("Nobody is chosen"), Some(&trouble)) }, Some(&trouble))
}

/// Asks each for its request to the desk.
async fn request(State(app): State<Arc<App>>, GuardedForm(fields): GuardedForm<BTreeMap<String, String>>) -> Response {
    let rows = chosen(&app, &fields);
    if rows.is_empty() {
        return nobody();
    }
    let asked = Arc::clone(&app);
    let ask = move |row: &Row| {
        let opened = asked.meet(row).and_then(|device| Ok(Recovery::open(&device, "desk", None)?)).map_err(told)?;
        match files::parse(opened.shown()["request_xml"].as_str().unwrap_or_default().as_bytes()) {
            Ok(Document::Request(request)) => Ok(request),
            _ => Err((
                "The device's answer cannot be understood.".to_owned(),
                "Use this program's newest version.".to_owned(),
            )),
        }
    };
    let number = app.jobs.begin("asked", rows, ask, |requests| {
        batch::pack(&requests).unwrap_or_default().iter().map(|text| text.as_str().to_owned()).collect()
    });
    Redirect::to(&format!("/jobs/{number}")).into_response()
}

fn told(trouble: Trouble) -> (String, String) {
    (trouble.banner.title, trouble.banner.detail)
}

#[derive(Template)]
#[template(path = "grant.html")]
struct Grants {
    page: Page,
    token: FormToken,
    rows: Vec<Row>,
    username: String,
}

fn grants(rows: Vec<Row>, token: FormToken, username: &str, trouble: Option<&Trouble>) -> Response {
    let page = troubled(frame("Hand over grants").scripts([&REVEAL, &DROP]), trouble);
    answer(&Grants { page, token, rows, username: username.to_owned() }, trouble)
}

async fn form(
    State(app): State<Arc<App>>,
    token: FormToken,
    Query(fields): Query<BTreeMap<String, String>>,
) -> Response {
    let rows = chosen(&app, &fields);
    if rows.is_empty() { nobody() } else { grants(rows, token, "admin", None) }
}

/// What is handed over. Which devices are meant stands in `devices`, numbers with spaces between.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Handed {
    devices: String,
    username: String,
    password: Zeroizing<String>,
    again: Zeroizing<String>,
    file: Zeroizing<String>,
}

async fn grant(
    State(app): State<Arc<App>>,
    token: FormToken,
    GuardedUpload(handed): GuardedUpload<Handed>,
) -> Response {
    let fields = handed.devices.split(' ').map(|id| (format!("d{id}"), String::new())).collect();
    let rows = chosen(&app, &fields);
    if rows.is_empty() {
        return nobody();
    }
    let trouble = if *handed.password != *handed.again {
        Some(Trouble::new("The two passwords are not the same.", "Type the new one twice."))
    } else {
        match files::parse(handed.file.as_bytes()) {
            Ok(Document::Grant(_)) => None,
            Ok(Document::Batch(entries)) if entries.iter().any(|entry| matches!(entry, Entry::Grant(_))) => None,
            Ok(_) => Some(Trouble::new("There is no grant in this file.", FROM_THE_DESK)),
            Err(error) => Some(Trouble::new(format!("This file cannot be read: {error}."), FROM_THE_DESK)),
        }
    };
    if let Some(trouble) = trouble {
        return grants(rows, token, &handed.username, Some(&trouble));
    }
    let asked = Arc::clone(&app);
    let set = move |row: &Row| {
        let device = asked.meet(row).map_err(told)?;
        let done = || {
            let mut recovery = Recovery::open(&device, "desk", None)?;
            let Proven::Ticket(ticket) = recovery.prove(&device, &json!({ "grant": handed.file.as_str() }))? else {
                return Err(Trouble::new("This device asks for a second proof.", "Open it by itself."));
            };
            recovery.set_password(&device, &ticket, &handed.password)?.log_in(
                &device,
                handed.username.trim(),
                &handed.password,
            )?;
            Ok(())
        };
        done().map_err(told)
    };
    let number = app.jobs.begin("opened", rows, set, |_| Vec::new());
    Redirect::to(&format!("/jobs/{number}")).into_response()
}

#[derive(Template)]
#[template(path = "job.html")]
struct Job {
    page: Page,
    number: u32,
    state: Told,
}

#[derive(Template)]
#[template(path = "job_state.html")]
struct Told {
    number: u32,
    progress: Progress,
}

impl Told {
    fn failed(&self) -> usize {
        self.progress.outcomes.iter().filter(|outcome| outcome.trouble.is_some()).count()
    }
}

fn progress(app: &App, number: u32) -> Result<Told, Problem> {
    let progress = app.jobs.progress(number).ok_or_else(|| Problem::new(messages::NOT_FOUND))?;
    Ok(Told { number, progress })
}

async fn show(State(app): State<Arc<App>>, Path(number): Path<u32>) -> Result<Response, Problem> {
    let state = progress(&app, number)?;
    let page = frame("Many at once").scripts([&POLL]);
    let page = if state.progress.over { page } else { page.refresh(2) };
    Ok(html(&Job { page, number, state }))
}

async fn state(State(app): State<Arc<App>>, Path(number): Path<u32>) -> Result<Response, Problem> {
    Ok(html(&progress(&app, number)?))
}

async fn file(State(app): State<Arc<App>>, Path((number, place)): Path<(u32, usize)>) -> Result<Response, Problem> {
    let mut progress = progress(&app, number)?.progress;
    if place >= progress.files.len() {
        return Err(messages::NOT_FOUND.into());
    }
    Ok(download(progress.files.swap_remove(place), &format!("requests-{}.xml", place + 1)))
}
