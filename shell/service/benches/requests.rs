//! Requests opened and stored durably per second, over real HTTP on loopback, beside the bare cryptography of one request.
//!
//! `cargo bench -p sparekey-service --bench requests` measures SQLite; with `SPAREKEY_TEST_POSTGRES=postgres://…` (an empty
//! database) PostgreSQL too. The load comes from this same process and machine, so it takes its share of the processors.
//! Each request is another device's, with an address of its own; mails go into a folder while it is measured.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod load;

use std::{
    hint::black_box,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use load::Server;
use sparekey_protocol::{
    KeyId, MakerId, OpeningKey, PublicKey, ReservedEmail, Serial, SigningKey, digits,
    request::{self, Ask, Trust},
};
use sparekey_service::service::{self, Database};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

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
    for store in load::stores() {
        let dir = tempfile::tempdir().unwrap();
        let database = load::database(store, dir.path());
        runtime.block_on(service::init(dir.path(), &[maker.public()], &database)).unwrap();
        let opening = load::opening_key(dir.path());

        let mut made = 0;
        for clients in [1, 8, 64] {
            let requests: Vec<Vec<u8>> =
                (made..made + REQUESTS).map(|n| load::sealed(n, by_email(n), &maker, &opening)).collect();
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

fn by_email(n: usize) -> Ask {
    Ask::ResetByEmail(ReservedEmail::new(&format!("owner{n}@example.org")).unwrap())
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
    let server = Server::start(dir, database).await;
    let address = server.address;
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
    server.stop().await;
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
