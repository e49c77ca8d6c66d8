//! Files that pages load, held in the program itself.
//!
//! An asset is a static, so that a page which names one that is missing does not compile:
//!
//! ```
//! use sparekey_web::assets::{self, Asset};
//! static SCAN: Asset = Asset::new("scan.js", b"// ...");
//! let router: axum::Router = assets::router(assets::SHARED.iter().copied().chain([&SCAN]));
//! assert!(SCAN.url().starts_with("/static/scan."));
//! ```
//!
//! The address holds the content's hash, so browsers keep it for ever and still see every new version at once. Modules
//! therefore do not import one another.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::messages;
use crate::problem::Problem;

/// For addresses with a hash: a year, the longest that HTTP knows.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// For fixed addresses: to be asked for each time, and answered with 304 where nothing changed.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// A file in the program.
pub struct Asset {
    name: &'static str,
    bytes: &'static [u8],
    hash: OnceLock<String>,
    url: OnceLock<String>,
}

impl Asset {
    /// A file with its plain name; the end of the name tells the content type.
    pub const fn new(name: &'static str, bytes: &'static [u8]) -> Self {
        Self { name, bytes, hash: OnceLock::new(), url: OnceLock::new() }
    }

    /// `/static/style.<hash>.css`
    pub fn url(&self) -> &str {
        self.url.get_or_init(|| {
            let (stem, end) = self.name.rsplit_once('.').unwrap_or((self.name, "bin"));
            format!("/static/{stem}.{}.{end}", self.hash())
        })
    }

    /// The content.
    pub fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// An answer at a fixed address of the caller's, such as `/sw.js` or `/favicon.ico`.
    pub fn at_fixed_address(&self, request: &HeaderMap) -> Response {
        self.answer(request, ASK_AGAIN)
    }

    /// 64 bits of SHA-256: enough to tell versions of one file apart.
    fn hash(&self) -> &str {
        self.hash.get_or_init(|| {
            Sha256::digest(self.bytes).iter().take(8).fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("writing to a string cannot fail");
                text
            })
        })
    }

    fn answer(&self, request: &HeaderMap, cache: HeaderValue) -> Response {
        let tag = HeaderValue::from_str(&format!("\"{}\"", self.hash())).expect("a hash is visible ASCII");
        let known = request.get_all(header::IF_NONE_MATCH).iter().any(|sent| {
            let mut tags = sent.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            tags.any(|sent| sent.strip_prefix(b"W/").unwrap_or(sent) == tag.as_bytes())
        });
        let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, cache)];
        if known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(header::CONTENT_TYPE, content_type(self.name))], self.bytes).into_response()
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Serves the assets at their addresses.
///
/// # Panics
/// If two have one address, which is the same name and content registered twice.
pub fn router<S: Clone + Send + Sync + 'static>(assets: impl IntoIterator<Item = &'static Asset>) -> Router<S> {
    let mut by_url = HashMap::new();
    for asset in assets {
        assert!(by_url.insert(asset.url(), asset).is_none(), "{} is registered twice", asset.name);
    }
    let by_url = Arc::new(by_url);
    Router::new().route(
        "/static/{name}",
        get(async move |Path(name): Path<String>, headers: HeaderMap| match by_url.get(&*format!("/static/{name}")) {
            Some(asset) => asset.answer(&headers, FOR_EVER),
            None => Problem::new(messages::NOT_FOUND).into_response(),
        }),
    )
}

macro_rules! shared {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub static $name: Asset = Asset::new($file, include_bytes!(concat!("../static/", $file)));)*

        /// All assets of this crate.
        pub static SHARED: &[&Asset] = &[$(&$name),*];
    };
}

shared! {
    /// The look of all pages.
    STYLE = "style.css";
    /// Shows and hides a password.
    REVEAL = "reveal.js";
    /// Shows how strong a password is while it is typed.
    STRENGTH = "strength.js";
    /// Counts the time left down.
    COUNTDOWN = "countdown.js";
    /// Helps to type a code of digits.
    CODE_INPUT = "code-input.js";
    /// Keeps a part of a page as the server has it.
    POLL = "poll.js";
    /// The mark: a key and its spare.
    LOGO = "logo.svg";
    /// The mark for browser tabs.
    FAVICON = "favicon.svg";
    /// The app's icon, 192 pixels.
    ICON_192 = "icon-192.png";
    /// The app's icon, 512 pixels.
    ICON_512 = "icon-512.png";
    /// The app's icon, 512 pixels, with a margin that a phone may cut to its own shape.
    ICON_MASKABLE = "icon-maskable-512.png";
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    async fn fetch(path: &str, tag: &str) -> Response {
        let request = Request::get(path).header(header::IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
        router(SHARED.iter().copied()).oneshot(request).await.unwrap()
    }

    #[test]
    fn a_changed_content_has_another_address() {
        static ONE: Asset = Asset::new("a.b.js", b"1");
        static TWO: Asset = Asset::new("a.b.js", b"2");
        assert_eq!(ONE.url(), "/static/a.b.6b86b273ff34fce1.js");
        assert_ne!(ONE.url(), TWO.url());
    }

    #[tokio::test]
    async fn every_shared_asset_is_served_with_its_type() {
        for asset in SHARED {
            let response = fetch(asset.url(), "").await;
            assert_eq!(response.status(), 200, "{}", asset.name);
            assert_ne!(response.headers()["content-type"], "application/octet-stream", "{}", asset.name);
            assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), asset.bytes);
        }
    }

    #[tokio::test]
    async fn a_browser_that_has_it_gets_it_not_again() {
        let tag = format!("\"{}\"", STYLE.hash());
        for (sent, status) in [(&*tag, 304), (&*format!("\"x\", W/{tag}"), 304), ("\"x\"", 200), ("*", 200)] {
            assert_eq!(fetch(STYLE.url(), sent).await.status().as_u16(), status, "{sent}");
        }
    }

    #[tokio::test]
    async fn nothing_else_is_served() {
        for path in ["/static/style.css", "/static/..%2fCargo.toml", "/static/style.0000000000000000.css"] {
            assert_eq!(fetch(path, "").await.status(), 404, "{path}");
        }
    }
}
