//! One camera, or several in step: live and what was recorded, on one timeline.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, RawQuery, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;
use sparekey_agent::guest::Owner;
use sparekey_footage::Moment;
use sparekey_web::{
    messages,
    page::{Page, html},
    problem::Problem,
};

use super::{LIVE, PLAYER, Shown, frame};
use crate::recorder::Inside;

/// As many are played in step.
const MOST: usize = 4;
/// What is offered to be saved: the last minute.
const OFFERED: u64 = 60_000;

pub(super) fn router() -> Router<Arc<Inside>> {
    Router::new()
        .route("/cameras/{id}", get(one))
        .route("/cameras/{id}/clip", get(clip))
        .route("/playback", get(several))
}

#[derive(Template)]
#[template(path = "player.html")]
struct Player {
    page: Page,
    cameras: Vec<Shown>,
    has_backup: bool,
    from: String,
    to: String,
}

fn player(owner: &Owner, recorder: &Inside, title: &str, cameras: Vec<Shown>) -> Player {
    let now = recorder.clock.now();
    let page = frame(&owner.house, recorder, title).scripts([&LIVE, &PLAYER]);
    let has_backup = recorder.settings().backup.is_some();
    Player { page, cameras, has_backup, from: local(now.before(OFFERED)), to: local(now) }
}

/// As a field of a form has it.
fn local(moment: Moment) -> String {
    crate::time::rfc3339(moment).get(..19).unwrap_or_default().to_owned()
}

async fn one(owner: Owner, State(recorder): State<Arc<Inside>>, Path(id): Path<u32>) -> Result<Response, Problem> {
    let (camera, running) = recorder.camera(id).ok_or_else(|| Problem::new(messages::NOT_FOUND))?;
    let shown = Shown::of(&camera, &running);
    Ok(html(&player(&owner, &recorder, &camera.name, vec![shown])))
}

/// Those that are asked for as `?camera=1&camera=2`, or the first ones.
async fn several(owner: Owner, State(recorder): State<Arc<Inside>>, RawQuery(query): RawQuery) -> Response {
    let asked: Vec<u32> = query
        .iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|pair| pair.strip_prefix("camera=")?.parse().ok())
        .collect();
    let all = recorder.cameras();
    let is_asked = |id: u32| asked.is_empty() || asked.contains(&id);
    let cameras = all.iter().filter(|(camera, _)| is_asked(camera.id)).take(MOST);
    let cameras = cameras.map(|(camera, running)| Shown::of(camera, running)).collect();
    html(&player(&owner, &recorder, "Playback", cameras))
}

/// A clip by its times, as a form gives them.
#[derive(Deserialize)]
pub(super) struct Wanted {
    from: String,
    to: String,
    what: String,
}

async fn clip(_: Owner, Path(id): Path<u32>, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let malformed = || Problem::new(messages::MALFORMED).detail("Give both times as in 2026-11-25T12:00:00.");
    let (from, to) = crate::time::local(&wanted.from).zip(crate::time::local(&wanted.to)).ok_or_else(malformed)?;
    let end = if wanted.what == "statement" { "statement" } else { "mp4" };
    Ok(Redirect::to(&format!("/api/v1/cameras/{id}/clip.{end}?from={from}&to={to}")).into_response())
}
