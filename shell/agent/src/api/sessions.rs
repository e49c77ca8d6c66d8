//! Logging in and out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::Failure;
use crate::visitor::Visitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    username: String,
    password: String,
}

pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Login>,
) -> Result<Response, Failure> {
    let logged_in = app.log_in(&visitor, &asked.username, asked.password.into()).await?;
    let token = logged_in.token.expose();
    let headers = HeaderMap::from_iter([(header::SET_COOKIE, visitor.session_cookie(token))]);
    Ok((StatusCode::CREATED, headers, Json(json!({ "token": token }))).into_response())
}

pub(super) async fn log_out(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Failure> {
    app.session(&visitor).await?;
    app.log_out(&visitor).await;
    let headers = HeaderMap::from_iter([(header::SET_COOKIE, visitor.session_cookie(""))]);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}
