//! `/desk/people`: who works here. For administrators.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use sparekey_cases::desk::{Line, OperatorId, Role};
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Banner, Page, Tone, html};
use sparekey_web::problem::Problem;

use super::session::Session;
use super::{Desk, filters, to};
use crate::desk::DeskError;
use crate::http::{App, Part, error};
use crate::operators::{Entrance, NewOperator, Operator};
use crate::pages::assets;
use crate::passkeys::passkey_url;

#[derive(Template)]
#[template(path = "desk/people.html")]
struct People {
    page: Page,
    desk: Desk,
    operators: Vec<Operator>,
    organisations: Vec<String>,
    /// Whether who looks is the maker's.
    all: bool,
    fresh: bool,
    /// Himself, who cannot be removed by himself.
    own: OperatorId,
}

#[derive(Template)]
#[template(path = "desk/entrance.html")]
struct Entered {
    page: Page,
    desk: Desk,
    name: String,
    link: Option<String>,
    code: String,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/desk/people", get(show).post(add))
        .route("/desk/people/{id}/remove", post(remove))
        .route("/desk/people/{id}/link", post(link))
}

async fn show(State(app): State<App>, session: Session, token: FormToken) -> Response {
    page(&app, &session, token, None).await
}

async fn page(app: &App, session: &Session, token: FormToken, problem: Option<&Problem>) -> Response {
    let service = app.service.desk();
    let all = session.known.actor.organisation.is_none();
    let read = async {
        let operators = service.operators(session.credential()).await?;
        let organisations = if all { service.organisations(session.credential()).await? } else { Vec::new() };
        Ok::<_, DeskError>((operators, organisations))
    };
    let (operators, organisations) = match read.await {
        Ok(read) => read,
        Err(error) => return error::desk(&error).into_response(),
    };
    let mut desk = Desk::new(app, session, token, "People", "people").with_banner(problem.map(Banner::from));
    desk.page = desk.page.scripts([&assets::PASSKEY]);
    let mut shown = html(&People {
        page: desk.page.clone(),
        desk,
        operators,
        organisations: organisations.into_iter().map(|one| one.name).collect(),
        all,
        fresh: session.known.actor.presence.is_fresh(service.clock.now()),
        own: session.known.actor.operator,
    });
    if let Some(problem) = problem {
        *shown.status_mut() = problem.status();
    }
    shown
}

#[derive(Deserialize)]
struct Add {
    name: String,
    role: String,
    #[serde(default)]
    organisation: String,
    #[serde(default)]
    token: bool,
}

async fn add(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    GuardedForm(add): GuardedForm<Add>,
) -> Response {
    let line = |text: &str, field| Line::optional(text).map_err(|_| DeskError::Field(field));
    let read = || {
        Ok::<_, DeskError>(NewOperator {
            name: line(&add.name, "name")?.ok_or(DeskError::Field("name"))?,
            role: Role::parse(&add.role).ok_or(DeskError::Field("role"))?,
            organisation: line(&add.organisation, "organisation")?,
            token: add.token,
        })
    };
    let added = async {
        let mut new: NewOperator = read()?;
        // A distributor's administrator adds to his own; he does not name it.
        if session.known.actor.organisation.is_some() {
            let own = app.service.desk().operators(session.credential()).await?;
            let own = own.into_iter().find(|one| one.id == session.known.actor.operator);
            let name = own.and_then(|own| own.organisation_name).and_then(|name| Line::new(&name).ok());
            new.organisation = Some(name.ok_or(DeskError::Unavailable)?);
        }
        app.service.desk().add_operator(session.credential(), new).await
    };
    match added.await {
        Ok(entrance) => entered(&app, &session, token, add.name, &entrance),
        Err(error) => page(&app, &session, token, Some(&error::desk(&error))).await,
    }
}

async fn remove(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Part(id): Part<u32>,
    GuardedForm(Nothing {}): GuardedForm<Nothing>,
) -> Response {
    match app.service.desk().remove_operator(session.credential(), OperatorId(id)).await {
        Ok(()) => to("/desk/people"),
        Err(error) => page(&app, &session, token, Some(&error::desk(&error))).await,
    }
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
struct Link {
    name: String,
}

async fn link(
    State(app): State<App>,
    session: Session,
    token: FormToken,
    Part(id): Part<u32>,
    GuardedForm(Link { name }): GuardedForm<Link>,
) -> Response {
    match app.service.desk().new_link(session.credential(), OperatorId(id)).await {
        Ok(entrance) => entered(&app, &session, token, name, &entrance),
        Err(error) => page(&app, &session, token, Some(&error::desk(&error))).await,
    }
}

/// What somebody comes in by, shown once.
fn entered(app: &App, session: &Session, token: FormToken, name: String, entrance: &Entrance) -> Response {
    let (link, code) = match entrance {
        Entrance::Link(secret, _) => {
            let url = passkey_url(&app.settings.base_url);
            (Some(format!("{url}/desk/join#{}", *secret.expose())), String::new())
        }
        Entrance::Token(secret) => (None, secret.expose().to_string()),
    };
    let desk = Desk::new(app, session, token, "A way in", "people").narrow();
    let news = Banner::new(Tone::Ok, format!("{name} may come in."), "This is shown once: hand it over now.");
    let desk = desk.with_banner(Some(news));
    html(&Entered { page: desk.page.clone(), desk, name, link, code })
}
