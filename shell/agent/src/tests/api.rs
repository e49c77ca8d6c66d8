//! The whole way through the interface, and each refusal by its name.

use axum::body::Body;
use http::{Request, header};
use serde_json::json;

use crate::link::Door;
use crate::testing::*;

#[tokio::test]
async fn from_activation_to_a_new_password() {
    let device = Running::new().await;
    let described = device.get(SCREEN, "/api/v1/device").await.json();
    assert_eq!((&described["serial"], &described["state"]), (&json!(SERIAL), &json!("inactive")));
    assert_eq!(described["methods"][0], json!({ "name": "email", "ready": false, "why": "not-active" }));

    let body = json!({ "username": "admin", "password": PASSWORD, "reserved_emails": [EMAIL] });
    assert_eq!(device.post(SCREEN, "/api/v1/activation", body).await.status, 201);
    let described = device.get(SCREEN, "/api/v1/device").await.json();
    assert_eq!(described["methods"][0], json!({ "name": "email", "ready": true, "why": "unproven" }));

    // The reserved email is confirmed.
    let token = device.log_in(SCREEN, PASSWORD).await.unwrap();
    let bearer = |request: http::request::Builder| request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    let opened = device.json(bearer(Request::post("/api/v1/contacts/1/confirmation")), SCREEN, json!({})).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let (code, email) = Service::new().read(opened.json()["qr_text"].as_str().unwrap());
    assert_eq!(email, EMAIL);
    let proof = || bearer(Request::post("/api/v1/contacts/1/confirmation/proof"));
    let refused = device.json(proof(), SCREEN, json!({ "code": wrong(&code) })).await;
    assert_eq!(refused.problem(403, "wrong-proof")["tries_left"], 4);
    assert_eq!(device.json(proof(), SCREEN, json!({ "code": code })).await.status, 200);
    let described = device.get(SCREEN, "/api/v1/device").await.json();
    let email = &described["methods"][0];
    assert!(
        email["ready"] == true && email.get("why").is_none() && email["last_tested"].as_u64().unwrap() > 0,
        "{email}"
    );

    // Forgotten.
    let answer = device.post(LINK, "/api/v1/recoveries", json!({ "method": "email" })).await.json();
    assert_eq!(
        (&answer["tries_left"], &answer["expires_in"], &answer["method"]),
        (&json!(5), &json!(1800), &json!("email"))
    );
    assert!(answer["request_xml"].as_str().unwrap().contains("urn:sparekey:recovery:1"));
    let id = answer["id"].as_str().unwrap();
    let (code, _) = Service::new().read(answer["qr_text"].as_str().unwrap());
    let shown = device.get(LINK, &format!("/api/v1/recoveries/{id}")).await.json();
    assert_eq!((&shown["qr_text"], &shown["masked_address"]), (&answer["qr_text"], &json!("o••••@e••••.org")));
    let symbol = device.get(LINK, &format!("/api/v1/recoveries/{id}/qr.svg")).await;
    assert!(symbol.headers["content-type"] == "image/svg+xml" && symbol.text.starts_with("<svg"));

    let proven = device.prove(LINK, id, &code).await;
    assert_eq!(proven.status, 200, "{}", proven.text);
    let path = format!("/api/v1/recoveries/{id}/password");
    let ticket = proven.json()["ticket"].clone();
    let weak = device.put(LINK, &path, json!({ "ticket": ticket, "password": "password1" })).await;
    assert_eq!(weak.problem(400, "weak-password")["why"], "guessable");
    let set = device.put(LINK, &path, json!({ "ticket": ticket, "password": NEW_PASSWORD })).await;
    assert_eq!(set.status, 202, "{}", set.text);

    // Every session has ended, before the restart even.
    let ended = device.json(bearer(Request::post("/api/v1/contacts/1/confirmation")), SCREEN, json!({})).await;
    ended.problem(401, "not-logged-in");
    device.done.cancelled().await;
    let device = device.killed_and_started().await;
    device.log_in(SCREEN, PASSWORD).await.unwrap_err().problem(401, "not-logged-in");
    device.log_in(SCREEN, NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let device = Running::new().await;
    let activation = |password: &str, emails: &[&str]| json!({ "username": "admin", "password": password, "reserved_emails": emails });
    for (path, body) in [
        ("/api/v1/sessions", json!({ "username": "admin", "password": PASSWORD })),
        ("/api/v1/recoveries", json!({ "method": "email" })),
    ] {
        let name = device.post(SCREEN, path, body).await.json()["type"].clone();
        assert!(
            name == "urn:sparekey:problem:not-active" || name == "urn:sparekey:problem:method-not-ready",
            "{path} {name}"
        );
    }
    for (password, why) in
        [("short", "too-short"), (SERIAL, "blocked"), ("password1", "guessable"), (&"x".repeat(129), "too-long")]
    {
        let refused = device.post(SCREEN, "/api/v1/activation", activation(password, &[EMAIL])).await;
        assert_eq!(refused.problem(400, "weak-password")["why"], why);
    }
    for emails in [
        &["owner"][..],
        &["a@b", "A@@c"],
        &[EMAIL, EMAIL],
        &[EMAIL, "b@example.org", "c@example.org"],
        &["a b@example.org"],
        &["a@b\r\nBcc:c@d"],
    ] {
        device.post(SCREEN, "/api/v1/activation", activation(PASSWORD, emails)).await.problem(400, "malformed");
    }
    device
        .post(SCREEN, "/api/v1/activation", json!({ "username": "a b", "password": PASSWORD }))
        .await
        .problem(400, "malformed");
    let questions = json!({ "username": "admin", "password": PASSWORD, "questions": [{ "id": 1, "answer": "x" }] });
    device.post(SCREEN, "/api/v1/activation", questions).await.problem(400, "malformed");
    let unknown = json!({ "username": "admin", "password": PASSWORD, "role": "god" });
    assert_eq!(device.post(SCREEN, "/api/v1/activation", unknown).await.problem(400, "malformed")["field"], "role");

    let device = Running::active().await;
    device.post(SCREEN, "/api/v1/activation", activation(PASSWORD, &[EMAIL])).await.problem(409, "already-active");
    device.post(SCREEN, "/api/v1/recoveries", json!({ "method": "magic" })).await.problem(400, "malformed");
    for (method, why) in
        [("keyfile", "not-set-up"), ("sheet", "not-set-up"), ("questions", "not-set-up"), ("seccode", "switched-off")]
    {
        let refused = device.post(SCREEN, "/api/v1/recoveries", json!({ "method": method })).await;
        assert_eq!(refused.problem(409, "method-not-ready")["why"], why);
    }
    let (id, code) = device.forgot(SCREEN).await;
    let proof = format!("/api/v1/recoveries/{id}/proof");
    for body in
        [json!({}), json!({ "code": code, "grant": "x" }), json!({ "code": "1234567" }), json!({ "code": 12345678 })]
    {
        device.post(SCREEN, &proof, body).await.problem(400, "malformed");
    }
    device.post(SCREEN, &proof, json!({ "grant": "<x/>" })).await.problem(400, "malformed");
    let shown = device.get(SCREEN, &format!("/api/v1/recoveries/{id}")).await.json();
    assert_eq!(shown["tries_left"], 5, "what is no code costs no try");
    for unknown in ["0".repeat(32), "x".to_owned(), "1".repeat(33)] {
        device.prove(SCREEN, &unknown, &code).await.problem(409, "expired");
        device.get(SCREEN, &format!("/api/v1/recoveries/{unknown}")).await.problem(409, "expired");
    }
    device.get(SCREEN, "/api/v1/nothing").await.problem(404, "not-found");
    device.get(SCREEN, "/api/v1/activation").await.problem(405, "method-not-allowed");
    device.post(SCREEN, "/api/v1/contacts/1/confirmation", json!({})).await.problem(401, "not-logged-in");
    let plain = Request::post("/api/v1/recoveries").body(Body::from(r#"{"method":"email"}"#)).unwrap();
    device.send(Door::Main, SCREEN, plain).await.problem(400, "malformed");
    let long = json!({ "grant": "x".repeat(100_000) });
    device.post(SCREEN, &proof, long).await.problem(413, "too-large");
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let deep = Request::post(&proof).header(header::CONTENT_TYPE, "application/json").body(Body::from(deep)).unwrap();
    device.send(Door::Main, SCREEN, deep).await.problem(400, "malformed");
}

#[tokio::test]
async fn who_is_not_on_the_link_gets_nothing() {
    let device = Running::active().await;
    let (id, code) = device.forgot(SCREEN).await;
    let opened = device.app.look(|device, _| device.events().len()).await;
    for (method, path, body) in [
        ("POST", "/api/v1/recoveries".to_owned(), json!({ "method": "email" })),
        ("POST", format!("/api/v1/recoveries/{id}/proof"), json!({ "code": code })),
        ("PUT", format!("/api/v1/recoveries/{id}/password"), json!({ "ticket": "x", "password": NEW_PASSWORD })),
        ("GET", format!("/api/v1/recoveries/{id}"), json!({})),
        ("GET", format!("/api/v1/recoveries/{id}/qr.svg"), json!({})),
        ("POST", "/api/v1/activation".to_owned(), json!({ "username": "a", "password": PASSWORD })),
    ] {
        let request = |forwarded: bool| {
            let request = Request::builder().method(method).uri(&path);
            if forwarded { request.header("x-forwarded-for", "127.0.0.1") } else { request }
        };
        for (peer, forwarded) in [(ELSEWHERE, false), (SCREEN, true), (LINK, true)] {
            device.json(request(forwarded), peer, body.clone()).await.problem(403, "not-on-this-link");
        }
    }
    let events = device.app.look(|device, _| device.events().len()).await;
    assert_eq!(events, opened + 1, "it is on record, once a minute");
    // The right password logs in from anywhere.
    device.log_in(ELSEWHERE, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn behind_the_lan_tools_door_there_is_the_interface_alone() {
    let device = Running::active().await;
    let at = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(device.send(Door::Link, ELSEWHERE, at("/api/v1/device")).await.status, 200);
    device.send(Door::Link, SCREEN, at("/login")).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_session_is_a_cookie_or_a_bearer_token_and_ends() {
    let device = Running::active().await;
    for (peer, name) in [(SCREEN, "session="), (LINK, "__Host-session=")] {
        let answer = device.post(peer, "/api/v1/sessions", json!({ "username": "ADMIN", "password": PASSWORD })).await;
        let set = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(set.contains(attribute), "{set}");
        }
        assert_eq!(set.contains("Secure"), peer == LINK);
        let cookie = answer.cookie(name).unwrap();
        let end = || Request::delete("/api/v1/sessions/current").header(header::COOKIE, &cookie);
        let cross_site = end().header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
        device.send(Door::Main, peer, cross_site).await.problem(403, "cross-site");
        assert_eq!(device.send(Door::Main, peer, end().body(Body::empty()).unwrap()).await.status, 204);
        device.send(Door::Main, peer, end().body(Body::empty()).unwrap()).await.problem(401, "not-logged-in");
    }
}

#[tokio::test]
async fn another_name_for_this_address_is_refused() {
    let device = Running::active().await;
    let request = Request::get("/api/v1/device").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    device.send(Door::Main, SCREEN, request).await.problem(421, "wrong-host");
}
