//! The recovery sheet: its state, and a new one to print, which is shown once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sparekey_device::ways::{SheetCode, SheetCodeState, SheetView};
use sparekey_web::assets::REVEAL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::{Page, Width, html};
use sparekey_web::problem::Problem;

use super::events::when;
use super::trouble::Trouble;
use super::{PRINT, logged_in};
use crate::app::App;
use crate::visitor::Visitor;
use sparekey_web::qr;

#[derive(Template)]
#[template(path = "sheet.html")]
struct Sheet {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    /// When it was made, and what became of each code.
    known: Option<(String, Vec<SheetCodeState>)>,
    left: usize,
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    Ok(page(&app, &visitor, token, Trouble::default()).await)
}

#[derive(Template)]
#[template(path = "new_sheet.html")]
struct NewSheet {
    page: Page,
    /// Each code, and its symbol.
    codes: Vec<(String, String)>,
    model: String,
    serial: String,
    made: String,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    password: String,
    /// The code to void, from 1; a new sheet if it is absent.
    void: Option<usize>,
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(asked): GuardedForm<Asked>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let password = asked.password.into();
    if let Some(number) = asked.void {
        let code = number.checked_sub(1).ok_or_else(|| Problem::new(messages::MALFORMED).into_response())?;
        return Ok(match app.void_sheet_code(&visitor, password, code).await {
            Ok(()) => Redirect::to("/sheet").into_response(),
            Err(failure) => page(&app, &visitor, token, failure.into()).await,
        });
    }
    match app.make_sheet(&visitor, password).await {
        Ok(codes) => Ok(new_sheet(&app, &codes).await),
        Err(failure) => Ok(page(&app, &visitor, token, failure.into()).await),
    }
}

async fn new_sheet(app: &App, codes: &[SheetCode]) -> Response {
    let symbol = |code: &SheetCode| Some((code.expose().to_string(), qr::svg(&code.expose())?));
    let Some(codes) = codes.iter().map(symbol).collect() else { return Problem::internal().into_response() };
    let page = app.page("Recovery sheet").width(Width::Wide).scripts([&PRINT]);
    let shown = app.look(|device, now| {
        let certificate = device.identity().certificate();
        NewSheet {
            page,
            codes,
            model: certificate.model.to_string(),
            serial: certificate.serial.to_string(),
            made: when(now.clock),
        }
    });
    html(&shown.await)
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, trouble: Trouble) -> Response {
    let page = app.page("Recovery sheet").scripts([&REVEAL]).banner(trouble.banner());
    let known = app.look(|device, now| device.sheet(now, visitor.token())).await.ok().flatten();
    let known = known.map(|SheetView { made, codes }| (when(made), codes));
    let good = |codes: &Vec<SheetCodeState>| codes.iter().filter(|code| **code == SheetCodeState::Good).count();
    let left = known.as_ref().map_or(0, |(_, codes)| good(codes));
    let shown = Sheet { page, token, trouble, known, left };
    shown.trouble.answer(&shown)
}
