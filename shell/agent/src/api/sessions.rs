//! Logging in and out, and who is logged in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::SessionView;
use sparekey_web::json::ApiJson;

use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::path::Number;
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

/// Who is logged in, with times by the device's clock.
pub(super) async fn list(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Json<Value>, Failure> {
    let (sessions, started) = app.look(|device, now| (device.sessions(now, visitor.token()), now.started.0)).await;
    let session = |session: SessionView| {
        let mut shown = json!({
            "number": session.number,
            "begun": started + session.begun,
            "used": started + session.used,
            "mine": session.mine,
        });
        if let Some(from) = session.from {
            shown["from"] = from.to_string().into();
        }
        shown
    };
    Ok(Json(json!({ "sessions": sessions?.into_iter().map(session).collect::<Vec<_>>() })))
}

const NO_SESSION: Malformed = Malformed {
    field: "number",
    title: "There is no such session.",
    detail: "Name one that GET /api/v1/sessions lists; it may have ended already.",
};

pub(super) async fn end(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Number(number): Number,
) -> Result<StatusCode, Failure> {
    let ended = app.look(|device, now| device.end_session(now, visitor.token(), number)).await;
    ended.map_err(|refusal| Failure::from(refusal).malformed_as(NO_SESSION))?;
    Ok(StatusCode::NO_CONTENT)
}
