//! A new key file to keep.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sparekey_web::assets::REVEAL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Banner, Page, Tone};

use super::logged_in;
use super::trouble::Trouble;
use crate::app::App;
use crate::download::xml;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "key_file.html")]
struct KeyFile {
    page: Page,
    token: FormToken,
    trouble: Trouble,
}

/// Where a change of the password leads if it voided a key file.
pub(super) const AFTER_CHANGE: &str = "/key-file?changed";

pub(super) async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let changed = Banner::new(
        Tone::Warn,
        "The password was changed, and that made the old key file void.",
        "Save a new one now, over the old one.",
    );
    let banner = (query.as_deref() == Some("changed")).then_some(changed);
    Ok(page(&app, token, Trouble::default(), banner))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    password: String,
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(asked): GuardedForm<Asked>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    match app.export_key_file(&visitor, asked.password.into()).await {
        Ok(file) => {
            let serial = app.look(|device, _| device.identity().certificate().serial.to_string()).await;
            Ok(xml(&format!("key-file-{serial}.xml"), file.to_string()).into_response())
        }
        Err(failure) => Ok(page(&app, token, failure.into(), None)),
    }
}

fn page(app: &App, token: FormToken, trouble: Trouble, banner: Option<Banner>) -> Response {
    let page = app.page("Key file").scripts([&REVEAL]).banner(banner).banner(trouble.banner());
    let shown = KeyFile { page, token, trouble };
    shown.trouble.answer(&shown)
}
