//! Through the desk: a file or a symbol to send; a grant file to hand over, or the eight digits that the desk reads out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use sparekey_device::Refusal;
use sparekey_web::assets::CODE_INPUT;
use sparekey_web::page::{Page, Width};
use sparekey_web::problem::Problem;

use super::Common;
use crate::app::App;
use crate::download::xml;
use crate::failure::Failure;
use crate::path::Id;
use crate::request_file;
use crate::visitor::Visitor;
use sparekey_web::qr;

#[derive(Template)]
#[template(path = "recovery_desk.html")]
struct Desk {
    page: Page,
    common: Common,
    qr: String,
    /// Hours of running time that it is still good for.
    hours: u64,
}

pub(super) fn page(page: Page, common: Common, qr_text: &str) -> Result<Response, Problem> {
    let page = page.width(Width::Monitor).scripts([&CODE_INPUT]);
    let qr = qr::svg(qr_text).ok_or_else(Problem::internal)?;
    let hours = common.expires_in.div_ceil(3_600);
    let shown = Desk { page, common, qr, hours };
    Ok(shown.common.trouble.answer(&shown))
}

/// The request as a file to send.
pub(in crate::pages) async fn request_file(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<Response, Failure> {
    app.on_this_link(&visitor).await?;
    let view = app.look(|device, now| device.recovery(now, visitor.caller, id)).await?;
    let request = view.request().ok_or(Refusal::Expired)?.to_vec();
    let serial = app.look(|device, _| device.identity().certificate().serial.to_string()).await;
    let file = request_file::xml(&app, request).await;
    Ok(xml(&format!("recovery-request-{serial}.xml"), file).into_response())
}
