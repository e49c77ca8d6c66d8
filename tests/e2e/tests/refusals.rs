//! Somebody else tries (journey 8): what is refused, by which name, and that a restart changes nothing.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Api, Browser, Look, Program, Recorder, Setup, World,
    device::Opened,
    netns::{DEVICE, Links},
    ports, program,
    world::MODEL,
};
use sparekey_protocol::{
    Certificate, Code, Firmware, Language, Model, Nonce, ReservedEmail, Serial, SigningKey, Time, digits, qr,
    request::{self, Ask, Contents},
};

const PASSWORD: &str = "tangerine ladder ocean clock";
const NEW: &str = "granite whistle seldom maple";
const ADDRESS: &str = "olga@owners.example.org";

/// A world whose recorder has an owner.
fn active() -> World {
    let mut world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    world.start_service();
    world.start_recorder();
    world.device().activate(PASSWORD, &[ADDRESS]);
    world
}

fn hand_in(api: &Api, request: &str) -> sparekey_e2e::Answer {
    api.post("/v1/requests", &json!({ "request": request }))
}

fn wrong(code: &str) -> &'static str {
    if code == "00000000" { "00000001" } else { "00000000" }
}

#[test]
fn a_forged_request_is_refused_by_its_own_name() {
    let (world, stranger) = (active(), active());
    let api = world.service_api();
    let theirs = stranger.device().open();
    assert_eq!(hand_in(&api, theirs.digits()).problem(), "unknown-maker");

    // Whoever names the right maker has no signature of it.
    let (maker, forger) = (world.key("maker/maker.key"), SigningKey::from_seed(&[7; 32]));
    let (serial, model) = (Serial::new("NVR-FORGED").unwrap(), Model::new(MODEL).unwrap());
    let certificate = Certificate::new(&maker.public(), serial, model, &forger.public());
    let contents = Contents {
        code: Code::from_seed(&[7; 16]),
        ask: Ask::ResetByEmail(ReservedEmail::new("mallory@example.org").unwrap()),
        firmware: Firmware::new("1.0").unwrap(),
        device_time: Time(0),
        start_time: Time(0),
        language: Language::new("en").unwrap(),
    };
    let seal = |certificate: &[u8], key: &SigningKey| {
        let service = world.opener().key().public();
        digits::encode(&request::seal(&contents, Nonce([7; 16]), &[7; 32], certificate, key, &service).unwrap())
    };
    assert_eq!(hand_in(&api, &seal(&certificate.sign(&forger), &forger)).problem(), "bad-certificate");
    let genuine = certificate.sign(&maker);
    assert_eq!(hand_in(&api, &seal(&genuine, &SigningKey::from_seed(&[8; 32]))).problem(), "bad-signature");
    let elsewhere = stranger.opener().key().public();
    let sealed = request::seal(&contents, Nonce([7; 16]), &[7; 32], &genuine, &forger, &elsewhere).unwrap();
    assert_eq!(hand_in(&api, &digits::encode(&sealed)).problem(), "unknown-key");
    assert!(world.mailbox().mails().is_empty(), "a refusal mails nothing");
}

#[test]
fn an_altered_digit_anywhere_is_refused() {
    let world = active();
    let api = world.service_api();
    let opened = world.device().open();
    let good = opened.digits().to_owned();
    for position in (0..good.len()).step_by(7) {
        let mut altered = good.clone().into_bytes();
        altered[position] = b'0' + (altered[position] - b'0' + 1) % 10;
        let answer = hand_in(&api, str::from_utf8(&altered).unwrap());
        assert_eq!(answer.status, 400, "digit {position}: {}", answer.text());
        let name = answer.problem();
        let names = ["malformed", "unknown-maker", "bad-certificate", "bad-signature", "unknown-key", "not-opened"];
        assert!(names.contains(&name.as_str()), "digit {position}: {name}");
    }
    assert!(world.mailbox().mails().is_empty());

    // What a person with such a link sees.
    let phone = Browser::open(&Look::PHONE);
    let swapped: String = good.chars().rev().collect();
    phone.goto(&format!("{}/r#{swapped}", world.service_url()));
    phone.see_text("Your request was not taken");
    phone.see_text("Scan or paste it instead");
    // And the right one, pasted.
    phone.press("Scan or paste it instead");
    phone.fill("#request", &opened.qr_text);
    phone.press("Send");
    phone.see_path("the request's page", |path| path.starts_with("/requests/"));
}

#[test]
fn a_code_fits_its_own_request_once() {
    let world = active();
    world.make_recorder("second", "NVR-SECOND");
    world.hash_cheaply("second");
    let second = world.other_recorder("second", ports::free());
    let (device, second) = (world.device(), Recorder::new(Api::new(second_screen(&second))));
    second.activate(PASSWORD, &[ADDRESS]);
    let (own, other) = (device.open(), second.open());
    let (code, others) = (world.opener().code(&own), world.opener().code(&other));
    assert_ne!(code, others);

    assert_eq!(device.prove(&own.id, &others).problem(), "wrong-proof", "another recorder's code");
    assert_eq!(device.prove(&other.id, &others).problem(), "expired", "another recorder's request");
    let older = own;
    let newer = device.open();
    let newer_code = world.opener().code(&newer);
    assert_eq!(device.prove(&newer.id, &code).problem(), "wrong-proof", "the code of an older request");

    let ticket = device.prove(&newer.id, &newer_code).must(200)["ticket"].as_str().unwrap().to_owned();
    assert_eq!(device.prove(&newer.id, &newer_code).problem(), "expired", "a code is good once");
    assert_eq!(device.set_password(&older.id, &ticket, NEW).unwrap().problem(), "expired", "another request's ticket");
    assert_eq!(device.set_password(&newer.id, "made-up", NEW).unwrap().problem(), "expired", "no ticket at all");
    assert_eq!(device.set_password(&newer.id, &ticket, "12345678").unwrap().problem(), "weak-password");
    device.set_password(&newer.id, &ticket, NEW).unwrap().must(202);
    wait_for_restart(&world);
    assert_eq!(device.prove(&newer.id, &newer_code).problem(), "expired", "a used code");
    assert_eq!(device.prove(&older.id, &code).problem(), "expired", "an open request is void after a new password");
    assert_eq!(device.set_password(&newer.id, &ticket, PASSWORD).unwrap().problem(), "expired", "a used ticket");
    assert_eq!(device.log_in(PASSWORD).problem(), "not-logged-in");
    device.log_in(NEW).must(201);
}

fn second_screen(program: &Program) -> &str {
    program.told("screen")
}

fn wait_for_restart(world: &World) {
    let device = world.device();
    sparekey_e2e::until("the recorder to be back", Duration::from_secs(20), || {
        thread::sleep(Duration::from_millis(600));
        device.0.json("GET", "/api/v1/device", &Value::Null).filter(|answer| answer.status == 200)
    });
}

#[test]
fn five_wrong_codes_and_then_waits_that_a_restart_does_not_shorten() {
    let mut world = active();
    let device = world.device();
    let opened = device.open();
    let code = world.opener().code(&opened);
    let wrong = wrong(&code);
    for left in (0..5).rev() {
        let answer = device.prove(&opened.id, wrong);
        assert_eq!(answer.status, 403);
        assert_eq!(answer.problem(), "wrong-proof");
        assert_eq!(answer.json()["tries_left"], left);
        if left == 2 {
            world.crash_recorder();
            assert_eq!(device.view(&opened.id).must(200)["tries_left"], left);
        }
    }
    for _ in 0..2 {
        for answer in [device.prove(&opened.id, &code), device.try_open()] {
            assert_eq!(answer.status, 429);
            assert_eq!(answer.problem(), "too-many-tries", "even the right code comes too late");
            let wait = answer.json()["retry_after"].as_u64().unwrap();
            assert!((30..=60).contains(&wait), "{wait} s of the first minute are left");
            assert_eq!(answer.headers["retry-after"].to_str().unwrap(), wait.to_string());
        }
        world.crash_recorder();
    }
    device.log_in(PASSWORD).must(201);
}

#[test]
fn a_hundred_guesses_at_once_are_five_tries() {
    let world = active();
    let device = world.device();
    let opened = device.open();
    let wrong = wrong(&world.opener().code(&opened));
    let answers: Vec<String> = thread::scope(|scope| {
        let calls: Vec<_> = (0..100).map(|_| scope.spawn(|| device.prove(&opened.id, wrong).problem())).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let evaluated = answers.iter().filter(|name| *name == "wrong-proof").count();
    assert_eq!(evaluated, 5, "{answers:?}");
    assert!(answers.iter().all(|name| ["wrong-proof", "too-many-tries"].contains(&name.as_str())), "{answers:?}");
    assert_eq!(device.view(&opened.id).must(200)["tries_left"], 0);
}

#[test]
fn a_forwarded_call_is_not_on_this_link() {
    let world = active();
    let device = world.device();
    let opened = device.open();
    let code = world.opener().code(&opened);
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("forwarded", "for=127.0.0.1"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "127.0.0.1"),
    ] {
        let proxied = Recorder::new(device.0.with(name, value));
        for answer in [
            proxied.try_open(),
            proxied.view(&opened.id),
            proxied.prove(&opened.id, &code),
            proxied.set_password(&opened.id, "ticket", NEW).unwrap(),
            proxied.0.get(&format!("/api/v1/recoveries/{}/qr.svg", opened.id)),
        ] {
            assert_eq!(answer.status, 403, "{name}");
            assert_eq!(answer.problem(), "not-on-this-link", "{name}");
        }
    }
    assert_eq!(device.view(&opened.id).must(200)["tries_left"], 5, "no try was counted");
    let page = device.0.with("via", "1.1 proxy").get("/forgot");
    assert_eq!(page.status, 403);
    assert!(page.text().contains("same network"), "{}", page.text());
}

#[test]
fn from_another_network_the_kernel_and_the_recorder_refuse() {
    let Some(links) = Links::make() else { return };
    let world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    let mut command = links.within("device", program::path().to_str().unwrap());
    command.args(["--json", "recorder", "run", &world.path("recorder"), "--listen", "0.0.0.0:8443"]);
    let recorder = Program::start_command("recorder", command, world.folder());
    let lan: u16 = recorder.told("lan").rsplit_once(':').unwrap().1.parse().unwrap();
    let call = |from, port, method, path, body: &Value| links.call(from, port, method, path, body);
    let status = |answer: Option<Value>| answer.map(|answer| answer["status"].as_u64().unwrap());

    // On the link: both doors answer.
    let owner = json!({ "username": "admin", "password": PASSWORD, "reserved_emails": [ADDRESS] });
    assert_eq!(status(call("router", 8443, "POST", "/api/v1/activation", &owner)), Some(201));
    let email = json!({ "method": "email" });
    for port in [8443, lan] {
        assert_eq!(status(call("router", port, "POST", "/api/v1/recoveries", &email)), Some(201), "port {port}");
    }
    // Beyond the router: the kernel does not even begin a connection on the LAN tool's door; the other one refuses.
    assert_eq!(call("far", lan, "GET", "/api/v1/device", &Value::Null), None);
    let refused = call("far", 8443, "POST", "/api/v1/recoveries", &email).expect("the main door answers");
    assert_eq!(refused["status"], 403);
    assert_eq!(refused["body"]["type"], "urn:sparekey:problem:not-on-this-link");
    // Viewing and logging in work from there.
    assert_eq!(status(call("far", 8443, "GET", "/api/v1/device", &Value::Null)), Some(200), "{DEVICE}");
    let login = json!({ "username": "admin", "password": PASSWORD });
    assert_eq!(status(call("far", 8443, "POST", "/api/v1/sessions", &login)), Some(201));
}

/// Sends raw bytes and reads what comes back, if anything does.
fn raw(api: &Api, head: &[u8]) -> String {
    let address = api.url("").replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may have closed long before all is sent.
    let _ = stream.write_all(head);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn oversized_everything_is_refused_and_disturbs_nobody() {
    let world = active();
    let (service, device) = (world.service_api(), world.device().0);
    let json = |api: &Api, path: &str, length: usize| {
        let body = json!({ "request": "1".repeat(length) });
        api.post(path, &body)
    };
    assert_eq!(json(&service, "/v1/requests", 64 * 1024).problem(), "too-large");
    assert_eq!(json(&service, "/v1/requests", 5_000).problem(), "too-large");
    assert_eq!(json(&device, "/api/v1/sessions", 256 * 1024).problem(), "too-large");
    let photo =
        |body: Vec<u8>| service.send("POST", "/v1/requests/photo", &[("content-type", "image/png")], body).unwrap();
    assert_eq!(photo(vec![0; 12 * 1024 * 1024 + 1]).problem(), "too-large");
    assert_eq!(photo(bomb()).status / 100, 4, "a picture of 400 million pixels in 400 kB");

    for api in [&service, &device] {
        let long_header = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {}\r\n\r\n", "x".repeat(1024 * 1024));
        let many_headers = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n", "X: x\r\n".repeat(10_000));
        let long_path = format!("GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "x".repeat(1024 * 1024));
        for head in [long_header, many_headers, long_path] {
            let answer = raw(api, head.as_bytes());
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
        let chunked = b"POST /v1/requests HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n";
        let answer = raw(api, chunked);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(service.get("/healthz").status, 200);
    let opened: Opened = world.device().open();
    hand_in(&service, opened.digits()).must(202);
}

/// A PNG of 20,000 by 20,000 pixels, all the same.
fn bomb() -> Vec<u8> {
    let mut png = Vec::new();
    image::GrayImage::new(20_000, 20_000)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    assert!(png.len() < 12 * 1024 * 1024);
    png
}

#[test]
fn a_request_of_another_purpose_or_shape_is_malformed() {
    let world = active();
    let api = world.service_api();
    let opened = world.device().open();
    let bytes = qr::read(&opened.qr_text).unwrap();
    for body in [
        json!({}),
        json!({ "request": 7 }),
        json!({ "request": [opened.digits()] }),
        json!({ "request": opened.digits(), "address": "mallory@example.org" }),
        json!({ "request": "" }),
        json!({ "request": "hello" }),
        json!({ "request": &opened.digits()[1..] }),
        json!({ "request": digits::encode(&[&bytes[..], &[0]].concat()) }),
    ] {
        let answer = api.post("/v1/requests", &body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.problem(), "malformed", "{body}");
    }
    assert!(world.mailbox().mails().is_empty());
}
