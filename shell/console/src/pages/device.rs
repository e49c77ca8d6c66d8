//! One device: what is known of it, and what can be done. Another vendor's: what its owner can do.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use sparekey_lan::{Guidance, Row, guidance};
use sparekey_web::{
    assets::REVEAL,
    csrf::{FormToken, GuardedForm},
    page::{Banner, Page, Tone, Width, html},
    problem::Problem,
};
use zeroize::Zeroizing;

use super::{PATIENCE, answer, called, frame_of, row, troubled};
use crate::app::{App, Trouble};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/devices/{id}", get(show)).route("/devices/{id}/activate", get(form).post(activate))
}

/// The ways, the likeliest first, in words.
pub(super) const WAYS: [(&str, &str, &str); 6] = [
    ("email", "Reserved email", "Scan a symbol, read a code in a mail"),
    ("keyfile", "Key file", "Hand over the file that was exported"),
    ("sheet", "Recovery sheet", "Type one of its codes"),
    ("questions", "Security questions", "Answer all three"),
    ("desk", "Support desk", "Send a file or a photo, get a grant or digits"),
    ("seccode", "Security code", "By telephone"),
];

#[derive(Template)]
#[template(path = "device.html")]
struct Device {
    page: Page,
    facts: Vec<(&'static str, String)>,
    ours: bool,
    active: bool,
    ways: Vec<Way>,
    row: Row,
}

/// A way back in, as the device says.
struct Way {
    name: &'static str,
    title: &'static str,
    what: &'static str,
    ready: bool,
    /// The name that the interface has for it, as words.
    why: String,
}

#[derive(Template)]
#[template(path = "other.html")]
struct Other {
    page: Page,
    facts: Vec<(&'static str, String)>,
    told: Guidance,
}

fn facts(row: &Row) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut facts = vec![
        ("Vendor", text(&row.vendor)),
        ("Model", text(&row.model)),
        ("Serial number", text(&row.serial)),
        ("Name", text(&row.name)),
        ("State", row.state.map_or_else(String::new, str::to_owned)),
        ("Firmware", text(&row.firmware)),
        ("Addresses", row.addresses.join(" ")),
        ("Hardware address", text(&row.mac)),
        ("Seen on", row.interfaces.join(" ")),
        ("Found by", row.found_by.join(", ")),
        ("Network", text(&row.network)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

async fn show(State(app): State<Arc<App>>, Path(id): Path<u32>, headers: HeaderMap) -> Result<Response, Problem> {
    let row = row(&app, id)?;
    if !row.is_ours() {
        let accepted =
            headers.get(http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let told = guidance(&row, accepted.split([',', ';']).next().unwrap_or_default());
        let mut page = frame_of(called(&row), &row).width(Width::Wide);
        page.lang = told.language;
        return Ok(html(&Other { page, facts: facts(&row), told }));
    }
    let (ours, active) = (row.device_id.is_some() && !row.gone, row.state == Some("active"));
    // The device itself knows best, and is asked once it has proven who it is; what it announced is a moment old.
    let met = if ours && active {
        app.with(row.clone(), |device| Ok(device.description().clone())).await.map(Some)
    } else {
        Ok(None)
    };
    let methods = met.as_ref().ok().and_then(Option::as_ref).map(|said| said["methods"].clone()).unwrap_or_default();
    let way = |(name, title, what): (&'static str, &'static str, &'static str)| {
        let said = methods.as_array().into_iter().flatten().find(|method| method["name"] == name);
        let ready =
            said.map_or_else(|| row.methods.iter().any(|method| method == name), |method| method["ready"] == true);
        let why = said.and_then(|method| method["why"].as_str()).unwrap_or_default();
        let why = why.chars().take(60).map(|letter| if letter == '-' { ' ' } else { letter }).collect();
        Way { name, title, what, ready, why }
    };
    let ways = WAYS.map(way).into();
    let page = troubled(frame_of(called(&row), &row).width(Width::Wide), met.as_ref().err());
    let waits = !ours && !row.gone;
    let mut answer = html(&Device { page, facts: facts(&row), ours, active, ways, row });
    if waits {
        // Its other announcement is a moment away; with and without scripts.
        answer.headers_mut().insert(http::header::REFRESH, HeaderValue::from_static("2"));
    }
    Ok(answer)
}

#[derive(Template)]
#[template(path = "activate.html")]
struct Activation {
    page: Page,
    token: FormToken,
    id: u32,
    typed: Typed,
}

/// What is typed to activate a device.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    username: String,
    password: Zeroizing<String>,
    again: Zeroizing<String>,
    email: String,
    second: String,
    transfer_code: Zeroizing<String>,
}

fn activation(row: &Row, token: FormToken, typed: Typed, trouble: Option<&Trouble>) -> Response {
    let page = troubled(frame_of("Activate", row).scripts([&REVEAL]), trouble);
    answer(&Activation { page, token, id: row.id, typed }, trouble)
}

async fn form(State(app): State<Arc<App>>, Path(id): Path<u32>, token: FormToken) -> Result<Response, Problem> {
    let row = row(&app, id)?;
    Ok(activation(&row, token, Typed { username: "admin".to_owned(), ..Typed::default() }, None))
}

async fn activate(
    State(app): State<Arc<App>>,
    Path(id): Path<u32>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Problem> {
    let row = row(&app, id)?;
    if *typed.password != *typed.again {
        let trouble = Trouble::new("The two passwords are not the same.", "Type the new one twice.");
        return Ok(activation(&row, token, typed, Some(&trouble)));
    }
    let emails: Vec<_> =
        [&typed.email, &typed.second].into_iter().map(|email| email.trim()).filter(|email| !email.is_empty()).collect();
    let mut body =
        json!({ "username": typed.username.trim(), "password": typed.password.as_str(), "reserved_emails": emails });
    if !typed.transfer_code.trim().is_empty() {
        body["transfer_code"] = typed.transfer_code.trim().into();
    }
    let done = app
        .with(row.clone(), move |device| Ok(device.call("POST", "/api/v1/activation", Some(&body), None, PATIENCE)?))
        .await;
    match done {
        Ok(_) => Ok(done_page(
            &row,
            Banner::new(
                Tone::Ok,
                "The device has an owner.",
                "Export a key file now, and confirm the reserved email on the device's own page: they bring you back in.",
            ),
        )),
        Err(trouble) => Ok(activation(&row, token, typed, Some(&trouble))),
    }
}

#[derive(Template)]
#[template(path = "done.html")]
struct Done {
    page: Page,
    id: u32,
}

/// That it is done.
pub(super) fn done_page(row: &Row, banner: Banner) -> Response {
    html(&Done { page: frame_of(called(row), row).banner(banner), id: row.id })
}

#[derive(Template)]
#[template(path = "stopped.html")]
struct Stopped {
    page: Page,
    id: u32,
}

/// That it does not go on, and why.
pub(super) fn stopped(row: &Row, trouble: &Trouble) -> Response {
    let page = troubled(frame_of(called(row), row), Some(trouble));
    answer(&Stopped { page, id: row.id }, Some(trouble))
}
