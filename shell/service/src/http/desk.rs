//! `/v1/cases`: the desk's calls of protocol section 12, for programs. Each bears a token.
#![allow(unused_qualifications, reason = "utoipa's macro writes the name of its argument twice")]

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, body};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sparekey_cases::desk::{EvidenceKind, GrantHours, State as CaseState, Words};
use sparekey_protocol::files::MAX_FILE;
use sparekey_web::json::ApiJson;
use sparekey_web::messages;
use sparekey_web::problem::Problem;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use super::openapi::NotAtTheDesk;
use super::{App, Client, MAX_PHOTO_BODY, error};
use crate::desk::{Attached, CaseLine, CaseView, Credential, DeskError, Filter, GrantFile, NewCase, Whence};
use crate::operators::Secret;
use crate::store::DeskId;
use crate::writer::desk::Act;

/// A file of 64 KiB in JSON, where each of its characters may take six.
const MAX_JSON: usize = 7 * MAX_FILE;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open, list).layer(DefaultBodyLimit::max(MAX_PHOTO_BODY)))
        .routes(routes!(show))
        .routes(routes!(note))
        .routes(routes!(attach).layer(DefaultBodyLimit::max(MAX_PHOTO_BODY)))
        .routes(routes!(attached))
        .routes(routes!(check))
        .routes(routes!(hand_over))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(grant))
        .routes(routes!(key))
}

/// Whose token came along: an extractor, which looks at it before anything else is read.
pub(super) struct Bearer(pub(super) Credential);

impl FromRequestParts<App> for Bearer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let token = bearer(&parts.headers).ok_or_else(|| no_token(DeskError::NotLoggedIn))?;
        let credential = Credential::Token(token.hash());
        app.service.desk().known(credential).await.map_err(no_token)?;
        Ok(Self(credential))
    }
}

fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::parse(token.trim()))?
}

/// RFC 6750 section 3 wants the scheme named.
fn no_token(error: DeskError) -> Response {
    let mut response = problem(&error).into_response();
    if error == DeskError::NotLoggedIn {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn problem(error: &DeskError) -> Problem {
    error::desk(error)
}

/// A case that is to be opened: exactly one of `request`, `request_id` and `file`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// Digits, a link, or base64url.
    #[serde(default)]
    #[schema(max_length = 16384)]
    request: Option<String>,
    /// The id of a request that a phone handed in.
    #[serde(default)]
    #[schema(max_length = 64)]
    request_id: Option<String>,
    /// A recovery file: one request, or a batch.
    #[serde(default)]
    #[schema(max_length = 65536)]
    file: Option<String>,
    /// Who says to be the owner.
    #[serde(default)]
    #[schema(max_length = 254)]
    name: String,
    /// Where to write to.
    #[serde(default)]
    #[schema(max_length = 254)]
    contact: String,
    /// The language to write in (BCP 47); the device's own, if none is given.
    #[serde(default)]
    #[schema(max_length = 16)]
    language: String,
    /// The first note.
    #[serde(default)]
    #[schema(max_length = 4000)]
    note: String,
}

/// What a case is opened from, as it was sent: JSON, the file itself, or a photo. An extractor.
struct Sent {
    whence: Whence,
    new: NewCase,
}

impl FromRequest<App> for Sent {
    type Rejection = Problem;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let whence = match kind.as_str() {
            "application/json" => return Self::from_json(request, app).await,
            "application/xml" | "text/xml" => Whence::File(bounded(request, MAX_FILE).await?.into()),
            kind if kind.starts_with("image/") => {
                let client: Client = request.extract_parts_with_state(app).await?;
                let _place = app.enter_upload(client)?;
                let image = Bytes::from_request(request, app).await.map_err(|rejection| error::body(&rejection))?;
                Whence::Photo(app.read_photo(image).await?)
            }
            _ => {
                let detail = "Send JSON, the recovery file as application/xml, or a picture as image/jpeg or the like.";
                return Err(Problem::new(messages::MALFORMED).detail(detail));
            }
        };
        Ok(Self { whence, new: NewCase::default() })
    }
}

impl Sent {
    async fn from_json(request: Request, app: &App) -> Result<Self, Problem> {
        let sent: Opening = json(request, app).await?;
        let Opening { request, request_id, file, name, contact, language, note } = sent;
        let whence = match (request, request_id, file) {
            (Some(request), None, None) => Whence::Pasted(request),
            (None, Some(id), None) => Whence::Request(id),
            (None, None, Some(file)) => Whence::File(file.into_bytes()),
            _ => {
                let detail = "Send exactly one of request, request_id and file.";
                return Err(Problem::new(messages::MALFORMED).detail(detail));
            }
        };
        Ok(Self { whence, new: NewCase { name, contact, language, note } })
    }
}

async fn bounded(request: Request, limit: usize) -> Result<Bytes, Problem> {
    body::to_bytes(request.into_body(), limit).await.map_err(|_| messages::TOO_LARGE.into())
}

/// JSON within its own bound, on a route that takes larger things too.
async fn json<T: DeserializeOwned>(request: Request, app: &App) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::to_bytes(body, MAX_JSON).await.map_err(|_| Problem::new(messages::TOO_LARGE))?;
    ApiJson::from_request(Request::from_parts(parts, bytes.into()), app).await.map(|ApiJson(value)| value)
}

/// A JSON body, or nothing at all. An extractor.
pub(super) struct MaybeJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<App> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = body::to_bytes(body, super::MAX_BODY).await.map_err(|_| Problem::new(messages::TOO_LARGE))?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        ApiJson::from_request(Request::from_parts(parts, bytes.into()), app).await.map(|ApiJson(value)| Self(value))
    }
}

/// A case's number, out of the path: an extractor. What cannot be one is answered as one that there is not.
pub(crate) struct Number(pub(crate) String);

impl FromRequestParts<App> for Number {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        path.map(|Path(number)| Self(number)).map_err(|_| messages::NOT_FOUND.into())
    }
}

/// Opens a case from a recovery file, a photo, digits, or the id of a request. The same requests again are the case that is there.
#[utoipa::path(
    post,
    path = "/v1/cases",
    tag = "desk",
    security(("token" = [])),
    request_body(
        description = "JSON, the recovery file itself, or a photo of the symbol.",
        content(
            (Opening = "application/json"),
            (String = "application/xml"),
            (Vec<u8> = "image/jpeg"),
            (Vec<u8> = "image/png"),
            (Vec<u8> = "image/webp"),
        ),
    ),
    responses(
        (status = 201, description = "The case was opened.", body = CaseView, headers(("Location" = String, description = "Its address."))),
        (status = 200, description = "The case that is there.", body = CaseView),
        NotAtTheDesk
    )
)]
async fn open(State(app): State<App>, Bearer(credential): Bearer, sent: Sent) -> Result<Response, Problem> {
    let desk = app.service.desk();
    let opened = desk.open(credential, sent.whence, &sent.new).await.map_err(|error| problem(&error))?;
    let view = desk.show(credential, opened.number.as_str()).await.map_err(|error| problem(&error))?;
    let status = if opened.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = [(header::LOCATION, format!("/v1/cases/{}", view.number))];
    Ok((status, location, Json(view)).into_response())
}

/// Which cases are asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `open`, `approved`, `granted` or `refused`.
    state: Option<String>,
    /// A case's number, or the beginning of a serial number.
    #[param(max_length = 64)]
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

/// What it is called.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Called {
    /// Such as `Label` or `Invoice`.
    #[param(max_length = 254)]
    #[serde(default)]
    name: String,
}

/// Attaches a picture, which is drawn anew without what it says beside its pixels, or a PDF.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/evidence",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32), Called),
    request_body(
        description = "The file itself, up to 12 MiB; a PDF up to 8 MiB.",
        content(
            (Vec<u8> = "image/jpeg"),
            (Vec<u8> = "image/png"),
            (Vec<u8> = "image/webp"),
            (Vec<u8> = "application/pdf"),
        ),
    ),
    responses((status = 200, description = "The case as it is now.", body = CaseView), NotAtTheDesk)
)]
async fn attach(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    called: Result<Query<Called>, QueryRejection>,
    client: Client,
    request: Request,
) -> Result<Json<CaseView>, Problem> {
    let Ok(Query(Called { name })) = called else { return Err(messages::MALFORMED.into()) };
    let _place = app.enter_upload(client)?;
    let file = Bytes::from_request(request, &app).await.map_err(|rejection| error::body(&rejection))?;
    let attached = app.service.desk().attach(credential, &number, &name, file, &app.settings.photos).await;
    attached.map(Json).map_err(|error| problem(&error))
}

/// Something that is attached: a JPEG, or a PDF to be saved.
#[utoipa::path(
    get,
    path = "/v1/cases/{number}/evidence/{place}",
    tag = "desk",
    security(("token" = [])),
    params(
        ("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32),
        ("place" = u32, Path, description = "Its place in the case, from 0.")
    ),
    responses(
        (status = 200, description = "The file.", content((Vec<u8> = "image/jpeg"), (Vec<u8> = "application/pdf"))),
        NotAtTheDesk
    )
)]
async fn attached(
    State(app): State<App>,
    Bearer(credential): Bearer,
    path: Result<Path<(String, u32)>, PathRejection>,
) -> Result<Response, Problem> {
    let Ok(Path((number, place))) = path else { return Err(messages::NOT_FOUND.into()) };
    let attached = app.service.desk().attached(credential, &number, place).await;
    attached.map(hand_out).map_err(|error| problem(&error))
}

/// What somebody uploaded, so that no browser runs anything in it: a picture of our own drawing, or a PDF that is saved.
pub(crate) fn hand_out(attached: Attached) -> Response {
    let (kind, disposition) = match attached.evidence.kind {
        EvidenceKind::Picture => ("image/jpeg", "inline; filename=\"evidence.jpg\""),
        EvidenceKind::Pdf => ("application/pdf", "attachment; filename=\"evidence.pdf\""),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ];
    (headers, attached.bytes.to_vec()).into_response()
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

/// How a case is to be answered by grants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Granting {
    /// How many hours the grants are good.
    #[schema(minimum = 1, maximum = 24, default = 24)]
    hours: u64,
    /// Which file, from 1: grants of a large batch may take several.
    #[schema(minimum = 1, maximum = 200, default = 1)]
    part: usize,
}

impl Default for Granting {
    fn default() -> Self {
        Self { hours: 24, part: 1 }
    }
}

/// Answers all requests of an approved case by grants, each in the public log before it is handed out. Again, the same grants.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/grant",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    request_body(content = Granting, description = "May be left out."),
    responses(
        (
            status = 200,
            description = "A recovery file: a RecoveryGrant, or a Batch of them.",
            body = String,
            content_type = "application/xml",
            headers(("Sparekey-Parts" = u32, description = "How many files there are."))
        ),
        NotAtTheDesk
    )
)]
async fn grant(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    MaybeJson(granting): MaybeJson<Granting>,
) -> Result<Response, Problem> {
    let hours = GrantHours::new(granting.hours).ok_or_else(|| problem(&DeskError::Field("hours")))?;
    let part = granting.part.checked_sub(1).ok_or_else(|| problem(&DeskError::Field("part")))?;
    let file = app.service.desk().grant(credential, &number, hours, part).await.map_err(|error| problem(&error))?;
    Ok(grant_file(&number, part, file))
}

/// A file of grants, to be saved.
pub(crate) fn grant_file(number: &str, part: usize, file: GrantFile) -> Response {
    // A number of ours has digits and a dash.
    let plain: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
    let part = if file.parts == 1 { String::new() } else { format!("-{}", part + 1) };
    let disposition = format!("attachment; filename=\"grant-{plain}{part}.xml\"");
    let headers = [
        (header::CONTENT_TYPE, "application/xml; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (HeaderName::from_static("sparekey-parts"), file.parts.to_string()),
    ];
    (headers, file.xml).into_response()
}

/// Which request's digits are to be shown.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichKey {
    /// From 0.
    #[serde(default)]
    entry: u32,
}

/// Eight digits.
#[derive(Serialize, ToSchema)]
struct Shown {
    /// Of which device.
    serial: String,
    /// What the owner is to type.
    #[schema(pattern = "^[0-9]{8}$")]
    code: String,
}

/// Shows the eight digits of a request of an approved case, once. The public log says so before.
#[utoipa::path(
    post,
    path = "/v1/cases/{number}/key",
    tag = "desk",
    security(("token" = [])),
    params(("number" = String, Path, description = "The case's number.", min_length = 1, max_length = 32)),
    request_body(content = WhichKey, description = "May be left out."),
    responses((status = 200, description = "The digits, for the last time.", body = Shown), NotAtTheDesk)
)]
async fn key(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    MaybeJson(WhichKey { entry }): MaybeJson<WhichKey>,
) -> Result<Json<Shown>, Problem> {
    let key = app.service.desk().key(credential, &number, entry).await.map_err(|error| problem(&error))?;
    Ok(Json(Shown { serial: key.serial.to_string(), code: key.code.expose().to_owned() }))
}
