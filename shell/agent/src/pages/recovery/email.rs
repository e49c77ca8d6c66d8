//! By reserved email: a symbol to scan, and eight digits to type.

use askama::Template;
use axum::response::Response;
use sparekey_web::assets::CODE_INPUT;
use sparekey_web::page::{Page, Width};
use sparekey_web::problem::Problem;

use super::Common;
use sparekey_web::qr;

#[derive(Template)]
#[template(path = "recovery_email.html")]
struct Email<'a> {
    page: Page,
    common: Common,
    qr: String,
    /// What the symbol says.
    qr_text: &'a str,
    masked_address: &'a str,
    /// Seconds that a code of this device is good for.
    all: u64,
    /// Whether there is another reserved email to choose.
    choice: bool,
}

pub(super) fn page(
    page: Page,
    common: Common,
    qr_text: &str,
    masked_address: &str,
    all: u64,
    choice: bool,
) -> Result<Response, Problem> {
    let page = page.width(Width::Monitor).scripts([&CODE_INPUT]);
    let qr = qr::svg(qr_text).ok_or_else(Problem::internal)?;
    let shown = Email { page, common, qr, qr_text, masked_address, all, choice };
    Ok(shown.common.trouble.answer(&shown))
}
