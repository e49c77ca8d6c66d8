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
use sparekey_web::problem::Problem;
use zeroize::Zeroizing;

use super::trouble::Trouble;
use super::{on_this_link, same};
use crate::api::session_cookie;
use crate::app::App;
use crate::refusal::{malformed, stronger};
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "activate.html")]
struct Activate {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    typed: Typed,
}

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
    };
    Ok(page(&app, token, Trouble::default(), typed))
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
        Err(problem) if problem.name() == Refusal::AlreadyActive.name() => Redirect::to("/").into_response(),
        Err(problem) => page(&app, token, problem.into(), typed),
    }
}

async fn try_activate(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    password: Zeroizing<String>,
    again: &str,
) -> Result<Response, Problem> {
    same(&password, again, || {
        malformed(
            "password_again",
            "The two passwords are not the same.",
            "Type the password again, the same in both fields.",
        )
    })?;
    let emails = emails(&typed.email, &typed.email_again, &typed.second, &typed.second_again)?;
    app.activate(visitor, &typed.username, password.clone(), &emails).await?;
    let logged_in = app.log_in(visitor, &typed.username, password).await?;
    let session = logged_in.token.expose();
    if !emails.is_empty() {
        // So that the next page shows it at once. A failure is shown there, with a way to try again.
        let visitor = Visitor { token: Some(Zeroizing::new(session.to_owned())), ..visitor.clone() };
        if let Err(error) = app.open_confirmation(&visitor, 0).await {
            tracing::warn!(problem = error.name(), "no confirmation was opened after the activation");
        }
    }
    let next = if emails.is_empty() { "/ready" } else { "/contacts/1/confirm" };
    let cookie = session_cookie(visitor, session);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

/// The reserved emails that were given, each of them typed twice.
pub(super) fn emails(first: &str, first_again: &str, second: &str, second_again: &str) -> Result<Vec<String>, Problem> {
    let mut emails = Vec::new();
    for (field, one, two) in [("email_again", first, first_again), ("second_again", second, second_again)] {
        let (one, two) = (one.trim(), two.trim());
        same(one, two, || {
            malformed(
                field,
                "The two addresses are not the same.",
                "Compare both letter by letter, and correct the wrong one.",
            )
        })?;
        if !one.is_empty() {
            emails.push(one.to_owned());
        }
    }
    Ok(emails)
}

fn page(app: &App, token: FormToken, trouble: Trouble, typed: Typed) -> Response {
    let page = app.page("Activate").width(Width::Wide).scripts([&REVEAL, &STRENGTH]).banner(trouble.banner());
    let shown = Activate { page, token, trouble, typed };
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
