//! The public log: nothing takes effect before its leaf is out, whatever ends when. On SQLite, and on PostgreSQL if
//! `SPAREKEY_TEST_POSTGRES` says where.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod log_reader;
mod store_support;

use std::{
    collections::HashSet,
    env, fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use log_reader::{consistent, nonce_of, note_key, out};
use sparekey_protocol::{
    DeviceId, SigningKey, Time,
    log::{Act, Checkpoint, Hash, Leaf, LogPolicy, commitment, cosign, cosigner_verifier_key, verify_consistency},
    request::Ask,
};
use sparekey_service::{
    public_log::{LogSettings, Storage},
    service::{MailState, Service},
};
use store_support::{Place, home, until_mail_is};
use tokio::net::TcpListener;

on_both! {
    each_mail_has_its_leaf
    no_mail_leaves_while_the_log_cannot_be_written
    nodes_make_one_log
    a_database_from_before_the_log_goes_on
    a_leaf_is_proven_by_a_quorum_of_witnesses_only
}

fn device(number: u8) -> DeviceId {
    DeviceId::of(&SigningKey::from_seed(&[number; 32]).public().to_bytes())
}

async fn each_mail_has_its_leaf(place: Place) {
    let service = place.open().await;
    let request = place.reset(10);
    let view = service.submit(&request, false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    let (checkpoint, leaves) = out(&place.dir.path().join("log"), &note_key(place.dir.path()));
    let expected = commitment(device(10), nonce_of(&request));
    assert_eq!((checkpoint.size, leaves[0].act, leaves[0].commitment), (1, Act::CodeMailed, expected));

    // Once more: another code leaves, another leaf. The same bytes without asking, and the desk's requests, mail nothing.
    place.clock.forward(60);
    service.submit(&request, true, home()).await.unwrap();
    service.submit(&request, false, home()).await.unwrap();
    service.submit(&place.request(11, Ask::ResetByDesk), false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    let confirm = place.request(12, Ask::ConfirmEmail(sparekey_protocol::ReservedEmail::new("o@example.org").unwrap()));
    let view = service.submit(&confirm, false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    service.shutdown().await;
    let (_, leaves) = out(&place.dir.path().join("log"), &note_key(place.dir.path()));
    let commitments: Vec<_> = leaves.iter().map(|leaf| leaf.commitment).collect();
    assert_eq!(commitments, [expected, expected, commitment(device(12), nonce_of(&confirm))]);
    assert_eq!(place.mails().len(), 3);
}

async fn no_mail_leaves_while_the_log_cannot_be_written(place: Place) {
    let log = place.dir.path().join("log");
    fs::write(&log, "in the way").unwrap();
    let service = place.open().await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    // Whoever takes letters is turned away: as often as the sender looks in two seconds.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(service.view(&view.id).await.unwrap().unwrap().mail, Some(MailState::Queued));
    }
    assert!(place.mails().is_empty());
    fs::remove_file(&log).unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    assert_eq!(out(&log, &note_key(place.dir.path())).0.size, 1);
    service.shutdown().await;
}

async fn nodes_make_one_log(place: Place) {
    let mut nodes = vec![Arc::new(place.open().await)];
    if !place.is_sqlite() {
        nodes.push(Arc::new(place.open().await));
    }
    let requests: Vec<_> = (0..120).map(|n| place.request(n, Ask::ResetByEmail(address(n)))).collect();
    let expected: HashSet<_> =
        (0..120).zip(&requests).map(|(n, request)| commitment(device(n), nonce_of(request))).collect();
    let submitted: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(n, request)| {
            let node = Arc::clone(&nodes[n % nodes.len()]);
            tokio::spawn(async move { (node.submit(&request, false, network(n)).await.unwrap().id, node) })
        })
        .collect();
    for submission in submitted {
        let (id, node) = submission.await.unwrap();
        until_mail_is(&node, &id, MailState::Sent).await;
    }
    for node in &nodes {
        node.shutdown().await;
    }
    let (checkpoint, leaves) = out(&place.dir.path().join("log"), &note_key(place.dir.path()));
    assert_eq!(checkpoint.size, 120);
    assert_eq!(leaves.into_iter().map(|leaf| leaf.commitment).collect::<HashSet<_>>(), expected);
    assert_eq!(place.mails().len(), 120);
}

fn address(number: u8) -> sparekey_protocol::ReservedEmail {
    sparekey_protocol::ReservedEmail::new(&format!("owner{number}@example.org")).unwrap()
}

fn network(number: usize) -> sparekey_service::NetworkKey {
    sparekey_service::NetworkKey::of(format!("198.51.{}.1", number % 256).parse().unwrap())
}

/// What a service of the version before the log left: it is brought up to date, and its letters still leave.
async fn a_database_from_before_the_log_goes_on(place: Place) {
    let service = place.open_without_mail().await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    service.shutdown().await;
    // The second migration undone.
    for undone in ["DROP TABLE leaves", "DROP TABLE log", "ALTER TABLE outbox DROP COLUMN leaf"] {
        place.execute(undone).await;
    }
    place.execute("UPDATE outbox SET due_at = 0, leased_until = 0").await;
    place.execute("DELETE FROM _sqlx_migrations WHERE version = 2").await;
    fs::remove_dir_all(place.dir.path().join("log")).unwrap();

    let service = place.open().await;
    until_mail_is(&service, &view.id, MailState::Sent).await;
    let second = service.submit(&place.reset(11), false, home()).await.unwrap();
    until_mail_is(&service, &second.id, MailState::Sent).await;
    service.shutdown().await;
    assert_eq!(out(&place.dir.path().join("log"), &note_key(place.dir.path())).0.size, 1);
}

/// A witness as c2sp.org/tlog-witness says.
#[derive(Clone)]
struct Witness(Arc<Mutex<Seen>>);

struct Seen {
    key: SigningKey,
    log: LogPolicy,
    size: u64,
    root: Hash,
    is_up: bool,
}

async fn add_checkpoint(State(Witness(seen)): State<Witness>, body: String) -> (StatusCode, String) {
    let mut seen = seen.lock().unwrap();
    if !seen.is_up {
        return (StatusCode::INTERNAL_SERVER_ERROR, String::new());
    }
    let (head, note) = body.split_once("\n\n").unwrap();
    let mut head = head.lines();
    let old: u64 = head.next().unwrap().strip_prefix("old ").unwrap().parse().unwrap();
    let proof: Vec<Hash> = head.map(log_reader::hash).collect();
    let checkpoint = seen.log.open(note.as_bytes()).unwrap();
    if old != seen.size {
        return (StatusCode::CONFLICT, format!("{}\n", seen.size));
    }
    let extends = verify_consistency(old, &seen.root, checkpoint.size, &checkpoint.root, &proof);
    assert!(extends || old == 0, "the service proves what it says");
    (seen.size, seen.root) = (checkpoint.size, checkpoint.root);
    (StatusCode::OK, cosign("witness.example", &seen.key, Time(1_800_000_000), &checkpoint.text()))
}

async fn a_leaf_is_proven_by_a_quorum_of_witnesses_only(mut place: Place) {
    // The log is some leaves old when the witness is asked for the first time.
    let service = place.open().await;
    for device in 10..13 {
        let view = service.submit(&place.reset(device), false, home()).await.unwrap();
        until_mail_is(&service, &view.id, MailState::Sent).await;
    }
    service.shutdown().await;

    let key = SigningKey::from_seed(&[40; 32]);
    let log = LogPolicy::of_log(note_key(place.dir.path()));
    let root = Hash::of_empty_tree();
    let seen = Arc::new(Mutex::new(Seen { key: key.clone(), log, size: 0, root, is_up: true }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/add-checkpoint", post(add_checkpoint)).with_state(Witness(Arc::clone(&seen)));
    let witness = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    let vkey = cosigner_verifier_key("witness.example", &key.public()).unwrap();
    place.log = LogSettings {
        storage: Storage::folder(place.dir.path().join("log")),
        witnesses: vec![format!("{vkey}@{url}").parse().unwrap()],
        quorum: 1,
    };

    let service = place.open().await;
    let request = place.reset(14);
    let view = service.submit(&request, false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    let leaf = |device_number, request: &[u8]| {
        let time = Time(store_support::START);
        Leaf::new(time, Act::CodeMailed, device(device_number), nonce_of(request))
    };
    let proof = service.log().prove(3, &leaf(14, &request), Duration::from_secs(60)).await.unwrap();
    assert!(proof.contains("\u{2014} witness.example "), "{proof}");
    let public = String::from_utf8(service.log().checkpoint().await.unwrap().unwrap()).unwrap();
    assert!(public.contains("\u{2014} witness.example "), "{public}");
    assert_eq!(seen.lock().unwrap().size, 4);

    // A witness that is down stops no mail; what it did not see is not proven.
    seen.lock().unwrap().is_up = false;
    let request = place.reset(15);
    let view = service.submit(&request, false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    assert!(service.log().prove(4, &leaf(15, &request), Duration::from_secs(2)).await.is_err());
    service.shutdown().await;

    // The next process finds it up, and what was missing is cosigned though there is no new leaf.
    seen.lock().unwrap().is_up = true;
    let service = place.open().await;
    service.log().prove(4, &leaf(15, &request), Duration::from_secs(60)).await.unwrap();
    service.shutdown().await;
    witness.abort();
}

/// Where the child of the next test works.
const CHILD_DIR: &str = "SPAREKEY_TEST_KILLED_DIR";

/// A service that takes requests as fast as it can, says each that it took, and is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of a_kill_at_any_moment_forks_nothing"]
#[allow(clippy::print_stdout)]
async fn the_process_that_is_killed() {
    let dir = env::var(CHILD_DIR).unwrap();
    let place = Place::again(dir.into());
    let service: Arc<Service> = Arc::new(place.open().await);
    for n in 0_u32.. {
        let round: Vec<_> = (0..8)
            .map(|lane| {
                let (service, request) =
                    (Arc::clone(&service), place.request(lane, Ask::ResetByEmail(fresh_address())));
                tokio::spawn(async move { service.submit(&request, false, network((n * 8) as usize)).await })
            })
            .collect();
        for submission in round {
            submission.await.unwrap().map(|_| println!("taken")).ok();
        }
        // So that each device may ask again, and its buckets are full.
        place.clock.forward(14_400);
    }
}

fn fresh_address() -> sparekey_protocol::ReservedEmail {
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    sparekey_protocol::ReservedEmail::new(&format!("{}@example.org", u64::from_le_bytes(random))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_forks_nothing() {
    let place = Place::sqlite().await;
    let (log, key) = (place.dir.path().join("log"), note_key(place.dir.path()));
    let mut before: Option<Checkpoint> = None;
    for round in 0..8_u64 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "the_process_that_is_killed", "--ignored", "--nocapture"])
            .env(CHILD_DIR, place.dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Killed after another number of requests each time, and so at another step.
        let taken = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .filter(|line| line.as_ref().is_ok_and(|line| line.contains("taken")));
        assert_eq!(taken.take(5 + 7 * round as usize).count(), 5 + 7 * round as usize);
        child.kill().unwrap();
        child.wait().unwrap();

        // Each mail that left has its leaf out, and what is out extends what was.
        let mails = place.mails().len() as u64;
        if !log.join("checkpoint").exists() {
            assert!(mails == 0 && before.is_none());
            continue;
        }
        let (now, leaves) = out(&log, &key);
        assert!(mails <= now.size, "{mails} mails, {} leaves", now.size);
        if let Some(before) = &before {
            assert!(consistent(before, &leaves), "round {round}");
        }
        before = Some(now);
    }
    let service = place.open().await;
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while place.number("SELECT count(*) FROM outbox").await > 0 {
        assert!(std::time::Instant::now() < deadline, "letters are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    service.shutdown().await;
    let (_, leaves) = out(&log, &key);
    assert_eq!(place.number("SELECT count(*) FROM cases").await, leaves.len() as i64, "a leaf for each case");
    let different: HashSet<_> = leaves.iter().map(|leaf| leaf.commitment).collect();
    assert_eq!(different.len(), leaves.len());
    assert!(consistent(&before.unwrap(), &leaves));
}
