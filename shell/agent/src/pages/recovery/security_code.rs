//! By telephone: eight digits to read out, and eight to type.

use askama::Template;
use axum::response::Response;
use sparekey_protocol::ocra::Question;
use sparekey_web::assets::CODE_INPUT;
use sparekey_web::page::Page;

use super::Common;

#[derive(Template)]
#[template(path = "recovery_security_code.html")]
struct SecurityCode {
    page: Page,
    common: Common,
    /// Two groups of four, as they are read out.
    question: String,
}

pub(super) fn page(page: Page, common: Common, question: Question) -> Response {
    let digits = question.to_string();
    let question = format!("{} {}", &digits[..4], &digits[4..]);
    let shown = SecurityCode { page: page.scripts([&CODE_INPUT]), common, question };
    shown.common.trouble.answer(&shown)
}
