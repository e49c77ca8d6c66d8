//! What the desk's calls have in common: who asks, about which case, with what body.

use axum::body::{self, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use serde::de::DeserializeOwned;
use sparekey_protocol::files::MAX_FILE;
use sparekey_web::json::ApiJson;
use sparekey_web::messages;
use sparekey_web::problem::Problem;

use crate::desk::{Credential, DeskError};
use crate::http::{App, MAX_BODY, Part, error};
use crate::operators::Secret;

/// A file of 64 KiB in JSON, where each of its characters may take six.
const MAX_JSON: usize = 7 * MAX_FILE;

/// Whose token came along: an extractor, which looks at it before anything else is read.
pub(in crate::http) struct Bearer(pub(in crate::http) Credential);

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

pub(super) fn problem(error: &DeskError) -> Problem {
    error::desk(error)
}

pub(super) async fn bounded(request: Request, limit: usize) -> Result<Bytes, Problem> {
    body::to_bytes(request.into_body(), limit).await.map_err(|_| messages::TOO_LARGE.into())
}

/// JSON within its own bound, on a route that takes larger things too.
pub(super) async fn json<T: DeserializeOwned>(request: Request, app: &App) -> Result<T, Problem> {
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
        let bytes = body::to_bytes(body, MAX_BODY).await.map_err(|_| Problem::new(messages::TOO_LARGE))?;
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
        Part::from_request_parts(parts, app).await.map(|Part(number)| Self(number))
    }
}
