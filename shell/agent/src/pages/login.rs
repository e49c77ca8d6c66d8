//! Logging in and out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sparekey_device::{Caller, EventKind};
use sparekey_web::assets::REVEAL;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Banner, Page, Tone};
use zeroize::Zeroizing;

use super::events::is_news;
use super::trouble::Trouble;
use crate::app::App;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    username: &'a str,
    /// Shown on the device's own screen, to compare with what a browser on the network says.
    fingerprint: Option<&'a str>,
}

pub(super) async fn form(State(app): State<Arc<App>>, visitor: Visitor, token: FormToken) -> Response {
    let (active, last) =
        app.look(|device, _| (device.is_active(), device.events().last().map(|event| event.kind))).await;
    if !active {
        return Redirect::to("/activate").into_response();
    }
    let recovered =
        Banner::new(Tone::Ok, "Your password was changed.", "Log in with the new one. Recordings are untouched.");
    let banner = (last == Some(EventKind::PasswordRecovered)).then_some(recovered);
    page(&app, &visitor, token, Trouble::default(), "", banner)
}

#[derive(Deserialize)]
pub(super) struct Typed {
    username: String,
    password: String,
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Response {
    let password = Zeroizing::new(typed.password);
    match app.log_in(&visitor, &typed.username, password).await {
        Ok(logged_in) => {
            let since = logged_in.news.iter().find(|event| is_news(event.kind)).map(|event| event.number);
            let next = since.map_or("/home".to_owned(), |since| format!("/home?since={since}"));
            let cookie = visitor.session_cookie(logged_in.token.expose());
            ([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response()
        }
        Err(failure) => page(&app, &visitor, token, failure.into(), &typed.username, None),
    }
}

pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    GuardedForm(IgnoredAny): GuardedForm<IgnoredAny>,
) -> Response {
    app.log_out(&visitor).await;
    ([(header::SET_COOKIE, visitor.session_cookie(""))], Redirect::to("/login")).into_response()
}

fn page(
    app: &App,
    visitor: &Visitor,
    token: FormToken,
    trouble: Trouble,
    username: &str,
    banner: Option<Banner>,
) -> Response {
    let page = app.page("Log in").scripts([&REVEAL]).banner(banner).banner(trouble.banner());
    let fingerprint = (visitor.caller == Caller::Screen).then_some(app.fingerprint.as_str());
    let shown = Login { page, token, trouble, username, fingerprint };
    shown.trouble.answer(&shown)
}
