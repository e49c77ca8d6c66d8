//! The ways back in that need no mail: by the interface and by the pages.

use http::{Request, header};
use serde_json::{Value, json};

use super::pages::Browser;
use crate::testing::*;

/// A browser of the device's owner.
async fn owner(device: &Running) -> Browser<'_> {
    let mut browser = Browser::new(device, SCREEN);
    browser.get("/login").await;
    browser.goes_to("/login", &[("username", "admin"), ("password", PASSWORD)]).await;
    browser
}

fn bearer(token: &str, path: &str) -> http::request::Builder {
    Request::post(path).header(header::AUTHORIZATION, format!("Bearer {token}"))
}

async fn key_file(device: &Running) -> String {
    let token = device.log_in(SCREEN, PASSWORD).await.unwrap();
    let answer = device.json(bearer(&token, "/api/v1/key-file"), SCREEN, json!({ "password": PASSWORD })).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-type"]), (200, &"application/xml".parse().unwrap()));
    answer.text
}

async fn open(device: &Running, method: &str) -> Value {
    let answer = device.post(LINK, "/api/v1/recoveries", json!({ "method": method })).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

async fn prove(device: &Running, opened: &Value, proof: Value) -> Answer {
    device.post(LINK, &format!("/api/v1/recoveries/{}/proof", opened["id"].as_str().unwrap()), proof).await
}

/// Sets the new password with the ticket of a proof.
async fn ends_in_a_new_password(device: Running, opened: &Value, proven: Answer) -> Running {
    assert_eq!(proven.status, 200, "{}", proven.text);
    let body = json!({ "ticket": proven.json()["ticket"], "password": NEW_PASSWORD });
    let path = format!("/api/v1/recoveries/{}/password", opened["id"].as_str().unwrap());
    assert_eq!(device.put(LINK, &path, body).await.status, 202);
    let device = device.killed_and_started().await;
    device.log_in(SCREEN, NEW_PASSWORD).await.unwrap();
    device
}

async fn method(device: &Running, name: &str) -> Value {
    let shown = device.get(LINK, "/api/v1/device").await.json();
    shown["methods"].as_array().unwrap().iter().find(|method| method["name"] == name).unwrap().clone()
}

/// Grants of other devices, in one file.
fn batch_of_others() -> String {
    use sparekey_protocol::files::{self, Document, Entry, GrantFile};
    let grant = |n: u8| {
        let (serial, case, not_after, payload) = (n.to_string(), "1".to_owned(), String::new(), vec![n; 40]);
        Entry::Grant(GrantFile { serial, case, not_after, payload })
    };
    files::write(&Document::Batch((1..=3).map(grant).collect())).unwrap().to_string()
}

/// Codes in the page of a new sheet.
fn codes(page: &str) -> Vec<String> {
    page.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn by_key_file_through_the_interface() {
    let device = Running::active().await;
    assert_eq!(method(&device, "keyfile").await["why"], "not-set-up");
    device.post(SCREEN, "/api/v1/key-file", json!({ "password": PASSWORD })).await.problem(401, "not-logged-in");
    let token = device.log_in(SCREEN, PASSWORD).await.unwrap();
    let wrong = device.json(bearer(&token, "/api/v1/key-file"), SCREEN, json!({ "password": "x" })).await;
    wrong.problem(403, "wrong-proof");

    let old = key_file(&device).await;
    let file = key_file(&device).await;
    assert_eq!(method(&device, "keyfile").await["why"], "unproven");
    let opened = open(&device, "keyfile").await;
    assert_eq!(opened["tries_left"], 7);
    for bad in ["", "<KeyFile/>", &"<".repeat(70_000)] {
        prove(&device, &opened, json!({ "key_file": bad })).await.problem(400, "malformed");
    }
    prove(&device, &opened, json!({ "code": "12345678" })).await.problem(400, "malformed");
    let refused = prove(&device, &opened, json!({ "key_file": old })).await;
    assert_eq!(refused.problem(403, "wrong-proof")["tries_left"], 6, "only the void one cost a try");
    let proven = prove(&device, &opened, json!({ "key_file": file })).await;
    assert!(method(&device, "keyfile").await["last_tested"].as_u64().unwrap() > 0);
    let device = ends_in_a_new_password(device, &opened, proven).await;
    assert_eq!(method(&device, "keyfile").await["why"], "void-after-use");
}

#[tokio::test]
async fn by_three_answers_through_the_interface() {
    let device = Running::new().await;
    let questions = |third: &str| json!([{ "id": 4, "answer": "Nina" }, { "id": 9, "answer": "Lyon" }, { "id": 20, "answer": third }]);
    let activation = |third| json!({ "username": "admin", "password": PASSWORD, "questions": questions(third) });
    let refused = device.post(SCREEN, "/api/v1/activation", activation("nina")).await;
    assert_eq!(refused.problem(400, "malformed")["field"], "answers");
    assert_eq!(device.post(SCREEN, "/api/v1/activation", activation("Momo")).await.status, 201);

    let german = Request::post("/api/v1/recoveries").header(header::ACCEPT_LANGUAGE, "de");
    let opened = device.json(german, LINK, json!({ "method": "questions" })).await.json();
    assert_eq!(opened["questions"][1]["id"], 9);
    assert_eq!(opened["questions"][1]["text"], "In welchem Ort war Ihre erste Arbeitsstelle?");
    let wrong = prove(&device, &opened, json!({ "answers": questions("Emil") })).await.problem(403, "wrong-proof");
    assert_eq!(wrong["tries_left"], 4);
    let proven = prove(&device, &opened, json!({ "answers": questions(" MOMO ") })).await;
    ends_in_a_new_password(device, &opened, proven).await;
}

#[tokio::test]
async fn by_recovery_sheet() {
    let device = Running::active().await;
    let mut browser = owner(&device).await;
    browser.get("/sheet").await;
    let refused = browser.post("/sheet", &[("password", "wrong")]).await;
    assert!(refused.status == 403 && codes(&refused.text).is_empty());
    let sheet = browser.post("/sheet", &[("password", PASSWORD)]).await;
    let all = codes(&sheet.text);
    assert_eq!(all.len(), 8);
    assert!(sheet.text.contains(SERIAL) && sheet.text.matches("<svg").count() >= 8);
    let again = browser.get("/sheet").await;
    assert!(all.iter().all(|code| !again.text.contains(code)), "shown once");
    assert_eq!(browser.goes_to("/sheet", &[("password", PASSWORD), ("void", "2")]).await, "/sheet");
    assert!(browser.get("/sheet").await.text.contains("<strong>7 of 8</strong>"));

    let mut stranger = Browser::new(&device, SCREEN);
    assert!(stranger.get("/forgot").await.text.contains(r#"value="sheet""#));
    let page = stranger.goes_to("/forgot", &[("way", "sheet")]).await;
    assert!(stranger.get(&page).await.text.contains("5 tries left"));
    let mistyped = all[0].replace(&all[0][..1], if all[0].starts_with('A') { "B" } else { "A" });
    let refused = stranger.post(&page, &[("sheet_code", &mistyped)]).await;
    assert!(refused.status == 400 && refused.text.contains("Compare the first group"), "{}", refused.text);
    assert!(refused.text.contains("5 tries left"), "a slip costs no try");
    let refused = stranger.post(&page, &[("sheet_code", &all[1])]).await;
    assert!(refused.status == 403 && refused.text.contains("4 tries left"), "void: {}", refused.text);
    let next = stranger.goes_to(&page, &[("sheet_code", &all[0].to_lowercase().replace('-', " "))]).await;
    stranger.get(&next).await;
    let set = stranger.post(&next, &[("password", NEW_PASSWORD), ("password_again", NEW_PASSWORD)]).await;
    assert_eq!(set.status, 202, "{}", set.text);
    let device = device.killed_and_started().await;
    let opened = open(&device, "sheet").await;
    prove(&device, &opened, json!({ "sheet_code": all[0] })).await.problem(403, "wrong-proof");
    assert_eq!(
        prove(&device, &opened, json!({ "sheet_code": all[2] })).await.status,
        200,
        "others outlive the password"
    );
}

/// A form with a file, as a browser sends it.
async fn upload(browser: &mut Browser<'_>, path: &str, file: &str) -> Answer {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"k.xml\"\r\nContent-Type: text/xml\r\n\r\n{file}\r\n--x--\r\n",
        browser.token
    );
    browser.send(Request::post(path).header(header::CONTENT_TYPE, "multipart/form-data; boundary=x"), body).await
}

#[tokio::test]
async fn a_key_file_is_saved_tried_out_and_replaced_after_a_change_of_the_password() {
    let device = Running::active().await;
    let mut browser = owner(&device).await;
    browser.get("/key-file").await;
    let saved = browser.post("/key-file", &[("password", PASSWORD)]).await;
    assert_eq!(saved.headers["content-disposition"], format!("attachment; filename=\"key-file-{SERIAL}.xml\""));

    // A dry test changes nothing but that it is known to work.
    browser.get("/ready").await;
    let page = browser.goes_to("/ready", &[("way", "keyfile")]).await;
    assert!(browser.get(&page).await.text.contains("A dry test"));
    let refused = upload(&mut browser, &format!("{page}/file"), "<x/>").await;
    assert!(
        refused.status == 400
            && refused.text.contains("This is not a key file.")
            && refused.text.contains("7 tries left")
    );
    let tested = upload(&mut browser, &format!("{page}/file"), &saved.text).await;
    assert_eq!(tested.headers[header::LOCATION], "/ready?tested", "{}", tested.text);
    assert!(browser.get("/ready?tested").await.text.contains("This way works."));
    assert!(method(&device, "keyfile").await.get("why").is_none());
    device.log_in(SCREEN, PASSWORD).await.unwrap();

    // Changed: it is void, says so in red, and a new one is offered at once.
    browser.get("/password").await;
    let fields = [("current", PASSWORD), ("password", NEW_PASSWORD), ("password_again", NEW_PASSWORD)];
    assert_eq!(browser.goes_to("/password", &fields).await, "/key-file?changed");
    assert!(browser.get("/key-file?changed").await.text.contains("made the old key file void"));
    let ready = browser.get("/ready").await;
    assert!(ready.text.contains("way void") && ready.text.contains("banner error"), "{}", ready.text);
    assert_eq!(method(&device, "keyfile").await["why"], "void-after-password-change");
    browser.get("/key-file").await;
    let saved = browser.post("/key-file", &[("password", NEW_PASSWORD)]).await;
    assert_eq!(saved.status, 200);

    // And it resets, from a file; its text does, too.
    let mut stranger = Browser::new(&device, SCREEN);
    stranger.get("/forgot").await;
    let page = stranger.goes_to("/forgot", &[("way", "keyfile")]).await;
    stranger.get(&page).await;
    let proven = upload(&mut stranger, &format!("{page}/file"), &saved.text).await;
    assert_eq!(proven.headers[header::LOCATION], format!("{page}/password"));
    stranger.get("/forgot").await;
    let page = stranger.goes_to("/forgot", &[("way", "keyfile")]).await;
    stranger.get(&page).await;
    assert_eq!(stranger.goes_to(&page, &[("key_file", &saved.text)]).await, format!("{page}/password"));
}

#[tokio::test]
async fn a_key_file_goes_to_a_stick_and_back_at_the_screen() {
    let device = Running::active().await;
    let mut browser = owner(&device).await;
    assert!(browser.get("/key-file").await.text.contains("put one into this device"));
    let stick = device.dir.path().join("media/STICK");
    let place = stick.to_str().unwrap();
    std::fs::create_dir_all(&stick).unwrap();
    assert!(browser.get("/key-file").await.text.contains("Save to the USB stick STICK"));

    // A password that is wrong leaves nothing on it, and a stick that is not in costs no key file.
    let wrong = browser.post("/key-file", &[("password", "x"), ("stick", place)]).await;
    assert!(wrong.status != 200 && std::fs::read_dir(&stick).unwrap().next().is_none());
    browser.get("/key-file").await;
    let elsewhere = browser.post("/key-file", &[("password", PASSWORD), ("stick", "/tmp")]).await;
    assert!(
        elsewhere.status == 400 && elsewhere.text.contains("The stick cannot be written to."),
        "{}",
        elsewhere.text
    );
    for name in ["key-file-NVR-4216-0001.xml", "key-file-NVR-4216-0001-2.xml"] {
        browser.get("/key-file").await;
        let saved = browser.post("/key-file", &[("password", PASSWORD), ("stick", place)]).await;
        assert!(saved.status == 200 && saved.text.contains(&format!("as {name}.")), "{}", saved.text);
        assert!(std::fs::read_to_string(stick.join(name)).unwrap().contains("KeyFile"));
    }

    let mut stranger = Browser::new(&device, SCREEN);
    stranger.get("/forgot").await;
    let page = stranger.goes_to("/forgot", &[("way", "keyfile")]).await;
    let shown = stranger.get(&page).await.text;
    assert!(shown.contains("Use key-file-NVR-4216-0001-2.xml on the USB stick STICK"), "{shown}");
    let path = format!("{page}/stick");
    let missing = stranger.post(&path, &[("stick", place), ("name", "none.xml")]).await;
    assert!(missing.status == 400 && missing.text.contains("This file cannot be read from the stick."));
    assert!(missing.text.contains("7 tries left"));
    let name = "key-file-NVR-4216-0001-2.xml";
    assert_eq!(stranger.goes_to(&path, &[("stick", place), ("name", name)]).await, format!("{page}/password"));
}

#[tokio::test]
async fn the_network_neither_sees_nor_uses_a_stick() {
    let device = Running::active().await;
    let stick = device.dir.path().join("media/STICK");
    std::fs::create_dir_all(&stick).unwrap();
    let saved = key_file(&device).await;
    std::fs::write(stick.join("key.xml"), saved).unwrap();
    let place = stick.to_str().unwrap();
    let mut browser = Browser::new(&device, LINK);
    browser.get("/login").await;
    browser.goes_to("/login", &[("username", "admin"), ("password", PASSWORD)]).await;
    assert!(!browser.get("/key-file").await.text.contains("STICK"));
    let refused = browser.post("/key-file", &[("password", PASSWORD), ("stick", place)]).await;
    assert!(refused.status == 403 && refused.text.contains("own screen only"), "{}", refused.text);
    browser.get("/forgot").await;
    let page = browser.goes_to("/forgot", &[("way", "keyfile")]).await;
    let shown = browser.get(&page).await.text;
    assert!(shown.contains("Hand over the key file") && !shown.contains("stick STICK") && !shown.contains("key.xml"));
    let refused = browser.post(&format!("{page}/stick"), &[("stick", place), ("name", "key.xml")]).await;
    assert!(refused.status == 403 && refused.text.contains("own screen only"), "{}", refused.text);
    assert_eq!(std::fs::read_dir(&stick).unwrap().count(), 1);
}

#[tokio::test]
async fn questions_are_set_asked_in_the_reader_s_language_and_removed() {
    let device = Running::active().await;
    let mut browser = owner(&device).await;
    assert!(browser.get("/questions").await.text.contains("the weakest way back in"));
    let fields = |third| {
        [
            ("question_1", "1"),
            ("answer_1", "Rex"),
            ("question_2", "2"),
            ("answer_2", "Lyon"),
            ("question_3", third),
            ("answer_3", "Emil"),
            ("password", PASSWORD),
        ]
    };
    let refused = browser.post("/questions", &fields("2")).await;
    assert!(
        refused.status == 400 && refused.text.contains("These are not three answers.") && refused.text.contains("Emil")
    );
    assert_eq!(browser.post("/questions", &[("password", PASSWORD)]).await.status, 400);
    assert_eq!(browser.goes_to("/questions", &fields("7")).await, "/ready");

    let mut stranger = Browser::new(&device, SCREEN);
    stranger.get("/forgot").await;
    let page = stranger.goes_to("/forgot", &[("way", "questions")]).await;
    let spanish = Request::get(&page).header(header::ACCEPT_LANGUAGE, "es-MX,es;q=0.9");
    let shown = stranger.send(spanish, String::new()).await;
    assert!(shown.text.contains("¿Cómo se llamaba su primera mascota?") && shown.text.contains(r#"lang="es""#));
    let refused = stranger.post(&page, &[("first", "Rex"), ("second", "Lyon"), ("third", "Otto")]).await;
    assert!(refused.status == 403 && refused.text.contains("4 tries left"), "{}", refused.text);
    let next = stranger.goes_to(&page, &[("first", " REX"), ("second", "lyon"), ("third", "emil")]).await;
    assert_eq!(next, format!("{page}/password"));

    browser.get("/questions").await;
    assert_eq!(browser.goes_to("/questions", &[("password", PASSWORD), ("remove", "yes")]).await, "/ready");
    assert_eq!(method(&device, "questions").await["why"], "not-set-up");
}

#[tokio::test]
async fn the_desk_s_request_is_a_file_and_a_symbol_and_stays() {
    let device = Running::active().await;
    let mut stranger = Browser::new(&device, SCREEN);
    stranger.get("/forgot").await;
    let page = stranger.goes_to("/forgot", &[("way", "desk")]).await;
    let shown = stranger.get(&page).await;
    assert!(shown.text.contains("<svg") && shown.text.contains("48 hours"));
    let file = stranger.get(&format!("{page}/request.xml")).await;
    assert!(file.headers["content-disposition"].to_str().unwrap().contains(SERIAL));
    assert!(file.text.contains("<RecoveryRequest") && file.text.contains(SERIAL));
    let refused = upload(&mut stranger, &format!("{page}/file"), "<RecoveryGrant/>").await;
    assert!(refused.status == 400 && refused.text.contains("This is not a grant."));
    // What is wrong stands where it was given: the file, its text, the digits.
    let error = |text: &str, field: &str| {
        let (_, rest) =
            text.split_once(&format!(r#"id="{field}-error">"#)).unwrap_or_else(|| panic!("{field} in {text}"));
        rest.split('<').next().unwrap().trim().to_owned()
    };
    let errors = |text: &str| ["file", "grant", "code"].map(|field| !error(text, field).is_empty());
    assert_eq!(errors(&shown.text), [false; 3]);
    assert_eq!(errors(&refused.text), [true, false, false]);
    let pasted = stranger.post(&page, &[("grant", "<RecoveryGrant/>")]).await;
    assert_eq!(errors(&pasted.text), [false, true, false]);
    let digits = stranger.post(&page, &[("code", "00000000")]).await;
    assert!(digits.status == 403 && errors(&digits.text) == [false, false, true], "{}", digits.text);
    // A batch in which nothing is for this device.
    let batch = batch_of_others();
    let refused = upload(&mut stranger, &format!("{page}/file"), &batch).await;
    assert!(refused.status == 409 && error(&refused.text, "file").contains("for another device"), "{}", refused.text);
    stranger.get("/forgot").await;
    assert_eq!(stranger.goes_to("/forgot", &[("way", "desk")]).await, page, "asked for again, it is the same");
    // From elsewhere there is no file.
    let elsewhere = Browser::new(&device, ELSEWHERE).get(&format!("{page}/request.xml")).await;
    assert_eq!(elsewhere.status, 403);
}

#[tokio::test]
async fn a_wait_is_counted_down_and_told_in_words_without_scripts() {
    let device = Running::active().await;
    key_file(&device).await;
    let mut browser = owner(&device).await;
    browser.get("/sheet").await;
    browser.post("/sheet", &[("password", PASSWORD)]).await;
    let opened = open(&device, "sheet").await;
    assert!(opened.get("wait").is_none());
    for _ in 0..5 {
        prove(&device, &opened, json!({ "sheet_code": "00000-00001-00002-00003" })).await.problem(403, "wrong-proof");
    }
    let path = format!("/recoveries/{}", opened["id"].as_str().unwrap());
    let shown = device.get(LINK, &format!("/api/v1{path}")).await.json();
    assert!((1..=60).contains(&shown["wait"].as_u64().unwrap()), "{shown}");
    let page = Browser::new(&device, LINK).get(&path).await.text;
    assert!(
        page.contains("Another try is taken in")
            && page.contains("data-seconds-left=")
            && page.contains(" seconds</time>")
    );
}

#[tokio::test]
async fn switches_the_service_and_other_sessions() {
    let device = Running::active().await;
    key_file(&device).await;
    let mut browser = owner(&device).await;
    let shown = browser.get("/security").await;
    assert!(shown.text.contains("edition 1") && shown.text.contains("Example recovery"));
    assert!(shown.text.matches("End it").count() == 1 && shown.text.contains("Key file saved"));
    for (fields, status) in [
        ([("password", "wrong"), ("switch", "keyfile:off")], 403),
        ([("password", PASSWORD), ("switch", "keyfile:maybe")], 400),
        ([("password", PASSWORD), ("switch", "magic:off")], 400),
        ([("password", PASSWORD), ("switch", "rule:both")], 409),
    ] {
        assert_eq!(browser.post("/security", &fields).await.status, status, "{fields:?}");
    }
    for (switch, name, why) in [
        ("keyfile:off", "keyfile", "switched-off"),
        ("keyfile:on", "keyfile", "unproven"),
        ("service:off", "email", "no-service"),
        ("service:off", "desk", "no-service"),
        ("service:on", "email", "unproven"),
    ] {
        assert_eq!(browser.goes_to("/security", &[("password", PASSWORD), ("switch", switch)]).await, "/security");
        assert_eq!(method(&device, name).await["why"], why, "{switch}");
    }
    browser.get("/security").await;
    let number = shown.text.split_once(r#"name="number" value=""#).unwrap().1.split('"').next().unwrap().to_owned();
    assert_eq!(browser.goes_to("/security/sessions", &[("number", &number)]).await, "/security");
    assert_eq!(browser.get("/security").await.text.matches("End it").count(), 0);
    // Not without a session, and not without the page's own token.
    let mut stranger = Browser::new(&device, SCREEN);
    for path in ["/security", "/ready", "/key-file", "/sheet", "/questions"] {
        assert_eq!(stranger.get(path).await.headers[header::LOCATION], "/login", "{path}");
        assert_eq!(stranger.post(path, &[("password", PASSWORD)]).await.status, 403, "{path}");
    }
}
