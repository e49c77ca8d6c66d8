//! Requests opened and stored durably per second, over real HTTP on loopback, beside the bare cryptography of one request.
//!
//! `cargo bench -p sparekey-service --bench requests` measures SQLite; with `SPAREKEY_TEST_POSTGRES=postgres://…` (an empty
//! database) PostgreSQL too. The load comes from this same process and machine, so it takes its share of the processors.
//! Each request is another device's, with an address of its own; mails go into a folder while it is measured.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sparekey_mail::{Address, Letterhead, Transport};
use sparekey_protocol::{
    BaseUrl, Certificate, Code, Firmware, KeyId, Language, MakerId, Model, Nonce, OpeningKey, PublicKey, ReservedEmail,
    Serial, SigningKey, Time, digits, pem,
    request::{self, Ask, Contents, Trust},
};
use sparekey_service::{
    Budget, Budgets, SystemClock,
    http::{self, Flood, HttpSettings},
    photo::PhotoReader,
    public_log::LogSettings,
    service::{self, DATABASE_FILE, Database, Service, Settings},
};
use sparekey_web::listen::{Listener, Scheme};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};
use tokio_util::sync::CancellationToken;

/// Requests of one measurement.
const REQUESTS: usize = 6_000;

fn main() {
    // `cargo test` runs benches too, to see that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let maker = SigningKey::from_seed(&[1; 32]);
    let runtime = tokio::runtime::Runtime::new().unwrap();

    println!("| store | clients | requests/s | p50 ms | p99 ms | of the bare cryptography |");
    println!("|---|---|---|---|---|---|");
    let mut stores = vec!["SQLite"];
    if std::env::var_os("SPAREKEY_TEST_POSTGRES").is_some() {
        stores.push("PostgreSQL");
    }
    for store in stores {
        let dir = tempfile::tempdir().unwrap();
        let database = match store {
            "SQLite" => Database::Sqlite(dir.path().join(DATABASE_FILE)),
            _ => Database::Postgres(std::env::var("SPAREKEY_TEST_POSTGRES").unwrap()),
        };
        runtime.block_on(service::init(dir.path(), &[maker.public()], &database)).unwrap();
        let opening = pem::read_opening_key(&std::fs::read_to_string(dir.path().join("opening.key")).unwrap()).unwrap();

        let mut made = 0;
        for clients in [1, 8, 64] {
            let requests: Vec<Vec<u8>> = (made..made + REQUESTS).map(|n| sealed(n, &maker, &opening)).collect();
            made += REQUESTS;
            let bare = bare(&requests, &Known { maker: maker.public(), opening: opening.clone() });
            let mut took = runtime.block_on(measure(dir.path(), database.clone(), &requests, clients));
            let rate = REQUESTS as f64 / took.whole.as_secs_f64();
            took.each.sort_unstable();
            let at = |part: f64| took.each[(took.each.len() as f64 * part) as usize].as_secs_f64() * 1e3;
            let (p50, p99) = (at(0.5), at(0.99));
            println!(
                "| {store} | {clients} | {rate:.0} | {p50:.1} | {p99:.1} | {:.0} % of {bare:.0}/s |",
                100.0 * rate / bare
            );
        }
    }
}

struct Known {
    maker: PublicKey,
    opening: OpeningKey,
}

impl Trust for Known {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        (id == MakerId::of(&self.maker.to_bytes())).then_some(self.maker)
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        (id == self.opening.public().id()).then_some(&self.opening)
    }
}

/// The `n`th device's request.
fn sealed(n: usize, maker: &SigningKey, opening: &OpeningKey) -> Vec<u8> {
    let mut seed = [3; 32];
    seed[..8].copy_from_slice(&n.to_le_bytes());
    let device = SigningKey::from_seed(&seed);
    let serial = Serial::new(&format!("BENCH-{n}")).unwrap();
    let certificate =
        Certificate::new(&maker.public(), serial, Model::new("NVR-8").unwrap(), &device.public()).sign(maker);
    let contents = Contents {
        code: Code::from_seed(&[7; 16]),
        ask: Ask::ResetByEmail(ReservedEmail::new(&format!("owner{n}@example.org")).unwrap()),
        firmware: Firmware::new("1.0").unwrap(),
        device_time: Time(1_790_000_000),
        start_time: Time(1_789_990_000),
        language: Language::new("en").unwrap(),
    };
    let nonce = Nonce(seed[..16].try_into().unwrap());
    request::seal(&contents, nonce, &seed, &certificate, &device, &opening.public()).unwrap()
}

/// Requests a second that all processors open, doing nothing else.
fn bare(requests: &[Vec<u8>], known: &Known) -> f64 {
    let processors = std::thread::available_parallelism().unwrap().get();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for part in requests.chunks(requests.len().div_ceil(processors)) {
            scope.spawn(move || {
                for request in part {
                    black_box(request::open(request, known).unwrap());
                }
            });
        }
    });
    requests.len() as f64 / begun.elapsed().as_secs_f64()
}

struct Took {
    whole: Duration,
    each: Vec<Duration>,
}

async fn measure(dir: &std::path::Path, database: Database, requests: &[Vec<u8>], clients: usize) -> Took {
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
        photos: PhotoReader::new("/nowhere".into(), Vec::new(), 1),
    };
    let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Scheme::Plain).await.unwrap();
    let address = listener.local_addr();
    let stop = CancellationToken::new();
    let served = tokio::spawn(listener.serve(http::router(Arc::clone(&service), http), stop.clone()));

    let messages: Arc<Vec<Vec<u8>>> = Arc::new(requests.iter().map(|request| message(request)).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| tokio::spawn(client_of(client, address, Arc::clone(&messages), Arc::clone(&next))))
        .collect();
    let mut each = Vec::with_capacity(requests.len());
    for task in tasks {
        each.extend(task.await.unwrap());
    }
    let whole = begun.elapsed();
    stop.cancel();
    served.await.unwrap();
    service.shutdown().await;
    Took { whole, each }
}

fn message(request: &[u8]) -> Vec<u8> {
    let body = format!("{{\"request\":\"{}\"}}", digits::encode(request));
    let head = "POST /v1/requests HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ";
    format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes()
}

/// One connection that sends the next request as soon as the last was answered, from an address of its own.
async fn client_of(
    client: usize,
    server: SocketAddr,
    messages: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
) -> Vec<Duration> {
    let own = Ipv4Addr::new(127, 1, u8::try_from(client).unwrap(), 1);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(IpAddr::V4(own), 0)).unwrap();
    let mut connection = socket.connect(server).await.unwrap();
    connection.set_nodelay(true).unwrap();
    let (mut took, mut buffer) = (Vec::new(), vec![0; 8192]);
    while let Some(message) = messages.get(next.fetch_add(1, Ordering::Relaxed)) {
        let begun = Instant::now();
        connection.write_all(message).await.unwrap();
        let read = connection.read(&mut buffer).await.unwrap();
        assert!(buffer[..read].starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&buffer[..read]));
        took.push(begun.elapsed());
    }
    took
}
