//! The ways back in, in words.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use sparekey_device::ways::{Readiness, Way};
use sparekey_device::{Caller, Device};
use sparekey_web::page::{Page, html};

use super::logged_in;
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
}

/// The ways that have pages, those ready first; within each half the likeliest first.
pub(super) fn lines(device: &Device, caller: Caller) -> Vec<Line> {
    let shown = device.ways(caller).into_iter().filter(|view| view.way == Way::Email);
    let mut lines: Vec<_> = shown.map(|view| line(view.way, view.readiness)).collect();
    lines.sort_by_key(|line| !line.ready);
    lines
}

fn line(way: Way, readiness: Readiness) -> Line {
    let (name, takes) = words(way);
    let note = match readiness {
        Readiness::Ready | Readiness::Unproven => takes,
        Readiness::NotReady(why) => why_not(why),
    };
    let ready = !matches!(readiness, Readiness::NotReady(_));
    Line { way, name, note, ready, unproven: readiness == Readiness::Unproven }
}

fn words(way: Way) -> (&'static str, &'static str) {
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
    lines: Vec<Line>,
    any: bool,
    serial: String,
    model: String,
    service: String,
    service_url: String,
}

/// The end of the activation: which ways back in are ready. To be printed, too.
pub(super) async fn ready(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let page = app.page("Ways back in");
    let shown = app.look(|device, _| {
        let lines = lines(device, visitor.caller);
        let (certificate, card) = (device.identity().certificate(), device.card());
        Ready {
            page,
            any: lines.iter().any(|line| line.ready),
            lines,
            serial: certificate.serial.to_string(),
            model: certificate.model.to_string(),
            service: card.name.to_string(),
            service_url: card.url.to_string(),
        }
    });
    Ok(html(&shown.await))
}
