//! What an approved case is answered with: a file of grants, or eight digits.
#![allow(unused_qualifications, reason = "utoipa's macro writes the name of its argument twice")]

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, header};
use serde::{Deserialize, Serialize};
use sparekey_cases::desk::GrantHours;
use sparekey_web::problem::Problem;
use utoipa::ToSchema;

use super::extract::{Bearer, MaybeJson, Number, problem};
use crate::desk::{DeskError, GrantFile};
use crate::http::App;
use crate::http::openapi::NotAtTheDesk;

/// How a case is to be answered by grants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Granting {
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
pub(super) async fn grant(
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
pub(super) struct WhichKey {
    /// From 0.
    #[serde(default)]
    entry: u32,
}

/// Eight digits.
#[derive(Serialize, ToSchema)]
pub(super) struct Shown {
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
pub(super) async fn key(
    State(app): State<App>,
    Bearer(credential): Bearer,
    Number(number): Number,
    MaybeJson(WhichKey { entry }): MaybeJson<WhichKey>,
) -> Result<Json<Shown>, Problem> {
    let key = app.service.desk().key(credential, &number, entry).await.map_err(|error| problem(&error))?;
    Ok(Json(Shown { serial: key.serial.to_string(), code: key.code.expose().to_owned() }))
}
