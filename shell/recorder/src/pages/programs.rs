//! Other people's programs: an account for them, and where the cameras are.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use sparekey_agent::guest::Owner;
use sparekey_web::{
    csrf::{FormToken, GuardedForm},
    page::{Page, html},
    problem::Problem,
};

use super::frame;
use crate::{api::disk, recorder::Inside, rtsp::USERNAME};

pub(super) fn router() -> Router<Arc<Inside>> {
    Router::new().route("/programs", get(show).post(draw)).route("/programs/remove", post(remove))
}

#[derive(Template)]
#[template(path = "programs.html")]
struct Programs {
    page: Page,
    token: FormToken,
    username: &'static str,
    /// Drawn just now, to be read once.
    password: String,
    port: Option<u16>,
    /// Name, and path of each camera.
    cameras: Vec<(String, String)>,
}

fn page(owner: &Owner, recorder: &Inside, token: FormToken, password: String) -> Response {
    let page = frame(&owner.house, recorder, "Other programs");
    let port = recorder.settings().programs.as_ref().map(|account| account.port);
    let cameras = recorder.cameras().into_iter().map(|(camera, _)| (camera.name, format!("camera/{}/main", camera.id)));
    html(&Programs { page, token, username: USERNAME, password, port, cameras: cameras.collect() })
}

async fn show(owner: Owner, State(recorder): State<Arc<Inside>>, token: FormToken) -> Response {
    page(&owner, &recorder, token, String::new())
}

/// Nothing to fill in.
#[derive(Deserialize)]
struct Nothing {}

async fn draw(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    token: FormToken,
    GuardedForm(Nothing {}): GuardedForm<Nothing>,
) -> Result<Response, Problem> {
    let account = recorder.draw_account(None).map_err(disk)?;
    Ok(page(&owner, &recorder, token, account.password.expose().to_owned()))
}

async fn remove(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    GuardedForm(Nothing {}): GuardedForm<Nothing>,
) -> Result<Response, Problem> {
    recorder.set_account(None).map_err(disk)?;
    Ok(Redirect::to("/programs").into_response())
}
