//! The CSRF defence as a browser, a foreign page and a script meet it.
#![allow(clippy::unwrap_used, reason = "a test may")]

use axum::body::Body;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::{HeaderMap, Request, Response, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use sparekey_web::csrf::{Csrf, FormToken, GuardedForm, guard};
use sparekey_web::json::ApiJson;
use sparekey_web::listen::Peer;
use tower::ServiceExt;

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Deserialize)]
struct Code {
    code: String,
}

fn router() -> Router {
    Router::new()
        .route("/", get(async |token: FormToken| Html(token.as_str().to_owned())))
        .route("/form", post(async |GuardedForm(form): GuardedForm<Code>| form.code))
        .route("/api", post(async |ApiJson(body): ApiJson<Code>| body.code).delete(async || "gone"))
        .layer(middleware::from_fn_with_state(Csrf::new([7; 32], false), guard))
}

async fn send(method: &str, path: &str, headers: &[(&str, &str)], body: &str, tls: bool) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body.to_owned())).unwrap();
    let addr = ([127, 0, 0, 1], 1).into();
    request.extensions_mut().insert(Peer { addr, local: addr, tls });
    router().oneshot(request).await.unwrap()
}

/// A page's cookie (`name=value`) and token.
async fn page(tls: bool) -> (String, String) {
    let response = send("GET", "/", &[], "", tls).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    (cookie, text(response).await)
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_token_is_of_no_use_in_another_session() {
    for tls in [false, true] {
        let (cookie, token) = page(tls).await;
        let session = if tls { "__Host-session" } else { "session" };
        let planted = format!("{cookie}; {session}=somebody-else-s");
        let headers = [("cookie", &*planted), ("content-type", FORM), ("host", "h"), ("origin", "null")];
        let body = format!("code=12345678&csrf={token}");
        assert_eq!(send("POST", "/form", &headers, &body, tls).await.status(), 403);
        let own = text(send("GET", "/", &headers, "", tls).await).await;
        let body = format!("code=12345678&csrf={own}");
        assert_eq!(send("POST", "/form", &headers, &body, tls).await.status(), 200);
    }
}

#[tokio::test]
async fn a_page_s_own_form_is_taken() {
    for tls in [false, true] {
        let (cookie, token) = page(tls).await;
        let headers = [("cookie", &*cookie), ("content-type", FORM), ("host", "h"), ("origin", "null")];
        let response = send("POST", "/form", &headers, &format!("code=12345678&csrf={token}"), tls).await;
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, "12345678");
    }
}

#[tokio::test]
async fn a_form_without_the_page_s_token_is_refused() {
    let (cookie, token) = page(false).await;
    let (other_cookie, other_token) = page(false).await;
    let planted = format!("form={}", "A".repeat(43));
    for (cookie, body) in [
        (&*cookie, "code=1".to_owned()),
        (&*cookie, "code=1&csrf=".to_owned()),
        (&*cookie, format!("code=1&csrf={other_token}")),
        (&*other_cookie, format!("code=1&csrf={token}")),
        (&*planted, format!("code=1&csrf={}", "A".repeat(43))),
        (&*cookie, format!("code=1&csrf={token}&csrf={token}")),
        ("", format!("code=1&csrf={token}")),
    ] {
        let response = send("POST", "/form", &[("cookie", cookie), ("content-type", FORM)], &body, false).await;
        assert_eq!(response.status(), 403, "{cookie} {body}");
        assert!(text(response).await.contains("urn:sparekey:problem:cross-site"));
    }
}

#[tokio::test]
async fn what_the_browser_says_of_the_sender_decides() {
    let json = ("content-type", "application/json");
    let body = r#"{"code":"1"}"#;
    let cookie = ("cookie", "session=x");
    for (headers, tls, allowed) in [
        (vec![json], false, true), // curl
        (vec![json, ("host", "h"), ("origin", "http://h")], false, true),
        (vec![json, ("host", "h:8080"), ("origin", "http://h:8080")], false, true),
        (vec![json, ("host", "h:80"), ("origin", "http://h")], false, true),
        (vec![json, ("host", "h:443"), ("origin", "https://H")], true, true),
        (vec![json, ("host", "h:8080"), ("origin", "http://h:8081")], false, false),
        (vec![json, ("host", "h"), ("origin", "http://h")], true, false),
        (vec![json, ("host", "h"), ("origin", "http://h.evil.example")], false, false),
        (vec![json, ("host", "h"), ("origin", "http://evil.example")], false, false),
        (vec![json, ("origin", "http://h")], false, false),
        (vec![json, ("host", "h"), ("host", "evil.example"), ("origin", "http://h")], false, false),
        (vec![json, ("sec-fetch-site", "same-origin"), ("origin", "null")], false, true),
        (vec![json, ("sec-fetch-site", "none")], false, true),
        (vec![json, ("sec-fetch-site", "same-site")], false, false),
        (vec![json, ("sec-fetch-site", "cross-site"), ("host", "h"), ("origin", "http://h")], false, false),
        (vec![json, ("origin", "null")], false, true), // asked for by a preflight that we never grant
        (vec![json, ("sec-fetch-site", "cross-site"), ("authorization", "Bearer t")], false, true),
        (vec![json, ("sec-fetch-site", "cross-site"), ("authorization", "Bearer t"), cookie], false, false),
        (vec![json, ("sec-fetch-site", "cross-site"), ("authorization", "Basic t")], false, false),
    ] {
        let status = send("POST", "/api", &headers, body, tls).await.status();
        assert_eq!(status == 200, allowed, "{headers:?} tls {tls}: {status}");
    }
}

#[tokio::test]
async fn an_opaque_origin_reaches_nothing_that_is_not_checked_later() {
    for (method, kind) in
        [("DELETE", None), ("POST", Some("text/plain")), ("POST", Some("multipart/form-data; boundary=x"))]
    {
        let mut headers = vec![("origin", "null")];
        headers.extend(kind.map(|kind| ("content-type", kind)));
        assert_eq!(send(method, "/api", &headers, "", false).await.status(), 403, "{method} {kind:?}");
    }
    assert_eq!(send("DELETE", "/api", &[], "", false).await.status(), 200);
}

#[tokio::test]
async fn the_cookie_is_set_once_and_only_by_pages() {
    let response = send("GET", "/", &[], "", true).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-form=") && cookie.ends_with("HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let (cookie, token) = page(false).await;
    let again = send("GET", "/", &[("cookie", &cookie)], "", false).await;
    assert!(!again.headers().contains_key(header::SET_COOKIE));
    assert_eq!(text(again).await, token);
    let api = send("POST", "/api", &[("content-type", "application/json")], r#"{"code":"1"}"#, false).await;
    assert_eq!(api.headers().get(header::SET_COOKIE), HeaderMap::new().get(header::SET_COOKIE));
}
