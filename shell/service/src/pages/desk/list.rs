//! `/desk`: the cases, the newest first.

use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use sparekey_cases::desk::State as CaseState;
use sparekey_web::csrf::FormToken;
use sparekey_web::page::{Page, html};
use sparekey_web::problem::Problem;

use super::session::Session;
use super::{Desk, filters};
use crate::desk::{CaseLine, Filter};
use crate::http::{App, error};
use crate::store::DeskId;

#[derive(Template)]
#[template(path = "desk/list.html")]
struct List {
    page: Page,
    desk: Desk,
    cases: Vec<CaseLine>,
    next: Option<i64>,
    state: String,
    text: String,
    /// Whether organisations are shown: the maker's operators see all.
    all: bool,
}

/// What is looked for. Whatever makes no sense finds everything.
#[derive(Default, Deserialize)]
struct Which {
    #[serde(default)]
    state: String,
    #[serde(default)]
    text: String,
    before: Option<i64>,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/desk", get(list))
}

async fn list(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    let Which { state, text, before } = which.map(|Query(which)| which).unwrap_or_default();
    let filter = Filter { state: CaseState::parse(&state), text: Some(text.clone()), before: before.map(DeskId) };
    let listed = app.service.desk().list(session.credential(), &filter).await.map_err(|error| error::desk(&error))?;
    let desk = Desk::new(&app, &session, token, "Cases", "cases");
    Ok(html(&List {
        page: desk.page.clone(),
        desk,
        cases: listed.lines,
        next: listed.next.map(|place| place.0),
        state,
        text,
        all: session.known.actor.organisation.is_none(),
    }))
}
