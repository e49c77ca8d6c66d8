//! One recovery: the QR and the code, then the new password, then the restart.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sparekey_device::RecoveryView;
use sparekey_web::assets::{CODE_INPUT, COUNTDOWN, REVEAL, STRENGTH};
use sparekey_web::cookie;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::{Page, Width, html};
use sparekey_web::problem::Problem;
use zeroize::Zeroizing;

use super::trouble::Trouble;
use super::{RESTART, on_this_link, same};
use crate::api::parse_id;
use crate::app::App;
use crate::qr;
use crate::refusal::{malformed, problem};
use crate::visitor::Visitor;

/// The cookie that carries the ticket from the code to the new password.
const TICKET: &str = "ticket";

#[derive(Template)]
#[template(path = "recovery.html")]
struct Recovery {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    id: String,
    view: RecoveryView,
    qr: String,
    /// Seconds that a code of this device is good for.
    all: u64,
    service: String,
    serial: String,
    /// Whether there is another reserved email to choose.
    choice: bool,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    page(&app, &visitor, token, &id, Trouble::default()).await.map_err(IntoResponse::into_response)
}

#[derive(Deserialize)]
pub(super) struct Typed {
    code: String,
}

pub(super) async fn prove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let proven = match parse_id(&id) {
        Ok(parsed) => app.prove(&visitor, parsed, &typed.code).await,
        Err(problem) => Err(problem),
    };
    match proven {
        Ok(ticket) => {
            let next = Redirect::to(&format!("/recoveries/{id}/password"));
            Ok(([(header::SET_COOKIE, ticket_cookie(&visitor, ticket.expose()))], next).into_response())
        }
        Err(problem) => {
            let shown = page(&app, &visitor, token, &id, problem.clone().into()).await;
            shown.map_err(|_| problem.into_response())
        }
    }
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, id: &str, trouble: Trouble) -> Result<Response, Problem> {
    let parsed = parse_id(id)?;
    let page =
        app.page("Forgot password").width(Width::Monitor).scripts([&CODE_INPUT, &COUNTDOWN]).banner(trouble.banner());
    let (view, choice, service, serial) = app
        .look(|device, now| {
            let view = device.recovery(now, visitor.caller, parsed);
            let identity = device.identity();
            let choice = device.masked_contacts(visitor.caller).is_ok_and(|emails| emails.len() > 1);
            (view, choice, identity.card().name.to_string(), identity.certificate().serial.to_string())
        })
        .await;
    let view = view.map_err(problem)?;
    if view.proven {
        return Ok(Redirect::to(&format!("/recoveries/{id}/password")).into_response());
    }
    let qr = qr::svg(&view.qr_text).ok_or_else(Problem::internal)?;
    let shown =
        Recovery { page, token, trouble, id: id.to_owned(), view, qr, all: app.code_seconds, service, serial, choice };
    Ok(shown.trouble.answer(&shown))
}

#[derive(Template)]
#[template(path = "new_password.html")]
struct NewPassword {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    id: String,
    expires_in: u64,
    username: String,
}

pub(super) async fn password_form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    token: FormToken,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    password_page(&app, &visitor, &headers, token, &id, Trouble::default()).await.map_err(IntoResponse::into_response)
}

async fn password_page(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    token: FormToken,
    id: &str,
    trouble: Trouble,
) -> Result<Response, Problem> {
    let parsed = parse_id(id)?;
    let ticket = ticket(visitor, headers)?;
    let page = app.page("New password").scripts([&REVEAL, &STRENGTH, &COUNTDOWN]).banner(trouble.banner());
    let view = app.look(|device, now| {
        device.check_ticket(now, visitor.caller, parsed, &ticket)?;
        let username = device.username().map(|name| name.as_str().to_owned()).unwrap_or_default();
        Ok((device.recovery(now, visitor.caller, parsed)?, username))
    });
    let (view, username) = view.await.map_err(problem)?;
    let shown = NewPassword { page, token, trouble, id: id.to_owned(), expires_in: view.expires_in, username };
    Ok(shown.trouble.answer(&shown))
}

#[derive(Deserialize)]
pub(super) struct Passwords {
    password: String,
    password_again: String,
}

#[derive(Template)]
#[template(path = "restarting.html")]
struct Restarting {
    page: Page,
    /// When the device that is about to restart had started.
    started: u64,
}

pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    token: FormToken,
    Path(id): Path<String>,
    GuardedForm(typed): GuardedForm<Passwords>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let (password, again) = (Zeroizing::new(typed.password), Zeroizing::new(typed.password_again));
    match try_set(&app, &visitor, &headers, &id, password, &again).await {
        Ok(()) => {
            let started = app.look(|_, now| now.started.0).await;
            let mut shown = html(&Restarting { page: app.page("Restarting").scripts([&RESTART]), started });
            *shown.status_mut() = StatusCode::ACCEPTED;
            shown.headers_mut().append(header::SET_COOKIE, ticket_cookie(&visitor, ""));
            Ok(shown)
        }
        Err(problem) => {
            let shown = password_page(&app, &visitor, &headers, token, &id, problem.clone().into()).await;
            shown.map_err(|_| problem.into_response())
        }
    }
}

async fn try_set(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    id: &str,
    password: Zeroizing<String>,
    again: &str,
) -> Result<(), Problem> {
    let (id, ticket) = (parse_id(id)?, ticket(visitor, headers)?);
    same(&password, again, || {
        malformed(
            "password_again",
            "The two passwords are not the same.",
            "Type the password again, the same in both fields.",
        )
    })?;
    app.set_password(visitor, id, ticket, password).await
}

fn ticket(visitor: &Visitor, headers: &HeaderMap) -> Result<Zeroizing<String>, Problem> {
    let ticket = cookie::read(headers, &cookie::name(TICKET, visitor.tls));
    ticket.map(|ticket| Zeroizing::new(ticket.to_owned())).ok_or_else(|| Problem::new(messages::EXPIRED))
}

fn ticket_cookie(visitor: &Visitor, ticket: &str) -> HeaderValue {
    cookie::set(&cookie::name(TICKET, visitor.tls), ticket, visitor.tls)
}
