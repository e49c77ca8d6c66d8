//! Which cameras there are, and how they do.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sparekey_agent::guest::Owner;
use sparekey_web::{
    json::ApiJson,
    messages::{self, Message},
    problem::Problem,
};
use zeroize::Zeroizing;

use super::{camera, disk};
use crate::{
    camera as states,
    disk::{Stream, writer::Keep},
    recorder::{Inside, Running},
    secret::Secret,
    settings::{Camera, Rtsp, Source, rtsp},
};

/// The longest name.
const LONGEST_NAME: usize = 64;

const TOO_MANY: Message = Message {
    name: "too-many-cameras",
    status: StatusCode::CONFLICT,
    title: "This recorder has as many cameras as it takes.",
    detail: "Take one away that is not needed.",
};

/// A camera, as it is told: without its password.
#[derive(Serialize)]
struct Told {
    id: u32,
    name: String,
    /// Its address; empty for a file.
    url: String,
    small: String,
    username: String,
    record: bool,
    #[serde(flatten)]
    state: states::State,
    /// What a browser has to play; empty until the first picture came.
    codecs: String,
    width: u16,
    height: u16,
}

fn told((camera, running): (Camera, Arc<Running>)) -> Told {
    let tracks = running.stream(Stream::Main).and_then(|stream| stream.hub.tracks());
    let (width, height) = tracks.as_ref().map_or((0, 0), |tracks| tracks.video.size);
    let state = running.state();
    let (url, small, username) = match camera.source {
        Source::Rtsp(of) => (of.url.to_string(), of.small.map_or_else(String::new, Into::into), of.username),
        Source::File(_) => Default::default(),
    };
    let codecs = tracks.map_or_else(String::new, |tracks| tracks.codecs());
    Told { id: camera.id, name: camera.name, url, small, username, record: camera.record, state, codecs, width, height }
}

pub(super) async fn list(_: Owner, State(recorder): State<Arc<Inside>>) -> Json<Value> {
    let cameras: Vec<_> = recorder.cameras().into_iter().map(told).collect();
    Json(json!({ "cameras": cameras }))
}

pub(super) async fn show(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
) -> Result<Json<Value>, Problem> {
    camera(&recorder, id).map(|found| Json(json!(told(found))))
}

/// A new camera, or what changes of one. What is not said stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) name: Option<String>,
    /// Its address, with or without a name and a password in it.
    pub(crate) url: Option<String>,
    /// The address of its smaller pictures; empty: none.
    pub(crate) small: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Zeroizing<String>>,
    pub(crate) record: Option<bool>,
    pub(crate) udp: Option<bool>,
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(messages::MALFORMED).detail(detail)
}

fn name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let is_one = !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control);
    is_one.then(|| name.to_owned()).ok_or_else(|| malformed("Give the camera a name of at most 64 letters."))
}

/// Puts what is wanted into a camera's address.
fn address(of: &mut Rtsp, wanted: &Wanted) -> Result<(), Problem> {
    if let Some(url) = &wanted.url {
        let (url, username, password) = rtsp(url).map_err(malformed)?;
        of.url = url;
        if !username.is_empty() {
            (of.username, of.password) = (username, Secret::new(Zeroizing::new(password)));
        }
    }
    if let Some(small) = &wanted.small {
        of.small = if small.trim().is_empty() { None } else { Some(rtsp(small).map_err(malformed)?.0) };
    }
    if let Some(username) = &wanted.username {
        of.username = username.trim().chars().take(LONGEST_NAME).collect();
    }
    if let Some(password) = &wanted.password {
        of.password = Secret::new(password.clone());
    }
    of.udp = wanted.udp.unwrap_or(of.udp);
    Ok(())
}

pub(super) async fn add(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    ApiJson(wanted): ApiJson<Wanted>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = add_camera(&recorder, &wanted)?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// Adds a camera; its number.
pub(crate) fn add_camera(recorder: &Inside, wanted: &Wanted) -> Result<u32, Problem> {
    let name = name(wanted.name.as_deref().unwrap_or_default())?;
    let url = rtsp(wanted.url.as_deref().unwrap_or_default()).map_err(malformed)?.0;
    let mut of = Rtsp { url, small: None, username: String::new(), password: Secret::default(), udp: false };
    address(&mut of, wanted)?;
    let record = wanted.record.unwrap_or(true);
    let added = recorder.add(|id| Camera { id, name, source: Source::Rtsp(Box::new(of)), record }).map_err(disk)?;
    added.ok_or_else(|| Problem::new(TOO_MANY))
}

pub(super) async fn change(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    ApiJson(wanted): ApiJson<Wanted>,
) -> Result<StatusCode, Problem> {
    change_camera(&recorder, id, &wanted)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes a camera: nothing, if something of it cannot be.
pub(crate) fn change_camera(recorder: &Inside, id: u32, wanted: &Wanted) -> Result<(), Problem> {
    let (mut next, _) = camera(recorder, id)?;
    if let Some(wanted) = &wanted.name {
        next.name = name(wanted)?;
    }
    if let Source::Rtsp(of) = &mut next.source {
        address(of, wanted)?;
    }
    next.record = wanted.record.unwrap_or(next.record);
    recorder.change(id, |camera| *camera = next).map_err(disk)?;
    Ok(())
}

pub(super) async fn remove(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
) -> Result<StatusCode, Problem> {
    match recorder.remove(id).map_err(disk)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new(messages::NOT_FOUND)),
    }
}

/// The disk, the clock, and how much is kept.
pub(super) async fn recorder(_: Owner, State(recorder): State<Arc<Inside>>) -> Json<Value> {
    let (health, keep) = (recorder.health(), recorder.settings().keep);
    Json(json!({ "now": recorder.clock.now().0, "clock_ahead": recorder.clock.ahead(), "disk": health, "keep": keep }))
}

pub(super) async fn keep(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    ApiJson(keep): ApiJson<Keep>,
) -> Result<StatusCode, Problem> {
    recorder.keep(keep).map_err(disk)?;
    Ok(StatusCode::NO_CONTENT)
}
