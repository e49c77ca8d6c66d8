//! The ends of an ownership: handed over by its owner, or reset by who stands before the device.

use std::fs;

use axum::body::Body;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::{Request, header};
use serde_json::{Value, json};
use sparekey_protocol::transfer::Statement;
use sparekey_protocol::{Certificate, Verified};

use super::pages::Browser;
use crate::link::Door;
use crate::testing::*;

fn bearer(token: &str, path: &str) -> http::request::Builder {
    Request::post(path).header(header::AUTHORIZATION, format!("Bearer {token}"))
}

async fn described(device: &Running) -> Value {
    device.get(LINK, "/api/v1/device").await.json()
}

async fn certificate(device: &Running) -> Verified<Certificate> {
    let bytes = described(device).await["certificate"].as_str().unwrap().to_owned();
    Certificate::verify(&BASE64_URL_SAFE_NO_PAD.decode(bytes).unwrap(), &maker().public()).unwrap()
}

/// A recording, and where it is.
fn record(device: &Running) -> std::path::PathBuf {
    let file = device.dir.path().join("recordings/camera-1.mp4");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "moving").unwrap();
    file
}

/// The device after the restart that such an end brings.
async fn started_again(device: Running) -> Running {
    device.done.cancelled().await;
    device.killed_and_started().await
}

fn activation(code: Option<&str>) -> Value {
    let mut body = json!({ "username": "mira", "password": NEW_PASSWORD });
    if let Some(code) = code {
        body["transfer_code"] = code.into();
    }
    body
}

#[tokio::test]
async fn handed_over_by_the_interface_it_waits_for_who_has_the_code() {
    let device = Running::active().await;
    let recording = record(&device);
    let asked = |password: &str, recordings: &str| json!({ "password": password, "recordings": recordings });
    device.post(SCREEN, "/api/v1/transfer", asked(PASSWORD, "keep")).await.problem(401, "not-logged-in");
    let token = device.log_in(SCREEN, PASSWORD).await.unwrap();
    let call = || bearer(&token, "/api/v1/transfer");
    device.json(call(), SCREEN, asked("not it at all", "keep")).await.problem(403, "wrong-proof");
    for unsaid in [asked(PASSWORD, ""), asked(PASSWORD, "some"), json!({ "password": PASSWORD })] {
        let refused = device.json(call(), SCREEN, unsaid).await.problem(400, "malformed");
        assert_eq!(refused["field"], "recordings");
    }
    assert_eq!(described(&device).await["awaits_transfer"], false);
    let transferred = device.json(call(), SCREEN, asked(PASSWORD, "keep")).await;
    assert_eq!(transferred.status, 200, "{}", transferred.text);
    let code = transferred.json()["transfer_code"].as_str().unwrap().to_owned();
    let statement = BASE64_URL_SAFE_NO_PAD.decode(transferred.json()["statement"].as_str().unwrap()).unwrap();
    let statement = Statement::verify(&statement, &certificate(&device).await).unwrap();
    assert!(statement.recordings_kept && recording.exists());

    let device = started_again(device).await;
    let now = described(&device).await;
    assert_eq!((&now["state"], &now["awaits_transfer"]), (&json!("inactive"), &json!(true)));
    assert!(recording.exists(), "they were to be kept");
    device.log_in(SCREEN, PASSWORD).await.unwrap_err().problem(409, "not-active");

    // Nobody without the code; what is none costs no try.
    for none in [activation(None), activation(Some("")), activation(Some("00000-00001-00002-00004"))] {
        let refused = device.post(LINK, "/api/v1/activation", none).await.problem(400, "malformed");
        assert_eq!(refused["field"], "transfer_code");
    }
    let mut weak = activation(Some("00000-00001-00002-00003"));
    weak["password"] = "password1".into();
    device.post(LINK, "/api/v1/activation", weak).await.problem(400, "weak-password");
    let wrong = activation(Some("00000-00001-00002-00003"));
    for left in (0..5).rev() {
        let refused = device.post(LINK, "/api/v1/activation", wrong.clone()).await.problem(403, "wrong-proof");
        assert_eq!((&refused["tries_left"], &refused["field"]), (&json!(left), &json!("transfer_code")));
    }
    let waits = device.post(LINK, "/api/v1/activation", activation(Some(&code))).await;
    assert!(waits.problem(429, "too-many-tries")["retry_after"].as_u64().unwrap() > 0, "the right one waits as well");
    let typed = code.to_lowercase().replace('-', " ");
    assert_eq!(device.post(SCREEN, "/api/v1/activation", activation(Some(&typed))).await.status, 201);
    assert_eq!(described(&device).await["awaits_transfer"], false);
    let shown = device.app.look(|device, _| device.events().iter().map(|event| event.kind.name()).collect::<Vec<_>>());
    let shown = shown.await;
    assert!(shown.contains(&"transferred") && shown.contains(&"transfer-refused"), "{shown:?}");
}

#[tokio::test]
async fn handed_over_on_the_screen_code_and_statement_are_shown_once() {
    let device = Running::active().await;
    let recording = record(&device);
    let mut screen = Browser::new(&device, SCREEN);
    assert_eq!(screen.get("/transfer").await.headers[header::LOCATION], "/login");
    screen.get("/login").await;
    screen.goes_to("/login", &[("username", "admin"), ("password", PASSWORD)]).await;
    assert!(screen.get("/security").await.text.contains("/transfer"));
    let form = screen.get("/transfer").await.text;
    assert!(form.contains("cannot be undone") && !form.contains("checked"), "nothing is chosen beforehand");
    let unsaid = screen.post("/transfer", &[("password", PASSWORD)]).await;
    assert!(unsaid.status == 400 && unsaid.text.contains("kept or erased"));
    let wrong = screen.post("/transfer", &[("password", "not it at all"), ("recordings", "erase")]).await;
    assert!(wrong.status == 403 && wrong.text.contains(r#"value="erase" required checked"#), "{}", wrong.text);
    let page = screen.post("/transfer", &[("password", PASSWORD), ("recordings", "erase")]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let between = |from: &str, to: char| page.text.split_once(from).unwrap().1.split(to).next().unwrap().to_owned();
    let (code, statement) =
        (between(r#"<code id="transfer-code">"#, '<'), between("data:application/cose;base64,", '"'));
    let statement = BASE64_STANDARD.decode(statement.replace("&#61;", "=").replace("&#x3d;", "=")).unwrap();
    assert!(!Statement::verify(&statement, &certificate(&device).await).unwrap().recordings_kept);
    assert_eq!(page.cookie("session=").unwrap(), "session=");

    let device = started_again(device).await;
    assert!(!recording.exists(), "erased before anything else");
    let mut next = Browser::new(&device, LINK);
    assert!(next.get("/activate").await.text.contains("Transfer code"));
    let fields = |code: &str| {
        let (password, code) = (NEW_PASSWORD.to_owned(), code.to_owned());
        [
            ("username", "mira".to_owned()),
            ("password", password.clone()),
            ("password_again", password),
            ("transfer_code", code),
        ]
    };
    let owned = fields("00000-00001-00002-00003");
    let owned: Vec<_> = owned.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = next.post("/activate", &owned).await;
    assert!(refused.status == 403 && refused.text.contains("not this device&#39;s transfer code"), "{}", refused.text);
    let owned = fields(&code);
    let owned: Vec<_> = owned.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(next.goes_to("/activate", &owned).await, "/ready");
    let events = device.app.look(|device, _| device.events().iter().map(|event| event.kind.name()).collect::<Vec<_>>());
    assert!(events.await.contains(&"recordings-erased"));
}

#[tokio::test]
async fn a_factory_reset_takes_a_hand_the_screen_and_two_answers() {
    let device = Running::active().await;
    let recording = record(&device);
    let mut screen = Browser::new(&device, SCREEN);
    assert!(screen.get("/login").await.text.contains("/reset"));
    let page = screen.get("/reset").await;
    assert!(page.text.contains("hold its button for 10 seconds") && !page.text.contains("Reset this device"));
    assert_eq!(screen.get("/reset/hand").await.status, 204);
    let all = [("recordings", "erase"), ("word", "RESET")];
    assert_eq!(screen.post("/reset", &all).await.status, 409, "without a hand");

    device.app.hand.shown();
    assert_eq!(screen.get("/reset/hand").await.status, 205);
    for peer in [LINK, ELSEWHERE] {
        let mut other = Browser::new(&device, peer);
        let page = other.get("/reset").await;
        assert!(page.text.contains("own screen") && !page.text.contains("Reset this device"), "{peer}");
        assert_eq!(other.post("/reset", &all).await.status, 403, "{peer}");
        assert_eq!(other.get("/reset/hand").await.status, 204, "who stands there is nobody else's to know");
    }
    let page = screen.get("/reset").await;
    assert!(page.text.contains("Reset this device") && !page.text.contains("checked"), "nothing is chosen beforehand");
    for (fields, words) in [
        ([("recordings", ""), ("word", "RESET")], "kept or erased"),
        ([("recordings", "erase"), ("word", "reset")], "The word is missing."),
        ([("recordings", "erase"), ("word", "")], "The word is missing."),
    ] {
        let refused = screen.post("/reset", &fields).await;
        assert!(refused.status == 400 && refused.text.contains(words), "{fields:?}");
    }
    assert!(device.app.hand.seconds_left().is_some(), "nothing but the act uses up the hand");
    device.log_in(SCREEN, PASSWORD).await.unwrap();
    let done = screen.post("/reset", &all).await;
    assert!(done.status == 202 && done.text.contains("The device is reset"), "{}", done.text);
    assert_eq!(screen.post("/reset", &all).await.status, 409, "one hand, one act");

    let device = started_again(device).await;
    assert!(!recording.exists());
    let now = described(&device).await;
    assert_eq!((&now["state"], &now["awaits_transfer"]), (&json!("inactive"), &json!(false)));
    assert_eq!(device.post(SCREEN, "/api/v1/activation", activation(None)).await.status, 201);
    let events = device.app.look(|device, _| device.events().iter().map(|event| event.kind.name()).collect::<Vec<_>>());
    let events = events.await;
    assert!(events.contains(&"factory-reset") && events.contains(&"recordings-erased"), "{events:?}");
}

#[tokio::test]
async fn a_hand_ends_a_transfer_whose_code_is_lost_and_keeps_recordings_if_told_so() {
    let device = Running::active().await;
    let recording = record(&device);
    let token = device.log_in(SCREEN, PASSWORD).await.unwrap();
    let body = json!({ "password": PASSWORD, "recordings": "keep" });
    assert_eq!(device.json(bearer(&token, "/api/v1/transfer"), SCREEN, body).await.status, 200);
    let device = started_again(device).await;
    device.app.hand.shown();
    let mut screen = Browser::new(&device, SCREEN);
    let page = screen.get("/reset").await.text;
    assert!(page.contains("a transfer code is void") && !page.contains("Open them again"));
    assert_eq!(screen.post("/reset", &[("recordings", "keep"), ("word", "RESET")]).await.status, 202);
    let device = started_again(device).await;
    assert!(recording.exists());
    assert_eq!(device.post(LINK, "/api/v1/activation", activation(None)).await.status, 201);
}

#[tokio::test]
async fn a_new_owner_writes_through_no_mail_server_of_the_former_one_s() {
    let device = Running::active().await;
    let token = device.log_in(SCREEN, PASSWORD).await.unwrap();
    let server = json!({ "host": "127.0.0.1", "port": 1, "encryption": "none", "from": "r@owners.example.org" });
    let set = Request::put("/api/v1/mail-server").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let kept = device.json(set, SCREEN, json!({ "password": PASSWORD, "server": server })).await;
    assert_eq!((kept.status.as_u16(), &kept.json()["tried_out"]), (200, &json!("not-taken")));
    let body = json!({ "password": PASSWORD, "recordings": "keep" });
    let code = device.json(bearer(&token, "/api/v1/transfer"), SCREEN, body).await.json()["transfer_code"].clone();
    let device = started_again(device).await;
    let file = device.dir.path().join("mail-1.toml");
    let wrong = activation(Some("00000-00001-00002-00003"));
    device.post(LINK, "/api/v1/activation", wrong).await.problem(403, "wrong-proof");
    assert!(file.exists(), "the former contacts are to be told");
    assert_eq!(device.post(LINK, "/api/v1/activation", activation(code.as_str())).await.status, 201);
    // What happened in the former owner's time is told by the former owner's server alone; the new one neither sees nor uses it.
    let body = json!({ "username": "mira", "password": NEW_PASSWORD });
    let session = device.post(SCREEN, "/api/v1/sessions", body).await;
    let token = session.json()["token"].as_str().unwrap().to_owned();
    let listed = Request::get("/api/v1/notices").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let notices = device.send(Door::Main, SCREEN, listed.body(Body::empty()).unwrap()).await.json();
    assert_eq!(notices["mail_server"], json!(null));
    let own = json!({ "host": "127.0.0.1", "port": 2, "encryption": "none", "from": "x@owners.example.org" });
    let set = Request::put("/api/v1/mail-server").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let kept = device.json(set, SCREEN, json!({ "password": NEW_PASSWORD, "server": own })).await;
    assert_eq!(kept.status, 200);
    let untold = device.app.look(|device, _| device.notices()).await;
    assert!(file.exists() && untold[0].server == Some(1), "{untold:?}");
    // A path on the device is not for the network to name.
    let own = json!({ "host": "127.0.0.1", "port": 2, "encryption": "none", "from": "x@owners.example.org", "ca": "/dev/zero" });
    let set = Request::put("/api/v1/mail-server").header(header::AUTHORIZATION, format!("Bearer {token}"));
    device.json(set, SCREEN, json!({ "password": NEW_PASSWORD, "server": own })).await.problem(400, "malformed");
}

#[tokio::test]
async fn a_hand_opens_what_wrong_answers_closed_and_lets_nobody_in() {
    let device = Running::active().await;
    device.app.hand.shown();
    let mut screen = Browser::new(&device, SCREEN);
    screen.get("/reset").await;
    assert_eq!(screen.goes_to("/reset", &[("open", "yes")]).await, "/reset?opened");
    assert!(screen.get("/reset?opened").await.text.contains("is open again"));
    assert_eq!(screen.post("/reset", &[("open", "yes")]).await.status, 409, "one hand, one act");
    assert_eq!(screen.get("/home").await.headers[header::LOCATION], "/login");
    let last = device.app.look(|device, _| device.events().last().map(|event| event.kind.name())).await;
    assert_eq!(last, Some("stops-lifted"));
    device.log_in(SCREEN, PASSWORD).await.unwrap();
}
