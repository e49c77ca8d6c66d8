//! Which site's page made a browser send a request.
//!
//! One reading of what browsers say, for all who ask: [`csrf::guard`](crate::csrf::guard), where cookies have power, and
//! servers without cookies, which only keep foreign pages from acting in their visitors' names.

use http::{HeaderMap, header};

use crate::host;

/// Scheme, host and port, as a browser writes them in `Origin` (RFC 6454 section 6.2): without the scheme's own port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin of an absolute URL, which may have a path.
    #[must_use]
    pub fn of_url(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        Self::new(scheme, rest.split('/').next().unwrap_or_default())
    }

    /// The origin under which a request asked for us; none if its `Host` cannot be read.
    #[must_use]
    pub fn of_request(headers: &HeaderMap, tls: bool) -> Option<Self> {
        host::of(headers).map(|host| Self::new(if tls { "https" } else { "http" }, host.as_str()))
    }

    fn new(scheme: &str, host: &str) -> Self {
        let own_port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
        let host = host.strip_suffix(own_port).unwrap_or(host);
        Self(format!("{scheme}://{host}").to_ascii_lowercase())
    }
}

/// Who made a browser send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A page of ours, or the visitor himself, who typed the address or shares a file to the app.
    Own,
    /// `Origin: null`: what the forms of our own pages have under `Referrer-Policy: no-referrer`, and sandboxed foreign ones.
    Opaque,
    /// Nothing is said. All browsers say it of what changes something, so this is a program.
    Program,
    /// A page of another site.
    Foreign,
}

impl Sender {
    /// What the request says: `Sec-Fetch-Site`, or before 2023 only `Origin`, which is compared with our `own` one.
    #[must_use]
    pub fn of(headers: &HeaderMap, own: Option<&Origin>) -> Self {
        if let Some(site) = headers.get("sec-fetch-site") {
            return if matches!(site.as_bytes(), b"same-origin" | b"none") { Self::Own } else { Self::Foreign };
        }
        match headers.get(header::ORIGIN).map(|origin| origin.as_bytes()) {
            None => Self::Program,
            Some(b"null") => Self::Opaque,
            Some(origin) if own.is_some_and(|own| origin.eq_ignore_ascii_case(own.0.as_bytes())) => Self::Own,
            Some(_) => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn tells_other_sites_from_our_own_pages_and_programs() {
        for (name, value, sender) in [
            ("sec-fetch-site", "same-origin", Sender::Own),
            ("sec-fetch-site", "none", Sender::Own),
            ("sec-fetch-site", "same-site", Sender::Foreign),
            ("sec-fetch-site", "cross-site", Sender::Foreign),
            ("origin", "null", Sender::Opaque),
            ("origin", "", Sender::Foreign),
            ("origin", "https://recover.example.org", Sender::Own),
            ("origin", "https://Recover.Example.org", Sender::Own),
            ("origin", "http://recover.example.org", Sender::Foreign),
            ("origin", "https://recover.example.org:8443", Sender::Foreign),
            ("origin", "https://recover.example.org.evil.example", Sender::Foreign),
            ("x-none", "", Sender::Program),
        ] {
            let headers =
                HeaderMap::from_iter([(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value))]);
            for url in [
                "https://recover.example.org",
                "https://recover.example.org/app",
                "https://recover.example.org:443/app",
            ] {
                assert_eq!(Sender::of(&headers, Some(&Origin::of_url(url))), sender, "{name}: {value}");
            }
            if name == "origin" && sender == Sender::Own {
                assert_eq!(Sender::of(&headers, None), Sender::Foreign, "without a host of ours");
            }
        }
    }

    #[test]
    fn origins_are_written_as_browsers_do() {
        for (url, origin) in [
            ("https://Example.org:443/a/b", "https://example.org"),
            ("https://example.org:80", "https://example.org:80"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080/x", "http://[::1]:8080"),
        ] {
            assert_eq!(Origin::of_url(url).0, origin);
        }
    }
}
