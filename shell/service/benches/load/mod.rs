//! What the benches of the service share: a service on loopback, and requests of devices that exist only as a key.
#![allow(dead_code, reason = "each bench uses its part")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    path::Path,
    sync::Arc,
};

use sparekey_mail::{Address, Letterhead, Transport};
use sparekey_protocol::{
    BaseUrl, Certificate, Code, Firmware, Language, Model, Nonce, OpeningKey, Serial, SigningKey, Time, pem,
    request::{self, Ask, Contents},
};
use sparekey_service::{
    Budget, Budgets, SystemClock,
    http::{self, Flood, HttpSettings},
    photo::PhotoReader,
    public_log::LogSettings,
    service::{DATABASE_FILE, Database, Service, Settings},
};
use sparekey_web::listen::{Listener, Scheme};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What is measured: SQLite, and PostgreSQL if `SPAREKEY_TEST_POSTGRES` names an empty database.
pub(crate) fn stores() -> Vec<&'static str> {
    let postgres = std::env::var_os("SPAREKEY_TEST_POSTGRES").map(|_| "PostgreSQL");
    ["SQLite"].into_iter().chain(postgres).collect()
}

/// The database of a store.
pub(crate) fn database(store: &str, dir: &Path) -> Database {
    match store {
        "SQLite" => Database::Sqlite(dir.join(DATABASE_FILE)),
        _ => Database::Postgres(std::env::var("SPAREKEY_TEST_POSTGRES").unwrap()),
    }
}

/// What requests are sealed to.
pub(crate) fn opening_key(dir: &Path) -> OpeningKey {
    pem::read_opening_key(&std::fs::read_to_string(dir.join("opening.key")).unwrap()).unwrap()
}

/// The `n`th device's request.
pub(crate) fn sealed(n: usize, ask: Ask, maker: &SigningKey, opening: &OpeningKey) -> Vec<u8> {
    let mut seed = [3; 32];
    seed[..8].copy_from_slice(&n.to_le_bytes());
    let device = SigningKey::from_seed(&seed);
    let serial = Serial::new(&format!("BENCH-{n}")).unwrap();
    let certificate =
        Certificate::new(&maker.public(), serial, Model::new("NVR-8").unwrap(), &device.public()).sign(maker);
    let contents = Contents {
        code: Code::from_seed(&[7; 16]),
        ask,
        firmware: Firmware::new("1.0").unwrap(),
        device_time: Time(1_790_000_000),
        start_time: Time(1_789_990_000),
        language: Language::new("en").unwrap(),
    };
    let nonce = Nonce(seed[..16].try_into().unwrap());
    request::seal(&contents, nonce, &seed, &certificate, &device, &opening.public()).unwrap()
}

/// A service that answers on loopback.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    service: Arc<Service>,
    served: JoinHandle<()>,
    stop: CancellationToken,
}

impl Server {
    pub(crate) async fn start(dir: &Path, database: Database) -> Self {
        let much = Budget { burst: 1_000_000, period: 1 };
        let settings = Settings {
            dir: dir.to_owned(),
            database,
            mail: Transport::from_url(&format!("maildir:{}", dir.join("mail").display())).unwrap(),
            letterhead: Letterhead::new("Bench", Address::parse("recovery@example.org").unwrap()),
            budgets: Budgets { network: much, ..Budgets::default() },
            bounces: None,
            log: LogSettings::in_folder(dir.join("log")),
            clock: Arc::new(SystemClock),
        };
        let service = Arc::new(Service::open(settings).await.unwrap());
        let many = NonZeroU32::new(1_000_000).unwrap();
        let http = HttpSettings {
            base_url: BaseUrl::new("http://127.0.0.1:7700").unwrap(),
            name: "Bench".to_owned(),
            trusted_proxies: Vec::new(),
            flood: Flood { per_second: many, burst: many },
            photos: Arc::new(PhotoReader::new("/nowhere".into(), Vec::new(), 1)),
        };
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Scheme::Plain).await.unwrap();
        let address = listener.local_addr();
        let stop = CancellationToken::new();
        let served = tokio::spawn(listener.serve(http::router(Arc::clone(&service), http), stop.clone()));

        Self { address, service, served, stop }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.served.await.unwrap();
        self.service.shutdown().await;
    }
}
