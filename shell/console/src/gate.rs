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
