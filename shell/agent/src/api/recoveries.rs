//! From *Forgot password* to the new one. All of it is for callers on this link.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::ways::{Way, Why};
use sparekey_device::{RecoveryId, RecoveryView, Refusal};
use sparekey_web::json::ApiJson;
use sparekey_web::problem::Problem;

use crate::app::App;
use crate::qr::svg;
use crate::refusal::{malformed, problem};
use crate::request_file;
use crate::visitor::Visitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    method: String,
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Open>,
) -> Result<Response, Problem> {
    app.on_this_link(&visitor).await?;
    let way = Way::named(&asked.method).ok_or_else(|| {
        malformed("method", "There is no such way back in.", "Name one of the methods that GET /api/v1/device lists.")
    })?;
    let opened = app.open_recovery(&visitor, way, 0).await?;
    let answer = json!({
        "id": opened.id.to_string(),
        "method": way.name(),
        "tries_left": opened.tries_left,
        "expires_in": opened.expires_in,
        "qr_text": opened.qr_text,
        "request_xml": request_file::xml(&app, opened.request).await,
    });
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let view = view(&app, &visitor, &id).await?;
    Ok(Json(json!({
        "id": id,
        "method": Way::Email.name(),
        "tries_left": view.tries_left,
        "expires_in": view.expires_in,
        "qr_text": view.qr_text,
        "masked_address": view.masked_address,
        "proven": view.proven,
    })))
}

pub(super) async fn qr(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = view(&app, &visitor, &id).await?;
    let svg = svg(&view.qr_text).ok_or_else(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

async fn view(app: &App, visitor: &Visitor, id: &str) -> Result<RecoveryView, Problem> {
    app.on_this_link(visitor).await?;
    let id = parse(id)?;
    app.look(|device, now| device.recovery(now, visitor.caller, id)).await.map_err(problem)
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
    Path(id): Path<String>,
    ApiJson(proof): ApiJson<Proof>,
) -> Result<Json<Value>, Problem> {
    app.on_this_link(&visitor).await?;
    let others = [proof.answers.is_some(), proof.key_file.is_some(), proof.sheet_code.is_some(), proof.grant.is_some()];
    let id = parse(&id)?;
    let code = match (proof.code, others.iter().filter(|given| **given).count()) {
        (Some(code), 0) => code,
        (None, 1) => return Err(problem(Refusal::MethodNotReady(Why::NotOffered))),
        _ => {
            return Err(malformed(
                "code",
                "This is not exactly one proof.",
                "Send one of code, answers, key_file, sheet_code or grant.",
            ));
        }
    };
    let ticket = app.prove(&visitor, id, &code).await?;
    Ok(Json(json!({ "ticket": ticket.expose() })))
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
    Path(id): Path<String>,
    ApiJson(asked): ApiJson<NewPassword>,
) -> Result<StatusCode, Problem> {
    app.on_this_link(&visitor).await?;
    app.set_password(&visitor, parse(&id)?, asked.ticket.into(), asked.password.into()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// An identifier that is none names no request that is open.
pub(crate) fn parse(id: &str) -> Result<RecoveryId, Problem> {
    RecoveryId::parse(id).ok_or_else(|| problem(Refusal::Expired))
}
