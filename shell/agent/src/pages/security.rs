//! *Security*: who did what, which service may help, and a switch for each way back in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use sparekey_device::ways::{ContactRule, Way};
use sparekey_device::{Now, SessionView};
use sparekey_protocol::Time;
use sparekey_web::assets::REVEAL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::{Page, Width};
use sparekey_web::problem::Problem;

use super::events::when;
use super::trouble::Trouble;
use super::ways::{Line, lines};
use super::{events, logged_in};
use crate::app::{App, Switch};
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "security.html")]
struct Security {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    lines: Vec<Line>,
    service_on: bool,
    /// Whether both reserved emails are asked for.
    both: bool,
    /// Whether two reserved emails are confirmed, so that both can be.
    two: bool,
    card: Card,
    /// How many things the contacts were not told of.
    untold: usize,
    sessions: Vec<Session>,
    events: Vec<events::Line>,
}

/// Who is logged in.
struct Session {
    number: u64,
    from: String,
    begun: String,
    used: String,
    mine: bool,
}

impl Session {
    fn new(view: SessionView, now: Now) -> Self {
        let at = |since_start| when(Time(now.started.0 + since_start));
        let from = view.from.map_or_else(|| "this screen".to_owned(), |address| address.to_string());
        Self { number: view.number, from, begun: at(view.begun), used: at(view.used), mine: view.mine }
    }
}

/// The pinned card.
struct Card {
    name: String,
    url: String,
    edition: u64,
    maker: String,
    log: String,
    witnesses: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    Ok(page(&app, &visitor, token, Trouble::default()).await)
}

/// One switch: `service` or a way's name with `on` or `off`, or `rule` with `either` or `both`.
#[derive(Deserialize)]
pub(super) struct Asked {
    password: String,
    switch: String,
}

impl Asked {
    fn read(&self) -> Option<Switch> {
        let (name, to) = self.switch.split_once(':')?;
        if name == "rule" {
            let rule = match to {
                "either" => ContactRule::Either,
                "both" => ContactRule::Both,
                _ => return None,
            };
            return Some(Switch::Rule(rule));
        }
        let on = match to {
            "on" => true,
            "off" => false,
            _ => return None,
        };
        if name == "service" { Some(Switch::Service(on)) } else { Way::named(name).map(|way| Switch::Way(way, on)) }
    }
}

pub(super) async fn switch(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(asked): GuardedForm<Asked>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let switch = asked.read().ok_or_else(|| Problem::new(messages::MALFORMED).into_response())?;
    match app.switch(&visitor, asked.password.into(), switch).await {
        Ok(()) => Ok(Redirect::to("/security").into_response()),
        Err(failure) => Ok(page(&app, &visitor, token, failure.into()).await),
    }
}

/// A session's number.
#[derive(Deserialize)]
pub(super) struct End {
    number: u64,
}

/// Ends one session.
pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    GuardedForm(End { number }): GuardedForm<End>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    // One that there is not has ended already.
    let _ = app.look(|device, now| device.end_session(now, visitor.token(), number)).await;
    Ok(Redirect::to("/security").into_response())
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, trouble: Trouble) -> Response {
    let page = app.page("Security").width(Width::Wide).scripts([&REVEAL]).banner(trouble.banner());
    let shown = app.look(|device, now| {
        let contacts = device.contacts(now, visitor.token()).unwrap_or_default();
        let two = contacts.iter().filter(|contact| contact.confirmed.is_some()).count() > 1;
        let sessions = device.sessions(now, visitor.token()).unwrap_or_default();
        let card = device.card();
        Security {
            page,
            token,
            two,
            both: device.contact_rule() == ContactRule::Both,
            service_on: device.service_on(),
            untold: device.notices().iter().filter(|notice| !notice.by_hand).count(),
            lines: lines(device, visitor.caller),
            card: Card {
                name: card.name.to_string(),
                url: card.url.to_string(),
                edition: card.edition,
                maker: BASE64_URL_SAFE_NO_PAD.encode(card.maker.0),
                log: card.log_key.as_str().to_owned(),
                witnesses: match &card.witnesses {
                    None => "none asked for".to_owned(),
                    Some(witnesses) => {
                        let (quorum, keys) = witnesses.quorum_of();
                        format!("{quorum} of {}", keys.len())
                    }
                },
            },
            sessions: sessions.into_iter().map(|session| Session::new(session, now)).collect(),
            events: device.events().iter().rev().map(events::Line::from).collect(),
            trouble,
        }
    });
    let shown = shown.await;
    shown.trouble.answer(&shown)
}
