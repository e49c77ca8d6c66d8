//! The owner's page: the device, the ways back in, who tried what.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use sparekey_device::{Device, EventKind, Now};
use sparekey_web::csrf::FormToken;
use sparekey_web::page::{Banner, Page, Tone, Width, html};

use super::events::{self, is_news, when};
use super::logged_in;
use super::ways;
use crate::app::App;
use crate::visitor::Visitor;

/// Events that are listed.
const LISTED: usize = 30;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    page: Page,
    /// Pages beside the agent's.
    guest: &'static [(&'static str, &'static str)],
    token: FormToken,
    facts: Facts,
    ways: Vec<ways::Line>,
    contacts: Vec<Contact>,
    events: Vec<events::Line>,
}

struct Facts {
    model: String,
    serial: String,
    firmware: String,
    started: String,
    clock: String,
    service: String,
    service_url: String,
    fingerprint: String,
}

/// A reserved email, counted from 1.
pub(super) struct Contact {
    pub(super) number: usize,
    pub(super) email: String,
    pub(super) confirmed: Option<String>,
}

/// Where to begin to tell what is new.
#[derive(Deserialize)]
pub(super) struct Since {
    since: Option<u64>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(Since { since }): Query<Since>,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let page = app.page("This device").width(Width::Wide);
    let fingerprint = app.fingerprint.clone();
    let guest = app.guest.as_ref().map_or(&[] as &[_], |guest| guest.pages());
    let has_server = app.mail_server().await.is_some();
    let shown = app.look(|device, now| {
        let ways = ways::lines(device, visitor.caller);
        let warning = ways::warning(&ways, device.independent_ways(visitor.caller));
        Home {
            guest,
            page: page
                .banner(warning)
                .banner(untold(device, has_server))
                .banner(since.and_then(|since| news(device, since))),
            token,
            facts: facts(device, now, fingerprint),
            ways,
            contacts: contacts(device, now, visitor.token()),
            events: device.events().iter().rev().take(LISTED).map(events::Line::from).collect(),
        }
    });
    Ok(html(&shown.await))
}

/// That the contacts do not know something. Where a mail server tells them, it is being tried.
fn untold(device: &Device, has_server: bool) -> Option<Banner> {
    if has_server || device.notices().iter().all(|notice| notice.by_hand) {
        return None;
    }
    let detail = "Under Security, “How they are told” shows a code for your phone.";
    Some(Banner::new(Tone::Info, "Your contacts were not told yet of what happened.", detail))
}

fn facts(device: &Device, now: Now, fingerprint: String) -> Facts {
    let (identity, certificate) = (device.identity(), device.identity().certificate());
    Facts {
        model: certificate.model.to_string(),
        serial: certificate.serial.to_string(),
        firmware: identity.firmware().to_string(),
        started: when(now.started),
        clock: when(now.clock),
        service: device.card().name.to_string(),
        service_url: device.card().url.to_string(),
        fingerprint,
    }
}

/// The reserved emails of who is logged in; none for others.
pub(super) fn contacts(device: &mut Device, now: Now, token: &str) -> Vec<Contact> {
    let contacts = device.contacts(now, token).unwrap_or_default();
    let numbered = contacts.into_iter().enumerate();
    numbered
        .map(|(index, contact)| Contact {
            number: index + 1,
            email: contact.email.to_string(),
            confirmed: contact.confirmed.map(when),
        })
        .collect()
}

/// What happened since the owner was last here, that they should know.
fn news(device: &Device, since: u64) -> Option<Banner> {
    let count = |wanted: fn(EventKind) -> bool| {
        let events = device.events().iter().filter(|event| event.number >= since && wanted(event.kind));
        events.map(|event| u64::from(event.count)).sum::<u64>()
    };
    if count(|kind| kind == EventKind::PasswordRecovered) > 0 {
        let detail =
            "If that was not you, change the password and the reserved email now; the record below says from where.";
        return Some(Banner::new(
            Tone::Warn,
            "The password was set anew by Forgot password since the last login.",
            detail,
        ));
    }
    let tries = count(is_news);
    let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
    let title = format!("Since the last login, somebody tried to get in {times}, without success.");
    (tries > 0).then(|| Banner::new(Tone::Info, title, "The record below says what and from where."))
}
