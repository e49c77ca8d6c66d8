//! A camera is added, changed, taken away.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use sparekey_agent::guest::Owner;
use sparekey_web::{
    csrf::{FormToken, GuardedForm},
    messages,
    page::{Banner, Page, Tone, Width, html},
    problem::Problem,
};
use zeroize::Zeroizing;

use super::frame;
use crate::{
    api::cameras::{Wanted, add_camera, change_camera},
    recorder::Inside,
    settings::Source,
};

pub(super) fn router() -> Router<Arc<Inside>> {
    Router::new()
        .route("/cameras/new", get(new).post(add))
        .route("/cameras/{id}/edit", get(edit).post(change))
        .route("/cameras/{id}/edit/remove", post(remove))
}

#[derive(Template)]
#[template(path = "camera_form.html")]
struct Form {
    page: Page,
    token: FormToken,
    typed: Typed,
    action: String,
    back: String,
    is_known: bool,
    is_file: bool,
}

/// What is typed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    url: String,
    small: String,
    username: String,
    password: Zeroizing<String>,
    #[serde(deserialize_with = "ticked")]
    record: bool,
}

/// A box that is not ticked is not sent.
fn ticked<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    String::deserialize(from).map(|value| value == "yes")
}

impl Typed {
    fn wanted(&self, is_file: bool) -> Wanted {
        let address = |text: &String| (!is_file).then(|| text.clone());
        Wanted {
            name: Some(self.name.clone()),
            url: address(&self.url),
            small: address(&self.small),
            username: address(&self.username),
            password: (!self.password.is_empty()).then(|| self.password.clone()),
            record: Some(self.record),
            udp: None,
        }
    }
}

/// The form again, with all that was typed but the password.
fn again(owner: &Owner, recorder: &Inside, form: Form, problem: &Problem) -> Response {
    let page = frame(&owner.house, recorder, &form.page.title).width(Width::Card).banner(Banner::new(
        Tone::Error,
        problem.title(),
        problem.what_to_do(),
    ));
    let mut answer = html(&Form { page, ..form });
    *answer.status_mut() = problem.status();
    answer
}

fn form(owner: &Owner, recorder: &Inside, token: FormToken, id: Option<u32>, typed: Typed, is_file: bool) -> Form {
    let title = if id.is_some() { "Settings of the camera" } else { "Add a camera" };
    let page = frame(&owner.house, recorder, title).width(Width::Card);
    let (action, back) = match id {
        Some(id) => (format!("/cameras/{id}/edit"), format!("/cameras/{id}")),
        None => ("/cameras/new".to_owned(), "/cameras".to_owned()),
    };
    Form { page, token, typed, action, back, is_known: id.is_some(), is_file }
}

async fn new(owner: Owner, State(recorder): State<Arc<Inside>>, token: FormToken) -> Response {
    html(&form(&owner, &recorder, token, None, Typed { record: true, ..Typed::default() }, false))
}

async fn add(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Response {
    match add_camera(&recorder, &typed.wanted(false)) {
        Ok(id) => Redirect::to(&format!("/cameras/{id}")).into_response(),
        Err(problem) => again(&owner, &recorder, form(&owner, &recorder, token, None, typed, false), &problem),
    }
}

async fn edit(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    token: FormToken,
) -> Result<Response, Problem> {
    let (camera, _) = recorder.camera(id).ok_or_else(|| Problem::new(messages::NOT_FOUND))?;
    let typed = Typed { name: camera.name, record: camera.record, ..Typed::default() };
    let (typed, is_file) = match camera.source {
        Source::File(_) => (typed, true),
        Source::Rtsp(of) => {
            let (url, small) = (of.url.into(), of.small.map(String::from).unwrap_or_default());
            (Typed { url, small, username: of.username, ..typed }, false)
        }
    };
    Ok(html(&form(&owner, &recorder, token, Some(id), typed, is_file)))
}

async fn change(
    owner: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Problem> {
    let (camera, _) = recorder.camera(id).ok_or_else(|| Problem::new(messages::NOT_FOUND))?;
    let is_file = matches!(camera.source, Source::File(_));
    Ok(match change_camera(&recorder, id, &typed.wanted(is_file)) {
        Ok(()) => Redirect::to(&format!("/cameras/{id}")).into_response(),
        Err(problem) => again(&owner, &recorder, form(&owner, &recorder, token, Some(id), typed, is_file), &problem),
    })
}

/// Nothing to fill in.
#[derive(Deserialize)]
struct Nothing {}

async fn remove(
    _: Owner,
    State(recorder): State<Arc<Inside>>,
    Path(id): Path<u32>,
    GuardedForm(Nothing {}): GuardedForm<Nothing>,
) -> Result<Response, Problem> {
    let removed = recorder.remove(id).map_err(crate::api::disk)?;
    removed.then(|| Redirect::to("/cameras").into_response()).ok_or_else(|| Problem::new(messages::NOT_FOUND))
}
