//! Against forms that another site makes our visitor's browser send (CSRF).
//!
//! Three lines, for every request that may change something:
//! 1. [`guard`] believes what the browser says of the sender: `Sec-Fetch-Site` where there is one, else `Origin`, which
//!    must be the request's own `Host`.
//! 2. A form is read by [`GuardedForm`], and one with a file by [`GuardedUpload`](crate::upload::GuardedUpload), only if it
//!    carries the token of the page it stands on ([`FormToken`]): an HMAC
//!    of a random cookie and of the session's, so that who can plant a cookie cannot make its token, and a pair of the two
//!    that somebody was given himself is of no use in another's session.
//! 3. JSON is read by [`ApiJson`](crate::json::ApiJson) only with its content type, which no foreign form can send.
//!
//! `Origin: null` says nothing (our own `Referrer-Policy: no-referrer` makes browsers send it with our own forms): then
//! the body must be one that line 2 or 3 checks. A request with `Authorization: Bearer` and no cookie holds no power
//! that a browser adds by itself, and passes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cookie;
use crate::json::unread;
use crate::listen::Peer;
use crate::messages;
use crate::problem::Problem;
use crate::same_site::{Origin, Sender};

/// The cookie's name before the prefix of [`cookie::name`].
const COOKIE: &str = "form";

/// The cookie's value: 32 random bytes in base64url.
const COOKIE_LENGTH: usize = 43;

/// What makes tokens out of cookies.
#[derive(Clone)]
pub struct Csrf {
    key: Arc<Zeroizing<[u8; 32]>>,
    https_before_us: bool,
    session: Arc<str>,
}

impl Csrf {
    /// With a key of one's own: all nodes of one service need the same. `https_before_us` as in
    /// [`Headers`](crate::headers::Headers).
    pub fn new(key: [u8; 32], https_before_us: bool) -> Self {
        Self { key: Arc::new(Zeroizing::new(key)), https_before_us, session: cookie::SESSION.into() }
    }

    /// With another name of the session's cookie, before the prefix of [`cookie::name`]: cookies know no ports, so two servers on one
    /// address need two.
    #[must_use]
    pub fn with_session_cookie(self, name: &str) -> Self {
        Self { session: name.into(), ..self }
    }

    /// With a random key: pages that were open over a restart have to be loaded again.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self::new(key, false))
    }

    fn token(&self, cookie: &str, session: &str) -> FormToken {
        let mut mac = Hmac::<Sha256>::new_from_slice(&**self.key).expect("HMAC takes keys of any length");
        // The first is of one length, so the two cannot be cut differently.
        mac.update(cookie.as_bytes());
        mac.update(session.as_bytes());
        FormToken(BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}

/// The token for the forms of the page that is being made: an extractor, and what goes into the hidden field `csrf`.
#[derive(Clone)]
pub struct FormToken(String);

impl FormToken {
    /// The field's value.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a form that is read in another way than by [`GuardedForm`] carries it. Takes the same time whatever differs.
    pub fn is(&self, sent: &str) -> bool {
        sent.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl<S: Sync> FromRequestParts<S> for FormToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or_else(|| {
            tracing::error!("a form token was asked for outside csrf::guard");
            Problem::internal()
        })
    }
}

/// The middleware: `router.layer(axum::middleware::from_fn_with_state(csrf, csrf::guard))`.
pub async fn guard(State(csrf): State<Csrf>, mut request: Request, next: Next) -> Response {
    let tls = csrf.https_before_us || request.extensions().get::<Peer>().is_some_and(|peer| peer.tls);
    if !may_pass(request.method(), request.headers(), tls) {
        return Problem::new(messages::CROSS_SITE).into_response();
    }

    let name = cookie::name(COOKIE, tls);
    let known = cookie::read(request.headers(), &name).filter(|value| value.len() == COOKIE_LENGTH).map(str::to_owned);
    let fresh = known.is_none();
    let value = match known {
        Some(value) => value,
        None => match random_cookie() {
            Ok(value) => value,
            Err(error) => {
                tracing::error!(%error, "no randomness");
                return Problem::internal().into_response();
            }
        },
    };
    let session = cookie::read(request.headers(), &cookie::name(&csrf.session, tls)).unwrap_or_default();
    let token = csrf.token(&value, session);
    request.extensions_mut().insert(token);

    let mut response = next.run(request).await;
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if fresh && is_page {
        response.headers_mut().append(header::SET_COOKIE, cookie::set(&name, &value, tls));
    }
    response
}

fn random_cookie() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

fn may_pass(method: &Method, headers: &HeaderMap, tls: bool) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let bearer = text(header::AUTHORIZATION)
        .and_then(|value| value.split_at_checked(7))
        .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer "));
    if bearer && !headers.contains_key(header::COOKIE) {
        return true;
    }
    match Sender::of(headers, Origin::of_request(headers, tls).as_ref()) {
        Sender::Own | Sender::Program => true,
        Sender::Opaque => text(header::CONTENT_TYPE).is_some_and(is_checked_later),
        Sender::Foreign => false,
    }
}

/// Bodies that [`GuardedForm`] and `ApiJson` look at themselves. Not those with files: there are calls for programs that take them
/// without a token, and every browser since 2023 says `Sec-Fetch-Site`.
fn is_checked_later(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or("").trim();
    ["application/x-www-form-urlencoded", "application/json"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// A form that stands on a page of ours: an extractor for `application/x-www-form-urlencoded` with the field `csrf`.
///
/// `T` is read from the same fields and must not refuse unknown ones.
#[derive(Clone, Copy, Debug)]
pub struct GuardedForm<T>(pub T);

#[derive(Deserialize)]
struct TokenField {
    csrf: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for GuardedForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let token = FormToken::from_request_parts(&mut parts, state).await?;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(messages::MALFORMED.into());
        }
        let body =
            Bytes::from_request(Request::from_parts(parts, body), state).await.map_err(|error| unread(&error))?;
        let sent: TokenField = serde_urlencoded::from_bytes(&body).map_err(|_| messages::CROSS_SITE)?;
        if !token.is(&sent.csrf) {
            return Err(messages::CROSS_SITE.into());
        }
        serde_urlencoded::from_bytes(&body).map(Self).map_err(|_| messages::MALFORMED.into())
    }
}
