//! Nothing that is secret stays where it does not belong: logs at their most talkative, metrics, the database, its
//! write-ahead log, files. Class 13 of the list of mistakes others made.

#![allow(clippy::unwrap_used)]

use std::{fs, net::TcpListener, path::Path, time::Duration};

use serde_json::json;
use sparekey_e2e::{Setup, World, smtp::ScriptedServer, until};

const PASSWORD: &str = "tangerine canary ocean clock";
const NEW: &str = "granite canary seldom maple";
const WRONG: &str = "velvet canary harbour copper";
const LOCAL_PART: &str = "canary4711";

/// What must not be found, by name.
type Secrets = Vec<(&'static str, String)>;

fn assert_clean(place: &str, bytes: &[u8], secrets: &Secrets) {
    let lower = bytes.to_ascii_lowercase();
    for (name, secret) in secrets {
        let secret = secret.to_ascii_lowercase();
        let found = lower.windows(secret.len()).position(|part| part == secret.as_bytes());
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(200)..(at + 100).min(bytes.len())];
            panic!("the {name} is in {place}: {}", String::from_utf8_lossy(around));
        }
    }
}

/// Every file below a folder.
fn assert_folder_clean(folder: &Path, secrets: &Secrets) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_folder_clean(&path, secrets);
        } else if let Ok(bytes) = fs::read(&path) {
            assert_clean(&path.display().to_string(), &bytes, secrets);
        }
    }
}

fn only(secrets: &Secrets, names: &[&str]) -> Secrets {
    secrets.iter().filter(|(name, _)| names.contains(name)).cloned().collect()
}

#[test]
fn no_code_password_or_address_stays_behind() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mail = format!("smtp://127.0.0.1:{port}?starttls=never");
    let mut world = World::start(Setup { mail: Some(mail), log: Some("trace"), ..Setup::default() });
    let device = world.device();
    device.activate(PASSWORD, &[&format!("{LOCAL_PART}@owners.example.org")]);
    let opened = device.open();
    let code = world.opener().code(&opened);
    let grouped = format!("{} {}", &code[..4], &code[4..]);
    let answer = world.service_api().post("/v1/requests", &json!({ "request": opened.digits() })).must(202);
    let case = answer["id"].as_str().unwrap().to_owned();
    assert_eq!(answer["masked_address"], "c••••@o••••.org");
    let mut secrets: Secrets = vec![
        ("code", code.clone()),
        ("code in groups", grouped),
        ("address", LOCAL_PART.to_owned()),
        ("password", PASSWORD.to_owned()),
        ("wrong password", WRONG.to_owned()),
        ("new password", NEW.to_owned()),
        ("case's id", case.clone()),
    ];
    let of_service = only(&secrets, &["code", "code in groups", "address"]);

    // While the mail waits, and after a power cut that leaves the write-ahead log behind.
    assert_folder_clean(Path::new(&world.path("service")), &of_service);
    world.crash_service();
    assert_folder_clean(Path::new(&world.path("service")), &of_service);

    // Sent.
    let server = ScriptedServer::start_at(port, &[]);
    until("the mail", Duration::from_secs(60), || (server.mails().len() == 1).then_some(()));
    let api = world.service_api();
    until("the note of it", Duration::from_secs(10), || {
        (api.get(&format!("/v1/requests/{case}")).json()["mail"] == "sent").then_some(())
    });
    assert_folder_clean(Path::new(&world.path("service")), &of_service);
    assert_clean("the metrics", &api.get("/metrics").body, &secrets);

    // Used, with a wrong password on the way.
    let token = device.log_in(PASSWORD).must(201)["token"].as_str().unwrap().to_owned();
    device.log_in(WRONG);
    let ticket = device.prove(&opened.id, &code).must(200)["ticket"].as_str().unwrap().to_owned();
    secrets.extend([("session", token), ("ticket", ticket.clone()), ("recovery's id", opened.id.clone())]);
    assert_folder_clean(
        Path::new(&world.path("recorder")),
        &only(&secrets, &["code", "password", "new password", "session", "ticket"]),
    );
    device.set_password(&opened.id, &ticket, NEW).unwrap().must(202);
    until("the recorder to be back", Duration::from_secs(20), || {
        std::thread::sleep(Duration::from_millis(600));
        device.try_log_in(NEW).filter(|answer| answer.status == 201)
    });

    let programs = [world.service().take().unwrap(), world.recorder().take().unwrap()];
    for program in programs {
        let said = program.said();
        assert!(said.contains("\"INFO\""), "it logs: {said}");
        assert_clean("a log", said.as_bytes(), &secrets);
        assert_eq!(program.interrupt().code(), Some(0));
    }
    assert_folder_clean(Path::new(&world.path("service")), &of_service);
}
