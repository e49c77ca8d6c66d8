//! The screen's pages: rendered here, usable without scripts, refusing with the same status as the interface.

mod activate;
mod contacts;
mod events;
mod forgot;
mod home;
mod key_file;
mod login;
mod notices;
mod password;
mod questions;
mod recovery;
mod reset;
mod security;
mod sheet;
mod transfer;
mod trouble;
mod ways;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use sparekey_device::Refusal;
use sparekey_web::assets::{self, Asset, COUNTDOWN};
use sparekey_web::page::{Page, html};
use sparekey_web::problem::Problem;

use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::visitor::Visitor;

/// Waits until the device is back after a restart.
static RESTART: Asset = Asset::new("restart.js", include_bytes!("../../static/restart.js"));

/// Prints the page.
static PRINT: Asset = Asset::new("print.js", include_bytes!("../../static/print.js"));

/// All pages and what they load.
pub(crate) fn router(guests: &'static [&'static Asset]) -> Router<Arc<App>> {
    Router::new()
        .route("/", get(first))
        .route("/activate", get(activate::form).post(activate::submit))
        .route("/password-strength", post(activate::strength))
        .route("/ready", get(ways::ready).post(ways::test))
        .route("/key-file", get(key_file::form).post(key_file::export))
        .route("/sheet", get(sheet::form).post(sheet::submit))
        .route("/questions", get(questions::form).post(questions::submit))
        .route("/security", get(security::show).post(security::switch))
        .route("/reset", get(reset::show).post(reset::submit))
        .route("/reset/hand", get(reset::hand))
        .route("/transfer", get(transfer::form).post(transfer::submit))
        .route("/security/sessions", post(security::end_session))
        .route("/notices", get(notices::show))
        .route("/notices/told", post(notices::told))
        .route("/notices/server", post(notices::set_server))
        .route("/notices/server/remove", post(notices::remove_server))
        .route("/login", get(login::form).post(login::submit))
        .route("/logout", post(login::log_out))
        .route("/forgot", get(forgot::list).post(forgot::open))
        .route("/recoveries/{id}", get(recovery::show).post(recovery::prove))
        .route("/recoveries/{id}/file", post(recovery::prove_by_file))
        .route("/recoveries/{id}/stick", post(recovery::prove_by_stick))
        .route("/recoveries/{id}/request.xml", get(recovery::request_file))
        .route("/recoveries/{id}/password", get(recovery::password_form).post(recovery::set_password))
        .route("/home", get(home::show))
        .route("/contacts", get(contacts::form).post(contacts::submit))
        .route("/contacts/{n}/confirm", get(contacts::show).post(contacts::confirm))
        .route("/contacts/{n}/request", post(contacts::open))
        .route("/password", get(password::form).post(password::submit))
        .merge(assets::router(assets::SHARED.iter().copied().chain([&RESTART, &PRINT]).chain(guests.iter().copied())))
}

/// Where a visitor is to begin.
async fn first(State(app): State<Arc<App>>, visitor: Visitor) -> Redirect {
    let (active, session) =
        app.look(|device, now| (device.is_active(), device.session(now, visitor.token()).is_ok())).await;
    Redirect::to(match (active, session) {
        (false, _) => "/activate",
        (true, true) => "/home",
        (true, false) => "/login",
    })
}

impl App {
    /// A page of this device.
    fn page(&self, title: &str) -> Page {
        Page { title: title.to_owned(), ..self.frame.clone() }.scripts([&COUNTDOWN])
    }
}

/// Whoever is not logged in goes to the login.
async fn logged_in(app: &App, visitor: &Visitor) -> Result<(), Response> {
    app.session(visitor).await.map_err(|_| Redirect::to("/login").into_response())
}

#[derive(Template)]
#[template(path = "elsewhere.html")]
struct Elsewhere {
    page: Page,
    serial: String,
}

/// Whoever is not on this link is told where to stand.
async fn on_this_link(app: &App, visitor: &Visitor) -> Result<(), Response> {
    let Err(failure) = app.on_this_link(visitor).await else { return Ok(()) };
    let serial = app.look(|device, _| device.identity().certificate().serial.to_string()).await;
    let mut shown = html(&Elsewhere { page: app.page("Another network"), serial });
    *shown.status_mut() = Problem::from(failure).status();
    Err(shown)
}

/// Two entries that have to be the same.
fn same(one: &str, two: &str, refused: Malformed) -> Result<(), Malformed> {
    if one == two { Ok(()) } else { Err(refused) }
}

/// An inactive device has nothing but its activation.
async fn active(app: &App) -> Result<(), Response> {
    match app.look(|device, _| device.is_active()).await {
        true => Ok(()),
        false => Err(Failure::Refused(Refusal::NotActive).into_response()),
    }
}
