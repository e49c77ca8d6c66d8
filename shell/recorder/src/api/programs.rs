//! The account of other people's programs.

use std::{num::NonZeroU16, sync::Arc};

use axum::{Json, extract::State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_agent::guest::Owner;
use sparekey_web::{json::ApiJson, problem::Problem};

use super::disk;
use crate::{recorder::Inside, rtsp::USERNAME};

/// Whether there is one, and where; its password is told once, when it is drawn.
pub(super) async fn show(_: Owner, State(recorder): State<Arc<Inside>>) -> Json<Value> {
    let port = recorder.settings().programs.as_ref().map(|account| account.port);
    Json(json!({ "username": port.map(|_| USERNAME), "port": port }))
}

/// The port, if it is to be another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    port: Option<NonZeroU16>,
}

/// A new password; the one before opens nothing more.
pub(super) async fn draw(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    ApiJson(wanted): ApiJson<Wanted>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let account = recorder.draw_account(wanted.port).map_err(disk)?;
    let told = json!({ "username": USERNAME, "password": account.password.expose(), "port": account.port });
    Ok((StatusCode::CREATED, Json(told)))
}

/// None at all: nothing is listened on.
pub(super) async fn remove(_: Owner, State(recorder): State<Arc<Inside>>) -> Result<StatusCode, Problem> {
    recorder.set_account(None).map_err(disk)?;
    Ok(StatusCode::NO_CONTENT)
}
