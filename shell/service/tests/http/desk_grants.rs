//! What an approved case is answered with, checked as a device checks it.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use sparekey_protocol::files::{self, Document, Entry, GrantFile};
use sparekey_protocol::log::{LogPolicy, NoteKey};
use sparekey_protocol::request::Ask;
use sparekey_protocol::{BaseUrl, Card, CardName, DeviceId, MakerId, Nonce, Serial, SigningKey, VerifierKey, grant};
use sparekey_service::SystemClock;
use sparekey_service::cases::{Line, Role};
use sparekey_service::keys::Keys;
use sparekey_service::operators;
use sparekey_service::service::Database;
use sqlx::{Connection, PgConnection};

use crate::stand::{Answer, CODE, Options, SERIAL, Stand, URL};

/// An agent's and an approver's token.
async fn desk(stand: &Stand) -> (String, String) {
    (stand.operator("Ann", Role::Agent, None).await, stand.operator("Bob", Role::Approver, None).await)
}

impl Stand {
    async fn approved(&self, n: u8, (agent, approver): &(String, String)) -> String {
        let number = self.open_case(n, agent).await;
        let approved = self.with_token(Method::POST, &format!("/v1/cases/{number}/approve"), approver, None).await;
        assert_eq!(approved.status, 200, "{}", approved.text());
        number
    }

    async fn grant(&self, number: &str, token: &str) -> Answer {
        self.with_token(Method::POST, &format!("/v1/cases/{number}/grant"), token, None).await
    }

    /// What devices of this maker pin.
    fn card(&self) -> Card {
        let halves = Keys::public_halves(self.dir()).unwrap();
        Card {
            maker: MakerId::of(&self.maker.public().to_bytes()),
            edition: 1,
            name: CardName::new("Recovery").unwrap(),
            url: BaseUrl::new(URL).unwrap(),
            opening_key: halves.opening,
            grant_key: halves.grant.to_bytes(),
            log_key: VerifierKey::new(&halves.log).unwrap(),
            witnesses: None,
        }
    }

    fn opened(&self, file: &GrantFile, device: &SigningKey, nonce: Nonce) -> Result<grant::Grant, grant::GrantRefusal> {
        let device = DeviceId::of(&device.public().to_bytes());
        grant::open(&file.payload, &self.card(), device, |named| named == nonce).map(|grant| (*grant).clone())
    }

    /// How many leaves the public log has.
    async fn leaves(&self) -> u64 {
        let key = NoteKey::parse(&self.card().log_key).unwrap();
        let answer = self.get("/log/checkpoint").await;
        if answer.status == 404 { 0 } else { LogPolicy::of_log(key).open(&answer.body).unwrap().size }
    }
}

fn one(answer: &Answer) -> GrantFile {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"grant-2"));
    match files::parse(&answer.body).unwrap() {
        Document::Grant(grant) => grant,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_grant_works_on_its_device_and_is_issued_once() {
    let stand = Stand::new().await;
    let tokens = desk(&stand).await;
    let number = stand.approved(1, &tokens).await;
    assert_eq!(stand.leaves().await, 0);
    let first = one(&stand.grant(&number, &tokens.0).await);
    assert_eq!((first.serial.as_str(), first.case.as_str()), (SERIAL, number.as_str()));
    let granted = stand.opened(&first, &stand.device, Nonce([1; 16])).unwrap();
    assert_eq!((granted.case.as_str(), granted.not_after), (number.as_str(), granted.issued_at.plus(86_400)));
    for (device, nonce) in [(&SigningKey::from_seed(&[9; 32]), 1), (&stand.device, 2)] {
        assert!(stand.opened(&first, device, Nonce([nonce; 16])).is_err(), "another device, another request");
    }
    assert_eq!(stand.leaves().await, 1);

    // Again, by whoever: the same grant, and no second leaf.
    for token in [&tokens.0, &tokens.1] {
        let again = one(&stand.grant(&number, token).await);
        assert_eq!(stand.opened(&again, &stand.device, Nonce([1; 16])).unwrap(), granted);
    }
    assert_eq!(stand.leaves().await, 1);
    let view = stand.desk_get(&format!("/v1/cases/{number}"), &tokens.0).await.json();
    assert_eq!(
        (view["state"].as_str(), view["requests"][0]["answer"]["by"].as_str()),
        (Some("granted"), Some("grant"))
    );
    let key = stand.with_token(Method::POST, &format!("/v1/cases/{number}/key"), &tokens.0, None).await;
    assert_eq!((key.status.as_u16(), key.problem().as_str()), (409, "answered"), "one answer a request");
}

#[tokio::test]
async fn many_at_once_get_one_grant() {
    let stand = Arc::new(Stand::new().await);
    let tokens = desk(&stand).await;
    let number = stand.approved(1, &tokens).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (stand, number) = (stand.clone(), number.clone());
        let token = if n % 2 == 0 { tokens.0.clone() } else { tokens.1.clone() };
        calls.spawn(async move { stand.grant(&number, &token).await });
    }
    let mut grants: Vec<_> = Vec::new();
    for answer in calls.join_all().await {
        grants.push(stand.opened(&one(&answer), &stand.device, Nonce([1; 16])).unwrap());
    }
    grants.dedup();
    assert_eq!((grants.len(), stand.leaves().await), (1, 1));
}

#[tokio::test]
async fn nothing_is_handed_out_before_two_people_agreed() {
    let stand = Stand::new().await;
    let tokens = desk(&stand).await;
    let open = stand.open_case(1, &tokens.0).await;
    let refused = stand.approved(2, &tokens).await;
    let no = stand.desk_post(&format!("/v1/cases/{refused}/refuse"), &tokens.1, &json!({ "reason": "no" })).await;
    assert_eq!(no.status, 200);
    for number in [&open, &refused] {
        for call in ["grant", "key"] {
            for token in [&tokens.0, &tokens.1] {
                let answer = stand.with_token(Method::POST, &format!("/v1/cases/{number}/{call}"), token, None).await;
                assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (409, "wrong-state"), "{call}");
            }
        }
    }
    assert_eq!(stand.leaves().await, 0);
}

#[tokio::test]
async fn the_digits_are_shown_once_and_the_log_knows() {
    let stand = Stand::new().await;
    let tokens = desk(&stand).await;
    let number = stand.approved(1, &tokens).await;
    let path = format!("/v1/cases/{number}/key");
    let mut shown = Vec::new();
    for _ in 0..3 {
        shown.push(stand.with_token(Method::POST, &path, &tokens.0, None).await);
    }
    assert_eq!(shown[0].json(), json!({ "serial": SERIAL, "code": CODE }), "{}", shown[0].text());
    for again in &shown[1..] {
        assert_eq!((again.status.as_u16(), again.problem().as_str()), (409, "answered"));
    }
    assert_eq!(stand.leaves().await, 1);
    let view = stand.desk_get(&format!("/v1/cases/{number}"), &tokens.0).await.json();
    assert_eq!((view["state"].as_str(), view["requests"][0]["answer"]["by"].as_str()), (Some("granted"), Some("key")));
    assert!(!view.to_string().contains(CODE));
    assert_eq!(stand.grant(&number, &tokens.0).await.problem(), "answered");
    for entry in [json!({ "entry": 1 }), json!({ "entry": -1 }), json!({ "entry": "0" }), json!({ "other": 0 })] {
        assert_eq!(stand.desk_post(&path, &tokens.0, &entry).await.problem(), "malformed", "{entry}");
    }
}

#[tokio::test]
async fn digits_asked_for_many_times_at_once_are_shown_once() {
    let stand = Arc::new(Stand::new().await);
    let tokens = desk(&stand).await;
    let number = stand.approved(1, &tokens).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (stand, path, token) = (stand.clone(), format!("/v1/cases/{number}/key"), tokens.0.clone());
        calls.spawn(async move { stand.with_token(Method::POST, &path, &token, None).await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.problem() == "answered"));
    assert_eq!(stand.leaves().await, 1);
}

#[tokio::test]
async fn fifty_requests_one_approval_fifty_grants() {
    let mut stand = Stand::new().await;
    let tokens = desk(&stand).await;
    let devices: Vec<_> = (1..=50).map(|n| SigningKey::from_seed(&[n; 32])).collect();
    let mut entries = Vec::new();
    for (n, device) in (1..).zip(&devices) {
        stand.device = device.clone();
        entries.push(Entry::Request(stand.file(stand.asking(n, Ask::ResetByDesk))));
    }
    let xml = files::write(&Document::Batch(entries)).unwrap().to_string();
    let opened = stand.desk_post("/v1/cases", &tokens.0, &json!({ "file": xml })).await;
    assert_eq!(opened.status, 201, "{}", opened.text());
    let number = opened.json()["number"].as_str().unwrap().to_owned();
    let path = format!("/v1/cases/{number}");
    assert_eq!(stand.with_token(Method::POST, &format!("{path}/approve"), &tokens.1, None).await.status, 200);
    // One by telephone, the others by file.
    let key = stand.desk_post(&format!("{path}/key"), &tokens.0, &json!({ "entry": 7 })).await;
    assert_eq!(key.json()["code"], CODE);

    let first = stand.desk_post(&format!("{path}/grant"), &tokens.0, &json!({ "hours": 2 })).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let parts: usize = first.headers["sparekey-parts"].to_str().unwrap().parse().unwrap();
    assert_eq!(parts, 1, "{} bytes", first.body.len());
    let mut grants = Vec::new();
    for part in 1..=parts {
        let answer = stand.desk_post(&format!("{path}/grant"), &tokens.0, &json!({ "part": part })).await;
        let Document::Batch(entries) = files::parse(&answer.body).unwrap() else { panic!("{}", answer.text()) };
        grants.extend(entries.into_iter().map(|entry| match entry {
            Entry::Grant(grant) => grant,
            Entry::Request(_) => panic!("a request"),
        }));
    }
    let over = stand.desk_post(&format!("{path}/grant"), &tokens.0, &json!({ "part": parts + 1 })).await;
    assert_eq!(over.problem(), "malformed");
    assert_eq!(grants.len(), 49);
    for (n, device) in (1..).zip(&devices) {
        let own = grants.iter().filter(|file| stand.opened(file, device, Nonce([n; 16])).is_ok()).count();
        assert_eq!(own, usize::from(n != 8), "device {n}");
    }
    assert_eq!(stand.leaves().await, 50);
    let view = stand.desk_get(&path, &tokens.0).await.json();
    assert_eq!(view["state"], "granted");
    let answers: Vec<&Value> = view["requests"].as_array().unwrap().iter().map(|one| &one["answer"]["by"]).collect();
    assert!(answers.iter().enumerate().all(|(n, by)| **by == if n == 7 { "key" } else { "grant" }), "{answers:?}");
}

#[tokio::test]
async fn a_device_that_was_withdrawn_since_gets_nothing() {
    let stand = Stand::new().await;
    let tokens = desk(&stand).await;
    let number = stand.approved(1, &tokens).await;
    let maker = MakerId::of(&stand.maker.public().to_bytes());
    stand.service.withdraw(maker, &Serial::new(SERIAL).unwrap()).await.unwrap();
    assert_eq!(stand.grant(&number, &tokens.0).await.problem(), "withdrawn");
    let key = stand.with_token(Method::POST, &format!("/v1/cases/{number}/key"), &tokens.0, None).await;
    assert_eq!(key.problem(), "withdrawn");
    assert_eq!(stand.leaves().await, 0, "nothing could have helped");
}

#[tokio::test]
async fn how_long_a_grant_is_good_has_its_bounds() {
    let stand = Stand::new().await;
    let tokens = desk(&stand).await;
    let number = stand.approved(1, &tokens).await;
    let path = format!("/v1/cases/{number}/grant");
    for body in
        [json!({ "hours": 0 }), json!({ "hours": 25 }), json!({ "hours": -1 }), json!({ "part": 0 }), json!({ "x": 1 })]
    {
        assert_eq!(stand.desk_post(&path, &tokens.0, &body).await.problem(), "malformed", "{body}");
    }
    let file = one(&stand.desk_post(&path, &tokens.0, &json!({ "hours": 1 })).await);
    let granted = stand.opened(&file, &stand.device, Nonce([1; 16])).unwrap();
    assert_eq!(granted.not_after, granted.issued_at.plus(3_600));
}

/// A database of its own, where `SPAREKEY_TEST_POSTGRES` says where.
async fn postgres() -> Option<Database> {
    let admin = std::env::var("SPAREKEY_TEST_POSTGRES").ok()?;
    let name = format!("desk_{}", std::process::id());
    let mut connection = PgConnection::connect(&admin).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    let (server, _) = admin.rsplit_once('/').unwrap();
    Some(Database::Postgres(format!("{server}/{name}")))
}

#[tokio::test]
async fn the_whole_way_on_postgresql() {
    let Some(database) = postgres().await else { return };
    let stand = Stand::with(Options { database: Some(database), ..Options::default() }).await;
    let tokens = desk(&stand).await;
    let stranger = stand.operator("Olga", Role::Administrator, Some("Acme")).await;
    let number = stand.approved(1, &tokens).await;
    let path = format!("/v1/cases/{number}");
    for query in ["", "?state=approved", "?text=SK16", "?before=99", "?state=approved&text=SK16&before=99"] {
        let listed = stand.desk_get(&format!("/v1/cases{query}"), &tokens.0).await;
        assert_eq!(listed.json()["cases"].as_array().unwrap().len(), 1, "{query} {}", listed.text());
        let none = stand.desk_get(&format!("/v1/cases{query}"), &stranger).await;
        assert_eq!(none.json()["cases"].as_array().unwrap().len(), 0, "{query} {}", none.text());
    }
    assert_eq!(stand.desk_get(&path, &stranger).await.status, 404);
    for (call, body) in [("/notes", json!({ "text": "x" })), ("/hand-over", json!({ "organisation": "Acme" }))] {
        let answer = stand.desk_post(&format!("{path}{call}"), &tokens.0, &body).await;
        assert_eq!(answer.status, 200, "{call} {}", answer.text());
    }
    assert_eq!(stand.desk_get(&path, &stranger).await.status, 200);
    assert_eq!(stand.open_case_again(1, &tokens.0).await.0, 200, "the case that is there");
    let file = one(&stand.grant(&number, &tokens.0).await);
    stand.opened(&file, &stand.device, Nonce([1; 16])).unwrap();
    let second = stand.approved(2, &tokens).await;
    let key = stand.with_token(Method::POST, &format!("/v1/cases/{second}/key"), &tokens.0, None).await;
    assert_eq!(key.json()["code"], CODE, "{}", key.text());
    let third = stand.approved(3, &tokens).await;
    let refused = stand.desk_post(&format!("/v1/cases/{third}/refuse"), &tokens.1, &json!({ "reason": "no" })).await;
    assert_eq!(refused.status, 200, "{}", refused.text());
    assert_eq!(stand.leaves().await, 2);
    operators::remove(&stand.database(), &SystemClock, &Line::new("Ann").unwrap()).await.unwrap();
    assert_eq!(stand.desk_get(&path, &tokens.0).await.problem(), "not-logged-in");
}
