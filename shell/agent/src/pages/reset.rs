//! Factory reset: on the device's own screen, for who holds its button. Without a hand on it the page says how to show one.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use serde::Deserialize;
use sparekey_device::Caller;
use sparekey_web::assets::POLL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Banner, Page, Tone, Width, html};

use super::RESTART;
use super::trouble::Trouble;
use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::presence::HOLD;
use crate::typed;
use crate::visitor::Visitor;

/// Typed by who means it.
const WORD: &str = "RESET";

const NOT_CONFIRMED: Malformed = Malformed {
    field: "word",
    title: "The word is missing.",
    detail: "Type RESET in capital letters, if you mean it.",
};

#[derive(Template)]
#[template(path = "reset.html")]
struct Reset {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    model: String,
    serial: String,
    /// Whether this is the device's own screen.
    screen: bool,
    /// Seconds in which somebody who held the button may act.
    left: Option<u64>,
    /// How long the button has to be held, in seconds.
    hold: u64,
    active: bool,
    awaits: bool,
    /// What was chosen before a refusal.
    recordings: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    token: FormToken,
) -> Response {
    let opened = Banner::new(Tone::Ok, "What wrong tries had closed is open again.", "Waits that had begun go on.");
    let banner = (query.as_deref() == Some("opened")).then_some(opened);
    page(&app, &visitor, token, Trouble::default(), banner, String::new()).await
}

/// Whether somebody showed to be there meanwhile: the page is to be loaded again.
pub(super) async fn hand(State(app): State<Arc<App>>, visitor: Visitor) -> StatusCode {
    match app.hand.seconds_left().filter(|_| visitor.caller == Caller::Screen) {
        Some(_) => StatusCode::RESET_CONTENT,
        None => StatusCode::NO_CONTENT,
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    /// Only open what wrong tries closed.
    open: Option<String>,
    #[serde(default)]
    recordings: String,
    #[serde(default)]
    word: String,
}

#[derive(Template)]
#[template(path = "reset_done.html")]
struct Done {
    page: Page,
    /// When the device that is about to restart had started.
    started: u64,
    erased: bool,
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(asked): GuardedForm<Asked>,
) -> Response {
    if asked.open.is_some() {
        return match app.lift_stops(&visitor).await {
            Ok(()) => Redirect::to("/reset?opened").into_response(),
            Err(failure) => page(&app, &visitor, token, failure.into(), None, asked.recordings).await,
        };
    }
    match try_reset(&app, &visitor, &asked).await {
        Ok(()) => {
            let started = app.look(|_, now| now.started.0).await;
            let page = app.page("Reset").scripts([&RESTART]);
            let mut shown = html(&Done { page, started, erased: asked.recordings == "erase" });
            *shown.status_mut() = StatusCode::ACCEPTED;
            shown
        }
        Err(failure) => page(&app, &visitor, token, failure.into(), None, asked.recordings).await,
    }
}

async fn try_reset(app: &App, visitor: &Visitor, asked: &Asked) -> Result<(), Failure> {
    let recordings = typed::recordings(&asked.recordings)?;
    if asked.word.trim() != WORD {
        return Err(NOT_CONFIRMED.into());
    }
    app.factory_reset(visitor, recordings).await
}

async fn page(
    app: &App,
    visitor: &Visitor,
    token: FormToken,
    trouble: Trouble,
    banner: Option<Banner>,
    recordings: String,
) -> Response {
    let screen = app.may_show_hand(visitor);
    let left = app.hand.seconds_left().filter(|_| screen);
    let page = app.page("Factory reset").width(Width::Wide).banner(banner).banner(trouble.banner());
    let page = if left.is_some() { page } else { page.scripts([&POLL]).refresh(5) };
    let shown = app.look(|device, _| {
        let certificate = device.identity().certificate();
        Reset {
            page,
            token,
            trouble,
            model: certificate.model.to_string(),
            serial: certificate.serial.to_string(),
            screen,
            left,
            hold: HOLD.as_secs(),
            active: device.is_active(),
            awaits: device.awaits_transfer(),
            recordings,
        }
    });
    let shown = shown.await;
    shown.trouble.answer(&shown)
}
