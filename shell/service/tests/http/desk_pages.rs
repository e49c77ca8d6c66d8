//! The desk's console: sessions, forms, and what stands in its pages.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;
use sha2::{Digest, Sha256};
use sparekey_protocol::digits;
use sparekey_protocol::files::{self, Document};
use sparekey_protocol::request::Ask;
use sparekey_service::SystemClock;
use sparekey_service::cases::{Line, Role};
use sparekey_service::operators;
use sqlx::{Connection, SqliteConnection};

use crate::stand::{Answer, Hands, Options, Stand};

const HOST: &str = "recover.example.org";
/// What `Hands` begins with.
const START: i64 = 1_790_000_000;

impl Stand {
    async fn sql(&self, sql: &str) {
        let path = format!("sqlite:{}", self.dir().join("service.db").display());
        let mut connection = SqliteConnection::connect(&path).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    }

    /// A session of this operator, as one that began with a passkey; its cookies.
    async fn session(&self, name: &str, asked_at: Option<i64>) -> String {
        let mut secret = [0; 32];
        secret[..name.len()].copy_from_slice(name.as_bytes());
        let hash = hex(&Sha256::digest(secret));
        let asked = asked_at.map_or_else(|| "NULL".to_owned(), |at| at.to_string());
        self.sql(&format!(
            "INSERT OR REPLACE INTO operator_sessions (hash, operator, seen_at, not_after, asked_at) \
             SELECT x'{hash}', id, {START}, {START} + 28800, {asked} FROM operators WHERE name = '{name}'"
        ))
        .await;
        let session = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, secret);
        format!("__Host-session={session}; __Host-form={}", "A".repeat(43))
    }

    async fn desk_page(&self, path: &str, cookies: &str) -> Answer {
        let request = Request::get(path).header("accept", "text/html").header("cookie", cookies).header("host", HOST);
        self.call(request.body(Body::empty()).unwrap()).await
    }

    /// The token of the forms on this page.
    async fn form_token(&self, path: &str, cookies: &str) -> String {
        let page = self.desk_page(path, cookies).await;
        let (_, rest) = page.text().split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("{}", page.text()));
        rest.split('"').next().unwrap().to_owned()
    }

    async fn desk_form(&self, path: &str, cookies: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookies)
            .header("host", HOST)
            .header("origin", "null");
        self.call(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn stand() -> (Stand, Arc<Hands>) {
    let hands = Arc::new(Hands::default());
    let stand = Stand::with(Options { clock: Some(hands.clone()), ..Options::default() }).await;
    (stand, hands)
}

const PAGES: [&str; 7] = [
    "/desk",
    "/desk/new",
    "/desk/cases/2026-000001",
    "/desk/account",
    "/desk/people",
    "/desk/settings",
    "/desk?state=open",
];

#[tokio::test]
async fn without_a_session_there_is_only_the_way_in() {
    let (stand, _) = stand().await;
    for cookies in
        ["", "__Host-session=x", &format!("__Host-session={}", "A".repeat(43)), &format!("session={}", "A".repeat(43))]
    {
        for path in PAGES {
            let answer = stand.desk_page(path, cookies).await;
            assert_eq!(answer.status, 303, "{path}");
            assert_eq!(answer.headers["location"], "/desk/sign-in");
        }
        for path in ["/desk/cases/2026-000001/approve", "/desk/people", "/desk/settings/checklist"] {
            let answer = stand.desk_form(path, cookies, "csrf=x").await;
            assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (401, "not-logged-in"), "{path}");
        }
    }
    for path in ["/desk/sign-in", "/desk/join"] {
        assert_eq!(stand.desk_page(path, "").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_session_ends_by_itself_by_hand_and_with_its_operator() {
    let (stand, hands) = stand().await;
    stand.operator("Ann", Role::Agent, None).await;
    let cookies = stand.session("Ann", None).await;
    let status = async || stand.desk_page("/desk", &cookies).await.status.as_u16();
    assert_eq!(status().await, 200);
    // In use, it goes on; for eight hours.
    for _ in 0..9 {
        hands.on(3_000);
        assert_eq!(status().await, 200);
    }
    hands.on(1_800);
    assert_eq!(status().await, 303, "eight hours are over");

    stand.sql(&format!("UPDATE operator_sessions SET not_after = {START} + 1000000, seen_at = {START} + 28800")).await;
    assert_eq!(status().await, 200);
    hands.on(3_601);
    assert_eq!(status().await, 303, "nobody used it for an hour");

    stand.sql(&format!("UPDATE operator_sessions SET seen_at = {START} + 32400")).await;
    let token = stand.form_token("/desk", &cookies).await;
    let out = stand.desk_form("/desk/sign-out", &cookies, &format!("csrf={token}")).await;
    assert_eq!(out.status, 303);
    let set: Vec<_> = out.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(set.iter().any(|cookie| cookie.starts_with("__Host-session=;") && cookie.contains("Max-Age=0")), "{set:?}");
    assert_eq!(status().await, 303, "signed out");
}

#[tokio::test]
async fn an_operator_who_is_removed_loses_his_sessions() {
    let (stand, _) = stand().await;
    stand.operator("Ann", Role::Agent, None).await;
    let cookies = stand.session("Ann", None).await;
    assert_eq!(stand.desk_page("/desk", &cookies).await.status, 200);
    operators::remove(&stand.database(), &SystemClock, &Line::new("Ann").unwrap()).await.unwrap();
    assert_eq!(stand.desk_page("/desk", &cookies).await.status, 303);
}

#[tokio::test]
async fn an_approval_needs_the_passkey_a_moment_ago() {
    let (stand, hands) = stand().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    stand.operator("Bob", Role::Approver, None).await;
    let number = stand.open_case(1, &agent).await;
    let path = format!("/desk/cases/{number}/approve");
    let approve = async |asked_at| {
        let cookies = stand.session("Bob", asked_at).await;
        let token = stand.form_token("/desk", &cookies).await;
        stand.desk_form(&path, &cookies, &format!("csrf={token}")).await
    };
    for asked_at in [None, Some(START - 300), Some(START + 1)] {
        let refused = approve(asked_at).await;
        assert_eq!(refused.status, 403, "{asked_at:?}");
        assert!(refused.text().contains("This needs your passkey once more."));
    }
    hands.on(299);
    assert_eq!(approve(Some(START)).await.status, 303);
    let view = stand.desk_get(&format!("/v1/cases/{number}"), &agent).await.json();
    assert_eq!((view["state"].as_str(), view["approved_by"].as_str()), (Some("approved"), Some("Bob")));
}

#[tokio::test]
async fn forms_of_other_pages_and_other_sessions_are_refused() {
    let (stand, _) = stand().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    stand.operator("Bob", Role::Agent, None).await;
    let number = stand.open_case(1, &agent).await;
    let (cookies, others) = (stand.session("Ann", None).await, stand.session("Bob", None).await);
    let path = format!("/desk/cases/{number}/note");
    let anothers = stand.form_token("/desk", &others).await;
    for token in ["", "csrf=", "csrf=x", &format!("csrf={anothers}")] {
        let answer = stand.desk_form(&path, &cookies, &format!("text=x&{token}")).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (403, "cross-site"), "{token}");
    }
    let own = stand.form_token("/desk", &cookies).await;
    // The right token from the wrong place.
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let request = Request::post(&path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &cookies)
            .header("host", HOST)
            .header(name, value);
        let answer = stand.call(request.body(Body::from(format!("text=x&csrf={own}"))).unwrap()).await;
        assert_eq!(answer.problem(), "cross-site", "{value}");
    }
    // A form with a file carries the token too, and first.
    let multipart = async |parts: &[(&str, &str)]| {
        let body: String = parts
            .iter()
            .map(|(name, text)| format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"))
            .collect();
        let request = Request::post("/desk/new")
            .header("content-type", "multipart/form-data; boundary=x")
            .header("cookie", &cookies)
            .header("host", HOST)
            .header("sec-fetch-site", "same-origin");
        stand.call(request.body(Body::from(format!("{body}--x--\r\n"))).unwrap()).await
    };
    let request = digits::encode(&stand.asking(2, Ask::ResetByDesk));
    for parts in [
        &[("pasted", request.as_str())][..],
        &[("csrf", "x"), ("pasted", &request)],
        &[("csrf", &anothers), ("pasted", &request)],
        &[("pasted", &request), ("csrf", &own)],
        &[],
    ] {
        assert_eq!(multipart(parts).await.status, 403, "{parts:?}");
    }
    assert_eq!(multipart(&[("csrf", &own), ("pasted", &request)]).await.status, 303);
    // A session is no token: the interface takes none.
    let call = Request::get("/v1/cases").header("cookie", &cookies).body(Body::empty()).unwrap();
    assert_eq!(stand.call(call).await.problem(), "not-logged-in");
    assert_eq!(stand.desk_form(&path, &cookies, &format!("text=x&csrf={own}")).await.status, 303);
}

#[tokio::test]
async fn no_text_becomes_a_script() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}";
    let (stand, _) = stand().await;
    let organisation = format!("Acme {EVIL}");
    let agent = stand.operator(&format!("Ann {EVIL}"), Role::Agent, None).await;
    stand.operator(&format!("Olga {EVIL}"), Role::Agent, Some(&organisation)).await;
    stand.operator("Bob", Role::Administrator, None).await;
    let cookies = stand.session("Bob", Some(START)).await;
    let token = stand.form_token("/desk/settings", &cookies).await;
    let evil = percent_encoding::utf8_percent_encode(EVIL, percent_encoding::NON_ALPHANUMERIC);
    let set = stand.desk_form("/desk/settings/checklist", &cookies, &format!("csrf={token}&checklist={evil}")).await;
    assert_eq!(set.status, 200, "{}", set.text());

    let mut file = stand.file(stand.asking(1, Ask::ResetByDesk));
    (file.serial, file.firmware) = (EVIL.to_owned(), EVIL.to_owned());
    let xml = files::write(&Document::Request(file)).unwrap().to_string();
    let body = json!({ "file": xml, "name": EVIL, "contact": EVIL, "language": "\"><script>", "note": EVIL });
    let opened = stand.desk_post("/v1/cases", &agent, &body).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let number = opened.json()["number"].as_str().unwrap().to_owned();
    let over = json!({ "organisation": organisation });
    assert_eq!(stand.desk_post(&format!("/v1/cases/{number}/hand-over"), &agent, &over).await.status, 200);
    let pages = [
        "/desk".to_owned(),
        format!("/desk?text={evil}&state={evil}"),
        format!("/desk/cases/{number}?done={evil}"),
        format!("/desk/cases/{number}/approve"),
        format!("/desk/cases/{number}/refuse"),
        "/desk/people".to_owned(),
        "/desk/settings".to_owned(),
    ];
    let check = |path: &str, answer: &Answer| {
        assert_eq!(answer.status, 200, "{path}");
        let text = answer.text();
        assert!(
            !text.contains("<script>alert") && !text.contains("<img src=x") && !text.contains("\"'>"),
            "{path}: {text}"
        );
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
    };
    for path in &pages {
        check(path, &stand.desk_page(path, &cookies).await);
    }
    let refuse = json!({ "reason": EVIL });
    assert_eq!(stand.desk_post(&format!("/v1/cases/{number}/refuse"), &agent, &refuse).await.status, 200);
    check("refused", &stand.desk_page(&format!("/desk/cases/{number}"), &cookies).await);
}

#[tokio::test]
async fn nobody_climbs() {
    let (stand, _) = stand().await;
    for (name, role, organisation) in [
        ("Ann", Role::Agent, None),
        ("Bob", Role::Approver, None),
        ("Cho", Role::Administrator, None),
        ("Olga", Role::Administrator, Some("Acme")),
        ("Theo", Role::Agent, Some("Other")),
    ] {
        stand.operator(name, role, organisation).await;
    }
    let post = async |who: &str, asked_at, path: &str, body: &str| {
        let cookies = stand.session(who, asked_at).await;
        let token = stand.form_token("/desk", &cookies).await;
        stand.desk_form(path, &cookies, &format!("csrf={token}&{body}")).await
    };
    let (now, add) = (Some(START), "name=New&role=administrator");
    for who in ["Ann", "Bob"] {
        for (path, body) in [
            ("/desk/people", add),
            ("/desk/people/1/remove", ""),
            ("/desk/people/3/link", "name=x"),
            ("/desk/settings/checklist", "checklist="),
            ("/desk/settings/organisation", "name=New"),
        ] {
            let answer = post(who, now, path, body).await;
            assert_eq!(answer.status, 403, "{who} {path}: {}", answer.text());
        }
    }
    let unasked = post("Cho", None, "/desk/people", add).await;
    assert_eq!(unasked.status, 403, "the passkey comes first");
    assert!(unasked.text().contains("This needs your passkey once more."));

    // A distributor's administrator: whatever he sends, it is his own organisation.
    for (path, body) in [
        ("/desk/people/1/remove", ""),
        ("/desk/people/3/link", "name=x"),
        ("/desk/people/5/remove", ""),
        ("/desk/people/99/remove", ""),
    ] {
        let answer = post("Olga", now, path, body).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(post("Olga", now, "/desk/settings/organisation", "name=Mine&serials=").await.status, 403);
    let added = post("Olga", now, "/desk/people", &format!("{add}&organisation=Other")).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let all = operators::list(&stand.database()).await.unwrap();
    let new = all.iter().find(|one| one.name == "New").unwrap();
    assert_eq!((new.role, new.organisation_name.as_deref()), (Role::Administrator, Some("Acme")));
    let page = stand.desk_page("/desk/people", &stand.session("Olga", now).await).await;
    assert!(page.text().contains("New") && !page.text().contains("Theo") && !page.text().contains("Cho"));
    // Nobody removes himself by mistake.
    assert_eq!(post("Cho", now, "/desk/people/3/remove", "").await.status, 403);
    assert_eq!(post("Cho", now, "/desk/people/1/remove", "").await.status, 303);
    assert_eq!(post("Cho", now, "/desk/people", "name=Bob&role=agent").await.status, 409, "the name is taken");
    assert_eq!(post("Cho", now, "/desk/people", "name=X&role=root").await.status, 400);
}

#[tokio::test]
async fn ceremonies_that_nobody_began_are_refused() {
    let (stand, _) = stand().await;
    stand.operator("Ann", Role::Agent, None).await;
    let cookies = stand.session("Ann", None).await;
    let call = async |path: &str, body: &serde_json::Value| {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("content-type", "application/json")
            .header("cookie", &cookies)
            .header("host", HOST);
        stand.call(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let credential = json!({
        "id": "AA", "rawId": "AA", "type": "public-key",
        "response": { "authenticatorData": "AA", "clientDataJSON": "AA", "signature": "AA", "userHandle": null,
                      "attestationObject": "AA" },
    });
    let ticket = "A".repeat(43);
    for (what, problem) in
        [("sign-in", "bad-passkey"), ("step-up", "bad-passkey"), ("add", "bad-passkey"), ("join", "link-over")]
    {
        let body = json!({ "ticket": ticket, "answer": credential });
        let answer = call(&format!("/desk/passkey/{what}/finish"), &body).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (403, problem), "{what}");
    }
    // A ticket of one ceremony is none of another, and one that was altered is none.
    let begun = call("/desk/passkey/sign-in/start", &json!({})).await.json();
    assert_eq!(begun["publicKey"]["userVerification"], "required");
    assert_eq!(begun["publicKey"]["rpId"], HOST);
    let body = json!({ "ticket": begun["ticket"], "answer": credential });
    assert_eq!(call("/desk/passkey/step-up/finish", &body).await.problem(), "bad-passkey");
    assert_eq!(call("/desk/passkey/sign-in/finish", &body).await.problem(), "bad-passkey");
    let mut altered = begun["ticket"].as_str().unwrap().to_owned();
    altered.replace_range(40..41, if &altered[40..41] == "A" { "B" } else { "A" });
    let body = json!({ "ticket": altered, "answer": credential });
    assert_eq!(call("/desk/passkey/sign-in/finish", &body).await.problem(), "bad-passkey");
    for link in [json!(null), json!("x"), json!(ticket)] {
        assert_eq!(call("/desk/passkey/join/start", &json!({ "link": link })).await.problem(), "link-over");
    }
    assert_eq!(call("/desk/passkey/add/start", &json!({})).await.problem(), "step-up");
    assert_eq!(call("/desk/passkey/other/start", &json!({})).await.problem(), "not-found");
}
