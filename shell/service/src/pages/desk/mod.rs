//! The desk's console: cases, and the people who work on them. Every page is made here, and works without scripts but for passkeys.

mod act;
mod case;
mod form;
mod list;
mod new;
mod passkey;
mod people;
mod session;
mod settings;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use sparekey_cases::desk::Role;
use sparekey_protocol::{Calendar, Time};
use sparekey_web::csrf::FormToken;
use sparekey_web::page::{Banner, Page, Tone, Width};

use self::session::Session;
use crate::http::App;
use crate::http::HttpSettings;

/// All pages of the desk. They go within `csrf::guard`.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .merge(passkey::routes())
        .merge(list::routes())
        .merge(new::routes())
        .merge(case::routes())
        .merge(act::routes())
        .merge(people::routes())
        .merge(settings::routes())
}

/// What all pages of somebody who is signed in have.
pub(crate) struct Desk {
    page: Page,
    token: FormToken,
    /// Who is signed in.
    name: String,
    role: Role,
    /// Which page of the menu this is.
    here: &'static str,
}

impl Desk {
    fn new(app: &App, session: &Session, token: FormToken, title: &str, here: &'static str) -> Self {
        Self {
            page: frame(&app.settings, title).width(Width::Wide),
            token,
            name: session.known.name.clone(),
            role: session.known.actor.role,
            here,
        }
    }

    fn with_banner(mut self, banner: Option<Banner>) -> Self {
        self.page = self.page.banner(banner);
        self
    }

    fn narrow(mut self) -> Self {
        self.page = self.page.width(Width::Card);
        self
    }

    fn is_agent(&self) -> bool {
        self.role >= Role::Agent
    }

    fn is_administrator(&self) -> bool {
        self.role >= Role::Administrator
    }
}

fn frame(settings: &HttpSettings, title: &str) -> Page {
    Page::new(title, settings.name.as_str()).note("Desk")
}

/// `2026-11-24 21:05`, UTC.
fn when(seconds: u64) -> String {
    let Calendar { year, month, day, hour, minute, .. } = Time(seconds).calendar();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[allow(unreachable_pub, reason = "askama's macro makes a public type")]
mod filters {
    /// A number of seconds, however many times it is borrowed.
    pub(super) trait Seconds {
        fn seconds(&self) -> u64;
    }

    impl Seconds for u64 {
        fn seconds(&self) -> u64 {
            *self
        }
    }

    impl<T: Seconds> Seconds for &T {
        fn seconds(&self) -> u64 {
            (*self).seconds()
        }
    }

    /// A time as pages show it.
    #[askama::filter_fn]
    pub(super) fn moment(seconds: impl Seconds, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(super::when(seconds.seconds()))
    }
}

/// The class of a badge for a state.
fn tone(state: &str) -> &'static str {
    match state {
        "approved" => Tone::Info.class(),
        "granted" => Tone::Ok.class(),
        "refused" => Tone::Error.class(),
        _ => Tone::Warn.class(),
    }
}

fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
