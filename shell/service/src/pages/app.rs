//! What makes the pages an app that a phone can install.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, header};
use serde_json::json;
use sparekey_web::assets::{ICON_192, ICON_512, ICON_MASKABLE};
use sparekey_web::page::{Page, html};

use super::{assets, frame};
use crate::http::App;

pub(super) const MANIFEST: &str = "/manifest.webmanifest";

#[derive(Template)]
#[template(path = "app/offline.html")]
struct Offline {
    page: Page,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route(MANIFEST, get(manifest))
        .route("/sw.js", get(async |headers: HeaderMap| assets::WORKER.at_fixed_address(&headers)))
        .route("/offline", get(offline))
}

async fn manifest(State(app): State<App>) -> Response {
    let icon = |src: &str, sizes: &str, purpose: &str| json!({ "src": src, "sizes": sizes, "type": "image/png", "purpose": purpose });
    let manifest = json!({
        "id": "/",
        "name": app.settings.name,
        "short_name": "Sparekey",
        "description": "Get back into your recorder or camera.",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f3f1ec",
        "theme_color": "#f3f1ec",
        "icons": [
            icon(ICON_192.url(), "192x192", "any"),
            icon(ICON_512.url(), "512x512", "any"),
            icon(ICON_MASKABLE.url(), "512x512", "maskable"),
        ],
        "shortcuts": [{ "name": "Reset Device Password", "short_name": "Reset", "url": "/reset" }],
        "share_target": {
            "action": "/reset/photo",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": { "files": [{ "name": "photo", "accept": ["image/jpeg", "image/png", "image/webp"] }] },
        },
    });
    ([(header::CONTENT_TYPE, "application/manifest+json")], Json(manifest)).into_response()
}

/// What the service worker shows where nothing can be reached.
async fn offline(State(app): State<App>) -> Response {
    html(&Offline { page: frame(&app.settings, "No connection") })
}
