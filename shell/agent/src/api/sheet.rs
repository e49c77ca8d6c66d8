//! The recovery sheet, for who is logged in and knows the password: what became of its codes, a new one, voiding a code.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use sparekey_device::ways::SheetCodeState;
use sparekey_web::json::ApiJson;

use super::Password;
use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::path::Number;
use crate::visitor::Visitor;

const NO_CODE: Malformed = Malformed {
    field: "code",
    title: "There is no such code on the sheet.",
    detail: "Name one by its number on the sheet, from 1.",
};

pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    let sheet = app.look(|device, now| device.sheet(now, visitor.token())).await?;
    let Some(sheet) = sheet else { return Ok(Json(json!({ "codes": [] }))) };
    let state = |code: &SheetCodeState| match code {
        SheetCodeState::Good => "good",
        SheetCodeState::Used => "used",
        SheetCodeState::Voided => "voided",
    };
    Ok(Json(json!({ "made": sheet.made.0, "codes": sheet.codes.iter().map(state).collect::<Vec<_>>() })))
}

pub(super) async fn make(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(Password { password }): ApiJson<Password>,
) -> Result<Response, Failure> {
    app.session(&visitor).await?;
    let codes = app.make_sheet(&visitor, password.into()).await?;
    let codes: Vec<_> = codes.iter().map(|code| code.expose().to_string()).collect();
    Ok((StatusCode::CREATED, Json(json!({ "codes": codes }))).into_response())
}

pub(super) async fn void(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Number(number): Number,
    ApiJson(Password { password }): ApiJson<Password>,
) -> Result<StatusCode, Failure> {
    app.session(&visitor).await?;
    let code = usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).ok_or(NO_CODE)?;
    app.void_sheet_code(&visitor, password.into(), code).await.map_err(|failure| failure.malformed_as(NO_CODE))?;
    Ok(StatusCode::NO_CONTENT)
}
