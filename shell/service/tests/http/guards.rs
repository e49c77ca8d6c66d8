//! What stands before every route: the flood limiter, the check for other sites, the client's address, the headers.

use std::fs;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;

use axum::body::Body;
use http::{Method, Request};
use sparekey_service::http::Flood;

use crate::stand::{Answer, Options, Stand};

/// Pages, and tiles, which no document can name; the interface's routes come out of its own document.
const PAGES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/r"),
    ("GET", "/reset"),
    ("POST", "/reset"),
    ("GET", "/reset/photo"),
    ("POST", "/reset/photo"),
    ("GET", "/requests/AAAAAAAAAAAAAAAAAAAAAAAA"),
    ("GET", "/requests/AAAAAAAAAAAAAAAAAAAAAAAA/state"),
    ("GET", "/t"),
    ("POST", "/t"),
    ("GET", "/log/tile/0/000"),
    ("GET", "/manifest.webmanifest"),
    ("GET", "/sw.js"),
    ("GET", "/offline"),
    ("GET", "/static/style.css"),
    ("GET", "/desk"),
    ("GET", "/desk/sign-in"),
    ("GET", "/desk/join"),
    ("POST", "/desk/sign-out"),
    ("GET", "/desk/account"),
    ("POST", "/desk/passkey/sign-in/start"),
    ("POST", "/desk/passkey/sign-in/finish"),
    ("GET", "/desk/new"),
    ("POST", "/desk/new"),
    ("GET", "/desk/cases/2026-000001"),
    ("POST", "/desk/cases/2026-000001/note"),
    ("POST", "/desk/cases/2026-000001/attach"),
    ("GET", "/desk/cases/2026-000001/evidence/0"),
    ("POST", "/desk/cases/2026-000001/check"),
    ("POST", "/desk/cases/2026-000001/hand-over"),
    ("GET", "/desk/cases/2026-000001/approve"),
    ("POST", "/desk/cases/2026-000001/approve"),
    ("POST", "/desk/cases/2026-000001/grant"),
    ("GET", "/desk/cases/2026-000001/key"),
    ("POST", "/desk/cases/2026-000001/key"),
    ("GET", "/desk/cases/2026-000001/refuse"),
    ("POST", "/desk/cases/2026-000001/refuse"),
    ("GET", "/desk/people"),
    ("POST", "/desk/people"),
    ("POST", "/desk/people/1/remove"),
    ("POST", "/desk/people/1/link"),
    ("GET", "/desk/settings"),
    ("POST", "/desk/settings/checklist"),
    ("POST", "/desk/settings/organisation"),
    ("GET", "/nowhere"),
    ("POST", "/nowhere"),
];

const TINY: Flood = Flood { per_second: NonZeroU32::MIN, burst: NonZeroU32::MIN };

async fn every_route(stand: &Stand) -> Vec<(Method, String)> {
    let document = stand.get("/openapi.json").await.json();
    let documented = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys().map(|method| method.to_uppercase());
        methods.map(move |method| {
            (
                method,
                path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAAAA")
                    .replace("{number}", "2026-000001")
                    .replace("{place}", "0"),
            )
        })
    });
    let pages = PAGES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    documented.chain(pages).map(|(method, path)| (method.parse().unwrap(), path)).collect()
}

fn empty(method: &Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn no_route_is_without_a_limiter() {
    let stand = Stand::with(Options { flood: TINY, ..Options::default() }).await;
    for (n, (method, path)) in every_route(&stand).await.into_iter().enumerate() {
        let network = IpAddr::from([10, 0, n as u8, 1]);
        let allowed = if method == Method::POST { 1 } else { 10 };
        for _ in 0..allowed {
            assert_ne!(stand.call_from(network, empty(&method, &path)).await.status, 429, "{method} {path}");
        }
        let refused = stand.call_from(IpAddr::from([10, 0, n as u8, 200]), empty(&method, &path)).await;
        assert_eq!((refused.problem().as_str(), refused.status.as_u16()), ("too-many", 429), "{method} {path}");
        assert_eq!(refused.headers["retry-after"], "1");
    }
}

/// What is between `.route(` and the parenthesis that closes it, for each of them.
fn calls(source: &str) -> impl Iterator<Item = &str> {
    source.split(".route(").skip(1).map(|rest| {
        let mut open = 1;
        let end = rest.find(|letter| {
            open += i32::from(letter == '(') - i32::from(letter == ')');
            open == 0
        });
        &rest[..end.expect("a call is closed")]
    })
}

/// The path of a route, whether it stands there or in a constant of the same file.
fn path_of<'a>(call: &'a str, source: &'a str) -> &'a str {
    let first = call.split(',').next().unwrap().trim();
    let text = match first.strip_prefix('"') {
        Some(text) => text,
        None => {
            source.split_once(&format!("const {first}: &str = \"")).unwrap_or_else(|| panic!("where is {first}?")).1
        }
    };
    text.split('"').next().unwrap()
}

/// Whether this path is one of the route's: a part in braces is any part, one with an asterisk all that follow.
fn fits(path: &str, route: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in route.split('/') {
        match (parts.next(), wanted) {
            (Some(_), wanted) if wanted.starts_with("{*") => return true,
            (Some(_), wanted) if wanted.starts_with('{') => {}
            (part, wanted) if part == Some(wanted) => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

/// Adds what the table lacks of the routes in this folder, and counts them all.
fn look_for_routes(folder: &Path, missing: &mut Vec<String>) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.map(|path| {
        if path.is_dir() {
            return look_for_routes(&path, missing);
        }
        let source = fs::read_to_string(&path).unwrap();
        let mut found = 0;
        for call in calls(&source) {
            let route = path_of(call, &source);
            let methods = [("GET", "get("), ("POST", "post(")].into_iter().filter(|(_, word)| call.contains(word));
            for (method, _) in methods {
                found += 1;
                if !PAGES.iter().any(|(known, path)| *known == method && fits(path, route)) {
                    missing.push(format!("{method} {route}"));
                }
            }
        }
        found
    });
    found.sum()
}

#[test]
fn every_page_is_in_the_table() {
    let mut missing = Vec::new();
    let found = look_for_routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut missing);
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    assert!(found > 30, "only {found} routes were found: are they written in another way now?");
}

#[tokio::test]
async fn every_answer_has_the_headers_and_no_needless_cookie() {
    let stand = Stand::new().await;
    for (method, path) in every_route(&stand).await {
        let answer = stand.call(empty(&method, &path)).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{path}");
        assert!(answer.headers.contains_key("strict-transport-security"), "the base URL is https: {path}");
        let permissions = answer.headers["permissions-policy"].to_str().unwrap();
        assert_eq!(permissions.starts_with("camera=(self), "), path.starts_with("/reset"), "{path}: {permissions}");
        // The app has none; the desk's pages tie their forms to one.
        let has_form = path.starts_with("/desk/sign-in") || path.starts_with("/desk/join");
        let cookies: Vec<_> =
            answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(
            cookies.iter().all(|cookie| cookie.starts_with("__Host-form=") && cookie.contains("HttpOnly")),
            "{path}"
        );
        assert_eq!(!cookies.is_empty(), has_form && method == Method::GET, "{path}: {cookies:?}");
    }
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let stand = Stand::new().await;
    for (path, kind) in [
        ("/v1/requests", "application/json"),
        ("/v1/requests/photo", "image/png"),
        ("/reset", "application/x-www-form-urlencoded"),
        ("/reset/photo", "multipart/form-data; boundary=x"),
    ] {
        for (name, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let request =
                Request::post(path).header("content-type", kind).header(name, value).body(Body::empty()).unwrap();
            let answer = stand.call(request).await;
            assert_eq!((answer.problem().as_str(), answer.status.as_u16()), ("cross-site", 403), "{path} {value}");
        }
    }
}

async fn second_of_two(stand: &Stand, peer: &str, header: &str, values: [&str; 2]) -> Answer {
    let [first, second] =
        values.map(|value| Request::post("/nowhere").header(header, value).body(Body::empty()).unwrap());
    stand.call_from(peer.parse().unwrap(), first).await;
    stand.call_from(peer.parse().unwrap(), second).await
}

#[tokio::test]
async fn limits_count_the_client_that_trusted_proxies_name_and_no_other() {
    let options = || Options { flood: TINY, trusted_proxies: vec!["10.0.0.0/8"], ..Options::default() };
    for (peer, header, values, limited) in [
        ("203.0.113.9", "x-forwarded-for", ["198.51.100.7", "192.0.2.7"], true),
        ("203.0.113.9", "forwarded", ["for=198.51.100.7", "for=192.0.2.7"], true),
        ("203.0.113.9", "x-real-ip", ["198.51.100.7", "192.0.2.7"], true),
        ("10.0.0.1", "x-forwarded-for", ["198.51.100.7", "192.0.2.7"], false),
        ("10.0.0.1", "x-forwarded-for", ["198.51.100.7", "198.51.100.200"], true),
        ("10.0.0.1", "x-forwarded-for", ["1.1.1.1, 198.51.100.7", "2.2.2.2, 198.51.100.7"], true),
        ("10.0.0.1", "x-forwarded-for", ["nonsense", "garbage"], true),
        ("10.0.0.1", "x-real-ip", ["198.51.100.7", "192.0.2.7"], true),
        ("10.0.0.1", "forwarded", ["for=\"[2001:db8:1:2::7]\"", "for=\"[2001:db8:1:2:ffff::1]\""], true),
        ("10.0.0.1", "forwarded", ["for=\"[2001:db8:1:2::7]\"", "for=\"[2001:db8:1:3::7]\""], false),
        ("::ffff:10.0.0.1", "x-forwarded-for", ["::ffff:198.51.100.7", "198.51.100.9"], true),
    ] {
        let stand = Stand::with(options()).await;
        let answer = second_of_two(&stand, peer, header, values).await;
        assert_eq!(answer.status == 429, limited, "{peer} {header}: {values:?}");
    }
}
