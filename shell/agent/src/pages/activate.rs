//! The first day: name, password, reserved emails.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use serde::{Deserialize, Serialize};
use sparekey_device::Refusal;
use sparekey_device::ways::Answers;
use sparekey_web::assets::{REVEAL, STRENGTH};
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::json::ApiJson;
use sparekey_web::page::{Page, Width};
use zeroize::Zeroizing;

use super::questions::{Chosen, Fields};
use super::trouble::Trouble;
use super::{on_this_link, same};
use crate::app::{App, Proposed, parse_email};
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

impl Activate {
    fn password_hint(&self) -> &'static str {
        if self.trouble.any() && self.trouble.with("password").is_empty() {
            "Type it once more: passwords do not come back with the page."
        } else {
            "8 to 128 characters. Four or five unrelated words are good."
        }
    }
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

const NO_DOT: Malformed = Malformed {
    field: "reserved_emails",
    title: "A part of this address is missing: it has no dot after the @.",
    detail: "Complete it, such as owner@example.org.",
};
const ONE_ADDRESS_TWICE: Malformed = Malformed {
    field: "second",
    title: "Both reserved emails are the same.",
    detail: "Give another address, or leave the second one out.",
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
        Err(failures) if failures.contains(&Failure::Refused(Refusal::AlreadyActive)) => {
            Redirect::to("/").into_response()
        }
        Err(failures) => page(&app, &visitor, token, failures.into(), typed).await,
    }
}

async fn try_activate(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    password: Zeroizing<String>,
    again: &str,
) -> Result<Response, Vec<Failure>> {
    let proposed = Proposed { username: &typed.username, password: &password, transfer_code: &typed.transfer_code };
    // All at once: who corrects one mistake is not to find the next one then.
    let mut mistakes = app.mistakes(visitor, proposed).await.map_err(alone)?;
    mistakes.extend(same(&password, again, TWO_PASSWORDS).err().map(Failure::from));
    let emails = emails(&typed.email, &typed.email_again, &typed.second, &typed.second_again);
    let emails = emails.unwrap_or_else(|wrong| {
        mistakes.extend(wrong.into_iter().map(Failure::from));
        Vec::new()
    });
    let questions = typed.chosen.read();
    let questions = questions.unwrap_or_else(|wrong| {
        mistakes.push(wrong.into());
        None
    });
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    activate(app, visitor, typed, password, &emails, questions).await.map_err(alone)
}

fn alone(failure: Failure) -> Vec<Failure> {
    vec![failure]
}

async fn activate(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    password: Zeroizing<String>,
    emails: &[String],
    questions: Option<Answers>,
) -> Result<Response, Failure> {
    let (questions, code) = (questions, Some(typed.transfer_code.as_str()));
    app.activate(visitor, &typed.username, password.clone(), emails, questions, code).await?;
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

/// The reserved emails that were given, each of them typed twice; or all that is wrong with them.
pub(super) fn emails(
    first: &str,
    first_again: &str,
    second: &str,
    second_again: &str,
) -> Result<Vec<String>, Vec<Malformed>> {
    let (mut emails, mut wrong) = (Vec::new(), Vec::new());
    let fields =
        [("reserved_emails", "email_again", first, first_again), ("second", "second_again", second, second_again)];
    for (field, again, one, two) in fields {
        let (one, two) = (one.trim(), two.trim());
        wrong.extend(same(one, two, Malformed { field: again, ..TWO_ADDRESSES }).err());
        if one.is_empty() {
            continue;
        }
        wrong.extend(parse_email(one).err().map(|not_one| Malformed { field, ..not_one }));
        // The protocol allows such an address, and a mail server of the house's own may take it; typed here it is a slip.
        if one
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.trim_matches('.').contains('.'))
        {
            wrong.push(Malformed { field, ..NO_DOT });
        }
        emails.push(one.to_owned());
    }
    if let [one, two] = emails.as_slice()
        && one == two
    {
        wrong.push(ONE_ADDRESS_TWICE);
    }
    if wrong.is_empty() { Ok(emails) } else { Err(wrong) }
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
