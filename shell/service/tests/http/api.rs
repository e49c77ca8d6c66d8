//! `/v1` and the calls for operations, name by name (protocol section 12).

use std::sync::Arc;

use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{Method, Request};
use serde_json::{Value, json};
use sparekey_protocol::request::Ask;
use sparekey_protocol::{BaseUrl, MakerId, OpeningKey, ReservedEmail, Serial, SigningKey, digits, qr};

use crate::stand::{Hands, Options, SERIAL, Stand, URL, json_post};

fn keys(json: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_request_is_taken_mailed_and_shown() {
    let stand = Stand::new().await;
    let answer = stand.submit(&stand.request(1)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let json = answer.json();
    assert_eq!(keys(&json), ["expires_at", "id", "mail", "masked_address", "model", "purpose", "serial"]);
    assert_eq!(json["purpose"], 1);
    assert_eq!(json["serial"], SERIAL);
    assert_eq!(json["model"], "SK-NVR-16");
    assert_eq!(json["masked_address"], "o••••@e••••.org");
    assert_eq!(json["mail"], "queued");
    assert_eq!(json["id"].as_str().unwrap().len(), 24);

    let later = stand.settled(json["id"].as_str().unwrap()).await;
    let mut expected = json;
    expected["mail"] = "sent".into();
    assert_eq!(later, expected);
    let mails = stand.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("8312"), "the code is in the mail");
}

#[tokio::test]
async fn every_form_of_a_request_is_the_same_request() {
    let stand = Stand::new().await;
    let request = stand.request(1);
    let link = qr::text(&BaseUrl::new(URL).unwrap(), &request);
    let mut ids = Vec::new();
    for form in [digits::encode(&request), link, BASE64_URL_SAFE_NO_PAD.encode(&request)] {
        let answer = stand.post_json(&json!({ "request": form, "again": false })).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        ids.push(answer.json()["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
    stand.settled(ids[0].as_str().unwrap()).await;
    assert_eq!(stand.mails().len(), 1, "the same bytes again send nothing");
}

#[tokio::test]
async fn the_other_purposes() {
    let stand = Stand::new().await;
    let address = ReservedEmail::new("owner@example.org").unwrap();
    let confirm = stand.submit(&stand.asking(1, Ask::ConfirmEmail(address))).await.json();
    assert_eq!((&confirm["purpose"], &confirm["mail"]), (&json!(3), &json!("queued")));
    let desk = stand.submit(&stand.asking(2, Ask::ResetByDesk)).await.json();
    assert_eq!(keys(&desk), ["expires_at", "id", "model", "purpose", "serial"]);
    assert_eq!(desk["purpose"], 2);
}

#[tokio::test]
async fn each_refusal_has_its_own_name() {
    let mut stand = Stand::new().await;
    let good = stand.request(1);
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;

    let elsewhere = {
        let opening = std::mem::replace(&mut stand.opening, OpeningKey::from_bytes(&[7; 32]).public());
        let request = stand.request(1);
        stand.opening = opening;
        request
    };
    let unknown_maker = {
        let maker = std::mem::replace(&mut stand.maker, SigningKey::from_seed(&[9; 32]));
        let request = stand.request(1);
        stand.maker = maker;
        request
    };
    let forged_certificate = {
        let mut certificate = stand.certificate();
        *certificate.last_mut().unwrap() ^= 1;
        stand.request_with(&certificate)
    };
    for (bytes, name, status) in [
        (vec![0; 2049], "too-large", 413),
        (vec![0; 401], "malformed", 400),
        (unknown_maker, "unknown-maker", 400),
        (forged_certificate, "bad-certificate", 400),
        (altered, "bad-signature", 400),
        (elsewhere, "unknown-key", 400),
    ] {
        let answer = stand.submit(&bytes).await;
        assert_eq!((answer.problem().as_str(), answer.status.as_u16()), (name, status));
        assert_eq!(keys(&answer.json()), ["detail", "status", "title", "type"], "refusals look alike");
    }
    stand.service.withdraw(MakerId::of(&stand.maker.public().to_bytes()), &Serial::new(SERIAL).unwrap()).await.unwrap();
    let withdrawn = stand.submit(&good).await;
    assert_eq!((withdrawn.problem().as_str(), withdrawn.status.as_u16()), ("withdrawn", 400));
    assert!(stand.mails().is_empty());
}

#[tokio::test]
async fn what_is_no_request_is_malformed() {
    let stand = Stand::new().await;
    for (body, field) in [
        (json!({}), Some("request")),
        (json!({ "request": 7 }), Some("request")),
        (json!({ "request": "1", "again": "yes" }), Some("again")),
        (json!({ "request": "1", "again": null }), Some("again")),
        (json!({ "request": "1", "email": "thief@example.org" }), Some("email")),
        (json!({ "request": ["1"] }), Some("request")),
        (json!([]), None),
        (json!({ "request": "" }), None),
        (json!({ "request": "hello" }), None),
        (json!({ "request": "123" }), None),
    ] {
        let answer = stand.post_json(&body).await;
        assert_eq!((answer.problem().as_str(), answer.status.as_u16()), ("malformed", 400), "{body}");
        assert_eq!(answer.json().get("field").and_then(Value::as_str), field, "{body}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let body = Body::from(json!({ "request": "1" }).to_string());
        let answer = stand.call(Request::post("/v1/requests").header("content-type", kind).body(body).unwrap()).await;
        assert_eq!(answer.problem(), "malformed", "{kind}");
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let stand = Stand::new().await;
    let answer = stand.post_json(&json!({ "request": "9".repeat(20_000) })).await;
    assert_eq!((answer.problem().as_str(), answer.status.as_u16()), ("too-large", 413));
    let longest = stand.post_json(&json!({ "request": digits::encode(&[0; 2048]) })).await;
    assert_eq!(longest.problem(), "malformed", "the longest request fits");
}

#[tokio::test]
async fn again_is_after_a_minute_and_twice_at_most() {
    let clock = Arc::new(Hands::default());
    let stand = Stand::with(Options { clock: Some(clock.clone()), ..Options::default() }).await;
    let request = digits::encode(&stand.request(1));
    let first = stand.post_json(&json!({ "request": request })).await.json();
    let id = first["id"].as_str().unwrap();
    stand.settled(id).await;
    for mails in 1..=2 {
        let soon = stand.post_json(&json!({ "request": request, "again": true })).await;
        assert_eq!((soon.problem().as_str(), soon.status.as_u16()), ("too-many", 429));
        let wait = soon.json()["retry_after"].as_u64().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert_eq!(stand.mails().len(), mails);

        clock.on(wait);
        let taken = stand.post_json(&json!({ "request": request, "again": true })).await;
        assert_eq!((taken.status.as_u16(), taken.json()["id"].as_str()), (202, Some(id)));
        stand.settled(id).await;
        assert_eq!(stand.mails().len(), mails + 1);
    }
    clock.on(61);
    let third = stand.post_json(&json!({ "request": request, "again": true })).await;
    assert_eq!(third.problem(), "too-many");
    assert_eq!(stand.mails().len(), 3);
}

#[tokio::test]
async fn nothing_tells_an_unknown_id_from_a_malformed_one() {
    let stand = Stand::new().await;
    let unknown = stand.get("/v1/requests/AAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!((unknown.problem().as_str(), unknown.status.as_u16()), ("not-found", 404));
    let long = "A".repeat(500);
    for id in
        ["A", "AAAAAAAAAAAAAAAAAAAAAAA%00", "%2e%2e%2f", "%ff", "'%20OR%201=1--", "AAAAAAAAAAAAAAAAAAAAAAA.", &long]
    {
        let malformed = stand.get(&format!("/v1/requests/{id}")).await;
        assert_eq!(malformed.status, unknown.status, "{id}");
        assert_eq!(malformed.body, unknown.body, "{id}");
        assert_eq!(malformed.headers, unknown.headers, "{id}");
    }
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems_too() {
    let stand = Stand::new().await;
    for (method, path, name, status) in [
        (Method::GET, "/v2/requests", "not-found", 404),
        (Method::GET, "/v1/requests/", "not-found", 404),
        (Method::POST, "/nowhere", "not-found", 404),
        (Method::GET, "/v1/requests", "method-not-allowed", 405),
        (Method::DELETE, "/v1/requests", "method-not-allowed", 405),
        (Method::PUT, "/", "method-not-allowed", 405),
        (Method::POST, "/healthz", "method-not-allowed", 405),
        (Method::OPTIONS, "/v1/requests", "method-not-allowed", 405),
    ] {
        let answer = stand.call(Request::builder().method(&method).uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.problem().as_str(), answer.status.as_u16()), (name, status), "{method} {path}");
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{method} {path}");
    }
}

#[tokio::test]
async fn operations_answer() {
    let stand = Stand::new().await;
    assert_eq!(stand.get("/healthz").await.text(), "ok\n");
    assert_eq!(stand.get("/readyz").await.text(), "ok\n");
    let document = stand.get("/openapi.json").await.json();
    let mut paths = keys(&document["paths"]);
    paths.retain(|path| !path.starts_with("/v1/cases"));
    assert_eq!(
        paths,
        [
            "/healthz",
            "/log/checkpoint",
            "/metrics",
            "/openapi.json",
            "/readyz",
            "/v1/enrolments",
            "/v1/receipts",
            "/v1/requests",
            "/v1/requests/photo",
            "/v1/requests/{id}"
        ]
    );
    let problems = document["paths"]["/v1/requests"]["post"]["responses"].as_object().unwrap();
    for status in ["202", "400", "403", "413", "429", "503"] {
        assert!(problems.contains_key(status), "{status}");
    }
}

#[tokio::test]
async fn parallel_submission_of_one_request_is_one_request() {
    let stand = Arc::new(Stand::new().await);
    let body = json!({ "request": digits::encode(&stand.request(1)) });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (stand, body) = (stand.clone(), body.clone());
        calls.spawn(async move { stand.call(json_post(&body)).await });
    }
    let answers = calls.join_all().await;
    let id = answers[0].json()["id"].clone();
    assert!(answers.iter().all(|answer| answer.status == 202 && answer.json()["id"] == id));
    stand.settled(id.as_str().unwrap()).await;
    assert_eq!(stand.mails().len(), 1);
}
