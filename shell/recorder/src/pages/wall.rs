//! All cameras, live: 1, 4, 9 or 16 at once.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::get,
};
use serde::Deserialize;
use sparekey_agent::guest::Owner;
use sparekey_web::page::{Page, html};

use super::{LIVE, Shown, frame};
use crate::recorder::Inside;

pub(super) fn router() -> Router<Arc<Inside>> {
    Router::new().route("/cameras", get(show))
}

#[derive(Template)]
#[template(path = "cameras.html")]
struct Wall {
    page: Page,
    cameras: Vec<Shown>,
    /// At once.
    shown: usize,
    /// How many pages of them, and which this is.
    pages: usize,
    at: usize,
}

/// How many at once, and which of them.
#[derive(Deserialize)]
pub(super) struct Asked {
    show: Option<usize>,
    page: Option<usize>,
}

async fn show(owner: Owner, State(recorder): State<Arc<Inside>>, Query(asked): Query<Asked>) -> Response {
    let all = recorder.cameras();
    let fits = |count: &usize| [1, 4, 9, 16].contains(count);
    let few = [1, 4, 9].into_iter().find(|count| all.len() <= *count).unwrap_or(16);
    let shown = asked.show.filter(fits).unwrap_or(few);
    let pages = all.len().div_ceil(shown).max(1);
    let at = asked.page.unwrap_or(1).clamp(1, pages);
    let cameras =
        all.iter().skip((at - 1) * shown).take(shown).map(|(camera, running)| Shown::of(camera, running)).collect();
    let page = frame(&owner.house, &recorder, "Cameras").scripts([&LIVE]).refresh(10);
    html(&Wall { page, cameras, shown, pages, at })
}
