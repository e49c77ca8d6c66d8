//! Logging in and out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use sparekey_web::cookie;
use sparekey_web::json::ApiJson;
use sparekey_web::problem::Problem;

use crate::app::App;
use crate::visitor::{SESSION, Visitor};

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
) -> Result<Response, Problem> {
    let logged_in = app.log_in(&visitor, &asked.username, asked.password.into()).await?;
    let token = logged_in.token.expose();
    let headers = HeaderMap::from_iter([(header::SET_COOKIE, session_cookie(&visitor, token))]);
    Ok((StatusCode::CREATED, headers, Json(json!({ "token": token }))).into_response())
}

pub(super) async fn log_out(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    app.session(&visitor).await?;
    app.log_out(&visitor).await;
    let headers = HeaderMap::from_iter([(header::SET_COOKIE, session_cookie(&visitor, ""))]);
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// The cookie that carries a session; an empty token takes it away.
pub(crate) fn session_cookie(visitor: &Visitor, token: &str) -> HeaderValue {
    cookie::set(&cookie::name(SESSION, visitor.tls), token, visitor.tls)
}
