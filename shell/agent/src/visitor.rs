//! Who sends a request: from where, with which session, reading which language.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use sparekey_device::Caller;
use sparekey_protocol::Language;
use sparekey_web::cookie;
use sparekey_web::listen::Peer;
use sparekey_web::problem::Problem;
use zeroize::Zeroizing;

use crate::app::App;
use crate::hasher::Client;
use crate::link::{self, Door};

/// The session's cookie, before its prefix.
pub(crate) const SESSION: &str = "session";

/// Languages that mails are written in, by their primary subtag.
const MAILED: [(&str, &str); 4] = [("en", "en"), ("zh", "zh-Hans"), ("es", "es"), ("de", "de")];

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
    /// The first language they read that mails are written in.
    pub(crate) language: Option<Language>,
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let peer = Peer::from_request_parts(parts, app).await?;
        let door = parts.extensions.get().copied().unwrap_or(Door::Main);
        let caller = link::locate(door, peer.addr.ip(), &parts.headers, |addr| app.is_connected(addr));
        let client = match caller {
            Caller::Screen => Client::Screen,
            Caller::Link(addr) | Caller::Elsewhere(addr) => Client::Network(link::caller(addr)),
        };
        let token = bearer(&parts.headers)
            .or_else(|| cookie::read(&parts.headers, &cookie::name(SESSION, peer.tls)))
            .map(|token| Zeroizing::new(token.to_owned()));
        Ok(Self { caller, client, tls: peer.tls, token, language: language(&parts.headers) })
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
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The first of `Accept-Language` that there is; its weights, which browsers send in falling order, are not looked at.
fn language(headers: &HeaderMap) -> Option<Language> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let primary = accepted.split(',').filter_map(|tag| tag.split([';', '-']).next());
    let known = primary.filter_map(|tag| MAILED.iter().find(|(known, _)| tag.trim().eq_ignore_ascii_case(known)));
    known.map(|(_, tag)| Language::new(tag).expect("the tags are within bounds")).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_mail_is_in_a_language_the_browser_names() {
        for (accepted, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some("de")),
            ("fr-FR, zh-CN;q=0.5", Some("zh-Hans")),
            ("fr", None),
            ("EN", Some("en")),
            ("", None),
            (";;;,,,", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]);
            assert_eq!(language(&headers).as_ref().map(Language::as_str), expected, "{accepted}");
        }
    }

    #[test]
    fn a_bearer_token_is_read() {
        for (sent, expected) in [("Bearer abc", Some("abc")), ("bearer  abc", Some("abc")), ("Basic abc", None), ("abc", None)] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(sent))]);
            assert_eq!(bearer(&headers), expected, "{sent}");
        }
    }
}
