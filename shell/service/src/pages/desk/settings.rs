//! `/desk/settings`: the checklist, and for the maker its organisations. For administrators.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use sparekey_cases::desk::Role;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::{Banner, Page, Tone, html};
use sparekey_web::problem::Problem;

use super::Desk;
use super::session::Session;
use crate::desk::DeskError;
use crate::http::{App, error};
use crate::pages::assets;

#[derive(Template)]
#[template(path = "desk/settings.html")]
struct Settings {
    page: Page,
    desk: Desk,
    checklist: String,
    organisations: Vec<(String, String)>,
    all: bool,
    fresh: bool,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/desk/settings", get(show))
        .route("/desk/settings/checklist", post(checklist))
        .route("/desk/settings/organisation", post(organisation))
}

async fn show(State(app): State<App>, session: Session, token: FormToken) -> Response {
    page(&app, &session, token, Ok(None)).await
}

async fn page(app: &App, session: &Session, token: FormToken, did: Result<Option<&str>, Problem>) -> Response {
    if session.known.actor.role < Role::Administrator {
        return Problem::new(messages::NOT_ALLOWED).into_response();
    }
    let service = app.service.desk();
    let all = session.known.actor.organisation.is_none();
    let read = async {
        let checklist = service.checklist(session.credential()).await?;
        let organisations = if all { service.organisations(session.credential()).await? } else { Vec::new() };
        Ok::<_, DeskError>((checklist, organisations))
    };
    let (checklist, organisations) = match read.await {
        Ok(read) => read,
        Err(error) => return error::desk(&error).into_response(),
    };
    let banner = match &did {
        Ok(what) => what.map(|what| Banner::new(Tone::Ok, what, "")),
        Err(problem) => Some(Banner::from(problem)),
    };
    let mut desk = Desk::new(app, session, token, "Settings", "settings").with_banner(banner);
    desk.page = desk.page.scripts([&assets::PASSKEY]);
    let ranges = |one: &crate::operators::Organisation| {
        one.ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let mut shown = html(&Settings {
        page: desk.page.clone(),
        desk,
        checklist,
        organisations: organisations.iter().map(|one| (one.name.clone(), ranges(one))).collect(),
        all,
        fresh: session.known.actor.presence.is_fresh(service.clock.now()),
    });
    if let Err(problem) = did {
        *shown.status_mut() = problem.status();
    }
    shown
}

#[derive(Deserialize)]
struct Checklist {
    checklist: String,
}

async fn checklist(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    GuardedForm(sent): GuardedForm<Checklist>,
) -> Response {
    let set = app.service.desk().set_checklist(session.credential(), &sent.checklist).await;
    let did = set.map(|()| Some("The checklist is kept; cases that are open keep theirs."));
    page(&app, &session, token, did.map_err(|error| error::desk(&error))).await
}

#[derive(Deserialize)]
struct Organisation {
    name: String,
    #[serde(default)]
    serials: String,
}

async fn organisation(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    GuardedForm(sent): GuardedForm<Organisation>,
) -> Response {
    let set = app.service.desk().set_organisation(session.credential(), &sent.name, &sent.serials).await;
    let did = set.map(|()| Some("The organisation is kept."));
    page(&app, &session, token, did.map_err(|error| error::desk(&error))).await
}
