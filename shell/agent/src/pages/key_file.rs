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
use crate::removable::Stick;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "key_file.html")]
struct KeyFile {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    /// At the device's own screen: the sticks that are in.
    sticks: Option<Vec<Stick>>,
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
    Ok(page(&app, &visitor, token, Trouble::default(), banner).await)
}

#[derive(Deserialize)]
pub(super) struct Asked {
    password: String,
    /// Where the stick is that it is to be saved to; it is downloaded otherwise.
    stick: Option<String>,
}

pub(super) async fn export(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(asked): GuardedForm<Asked>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let serial = app.look(|device, _| device.identity().certificate().serial.to_string()).await;
    let (stem, password) = (format!("key-file-{serial}"), asked.password.into());
    let answer = match asked.stick {
        None => app.export_key_file(&visitor, password).await.map(|file| {
            let name = format!("{stem}.xml");
            xml(&name, file.to_string()).into_response()
        }),
        Some(stick) => match app.export_to_stick(&visitor, password, stick, stem).await {
            Ok(name) => {
                let done = format!("The key file is on the stick, as {name}.");
                let banner = Banner::new(Tone::Ok, done, "Take the stick out, and keep it apart from this device.");
                Ok(page(&app, &visitor, token.clone(), Trouble::default(), Some(banner)).await)
            }
            Err(failure) => Err(failure),
        },
    };
    match answer {
        Ok(answer) => Ok(answer),
        Err(failure) => Ok(page(&app, &visitor, token, failure.into(), None).await),
    }
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, trouble: Trouble, banner: Option<Banner>) -> Response {
    let sticks = app.sticks(visitor).await;
    let page = app.page("Key file").scripts([&REVEAL]).banner(banner).banner(trouble.banner());
    let shown = KeyFile { page, token, trouble, sticks };
    shown.trouble.answer(&shown)
}
