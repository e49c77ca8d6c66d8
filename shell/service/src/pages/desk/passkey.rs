//! `/desk/sign-in`, `/desk/join`, and the calls of `passkey.js`.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Extensions, HeaderMap, StatusCode};
use serde::Deserialize;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::json::ApiJson;
use sparekey_web::listen::Peer;
use sparekey_web::messages;
use sparekey_web::page::{Page, html};
use sparekey_web::problem::Problem;
use webauthn_rs::prelude::{PublicKeyCredential, RegisterPublicKeyCredential};

use super::session::{self, Session};
use super::{Desk, frame, to};
use crate::http::{App, Part, error};
use crate::operators::{Secret, SecretHash};
use crate::pages::assets;
use crate::passkeys::{Passkeys, passkey_url};

#[derive(Template)]
#[template(path = "desk/sign_in.html")]
struct SignIn {
    page: Page,
    /// Where passkeys work, if it is not here.
    elsewhere: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/join.html")]
struct Join {
    page: Page,
    elsewhere: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/account.html")]
struct Account {
    page: Page,
    desk: Desk,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/desk/sign-in", get(sign_in))
        .route("/desk/join", get(join))
        .route("/desk/account", get(account))
        .route("/desk/sign-out", post(sign_out))
        .route("/desk/passkey/{what}/start", post(start))
        .route("/desk/passkey/{what}/finish", post(finish))
}

async fn sign_in(State(app): State<App>, headers: HeaderMap) -> Response {
    let page = frame(&app.settings, "Sign in").scripts([&assets::PASSKEY]);
    html(&SignIn { page, elsewhere: elsewhere(&app, &headers, "/desk/sign-in") })
}

async fn join(State(app): State<App>, headers: HeaderMap) -> Response {
    let page = frame(&app.settings, "Welcome to the desk").scripts([&assets::PASSKEY]);
    html(&Join { page, elsewhere: elsewhere(&app, &headers, "/desk/join") })
}

async fn account(State(app): State<App>, session: Session, token: FormToken) -> Response {
    let mut desk = Desk::new(&app, &session, token, "Your passkeys", "account").narrow();
    desk.page = desk.page.scripts([&assets::PASSKEY]);
    html(&Account { page: desk.page.clone(), desk })
}

/// On this machine browsers make no passkeys for a bare address: the same page by the machine's name.
fn elsewhere(app: &App, headers: &HeaderMap, path: &str) -> Option<String> {
    let host = headers.get(http::header::HOST)?.to_str().ok()?;
    let url = passkey_url(&app.settings.base_url);
    let is_bare = host.starts_with("127.0.0.1") || host.starts_with("[::1]");
    (is_bare && url.contains("//localhost")).then(|| format!("{url}{path}"))
}

#[derive(Deserialize)]
struct Nothing {}

async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    extensions: Extensions,
    GuardedForm(Nothing {}): GuardedForm<Nothing>,
) -> Result<Response, Problem> {
    let tls = session::is_tls(&app, extensions.get::<Peer>());
    if let Some(hash) = session::hash(&headers, tls) {
        app.service.desk().sign_out(hash).await.map_err(|error| error::desk(&error))?;
    }
    Ok(([session::cookie(None, tls)], to("/desk/sign-in")).into_response())
}

/// A ceremony's beginning. Only a link's has something to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    link: Option<String>,
}

/// Its end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    ticket: String,
    answer: serde_json::Value,
    link: Option<String>,
}

fn passkeys(app: &App) -> Result<&Passkeys, Problem> {
    app.passkeys.as_deref().ok_or_else(|| {
        Problem::new(messages::BAD_PASSKEY)
            .detail("Passkeys need a service with a name: give it a URL without a bare address.")
    })
}

async fn start(
    State(app): State<App>,
    Part(what): Part<String>,
    headers: HeaderMap,
    extensions: Extensions,
    ApiJson(start): ApiJson<Start>,
) -> Result<Response, Problem> {
    let (desk, passkeys) = (app.service.desk(), passkeys(&app)?);
    let session = session::hash(&headers, session::is_tls(&app, extensions.get::<Peer>()));
    let asked = match what.as_str() {
        "join" => {
            let link = link(start.link.as_deref())?;
            desk.start_join(passkeys, &link).await.map(|challenge| Json(challenge).into_response())
        }
        "sign-in" => desk.start_sign_in(passkeys).await.map(|challenge| Json(challenge).into_response()),
        "step-up" => {
            desk.start_step_up(passkeys, signed_in(session)?).await.map(|challenge| Json(challenge).into_response())
        }
        "add" => desk.start_add(passkeys, signed_in(session)?).await.map(|challenge| Json(challenge).into_response()),
        _ => return Err(messages::NOT_FOUND.into()),
    };
    asked.map_err(|error| error::sign_in(&error))
}

async fn finish(
    State(app): State<App>,
    Part(what): Part<String>,
    headers: HeaderMap,
    extensions: Extensions,
    ApiJson(finish): ApiJson<Finish>,
) -> Result<Response, Problem> {
    let (desk, passkeys) = (app.service.desk(), passkeys(&app)?);
    let tls = session::is_tls(&app, extensions.get::<Peer>());
    let session = session::hash(&headers, tls);
    let ticket = finish.ticket.as_str();
    let made = || serde_json::from_value::<RegisterPublicKeyCredential>(finish.answer.clone()).map_err(|_| bad());
    let used = || serde_json::from_value::<PublicKeyCredential>(finish.answer.clone()).map_err(|_| bad());
    let new_session = match what.as_str() {
        "join" => {
            let link = link(finish.link.as_deref())?;
            desk.finish_join(passkeys, &link, ticket, &made()?).await.map(Some)
        }
        "sign-in" => desk.finish_sign_in(passkeys, ticket, &used()?).await.map(Some),
        "step-up" => desk.finish_step_up(passkeys, signed_in(session)?, ticket, &used()?).await.map(|()| None),
        "add" => desk.finish_add(passkeys, signed_in(session)?, ticket, &made()?).await.map(|()| None),
        _ => return Err(messages::NOT_FOUND.into()),
    };
    Ok(match new_session.map_err(|error| error::sign_in(&error))? {
        Some(secret) => (StatusCode::NO_CONTENT, [session::cookie(Some(&secret), tls)]).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn link(text: Option<&str>) -> Result<Secret, Problem> {
    text.and_then(Secret::parse).ok_or_else(|| messages::LINK_OVER.into())
}

fn signed_in(session: Option<SecretHash>) -> Result<SecretHash, Problem> {
    session.ok_or_else(|| messages::NOT_LOGGED_IN.into())
}

fn bad() -> Problem {
    messages::BAD_PASSKEY.into()
}
