//! The LAN tool helps the locked out, with the real program on both sides.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Setup, World,
    desk::operator,
    device::Opened,
    ports,
    program::{self, Ended, command, must, run},
    world::SERIAL,
};

const FIRST: &str = "tangerine ladder ocean clock";
const SECOND: &str = "granite whistle seldom maple";

/// What a command of the LAN tool begins with, and where its recorder is: the link's own socket, or the main one.
fn tool(world: &World, name: &str, more: &[&str]) -> Vec<String> {
    let address = world.screen_url().strip_prefix("http://").unwrap().to_owned();
    let known = world.path("known");
    let mut args: Vec<String> = [name, SERIAL, "--address", &address, "--known", &known].map(String::from).to_vec();
    args.extend(more.iter().map(|more| (*more).to_owned()));
    args
}

fn started(args: &[String]) -> Child {
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    command(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs it with these lines on standard input.
fn typed(args: &[String], lines: &[&str]) -> Ended {
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    program::typed(command(&args), lines)
}

#[track_caller]
fn done(ended: &Ended) -> &str {
    assert_eq!(ended.status, Some(0), "{ended:?}");
    &ended.output
}

#[test]
fn activated_and_opened_again_by_key_file_and_by_sheet() {
    let world = World::start(Setup::default());
    let file = world.path("key.xml");
    done(&typed(&tool(&world, "activate", &[]), &[FIRST]));
    done(&typed(&tool(&world, "export-key", &["--out", &file]), &[FIRST]));
    let twice = typed(&tool(&world, "export-key", &["--out", &file]), &[FIRST]);
    assert!(twice.status == Some(1) && twice.error.contains("is there already"), "{twice:?}");
    let sheet = typed(&tool(&world, "sheet", &["--new"]), &[FIRST]);
    let code = done(&sheet).lines().next().unwrap().to_owned();

    let which = typed(&tool(&world, "forgot", &[]), &[]);
    assert!(which.status == Some(1) && which.error.contains("keyfile, sheet"), "{which:?}");
    let weak = typed(&tool(&world, "forgot", &["--way", "keyfile", "--key-file", &file, "--json"]), &["12345678"]);
    assert!(weak.status == Some(1) && weak.error.contains("weak-password"), "{weak:?}");

    let told = typed(&tool(&world, "forgot", &["--way", "sheet"]), &[&code, SECOND]);
    assert!(done(&told).contains("has its new password"), "{told:?}");
    world.device().log_in(SECOND).must(201);
    let shown = typed(&tool(&world, "sheet", &["--json"]), &[SECOND]);
    assert_eq!(serde_json::from_str::<Value>(done(&shown)).unwrap()["codes"][0], "used");
    let record = typed(&tool(&world, "security", &[]), &[SECOND]);
    assert!(done(&record).contains("password-recovered sheet"), "{record:?}");

    done(&typed(&tool(&world, "export-key", &["--out", &world.path("new.xml")]), &[SECOND]));
    let file = world.path("new.xml");
    done(&typed(&tool(&world, "forgot", &["--way", "keyfile", "--key-file", &file]), &[FIRST]));
    world.device().log_in(FIRST).must(201);
    // Nothing of it was an argument, and no password was repeated.
    assert!(!told.output.contains(SECOND) && !told.error.contains(SECOND));
}

#[test]
fn by_a_code_in_a_mail() {
    let world = World::start(Setup::default());
    world.device().activate(FIRST, &["olga@owners.example.org"]);
    let mut child = started(&tool(&world, "forgot", &["--way", "email", "--json"]));
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    let opened: Value = serde_json::from_str(&line).unwrap();
    let opened = Opened::of(&opened["recovery"]);
    world.service_api().post("/v1/requests", &json!({ "request": opened.digits() })).must(202);
    let code = world.mailbox().wait(1)[0].code();
    to.write_all(format!("{code}\n{SECOND}\n").as_bytes()).unwrap();
    let mut rest = String::new();
    from.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(serde_json::from_str::<Value>(rest.trim()).unwrap()["logged_in"], true, "{rest}");
    world.device().log_in(SECOND).must(201);
}

#[test]
fn by_the_desk_over_two_runs() {
    let world = World::start(Setup::default());
    world.device().activate(FIRST, &[]);
    let [request, grant] = ["request.xml", "grant.xml"].map(|name| world.path(name));
    let asked = typed(&tool(&world, "forgot", &["--way", "desk", "--request", &request]), &[]);
    assert!(done(&asked).contains(SERIAL), "{asked:?}");
    let (agent, approver) =
        (operator(&world, "Ann", "agent", &["--token"]), operator(&world, "Bob", "approver", &["--token"]));
    let url = world.service_url();
    let desk = |token: &str, rest: &[&str]| {
        let ended = run(&[&["desk", "--service", url.as_str(), "--token", token], rest].concat());
        assert_eq!(ended.status, Some(0), "{ended:?}");
        ended.output.trim().to_owned()
    };
    let case = desk(&agent, &["open", &request]);
    desk(&approver, &["approve", &case]);
    desk(&agent, &["grant", &case, "--out", &grant]);
    done(&typed(&tool(&world, "forgot", &["--way", "desk", "--grant", &grant]), &[SECOND]));
    world.device().log_in(SECOND).must(201);
}

/// Who stands between has another TLS key, and the device's proof does not fit it.
#[test]
fn somebody_between_is_told_nothing() {
    let world = World::start(Setup::default());
    world.device().activate(FIRST, &[]);
    let [certificate, key, record] = ["tls.pem", "tls.key", "record"].map(|name| world.path(name));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"])
        .args(["-days", "2", "-out", &certificate, "-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success());
    let (port, device) = (ports::free(), world.screen_url().rsplit_once(':').unwrap().1.to_owned());
    let mut between = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/between.py"))
        .args([&port.to_string(), &device, &certificate, &key, &record])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(between.stdout.take().unwrap()).read_line(&mut ready).unwrap();

    let (address, known) = (format!("127.0.0.1:{port}"), world.path("known"));
    let ended =
        [("export-key", vec!["--out", "nowhere.xml"]), ("forgot", vec!["--way", "sheet"]), ("security", vec![])].map(
            |(name, more)| {
                let begin = [name, SERIAL, "--address", &address, "--known", &known, "--json"];
                let args: Vec<_> = begin.into_iter().chain(more).map(String::from).collect();
                typed(&args, &[FIRST, SECOND])
            },
        );
    between.kill().unwrap();
    between.wait().unwrap();
    for ended in ended {
        assert!(ended.status == Some(1) && ended.error.contains("urn:sparekey:problem:not-proven"), "{ended:?}");
    }
    let record = fs::read_to_string(record).unwrap();
    assert_eq!(record.matches("GET /api/v1/device ").count(), 3, "{record}");
    assert!(!record.contains("POST") && !record.contains(FIRST), "{record}");
    assert!(!fs::exists(known).unwrap(), "nobody was met");
}

/// Another device that claims the serial: met before, or not this maker's.
#[test]
fn a_changed_key_is_refused_loudly() {
    let mut world = World::start(Setup::default());
    done(&typed(&tool(&world, "activate", &[]), &[FIRST]));
    let maker = world.path("maker/maker.pub");
    done(&typed(&tool(&world, "security", &["--maker", &maker]), &[FIRST]));
    world.recorder().take().unwrap().kill();
    // Its place is taken by one with a key and a maker of its own.
    let [other, card, folder] = ["other", "other.card", "recorder"].map(|name| world.path(name));
    must(&["maker", "init", &other]);
    let (service, url) = (world.path("service"), world.service_url());
    let made = ["--service", &service, "--edition", "1", "--name", "X", "--url", &url, "--out", &card];
    must(&[&["maker", "card", other.as_str()][..], &made].concat());
    fs::rename(&folder, world.path("away")).unwrap();
    let key = format!("{other}/maker.key");
    must(&["recorder", "init", &folder, "--serial", SERIAL, "--model", "M", "--card", &card, "--maker-key", &key]);
    world.start_recorder();
    let changed = typed(&tool(&world, "activate", &[]), &[FIRST]);
    assert!(changed.status == Some(1) && changed.error.contains("HAS CHANGED"), "{changed:?}");
    assert_eq!(changed.error.lines().count(), 2, "{changed:?}");
    let foreign = typed(&tool(&world, "activate", &["--maker", &maker, "--json"]), &[FIRST]);
    assert!(foreign.status == Some(1) && foreign.error.contains("other-maker"), "{foreign:?}");
    let device = world.device().0.get("/api/v1/device").must(200);
    assert_eq!(device["state"], "inactive", "nobody activated it");
}
