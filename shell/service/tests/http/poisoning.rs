//! Checklist class 1: nothing that a caller says about our name gets into a mail, a page or a redirect.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use serde_json::json;
use sparekey_protocol::digits;

use crate::stand::{Hands, Options, Stand};

const EVIL: &str = "evil.example";

/// Each way to claim another name: the URI, and headers.
const CLAIMS: &[(&str, &[(&str, &str)])] = &[
    ("", &[]),
    ("", &[("host", EVIL)]),
    ("", &[("host", "recover.example.org"), ("host", EVIL)]),
    ("", &[("host", "recover.example.org:8443@evil.example")]),
    ("", &[("host", "evil.example:443")]),
    ("", &[("x-forwarded-host", EVIL)]),
    ("", &[("x-forwarded-host", EVIL), ("x-forwarded-proto", "http"), ("x-forwarded-port", "81")]),
    ("", &[("x-forwarded-server", EVIL), ("x-original-host", EVIL), ("x-host", EVIL), ("x-http-host-override", EVIL)]),
    ("", &[("forwarded", "for=1.2.3.4;host=evil.example;proto=http")]),
    (
        "",
        &[
            ("x-forwarded-prefix", "//evil.example"),
            ("x-original-url", "//evil.example/"),
            ("x-rewrite-url", "/evil.example"),
        ],
    ),
    ("", &[("referer", "https://evil.example/")]),
    ("", &[("via", "1.1 evil.example"), ("x-forwarded-for", "1.2.3.4")]),
    ("https://evil.example", &[]),
    ("http://evil.example:81", &[("host", "recover.example.org")]),
];

fn claim(mut request: Request<Body>, claim: &(&str, &[(&str, &str)])) -> Request<Body> {
    let path = request.uri().path().to_owned();
    *request.uri_mut() = format!("{}{path}", claim.0).parse().unwrap();
    for (name, value) in claim.1 {
        request.headers_mut().append(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
    }
    request
}

/// A mail without what differs by nature: its id, its date, and the random boundary between its parts.
fn constant_part(mail: &str) -> String {
    let boundary = mail.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let lines = mail.lines().filter(|line| !line.starts_with("Message-ID:") && !line.starts_with("Date:"));
    lines.collect::<Vec<_>>().join("\n").replace(&boundary, "BOUNDARY")
}

#[tokio::test]
async fn the_mail_is_the_same_whatever_the_headers() {
    let mut first = None;
    for one in CLAIMS {
        // All at one time, which stands in the mail.
        let stand = Stand::with(Options { clock: Some(Arc::new(Hands::default())), ..Options::default() }).await;
        let body = json!({ "request": digits::encode(&stand.request(1)) }).to_string();
        let request =
            Request::post("/v1/requests").header("content-type", "application/json").body(Body::from(body)).unwrap();
        let answer = stand.call(claim(request, one)).await;
        assert_eq!(answer.status, 202, "{one:?}");
        stand.settled(answer.json()["id"].as_str().unwrap()).await;

        let mails = stand.mails();
        assert_eq!(mails.len(), 1);
        assert!(!mails[0].contains("evil"), "{one:?}");
        let mail = constant_part(&mails[0]);
        assert_eq!(first.get_or_insert_with(|| mail.clone()), &mail, "{one:?}");
    }
}

#[tokio::test]
async fn no_page_and_no_redirect_repeats_a_claimed_name() {
    let stand = Stand::new().await;
    for one in CLAIMS {
        for path in
            ["/", "/r", "/reset", "/offline", "/manifest.webmanifest", "/nowhere", "/openapi.json", "/reset/photo"]
        {
            let request = Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap();
            let answer = stand.call(claim(request, one)).await;
            assert!(!answer.text().contains("evil"), "{path} {one:?}");
            assert!(!format!("{:?}", answer.headers).contains("evil"), "{path} {one:?}");
        }
    }
}
