//! What the program says in a terminal: exit statuses, and errors of exactly two lines.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use serde_json::Value;
use sparekey_e2e::{
    Setup, World,
    program::{Ended, must, run},
};

fn fails(args: &[&str], status: i32) -> Ended {
    let ended = run(args);
    assert_eq!(ended.status, Some(status), "{args:?}: {ended:?}");
    assert!(ended.output.is_empty(), "errors go to standard error: {ended:?}");
    ended
}

/// Refused with two lines: what happened, what to do.
fn refused(args: &[&str]) -> String {
    let ended = fails(args, 1);
    let lines: Vec<&str> = ended.error.lines().collect();
    assert_eq!(lines.len(), 2, "{args:?}: {}", ended.error);
    // The second may end in a command to type.
    assert!(lines[0].ends_with('.') && lines[1].len() > 15, "{args:?}: {}", ended.error);
    assert!(!ended.error.contains("panicked") && !ended.error.contains("src/"), "{}", ended.error);
    ended.error
}

#[test]
fn every_command_explains_itself() {
    for command in [
        &[][..],
        &["demo"],
        &["maker"],
        &["maker", "init"],
        &["maker", "certify"],
        &["maker", "card"],
        &["service"],
        &["service", "init"],
        &["service", "run"],
        &["recorder"],
        &["recorder", "init"],
        &["recorder", "run"],
        &["watch"],
    ] {
        let help = must(&[command, &["--help"]].concat());
        assert!(help.contains("Usage:") && help.len() > 100, "{command:?}: {help}");
    }
    assert!(must(&["--version"]).starts_with("sparekey "));
}

#[test]
fn wrong_usage_is_status_2() {
    for args in [
        &["forget"][..],
        &["maker"],
        &["maker", "init"],
        &["demo", "--port", "port"],
        &["demo", "--address", "192.0.2.1"],
        &["service", "run"],
        &["recorder", "init", "dir", "--serial", "S"],
        &["--nonsense"],
    ] {
        let ended = fails(args, 2);
        assert!(ended.error.contains("Usage:") || ended.error.contains("For more information"), "{}", ended.error);
    }
}

#[test]
fn an_empty_folder_names_the_init_to_call() {
    let empty = tempfile::tempdir().unwrap();
    let dir = empty.path().to_str().unwrap();
    let service = refused(&["service", "run", dir, "--url", "http://127.0.0.1:7700"]);
    assert!(service.contains("sparekey service init"), "{service}");
    let recorder = refused(&["recorder", "run", dir]);
    assert!(recorder.contains("sparekey recorder init"), "{recorder}");
    assert_eq!(fs::read_dir(dir).unwrap().count(), 0, "nothing is made by a run that is refused");
}

#[test]
fn nothing_is_made_twice() {
    let world = World::make(Setup::default());
    let [maker, service, card, recorder] = ["maker", "service", "card", "recorder"].map(|name| world.path(name));
    let (maker_key, maker_pub) = (format!("{maker}/maker.key"), format!("{maker}/maker.pub"));
    let before = contents(world.folder());
    refused(&["maker", "init", &maker]);
    refused(&["service", "init", &service, "--maker", &maker_pub]);
    let url = world.service_url();
    refused(&[
        "maker",
        "card",
        &maker,
        "--service",
        &service,
        "--edition",
        "2",
        "--name",
        "N",
        "--url",
        &url,
        "--out",
        &card,
    ]);
    refused(&[
        "recorder",
        "init",
        &recorder,
        "--serial",
        "S-1",
        "--model",
        "M",
        "--card",
        &card,
        "--maker-key",
        &maker_key,
    ]);
    assert_eq!(contents(world.folder()), before, "what was there is as it was");
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_out_of_bounds_is_named() {
    let world = World::make(Setup::default());
    let [maker, service, card] = ["maker", "service", "card"].map(|name| world.path(name));
    let (maker_key, out) = (format!("{maker}/maker.key"), world.path("out"));
    let recorder = |serial: &str, model: &str| {
        refused(&[
            "recorder",
            "init",
            &out,
            "--serial",
            serial,
            "--model",
            model,
            "--card",
            &card,
            "--maker-key",
            &maker_key,
        ])
    };
    for serial in ["", "lower", "WITH SPACE", "UMLAUT-Ü", &"X".repeat(49)] {
        assert!(recorder(serial, "M").contains("--serial"));
    }
    for model in ["", &"m".repeat(33)] {
        assert!(recorder("S-1", model).contains("--model"));
    }
    for url in [
        "recover.example.org",
        "http://recover.example.org",
        "https://recover.example.org/",
        "https://u@recover.example.org",
    ] {
        let error = refused(&[
            "maker",
            "card",
            &maker,
            "--service",
            &service,
            "--edition",
            "1",
            "--name",
            "N",
            "--url",
            url,
            "--out",
            &out,
        ]);
        assert!(error.contains("--url"), "{error}");
    }
    for mail in ["mailto:a@b.example", "maildir:", "smtp://"] {
        let error = refused(&["service", "run", &service, "--url", &world.service_url(), "--mail", mail]);
        assert!(error.to_lowercase().contains("mail"), "{error}");
    }
    assert!(!Path::new(&out).exists());
}

#[test]
fn another_makers_card_is_refused() {
    let (own, other) = (World::make(Setup::default()), World::make(Setup::default()));
    let (card, key, out) = (other.path("card"), own.path("maker/maker.key"), own.path("another"));
    let error =
        refused(&["recorder", "init", &out, "--serial", "S-1", "--model", "M", "--card", &card, "--maker-key", &key]);
    assert!(error.to_lowercase().contains("card"), "{error}");
    assert!(!Path::new(&out).join("device.key").exists(), "no half-made device stays");
}

#[test]
fn one_folder_one_program() {
    let mut world = World::start(Setup::default());
    refused(&["recorder", "run", &world.path("recorder"), "--listen", "127.0.0.1:0"]);
    let (service, url) = (world.path("service"), world.service_url());
    refused(&["service", "run", &service, "--url", &url, "--listen", "127.0.0.1:0"]);
    for program in [world.service().take().unwrap(), world.recorder().take().unwrap()] {
        assert_eq!(program.interrupt().code(), Some(0));
    }
}

#[test]
fn an_address_in_use_is_named() {
    let world = World::start(Setup::default());
    world.make_recorder("second", "NVR-2");
    let taken = world.service_url().replace("http://", "");
    let error = refused(&["recorder", "run", &world.path("second"), "--listen", &taken]);
    assert!(error.contains(&taken) && error.contains("--listen"), "{error}");
}

#[test]
fn programs_read_problems_as_json() {
    let empty = tempfile::tempdir().unwrap();
    let dir = empty.path().to_str().unwrap();
    for args in [
        &["recorder", "run", dir][..],
        &["service", "run", dir, "--url", "http://127.0.0.1:1"],
        &["maker", "certify", dir, "--device-key", "no", "--serial", "S", "--model", "M", "--out", "no"],
    ] {
        let ended = fails(&[&["--json"], args].concat(), 1);
        let problem: Value = serde_json::from_str(&ended.error).expect("one line of JSON");
        assert!(problem["type"].as_str().unwrap().starts_with("urn:sparekey:problem:"), "{problem}");
        for line in ["title", "detail"] {
            assert!(problem[line].as_str().is_some_and(|text| text.len() > 15 && !text.contains('\n')), "{problem}");
        }
    }
    let made = must(&["--json", "maker", "init", &format!("{dir}/maker")]);
    let made: Value = serde_json::from_str(&made).expect("one line of JSON");
    assert_eq!(made["maker"].as_str().unwrap().len(), 16);
}
