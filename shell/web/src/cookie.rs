//! Cookies: one reader, one writer, both strict (RFC 6265).

use http::{HeaderMap, HeaderValue, header};

/// The cookie that carries a session, before the prefix of [`name`]: the tokens of forms are bound to it.
pub const SESSION: &str = "session";

/// The value of the cookie `name`, if the request has exactly one such.
///
/// Two of one name mean that somebody planted the other: neither is believed.
pub fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(key, value)| (key == name).then_some(value));
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The name as it is sent: over TLS with the prefix `__Host-`, which keeps other hosts of the same domain, and plain
/// HTTP, from setting it.
pub fn name(base: &str, tls: bool) -> String {
    if tls { format!("__Host-{base}") } else { base.to_owned() }
}

/// A `Set-Cookie` value for the life of the browser's session: `HttpOnly`, `SameSite=Strict`, `Path=/`, `Secure` over TLS.
/// `name` is the full one of [`name`]; an empty `value` removes the cookie.
///
/// # Panics
/// If name or value hold anything but visible ASCII: both are ours, never a visitor's.
pub fn set(name: &str, value: &str, tls: bool) -> HeaderValue {
    let secure = if tls { "; Secure" } else { "" };
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}"))
        .expect("cookies are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_an_unambiguous_cookie() {
        for (sent, expected) in [
            (vec!["a=1; sid=x; b=2"], Some("x")),
            (vec!["a=1", "sid=x"], Some("x")),
            (vec!["sid=x; sid=y"], None),
            (vec!["sid=x", "sid=x"], None),
            (vec!["xsid=x; sid"], None),
            (vec!["sid="], Some("")),
            (vec![], None),
        ] {
            let headers = sent.iter().map(|value| (header::COOKIE, HeaderValue::from_static(value))).collect();
            assert_eq!(read(&headers, "sid"), expected, "{sent:?}");
        }
    }

    #[test]
    fn writes_the_strictest_form() {
        assert_eq!(set(&name("sid", true), "v", true), "__Host-sid=v; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(set(&name("sid", false), "", false), "sid=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }
}
