//! Every part of a page, to look at: `cargo run -p sparekey-web --example gallery [ADDRESS]`.

use std::fmt::Write;

use askama::Template;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use sparekey_web::assets::{self, CODE_INPUT, COUNTDOWN, REVEAL, STRENGTH};
use sparekey_web::csrf::{self, Csrf, FormToken, GuardedForm};
use sparekey_web::headers::{self, Headers};
use sparekey_web::host::{self, Hosts};
use sparekey_web::json::ApiJson;
use sparekey_web::listen::{Listener, Scheme};
use sparekey_web::messages;
use sparekey_web::page::{self, Banner, Page, Tone, Width, html};
use sparekey_web::problem::Problem;
use tokio_util::sync::CancellationToken;

#[derive(Template)]
#[template(path = "gallery.html")]
struct Gallery {
    page: Page,
    token: FormToken,
}

#[derive(Template)]
#[template(path = "monitor.html")]
struct Monitor {
    page: Page,
    token: FormToken,
    qr: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    page: Page,
    token: FormToken,
}

#[derive(Template)]
#[template(path = "code.html")]
struct Code {
    page: Page,
    token: FormToken,
}

fn page(title: &str) -> Page {
    Page::new(title, "Front gate").note("SK-NVR-16 · 004711")
}

async fn gallery(token: FormToken) -> Response {
    html(&Gallery { page: page("Parts").width(Width::Wide).scripts([&REVEAL, &STRENGTH, &COUNTDOWN]), token })
}

async fn monitor(token: FormToken) -> Response {
    let page = page("Forgot password").width(Width::Monitor).scripts([&CODE_INPUT, &COUNTDOWN]);
    html(&Monitor { page, token, qr: pattern() })
}

async fn login(token: FormToken) -> Response {
    let done = Banner::new(Tone::Ok, "The new password is set.", "Log in with it.");
    html(&Login { page: page("Log in").scripts([&REVEAL]).banner(done), token })
}

async fn code(token: FormToken) -> Response {
    html(&Code { page: page("Code").scripts([&CODE_INPUT, &COUNTDOWN]), token })
}

#[derive(Deserialize)]
struct Password {
    password: String,
}

async fn strength(ApiJson(Password { password }): ApiJson<Password>) -> Json<Value> {
    let score = (password.chars().count() / 4).min(4);
    Json(json!({ "score": score, "advice": if score < 3 { "Add a word or two." } else { "" } }))
}

async fn form(GuardedForm(fields): GuardedForm<Value>) -> Problem {
    let fields = fields.as_object().map_or(0, serde_json::Map::len);
    Problem::new(messages::WRONG_PROOF).with("fields", fields)
}

/// Looks like a symbol of 81 modules and says nothing.
fn pattern() -> String {
    let mut path = String::new();
    let mut state = 7_u32;
    for (x, y) in (0..81).flat_map(|y| (0..81).map(move |x| (x, y))) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let corner = |cx: i32, cy: i32| (x - cx).abs().max((y - cy).abs());
        let finder = [corner(3, 3), corner(77, 3), corner(3, 77)].into_iter().min().unwrap_or(9);
        if (finder > 4 && state >> 31 == 1) || matches!(finder, 0 | 1 | 3) {
            write!(path, "M{} {}h1v1h-1z", x + 4, y + 4).expect("writing to a string cannot fail");
        }
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 89 89"><path fill="white" d="M0 0h89v89H0z"/><path d="{path}"/></svg>"#
    )
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or("127.0.0.1:8099".to_owned()).parse()?;
    let router = Router::new()
        .route("/", get(gallery))
        .route("/monitor", get(monitor))
        .route("/login", get(login))
        .route("/code", get(code))
        .route("/form", post(form))
        .route("/password-strength", post(strength))
        .merge(assets::router(assets::SHARED.iter().copied()))
        .fallback(async || Problem::new(messages::NOT_FOUND))
        .layer(from_fn_with_state(Csrf::random()?, csrf::guard))
        .layer(from_fn_with_state(Hosts::default(), host::check))
        .layer(from_fn_with_state(page(""), page::problems))
        .layer(from_fn_with_state(Headers::default(), headers::set));
    let listener = Listener::bind(addr, Scheme::Plain).await?;
    let stop = CancellationToken::new();
    let ctrl_c = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            ctrl_c.cancel();
        }
    });
    listener.serve(router, stop).await;
    Ok(())
}
