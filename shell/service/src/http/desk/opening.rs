//! Opening a case: from JSON, the recovery file itself, or a photo.
#![allow(unused_qualifications, reason = "utoipa's macro writes the name of its argument twice")]

use axum::Json;
use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use sparekey_protocol::files::MAX_FILE;
use sparekey_web::messages;
use sparekey_web::problem::Problem;
use utoipa::{IntoParams, ToSchema};

use super::extract::{Bearer, bounded, json, problem};
use crate::desk::{CaseView, NewCase, Whence};
use crate::http::openapi::NotAtTheDesk;
use crate::http::{App, Client, error};

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
    /// What somebody read out by telephone, of a device that its maker enrolled.
    #[serde(default)]
    call: Option<ReadOut>,
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

/// A call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadOut {
    /// The device's serial number.
    #[schema(pattern = "^[A-Z0-9-]{1,48}$")]
    serial: String,
    /// The eight digits that it asks.
    #[schema(max_length = 32)]
    question: String,
}

/// What is said beside a file or a picture.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Beside {
    /// Who says to be the owner.
    #[param(max_length = 254)]
    name: String,
    /// Where to write to.
    #[param(max_length = 254)]
    contact: String,
    /// The language to write in (BCP 47); the device's own, if none is given.
    #[param(max_length = 16)]
    language: String,
    /// The first note.
    #[param(max_length = 4000)]
    note: String,
}

/// What a case is opened from, as it was sent: JSON, the file itself, or a photo. An extractor.
pub(super) struct Sent {
    whence: Whence,
    new: NewCase,
}

impl FromRequest<App> for Sent {
    type Rejection = Problem;

    async fn from_request(mut request: Request, app: &App) -> Result<Self, Problem> {
        let Ok(Query(beside)) = request.extract_parts::<Query<Beside>>().await else {
            return Err(Problem::new(messages::MALFORMED)
                .detail("Beside a file only name, contact, language and note are known."));
        };
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
        let Beside { name, contact, language, note } = beside;
        Ok(Self { whence, new: NewCase { name, contact, language, note } })
    }
}

impl Sent {
    async fn from_json(request: Request, app: &App) -> Result<Self, Problem> {
        let sent: Opening = json(request, app).await?;
        let Opening { request, request_id, file, call, name, contact, language, note } = sent;
        let whence = match (request, request_id, file, call) {
            (Some(request), None, None, None) => Whence::Pasted(request),
            (None, Some(id), None, None) => Whence::Request(id),
            (None, None, Some(file), None) => Whence::File(file.into_bytes()),
            (None, None, None, Some(ReadOut { serial, question })) => Whence::Call { serial, question },
            _ => {
                let detail = "Send exactly one of request, request_id, file and call.";
                return Err(Problem::new(messages::MALFORMED).detail(detail));
            }
        };
        Ok(Self { whence, new: NewCase { name, contact, language, note } })
    }
}

/// Opens a case from a recovery file, a photo, digits, or the id of a request. The same requests again are the case that is there.
#[utoipa::path(
    post,
    path = "/v1/cases",
    tag = "desk",
    security(("token" = [])),
    params(Beside),
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
pub(super) async fn open(State(app): State<App>, Bearer(credential): Bearer, sent: Sent) -> Result<Response, Problem> {
    let desk = app.service.desk();
    let opened = desk.open(credential, sent.whence, &sent.new).await.map_err(|error| problem(&error))?;
    let view = desk.show(credential, opened.number.as_str()).await.map_err(|error| problem(&error))?;
    let status = if opened.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = [(header::LOCATION, format!("/v1/cases/{}", view.number))];
    Ok((status, location, Json(view)).into_response())
}
