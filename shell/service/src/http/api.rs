//! `/v1`: the calls of protocol section 12.

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use sparekey_web::json::ApiJson;
use sparekey_web::problem::Problem;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use super::openapi::{NoRequestInPhoto, NotSubmitted, NotViewed};
use super::{App, Client, Id, MAX_PHOTO_BODY, Photo};
use crate::service::{MailState, RequestView, ToldView};

/// The request that a photo showed: the app keeps it, since the service does not, to ask for the mail once more.
const REQUEST: HeaderName = HeaderName::from_static("sparekey-request");

#[derive(OpenApi)]
#[openapi(
    info(title = "Sparekey recovery service", description = "Protocol version 1, section 12."),
    tags((name = "requests", description = "Recovery requests"), (name = "desk", description = "Cases of the support desk"), (name = "operations", description = "For who runs the service"))
)]
struct Document;

pub(super) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("token", token);
    document
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(submit))
        .routes(routes!(submit_photo).layer(DefaultBodyLimit::max(MAX_PHOTO_BODY)))
        .routes(routes!(view))
        .routes(routes!(tell))
}

/// A recovery request that is handed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Submission {
    /// The digits of the QR symbol, its whole text, or the request's bytes in base64url.
    #[schema(min_length = 1, max_length = 16384)]
    request: String,
    /// Send the mail once more: at most twice, and no sooner than 60 seconds after the last.
    #[serde(default)]
    again: bool,
}

/// A recovery request as it stands.
#[derive(Serialize, ToSchema)]
struct RequestState {
    /// Unguessable: who knows it, may see this.
    #[schema(pattern = "^[A-Za-z0-9_-]{24}$")]
    id: String,
    /// 1 reset by reserved email, 2 reset through the desk, 3 confirm a reserved email.
    #[schema(minimum = 1, maximum = 3)]
    purpose: u8,
    /// The device's serial number, as its maker certified.
    #[schema(pattern = "^[A-Z0-9-]{1,48}$")]
    serial: String,
    /// The device's model, as its maker certified.
    model: String,
    /// Where the mail goes; absent for purpose 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "o••••@e••••.org")]
    masked_address: Option<String>,
    /// What became of the mail; absent for purpose 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mail: Option<Mail>,
    /// Where the desk's case about it stands: `open`, `approved`, `granted` or `refused`; absent before there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    desk: Option<&'static str>,
    /// Seconds since 1970, UTC. The device counts by its own clock.
    expires_at: u64,
}

/// What became of a mail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Mail {
    /// It waits for the mail server.
    Queued,
    /// The mail server has taken it.
    Sent,
    /// The mail server did not take it.
    Refused,
}

impl From<RequestView> for RequestState {
    fn from(view: RequestView) -> Self {
        Self {
            id: view.id,
            purpose: view.purpose.number(),
            serial: view.serial,
            model: view.model,
            masked_address: view.masked_address,
            mail: view.mail.map(|mail| match mail {
                MailState::Queued => Mail::Queued,
                MailState::Sent => Mail::Sent,
                MailState::Refused => Mail::Refused,
            }),
            desk: view.desk.map(sparekey_cases::desk::State::name),
            expires_at: view.expires_at,
        }
    }
}

/// Hands in a recovery request. The same request again is answered as before, and sends nothing.
#[utoipa::path(
    post,
    path = "/v1/requests",
    tag = "requests",
    request_body = Submission,
    responses((status = 202, description = "The request was opened; its mail, if it asks for one, is on the way.", body = RequestState, links(("state" = (operation_id = "view", parameters(("id" = "$response.body#/id")))))), NotSubmitted)
)]
async fn submit(
    State(app): State<App>,
    client: Client,
    ApiJson(submission): ApiJson<Submission>,
) -> Result<Response, Problem> {
    let view = app.submit(&submission.request, submission.again, client).await?;
    Ok((StatusCode::ACCEPTED, Json(RequestState::from(view))).into_response())
}

/// Hands in the recovery request whose QR symbol a photo shows: JPEG, PNG or WebP, up to 12 MiB.
#[utoipa::path(
    post,
    path = "/v1/requests/photo",
    tag = "requests",
    request_body(
        description = "The picture itself, or a form with the picture as its only field, `photo`.",
        content(
            (Vec<u8> = "image/jpeg"),
            (Vec<u8> = "image/png"),
            (Vec<u8> = "image/webp"),
            (PhotoForm = "multipart/form-data"),
        ),
    ),
    responses(
        (
            status = 202,
            description = "The request was opened; its mail, if it asks for one, is on the way.",
            body = RequestState,
            headers(("Sparekey-Request" = String, description = "The request's digits, to hand in again."))
        ),
        NoRequestInPhoto
    )
)]
async fn submit_photo(State(app): State<App>, client: Client, photo: Photo) -> Result<Response, Problem> {
    let (view, request) = app.submit_photo(photo, client).await?;
    Ok((StatusCode::ACCEPTED, [(REQUEST, request)], Json(RequestState::from(view))).into_response())
}

/// A form with a picture.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by hand: this is its description")]
struct PhotoForm {
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    photo: String,
}

/// A request as it stands now.
#[utoipa::path(
    get,
    path = "/v1/requests/{id}",
    tag = "requests",
    params(("id" = String, Path, description = "From the answer to handing it in.", min_length = 1, max_length = 64)),
    responses((status = 200, description = "The request.", body = RequestState), NotViewed)
)]
async fn view(State(app): State<App>, id: Id) -> Result<Json<RequestState>, Problem> {
    app.view(&id).await.map(|view| Json(view.into()))
}

/// A device's receipt that is handed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Receipt {
    /// The digits of the QR symbol, its whole text, or the receipt's bytes in base64url.
    #[schema(min_length = 1, max_length = 16384)]
    receipt: String,
}

/// Who is told.
#[derive(Serialize, ToSchema)]
struct Told {
    /// The device's serial number, as its maker certified.
    #[schema(pattern = "^[A-Z0-9-]{1,48}$")]
    serial: String,
    /// The device's model, as its maker certified.
    model: String,
    /// Where the mails go.
    #[schema(min_items = 1, max_items = 2, example = json!(["o••••@e••••.org"]))]
    masked_addresses: Vec<String>,
}

/// Hands in a device's receipt: its contacts are told what happened on it. The same receipt again sends nothing.
#[utoipa::path(
    post,
    path = "/v1/receipts",
    tag = "requests",
    request_body = Receipt,
    responses((status = 202, description = "The receipt was opened; its mails are on the way, or were before.", body = Told), NotSubmitted)
)]
async fn tell(State(app): State<App>, client: Client, ApiJson(sent): ApiJson<Receipt>) -> Result<Response, Problem> {
    let ToldView { serial, model, masked_addresses } = app.tell(&sent.receipt, client).await?;
    Ok((StatusCode::ACCEPTED, Json(Told { serial, model, masked_addresses })).into_response())
}
