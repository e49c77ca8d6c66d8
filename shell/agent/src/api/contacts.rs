//! Confirming a reserved email, for who is logged in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_web::json::ApiJson;
use sparekey_web::messages;
use sparekey_web::problem::Problem;

use crate::app::App;
use crate::request_file;
use crate::visitor::Visitor;

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    app.session(&visitor).await?;
    let opened = app.open_confirmation(&visitor, parse(&number)?).await?;
    let answer = json!({
        "id": opened.id.to_string(),
        "tries_left": opened.tries_left,
        "expires_in": opened.expires_in,
        "qr_text": opened.qr_text,
        "request_xml": request_file::xml(&app, opened.request).await,
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    code: String,
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(number): Path<String>,
    ApiJson(proof): ApiJson<Proof>,
) -> Result<Json<Value>, Problem> {
    app.session(&visitor).await?;
    app.confirm(&visitor, parse(&number)?, &proof.code).await?;
    Ok(Json(json!({ "confirmed": true })))
}

/// Counted from 0. On the wire they count from 1; 0 is taken for the first as well.
pub(crate) fn parse(number: &str) -> Result<usize, Problem> {
    let number: usize = number.parse().map_err(|_| messages::NOT_FOUND)?;
    Ok(number.saturating_sub(1))
}
