//! `/v1/cases`: the desk's calls of protocol section 12, for programs. Each bears a token.
#![allow(unused_qualifications, reason = "utoipa's macro writes the name of its argument twice")]

mod answers;
mod evidence;
mod extract;
mod opening;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use serde::{Deserialize, Serialize};
use sparekey_cases::desk::{State as CaseState, Words};
use sparekey_web::json::ApiJson;
use sparekey_web::messages;
use sparekey_web::problem::Problem;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

pub(crate) use answers::grant_file;
pub(crate) use evidence::hand_out;
pub(super) use extract::Bearer;
pub(crate) use extract::Number;
use extract::problem;

use super::openapi::NotAtTheDesk;
use super::{App, MAX_PHOTO_BODY};
use crate::desk::{CaseLine, CaseView, Credential, DeskError, Filter};
use crate::store::DeskId;
use crate::writer::desk::Act;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(opening::open, list).layer(DefaultBodyLimit::max(MAX_PHOTO_BODY)))
        .routes(routes!(show))
        .routes(routes!(note))
        .routes(routes!(evidence::attach).layer(DefaultBodyLimit::max(MAX_PHOTO_BODY)))
        .routes(routes!(evidence::attached))
        .routes(routes!(check))
        .routes(routes!(hand_over))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(answers::grant))
        .routes(routes!(answers::key))
}

/// A case's number or a serial number is no longer than this.
const LONGEST_TEXT: usize = 64;

/// Which cases are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `open`, `approved`, `granted` or `refused`.
    state: Option<String>,
    /// A case's number, or the beginning of a serial number.
    #[param(max_length = 64)] // LONGEST_TEXT
    text: Option<String>,
    /// Where the next page begins: `next` of the one before.
    before: Option<i64>,
}

/// Cases, the newest first.
#[derive(Serialize, ToSchema)]
struct Cases {
    /// At most a hundred.
    cases: Vec<CaseLine>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<i64>,
}

/// The cases that the operator sees, the newest first.
#[utoipa::path(
    get,
    path = "/v1/cases",
    tag = "desk",
    security(("token" = [])),
    params(Which),
    responses((status = 200, description = "A page of cases.", body = Cases), NotAtTheDesk)
)]
async fn list(
    State(app): State<App>,
    Bearer(credential): Bearer,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Cases>, Problem> {
    let Ok(Query(which)) = which else { return Err(messages::MALFORMED.into()) };
    if which.text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(problem(&DeskError::Field("text")));
    }
    let state = which.state.map(|name| CaseState::parse(&name).ok_or(DeskError::Field("state"))).transpose();
    let filter =
        Filter { state: state.map_err(|error| problem(&error))?, text: which.text, before: which.before.map(DeskId) };
    let listed = app.service.desk().list(credential, &filter).await.map_err(|error| problem(&error))?;
    Ok(Json(Cases { cases: listed.lines, next: listed.next.map(|place| place.0) }))
}

/// A case, whole.
#[utoipa::path(
    get,
    path = "/v1/cases/{number}",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    responses((status = 200, description = "The case.", body = CaseView), NotAtTheDesk)
)]
async fn show(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
) -> Result<Json<CaseView>, Problem> {
    app.service.desk().show(credential, &number).await.map(Json).map_err(|error| problem(&error))
}

async fn act(app: &App, credential: Credential, number: &str, act: Act) -> Result<Json<CaseView>, Problem> {
    app.service.desk().act(credential, number, act).await.map(Json).map_err(|error| problem(&error))
}

/// Something to write down.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Writes something down.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/notes",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    request_body = Note,
    responses((status = 200, description = "The case as it is now.", body = CaseView), NotAtTheDesk)
)]
async fn note(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    ApiJson(note): ApiJson<Note>,
) -> Result<Json<CaseView>, Problem> {
    let text = Words::new(&note.text).map_err(|_| problem(&DeskError::Field("text")))?;
    act(&app, credential, &number, Act::Note(text)).await
}

/// An item of the checklist.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    /// Which, from 0.
    item: u32,
    /// Whether it is done.
    done: bool,
}

/// Says that an item of the checklist is done, or is not.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/checklist",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    request_body = Item,
    responses((status = 200, description = "The case as it is now.", body = CaseView), NotAtTheDesk)
)]
async fn check(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    ApiJson(Item { item, done }): ApiJson<Item>,
) -> Result<Json<CaseView>, Problem> {
    act(&app, credential, &number, Act::Check { item, done }).await
}

/// Whom a case goes to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandOver {
    /// An organisation's name; null for the maker.
    #[schema(max_length = 254)]
    organisation: Option<String>,
}

/// Gives a case to an organisation, or back to the maker.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/hand-over",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    request_body = HandOver,
    responses((status = 200, description = "The case as it is now.", body = CaseView), NotAtTheDesk)
)]
async fn hand_over(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    ApiJson(to): ApiJson<HandOver>,
) -> Result<Json<CaseView>, Problem> {
    let desk = app.service.desk();
    let view = desk.hand_over(credential, &number, to.organisation.as_deref()).await;
    view.map(Json).map_err(|error| problem(&error))
}

/// Approves a case that another opened.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/approve",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    responses((status = 200, description = "The case as it is now.", body = CaseView), NotAtTheDesk)
)]
async fn approve(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
) -> Result<Json<CaseView>, Problem> {
    act(&app, credential, &number, Act::Approve).await
}

/// Why a case is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// As the owner is told.
    #[schema(min_length = 1, max_length = 4000)]
    reason: String,
}

/// Refuses a case; the owner is told why, if he gave a mail address.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/refuse",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    request_body = Reason,
    responses((status = 200, description = "The case as it is now.", body = CaseView), NotAtTheDesk)
)]
async fn refuse(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    ApiJson(reason): ApiJson<Reason>,
) -> Result<Json<CaseView>, Problem> {
    let reason = Words::new(&reason.reason).map_err(|_| problem(&DeskError::Field("reason")))?;
    act(&app, credential, &number, Act::Refuse(reason)).await
}
