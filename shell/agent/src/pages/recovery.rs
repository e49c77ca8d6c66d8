//! One recovery: the QR and the code, then the new password, then the restart.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sparekey_device::{Progress, RecoveryId, RecoveryView, Refusal, Typed};
use sparekey_web::assets::{CODE_INPUT, COUNTDOWN, REVEAL, STRENGTH};
use sparekey_web::cookie;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Page, Width, html};
use sparekey_web::problem::Problem;
use zeroize::Zeroizing;

use super::activate::TWO_PASSWORDS;
use super::trouble::Trouble;
use super::{RESTART, on_this_link, same};
use crate::app::{App, parse_code};
use crate::failure::Failure;
use crate::path::Id;
use crate::qr;
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
    Id(id): Id,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    page(&app, &visitor, token, id, Trouble::default()).await.map_err(IntoResponse::into_response)
}

#[derive(Deserialize)]
pub(super) struct Given {
    code: String,
}

pub(super) async fn prove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Given>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let proven = async { app.prove(&visitor, id, Typed::Code(parse_code(&typed.code)?)).await };
    match proven.await {
        Ok(Progress::More | Progress::Tested) => Ok(Redirect::to(&format!("/recoveries/{id}")).into_response()),
        Ok(Progress::Proven(ticket)) => {
            let next = Redirect::to(&format!("/recoveries/{id}/password"));
            Ok(([(header::SET_COOKIE, ticket_cookie(&visitor, ticket.expose()))], next).into_response())
        }
        Err(failure) => {
            let shown = page(&app, &visitor, token, id, failure.into()).await;
            shown.map_err(|_| failure.into_response())
        }
    }
}

async fn page(
    app: &App,
    visitor: &Visitor,
    token: FormToken,
    id: RecoveryId,
    trouble: Trouble,
) -> Result<Response, Problem> {
    let page =
        app.page("Forgot password").width(Width::Monitor).scripts([&CODE_INPUT, &COUNTDOWN]).banner(trouble.banner());
    let (view, choice, service, serial) = app
        .look(|device, now| {
            let view = device.recovery(now, visitor.caller, id);
            let (identity, card) = (device.identity(), device.card());
            let choice = device.masked_contacts(visitor.caller).is_ok_and(|emails| emails.len() > 1);
            (view, choice, card.name.to_string(), identity.certificate().serial.to_string())
        })
        .await;
    let view = view.map_err(Failure::Refused)?;
    if view.proven {
        return Ok(Redirect::to(&format!("/recoveries/{id}/password")).into_response());
    }
    let qr = view.qr_text().and_then(qr::svg).ok_or_else(Problem::internal)?;
    let shown =
        Recovery { page, token, trouble, id: id.to_string(), view, qr, all: app.code_seconds, service, serial, choice };
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
    Id(id): Id,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    password_page(&app, &visitor, &headers, token, id, Trouble::default()).await.map_err(IntoResponse::into_response)
}

async fn password_page(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    token: FormToken,
    id: RecoveryId,
    trouble: Trouble,
) -> Result<Response, Problem> {
    let ticket = ticket(visitor, headers).map_err(Failure::Refused)?;
    let page = app.page("New password").scripts([&REVEAL, &STRENGTH, &COUNTDOWN]).banner(trouble.banner());
    let view = app.look(|device, now| {
        device.check_ticket(now, visitor.caller, id, &ticket)?;
        let username = device.username().map(|name| name.as_str().to_owned()).unwrap_or_default();
        Ok((device.recovery(now, visitor.caller, id)?, username))
    });
    let (view, username) = view.await.map_err(Failure::Refused)?;
    let shown = NewPassword { page, token, trouble, id: id.to_string(), expires_in: view.expires_in, username };
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
    Id(id): Id,
    GuardedForm(typed): GuardedForm<Passwords>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let (password, again) = (Zeroizing::new(typed.password), Zeroizing::new(typed.password_again));
    match try_set(&app, &visitor, &headers, id, password, &again).await {
        Ok(()) => {
            let started = app.look(|_, now| now.started.0).await;
            let mut shown = html(&Restarting { page: app.page("Restarting").scripts([&RESTART]), started });
            *shown.status_mut() = StatusCode::ACCEPTED;
            shown.headers_mut().append(header::SET_COOKIE, ticket_cookie(&visitor, ""));
            Ok(shown)
        }
        Err(failure) => {
            let shown = password_page(&app, &visitor, &headers, token, id, failure.into()).await;
            shown.map_err(|_| failure.into_response())
        }
    }
}

async fn try_set(
    app: &App,
    visitor: &Visitor,
    headers: &HeaderMap,
    id: RecoveryId,
    password: Zeroizing<String>,
    again: &str,
) -> Result<(), Failure> {
    let ticket = ticket(visitor, headers)?;
    same(&password, again, TWO_PASSWORDS)?;
    app.set_password(visitor, id, ticket, password).await
}

fn ticket(visitor: &Visitor, headers: &HeaderMap) -> Result<Zeroizing<String>, Refusal> {
    let ticket = cookie::read(headers, &cookie::name(TICKET, visitor.tls));
    ticket.map(|ticket| Zeroizing::new(ticket.to_owned())).ok_or(Refusal::Expired)
}

fn ticket_cookie(visitor: &Visitor, ticket: &str) -> HeaderValue {
    cookie::set(&cookie::name(TICKET, visitor.tls), ticket, visitor.tls)
}
