//! `/r`: where the symbol's own link leads. The request is in the fragment, which no server sees: `link.js` sends it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use sparekey_web::page::{Page, html};

use super::{assets, frame};
use crate::http::App;

#[derive(Template)]
#[template(path = "app/link.html")]
struct Link {
    page: Page,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/r", get(link))
}

async fn link(State(app): State<App>) -> Response {
    html(&Link { page: frame(&app.settings, "Sending your request").scripts([&assets::LINK]) })
}
