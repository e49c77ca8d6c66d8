//! The public log, for everybody: C2SP tlog-tiles under `/log/`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;
use sparekey_protocol::log::Tile;
use sparekey_web::messages;
use sparekey_web::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::NotViewed;
use super::{App, Part, error};
use crate::public_log::StorageError;

/// A checkpoint is replaced many times a minute.
const BRIEFLY: &str = "public, max-age=1";
/// A tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(super) fn routes() -> OpenApiRouter<App> {
    // A tile's path has any number of parts, which OpenAPI cannot say: c2sp.org/tlog-tiles does.
    OpenApiRouter::new().routes(routes!(checkpoint)).route("/log/tile/{*path}", get(tile))
}

/// The public log's checkpoint: a signed note (c2sp.org/tlog-checkpoint).
#[utoipa::path(
    get,
    path = "/log/checkpoint",
    tag = "log",
    responses((status = 200, description = "The newest.", body = String, content_type = "text/plain"), NotViewed)
)]
async fn checkpoint(State(app): State<App>) -> Result<Response, Problem> {
    let note = app.service.log().checkpoint().await.map_err(unreadable)?.ok_or(messages::NOT_FOUND)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, BRIEFLY)], note).into_response())
}

/// A tile of the public log: hashes at a level, or `entries`.
async fn tile(State(app): State<App>, Part(path): Part<String>) -> Result<Response, Problem> {
    let tile = Tile::parse_path(&format!("tile/{path}")).ok_or(messages::NOT_FOUND)?;
    let bytes = app.service.log().tile(tile).await.map_err(unreadable)?.ok_or(messages::NOT_FOUND)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, FOR_EVER)], bytes).into_response())
}

fn unreadable(cause: StorageError) -> Problem {
    tracing::warn!(%cause, "the public log was not read");
    error::unavailable()
}
