//! The map: this computer, its links, and who is on each, with what is wrong beside it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use sparekey_lan::{Row, doctor::Finding};
use sparekey_web::{
    csrf::{FormToken, GuardedForm},
    page::{Page, html},
};

use super::{ROWS, called, frame};
use crate::{app::App, watch::Picture};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/map", get(show)).route("/map/now", get(now)).route("/map/check", post(check))
}

/// A form with nothing to fill in.
#[derive(Deserialize)]
struct Nothing {}

/// Devices that are drawn on one link; the list has all.
const MOST: usize = 60;
/// Devices side by side, and how large each is drawn.
const ACROSS: usize = 6;
const WIDTH: usize = 190;
const HEIGHT: usize = 64;

#[derive(Template)]
#[template(path = "map.html")]
struct Map {
    page: Page,
    token: FormToken,
    drawn: Drawn,
}

/// What changes while the page is open.
#[derive(Template)]
#[template(path = "map_now.html")]
struct Drawn {
    links: Vec<Link>,
    findings: Vec<Finding>,
    calls: bool,
}

impl Drawn {
    fn of(picture: Picture) -> Self {
        Self { links: links(&picture), findings: picture.findings, calls: picture.calls }
    }
}

/// One interface, and all that is seen on it.
struct Link {
    name: String,
    addresses: String,
    /// What hinders on it.
    wrong: bool,
    devices: Vec<Dot>,
    left_out: usize,
    height: usize,
    width: usize,
}

/// One device, where it is drawn.
struct Dot {
    id: u32,
    x: usize,
    y: usize,
    name: String,
    address: String,
    /// How it is drawn: ours, another's, one with trouble.
    class: &'static str,
}

async fn show(State(app): State<Arc<App>>, token: FormToken) -> Response {
    html(&Map { page: frame("Map").scripts([&ROWS]).refresh(5), token, drawn: Drawn::of(app.picture()) })
}

async fn now(State(app): State<Arc<App>>) -> Response {
    html(&Drawn::of(app.picture()))
}

/// Calls every Sparekey device: clocks, and who answers by which address, show only so.
async fn check(State(app): State<Arc<App>>, GuardedForm(Nothing {}): GuardedForm<Nothing>) -> Response {
    app.call_devices();
    Redirect::to("/map").into_response()
}

fn links(picture: &Picture) -> Vec<Link> {
    let link = |here: &crate::watch::Here| {
        let on: Vec<_> = picture.rows.iter().filter(|row| row.interface == here.name && !row.gone).collect();
        let dots: Vec<_> =
            on.iter().take(MOST).enumerate().map(|(place, row)| dot(place, row, &picture.findings)).collect();
        let lines = dots.len().div_ceil(ACROSS).max(1);
        Link {
            name: here.name.clone(),
            addresses: here.addresses.join("  "),
            wrong: picture
                .findings
                .iter()
                .any(|finding| finding.hinders && finding.interface.as_ref() == Some(&here.name)),
            left_out: on.len() - dots.len(),
            height: 96 + lines * (HEIGHT + 20),
            width: ACROSS * (WIDTH + 12) + 12,
            devices: dots,
        }
    };
    picture.interfaces.iter().map(link).collect()
}

fn dot(place: usize, row: &Row, findings: &[Finding]) -> Dot {
    // Serial numbers differ at their ends, and addresses at theirs.
    let short = |text: String, most: usize| {
        let letters: Vec<_> = text.chars().collect();
        if letters.len() <= most {
            return text;
        }
        let (front, back) = (most / 3, most - most / 3 - 1);
        letters[..front].iter().chain(&['…']).chain(&letters[letters.len() - back..]).collect()
    };
    let concerns = |finding: &Finding| {
        finding.serial.is_some() && finding.serial == row.serial
            || finding.address.is_some_and(|address| row.has_address(address.into()))
    };
    let is_wrong = findings.iter().any(concerns);
    let class = match (is_wrong || row.network.is_some(), row.device_id.is_some()) {
        (true, _) => "dot wrong",
        (false, true) => "dot ours",
        (false, false) => "dot",
    };
    Dot {
        id: row.id,
        x: 12 + place % ACROSS * (WIDTH + 12),
        y: 92 + place / ACROSS * (HEIGHT + 20),
        name: short(called(row), 22),
        address: short(row.addresses.first().cloned().unwrap_or_default(), 26),
        class,
    }
}
