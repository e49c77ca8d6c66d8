//! The ways back in, in words; and whether there are enough of them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sparekey_device::ways::{FEWEST, Readiness, Way, WayView, Why};
use sparekey_device::{Caller, Device};
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::{Banner, Page, Tone, Width};
use sparekey_web::problem::Problem;

use super::events::when;
use super::trouble::Trouble;
use super::{PRINT, logged_in};
use crate::app::App;
use crate::refusal::why_not;
use crate::visitor::Visitor;

/// A way back in, as a line of a list.
pub(super) struct Line {
    pub(super) way: Way,
    pub(super) name: &'static str,
    /// What it takes, or why it is not ready.
    pub(super) note: &'static str,
    pub(super) ready: bool,
    /// Nobody has proven yet that it works.
    pub(super) unproven: bool,
    /// The owner's switch.
    pub(super) on: bool,
    /// When it was last found to work.
    pub(super) tested: Option<String>,
    /// Codes left on the recovery sheet.
    pub(super) codes_left: Option<usize>,
    /// A change of the password voided it: the owner thinks that it works.
    pub(super) void: bool,
}

/// The ways, those ready first; within each half the likeliest first.
pub(super) fn lines(device: &Device, caller: Caller) -> Vec<Line> {
    let mut lines: Vec<_> = device.ways(caller).iter().map(line).collect();
    lines.sort_by_key(|line| !line.ready);
    lines
}

fn line(view: &WayView) -> Line {
    let WayView { way, readiness, on, tested, codes_left, .. } = *view;
    let (name, takes) = words(way);
    let note = match readiness {
        Readiness::Ready | Readiness::Unproven => takes,
        Readiness::NotReady(why) => why_not(why),
    };
    let ready = !matches!(readiness, Readiness::NotReady(_));
    let void = readiness == Readiness::NotReady(Why::VoidAfterPasswordChange);
    let tested = tested.map(when);
    Line { way, name, note, ready, unproven: readiness == Readiness::Unproven, on, tested, codes_left, void }
}

pub(super) fn words(way: Way) -> (&'static str, &'static str) {
    match way {
        Way::Email => {
            ("Reserved email", "Scan a code with your phone, and a mail brings eight digits. About a minute.")
        }
        Way::Desk => ("Support desk", "Send a file or a photo to whoever sold the device."),
        Way::KeyFile => ("Key file", "From the USB stick that it was saved to."),
        Way::Sheet => ("Recovery sheet", "The code on the page that was printed."),
        Way::Questions => ("Security questions", "The three answers given at activation."),
        Way::SecurityCode => ("By telephone", "Read eight digits to the desk, and type what it reads back."),
    }
}

#[derive(Template)]
#[template(path = "ready.html")]
struct Ready {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    lines: Vec<Line>,
    any: bool,
    serial: String,
    model: String,
    service: String,
    service_url: String,
    printed: String,
}

/// Which ways back in are ready: at the end of the activation, and whenever an owner asks. To be printed, too.
pub(super) async fn ready(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let tested = Banner::new(Tone::Ok, "This way works.", "The test changed nothing else.");
    let banner = (query.as_deref() == Some("tested")).then_some(tested);
    Ok(page(&app, &visitor, token, Trouble::default(), banner).await)
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    way: String,
}

/// Begins a dry test.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(chosen): GuardedForm<Chosen>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let way = Way::named(&chosen.way).ok_or_else(|| Problem::new(messages::MALFORMED).into_response())?;
    match app.open_test(&visitor, way.into()).await {
        Ok(opened) => Ok(Redirect::to(&format!("/recoveries/{}", opened.id)).into_response()),
        Err(failure) => Ok(page(&app, &visitor, token, failure.into(), None).await),
    }
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, trouble: Trouble, banner: Option<Banner>) -> Response {
    let page = app.page("Ways back in").width(Width::Wide).scripts([&PRINT]);
    let shown = app.look(|device, now| {
        let mut lines = lines(device, visitor.caller);
        lines.sort_by_key(|line| !line.void);
        let (certificate, card) = (device.identity().certificate(), device.card());
        let warning = warning(&lines, device.independent_ways(visitor.caller));
        Ready {
            page: page.banner(warning).banner(banner).banner(trouble.banner()),
            token,
            any: lines.iter().any(|line| line.ready && line.way != Way::Desk),
            lines,
            serial: certificate.serial.to_string(),
            model: certificate.model.to_string(),
            service: card.name.to_string(),
            service_url: card.url.to_string(),
            printed: when(now.clock),
            trouble,
        }
    });
    let shown = shown.await;
    shown.trouble.answer(&shown)
}

/// What an owner has to know before the day comes.
pub(super) fn warning(lines: &[Line], independent: usize) -> Option<Banner> {
    if lines.iter().any(|line| line.void) {
        let title = "The key file that you may have in a drawer is void: the password was changed after it was saved.";
        return Some(Banner::new(Tone::Error, title, "Save a new key file now, over the old one."));
    }
    let detail = "Set up a second one that has nothing in common with the first, such as a printed recovery sheet.";
    match independent {
        0 => Some(Banner::new(
            Tone::Warn,
            "No way back in is ready.",
            "If the password is forgotten, only a factory reset helps.",
        )),
        independent if independent < FEWEST => {
            Some(Banner::new(Tone::Warn, "Only one way back in is ready: losing it locks you out.", detail))
        }
        _ => None,
    }
}
