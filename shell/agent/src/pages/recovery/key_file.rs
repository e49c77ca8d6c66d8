//! By key file: the one that was saved from this device, as a file or as pasted text.

use askama::Template;
use axum::response::Response;
use sparekey_web::page::Page;

use super::Common;

#[derive(Template)]
#[template(path = "recovery_key_file.html")]
struct KeyFile {
    page: Page,
    common: Common,
}

pub(super) fn page(page: Page, common: Common) -> Response {
    let shown = KeyFile { page, common };
    shown.common.trouble.answer(&shown)
}
