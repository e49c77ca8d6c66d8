//! From *Forgot password* to the new one. All of it is for callers on this link.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_device::ways::{QuestionId, Way};
use sparekey_device::{Asked, PartView, Progress, RecoveryId, RecoveryView, Shows, Typed};
use sparekey_protocol::Language;
use sparekey_web::json::ApiJson;
use sparekey_web::problem::Problem;

use super::Answered;
use crate::app::{App, parse_code};
use crate::failure::{Failure, Malformed};
use crate::path::Id;
use crate::questions;
use crate::request_file;
use crate::typed;
use crate::visitor::Visitor;
use sparekey_web::qr::svg;

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

const NO_CONTACT: Malformed = Malformed {
    field: "contact",
    title: "There is no such reserved email.",
    detail: "Name one by its number, from 1.",
};

/// The way, and which of two reserved emails, from 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    method: String,
    contact: Option<usize>,
}

impl Open {
    fn read(&self) -> Result<Asked, Malformed> {
        let way = Way::named(&self.method).ok_or(NO_WAY)?;
        let contact = self.contact.unwrap_or(1).checked_sub(1).ok_or(NO_CONTACT)?;
        Ok(Asked { contact, ..way.into() })
    }
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Open>,
) -> Result<Response, Failure> {
    app.on_this_link(&visitor).await?;
    let opened = app.open_recovery(&visitor, asked.read()?).await?;
    Ok(opened_as(&app, &visitor, &opened).await)
}

/// Begins a dry test, which ends where a recovery would bring a ticket.
pub(super) async fn open_test(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(asked): ApiJson<Open>,
) -> Result<Response, Failure> {
    app.session(&visitor).await?;
    let opened = app.open_test(&visitor, asked.read()?).await?;
    Ok(opened_as(&app, &visitor, &opened).await)
}

async fn opened_as(app: &App, visitor: &Visitor, opened: &RecoveryView) -> Response {
    let mut answer = shown(opened, visitor.language.as_ref());
    if let Some(request) = opened.request() {
        answer["request_xml"] = request_file::xml(app, request.to_vec()).await.into();
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// A request as it stands: what its next part shows, and all its parts.
fn shown(view: &RecoveryView, language: Option<&Language>) -> Value {
    let part =
        |part: &PartView| json!({ "method": part.way.name(), "proven": part.proven, "tries_left": part.tries_left });
    let mut answer = json!({
        "id": view.id.to_string(),
        "method": view.way.name(),
        "tries_left": view.tries_left,
        "expires_in": view.expires_in,
        "proven": view.proven,
        "parts": view.parts.iter().map(part).collect::<Vec<_>>(),
    });
    if view.wait > 0 {
        answer["wait"] = view.wait.into();
    }
    match view.next_part().map(|part| &part.shows) {
        Some(Shows::Email { qr_text, masked_address, .. }) => {
            answer["qr_text"] = qr_text.as_str().into();
            answer["masked_address"] = masked_address.as_str().into();
        }
        Some(Shows::Desk { qr_text, .. }) => answer["qr_text"] = qr_text.as_str().into(),
        Some(Shows::Questions(asked)) => {
            let question = |id: &QuestionId| json!({ "id": id.number(), "text": questions::text(*id, language) });
            answer["questions"] = asked.iter().map(question).collect();
        }
        Some(Shows::SecurityCode(question)) => answer["question"] = question.to_string().into(),
        Some(Shows::KeyFile | Shows::Sheet) | None => {}
    }
    answer
}

pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor, Id(id): Id) -> Result<Json<Value>, Failure> {
    Ok(Json(shown(&view(&app, &visitor, id).await?, visitor.language.as_ref())))
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
    answers: Option<Vec<Answered>>,
    key_file: Option<String>,
    sheet_code: Option<String>,
    grant: Option<String>,
}

pub(super) async fn prove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
    ApiJson(proof): ApiJson<Proof>,
) -> Result<Json<Value>, Failure> {
    app.on_this_link(&visitor).await?;
    Ok(Json(match app.prove(&visitor, id, proof.read()?).await? {
        Progress::Proven(ticket) => json!({ "ticket": ticket.expose() }),
        Progress::More => json!({ "more": true }),
        Progress::Tested => json!({ "tested": true }),
    }))
}

impl Proof {
    fn read(self) -> Result<Typed, Failure> {
        let Self { code, answers, key_file, sheet_code, grant } = self;
        Ok(match (code, answers, key_file, sheet_code, grant) {
            (Some(code), None, None, None, None) => Typed::Code(parse_code(&code)?),
            (None, Some(answers), None, None, None) => Typed::Answers(Answered::read(&answers)?.ok_or(NOT_ONE_PROOF)?),
            (None, None, Some(xml), None, None) => typed::key_file(xml.as_bytes())?,
            (None, None, None, Some(code), None) => typed::sheet_code(&code)?,
            (None, None, None, None, Some(xml)) => typed::grant(xml.as_bytes())?,
            _ => return Err(NOT_ONE_PROOF.into()),
        })
    }
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
