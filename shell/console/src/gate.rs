//! Who may come in: who has the address that the program printed, from a page of its own or from none.
//!
//! Every user of this computer can connect to loopback, and every page of every site can make its browser do so. The address holds 256 random bits;
//! they are exchanged at once for a cookie that no script sees and no other site's request carries, so that they stay out of the history's view of pages.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension,
    extract::{Path, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use sparekey_web::{
    cookie,
    messages::{self, Message},
    problem::Problem,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const SHUT: Message = Message {
    title: "This window is open to whoever started it.",
    detail: "Use the address that sparekey console printed, or start it again.",
    ..messages::NOT_LOGGED_IN
};

/// The two secrets of one run, and where it answers.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Secrets>);

struct Secrets {
    /// In the address.
    token: Zeroizing<String>,
    /// In the cookie.
    session: Zeroizing<String>,
    cookie: String,
    at: SocketAddr,
}

impl Gate {
    pub(crate) fn random(at: SocketAddr) -> Result<Self, getrandom::Error> {
        let secret = || {
            let mut bytes = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *bytes)?;
            Ok(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes)))
        };
        // Cookies know no ports: two windows at once have two names.
        let cookie = format!("console-{}", at.port());
        Ok(Self(Arc::new(Secrets { token: secret()?, session: secret()?, cookie, at })))
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}/enter/{}", self.0.at, self.0.token.as_str())
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.0.cookie
    }

    /// Only under the one name that was printed: another that leads here is another site's.
    fn is_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        host == self.0.at.to_string()
    }

    fn is_in(&self, headers: &HeaderMap) -> bool {
        cookie::read(headers, &self.0.cookie).is_some_and(|sent| same(sent, &self.0.session))
    }
}

fn same(sent: &str, own: &str) -> bool {
    sent.as_bytes().ct_eq(own.as_bytes()).into()
}

/// The middleware.
pub(crate) async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if !gate.is_host(request.headers()) {
        return Problem::new(messages::WRONG_HOST).into_response();
    }
    if gate.is_in(request.headers()) || request.uri().path().starts_with("/enter/") {
        next.run(request).await
    } else {
        Problem::new(SHUT).into_response()
    }
}

/// The printed address: in exchange for the cookie.
pub(crate) async fn enter(Extension(gate): Extension<Gate>, Path(token): Path<String>) -> Response {
    if !same(&token, &gate.0.token) {
        return Problem::new(SHUT).into_response();
    }
    let mut answer = Redirect::to("/").into_response();
    answer.headers_mut().append(header::SET_COOKIE, cookie::set(&gate.0.cookie, &gate.0.session, false));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, StatusCode};

    fn gate() -> Gate {
        Gate::random(SocketAddr::from(([127, 0, 0, 1], 4711))).unwrap()
    }

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn only_the_printed_name_is_answered() {
        assert!(gate().is_host(&with(header::HOST, "127.0.0.1:4711")));
        for host in ["localhost:4711", "127.0.0.1", "127.0.0.1:80", "127.1:4711", "evil.example:4711", ""] {
            assert!(!gate().is_host(&with(header::HOST, host)), "{host}");
        }
        assert!(!gate().is_host(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn the_address_is_exchanged_for_a_cookie_and_is_none() {
        let gate = gate();
        let token = gate.address().rsplit('/').next().unwrap().to_owned();
        assert_eq!(token.len(), 43, "256 bits");
        for wrong in ["", "A", &token[1..], &format!("{token}A"), gate.0.session.as_str()] {
            let answer = enter(Extension(gate.clone()), Path(wrong.to_owned())).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
            assert!(!answer.headers().contains_key(header::SET_COOKIE));
        }
        let answer = enter(Extension(gate.clone()), Path(token.clone())).await;
        assert_eq!(
            (answer.status(), answer.headers()[header::LOCATION].as_bytes()),
            (StatusCode::SEE_OTHER, &b"/"[..])
        );
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        assert!(gate.is_in(&with(header::COOKIE, &cookie)));
        for wrong in [format!("console-4711={token}"), cookie.replace("4711", "4712"), format!("{cookie}A")] {
            assert!(!gate.is_in(&with(header::COOKIE, &wrong)), "{wrong}");
        }
        assert!(!gate.is_in(&HeaderMap::new()));
    }
}
