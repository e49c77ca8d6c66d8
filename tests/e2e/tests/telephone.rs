//! By telephone: the maker enrols a recorder, its owner switches the way on, the desk reads the answer to its question out.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use sparekey_e2e::desk::operator;
use sparekey_e2e::program::{must, run};
use sparekey_e2e::world::SERIAL;
use sparekey_e2e::{Browser, Look, Setup, World, until};

const OLD: &str = "tangerine ladder ocean clock";
const NEW: &str = "granite whistle seldom maple";

#[test]
fn a_question_is_answered_once_the_log_has_it() {
    let mut world = World::make(Setup::default());
    let (recorder, service, record) = (world.path("recorder"), world.path("service"), world.path("enrolment"));
    must(&["recorder", "enrol", &recorder, "--out", &record]);
    world.start_service();
    world.start_recorder();
    let url = world.service_url();
    let (agent, approver) =
        (operator(&world, "Ann", "agent", &["--token"]), operator(&world, "Bob", "approver", &["--token"]));
    let desk = |token: &str, rest: &[&str]| {
        let mut args = vec!["desk", "--service", url.as_str(), "--token", token];
        args.extend(rest);
        run(&args)
    };
    let device = world.device();
    device.activate(OLD, &[]);

    // Off on both sides until both turn it on.
    let refused = device.0.post("/api/v1/recoveries", &json!({ "method": "seccode" }));
    assert_eq!(refused.problem(), "method-not-ready");
    let unknown = desk(&agent, &["open", "--serial", SERIAL, "--question", "12345678", "--json"]);
    assert!(unknown.status == Some(1) && unknown.error.contains("not-enrolled"), "{}", unknown.error);
    // Beside the running service.
    let enrolled = must(&["service", "enrol", &service, &record]);
    assert!(enrolled.contains(SERIAL), "{enrolled}");
    let screen = Browser::open(&Look::MONITOR);
    screen.goto(&(world.screen_url() + "/login"));
    screen.fill("#username", "admin");
    screen.fill("#password", OLD);
    screen.press("Log in");
    screen.see_path("home", |path| path == "/home");
    screen.goto(&(world.screen_url() + "/security"));
    screen.fill("#password", OLD);
    screen.click("button[value='seccode:on']");
    screen.see("button[value='seccode:off']");

    let opened = device.0.post("/api/v1/recoveries", &json!({ "method": "seccode" })).must(201);
    let (id, question) = (opened["id"].as_str().unwrap(), opened["question"].as_str().unwrap());
    let number = desk(&agent, &["open", "--serial", SERIAL, "--question", question]);
    assert_eq!(number.status, Some(0), "{}", number.error);
    let number = number.output.trim().to_owned();
    let again = desk(&agent, &["open", "--serial", SERIAL, "--question", question]);
    assert_eq!(again.output.trim(), number, "the same question is the same case");
    let early = desk(&agent, &["key", &number, "--json"]);
    assert!(early.status == Some(1) && early.error.contains("wrong-state"), "nobody approves alone: {}", early.error);
    assert_eq!(desk(&approver, &["approve", &number]).status, Some(0));
    let out = world.path("grant.xml");
    let grant = desk(&agent, &["grant", &number, "--out", &out, "--json"]);
    assert!(grant.status == Some(1) && grant.error.contains("not-by-grant"), "{}", grant.error);
    let before = log_size(&world);
    let code = desk(&agent, &["key", &number]);
    assert_eq!(code.status, Some(0), "{}", code.error);
    assert_eq!(log_size(&world), before + 1, "act 4 stands in the public log");
    let twice = desk(&agent, &["key", &number, "--json"]);
    assert!(twice.status == Some(1) && twice.error.contains("answered"), "{}", twice.error);

    let ticket = device.prove(id, code.output.trim()).must(200)["ticket"].as_str().unwrap().to_owned();
    device.set_password(id, &ticket, NEW).unwrap().must(202);
    until("the new password to log in", Duration::from_secs(60), || {
        device.try_log_in(NEW).filter(|answer| answer.status == 201).map(|_| ())
    });
    // The owner finds the leaf by what only the device and the service share.
    let (card, maker) = (world.path("card"), world.path("maker/maker.pub"));
    let watched =
        must(&["watch", "--service", &url, "--card", &card, "--maker", &maker, "--vault", &recorder, "--json"]);
    assert!(watched.contains("security-code-issued"), "{watched}");
}

fn log_size(world: &World) -> u64 {
    let checkpoint = world.service_api().get("/log/checkpoint").text();
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn enrolments_outlive_the_opening_key() {
    let mut world = World::make(Setup::default());
    let (recorder, service, record) = (world.path("recorder"), world.path("service"), world.path("enrolment"));
    must(&["recorder", "enrol", &recorder, "--out", &record]);
    must(&["service", "enrol", &service, &record]);
    must(&["service", "rotate", &service]);
    world.start_service();
    let url = world.service_url();
    let agent = operator(&world, "Ann", "agent", &["--token"]);
    let open =
        || run(&["desk", "--service", &url, "--token", &agent, "open", "--serial", SERIAL, "--question", "12345678"]);
    assert_eq!(open().status, Some(0));
    // The retired key is gone, as after thirty days: what it had sealed was sealed anew.
    for file in std::fs::read_dir(&service).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|end| end == "retired") {
            std::fs::remove_file(file).unwrap();
        }
    }
    world.crash_service();
    let opened = open();
    assert_eq!(opened.status, Some(0), "{}", opened.error);

    // A maker's line enrols by interface, as an administrator of the maker; nobody else does.
    let bytes = std::fs::read(&record).unwrap();
    let body = json!({ "enrolment": base64url(&bytes) });
    let api = |token: &str| world.service_api().with("authorization", &format!("Bearer {token}"));
    assert_eq!(api(&agent).post("/v1/enrolments", &body).problem(), "not-allowed");
    let admin = operator(&world, "Cal", "administrator", &["--token"]);
    let retired = api(&admin).post("/v1/enrolments", &body);
    assert_eq!(retired.problem(), "unknown-key", "it was sealed to the key that is gone");
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
