//! Forms and calls of other sites' pages are refused.
//!
//! The app has no sessions and no cookies: nothing that a browser sends along gives a request any power, and what a foreign
//! page can make a visitor's browser send, its author can send himself. So no token is needed. The check keeps a foreign
//! page from spending its visitors' limits.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method};
use sparekey_web::messages;
use sparekey_web::problem::Problem;
use sparekey_web::same_site::{Origin, Sender};

use super::App;

/// The middleware.
pub(super) async fn only(State(app): State<App>, request: Request, next: Next) -> Response {
    if *request.method() == Method::POST && is_foreign(request.headers(), app.settings.base_url.as_str()) {
        return Problem::new(messages::CROSS_SITE).into_response();
    }
    next.run(request).await
}

/// `Origin: null` passes: it is what our own pages' forms have under `Referrer-Policy: no-referrer`.
fn is_foreign(headers: &HeaderMap, base_url: &str) -> bool {
    Sender::of(headers, Some(&Origin::of_url(base_url))) == Sender::Foreign
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn tells_other_sites_from_our_own_pages_and_programs() {
        for (name, value, foreign) in [
            ("sec-fetch-site", "same-origin", false),
            ("sec-fetch-site", "none", false),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "cross-site", true),
            ("origin", "null", false),
            ("origin", "https://recover.example.org", false),
            ("origin", "http://recover.example.org", true),
            ("origin", "https://recover.example.org.evil.example", true),
            ("x-none", "", false),
        ] {
            let headers =
                HeaderMap::from_iter([(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value))]);
            for base in ["https://recover.example.org", "https://recover.example.org/app"] {
                assert_eq!(is_foreign(&headers, base), foreign, "{name}: {value}");
            }
        }
    }
}
