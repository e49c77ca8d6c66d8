//! `/v1/cases`: the desk by its interface (protocol section 12).

use axum::body::Body;
use http::{Method, Request};
use lopdf::encryption::{EncryptionState, EncryptionVersion, Permissions};
use lopdf::{Object, Stream, dictionary};
use serde_json::{Value, json};
use sparekey_protocol::files::{self, Document, Entry, RequestFile};
use sparekey_protocol::request::Ask;
use sparekey_protocol::{Firmware, MakerId, Model, ReservedEmail, Serial, Time, digits};
use sparekey_service::SystemClock;
use sparekey_service::cases::{Line, Role};
use sparekey_service::operators::{self, Entrance, NewOperator};

use crate::stand::{Answer, SERIAL, Stand, photo, photo_of};

impl Stand {
    /// The token of a new operator.
    pub(crate) async fn operator(&self, name: &str, role: Role, organisation: Option<&str>) -> String {
        let line = |text: &str| Line::new(text).unwrap();
        let new = NewOperator { name: line(name), role, organisation: organisation.map(line), token: true };
        token(operators::add(&self.database(), &SystemClock, &new).await.unwrap())
    }

    pub(crate) async fn with_token(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        self.call(match body {
            Some(body) => {
                request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
            }
            None => request.body(Body::empty()).unwrap(),
        })
        .await
    }

    pub(crate) async fn desk_get(&self, path: &str, token: &str) -> Answer {
        self.with_token(Method::GET, path, token, None).await
    }

    pub(crate) async fn desk_post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.with_token(Method::POST, path, token, Some(body)).await
    }

    /// Opens a case about request number `n`; its number.
    pub(crate) async fn open_case(&self, n: u8, token: &str) -> String {
        let request = digits::encode(&self.asking(n, Ask::ResetByDesk));
        let answer = self.desk_post("/v1/cases", token, &json!({ "request": request })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["number"].as_str().unwrap().to_owned()
    }

    /// Status and number of opening a case about a request that may have one.
    pub(crate) async fn open_case_again(&self, n: u8, token: &str) -> (u16, String) {
        let request = digits::encode(&self.asking(n, Ask::ResetByDesk));
        let answer = self.desk_post("/v1/cases", token, &json!({ "request": request })).await;
        (answer.status.as_u16(), answer.json()["number"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn file(&self, request: Vec<u8>) -> RequestFile {
        let (serial, model) = (Serial::new(SERIAL).unwrap(), Model::new("SK-NVR-16").unwrap());
        let firmware = Firmware::new("1.2.3").unwrap();
        RequestFile::new(&serial, &model, &firmware, Time(1_790_000_000), Time(1_789_000_000), request)
    }
}

pub(crate) fn token(entrance: Entrance) -> String {
    match entrance {
        Entrance::Token(secret) => secret.expose().to_string(),
        Entrance::Link(..) => panic!("a link in place of a token"),
    }
}

fn names(view: &Value, list: &str, member: &str) -> Vec<String> {
    let list = view[list].as_array().unwrap();
    list.iter().map(|one| one[member].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_case_is_opened_looked_into_and_approved_by_another() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let approver = stand.operator("Bob", Role::Approver, None).await;
    let request = digits::encode(&stand.asking(1, Ask::ResetByDesk));
    let body = json!({ "request": request, "name": "Owner", "contact": "owner@example.org", "note": "by telephone" });
    let answer = stand.desk_post("/v1/cases", &agent, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let view = answer.json();
    let number = view["number"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"].to_str().unwrap(), format!("/v1/cases/{number}"));
    assert!((1..=32).contains(&number.len()), "{number}");
    assert_eq!((view["state"].as_str(), view["opened_by"].as_str()), (Some("open"), Some("Ann")));
    let verified = &view["requests"][0]["verified"];
    assert_eq!((verified["serial"].as_str(), verified["model"].as_str()), (Some(SERIAL), Some("SK-NVR-16")));
    assert_eq!(verified["maker"], MakerId::of(&stand.maker.public().to_bytes()).to_string());
    assert_eq!(view["claimed"]["name"], "Owner");
    assert_eq!(names(&view, "facts", "what"), ["opened", "noted"]);

    // The same request again is the same case.
    let again = stand.desk_post("/v1/cases", &agent, &body).await;
    assert_eq!((again.status.as_u16(), again.json()["number"].as_str()), (200, Some(number.as_str())));

    let path = format!("/v1/cases/{number}");
    assert_eq!(stand.desk_post(&format!("{path}/notes"), &agent, &json!({ "text": "label seen" })).await.status, 200);
    let own = stand.with_token(Method::POST, &format!("{path}/approve"), &agent, None).await;
    assert_eq!((own.status.as_u16(), own.problem().as_str()), (403, "not-allowed"));
    let approved = stand.with_token(Method::POST, &format!("{path}/approve"), &approver, None).await;
    assert_eq!(approved.status, 200, "{}", approved.text());
    assert_eq!(
        (approved.json()["state"].as_str(), approved.json()["approved_by"].as_str()),
        (Some("approved"), Some("Bob"))
    );

    let list = stand.desk_get("/v1/cases?state=approved", &agent).await.json();
    assert_eq!(names(&list, "cases", "number"), [number.as_str()]);
    for (query, found) in [("state=open", 0), ("text=SK16", 1), ("text=sk17", 0), (&*format!("text={number}"), 1)] {
        let list = stand.desk_get(&format!("/v1/cases?{query}"), &agent).await.json();
        assert_eq!(list["cases"].as_array().unwrap().len(), found, "{query}");
    }
    let refused =
        stand.desk_post(&format!("{path}/refuse"), &approver, &json!({ "reason": "no invoice" })).await.json();
    assert_eq!((refused["state"].as_str(), refused["reason"].as_str()), (Some("refused"), Some("no invoice")));
    let late = stand.with_token(Method::POST, &format!("{path}/approve"), &approver, None).await;
    assert_eq!((late.status.as_u16(), late.problem().as_str()), (409, "wrong-state"));
    // A refused request may be tried anew, with its history in sight.
    let anew = stand.desk_post("/v1/cases", &agent, &body).await;
    assert_eq!(anew.status, 201);
    let history = anew.json()["requests"][0]["history"].clone();
    assert!(history.as_array().unwrap().iter().any(|past| past["number"] == *number), "{history}");
}

#[tokio::test]
async fn every_form_opens_a_case() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let send = async |kind: &str, body: Vec<u8>| {
        let request = Request::post("/v1/cases")
            .header("authorization", format!("Bearer {agent}"))
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap();
        stand.call(request).await
    };
    let xml = |request| files::write(&Document::Request(stand.file(request))).unwrap().to_string();
    let by_file = send("application/xml", xml(stand.asking(1, Ask::ResetByDesk)).into_bytes()).await;
    assert_eq!((by_file.status.as_u16(), by_file.json()["source"].as_str()), (201, Some("file")), "{}", by_file.text());
    assert_eq!(by_file.json()["requests"][0]["claims"], json!([]));
    let by_photo = send("image/png", photo(&stand.asking(2, Ask::ResetByDesk))).await;
    assert_eq!(
        (by_photo.status.as_u16(), by_photo.json()["source"].as_str()),
        (201, Some("photo")),
        "{}",
        by_photo.text()
    );
    let text = xml(stand.asking(3, Ask::ResetByDesk));
    let in_json = stand.desk_post("/v1/cases", &agent, &json!({ "file": text })).await;
    assert_eq!(in_json.status, 201, "{}", in_json.text());

    // A phone handed it in before; the owner told the desk its id.
    let handed_in = stand.submit(&stand.asking(4, Ask::ResetByDesk)).await.json();
    let by_id = stand.desk_post("/v1/cases", &agent, &json!({ "request_id": handed_in["id"] })).await;
    assert_eq!((by_id.status.as_u16(), by_id.json()["source"].as_str()), (201, Some("request")), "{}", by_id.text());
    let mailed = stand.submit(&stand.request(5)).await.json();
    for id in [mailed["id"].as_str().unwrap(), "AAAAAAAAAAAAAAAAAAAAAAAA", "x"] {
        let answer = stand.desk_post("/v1/cases", &agent, &json!({ "request_id": id })).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (400, "malformed"));
        assert_eq!(answer.json()["field"], "request_id", "all alike");
    }
}

#[tokio::test]
async fn what_a_file_claims_stands_apart_from_what_is_verified() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let mut file = stand.file(stand.asking(1, Ask::ResetByDesk));
    file.serial = "SOMEBODY-ELSES".to_owned();
    file.model = "<script>alert(1)</script>".to_owned();
    let xml = files::write(&Document::Request(file)).unwrap().to_string();
    let view = stand.desk_post("/v1/cases", &agent, &json!({ "file": xml })).await.json();
    assert_eq!(view["requests"][0]["verified"]["serial"], SERIAL);
    assert_eq!(
        view["requests"][0]["claims"],
        json!([
            { "element": "Serial", "text": "SOMEBODY-ELSES" },
            { "element": "Model", "text": "<script>alert(1)</script>" },
        ])
    );
}

#[tokio::test]
async fn a_batch_is_one_case_with_a_result_each() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let email = ReservedEmail::new("owner@example.org").unwrap();
    let mut altered = stand.asking(3, Ask::ResetByDesk);
    *altered.last_mut().unwrap() ^= 1;
    let requests = [
        stand.asking(1, Ask::ResetByDesk),
        stand.asking(2, Ask::ResetByEmail(email)),
        altered,
        stand.asking(4, Ask::ResetByDesk),
    ];
    let entries = requests.into_iter().map(|request| Entry::Request(stand.file(request))).collect();
    let xml = files::write(&Document::Batch(entries)).unwrap().to_string();
    let answer = stand.desk_post("/v1/cases", &agent, &json!({ "file": xml })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let view = answer.json();
    assert_eq!(names(&view, "requests", "refused"), ["", "not-for-the-desk", "bad-signature", ""]);
    let lines = stand.desk_get("/v1/cases", &agent).await.json();
    assert_eq!(lines["cases"][0]["requests"], 2);
    let again = stand.desk_post("/v1/cases", &agent, &json!({ "file": xml })).await;
    assert_eq!((again.status.as_u16(), &again.json()["number"]), (200, &view["number"]));
}

/// Few requests make no many cases, however they are put together; and a second sender is heard of.
#[tokio::test]
async fn each_request_has_one_case_and_shows_who_else_sent_it() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let requests: Vec<_> = (1..=3).map(|n| stand.asking(n, Ask::ResetByDesk)).collect();
    let batch = |places: [usize; 2]| {
        let entries = places.iter().map(|place| Entry::Request(stand.file(requests[*place].clone()))).collect();
        json!({ "file": files::write(&Document::Batch(entries)).unwrap().to_string() })
    };
    let first = stand.desk_post("/v1/cases", &agent, &batch([0, 1])).await;
    let second = stand.desk_post("/v1/cases", &agent, &batch([1, 2])).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(names(&second.json(), "requests", "refused"), ["in-a-case", ""]);
    for places in [[0, 2], [2, 1], [0, 1], [1, 0]] {
        assert_eq!(stand.desk_post("/v1/cases", &agent, &batch(places)).await.status, 200, "{places:?}");
    }
    assert_eq!(stand.desk_get("/v1/cases", &agent).await.json()["cases"].as_array().unwrap().len(), 2);

    let mut again = batch([0, 1]);
    (again["name"], again["contact"]) = (json!("Nora Neighbour"), json!("nora@example.org"));
    let shown = stand.desk_post("/v1/cases", &agent, &again).await;
    let view = shown.json();
    assert_eq!((shown.status.as_u16(), &view["number"]), (200, &first.json()["number"]));
    assert_eq!(view["also_claimed"][0]["contact"], "nora@example.org");
    assert_eq!(names(&view, "facts", "what"), ["opened", "sent-again"]);
}

#[tokio::test]
async fn files_that_are_none_are_refused() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let good = files::write(&Document::Request(stand.file(stand.asking(1, Ask::ResetByDesk)))).unwrap().to_string();
    let bomb = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"{}\">{}]><RecoveryRequest xmlns=\"urn:sparekey:recovery:1\">&z;</RecoveryRequest>",
        "lol".repeat(50),
        ('b'..='z')
            .map(|c| format!("<!ENTITY {c} \"{}\">", format!("&{};", (c as u8 - 1) as char).repeat(10)))
            .collect::<String>()
    );
    let external = good.replacen(
        "<RecoveryRequest",
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><RecoveryRequest",
        1,
    );
    let doubled = good.replacen("<Serial>", "<Serial>A</Serial><Serial>", 1);
    let two_payloads = {
        let start = good.find("<Payload>").unwrap();
        let end = good.find("</Payload>").unwrap() + "</Payload>".len();
        good.replacen(&good[start..end], &good[start..end].repeat(2), 1)
    };
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    for (what, file, status, name) in [
        ("entities that grow", bomb, 400, "malformed"),
        ("an external entity", external, 400, "malformed"),
        ("an element twice", doubled, 400, "malformed"),
        ("two payloads", two_payloads, 400, "malformed"),
        ("one byte too many", padded(65_537), 413, "too-large"),
        ("not a file of ours", "<html></html>".to_owned(), 400, "malformed"),
        ("nothing", String::new(), 400, "malformed"),
    ] {
        for by_json in [true, false] {
            let answer = if by_json {
                stand.desk_post("/v1/cases", &agent, &json!({ "file": file })).await
            } else {
                let request = Request::post("/v1/cases")
                    .header("authorization", format!("Bearer {agent}"))
                    .header("content-type", "text/xml; charset=utf-8")
                    .body(Body::from(file.clone()))
                    .unwrap();
                stand.call(request).await
            };
            assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, name), "{what}");
        }
    }
    assert_eq!(stand.desk_post("/v1/cases", &agent, &json!({ "file": padded(65_536) })).await.status, 201);
}

#[tokio::test]
async fn what_is_asked_for_is_exactly_one_thing() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    for body in [
        json!({}),
        json!({ "request": "1", "file": "x" }),
        json!({ "request": "1", "unknown": 1 }),
        json!({ "request": "123" }),
        json!({ "request": 1 }),
    ] {
        let answer = stand.desk_post("/v1/cases", &agent, &body).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (400, "malformed"), "{body}");
    }
    let request = digits::encode(&stand.asking(1, Ask::ResetByDesk));
    for (field, length) in [("name", 255), ("contact", 255), ("language", 17), ("note", 4_001)] {
        let answer =
            stand.desk_post("/v1/cases", &agent, &json!({ "request": request, field: "x".repeat(length) })).await;
        assert_eq!((answer.problem().as_str(), answer.json()["field"].as_str()), ("malformed", Some(field)));
    }
    assert_eq!(stand.desk_get("/v1/cases", &agent).await.json()["cases"], json!([]));
}

#[tokio::test]
async fn without_a_token_there_is_no_desk() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let number = stand.open_case(1, &agent).await;
    let altered = agent.chars().rev().collect::<String>();
    for header in
        [None, Some("Bearer"), Some("Bearer x"), Some(&*format!("Bearer {altered}")), Some(&*format!("Basic {agent}"))]
    {
        for (method, path) in [
            (Method::GET, "/v1/cases".to_owned()),
            (Method::POST, "/v1/cases".to_owned()),
            (Method::GET, format!("/v1/cases/{number}")),
            (Method::POST, format!("/v1/cases/{number}/approve")),
            (Method::POST, format!("/v1/cases/{number}/refuse")),
        ] {
            let mut request = Request::builder().method(method).uri(&path);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = stand.call(request.body(Body::from("x".repeat(100_000))).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (401, "not-logged-in"), "{path}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn one_person_with_two_tokens_is_one_person() {
    let stand = Stand::new().await;
    let first = stand.operator("Bob", Role::Approver, None).await;
    let second = token(operators::token(&stand.database(), &SystemClock, &Line::new("Bob").unwrap()).await.unwrap());
    assert_ne!(first, second);
    let number = stand.open_case(1, &first).await;
    for token in [&first, &second] {
        let answer = stand.with_token(Method::POST, &format!("/v1/cases/{number}/approve"), token, None).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (403, "own-case"));
    }
}

#[tokio::test]
async fn a_distributor_sees_and_touches_its_own_only() {
    let stand = Stand::new().await;
    let maker = stand.operator("Ann", Role::Agent, None).await;
    let ours = stand.operator("Olga", Role::Administrator, Some("Acme")).await;
    let theirs = stand.operator("Theo", Role::Agent, Some("Other")).await;
    let (makers, others) = (stand.open_case(1, &maker).await, stand.open_case(2, &theirs).await);
    for number in [makers.as_str(), others.as_str(), "2026-999999", "x", "%2e%2e", "a%00b"] {
        let path = format!("/v1/cases/{number}");
        let answers = [
            stand.desk_get(&path, &ours).await,
            stand.desk_post(&format!("{path}/notes"), &ours, &json!({ "text": "x" })).await,
            stand.desk_post(&format!("{path}/checklist"), &ours, &json!({ "item": 0, "done": true })).await,
            stand.desk_post(&format!("{path}/hand-over"), &ours, &json!({ "organisation": "Acme" })).await,
            stand.desk_post(&format!("{path}/hand-over"), &ours, &json!({ "organisation": null })).await,
            stand.with_token(Method::POST, &format!("{path}/approve"), &ours, None).await,
            stand.desk_post(&format!("{path}/refuse"), &ours, &json!({ "reason": "x" })).await,
        ];
        let nowhere = stand.desk_get("/v1/cases/1970-000001", &ours).await;
        for answer in answers {
            assert_eq!(answer.body, nowhere.body, "like one that is not there: {path}");
            assert_eq!(answer.status, 404);
        }
    }
    assert_eq!(stand.desk_get("/v1/cases", &ours).await.json()["cases"], json!([]));
    // Its own view of the same request knows nothing of the others.
    let own = stand.open_case(1, &ours).await;
    assert_ne!(own, makers);
    let view = stand.desk_get(&format!("/v1/cases/{own}"), &ours).await.json();
    assert!(view["requests"][0]["history"].as_array().unwrap().iter().all(|past| past["what"] != "case"), "{view}");

    // Handed over, it is Acme's; and the maker still sees it.
    let over =
        stand.desk_post(&format!("/v1/cases/{makers}/hand-over"), &maker, &json!({ "organisation": "Acme" })).await;
    assert_eq!((over.status.as_u16(), over.json()["organisation"].as_str()), (200, Some("Acme")));
    assert_eq!(stand.desk_get(&format!("/v1/cases/{makers}"), &ours).await.status, 200);
    assert_eq!(stand.desk_get(&format!("/v1/cases/{makers}"), &maker).await.status, 200);
    assert_eq!(stand.desk_get(&format!("/v1/cases/{makers}"), &theirs).await.status, 404);
    let on =
        stand.desk_post(&format!("/v1/cases/{makers}/hand-over"), &ours, &json!({ "organisation": "Other" })).await;
    assert_eq!(on.problem(), "not-allowed");
    let back = stand.desk_post(&format!("/v1/cases/{makers}/hand-over"), &ours, &json!({ "organisation": null })).await;
    assert_eq!(back.status, 200);
    assert_eq!(stand.desk_get(&format!("/v1/cases/{makers}"), &ours).await.status, 404);
}

#[tokio::test]
async fn an_organisation_opens_what_is_in_its_ranges() {
    let stand = Stand::new().await;
    let agent = stand.operator("Olga", Role::Agent, Some("Acme")).await;
    let name = Line::new("Acme").unwrap();
    let set = async |range: &str| {
        operators::organisation(&stand.database(), &SystemClock, &name, &[range.parse().unwrap()]).await.unwrap();
        let request = digits::encode(&stand.asking(1, Ask::ResetByDesk));
        stand.desk_post("/v1/cases", &agent, &json!({ "request": request })).await
    };
    let refused = set("OTHER-*").await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (403, "not-yours"));
    assert_eq!(set("SK16-2026-004000..SK16-2026-004999").await.status, 201);
}

#[tokio::test]
async fn approve_and_refuse_at_once_are_exactly_one() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let approver = stand.operator("Bob", Role::Approver, None).await;
    let other = stand.operator("Eve", Role::Approver, None).await;
    for n in 1..8 {
        let number = stand.open_case(n, &agent).await;
        let (approve, refuse) = (format!("/v1/cases/{number}/approve"), format!("/v1/cases/{number}/refuse"));
        let reason = json!({ "reason": "no" });
        let (approved, refused, again) = tokio::join!(
            stand.with_token(Method::POST, &approve, &approver, None),
            stand.desk_post(&refuse, &other, &reason),
            stand.desk_post(&refuse, &approver, &reason),
        );
        let view = stand.desk_get(&format!("/v1/cases/{number}"), &agent).await.json();
        let whats = names(&view, "facts", "what");
        assert_eq!(whats.iter().filter(|what| *what == "refused").count(), 1, "{whats:?}");
        assert_eq!(view["state"], "refused", "an approved case may still be refused, a refused one is over");
        assert_eq!([&refused, &again].iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(approved.status == 200 || approved.problem() == "wrong-state");
    }
}

#[tokio::test]
async fn a_removed_operator_is_out_at_once() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let number = stand.open_case(1, &agent).await;
    let name = Line::new("Ann").unwrap();
    operators::remove(&stand.database(), &SystemClock, &name).await.unwrap();
    assert_eq!(stand.desk_get("/v1/cases", &agent).await.problem(), "not-logged-in");
    assert!(operators::remove(&stand.database(), &SystemClock, &name).await.is_err());
    // Somebody new with the name is somebody else.
    let new = stand.operator("Ann", Role::Approver, None).await;
    let answer = stand.with_token(Method::POST, &format!("/v1/cases/{number}/approve"), &new, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn each_role_does_its_part() {
    let stand = Stand::new().await;
    let viewer = stand.operator("Vic", Role::Viewer, None).await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let request = digits::encode(&stand.asking(1, Ask::ResetByDesk));
    assert_eq!(stand.desk_post("/v1/cases", &viewer, &json!({ "request": request })).await.problem(), "not-allowed");
    let number = stand.open_case(1, &agent).await;
    let path = format!("/v1/cases/{number}");
    let view = stand.desk_get(&path, &viewer).await;
    assert_eq!((view.status.as_u16(), &view.json()["may"]), (200, &json!([])));
    for (call, body) in [
        ("notes", json!({ "text": "x" })),
        ("refuse", json!({ "reason": "x" })),
        ("hand-over", json!({ "organisation": null })),
    ] {
        assert_eq!(stand.desk_post(&format!("{path}/{call}"), &viewer, &body).await.problem(), "not-allowed", "{call}");
    }
    let other = stand.operator("Ben", Role::Agent, None).await;
    let approve = stand.with_token(Method::POST, &format!("{path}/approve"), &other, None).await;
    assert_eq!(approve.problem(), "not-allowed");
    assert_eq!(
        stand.desk_post(&format!("{path}/refuse"), &other, &json!({ "reason": "x" })).await.problem(),
        "not-allowed"
    );
    assert_eq!(stand.desk_post(&format!("{path}/refuse"), &agent, &json!({ "reason": "mistaken" })).await.status, 200);
}

#[tokio::test]
async fn a_withdrawn_device_gets_no_case() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let maker = MakerId::of(&stand.maker.public().to_bytes());
    stand.service.withdraw(maker, &Serial::new(SERIAL).unwrap()).await.unwrap();
    let request = digits::encode(&stand.asking(1, Ask::ResetByDesk));
    assert_eq!(stand.desk_post("/v1/cases", &agent, &json!({ "request": request })).await.problem(), "withdrawn");
}

/// A PDF of one page, with its author and a script.
fn invoice() -> Vec<u8> {
    let mut file = lopdf::Document::with_version("1.5");
    let contents = file.add_object(Stream::new(dictionary! {}, b"(an invoice) Tj".to_vec()));
    let above = file.new_object_id();
    let page = file.add_object(dictionary! { "Type" => "Page", "Parent" => above, "Contents" => contents });
    file.set_object(above, dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 });
    let script = dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("app.alert(1)") };
    let catalog = file.add_object(dictionary! { "Type" => "Catalog", "Pages" => above, "OpenAction" => script });
    let info = file.add_object(dictionary! { "Author" => Object::string_literal("Anna") });
    file.trailer.set("Root", catalog);
    file.trailer.set("Info", info);
    file.trailer.set("ID", vec![Object::string_literal("1"), Object::string_literal("1")]);
    let mut bytes = Vec::new();
    file.save_to(&mut bytes).unwrap();
    bytes
}

fn encrypted(pdf: &[u8]) -> Vec<u8> {
    let mut file = lopdf::Document::load_mem(pdf).unwrap();
    let (owner_password, user_password, permissions) = ("owner", "user", Permissions::all());
    let version =
        EncryptionVersion::V2 { document: &file, owner_password, user_password, key_length: 128, permissions };
    let state = EncryptionState::try_from(version).unwrap();
    file.encrypt(&state).unwrap();
    let mut bytes = Vec::new();
    file.save_to(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn evidence_is_written_anew() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let viewer = stand.operator("Vic", Role::Viewer, None).await;
    let stranger = stand.operator("Olga", Role::Administrator, Some("Acme")).await;
    let number = stand.open_case(1, &agent).await;
    let attach = async |token: &str, kind: &str, bytes: Vec<u8>| {
        let request = Request::post(format!("/v1/cases/{number}/evidence?name=Label%20%3Cb%3E"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind)
            .body(Body::from(bytes))
            .unwrap();
        stand.call(request).await
    };
    let mut picture = photo_of("a label");
    picture.extend_from_slice(b"GPS 48.1N <script>");
    let answer = attach(&agent, "image/png", picture.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["evidence"][0]["kind"], "picture");
    assert_eq!(answer.json()["evidence"][0]["name"], "Label <b>");
    let pdf = invoice();
    // What it is called does not matter: the content does.
    assert_eq!(attach(&agent, "image/jpeg", pdf.clone()).await.json()["evidence"][1]["kind"], "pdf");

    for (token, status) in [(&agent, 200), (&viewer, 200), (&stranger, 404)] {
        let shown = stand.desk_get(&format!("/v1/cases/{number}/evidence/0"), token).await;
        assert_eq!(shown.status.as_u16(), status);
        if status == 200 {
            assert_eq!(shown.headers["content-type"], "image/jpeg");
            assert!(shown.body.starts_with(&[0xff, 0xd8, 0xff]) && !shown.body.windows(3).any(|w| w == b"GPS"));
        }
        let saved = stand.desk_get(&format!("/v1/cases/{number}/evidence/1"), token).await;
        assert_eq!(saved.status.as_u16(), status);
        if status == 200 {
            assert_eq!(saved.headers["content-type"], "application/pdf");
            let holds = |what: &[u8]| saved.body.windows(what.len()).any(|window| window == what);
            assert!(saved.body.starts_with(b"%PDF-1.7") && holds(b"(an invoice) Tj"), "{}", saved.text());
            assert!(!holds(b"Anna") && !holds(b"JavaScript"), "{}", saved.text());
            assert!(saved.headers["content-disposition"].to_str().unwrap().starts_with("attachment; "));
            let policy = saved.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
            assert_eq!(saved.headers["x-content-type-options"], "nosniff");
        }
    }
    for place in ["2", "-1", "x", "4294967295"] {
        assert_eq!(
            stand.desk_get(&format!("/v1/cases/{number}/evidence/{place}"), &agent).await.status,
            404,
            "{place}"
        );
    }
    assert_eq!(attach(&viewer, "image/png", picture.clone()).await.problem(), "not-allowed");
    assert_eq!(attach(&stranger, "image/png", picture).await.problem(), "not-found");

    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let mut bomb = photo_of("bomb");
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    for (what, kind, bytes, problem) in [
        ("an SVG", "image/svg+xml", svg.clone(), "bad-evidence"),
        ("an SVG that calls itself PNG", "image/png", svg, "bad-evidence"),
        ("HTML that calls itself PDF", "application/pdf", b"<html>".to_vec(), "bad-evidence"),
        ("a PDF without an end", "application/pdf", b"%PDF-1.7\n<html>".to_vec(), "bad-pdf"),
        ("a script with the ends of a PDF", "application/pdf", b"%PDF-1.7\n<script>\n%%EOF\n".to_vec(), "bad-pdf"),
        ("an encrypted PDF", "application/pdf", encrypted(&invoice()), "locked-pdf"),
        ("a GIF", "image/gif", b"GIF89a".to_vec(), "bad-evidence"),
        ("a header that claims ten gigapixels", "image/png", bomb, "bad-evidence"),
        ("nothing", "image/png", Vec::new(), "bad-evidence"),
        (
            "a PDF of nine megabytes",
            "application/pdf",
            [b"%PDF-1.7".to_vec(), vec![b' '; 9 << 20], b"%%EOF".to_vec()].concat(),
            "too-large",
        ),
        ("thirteen megabytes", "image/png", vec![0; 13 << 20], "too-large"),
    ] {
        let answer = attach(&agent, kind, bytes).await;
        assert_eq!(answer.problem(), problem, "{what}");
    }
    let view = stand.desk_get(&format!("/v1/cases/{number}"), &agent).await.json();
    assert_eq!(view["evidence"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_owner_sees_how_it_stands_and_nothing_more() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let approver = stand.operator("Bob", Role::Approver, None).await;
    let id = stand.submit(&stand.asking(1, Ask::ResetByDesk)).await.json()["id"].as_str().unwrap().to_owned();
    let view = async || stand.get(&format!("/v1/requests/{id}")).await.json();
    assert_eq!(view().await.get("desk"), None);
    assert!(stand.page(&format!("/requests/{id}")).await.text().contains(&id), "to be told to the desk");
    let body = json!({ "request_id": id, "note": "a secret note" });
    let number = stand.desk_post("/v1/cases", &agent, &body).await.json()["number"].as_str().unwrap().to_owned();
    for (call, token, body, state) in [
        ("", &agent, None, "open"),
        ("/approve", &approver, Some(json!({})), "approved"),
        ("/refuse", &approver, Some(json!({ "reason": "a secret reason" })), "refused"),
    ] {
        if let Some(body) = body {
            stand.desk_post(&format!("/v1/cases/{number}{call}"), token, &body).await;
        }
        assert_eq!(view().await["desk"], state);
        let page = stand.page(&format!("/requests/{id}")).await;
        for secret in ["secret", "Ann", "Bob", &number] {
            assert!(!page.text().contains(secret) && !view().await.to_string().contains(secret), "{state}: {secret}");
        }
    }
}

#[tokio::test]
async fn a_refusal_is_told_to_who_left_an_address() {
    let stand = Stand::new().await;
    let agent = stand.operator("Ann", Role::Agent, None).await;
    let open = async |n: u8, contact: &str, language: &str| {
        let request = digits::encode(&stand.asking(n, Ask::ResetByDesk));
        let body = json!({ "request": request, "contact": contact, "language": language });
        let opened = stand.desk_post("/v1/cases", &agent, &body).await;
        opened.json()["number"].as_str().unwrap_or_else(|| panic!("{}", opened.text())).to_owned()
    };
    let refuse = async |number: &str| {
        let reason = json!({ "reason": "Die Rechnung fehlt.\nMehr: http://evil.example" });
        let refused = stand.desk_post(&format!("/v1/cases/{number}/refuse"), &agent, &reason).await;
        assert_eq!(refused.status, 200, "{}", refused.text());
        refused.json()
    };
    let told = open(1, "owner@example.org", "de").await;
    for (n, contact) in [(2, ""), (3, "+49 89 1234"), (4, "a@b\r\nBcc: c@d.example")] {
        refuse(&open(n, contact, "de").await).await;
    }
    refuse(&told).await;
    let facts = async |number: &str| {
        let view = stand.desk_get(&format!("/v1/cases/{number}"), &agent).await.json();
        names(&view, "facts", "what")
    };
    for _ in 0..400 {
        if facts(&told).await.iter().any(|what| what == "mail-sent") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(facts(&told).await, ["opened", "refused", "mail-sent"]);
    let mails = stand.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    let mail = mail_parser::MessageParser::default().parse(mails[0].as_bytes()).unwrap();
    assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("owner@example.org"));
    let text = mail.body_text(0).unwrap();
    assert!(text.contains("Die Rechnung fehlt.") && text.contains(&told) && text.contains(SERIAL), "{text}");
    assert!(!text.contains("://"), "{text}");

    // Nobody's mailbox is filled by a desk that refuses and refuses.
    let mut last = String::new();
    for n in 10..17 {
        last = open(n, "Owner@Example.org", "de").await;
        refuse(&last).await;
    }
    assert_eq!(facts(&last).await, ["opened", "refused", "mail-refused"]);
}
