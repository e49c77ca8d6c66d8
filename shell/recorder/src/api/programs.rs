//! The account of other people's programs.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::StatusCode;
use serde_json::{Value, json};
use sparekey_agent::guest::Owner;
use sparekey_web::problem::Problem;

use super::disk;
use crate::{recorder::Inside, rtsp::USERNAME};

/// Whether there is one, and where; its password is told once, when it is drawn.
pub(super) async fn show(_: Owner, State(recorder): State<Arc<Inside>>) -> Json<Value> {
    let port = recorder.settings().programs.as_ref().map(|account| account.port);
    Json(json!({ "username": port.map(|_| USERNAME), "port": port }))
}

/// A new password; the one before opens nothing more.
pub(super) async fn draw(_: Owner, State(recorder): State<Arc<Inside>>) -> Result<(StatusCode, Json<Value>), Problem> {
    let account = recorder.draw_account().map_err(disk)?;
    let told = json!({ "username": USERNAME, "password": account.password.expose(), "port": account.port });
    Ok((StatusCode::CREATED, Json(told)))
}

/// None at all: nothing is listened on.
pub(super) async fn remove(_: Owner, State(recorder): State<Arc<Inside>>) -> Result<StatusCode, Problem> {
    recorder.set_account(None).map_err(disk)?;
    Ok(StatusCode::NO_CONTENT)
}
