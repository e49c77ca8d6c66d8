//! *Forgot password*: the ways back in to choose from.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sparekey_device::ways::Way;
use sparekey_web::csrf::{FormToken, GuardedForm};
use sparekey_web::messages;
use sparekey_web::page::Page;

use super::trouble::Trouble;
use super::ways::{Line, lines};
use super::{active, on_this_link};
use crate::app::App;
use crate::visitor::Visitor;

#[derive(Template)]
#[template(path = "forgot.html")]
struct Forgot {
    page: Page,
    token: FormToken,
    lines: Vec<Line>,
    any: bool,
    /// Seconds until the next request can be made, if one was refused.
    wait: u64,
    service: String,
}

pub(super) async fn list(State(app): State<Arc<App>>, visitor: Visitor, token: FormToken) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    active(&app).await?;
    Ok(page(&app, &visitor, token, Trouble::default(), 0).await)
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    way: String,
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    token: FormToken,
    GuardedForm(chosen): GuardedForm<Chosen>,
) -> Result<Response, Response> {
    on_this_link(&app, &visitor).await?;
    let way = Way::named(&chosen.way).ok_or_else(|| sparekey_web::problem::Problem::new(messages::MALFORMED).into_response())?;
    match app.open_recovery(&visitor, way, 0).await {
        Ok(opened) => Ok(Redirect::to(&format!("/recoveries/{}", opened.id)).into_response()),
        Err(problem) => {
            let wait = problem.seconds_to_wait().unwrap_or(0);
            Ok(page(&app, &visitor, token, problem.into(), wait).await)
        }
    }
}

async fn page(app: &App, visitor: &Visitor, token: FormToken, trouble: Trouble, wait: u64) -> Response {
    let page = app.page("Forgot password").scripts([&sparekey_web::assets::COUNTDOWN]).banner(trouble.banner());
    let (lines, service) =
        app.look(|device, _| (lines(device, visitor.caller), device.identity().card().name.to_string())).await;
    let any = lines.iter().any(|line| line.ready);
    trouble.answer(&Forgot { page, token, lines, any, wait, service })
}
