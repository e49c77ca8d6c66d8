//! The one command that a newcomer types.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use sparekey_e2e::{Api, Program, Recorder, ports, program::run};

const PASSWORD: &str = "tangerine ladder ocean clock";

fn start(folder: &Path, data: &str, port: u16, more: &[&str]) -> Program {
    let port = port.to_string();
    Program::start("demo", &[&["demo", "--data", data, "--port", &port], more].concat(), folder, &[])
}

fn recorder(demo: &Program) -> Recorder {
    Recorder::new(Api::new(demo.told("screen")))
}

fn is_active(demo: &Program) -> bool {
    recorder(demo).0.get("/api/v1/device").must(200)["state"] == "active"
}

#[test]
fn everything_on_this_machine_kept_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let data = data.to_str().unwrap();
    let port = ports::free();

    let demo = start(folder.path(), data, port, &[]);
    for (name, title) in [("screen", "Not activated"), ("app", "Reset Device Password"), ("mailbox", "Mailbox")] {
        let page = follow(demo.told(name));
        assert!(page.contains(title), "{name}: {page}");
    }
    assert!(!is_active(&demo));
    recorder(&demo).activate(PASSWORD, &["olga@owners.example.org"]);
    let opened = recorder(&demo).open();
    let app = Api::new(demo.told("app"));
    app.post("/v1/requests", &serde_json::json!({ "request": opened.digits() })).must(202);
    let mailbox = Api::new(demo.told("mailbox"));
    sparekey_e2e::until("the mail on the mailbox page", std::time::Duration::from_secs(20), || {
        mailbox.get("/").text().contains("olga@owners.example.org").then_some(())
    });
    assert_eq!(demo.interrupt().code(), Some(0));

    let demo = start(folder.path(), data, port, &[]);
    assert!(is_active(&demo), "the next run goes on where this one stopped");
    recorder(&demo).log_in(PASSWORD).must(201);
    recorder(&demo).view(&opened.id).must(200);
    assert_eq!(demo.interrupt().code(), Some(0));

    let demo = start(folder.path(), data, port, &["--fresh"]);
    assert!(!is_active(&demo), "--fresh forgets");
    // A power cut is not the end either.
    demo.kill();
    let demo = start(folder.path(), data, port, &[]);
    assert!(!is_active(&demo));
}

/// The page that an address leads to.
fn follow(url: &str) -> String {
    let answer = Api::new(url).get("/");
    let Some(next) = answer.headers.get("location") else { return answer.text() };
    Api::new(url).get(next.to_str().unwrap()).text()
}

#[test]
fn a_folder_that_is_no_demos_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let (data, port) = (folder.path().to_str().unwrap(), ports::free().to_string());
    for more in [&["--fresh"][..], &[]] {
        let ended = run(&[&["demo", "--data", data, "--port", &port], more].concat());
        assert_eq!(ended.status, Some(1), "{more:?}: {ended:?}");
        assert_eq!(ended.error.lines().count(), 2, "{}", ended.error);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
