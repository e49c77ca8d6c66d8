//! Forms with a file, as a browser and a foreign page send them.
#![allow(clippy::unwrap_used, reason = "a test may")]

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::{Request, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use sparekey_web::csrf::{Csrf, FormToken, guard};
use sparekey_web::listen::Peer;
use sparekey_web::upload::GuardedUpload;
use tower::ServiceExt;

#[derive(Deserialize)]
struct Upload {
    #[serde(default)]
    note: String,
    file: String,
}

async fn send(request: Request<Body>) -> (u16, http::HeaderMap, String) {
    let router = Router::new()
        .route("/", get(async |token: FormToken| Html(token.as_str().to_owned())))
        .route("/", post(async |GuardedUpload(form): GuardedUpload<Upload>| form.note + "|" + &form.file))
        .layer(DefaultBodyLimit::max(4_000))
        .layer(middleware::from_fn_with_state(Csrf::new([7; 32], false), guard));
    let addr = ([127, 0, 0, 1], 1).into();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Peer { addr, local: addr, tls: false });
    let (parts, body) = router.oneshot(Request::from_parts(parts, body)).await.unwrap().into_parts();
    let text = body.collect().await.unwrap().to_bytes().to_vec();
    (parts.status.as_u16(), parts.headers, String::from_utf8(text).unwrap())
}

/// A cookie and its token.
async fn page() -> (String, String) {
    let (_, headers, token) = send(Request::get("/").body(Body::empty()).unwrap()).await;
    (headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned(), token)
}

fn part(name: &str, file: bool, content: &[u8]) -> Vec<u8> {
    let file = if file { "; filename=\"a.xml\"\r\nContent-Type: application/xml" } else { "" };
    let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

async fn post_parts(cookie: &str, origin: &str, parts: &[Vec<u8>]) -> (u16, String) {
    let body = [&parts.concat()[..], b"--x--\r\n"].concat();
    let request = Request::post("/")
        .header(header::COOKIE, cookie)
        .header(header::HOST, "h")
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
    let (status, _, text) = send(request.body(Body::from(body)).unwrap()).await;
    (status, text)
}

#[tokio::test]
async fn a_page_s_own_file_is_taken() {
    let (cookie, token) = page().await;
    let parts = [part("csrf", false, token.as_bytes()), part("note", false, b"n"), part("file", true, b"<a/>\r\n")];
    assert_eq!(post_parts(&cookie, "http://h", &parts).await, (200, "n|<a/>\r\n".to_owned()));
}

#[tokio::test]
async fn without_the_page_s_token_first_nothing_is() {
    let (cookie, token) = page().await;
    let (other, _) = page().await;
    let (token, file) = (part("csrf", false, token.as_bytes()), part("file", true, b"<a/>"));
    let wrong = part("csrf", false, b"x");
    for (cookie, origin, parts) in [
        (&cookie, "http://h", vec![file.clone()]),
        (&cookie, "http://h", vec![]),
        (&cookie, "http://h", vec![wrong, file.clone()]),
        (&cookie, "http://h", vec![file.clone(), token.clone()]),
        (&other, "http://h", vec![token.clone(), file.clone()]),
        (&cookie, "http://evil.example", vec![token.clone(), file.clone()]),
        (&cookie, "null", vec![token.clone(), file.clone()]),
    ] {
        let (status, text) = post_parts(cookie, origin, &parts).await;
        assert!(status == 403 && text.contains("cross-site"), "{status} {text}");
    }
}

#[tokio::test]
async fn what_is_too_much_or_twice_or_no_text_is_refused() {
    let (cookie, token) = page().await;
    let token = part("csrf", false, token.as_bytes());
    let many = (0..20).map(|n| part(&format!("f{n}"), false, b"")).collect::<Vec<_>>().concat();
    for (parts, status, name) in [
        (vec![part("file", true, &[b'a'; 4_000])], 413, "too-large"),
        (vec![part("file", true, b"a"), part("file", true, b"b")], 400, "malformed"),
        (vec![part("file", true, b"a"), token.clone()], 400, "malformed"),
        (vec![part("file", true, b"\xff")], 400, "malformed"),
        (vec![part("", true, b"a")], 400, "malformed"),
        (vec![part("note", false, b"a")], 400, "malformed"),
        (vec![many], 400, "malformed"),
    ] {
        let parts = [vec![token.clone()], parts].concat();
        let (answered, text) = post_parts(&cookie, "http://h", &parts).await;
        assert!(answered == status && text.contains(name), "{status} {name}: {answered} {text}");
    }
}
