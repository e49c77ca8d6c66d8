//! Who is signed in: a cookie with 256 random bits, of which the database has the hash.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use sparekey_web::cookie;
use sparekey_web::listen::Peer;

use crate::desk::{Credential, DeskError};
use crate::http::{App, error};
use crate::operators::{Known, Secret, SecretHash};

/// A session that is good: an extractor. Without one, a page leads to signing in, and anything else is refused.
pub(crate) struct Session {
    pub(crate) hash: SecretHash,
    pub(crate) known: Known,
}

impl Session {
    pub(crate) fn credential(&self) -> Credential {
        Credential::Session(self.hash)
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let tls = is_tls(app, parts.extensions.get());
        let found = match hash(&parts.headers, tls) {
            Some(hash) => app.service.desk().seen(hash).await.map(|known| Self { hash, known }),
            None => Err(DeskError::NotLoggedIn),
        };
        match found {
            Ok(session) => Ok(session),
            Err(DeskError::NotLoggedIn) if parts.method == Method::GET => {
                Err(Redirect::to("/desk/sign-in").into_response())
            }
            Err(error) => Err(error::desk(&error).into_response()),
        }
    }
}

/// The hash of the cookie that came along, good or not.
pub(crate) fn hash(headers: &HeaderMap, tls: bool) -> Option<SecretHash> {
    let value = cookie::read(headers, &cookie::name(cookie::SESSION, tls))?;
    Secret::parse(value).map(|secret| secret.hash())
}

/// A session's cookie; without a secret, its end.
pub(crate) fn cookie(secret: Option<&Secret>, tls: bool) -> (header::HeaderName, HeaderValue) {
    let name = cookie::name(cookie::SESSION, tls);
    let value = match secret {
        Some(secret) => cookie::set(&name, &secret.expose(), tls),
        None => cookie::set(&name, "", tls),
    };
    (header::SET_COOKIE, value)
}

/// Whether browsers see us over HTTPS.
pub(crate) fn is_tls(app: &App, peer: Option<&Peer>) -> bool {
    app.settings.base_url.as_str().starts_with("https://") || peer.is_some_and(|peer| peer.tls)
}
