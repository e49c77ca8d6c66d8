//! What an owner does by the interface: all that the screen does.

use http::{Request, header};
use serde_json::{Value, json};

use crate::testing::*;

const SECOND: &str = "second@example.org";

/// The interface of who is logged in.
struct Owner<'d> {
    device: &'d Running,
    token: String,
}

impl<'d> Owner<'d> {
    async fn of(device: &'d Running) -> Self {
        Self { device, token: device.log_in(LINK, PASSWORD).await.unwrap() }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        self.device.json(request, LINK, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, json!({})).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }
}

#[tokio::test]
async fn every_call_takes_a_session_and_every_change_the_password() {
    let device = Running::active().await;
    let owner = Owner::of(&device).await;
    let calls = [
        ("GET", "/sheet", json!({})),
        ("GET", "/switches", json!({})),
        ("GET", "/contacts", json!({})),
        ("GET", "/sessions", json!({})),
        ("GET", "/events", json!({})),
        ("GET", "/card", json!({})),
        ("DELETE", "/sessions/1", json!({})),
        ("POST", "/tests", json!({ "method": "email" })),
        ("POST", "/sheet", json!({ "password": "not it at all" })),
        ("POST", "/sheet/1/void", json!({ "password": "not it at all" })),
        ("PUT", "/questions", json!({ "password": "not it at all", "questions": [] })),
        ("PUT", "/switches", json!({ "password": "not it at all", "switch": "service", "on": false })),
        ("PUT", "/contacts", json!({ "password": "not it at all", "reserved_emails": [] })),
        ("PUT", "/contacts/rule", json!({ "password": "not it at all", "rule": "either" })),
        ("PUT", "/card", json!({ "password": "not it at all", "card": "AA" })),
        ("PUT", "/password", json!({ "current": "not it at all", "password": NEW_PASSWORD })),
        ("POST", "/transfer", json!({ "password": "not it at all", "recordings": "keep" })),
    ];
    for (method, path, body) in calls {
        let request = || Request::builder().method(method).uri(format!("/api/v1{path}"));
        device.json(request(), LINK, body.clone()).await.problem(401, "not-logged-in");
        if method == "PUT" || body["password"].is_string() {
            // Each refusal of one client is slowed down a little more: so each has its own.
            let other = device.log_in(LINK, PASSWORD).await.unwrap();
            let asked = request().header(header::AUTHORIZATION, format!("Bearer {other}"));
            device.json(asked, LINK, body.clone()).await.problem(403, "wrong-proof");
            let mut more = body;
            more["further"] = json!(1);
            assert_eq!(owner.send(method, path, more).await.problem(400, "malformed")["field"], "further", "{path}");
        }
    }
}

#[tokio::test]
async fn a_sheet_is_made_listed_and_voided() {
    let device = Running::active().await;
    let owner = Owner::of(&device).await;
    assert_eq!(owner.get("/sheet").await, json!({ "codes": [] }));
    let made = owner.send("POST", "/sheet", json!({ "password": PASSWORD })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let codes: Vec<String> = serde_json::from_value(made.json()["codes"].clone()).unwrap();
    assert_eq!(codes.len(), 8);
    assert_eq!(owner.send("POST", "/sheet/2/void", json!({ "password": PASSWORD })).await.status, 204);
    for none in ["/sheet/0/void", "/sheet/9/void"] {
        let refused = owner.send("POST", none, json!({ "password": PASSWORD })).await;
        assert_eq!(refused.problem(400, "malformed")["field"], "code");
    }
    owner.send("POST", "/sheet/x/void", json!({ "password": PASSWORD })).await.problem(404, "not-found");
    let sheet = owner.get("/sheet").await;
    assert!(sheet["made"].as_u64().unwrap() > 0);
    assert_eq!(sheet["codes"], json!(["good", "voided", "good", "good", "good", "good", "good", "good"]));

    // A dry test with one of them.
    let opened = owner.send("POST", "/tests", json!({ "method": "sheet" })).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let path = format!("/api/v1/recoveries/{}/proof", opened.json()["id"].as_str().unwrap());
    device.post(LINK, &path, json!({ "sheet_code": codes[1] })).await.problem(403, "wrong-proof");
    let tested = device.post(LINK, &path, json!({ "sheet_code": codes[0] })).await;
    assert_eq!((tested.status.as_u16(), tested.json()), (200, json!({ "tested": true })));
    assert_eq!(owner.get("/sheet").await["codes"][0], "good", "a test uses nothing up");
    let methods = device.get(LINK, "/api/v1/device").await.json()["methods"].clone();
    let sheet = methods.as_array().unwrap().iter().find(|method| method["name"] == "sheet").unwrap();
    assert!(sheet["last_tested"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn questions_are_listed_set_and_taken_away() {
    let device = Running::active().await;
    let owner = Owner::of(&device).await;
    let listed = device.get(LINK, "/api/v1/questions").await.json();
    assert_eq!((listed["questions"].as_array().unwrap().len(), listed.get("set")), (20, None));
    let answers = |first: &str| json!([{ "id": 1, "answer": first }, { "id": 3, "answer": "Lyon" }, { "id": 11, "answer": "Otto" }]);
    let set = |questions: Value| json!({ "password": PASSWORD, "questions": questions });
    for bad in [json!([{ "id": 1, "answer": "x" }]), answers("lyon"), answers(" ")] {
        assert_eq!(owner.send("PUT", "/questions", set(bad)).await.problem(400, "malformed")["field"], "answers");
    }
    assert_eq!(owner.send("PUT", "/questions", set(answers("Rex"))).await.status, 204);
    assert_eq!(owner.get("/questions").await["set"], json!([1, 3, 11]));
    assert_eq!(owner.send("PUT", "/questions", set(json!([]))).await.status, 204);
    assert_eq!(owner.get("/questions").await["set"], json!([]));
}

#[tokio::test]
async fn contacts_their_rule_and_the_switches() {
    let device = Running::active().await;
    let owner = Owner::of(&device).await;
    assert_eq!(owner.get("/contacts").await, json!({ "contacts": [{ "email": EMAIL }], "rule": "either" }));
    let set = |emails: &[&str]| json!({ "password": PASSWORD, "reserved_emails": emails });
    owner.send("PUT", "/contacts", set(&["nobody"])).await.problem(400, "malformed");
    owner.send("PUT", "/contacts", set(&[EMAIL, EMAIL])).await.problem(400, "malformed");
    assert_eq!(owner.send("PUT", "/contacts", set(&[EMAIL, SECOND])).await.status, 204);
    let rule = |rule: &str| json!({ "password": PASSWORD, "rule": rule });
    let unconfirmed = owner.send("PUT", "/contacts/rule", rule("both")).await;
    assert_eq!(unconfirmed.problem(409, "method-not-ready")["why"], "not-confirmed");
    assert_eq!(owner.send("PUT", "/contacts/rule", rule("any")).await.problem(400, "malformed")["field"], "rule");
    for n in 1..=2 {
        let opened = owner.send("POST", &format!("/contacts/{n}/confirmation"), json!({})).await.json();
        let (code, email) = Service::new().read(opened["qr_text"].as_str().unwrap());
        assert_eq!(email, [EMAIL, SECOND][n - 1]);
        let proof = format!("/contacts/{n}/confirmation/proof");
        assert_eq!(owner.send("POST", &proof, json!({ "code": code })).await.status, 200);
    }
    assert_eq!(owner.send("PUT", "/contacts/rule", rule("both")).await.status, 204);
    let now = owner.get("/contacts").await;
    assert!(now["rule"] == "both" && now["contacts"][1]["confirmed"].as_u64().unwrap() > 0, "{now}");
    let opened = device.post(LINK, "/api/v1/recoveries", json!({ "method": "email" })).await.json();
    assert_eq!(opened["parts"].as_array().unwrap().len(), 2);
    let again = |contact: usize| json!({ "method": "email", "contact": contact });
    assert_eq!(device.post(LINK, "/api/v1/recoveries", again(0)).await.problem(400, "malformed")["field"], "contact");

    let switched = |switch: &str, on: bool| json!({ "password": PASSWORD, "switch": switch, "on": on });
    assert_eq!(
        owner.send("PUT", "/switches", switched("magic", true)).await.problem(400, "malformed")["field"],
        "switch"
    );
    for (switch, on) in [("seccode", true), ("sheet", false), ("service", false)] {
        assert_eq!(owner.send("PUT", "/switches", switched(switch, on)).await.status, 204);
    }
    let now = owner.get("/switches").await;
    let methods =
        json!({ "email": true, "sheet": false, "keyfile": true, "desk": true, "questions": true, "seccode": true });
    assert_eq!(now, json!({ "service": false, "methods": methods }));
}

#[tokio::test]
async fn sessions_are_listed_and_ended_and_all_is_on_record() {
    let device = Running::active().await;
    let (owner, other) = (Owner::of(&device).await, device.log_in(SCREEN, PASSWORD).await.unwrap());
    let sessions = owner.get("/sessions").await["sessions"].clone();
    let [mine, screen] = sessions.as_array().unwrap().as_slice() else { panic!("{sessions}") };
    assert_eq!((&mine["mine"], &mine["from"]), (&json!(true), &json!(LINK)));
    assert_eq!((&screen["mine"], screen.get("from")), (&json!(false), None));
    assert!(screen["begun"].as_u64().unwrap() > 1_600_000_000);
    let end = format!("/sessions/{}", screen["number"]);
    assert_eq!(owner.send("DELETE", &end, json!({})).await.status, 204);
    assert_eq!(owner.send("DELETE", &end, json!({})).await.problem(400, "malformed")["field"], "number");
    let ended = Request::get("/api/v1/events").header(header::AUTHORIZATION, format!("Bearer {other}"));
    device.json(ended, SCREEN, json!({})).await.problem(401, "not-logged-in");

    let body = json!({ "current": PASSWORD, "password": "password1" });
    owner.send("PUT", "/password", body).await.problem(400, "weak-password");
    let body = json!({ "current": PASSWORD, "password": NEW_PASSWORD });
    assert_eq!(owner.send("PUT", "/password", body).await.status, 204);
    device.log_in(SCREEN, PASSWORD).await.unwrap_err().problem(401, "not-logged-in");
    let events = owner.get("/events").await["events"].clone();
    let what: Vec<_> = events.as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["login-refused", "password-changed", "logged-in", "logged-in", "activated"], "the newest first");
    assert!(events[3]["from"] == LINK && events[3]["count"] == 1 && events[3]["number"] == 2, "{events}");
}

#[tokio::test]
async fn a_newer_card_of_the_same_maker_is_pinned() {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use sparekey_protocol::{Card, SigningKey};

    let device = Running::active().await;
    let owner = Owner::of(&device).await;
    let pinned = owner.get("/card").await;
    assert_eq!((&pinned["edition"], &pinned["url"]), (&json!(1), &json!("https://recover.example.org")));
    let first = Card::verify(&card(), &maker().public()).unwrap().into_inner();
    let newer = |edition, by: &SigningKey| {
        let card = Card { edition, ..first.clone() }.sign(by);
        json!({ "password": PASSWORD, "card": BASE64_URL_SAFE_NO_PAD.encode(card) })
    };
    let not_base64 = json!({ "password": PASSWORD, "card": "!" });
    assert_eq!(owner.send("PUT", "/card", not_base64).await.problem(400, "malformed")["field"], "card");
    for of_no_use in [newer(1, &maker()), newer(2, &SigningKey::from_seed(&[99; 32]))] {
        owner.send("PUT", "/card", of_no_use).await.problem(409, "not-for-this-device");
    }
    let replaced = owner.send("PUT", "/card", newer(2, &maker())).await;
    assert_eq!((replaced.status.as_u16(), &replaced.json()["edition"]), (200, &json!(2)));
}

#[tokio::test]
async fn a_maker_forbids_questions_or_asks_for_a_second_way_beside_them() {
    use super::pages::Browser;
    let answers = json!([{ "id": 1, "answer": "Rex" }, { "id": 3, "answer": "Lyon" }, { "id": 11, "answer": "Otto" }]);
    let activation = json!({ "username": "admin", "password": PASSWORD, "questions": answers });

    let device = Running::with("questions = 'forbidden'\n").await;
    assert!(!Browser::new(&device, SCREEN).get("/activate").await.text.contains("answer_1"));
    let refused = device.post(SCREEN, "/api/v1/activation", activation.clone()).await;
    assert_eq!(refused.problem(409, "method-not-ready")["why"], "forbidden-by-maker");
    let plain = json!({ "username": "admin", "password": PASSWORD });
    assert_eq!(device.post(SCREEN, "/api/v1/activation", plain).await.status, 201);
    let owner = Owner::of(&device).await;
    let set = owner.send("PUT", "/questions", json!({ "password": PASSWORD, "questions": answers })).await;
    assert_eq!(set.problem(409, "method-not-ready")["why"], "forbidden-by-maker");
    let mut screen = Browser::new(&device, SCREEN);
    screen.get("/login").await;
    screen.goes_to("/login", &[("username", "admin"), ("password", PASSWORD)]).await;
    let page = screen.get("/questions").await.text;
    assert!(page.contains("does not allow it") && !page.contains("answer_1"));

    let device = Running::with("questions = 'beside-another-way'\n").await;
    assert!(Browser::new(&device, SCREEN).get("/activate").await.text.contains("only together with a second way"));
    assert_eq!(device.post(SCREEN, "/api/v1/activation", activation).await.status, 201);
    let alone = device.post(SCREEN, "/api/v1/recoveries", json!({ "method": "questions" })).await;
    assert_eq!(alone.problem(409, "method-not-ready")["why"], "needs-second-way");
    let owner = Owner::of(&device).await;
    assert_eq!(owner.send("POST", "/sheet", json!({ "password": PASSWORD })).await.status, 201);
    let opened = device.post(SCREEN, "/api/v1/recoveries", json!({ "method": "questions" })).await.json();
    assert_eq!(opened["parts"].as_array().unwrap().len(), 2, "{opened}");
}
