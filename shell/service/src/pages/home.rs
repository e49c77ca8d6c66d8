//! `/`: what this is, and the one thing to do.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use sparekey_web::page::{Page, Width, html};

use super::frame;
use crate::http::App;

#[derive(Template)]
#[template(path = "app/home.html")]
struct Home {
    page: Page,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/", get(home))
}

async fn home(State(app): State<App>) -> Response {
    html(&Home { page: frame(&app.settings, "Reset Device Password").width(Width::Monitor) })
}
