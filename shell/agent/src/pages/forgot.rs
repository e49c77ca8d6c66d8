//! *Forgot password*: the ways back in to choose from.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, header};
use serde::Deserialize;
use sparekey_device::ways::Way;
use sparekey_device::{Asked, RecoveryId};
use sparekey_web::cookie;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::Page;
use sparekey_web::problem::Problem;

use super::trouble::Trouble;
use super::ways::{Line, lines};
use super::{active, on_this_link};
use crate::app::App;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "forgot.html")]
struct Forgot {
    page: Page,
    token: FormToken,
    lines: Vec<Line>,
    any: bool,
    /// The reserved emails, masked, where there is a choice.
    emails: Vec<String>,
    /// The request that this browser opened and that still waits for its code.
    open: Option<String>,
    /// Seconds until the next request can be made, if one was refused.
    wait: u64,
    service: String,
}

/// The cookie that names the request opened last, to come back to it.
const OPEN: &str = "recovery";

pub(super) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    token: FormToken,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    active(&app).await?;
    Ok(page(&app, &visitor, &headers, token, Trouble::default()).await)
}

/// A way's name; behind a colon which reserved email, counted from 1.
#[derive(Deserialize)]
pub(super) struct Chosen {
    way: String,
}

impl Chosen {
    fn read(&self) -> Option<(Way, usize)> {
        let (name, number) = self.way.split_once(':').unwrap_or((&self.way, "1"));
        Some((Way::named(name)?, number.parse::<usize>().ok()?.checked_sub(1)?))
    }
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    token: FormToken,
    GuardedForm(chosen): GuardedForm<Chosen>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let (way, contact) = chosen.read().ok_or_else(|| Problem::new(messages::MALFORMED).into_response())?;
    match app.open_recovery(&visitor, Asked { contact, ..way.into() }).await {
        Ok(opened) => {
            let id = opened.id.to_string();
            let cookie = cookie::set(&cookie::name(OPEN, visitor.tls), &id, visitor.tls);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&format!("/recoveries/{id}"))).into_response())
        }
        Err(failure) => Ok(page(&app, &visitor, &headers, token, failure.into()).await),
    }
}

async fn page(app: &App, visitor: &Visitor, headers: &HeaderMap, token: FormToken, trouble: Trouble) -> Response {
    let page = app.page("Forgot password").banner(trouble.banner());
    let known = cookie::read(headers, &cookie::name(OPEN, visitor.tls)).and_then(RecoveryId::parse);
    let shown = app.look(|device, now| {
        let waits = |id: &RecoveryId| device.recovery(now, visitor.caller, *id).is_ok_and(|view| view.tries_left > 0);
        let lines = lines(device, visitor.caller);
        let emails = device.masked_contacts(visitor.caller).unwrap_or_default();
        Forgot {
            page,
            token,
            any: lines.iter().any(|line| line.ready),
            lines,
            emails: if emails.len() > 1 { emails } else { Vec::new() },
            open: known.filter(waits).map(|id| id.to_string()),
            wait: trouble.seconds_to_wait(),
            service: device.card().name.to_string(),
        }
    });
    trouble.answer(&shown.await)
}
