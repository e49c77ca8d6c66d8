//! One recovery: its proof, by a page of each way's own, then the new password, then the restart.

mod desk;
mod email;
mod key_file;
mod questions;
mod security_code;
mod sheet;

pub(super) use desk::request_file;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sparekey_device::ways::Way;
use sparekey_device::{PartView, Progress, RecoveryId, Refusal, Shows, Typed};
use sparekey_web::assets::{REVEAL, STRENGTH};
use sparekey_web::cookie;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Page, html};
use sparekey_web::problem::Problem;
use sparekey_web::upload::GuardedUpload;
use zeroize::Zeroizing;

use super::activate::TWO_PASSWORDS;
use super::trouble::Trouble;
use super::{RESTART, on_this_link, same};
use crate::app::{App, parse_code};
use crate::failure::Failure;
use crate::path::Id;
use crate::typed;
use crate::visitor::Visitor;

/// The cookie that carries the ticket from the code to the new password.
const TICKET: &str = "ticket";

/// What the pages of all ways have in common.
struct Common {
    token: FormToken,
    trouble: Trouble,
    id: String,
    /// Wrong proofs that it still bears.
    tries_left: u8,
    /// Seconds until it takes another, if it takes none now.
    wait: u64,
    expires_in: u64,
    service: String,
    serial: String,
    /// Whether it is a dry test, which changes nothing.
    test: bool,
    /// Where two proofs are asked for: which one this is, from 1.
    part: Option<usize>,
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

/// The fields of the pages: those of the way that the page is of.
#[derive(Deserialize)]
pub(super) struct Given {
    code: Option<String>,
    sheet_code: Option<String>,
    key_file: Option<String>,
    grant: Option<String>,
    first: Option<String>,
    second: Option<String>,
    third: Option<String>,
}

impl Given {
    /// The field that something was given in.
    fn field(&self) -> &'static str {
        match self {
            Self { sheet_code: Some(_), .. } => "sheet_code",
            Self { key_file: Some(_), .. } => "key_file",
            Self { grant: Some(_), .. } => "grant",
            Self { code: Some(_), .. } => "code",
            _ => "answers",
        }
    }
}

/// A key file or a grant, as a file.
#[derive(Deserialize)]
pub(super) struct File {
    file: String,
}

pub(super) async fn prove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
    token: FormToken,
    GuardedForm(given): GuardedForm<Given>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let field = given.field();
    let proven = async { app.prove(&visitor, id, read(&app, &visitor, id, given).await?).await };
    answer(&app, &visitor, token, id, field, proven.await).await
}

pub(super) async fn prove_by_file(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
    token: FormToken,
    GuardedUpload(File { file }): GuardedUpload<File>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let file = Zeroizing::new(file);
    let proven = async {
        let way = waits_for(&app, &visitor, id).await?.way;
        let typed = match way {
            Way::Desk => typed::grant(file.as_bytes())?,
            _ => typed::key_file(file.as_bytes())?,
        };
        app.prove(&visitor, id, typed).await
    };
    answer(&app, &visitor, token, id, "file", proven.await).await
}

/// A key file on a stick that is in the device.
#[derive(Deserialize)]
pub(super) struct OnStick {
    stick: String,
    name: String,
}

pub(super) async fn prove_by_stick(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
    token: FormToken,
    GuardedForm(OnStick { stick, name }): GuardedForm<OnStick>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let proven = async {
        let file = app.read_stick(&visitor, stick, name).await?;
        app.prove(&visitor, id, typed::key_file(&file)?).await
    };
    answer(&app, &visitor, token, id, "file", proven.await).await
}

/// The proof in a form.
async fn read(app: &App, visitor: &Visitor, id: RecoveryId, given: Given) -> Result<Typed, Failure> {
    let Given { code, sheet_code, key_file, grant, first, second, third } = given;
    if let Shows::Questions(asked) = waits_for(app, visitor, id).await?.shows {
        let answers = [first, second, third].map(|answer| Zeroizing::new(answer.unwrap_or_default()));
        let answers: Vec<_> = asked.iter().zip(&answers).map(|(id, answer)| (id.number(), answer.as_str())).collect();
        return Ok(Typed::Answers(typed::answers(&answers)?));
    }
    Ok(match (sheet_code, key_file, grant) {
        (Some(code), None, None) => typed::sheet_code(&code)?,
        (None, Some(xml), None) => typed::key_file(Zeroizing::new(xml).trim().as_bytes())?,
        (None, None, Some(xml)) => typed::grant(xml.trim().as_bytes())?,
        _ => Typed::Code(parse_code(&code.unwrap_or_default())?),
    })
}

/// What the request waits for next.
async fn waits_for(app: &App, visitor: &Visitor, id: RecoveryId) -> Result<PartView, Failure> {
    let view = app.look(|device, now| device.recovery(now, visitor.caller, id)).await?;
    view.next_part().cloned().ok_or(Failure::Refused(Refusal::Expired))
}

/// Where a proof leads, or its page again.
async fn answer(
    app: &App,
    visitor: &Visitor,
    token: FormToken,
    id: RecoveryId,
    field: &'static str,
    proven: Result<Progress, Failure>,
) -> Result<Response, Response> {
    match proven {
        Ok(Progress::More) => Ok(Redirect::to(&format!("/recoveries/{id}")).into_response()),
        Ok(Progress::Tested) => Ok(Redirect::to("/ready?tested").into_response()),
        Ok(Progress::Proven(ticket)) => {
            let next = Redirect::to(&format!("/recoveries/{id}/password"));
            Ok(([(header::SET_COOKIE, ticket_cookie(visitor, ticket.expose()))], next).into_response())
        }
        Err(failure) => {
            let shown = page(app, visitor, token, id, Trouble::of_proof(field, failure)).await;
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
    let (view, choice, service, serial) = app
        .look(|device, now| {
            let view = device.recovery(now, visitor.caller, id);
            let choice = device.masked_contacts(visitor.caller).is_ok_and(|emails| emails.len() > 1);
            let serial = device.identity().certificate().serial.to_string();
            (view, choice, device.card().name.to_string(), serial)
        })
        .await;
    let view = view.map_err(Failure::Refused)?;
    let Some(part) = view.next_part().filter(|_| !view.proven) else {
        return Ok(Redirect::to(&format!("/recoveries/{id}/password")).into_response());
    };
    let page = app.page("Forgot password").banner(trouble.banner());
    let number = view.parts.iter().position(|part| !part.proven).map(|before| before + 1);
    let common = Common {
        token,
        trouble,
        id: id.to_string(),
        tries_left: view.tries_left,
        wait: view.wait,
        expires_in: view.expires_in,
        service,
        serial,
        test: view.test,
        part: number.filter(|_| view.parts.len() > 1),
    };
    match &part.shows {
        Shows::Email { qr_text, masked_address, .. } => {
            email::page(page, common, qr_text, masked_address, app.code_seconds, choice)
        }
        Shows::Desk { qr_text, .. } => desk::page(page, common, qr_text),
        Shows::KeyFile => Ok(key_file::page(page, common, app.sticks(visitor).await)),
        Shows::Sheet => Ok(sheet::page(page, common)),
        Shows::Questions(asked) => Ok(questions::page(page, common, asked, visitor.language.as_ref())),
        Shows::SecurityCode(question) => Ok(security_code::page(page, common, *question)),
    }
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
    let page = app.page("New password").scripts([&REVEAL, &STRENGTH]).banner(trouble.banner());
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
