//! The app: the pages that a phone shows. Each works without scripts where HTML can; `static/` makes them quicker.
//!
//! A page asks through [`App`], shows what came back, and decides nothing. There are no cookies and no sessions.

mod app;
pub(crate) mod assets;
pub(crate) mod desk;
mod home;
mod link;
mod request;
mod reset;
mod told;

use axum::Router;
use sparekey_web::assets as shared;
use sparekey_web::page::{Banner, Page};
use sparekey_web::problem::Problem;

use crate::http::{App, HttpSettings};

/// All pages but those that may use the camera.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .merge(home::routes())
        .merge(link::routes())
        .merge(told::routes())
        .merge(request::routes())
        .merge(app::routes())
        .merge(shared::router(shared::SHARED.iter().chain(assets::OWN).copied()))
}

/// The pages that may use the camera.
pub(crate) fn with_camera() -> Router<App> {
    reset::routes()
}

/// What all pages have in common.
pub(crate) fn frame(settings: &HttpSettings, title: &str) -> Page {
    Page::new(title, settings.name.as_str()).manifest(app::MANIFEST).scripts([&assets::APP])
}

/// A problem on top of a page, with the time to wait in words.
fn banner(problem: &Problem) -> Banner {
    let mut banner = Banner::from(problem);
    if let Some(seconds) = problem.seconds_to_wait() {
        let wait = match seconds {
            ..100 => format!("{seconds} seconds"),
            100..6_000 => format!("{} minutes", seconds.div_ceil(60)),
            _ => format!("{} hours", seconds.div_ceil(3_600)),
        };
        banner.detail = format!("{} Try again in {wait}.", banner.detail);
    }
    banner
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparekey_web::messages;

    #[test]
    fn says_how_long_to_wait() {
        for (seconds, words) in
            [(3, "3 seconds"), (60, "60 seconds"), (121, "3 minutes"), (3_600, "60 minutes"), (14_399, "4 hours")]
        {
            let detail = banner(&Problem::new(messages::TOO_MANY).retry_after(seconds)).detail;
            assert!(detail.ends_with(&format!("Try again in {words}.")), "{seconds}: {detail}");
        }
    }
}
