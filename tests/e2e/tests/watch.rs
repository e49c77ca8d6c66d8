//! `sparekey watch`: an owner finds the leaves of one's own devices, and every log that is not what it should be is found out.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    thread,
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Setup, World,
    program::{Ended, run},
};
use sparekey_protocol::{
    SigningKey,
    log::{Checkpoint, Frontier, LogPolicy, NoteKey, Tile, decode_entries, encode_entries, leaf_hash},
};

const PASSWORD: &str = "tangerine ladder ocean clock";

/// Runs `watch` on a service, and returns what it printed, an object a line.
fn watch(world: &World, url: &str, more: &[&str]) -> (Ended, Vec<Value>) {
    let (card, maker) = (world.path("card"), world.path("maker/maker.pub"));
    let ended = run(&[&["--json", "watch", "--service", url, "--card", &card, "--maker", &maker], more].concat());
    let lines = ended.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ended, lines)
}

/// The name of the problem that it ended with.
fn alarm(ended: &Ended) -> String {
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let problem: Value = serde_json::from_str(ended.error.lines().last().unwrap()).unwrap();
    problem["type"].as_str().unwrap().strip_prefix("urn:sparekey:problem:").unwrap().to_owned()
}

/// A world whose recorder was recovered once, by a mailed code.
fn recovered() -> World {
    let world = World::start(Setup::default());
    let device = world.device();
    device.activate(PASSWORD, &["owner@example.org"]);
    let opened = device.open();
    submit(&world, opened.digits());
    let mail = world.mailbox().wait(1).pop().unwrap();
    device.prove(&opened.id, &mail.code()).must(200);
    world
}

fn submit(world: &World, digits: &str) {
    world.service_api().post("/v1/requests", &json!({ "request": digits })).must(202);
}

#[test]
fn an_owner_sees_what_concerns_the_own_devices_and_nothing_else() {
    let world = recovered();
    let (url, vault, state) = (world.service_url(), world.path("recorder"), world.path("state.json"));
    let (ended, lines) = watch(&world, &url, &["--vault", &vault, "--state", &state]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let [leaf, log] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((leaf["act"].as_str(), leaf["serial"].as_str()), (Some("code-mailed"), Some("NVR-2026-000417")));
    assert_eq!((leaf["new"].as_bool(), log["size"].as_u64(), log["since"].as_u64()), (Some(true), Some(1), Some(0)));

    // Another device's request, as the text of its symbol: nothing of it in the log, until it is sent.
    world.make_recorder("other", "NVR-2026-000999");
    world.hash_cheaply("other");
    let port = sparekey_e2e::ports::free();
    let other = world.other_recorder("other", port);
    let device = sparekey_e2e::Recorder::new(sparekey_e2e::Api::new(&format!("http://127.0.0.1:{port}")));
    device.activate(PASSWORD, &["other@example.org"]);
    let opened = device.open();
    let request = world.path("request.txt");
    fs::write(&request, &opened.qr_text).unwrap();
    let (ended, lines) = watch(&world, &url, &["--request", &request]);
    assert_eq!((ended.status, lines.len()), (Some(0), 1), "{lines:?}");
    submit(&world, opened.digits());
    world.mailbox().wait(2);

    // The next visit goes on from the last; what is asked for the first time is looked for from the beginning.
    let (ended, lines) = watch(&world, &url, &["--vault", &vault, "--state", &state]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!((lines[0]["new"].as_bool(), lines[1]["since"].as_u64()), (Some(false), Some(1)));
    let (ended, lines) = watch(&world, &url, &["--vault", &vault, "--request", &request, "--state", &state]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let serials: Vec<_> = lines.iter().filter_map(|line| line["serial"].as_str()).collect();
    assert_eq!(serials, ["NVR-2026-000417", "NVR-2026-000999"]);
    drop(other);

    // For people, in plain lines.
    let (card, maker) = (world.path("card"), world.path("maker/maker.pub"));
    let ended = run(&["watch", "--service", &url, "--card", &card, "--maker", &maker, "--vault", &vault]);
    assert!(ended.output.contains("a code was mailed for NVR-2026-000417"), "{ended:?}");
    assert!(ended.output.contains("It is whole"), "{ended:?}");
}

/// Files over HTTP, as a mirror of a log serves them; until the test ends.
fn serve(root: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let Some(Ok(first)) = lines.next() else { continue };
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let path = first.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
            let (status, body) =
                fs::read(root.join(path)).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = connection.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    url
}

/// A log in a folder, in the hands of somebody who has its key.
struct Tampered {
    folder: PathBuf,
    key: SigningKey,
    origin: String,
    entries: Vec<Vec<u8>>,
}

impl Tampered {
    /// A copy of the service's own.
    fn copy(world: &World) -> Self {
        let (from, folder) = (world.folder().join("service/log"), world.folder().join("mirror/log"));
        copy(&from, &folder);
        let key = world.key("service/log.key");
        let vkey = fs::read_to_string(world.path("service/log.pub")).unwrap();
        let vkey = NoteKey::parse(&sparekey_protocol::VerifierKey::new(vkey.trim()).unwrap()).unwrap();
        let note = fs::read(folder.join("checkpoint")).unwrap();
        let Checkpoint { origin, size, .. } = LogPolicy::of_log(vkey).open(&note).unwrap().into_inner();
        let tile = Tile::of_entry(0, size).unwrap();
        let bundle = fs::read(folder.join(tile.path())).unwrap();
        let entries = decode_entries(&bundle, tile.width).unwrap().into_iter().map(<[u8]>::to_vec).collect();
        Self { folder, key, origin, entries }
    }

    fn url(&self) -> String {
        serve(self.folder.parent().unwrap().to_owned())
    }

    /// Signs and shows these entries, whatever was signed before.
    fn show(&self, entries: &[Vec<u8>]) {
        let mut edge = Frontier::new();
        entries.iter().for_each(|entry| edge.append(leaf_hash(entry), |_, _| {}));
        self.sign(&edge, &self.key);
        if let Some(tile) = Tile::of_entry(0, edge.size()) {
            fs::write(self.folder.join(tile.path()), encode_entries(entries.iter().map(Vec::as_slice))).unwrap();
        }
    }

    fn sign(&self, edge: &Frontier, key: &SigningKey) {
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: edge.size(), root: edge.root() };
        fs::write(self.folder.join("checkpoint"), checkpoint.sign(key)).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_log_that_is_not_what_it_should_be_raises_an_alarm() {
    let world = recovered();
    for n in 0..3 {
        let opened = sparekey_e2e::desk::PaperDevice::new(&world, n + 1).digits(&world, n, "paper@example.org");
        submit(&world, &opened);
    }
    world.mailbox().wait(4);
    let log = Tampered::copy(&world);
    assert_eq!(log.entries.len(), 4);
    let (url, vault, state) = (log.url(), world.path("recorder"), world.path("state.json"));
    let seen = || watch(&world, &url, &["--vault", &vault, "--state", &state]).0;
    assert_eq!(seen().status, Some(0), "a mirror serves as well");
    let before = fs::read(&state).unwrap();

    let mut forked = log.entries.clone();
    forked[2][20] ^= 1;
    let longer = [&log.entries[..], &[log.entries[1].clone()]].concat();
    log.show(&log.entries[..3]);
    assert_eq!(alarm(&seen()), "rollback");
    log.show(&forked);
    assert_eq!(alarm(&seen()), "fork", "of the same size");
    log.show(&[&forked[..], &longer[4..]].concat());
    assert_eq!(alarm(&seen()), "fork", "of another size");
    let files = fs::read_dir(world.folder()).unwrap().map(|file| file.unwrap().path());
    let evidence = files.into_iter().find(|file| file.extension().is_some_and(|end| end == "evidence"));
    let evidence = fs::read_to_string(evidence.expect("both checkpoints are kept")).unwrap();
    assert!(evidence.contains("seen_before") && evidence.contains("shown_now"), "{evidence}");
    assert_eq!(fs::read(&state).unwrap(), before, "what was seen stays seen");

    log.show(&longer);
    let bundle = log.folder.join("tile/entries/000.p/5");
    let good = fs::read(&bundle).unwrap();
    fs::remove_file(&bundle).unwrap();
    assert_eq!(alarm(&seen()), "missing-leaf", "an entry that is not shown");
    let mut altered = longer.clone();
    altered[4][20] ^= 1;
    fs::write(&bundle, encode_entries(altered.iter().map(Vec::as_slice))).unwrap();
    assert!(
        ["missing-leaf", "fork"].contains(&alarm(&seen()).as_str()),
        "an entry that is not the one that was signed"
    );
    fs::write(&bundle, good).unwrap();

    let mut edge = Frontier::new();
    longer.iter().for_each(|entry| edge.append(leaf_hash(entry), |_, _| {}));
    log.sign(&edge, &SigningKey::from_seed(&[9; 32]));
    assert_eq!(alarm(&seen()), "bad-signature");
    fs::write(log.folder.join("checkpoint"), "nothing").unwrap();
    assert_eq!(alarm(&seen()), "malformed");

    log.show(&longer);
    assert_eq!(seen().status, Some(0), "and when it is right again, it is");

    // A service that mails codes without saying so: its log is whole, and the owner's recorder knows better.
    let others: Vec<_> = log.entries[1..].to_vec();
    log.show(&others);
    let fresh = watch(&world, &url, &["--vault", &vault]).0;
    assert_eq!(alarm(&fresh), "missing-leaf");
    assert!(fresh.error.contains("NVR-2026-000417"), "{fresh:?}");
}

#[test]
fn what_cannot_be_read_is_said_and_is_no_alarm() {
    let world = World::make(Setup::default());
    let (ended, _) = watch(&world, "http://127.0.0.1:9", &[]);
    assert_eq!(alarm(&ended), "not-possible");
    assert!(!ended.error.contains("ALARM"), "{ended:?}");
    let junk = world.path("junk");
    fs::write(&junk, "junk").unwrap();
    for (args, name) in [(["--request", &junk], "malformed"), (["--vault", &junk], "not-possible")] {
        assert_eq!(alarm(&watch(&world, "http://127.0.0.1:9", &args).0), name, "{args:?}");
    }
}
