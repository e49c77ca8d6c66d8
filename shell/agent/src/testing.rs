//! A device to test with: its folder, its interface without a socket, and a service that only reads requests.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::request::Builder;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use sparekey_protocol::request::{self, Ask, Trust};
use sparekey_protocol::{
    BaseUrl, Card, CardName, Firmware, KeyId, MakerId, Model, OpeningKey, PublicKey, Serial, SigningKey, VerifierKey,
    qr,
};
use sparekey_web::listen::Peer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::agent::{Agent, start};
use crate::app::App;
use crate::files::Folder;
use crate::link::Door;
use crate::live::Start;
use crate::removable::Removable;
use crate::router;

pub(crate) const SERIAL: &str = "NVR-4216-0001";
pub(crate) const MODEL: &str = "SK-NVR-16";
pub(crate) const PASSWORD: &str = "lamp river orbit copper";
pub(crate) const NEW_PASSWORD: &str = "walnut pencil harbour tin";
pub(crate) const EMAIL: &str = "owner@example.org";

pub(crate) const SCREEN: &str = "127.0.0.1";
pub(crate) const ELSEWHERE: &str = "203.0.113.9";
/// Link-local: on the link whatever this machine's interfaces are.
pub(crate) const LINK: &str = "fe80::5";

pub(crate) fn maker() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

pub(crate) fn card() -> Vec<u8> {
    let maker = maker();
    let log = sparekey_protocol::log_verifier_key("recover.example.org/log", &SigningKey::from_seed(&[4; 32]).public());
    let card = Card {
        maker: MakerId::of(&maker.public().to_bytes()),
        edition: 1,
        name: CardName::new("Example recovery").unwrap(),
        url: BaseUrl::new("https://recover.example.org").unwrap(),
        opening_key: Service::new().0.public(),
        grant_key: SigningKey::from_seed(&[3; 32]).public().to_bytes(),
        log_key: VerifierKey::new(&log).unwrap(),
        witnesses: None,
    };
    card.sign(&maker)
}

/// A device's folder whose hashes are cheap.
pub(crate) fn device_folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (serial, model) = (Serial::new(SERIAL).unwrap(), Model::new(MODEL).unwrap());
    crate::folder::init(dir.path(), serial, model, &card(), &maker()).unwrap();
    let folder = Folder::new(dir.path());
    folder.replace("hashing.toml", b"memory_kib = 7168\npasses = 1\nlanes = 1\n").unwrap();
    folder.replace("settings.toml", b"listen = '127.0.0.1:0'\n").unwrap();
    dir
}

/// What a service does with a QR before it mails: it reads the code.
pub(crate) struct Service(OpeningKey);

impl Service {
    pub(crate) fn new() -> Self {
        Self(OpeningKey::from_bytes(&[2; 32]))
    }

    /// The code, and where it would be mailed.
    pub(crate) fn read(&self, qr_text: &str) -> (String, String) {
        assert!(qr_text.starts_with("https://recover.example.org/r#"));
        let request = request::open(&qr::read(qr_text).unwrap(), self).unwrap();
        let (Ask::ResetByEmail(email) | Ask::ConfirmEmail(email)) = &request.contents.ask else { panic!("no email") };
        (request.contents.code.expose().to_owned(), email.to_string())
    }
}

impl Trust for Service {
    fn maker(&self, _: MakerId) -> Option<PublicKey> {
        Some(maker().public())
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, _: KeyId) -> Option<&OpeningKey> {
        Some(&self.0)
    }
}

/// A device that was started, without a socket.
pub(crate) struct Running {
    pub(crate) app: Arc<App>,
    pub(crate) done: CancellationToken,
    main: Router,
    link: Router,
    agent: Agent,
    at: Start,
    pub(crate) dir: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }

    /// Asserts a problem, and returns its document.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), &self.headers["content-type"]),
            (status, &"application/problem+json".parse().unwrap()),
            "{}",
            self.text
        );
        let json = self.json();
        assert_eq!(json["type"], format!("urn:sparekey:problem:{name}"));
        assert!(json["title"].is_string() && json["detail"].is_string() && json["status"] == status);
        json
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        set.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with(name)).map(str::to_owned)
    }
}

impl Running {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// A device with these settings besides.
    pub(crate) async fn with(settings: &str) -> Self {
        let dir = device_folder();
        let settings = format!("listen = '127.0.0.1:0'\n{settings}");
        Folder::new(dir.path()).replace("settings.toml", settings.as_bytes()).unwrap();
        let agent = Agent::open(dir.path(), Firmware::new("4.30.1").unwrap()).unwrap();
        Self::start(dir, agent, Start::now(None)).await
    }

    /// A device that has an owner.
    pub(crate) async fn active() -> Self {
        let running = Self::new().await;
        let body = serde_json::json!({ "username": "admin", "password": PASSWORD, "reserved_emails": [EMAIL] });
        assert_eq!(running.post(SCREEN, "/api/v1/activation", body).await.status, 201);
        running
    }

    async fn start(dir: TempDir, agent: Agent, at: Start) -> Self {
        let done = CancellationToken::new();
        let mut app = start(&agent, &agent.https().unwrap(), None, at, done.clone()).await.unwrap();
        // Folders stand for sticks: a test mounts none.
        let sticks = Removable::with(vec![dir.path().join("media")], |_, _, _| true);
        Arc::get_mut(&mut app).unwrap().removable = sticks;
        let main = router::answering(&app, agent.hosts(), Door::Main).unwrap();
        let link = router::answering(&app, agent.hosts(), Door::Link).unwrap();
        Self { app, done, main, link, agent, at, dir }
    }

    /// As after `kill -9`: nothing of the memory is left.
    pub(crate) async fn killed_and_started(self) -> Self {
        let Self { app, main, link, agent, at, dir, .. } = self;
        drop((app, main, link));
        Self::start(dir, agent, Start::now(Some(at))).await
    }

    pub(crate) async fn send(&self, door: Door, peer: &str, request: Request<Body>) -> Answer {
        let addr = SocketAddr::new(peer.parse::<IpAddr>().unwrap(), 40_000);
        let local = SocketAddr::new(addr.ip(), 8443);
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(Peer { addr, local, tls: peer != SCREEN });
        parts.headers.entry(header::HOST).or_insert("127.0.0.1".parse().unwrap());
        let router = if door == Door::Main { &self.main } else { &self.link };
        let response = router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, peer: &str, path: &str) -> Answer {
        self.send(Door::Main, peer, Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn json(&self, request: Builder, peer: &str, body: Value) -> Answer {
        let request =
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap();
        self.send(Door::Main, peer, request).await
    }

    pub(crate) async fn post(&self, peer: &str, path: &str, body: Value) -> Answer {
        self.json(Request::post(path), peer, body).await
    }

    pub(crate) async fn put(&self, peer: &str, path: &str, body: Value) -> Answer {
        self.json(Request::put(path), peer, body).await
    }

    /// A session's token.
    pub(crate) async fn log_in(&self, peer: &str, password: &str) -> Result<String, Answer> {
        let body = serde_json::json!({ "username": "admin", "password": password });
        let answer = self.post(peer, "/api/v1/sessions", body).await;
        if answer.status == 201 { Ok(answer.json()["token"].as_str().unwrap().to_owned()) } else { Err(answer) }
    }

    /// An open recovery: its id, and the code that its owner reads in the mail.
    pub(crate) async fn forgot(&self, peer: &str) -> (String, String) {
        let answer = self.post(peer, "/api/v1/recoveries", serde_json::json!({ "method": "email" })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let (code, email) = Service::new().read(answer.json()["qr_text"].as_str().unwrap());
        assert_eq!(email, EMAIL);
        (answer.json()["id"].as_str().unwrap().to_owned(), code)
    }

    pub(crate) async fn prove(&self, peer: &str, id: &str, code: &str) -> Answer {
        self.post(peer, &format!("/api/v1/recoveries/{id}/proof"), serde_json::json!({ "code": code })).await
    }
}

/// Another code.
pub(crate) fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:08}", (number + 1) % 100_000_000)
}
