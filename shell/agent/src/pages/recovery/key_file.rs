//! By key file: the one that was saved from this device, as a file or as pasted text.

use askama::Template;
use axum::response::Response;
use sparekey_web::page::Page;

use super::Common;
use crate::removable::Stick;

#[derive(Template)]
#[template(path = "recovery_key_file.html")]
struct KeyFile {
    page: Page,
    common: Common,
    /// At the device's own screen: the sticks that are in.
    sticks: Option<Vec<Stick>>,
}

pub(super) fn page(page: Page, common: Common, sticks: Option<Vec<Stick>>) -> Response {
    let shown = KeyFile { page, common, sticks };
    shown.common.trouble.answer(&shown)
}
