//! What is answered, and what lies around every answer: names, forms, headers, problems as pages.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use sparekey_web::csrf::{self, Csrf};
use sparekey_web::headers::{self, Headers};
use sparekey_web::host::{self, Hosts};
use sparekey_web::messages;
use sparekey_web::page::{self, Page};
use sparekey_web::problem::Problem;

use crate::app::App;
use crate::link::Door;
use crate::refusal::UNWRITABLE;
use crate::{api, guest, onvif, pages};

/// The longest body: a file of 64 KiB (protocol section 8) within JSON.
const LONGEST_BODY: usize = 80 * 1024;

/// All that is answered: interface, pages and what ONVIF programs ask first on the main socket, the interface alone on the LAN tool's.
///
/// # Errors
/// If the system has no randomness.
pub(crate) fn answering(app: &Arc<App>, hosts: Hosts, door: Door) -> io::Result<Router> {
    let csrf = Csrf::random().map_err(|_| io::Error::other("no randomness"))?;
    let assets = app.guest.as_ref().map_or(&[] as &[_], |guest| guest.assets());
    let calls = match door {
        Door::Main => api::router().merge(pages::router(assets)).merge(onvif::router()),
        Door::Link => api::router(),
    };
    let calls = calls.with_state(Arc::clone(app));
    let calls = match (&app.guest, door) {
        (Some(guest), Door::Main) => calls.merge(guest::router(guest.as_ref(), app)),
        _ => calls,
    };
    let router = calls
        .fallback(async || Problem::new(messages::NOT_FOUND))
        .method_not_allowed_fallback(async || Problem::new(messages::METHOD_NOT_ALLOWED))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(Extension(door))
        .layer(from_fn_with_state(csrf, csrf::guard));
    Ok(dressed(router, hosts, app.frame.clone()))
}

/// That the device cannot keep anything at the moment, for this long.
pub(crate) fn unavailable(hosts: Hosts, frame: Page, pause: Duration) -> Router {
    let router = Router::new().fallback(async move || Problem::new(UNWRITABLE).retry_after(pause.as_secs()));
    dressed(router, hosts, frame)
}

fn dressed(router: Router, hosts: Hosts, frame: Page) -> Router {
    router
        .layer(from_fn_with_state(hosts, host::check))
        .layer(from_fn_with_state(frame, page::problems))
        .layer(from_fn_with_state(Headers::default(), headers::set))
}
