//! The pages: the list, one device, the way back into it, many at once, the map.

mod device;
mod list;
mod many;
mod map;
mod network;
mod owner;
mod recovery;

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use sparekey_lan::Row;
use sparekey_web::{
    assets::Asset,
    page::{Page, Width, html},
    problem::Problem,
};

use crate::{
    NAME,
    app::{App, Trouble},
    gate,
};

static ROWS: Asset = Asset::new("rows.js", include_bytes!("../../static/rows.js"));
static DROP: Asset = Asset::new("drop.js", include_bytes!("../../static/drop.js"));
pub(crate) static ASSETS: [&Asset; 2] = [&ROWS, &DROP];

pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/enter/{token}", get(gate::enter))
        .merge(list::router())
        .merge(device::router())
        .merge(network::router())
        .merge(owner::router())
        .merge(recovery::router())
        .merge(many::router())
        .merge(map::router())
}

/// A page of this window.
fn frame(title: impl Into<String>) -> Page {
    Page::new(title, NAME).width(Width::Wide)
}

/// A page of one device.
fn frame_of(title: impl Into<String>, row: &Row) -> Page {
    let note = [row.model.as_deref(), row.serial.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    Page::new(title, NAME).note(note)
}

/// The device of an address of ours.
fn row(app: &App, id: u32) -> Result<Row, Problem> {
    app.row(id).ok_or_else(|| Problem::new(sparekey_web::messages::NOT_FOUND))
}

/// A device hashes slowly, one caller after the other.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page, at the status of what went wrong on it.
fn answer(template: &impl Template, trouble: Option<&Trouble>) -> Response {
    let mut answer = html(template);
    if let Some(trouble) = trouble.filter(|_| answer.status() == StatusCode::OK) {
        *answer.status_mut() = trouble.status;
    }
    answer
}

/// A page again, with what went wrong on top.
fn troubled(page: Page, trouble: Option<&Trouble>) -> Page {
    page.banner(trouble.map(|trouble| trouble.banner.clone()))
}

/// By what a device is named: its serial number, or an address.
fn called(row: &Row) -> String {
    row.serial.clone().or_else(|| row.addresses.first().cloned()).unwrap_or_else(|| "a device".to_owned())
}

/// A file to keep. Its name is ours.
fn download(content: String, name: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/xml; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, content).into_response()
}

/// A serial number as part of a file's name.
fn file_name(row: &Row) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    called(row).chars().take(64).map(plain).collect()
}
