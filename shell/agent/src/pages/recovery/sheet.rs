//! By recovery sheet: one of its codes.

use askama::Template;
use axum::response::Response;
use sparekey_web::page::Page;

use super::Common;

#[derive(Template)]
#[template(path = "recovery_sheet.html")]
struct Sheet {
    page: Page,
    common: Common,
}

pub(super) fn page(page: Page, common: Common) -> Response {
    let shown = Sheet { page, common };
    shown.common.trouble.answer(&shown)
}
