//! A new password for who knows the old one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sparekey_device::ways::{Readiness, Way, Why};
use sparekey_web::assets::{REVEAL, STRENGTH};
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::Page;
use zeroize::Zeroizing;

use super::activate::TWO_PASSWORDS;
use super::key_file::AFTER_CHANGE;
use super::trouble::Trouble;
use super::{logged_in, same};
use crate::app::App;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "password.html")]
struct Password {
    page: Page,
    token: FormToken,
    trouble: Trouble,
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    Ok(page(&app, token, Trouble::default()))
}

#[derive(Deserialize)]
pub(super) struct Typed {
    current: String,
    password: String,
    password_again: String,
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let (current, password) = (Zeroizing::new(typed.current), Zeroizing::new(typed.password));
    let again = Zeroizing::new(typed.password_again);
    let changed = async {
        same(&password, &again, TWO_PASSWORDS)?;
        app.change_password(&visitor, current, password.clone()).await
    };
    match changed.await {
        Ok(()) => {
            let voided = app.look(|device, _| device.way(visitor.caller, Way::KeyFile).readiness).await
                == Readiness::NotReady(Why::VoidAfterPasswordChange);
            Ok(Redirect::to(if voided { AFTER_CHANGE } else { "/home" }).into_response())
        }
        Err(failure) => Ok(page(&app, token, failure.into())),
    }
}

fn page(app: &App, token: FormToken, trouble: Trouble) -> Response {
    let page = app.page("Change the password").scripts([&REVEAL, &STRENGTH]).banner(trouble.banner());
    let shown = Password { page, token, trouble };
    shown.trouble.answer(&shown)
}
