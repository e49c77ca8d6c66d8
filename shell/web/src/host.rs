//! Under which names we answer.
//!
//! A page of another site can make its own name resolve to our address (DNS rebinding), and would then be of one origin
//! with us. So the `Host` must be an IP address, `localhost`, or a name that was configured.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderMap, header};

use crate::messages;
use crate::problem::Problem;

/// The configured names.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// Host names without port; IP addresses and `localhost` are always taken.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    fn serve(&self, host: &Authority) -> bool {
        let host = host.host().trim_end_matches('.').to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<std::net::IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || self.0.iter().any(|name| name.eq_ignore_ascii_case(&host))
    }
}

/// The request's one `Host`, if it has exactly one that can be read.
pub(crate) fn of(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host: Authority = hosts.next()?.to_str().ok()?.parse().ok()?;
    (hosts.next().is_none() && !host.as_str().contains('@')).then_some(host)
}

/// A middleware that refuses every other name:
/// `router.layer(axum::middleware::from_fn_with_state(Hosts::new(["recorder.local"]), host::check))`.
pub async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let host = of(request.headers());
    let same = |uri: &Authority| host.as_ref() == Some(uri);
    let one = request.uri().authority().is_none_or(same);
    if one && host.as_ref().is_some_and(|host| hosts.serve(host)) {
        next.run(request).await
    } else {
        Problem::new(messages::WRONG_HOST).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    async fn answer(uri: &str, hosts: &[&str]) -> u16 {
        let served = Hosts::new(["recorder.local"]);
        let router =
            Router::new().route("/", get(async || "page")).layer(middleware::from_fn_with_state(served, check));
        let mut request = Request::get(uri).body(Body::empty()).unwrap();
        for host in hosts {
            request.headers_mut().append(header::HOST, host.parse().unwrap());
        }
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn answers_under_its_own_names_only() {
        for host in ["127.0.0.1:8080", "192.168.1.64", "[fe80::1]:443", "localhost:1", "a.localhost", "Recorder.Local."]
        {
            assert_eq!(answer("/", &[host]).await, 200, "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "recorder.local.evil.example",
            "127.0.0.1.evil.example",
            "",
            "a@127.0.0.1",
        ] {
            assert_eq!(answer("/", &[host]).await, 421, "{host}");
        }
    }

    #[tokio::test]
    async fn two_hosts_and_a_differing_absolute_form_are_refused() {
        assert_eq!(answer("/", &[]).await, 421);
        assert_eq!(answer("/", &["127.0.0.1", "127.0.0.1"]).await, 421);
        assert_eq!(answer("http://evil.example/", &["127.0.0.1"]).await, 421);
        assert_eq!(answer("http://127.0.0.1/", &["127.0.0.1"]).await, 200);
    }
}
