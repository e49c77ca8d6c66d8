//! `POST /v1/enrolments`: a maker's line enrols devices for security codes.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use sparekey_protocol::enrol::MAX_ENROLMENT;
use sparekey_web::json::ApiJson;
use sparekey_web::messages;
use sparekey_web::problem::Problem;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Bearer;
use super::openapi::NotAtTheDesk;
use super::{App, error};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(enrol))
}

/// A device's enrolment record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Record {
    /// Its bytes in base64url.
    #[schema(min_length = 1, max_length = 1366)]
    enrolment: String,
}

/// The device that was enrolled.
#[derive(Serialize, ToSchema)]
struct Enrolled {
    /// As its maker certified.
    #[schema(pattern = "^[A-Z0-9-]{1,48}$")]
    serial: String,
    /// As its maker certified.
    model: String,
}

/// Enrols a device, in place of what it was enrolled with before. For administrators of the maker.
#[utoipa::path(
    post,
    path = "/v1/enrolments",
    tag = "desk",
    security(("token" = [])),
    request_body = Record,
    responses((status = 201, description = "The device can be helped by telephone once its owner switches that on.", body = Enrolled), NotAtTheDesk)
)]
async fn enrol(
    State(app): State<App>,
    Bearer(credential): Bearer,
    ApiJson(sent): ApiJson<Record>,
) -> Result<Response, Problem> {
    // Decoding allocates by the length: bounded first.
    let fits = sent.enrolment.len() <= MAX_ENROLMENT.div_ceil(3) * 4;
    let record = fits.then(|| URL_SAFE_NO_PAD.decode(sent.enrolment.trim_end_matches('='))).transpose();
    let record = record.ok().flatten().ok_or(Problem::new(messages::MALFORMED).with("field", "enrolment"))?;
    let certificate = app.service.desk().enrol(credential, &record).await.map_err(|error| error::desk(&error))?;
    let (serial, model) = (certificate.serial.to_string(), certificate.model.to_string());
    Ok((StatusCode::CREATED, Json(Enrolled { serial, model })).into_response())
}
