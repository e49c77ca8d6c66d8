//! Confirming a reserved email, for who is logged in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::path::Contact;
use crate::request_file;
use crate::visitor::Visitor;

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Contact(contact): Contact,
) -> Result<Response, Failure> {
    app.session(&visitor).await?;
    let opened = app.open_confirmation(&visitor, contact).await?;
    let answer = json!({
        "id": opened.id.to_string(),
        "tries_left": opened.tries_left,
        "expires_in": opened.expires_in,
        "qr_text": opened.qr_text(),
        "request_xml": request_file::xml(&app, opened.request().unwrap_or_default().to_vec()).await,
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
    Contact(contact): Contact,
    ApiJson(proof): ApiJson<Proof>,
) -> Result<Json<Value>, Failure> {
    app.session(&visitor).await?;
    app.confirm(&visitor, contact, &proof.code).await?;
    Ok(Json(json!({ "confirmed": true })))
}
