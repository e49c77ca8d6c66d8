//! From *Forgot password* to the new one. All of it is for callers on this link.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::ways::{Way, Why};
use sparekey_device::{Progress, RecoveryId, RecoveryView, Refusal};
use sparekey_web::json::ApiJson;
use sparekey_web::problem::Problem;

use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::path::Id;
use crate::qr::svg;
use crate::request_file;
use crate::visitor::Visitor;

const NO_WAY: Malformed = Malformed {
    field: "method",
    title: "There is no such way back in.",
    detail: "Name one of the methods that GET /api/v1/device lists.",
};
const NOT_ONE_PROOF: Malformed = Malformed {
    field: "code",
    title: "This is not exactly one proof.",
    detail: "Send one of code, answers, key_file, sheet_code or grant.",
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    method: String,
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Open>,
) -> Result<Response, Failure> {
    app.on_this_link(&visitor).await?;
    let way = Way::named(&asked.method).ok_or(NO_WAY)?;
    let opened = app.open_recovery(&visitor, way.into()).await?;
    let answer = json!({
        "id": opened.id.to_string(),
        "method": way.name(),
        "tries_left": opened.tries_left,
        "expires_in": opened.expires_in,
        "qr_text": opened.qr_text(),
        "request_xml": request_file::xml(&app, opened.request().unwrap_or_default().to_vec()).await,
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor, Id(id): Id) -> Result<Json<Value>, Failure> {
    let view = view(&app, &visitor, id).await?;
    Ok(Json(json!({
        "id": id.to_string(),
        "method": view.way.name(),
        "tries_left": view.tries_left,
        "expires_in": view.expires_in,
        "qr_text": view.qr_text(),
        "masked_address": view.masked_address(),
        "proven": view.proven,
    })))
}

pub(super) async fn qr(State(app): State<Arc<App>>, visitor: Visitor, Id(id): Id) -> Result<Response, Problem> {
    let view = view(&app, &visitor, id).await?;
    let svg = view.qr_text().and_then(svg).ok_or_else(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

async fn view(app: &App, visitor: &Visitor, id: RecoveryId) -> Result<RecoveryView, Failure> {
    app.on_this_link(visitor).await?;
    app.look(|device, now| device.recovery(now, visitor.caller, id)).await.map_err(Failure::Refused)
}

/// Exactly one of its fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    code: Option<String>,
    answers: Option<Vec<Answer>>,
    key_file: Option<String>,
    sheet_code: Option<String>,
    grant: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read, so that a wrong shape is refused as such; no firmware asks questions yet")]
struct Answer {
    id: u8,
    answer: String,
}

pub(super) async fn prove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
    ApiJson(proof): ApiJson<Proof>,
) -> Result<Json<Value>, Failure> {
    app.on_this_link(&visitor).await?;
    let others = [proof.answers.is_some(), proof.key_file.is_some(), proof.sheet_code.is_some(), proof.grant.is_some()];
    let code = match (proof.code, others.iter().filter(|given| **given).count()) {
        (Some(code), 0) => code,
        (None, 1) => return Err(Refusal::MethodNotReady(Why::NotOffered).into()),
        _ => {
            return Err(NOT_ONE_PROOF.into());
        }
    };
    Ok(Json(match app.prove(&visitor, id, &code).await? {
        Progress::Proven(ticket) => json!({ "ticket": ticket.expose() }),
        Progress::More => json!({}),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    ticket: String,
    password: String,
}

pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
    ApiJson(asked): ApiJson<NewPassword>,
) -> Result<StatusCode, Failure> {
    app.on_this_link(&visitor).await?;
    app.set_password(&visitor, id, asked.ticket.into(), asked.password.into()).await?;
    Ok(StatusCode::ACCEPTED)
}
