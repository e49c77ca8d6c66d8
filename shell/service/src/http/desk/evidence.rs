//! What is attached to a case, and handed out again so that no browser runs anything in it.
#![allow(unused_qualifications, reason = "utoipa's macro writes the name of its argument twice")]

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Deserialize;
use sparekey_cases::desk::EvidenceKind;
use sparekey_web::messages;
use sparekey_web::problem::Problem;
use utoipa::IntoParams;

use super::extract::{Bearer, Number, problem};
use crate::desk::{Attached, CaseView};
use crate::http::openapi::NotAtTheDesk;
use crate::http::{App, Client, error};

/// What it is called.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Called {
    /// Such as `Label` or `Invoice`.
    #[param(max_length = 254)]
    #[serde(default)]
    name: String,
}

/// Attaches a picture, which is drawn anew without what it says beside its pixels, or a PDF, whose pages are
/// written anew without what it carries beside them.
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
pub(super) async fn attach(
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
pub(super) async fn attached(
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
