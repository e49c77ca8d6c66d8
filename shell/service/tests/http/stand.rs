//! A real service on a folder of its own, a maker, a device, and calls to the router as a connection would make them.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sparekey_mail::{Address, Letterhead, Transport};
use sparekey_protocol::request::{self, Ask, Contents};
use sparekey_protocol::{
    BaseUrl, Certificate, Code, Firmware, Language, Model, Nonce, OpeningPublicKey, ReservedEmail, Serial, SigningKey,
    Time,
};
use sparekey_service::http::{Flood, HttpSettings};
use sparekey_service::keys::Keys;
use sparekey_service::photo::PhotoReader;
use sparekey_service::public_log::LogSettings;
use sparekey_service::service::{self, DATABASE_FILE, Database, Service, Settings};
use sparekey_service::{Budgets, Clock, SystemClock};
use sparekey_web::listen::Peer;
use tower::ServiceExt;

pub(crate) const URL: &str = "https://recover.example.org";
pub(crate) const SERIAL: &str = "SK16-2026-004711";
pub(crate) const CODE: &str = "83120947";
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

pub(crate) struct Stand {
    dir: tempfile::TempDir,
    database: Database,
    pub(crate) service: Arc<Service>,
    pub(crate) router: Router,
    pub(crate) maker: SigningKey,
    pub(crate) device: SigningKey,
    pub(crate) opening: OpeningPublicKey,
}

/// An answer with its body read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The problem's name; checks the rest of its form.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text());
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        assert!(json["title"].is_string() && json["detail"].is_string());
        if let Some(seconds) = json.get("retry_after") {
            assert_eq!(self.headers["retry-after"], seconds.to_string().as_str());
        }
        json["type"]
            .as_str()
            .and_then(|name| name.strip_prefix("urn:sparekey:problem:"))
            .expect("our own prefix")
            .to_owned()
    }
}

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) mail: Option<String>,
    pub(crate) flood: Flood,
    pub(crate) trusted_proxies: Vec<&'static str>,
    pub(crate) budgets: Budgets,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    /// SQLite in its folder, if nothing else is said.
    pub(crate) database: Option<Database>,
}

/// A clock that a test moves.
#[derive(Default)]
pub(crate) struct Hands(AtomicU64);

impl Hands {
    pub(crate) fn on(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Time {
        Time(1_790_000_000 + self.0.load(Ordering::SeqCst))
    }
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let maker = SigningKey::from_seed(&[1; 32]);
        let database = options.database.unwrap_or_else(|| Database::Sqlite(dir.path().join(DATABASE_FILE)));
        service::init(dir.path(), &[maker.public()], &database).await.unwrap();
        let mail = options.mail.unwrap_or_else(|| format!("maildir:{}", dir.path().join("mail").display()));
        let settings = Settings {
            dir: dir.path().to_owned(),
            database: database.clone(),
            mail: Transport::from_url(&mail).unwrap(),
            letterhead: Letterhead::new("Recovery", Address::parse("recovery@recover.example.org").unwrap()),
            budgets: options.budgets,
            bounces: None,
            log: LogSettings::in_folder(dir.path().join("log")),
            clock: options.clock.unwrap_or_else(|| Arc::new(SystemClock)),
        };
        let service = Arc::new(Service::open(settings).await.unwrap());
        let http = HttpSettings {
            base_url: BaseUrl::new(URL).unwrap(),
            name: "Example Recovery".to_owned(),
            trusted_proxies: options.trusted_proxies.iter().map(|range| range.parse().unwrap()).collect(),
            flood: options.flood,
            photos: Arc::new(PhotoReader::new(decoder(), vec![], 1)),
        };
        let opening = Keys::public_halves(dir.path()).unwrap().opening;
        let router = sparekey_service::http::router(service.clone(), http);
        Self { dir, database, service, router, maker, device: SigningKey::from_seed(&[2; 32]), opening }
    }

    pub(crate) fn database(&self) -> Database {
        self.database.clone()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn certificate(&self) -> Vec<u8> {
        let (serial, model) = (Serial::new(SERIAL).unwrap(), Model::new("SK-NVR-16").unwrap());
        Certificate::new(&self.maker.public(), serial, model, &self.device.public()).sign(&self.maker)
    }

    /// A request of purpose 1; each `n` another.
    pub(crate) fn request(&self, n: u8) -> Vec<u8> {
        self.asking(n, Ask::ResetByEmail(ReservedEmail::new("owner@example.org").unwrap()))
    }

    pub(crate) fn asking(&self, n: u8, ask: Ask) -> Vec<u8> {
        self.seal(n, ask, &self.certificate())
    }

    /// With a certificate of the caller's.
    pub(crate) fn request_with(&self, certificate: &[u8]) -> Vec<u8> {
        self.seal(1, Ask::ResetByEmail(ReservedEmail::new("owner@example.org").unwrap()), certificate)
    }

    fn seal(&self, n: u8, ask: Ask, certificate: &[u8]) -> Vec<u8> {
        let contents = Contents {
            code: Code::parse(CODE).unwrap(),
            ask,
            firmware: Firmware::new("1.2.3").unwrap(),
            device_time: Time(1_790_000_000),
            start_time: Time(1_789_000_000),
            language: Language::new("en").unwrap(),
        };
        request::seal(&contents, Nonce([n; 16]), &[n; 32], certificate, &self.device, &self.opening).unwrap()
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        self.call_from(PEER, request).await
    }

    pub(crate) async fn call_from(&self, peer: IpAddr, mut request: Request<Body>) -> Answer {
        let addr = SocketAddr::new(peer, 4711);
        request.extensions_mut().insert(Peer { addr, local: ([127, 0, 0, 1], 7700).into(), tls: false });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes().to_vec() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// As a browser asks that navigates.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        self.call(Request::get(path).header("accept", "text/html,*/*;q=0.8").body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn submit(&self, request: &[u8]) -> Answer {
        self.post_json(&json!({ "request": sparekey_protocol::digits::encode(request) })).await
    }

    pub(crate) async fn post_json(&self, body: &Value) -> Answer {
        self.call(json_post(body)).await
    }

    /// The request once its mail is no longer queued.
    pub(crate) async fn settled(&self, id: &str) -> Value {
        for _ in 0..200 {
            let json = self.get(&format!("/v1/requests/{id}")).await.json();
            if json["mail"] != "queued" {
                return json;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the mail stayed in the queue");
    }

    /// All mails that were delivered.
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.dir().join("mail/new")) else { return Vec::new() };
        entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }
}

pub(crate) fn json_post(body: &Value) -> Request<Body> {
    Request::post("/v1/requests").header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
}

/// `examples/decode_photo.rs`, which cargo builds beside the tests.
pub(crate) fn decoder() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    deps.parent().and_then(Path::parent).unwrap().join("examples/decode_photo")
}

/// A PNG of the request's symbol.
pub(crate) fn photo(request: &[u8]) -> Vec<u8> {
    photo_of(&sparekey_protocol::qr::text(&BaseUrl::new(URL).unwrap(), request))
}

/// A PNG of the symbol of a text.
pub(crate) fn photo_of(text: &str) -> Vec<u8> {
    let symbol = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).unwrap();
    let (width, scale, quiet) = (symbol.width(), 6, 4);
    let side = ((width + 2 * quiet) * scale) as u32;
    let colors = symbol.to_colors();
    let picture = image::GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at as usize / scale).checked_sub(quiet).filter(|at| *at < width);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| colors[y * width + x] == qrcode::Color::Dark);
        image::Luma([if dark { 0 } else { 255 }])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}
