//! Who sends a request: from where, with which session, reading which language.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use sparekey_device::Caller;
use sparekey_protocol::Language;
use sparekey_web::cookie;
use sparekey_web::listen::Peer;
use sparekey_web::problem::Problem;
use zeroize::Zeroizing;

use crate::app::App;
use crate::hasher::Client;
use crate::link::{self, Door, Near};

/// An extractor.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Where from.
    pub(crate) caller: Caller,
    /// Whose queue they stand in.
    pub(crate) client: Client,
    /// Whether the connection is TLS.
    pub(crate) tls: bool,
    /// A session's token, living or not.
    pub(crate) token: Option<Zeroizing<String>>,
    /// The language they read best. Whether mails are written in it is the service's to know.
    pub(crate) language: Option<Language>,
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let peer = Peer::from_request_parts(parts, app).await?;
        let door = parts.extensions.get().copied().unwrap_or(Door::Main);
        let near = Near { screen: app.screen, is_connected: &app.connected };
        let caller = link::locate(door, peer.addr.ip(), &parts.headers, near);
        let token = bearer(&parts.headers)
            .or_else(|| cookie::read(&parts.headers, &cookie::name(cookie::SESSION, peer.tls)))
            .map(|token| Zeroizing::new(token.to_owned()));
        Ok(Self { caller, client: link::client(caller), tls: peer.tls, token, language: language(&parts.headers) })
    }
}

impl Visitor {
    /// Whether recoveries are for them.
    pub(crate) fn is_on_link(&self) -> bool {
        !matches!(self.caller, Caller::Elsewhere(_))
    }

    /// Their session's token; empty if they have none.
    pub(crate) fn token(&self) -> &str {
        self.token.as_ref().map_or("", |token| token.as_str())
    }

    /// The cookie that carries a session; an empty token takes it away.
    pub(crate) fn session_cookie(&self, token: &str) -> HeaderValue {
        cookie::set(&cookie::name(cookie::SESSION, self.tls), token, self.tls)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The first tag of `Accept-Language`, if it has the form of one (RFC 5646); its weights, which browsers send in falling
/// order, are not looked at.
fn language(headers: &HeaderMap) -> Option<Language> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let tag = accepted.split([',', ';']).next()?.trim();
    let well_formed = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    Language::new(tag).ok().filter(|_| well_formed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_is_in_the_language_that_the_browser_names_first() {
        for (accepted, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some("de-AT")),
            ("fr;q=0.9, zh-CN;q=0.5", Some("fr")),
            ("EN", Some("EN")),
            ("*", None),
            ("e", None),
            ("de-CH-1901-x-abcd", None),
            ("<script>", None),
            ("", None),
            (";;;,,,", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]);
            assert_eq!(language(&headers).as_ref().map(Language::as_str), expected, "{accepted}");
        }
    }

    #[test]
    fn a_bearer_token_is_read() {
        for (sent, expected) in
            [("Bearer abc", Some("abc")), ("bearer  abc", Some("abc")), ("Basic abc", None), ("abc", None)]
        {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(sent))]);
            assert_eq!(bearer(&headers), expected, "{sent}");
        }
    }
}
