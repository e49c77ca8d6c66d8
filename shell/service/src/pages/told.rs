//! `/t`: where the symbol of a device's receipt leads. The receipt is in the fragment, which no server sees: `told.js` sends it. Without
//! scripts it is pasted.

use askama::Template;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use http::header;
use serde::Deserialize;
use sparekey_web::page::{Page, html};
use sparekey_web::problem::Problem;

use super::{assets, banner, frame};
use crate::http::{App, Client, error};
use crate::service::ToldView;

#[derive(Template)]
#[template(path = "app/told.html")]
struct Told<'a> {
    page: Page,
    pasted: &'a str,
    told: Option<ToldView>,
}

#[derive(Default, Deserialize)]
struct Pasted {
    receipt: String,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/t", get(show).post(pasted))
}

async fn show(State(app): State<App>) -> Response {
    answer(&app, &Pasted::default(), None, None)
}

async fn pasted(State(app): State<App>, client: Client, sent: Result<Form<Pasted>, FormRejection>) -> Response {
    let sent = match sent {
        Ok(Form(sent)) => sent,
        Err(rejection) => return answer(&app, &Pasted::default(), None, Some(&error::form(&rejection))),
    };
    match app.tell(&sent.receipt, client).await {
        Ok(told) => answer(&app, &Pasted::default(), Some(told), None),
        Err(problem) => answer(&app, &sent, None, Some(&problem)),
    }
}

/// The page, with what was pasted and what came of it.
fn answer(app: &App, sent: &Pasted, told: Option<ToldView>, problem: Option<&Problem>) -> Response {
    let page = frame(&app.settings, "Telling the contacts").scripts([&assets::TOLD]).banner(problem.map(banner));
    let shown = html(&Told { page, pasted: &sent.receipt, told });
    let Some(problem) = problem else { return shown };
    let wait = problem.seconds_to_wait().map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
    (problem.status(), wait, shown).into_response()
}
