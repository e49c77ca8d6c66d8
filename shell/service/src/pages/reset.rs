//! `/reset`: a request comes in by the camera, a photo, or its digits.

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use http::header;
use serde::Deserialize;
use sparekey_web::page::{Page, html};
use sparekey_web::problem::Problem;

use super::{assets, banner, frame};
use crate::http::{App, Client, MAX_PHOTO_BODY, Photo, error};

#[derive(Template)]
#[template(path = "app/reset.html")]
struct Reset<'a> {
    page: Page,
    pasted: &'a str,
    again: bool,
}

#[derive(Default, Deserialize)]
struct Pasted {
    request: String,
    #[serde(default)]
    again: bool,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/reset", get(show).post(pasted)).route(
        "/reset/photo",
        post(photo).get(async || Redirect::to("/reset")).layer(DefaultBodyLimit::max(MAX_PHOTO_BODY)),
    )
}

async fn show(State(app): State<App>) -> Response {
    form(&app, &Pasted::default(), None)
}

async fn pasted(State(app): State<App>, client: Client, sent: Result<Form<Pasted>, FormRejection>) -> Response {
    let sent = match sent {
        Ok(Form(sent)) => sent,
        Err(rejection) => return form(&app, &Pasted::default(), Some(&error::form(&rejection))),
    };
    match app.submit(&sent.request, sent.again, client).await {
        Ok(view) => to_request(&view.id),
        Err(problem) => form(&app, &sent, Some(&problem)),
    }
}

/// From the form, or shared by another app of the phone (the manifest's `share_target`).
async fn photo(State(app): State<App>, client: Client, photo: Result<Photo, Problem>) -> Response {
    let submitted = match photo {
        Ok(photo) => app.submit_photo(photo, client).await,
        Err(problem) => Err(problem),
    };
    match submitted {
        Ok((view, _)) => to_request(&view.id),
        Err(problem) => form(&app, &Pasted::default(), Some(&problem)),
    }
}

fn to_request(id: &str) -> Response {
    Redirect::to(&format!("/requests/{id}")).into_response()
}

/// The page, with what was typed and what went wrong.
fn form(app: &App, sent: &Pasted, problem: Option<&Problem>) -> Response {
    let page = frame(&app.settings, "Reset Device Password").scripts([&assets::SCAN]).banner(problem.map(banner));
    let shown = html(&Reset { page, pasted: &sent.request, again: sent.again });
    let Some(problem) = problem else { return shown };
    let wait = problem.seconds_to_wait().map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
    (problem.status(), wait, shown).into_response()
}
