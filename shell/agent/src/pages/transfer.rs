//! Change of owner: what ends with it, and what is handed over, which is shown once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header;
use serde::Deserialize;
use sparekey_device::{Recordings, Transferred};
use sparekey_web::assets::REVEAL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Page, Width, html};
use sparekey_web::problem::Problem;

use super::events::when;
use super::trouble::Trouble;
use super::{PRINT, logged_in};
use crate::app::App;
use crate::typed;
use crate::visitor::Visitor;
use sparekey_web::qr;

#[derive(Template)]
#[template(path = "transfer.html")]
struct Transfer {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    serial: String,
    /// What was chosen before a refusal.
    recordings: String,
}

#[derive(Template)]
#[template(path = "transferred.html")]
struct HandedOver {
    page: Page,
    code: String,
    symbol: String,
    model: String,
    serial: String,
    at: String,
    erased: bool,
    /// The statement's bytes, in base64: the file to save is in the page itself, for the device forgets it.
    statement: String,
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    Ok(page(&app, token, Trouble::default(), String::new()).await)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    password: String,
    #[serde(default)]
    recordings: String,
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(asked): GuardedForm<Asked>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let password = asked.password.into();
    let transferred = async {
        let recordings = typed::recordings(&asked.recordings)?;
        Ok((app.transfer(&visitor, password, recordings).await?, recordings))
    };
    match transferred.await {
        Ok((transferred, recordings)) => Ok(handed_over(&app, &visitor, &transferred, recordings).await),
        Err(failure) => {
            let failure: crate::failure::Failure = failure;
            Ok(page(&app, token, failure.into(), asked.recordings).await)
        }
    }
}

async fn handed_over(app: &App, visitor: &Visitor, transferred: &Transferred, recordings: Recordings) -> Response {
    let code = transferred.code.expose();
    let Some(symbol) = qr::svg(&code) else { return Problem::internal().into_response() };
    let page = app.page("Handed over").width(Width::Wide).scripts([&PRINT]);
    let shown = app.look(|device, now| {
        let certificate = device.identity().certificate();
        HandedOver {
            page,
            code: code.to_string(),
            symbol,
            model: certificate.model.to_string(),
            serial: certificate.serial.to_string(),
            at: when(now.clock),
            erased: recordings == Recordings::Erase,
            statement: BASE64_STANDARD.encode(&transferred.statement),
        }
    });
    let shown = html(&shown.await);
    // The session has ended with the ownership.
    (AppendHeaders([(header::SET_COOKIE, visitor.session_cookie(""))]), shown).into_response()
}

async fn page(app: &App, token: FormToken, trouble: Trouble, recordings: String) -> Response {
    let page = app.page("Change of owner").scripts([&REVEAL]).banner(trouble.banner());
    let serial = app.look(|device, _| device.identity().certificate().serial.to_string()).await;
    let shown = Transfer { page, token, trouble, serial, recordings };
    shown.trouble.answer(&shown)
}
