//! What is done to a case: each a form, and where it matters a page that asks once more.

use askama::Template;
use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use sparekey_cases::desk::{GrantHours, Words};
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::{Banner, Page, html};
use sparekey_web::problem::Problem;

use super::form::FileForm;
use super::session::Session;
use super::{Desk, case, to};
use crate::desk::replies::Reply;
use crate::desk::{CaseView, DeskError};
use crate::http::{App, MAX_PHOTO_BODY, Number, error, grant_file, hand_out};
use crate::pages::assets;
use crate::writer::desk::Act;

#[derive(Template)]
#[template(path = "desk/approve.html")]
struct Approve {
    page: Page,
    desk: Desk,
    case: CaseView,
    /// Whether the passkey was used a moment ago.
    fresh: bool,
}

#[derive(Template)]
#[template(path = "desk/key.html")]
struct KeyPage {
    page: Page,
    desk: Desk,
    number: String,
    serial: String,
    entry: u32,
    /// In two halves, once they are shown.
    digits: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "desk/refuse.html")]
struct Refuse {
    page: Page,
    desk: Desk,
    case: CaseView,
    replies: &'static [Reply],
    reason: String,
}

/// With the other fields of the form.
const MAX_UPLOAD: usize = MAX_PHOTO_BODY + 64 * 1024;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/desk/cases/{number}/note", post(note))
        .route("/desk/cases/{number}/attach", post(attach).layer(DefaultBodyLimit::max(MAX_UPLOAD)))
        .route("/desk/cases/{number}/evidence/{place}", get(evidence))
        .route("/desk/cases/{number}/check", post(check))
        .route("/desk/cases/{number}/hand-over", post(hand_over))
        .route("/desk/cases/{number}/approve", get(show_approve).post(approve))
        .route("/desk/cases/{number}/grant", post(grant))
        .route("/desk/cases/{number}/key", get(show_key).post(key))
        .route("/desk/cases/{number}/refuse", get(show_refuse).post(refuse))
}

#[derive(Deserialize)]
struct Note {
    text: String,
}

async fn note(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    GuardedForm(note): GuardedForm<Note>,
) -> Response {
    let act = Words::new(&note.text).map(Act::Note).map_err(|_| DeskError::Field("note"));
    done(&app, &session, token, &number, act, "note").await
}

async fn attach(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    form: Result<FileForm, Problem>,
) -> Response {
    let attached = async {
        let form = form?;
        let file =
            form.file.clone().ok_or(Problem::new(messages::MALFORMED).detail("Choose a picture or a PDF first."))?;
        let name = if form.text("name").trim().is_empty() { form.file_name.as_str() } else { form.text("name") };
        let service = app.service.desk();
        let attached = service.attach(session.credential(), &number, name, file, &app.settings.photos).await;
        attached.map_err(|error| error::desk(&error))
    };
    match attached.await {
        Ok(view) => to(&format!("/desk/cases/{}?done=attach", view.number)),
        Err(problem) => case::with_problem(&app, &session, token, &number, problem).await,
    }
}

async fn evidence(
    State(app): State<App>,
    session: Session,
    path: Result<Path<(String, u32)>, PathRejection>,
) -> Result<Response, Problem> {
    let Ok(Path((number, place))) = path else { return Err(messages::NOT_FOUND.into()) };
    let attached = app.service.desk().attached(session.credential(), &number, place).await;
    attached.map(hand_out).map_err(|error| error::desk(&error))
}

#[derive(Deserialize)]
struct Check {
    item: u32,
    done: bool,
}

async fn check(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    GuardedForm(Check { item, done: is_done }): GuardedForm<Check>,
) -> Response {
    done(&app, &session, token, &number, Ok(Act::Check { item, done: is_done }), "check").await
}

#[derive(Deserialize)]
struct HandOver {
    #[serde(default)]
    organisation: String,
}

async fn hand_over(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    GuardedForm(HandOver { organisation }): GuardedForm<HandOver>,
) -> Response {
    let to_whom = Some(organisation.as_str()).filter(|name| !name.is_empty());
    match app.service.desk().hand_over(session.credential(), &number, to_whom).await {
        // Given back, it is no longer to be seen.
        Ok(_) if session.known.actor.organisation.is_some() => to("/desk"),
        Ok(_) => to(&format!("/desk/cases/{number}?done=hand-over")),
        Err(error) => case::with_problem(&app, &session, token, &number, error::desk(&error)).await,
    }
}

async fn done(
    app: &App,
    session: &Session,
    token: FormToken,
    number: &str,
    act: Result<Act, DeskError>,
    what: &str,
) -> Response {
    let acted = match act {
        Ok(act) => app.service.desk().act(session.credential(), number, act).await,
        Err(error) => Err(error),
    };
    match acted {
        Ok(view) => to(&format!("/desk/cases/{}?done={what}", view.number)),
        Err(error) => case::with_problem(app, session, token, number, error::desk(&error)).await,
    }
}

async fn show_approve(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
) -> Result<Response, Problem> {
    let service = app.service.desk();
    let view = service.show(session.credential(), &number).await.map_err(|error| error::desk(&error))?;
    if !view.may.contains(&"approve") {
        return Ok(to(&format!("/desk/cases/{}", view.number)));
    }
    let fresh = session.known.actor.presence.is_fresh(service.clock.now());
    let mut desk = Desk::new(&app, &session, token, &format!("Approve case {}", view.number), "").narrow();
    desk.page = desk.page.scripts([&assets::PASSKEY]);
    Ok(html(&Approve { page: desk.page.clone(), desk, case: view, fresh }))
}

#[derive(Deserialize)]
struct Nothing {}

async fn approve(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    GuardedForm(Nothing {}): GuardedForm<Nothing>,
) -> Response {
    done(&app, &session, token, &number, Ok(Act::Approve), "approve").await
}

async fn show_refuse(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
) -> Result<Response, Problem> {
    refuse_page(&app, &session, token, &number, String::new(), None).await
}

async fn refuse_page(
    app: &App,
    session: &Session,
    token: FormToken,
    number: &str,
    reason: String,
    problem: Option<&Problem>,
) -> Result<Response, Problem> {
    let view = app.service.desk().show(session.credential(), number).await.map_err(|error| error::desk(&error))?;
    if !view.may.contains(&"refuse") {
        return Ok(to(&format!("/desk/cases/{}", view.number)));
    }
    let desk = Desk::new(app, session, token, &format!("Refuse case {}", view.number), "").narrow();
    let desk = desk.with_banner(problem.map(Banner::from));
    Ok(html(&Refuse { page: desk.page.clone(), desk, case: view, replies: Reply::all(), reason }))
}

#[derive(Deserialize)]
struct Reason {
    /// One that is ready.
    #[serde(default)]
    reply: String,
    /// Or one's own.
    #[serde(default)]
    reason: String,
}

async fn refuse(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    GuardedForm(sent): GuardedForm<Reason>,
) -> Result<Response, Problem> {
    let view = app.service.desk().show(session.credential(), &number).await.map_err(|error| error::desk(&error))?;
    let ready = Reply::named(&sent.reply).map(|reply| reply.text(&view.claimed.language));
    let words = if sent.reason.trim().is_empty() { ready.unwrap_or_default() } else { &sent.reason };
    let Ok(reason) = Words::new(words) else {
        let problem = error::desk(&DeskError::Field("reason"));
        return refuse_page(&app, &session, token, &number, sent.reason, Some(&problem)).await;
    };
    Ok(done(&app, &session, token, &number, Ok(Act::Refuse(reason)), "refuse").await.into_response())
}

#[derive(Deserialize)]
struct Granting {
    hours: Option<u64>,
    part: Option<usize>,
}

async fn grant(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    GuardedForm(sent): GuardedForm<Granting>,
) -> Response {
    let part = sent.part.unwrap_or(1).saturating_sub(1);
    let granted = match sent.hours.map_or(Some(GrantHours::default()), GrantHours::new) {
        Some(hours) => app.service.desk().grant(session.credential(), &number, hours, part).await,
        None => Err(DeskError::Field("hours")),
    };
    match granted {
        Ok(file) => grant_file(&number, part, file),
        Err(error) => case::with_problem(&app, &session, token, &number, error::desk(&error)).await,
    }
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    entry: u32,
}

async fn show_key(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    which: Result<Query<Entry>, QueryRejection>,
) -> Result<Response, Problem> {
    let Entry { entry } = which.map(|Query(which)| which).unwrap_or_default();
    let view = app.service.desk().show(session.credential(), &number).await.map_err(|error| error::desk(&error))?;
    let asked = view.requests.get(entry as usize).filter(|one| one.answer.is_none());
    let Some(verified) = asked.and_then(|one| one.verified.as_ref()).filter(|_| view.may.contains(&"key")) else {
        return Ok(to(&format!("/desk/cases/{}", view.number)));
    };
    let serial = verified.serial.clone();
    Ok(key_page(&app, &session, token, view.number, serial, entry, None))
}

async fn key(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Number(number): Number,
    GuardedForm(Entry { entry }): GuardedForm<Entry>,
) -> Response {
    match app.service.desk().key(session.credential(), &number, entry).await {
        Ok(key) => {
            let (first, second) = key.code.expose().split_at(4);
            let digits = Some((first.to_owned(), second.to_owned()));
            key_page(&app, &session, token, number, key.serial.to_string(), entry, digits)
        }
        Err(error) => case::with_problem(&app, &session, token, &number, error::desk(&error)).await,
    }
}

fn key_page(
    app: &App,
    session: &Session,
    token: FormToken,
    number: String,
    serial: String,
    entry: u32,
    digits: Option<(String, String)>,
) -> Response {
    let desk = Desk::new(app, session, token, &format!("Eight digits of case {number}"), "").narrow();
    html(&KeyPage { page: desk.page.clone(), desk, number, serial, entry, digits })
}
