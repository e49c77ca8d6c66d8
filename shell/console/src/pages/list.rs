//! The list: every device on the link, live; the same words as on the command line choose among them.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use sparekey_lan::{Row, Selection};
use sparekey_web::{
    csrf::FormToken,
    page::{Page, html},
};

use super::{DROP, ROWS, frame};
use crate::app::App;

/// The longest expression.
const LONGEST: usize = 400;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/", get(list)).route("/rows", get(rows))
}

/// How the list is shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    /// An expression as for `--select`, or words to be found anywhere.
    q: String,
    /// The column that it is sorted by; behind a `-`, downwards.
    sort: String,
}

/// The columns that it is sorted by, and what stands over them.
const COLUMNS: [(&str, &str); 6] = [
    ("state", "State"),
    ("vendor", "Vendor"),
    ("model", "Model"),
    ("serial", "Serial"),
    ("address", "Addresses"),
    ("found", "Found by"),
];

#[derive(Template)]
#[template(path = "list.html")]
struct List {
    page: Page,
    token: FormToken,
    shown: Shown,
    why: String,
    rows: Rows,
    poll: String,
}

#[derive(Template)]
#[template(path = "rows.html")]
struct Rows {
    rows: Vec<Row>,
    hidden: usize,
    findings: Vec<sparekey_lan::doctor::Finding>,
    columns: Vec<Column>,
}

/// What stands over a column.
struct Column {
    label: &'static str,
    /// Where it is sorted by this one, or the other way round if it is already.
    address: String,
    /// `ascending`, `descending`, or nothing.
    sorted: &'static str,
}

async fn list(State(app): State<Arc<App>>, token: FormToken, Query(shown): Query<Shown>) -> Response {
    let (rows, why) = found(&app, &shown);
    let page = frame("Devices").scripts([&ROWS, &DROP]).refresh(5);
    html(&List { page, token, why, rows, poll: address("/rows", &shown, &shown.sort), shown })
}

async fn rows(State(app): State<Arc<App>>, Query(shown): Query<Shown>) -> Response {
    html(&found(&app, &shown).0)
}

fn address(path: &str, shown: &Shown, sort: &str) -> String {
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    format!("{path}?q={}&sort={}", escaped(&shown.q), escaped(sort))
}

/// The rows that are shown, and why an expression is none.
fn found(app: &App, shown: &Shown) -> (Rows, String) {
    let picture = app.picture();
    let all = picture.rows.len();
    let q: String = shown.q.trim().chars().take(LONGEST).collect();
    let is_expression = q.contains(['=', '~', '!']);
    let selection = is_expression.then(|| Selection::parse(&q));
    let (mut rows, why) = match selection {
        Some(Ok(selection)) => {
            (picture.rows.into_iter().filter(|row| selection.takes(row)).collect::<Vec<_>>(), String::new())
        }
        Some(Err(error)) => (picture.rows, error.to_string()),
        None => (picture.rows.into_iter().filter(|row| row.matches(&q)).collect(), String::new()),
    };
    let (by, down) = match shown.sort.strip_prefix('-') {
        Some(by) => (by, true),
        None => (shown.sort.as_str(), false),
    };
    let key = |row: &Row| match by {
        "state" => row.state.unwrap_or_default().to_owned(),
        "vendor" => row.vendor.clone().unwrap_or_default(),
        "model" => row.model.clone().unwrap_or_default(),
        "serial" => row.serial.clone().unwrap_or_default(),
        "address" => row.addresses.first().cloned().unwrap_or_default(),
        "found" => row.found_by.join(" "),
        _ => String::new(),
    };
    rows.sort_by_key(key);
    if down {
        rows.reverse();
    }
    rows.sort_by_key(|row| row.gone);
    let columns = COLUMNS.map(|(name, label)| {
        let sorted = match (by == name, down) {
            (false, _) => "",
            (true, false) => "ascending",
            (true, true) => "descending",
        };
        let next = if sorted == "ascending" { format!("-{name}") } else { name.to_owned() };
        Column { label, address: address("/", shown, &next), sorted }
    });
    let columns = columns.into();
    let findings = picture.findings.into_iter().filter(|finding| finding.hinders).collect();
    (Rows { hidden: all - rows.len(), rows, findings, columns }, why)
}
