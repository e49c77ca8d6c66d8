//! The first day: name, password, reserved emails.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use serde::{Deserialize, Serialize};
use sparekey_device::Refusal;
use sparekey_web::assets::{REVEAL, STRENGTH};
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::json::ApiJson;
use sparekey_web::page::{Page, Width};
use zeroize::Zeroizing;

use super::questions::{Chosen, Fields};
use super::trouble::Trouble;
use super::{on_this_link, same};
use crate::app::App;
use crate::failure::{Failure, Malformed};
use crate::refusal::stronger;
use crate::settings::Questions as Policy;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "activate.html")]
struct Activate {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    typed: Typed,
    questions: Fields,
    /// Whether it takes the code that the previous owner was given.
    awaits: bool,
    /// What the maker thinks of security questions.
    policy: Policy,
}

/// A new password, typed twice.
pub(super) const TWO_PASSWORDS: Malformed = Malformed {
    field: "password_again",
    title: "The two passwords are not the same.",
    detail: "Type the password again, the same in both fields.",
};
const TWO_ADDRESSES: Malformed = Malformed {
    field: "email_again",
    title: "The two addresses are not the same.",
    detail: "Compare both letter by letter, and correct the wrong one.",
};

/// The form's fields. What was typed comes back after a refusal, but for the passwords.
#[derive(Deserialize)]
pub(super) struct Typed {
    username: String,
    password: String,
    password_again: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_again: String,
    #[serde(default)]
    second: String,
    #[serde(default)]
    second_again: String,
    #[serde(default)]
    transfer_code: String,
    #[serde(flatten)]
    chosen: Chosen,
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    if app.look(|device, _| device.is_active()).await {
        return Err(Redirect::to("/").into_response());
    }
    let typed = Typed {
        username: "admin".to_owned(),
        password: String::new(),
        password_again: String::new(),
        email: String::new(),
        email_again: String::new(),
        second: String::new(),
        second_again: String::new(),
        transfer_code: String::new(),
        chosen: Chosen::default(),
    };
    Ok(page(&app, &visitor, token, Trouble::default(), typed).await)
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(mut typed): GuardedForm<Typed>,
) -> Response {
    let password = Zeroizing::new(std::mem::take(&mut typed.password));
    let again = Zeroizing::new(std::mem::take(&mut typed.password_again));
    match try_activate(&app, &visitor, &typed, password, &again).await {
        Ok(response) => response,
        Err(Failure::Refused(Refusal::AlreadyActive)) => Redirect::to("/").into_response(),
        Err(failure) => page(&app, &visitor, token, failure.into(), typed).await,
    }
}

async fn try_activate(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    password: Zeroizing<String>,
    again: &str,
) -> Result<Response, Failure> {
    same(&password, again, TWO_PASSWORDS)?;
    let emails = emails(&typed.email, &typed.email_again, &typed.second, &typed.second_again)?;
    let (questions, code) = (typed.chosen.read()?, Some(typed.transfer_code.as_str()));
    app.activate(visitor, &typed.username, password.clone(), &emails, questions, code).await?;
    let logged_in = app.log_in(visitor, &typed.username, password).await?;
    let session = logged_in.token.expose();
    if !emails.is_empty() {
        // So that the next page shows it at once. A failure is shown there, with a way to try again.
        let visitor = Visitor { token: Some(Zeroizing::new(session.to_owned())), ..visitor.clone() };
        if let Err(failure) = app.open_confirmation(&visitor, 0).await {
            tracing::warn!(?failure, "no confirmation was opened after the activation");
        }
    }
    let next = if emails.is_empty() { "/ready" } else { "/contacts/1/confirm" };
    let cookie = visitor.session_cookie(session);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

/// The reserved emails that were given, each of them typed twice.
pub(super) fn emails(
    first: &str,
    first_again: &str,
    second: &str,
    second_again: &str,
) -> Result<Vec<String>, Malformed> {
    let mut emails = Vec::new();
    for (field, one, two) in [("email_again", first, first_again), ("second_again", second, second_again)] {
        let (one, two) = (one.trim(), two.trim());
        same(one, two, Malformed { field, ..TWO_ADDRESSES })?;
        if !one.is_empty() {
            emails.push(one.to_owned());
        }
    }
    Ok(emails)
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, trouble: Trouble, typed: Typed) -> Response {
    let awaits = app.look(|device, _| device.awaits_transfer()).await;
    let page = app.page("Activate").width(Width::Wide).scripts([&REVEAL, &STRENGTH]).banner(trouble.banner());
    let questions = Fields::new(visitor.language.as_ref(), &typed.chosen);
    let shown = Activate { page, token, trouble, typed, questions, awaits, policy: app.questions };
    shown.trouble.answer(&shown)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Judged {
    password: String,
}

#[derive(Serialize)]
pub(super) struct Strength {
    score: u8,
    advice: &'static str,
}

/// How strong a password is, while it is typed. The same judge decides when the form is sent.
pub(super) async fn strength(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    ApiJson(judged): ApiJson<Judged>,
) -> Result<Json<Strength>, Response> {
    on_this_link(&app, &visitor).await?;
    let (score, weak) = app.strength(&visitor, judged.password.into()).await.map_err(IntoResponse::into_response)?;
    // What the device refuses never looks good.
    Ok(Json(match weak {
        None => Strength { score, advice: "" },
        Some(weak) => Strength { score: score.min(2), advice: stronger(weak) },
    }))
}
