//! The map: this computer, its links, and who is on each, with what is wrong beside it.

use std::sync::Arc;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use sparekey_lan::{Row, doctor::Finding};
use sparekey_web::page::{Page, html};

use super::{called, frame};
use crate::{app::App, watch::Picture};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/map", get(show))
}

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
    links: Vec<Link>,
    findings: Vec<Finding>,
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

async fn show(State(app): State<Arc<App>>) -> Response {
    let picture = app.picture();
    html(&Map { page: frame("Map").refresh(5), links: links(&picture), findings: picture.findings })
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
    let short = |text: String, most: usize| {
        if text.chars().count() > most { text.chars().take(most - 1).chain(['…']).collect() } else { text }
    };
    let is_wrong = row.serial.is_some() && findings.iter().any(|finding| finding.serial == row.serial);
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
