//! Reserved emails: changing them, and proving that they work.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sparekey_device::{RecoveryView, Refusal};
use sparekey_web::assets::{CODE_INPUT, REVEAL};
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::page::{Page, Width};
use sparekey_web::problem::Problem;
use zeroize::Zeroizing;

use super::activate::emails;
use super::home;
use super::logged_in;
use super::trouble::Trouble;
use crate::app::App;
use crate::failure::Failure;
use crate::path::Contact;
use crate::visitor::Visitor;
use sparekey_web::qr;

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    /// Counted from 1.
    number: usize,
    email: String,
    /// The request that is open, and its symbol.
    open: Option<(RecoveryView, String)>,
    all: u64,
    service: String,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    Contact(contact): Contact,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    confirm_page(&app, &visitor, token, contact, Trouble::default()).await.map_err(IntoResponse::into_response)
}

/// Makes the request that the page shows.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    Contact(contact): Contact,
    GuardedForm(IgnoredAny): GuardedForm<IgnoredAny>,
) -> Result<Response, Response> {
    match app.open_confirmation(&visitor, contact).await {
        Ok(_) => Ok(Redirect::to(&format!("/contacts/{}/confirm", contact + 1)).into_response()),
        Err(failure) => again(&app, &visitor, token, contact, failure).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Typed {
    code: String,
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    Contact(contact): Contact,
    GuardedForm(typed): GuardedForm<Typed>,
) -> Result<Response, Response> {
    match app.confirm(&visitor, contact, &typed.code).await {
        Ok(()) => Ok(Redirect::to("/ready").into_response()),
        Err(failure) => again(&app, &visitor, token, contact, failure).await,
    }
}

async fn again(
    app: &App,
    visitor: &Visitor,
    token: FormToken,
    contact: usize,
    failure: Failure,
) -> Result<Response, Response> {
    let shown = confirm_page(app, visitor, token, contact, failure.into()).await;
    shown.map_err(|_| failure.into_response())
}

async fn confirm_page(
    app: &App,
    visitor: &Visitor,
    token: FormToken,
    contact: usize,
    trouble: Trouble,
) -> Result<Response, Problem> {
    let page =
        app.page("Confirm the reserved email").width(Width::Monitor).scripts([&CODE_INPUT]).banner(trouble.banner());
    let found = app.look(|device, now| {
        let contacts = device.contacts(now, visitor.token())?;
        let email = contacts.get(contact).ok_or(Refusal::Malformed)?.email.to_string();
        let view = device.confirmation(now, visitor.token(), contact).ok().filter(|view| view.tries_left > 0);
        Ok((email, view, device.card().name.to_string()))
    });
    let (email, view, service) = found.await.map_err(Failure::Refused)?;
    let open = match view {
        Some(view) => {
            let symbol = view.qr_text().and_then(qr::svg).ok_or_else(Problem::internal)?;
            Some((view, symbol))
        }
        None => None,
    };
    let shown = Confirm { page, token, trouble, number: contact + 1, email, open, all: app.code_seconds, service };
    Ok(shown.trouble.answer(&shown))
}

#[derive(Template)]
#[template(path = "contacts.html")]
struct Contacts {
    page: Page,
    token: FormToken,
    trouble: Trouble,
    typed: Emails,
}

/// The form's fields; both addresses are typed twice where they are new.
#[derive(Default, Deserialize)]
pub(super) struct Emails {
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_again: String,
    #[serde(default)]
    second: String,
    #[serde(default)]
    second_again: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let known = app.look(|device, now| home::contacts(device, now, visitor.token())).await;
    let mut known = known.into_iter().map(|contact| contact.email);
    let (email, second) = (known.next().unwrap_or_default(), known.next().unwrap_or_default());
    let typed = Emails { email_again: email.clone(), second_again: second.clone(), email, second, ..Emails::default() };
    Ok(contacts_page(&app, token, Trouble::default(), typed))
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(mut typed): GuardedForm<Emails>,
) -> Result<Response, Response> {
    logged_in(&app, &visitor).await?;
    let password = Zeroizing::new(std::mem::take(&mut typed.password));
    let set = async {
        let emails = emails(&typed.email, &typed.email_again, &typed.second, &typed.second_again)
            .map_err(|wrong| wrong.into_iter().map(Failure::from).collect::<Vec<_>>())?;
        app.set_contacts(&visitor, password, &emails).await.map_err(|failure| vec![failure])
    };
    match set.await {
        Ok(()) => Ok(Redirect::to("/home").into_response()),
        Err(failures) => Ok(contacts_page(&app, token, failures.into(), typed)),
    }
}

fn contacts_page(app: &App, token: FormToken, trouble: Trouble, typed: Emails) -> Response {
    let page = app.page("Reserved email").scripts([&REVEAL]).banner(trouble.banner());
    let shown = Contacts { page, token, trouble, typed };
    shown.trouble.answer(&shown)
}
