//! For who runs the service: whether it is alive, whether it can work, what it counts, and what it answers.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use sparekey_web::problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::openapi::{Flooded, NotReady};
use super::{App, error, observe};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics)).routes(routes!(openapi))
}

/// Whether the program runs.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"), Flooded)
)]
async fn alive() -> &'static str {
    "ok\n"
}

/// Whether requests can be taken: the database answers.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses((status = 200, description = "They can.", body = String, content_type = "text/plain"), NotReady)
)]
async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    match app.service.ready().await {
        Ok(()) => Ok("ok\n"),
        Err(cause) => {
            tracing::warn!(%cause, "not ready");
            Err(error::unavailable())
        }
    }
}

/// Counters and durations of this node, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses((status = 200, description = "Prometheus text format.", body = String, content_type = "text/plain"), Flooded)
)]
async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], observe::prometheus().render())
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object, content_type = "application/json"), Flooded)
)]
async fn openapi() -> impl IntoResponse {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        let document = super::documented().into_openapi();
        document.to_pretty_json().expect("the document is plain data").into()
    });
    ([(header::CONTENT_TYPE, "application/json")], Bytes::clone(&DOCUMENT))
}
