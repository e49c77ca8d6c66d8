//! The headers that every answer carries.

use std::sync::LazyLock;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{self, HeaderName};

use crate::listen::Peer;

/// No script, style or picture but our own, nothing inline, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What no page of ours uses; `camera` is put before it.
const NO_FEATURES: &str = "microphone=(), geolocation=(), payment=(), usb=(), serial=(), \
    display-capture=()";

/// Two years. Said over TLS only; a browser ignores it for IP addresses and certificates it does not trust.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

static WITH_CAMERA: LazyLock<HeaderValue> = LazyLock::new(|| permissions("camera=(self)"));
static WITHOUT_CAMERA: LazyLock<HeaderValue> = LazyLock::new(|| permissions("camera=()"));

fn permissions(camera: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("{camera}, {NO_FEATURES}")).expect("a policy is visible ASCII")
}

/// What differs between our servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers {
    /// Pages may use the camera (the app, which scans).
    pub camera: bool,
    /// Browsers are to come back over HTTPS only. Not for a device, which makes its certificate itself, and anew after a reset.
    pub hsts: bool,
    /// A proxy before us ends TLS, so that every page is seen over HTTPS although we are spoken to in plain.
    pub https_before_us: bool,
}

/// A middleware that sets the headers:
/// `router.layer(axum::middleware::from_fn_with_state(Headers::default(), headers::set))`.
///
/// Nothing is stored by caches unless the handler says otherwise, as assets do.
pub async fn set(State(policy): State<Headers>, request: Request, next: Next) -> Response {
    let https = policy.https_before_us || request.extensions().get::<Peer>().is_some_and(|peer| peer.tls);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        // What somebody uploaded is handed out under a policy of its own, stricter than that of pages.
        if name == header::CONTENT_SECURITY_POLICY && headers.contains_key(&name) {
            continue;
        }
        headers.insert(name, HeaderValue::from_static(value));
    }
    let permissions = if policy.camera { &WITH_CAMERA } else { &WITHOUT_CAMERA };
    headers.insert(HeaderName::from_static("permissions-policy"), HeaderValue::clone(permissions));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if https && policy.hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    async fn answer(policy: Headers, path: &str, tls: bool) -> http::HeaderMap {
        let router = Router::new()
            .route("/", get(async || "page"))
            .route("/kept", get(async || ([(header::CACHE_CONTROL, "max-age=1")], "asset")))
            .layer(middleware::from_fn_with_state(policy, set));
        let addr = ([127, 0, 0, 1], 1).into();
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer { addr, local: addr, tls });
        router.oneshot(request).await.unwrap().headers().clone()
    }

    #[tokio::test]
    async fn every_page_has_them_even_one_that_is_not_there() {
        for path in ["/", "/nowhere"] {
            let headers = answer(Headers::default(), path, false).await;
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["referrer-policy"], "no-referrer");
            assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
            assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
            assert_eq!(headers["cache-control"], "no-store");
        }
    }

    #[tokio::test]
    async fn the_camera_is_allowed_only_where_asked_for() {
        let without = answer(Headers::default(), "/", false).await;
        assert!(without["permissions-policy"].to_str().unwrap().starts_with("camera=(), "));
        let with = answer(Headers { camera: true, ..Headers::default() }, "/", false).await;
        assert!(with["permissions-policy"].to_str().unwrap().starts_with("camera=(self), "));
    }

    #[tokio::test]
    async fn hsts_over_tls_only() {
        let service = Headers { hsts: true, ..Headers::default() };
        let proxied = Headers { https_before_us: true, ..service };
        for (policy, tls, expected) in
            [(service, false, false), (service, true, true), (proxied, false, true), (Headers::default(), true, false)]
        {
            let headers = answer(policy, "/", tls).await;
            assert_eq!(headers.contains_key("strict-transport-security"), expected, "{policy:?} {tls}");
        }
    }

    #[tokio::test]
    async fn a_handler_may_let_caches_keep_its_answer() {
        assert_eq!(answer(Headers::default(), "/kept", false).await["cache-control"], "max-age=1");
    }
}
