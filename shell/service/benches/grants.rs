//! Grants issued per second, each durable in the database and in the public log before it is handed out, over real HTTP on loopback.
//!
//! `cargo bench -p sparekey-service --bench grants` measures SQLite; with `SPAREKEY_TEST_POSTGRES=postgres://…` (an empty database)
//! PostgreSQL too. Cases are opened and approved before; then each client asks for the grants of one case after the other and reads the
//! file with its proof. The load comes from this same process and machine, so it takes its share of the processors.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod load;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use load::Server;
use serde_json::{Value, json};
use sparekey_protocol::{
    SigningKey,
    files::{self, Document, Entry, RequestFile},
    request::Ask,
};
use sparekey_service::cases::{Line, Role};
use sparekey_service::{
    SystemClock,
    operators::{self, Entrance, NewOperator},
    service::{self, Database},
};

fn main() {
    // `cargo test` runs benches too, to see that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let maker = SigningKey::from_seed(&[1; 32]);
    let runtime = tokio::runtime::Runtime::new().unwrap();

    println!("| store | clients | requests a case | grants/s | p50 ms | p99 ms |");
    println!("|---|---|---|---|---|---|");
    for store in load::stores() {
        let dir = tempfile::tempdir().unwrap();
        let database = load::database(store, dir.path());
        runtime.block_on(service::init(dir.path(), &[maker.public()], &database)).unwrap();
        let opening = load::opening_key(dir.path());
        let people = runtime.block_on(people(&database));
        let server = runtime.block_on(Server::start(dir.path(), database));
        let base = format!("http://{}", server.address);
        let mut made = 0;
        for (clients, cases, each) in [(1, 50, 1), (8, 400, 1), (64, 1_600, 1), (8, 40, 50)] {
            let files: Vec<String> = (0..cases)
                .map(|_| {
                    let requests = (made..made + each).map(|n| load::sealed(n, Ask::ResetByDesk, &maker, &opening));
                    let file = file(requests);
                    made += each;
                    file
                })
                .collect();
            let numbers = Arc::new(prepare(&base, &people, files));
            let (whole, mut took) = issue(&base, &people.agent, &numbers, clients);
            took.sort_unstable();
            let at = |part: f64| took[(took.len() as f64 * part) as usize].as_secs_f64() * 1e3;
            let rate = (cases * each) as f64 / whole.as_secs_f64();
            println!("| {store} | {clients} | {each} | {rate:.0} | {:.0} | {:.0} |", at(0.5), at(0.99));
        }
        runtime.block_on(server.stop());
    }
}

struct People {
    agent: String,
    approver: String,
}

async fn people(database: &Database) -> People {
    let add = async |name: &str, role| {
        let new = NewOperator { name: Line::new(name).unwrap(), role, organisation: None, token: true };
        match operators::add(database, &SystemClock, &new).await.unwrap() {
            Entrance::Token(token) => token.expose().to_string(),
            Entrance::Link(..) => unreachable!("a token was asked for"),
        }
    };
    People { agent: add("Agent", Role::Agent).await, approver: add("Approver", Role::Approver).await }
}

/// One request in a file, or a batch of several.
fn file(requests: impl Iterator<Item = Vec<u8>>) -> String {
    let one = |payload| RequestFile {
        serial: String::new(),
        model: String::new(),
        firmware: String::new(),
        device_time: String::new(),
        start_time: String::new(),
        payload,
    };
    let mut entries: Vec<Entry> = requests.map(|bytes| Entry::Request(one(bytes))).collect();
    let document = match (entries.len(), entries.pop()) {
        (1, Some(Entry::Request(file))) => Document::Request(file),
        (_, last) => Document::Batch(entries.into_iter().chain(last).collect()),
    };
    files::write(&document).unwrap().to_string()
}

fn post(base: &str, path: &str, token: &str, body: &Value) -> ureq::Body {
    let request = ureq::post(format!("{base}{path}")).header("Authorization", format!("Bearer {token}"));
    request
        .content_type("application/json")
        .send(body.to_string())
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .into_body()
}

fn text(mut body: ureq::Body) -> String {
    body.with_config().limit(4 << 20).read_to_string().unwrap()
}

/// The numbers of cases that were opened and approved.
fn prepare(base: &str, people: &People, files: Vec<String>) -> Vec<String> {
    let open = |file: String| {
        let case = post(base, "/v1/cases", &people.agent, &json!({ "file": file }));
        let case: Value = serde_json::from_str(&text(case)).unwrap();
        let number = case["number"].as_str().unwrap().to_owned();
        post(base, &format!("/v1/cases/{number}/approve"), &people.approver, &json!({}));
        number
    };
    files.into_iter().map(open).collect()
}

/// How long all grants took, and each answer.
fn issue(base: &str, token: &str, numbers: &Arc<Vec<String>>, clients: usize) -> (Duration, Vec<Duration>) {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let threads: Vec<_> = (0..clients)
        .map(|_| {
            let (base, token, numbers, next) =
                (base.to_owned(), token.to_owned(), Arc::clone(numbers), Arc::clone(&next));
            std::thread::spawn(move || {
                let mut took = Vec::new();
                while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let begun = Instant::now();
                    let xml = post(&base, &format!("/v1/cases/{number}/grant"), &token, &json!({}));
                    let xml = text(xml);
                    assert!(xml.contains("RecoveryGrant"), "{xml}");
                    took.push(begun.elapsed());
                }
                took
            })
        })
        .collect();
    let each = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    (begun.elapsed(), each)
}
