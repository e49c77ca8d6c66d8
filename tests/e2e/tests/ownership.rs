//! The ends of an ownership, with the real program and a browser: handed over, and reset by a hand on the device.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use sparekey_e2e::{Browser, Look, Setup, World, program, until};

const FIRST: &str = "tangerine ladder ocean clock";
const SECOND: &str = "granite whistle seldom maple";
const LONG: Duration = Duration::from_secs(30);

/// Waits until the recorder answers that it is so; it may be starting again.
fn until_it_is(world: &World, state: &str, awaits_transfer: bool) {
    until(&format!("the recorder to be {state}"), LONG, || {
        let answer =
            world.device().0.json("GET", "/api/v1/device", &json!({})).filter(|answer| answer.status == 200)?;
        let device = answer.json();
        (device["state"] == state && device["awaits_transfer"] == awaits_transfer).then_some(())
    });
}

fn recording(world: &World) -> PathBuf {
    let folder = world.folder().join("recorder/recordings/camera-1");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("0.mp4"), "moving").unwrap();
    folder.join("0.mp4")
}

/// The administrator sells the recorder: the buyer activates it with the code, and a stranger before does not.
#[test]
fn handed_over_in_a_browser_and_activated_with_the_code() {
    let mut world = World::start(Setup::default());
    world.device().activate(FIRST, &[]);
    let recording = recording(&world);
    let (screen, saved) = (Browser::open(&Look::MONITOR), world.folder().join("saved"));
    fs::create_dir(&saved).unwrap();
    screen.download_to(&saved);
    screen.goto(&(world.screen_url() + "/login"));
    screen.fill("#username", "admin");
    screen.fill("#password", FIRST);
    screen.press("Log in");
    screen.see_path("home", |path| path == "/home");
    screen.goto(&(world.screen_url() + "/security"));
    screen.press("Hand this device over");
    screen.see("#password");
    screen.click("input[name=recordings][value=keep]");
    screen.fill("#password", FIRST);
    screen.press("Hand it over");
    screen.see("#transfer-code");
    let code = screen.script("return document.querySelector('#transfer-code').innerText").as_str().unwrap().to_owned();
    assert!(screen.has("[data-print]:not([hidden])"));
    screen.press("Save the statement");
    let statement = until("the statement to be saved", LONG, || {
        let name = format!("transfer-{}.cose", sparekey_e2e::world::SERIAL);
        fs::read(saved.join(name)).ok().filter(|bytes| !bytes.is_empty())
    });
    until_it_is(&world, "inactive", true);
    assert!(statement.len() <= 256 && recording.exists());

    // A power cut, and a stranger.
    world.crash_recorder();
    let body = json!({ "username": "x", "password": SECOND, "transfer_code": "00000-00001-00002-00003" });
    assert_eq!(world.device().0.post("/api/v1/activation", &body).problem(), "wrong-proof");
    screen.goto(&(world.screen_url() + "/activate"));
    screen.fill("#transfer_code", &code.to_lowercase().replace('-', " "));
    screen.fill("#password", SECOND);
    screen.fill("#password_again", SECOND);
    screen.press("Activate");
    screen.see_path("the ways back in", |path| path == "/ready");
    world.device().log_in(SECOND).must(201);
    assert_eq!(world.device().log_in(FIRST).problem(), "not-logged-in");
}

/// Nobody remembers anything: a hand on the button, and the screen. Power fails before the recordings are erased.
#[test]
fn reset_by_a_hand_on_the_device_and_erased_over_crashes() {
    let mut world = World::make(Setup::default());
    let (disk, recordings) = (world.folder().join("disk"), world.folder().join("recorder/recordings"));
    fs::create_dir(&disk).unwrap();
    symlink(&disk, &recordings).unwrap();
    world.start_service();
    world.start_recorder();
    world.device().activate(FIRST, &["olga@owners.example.org"]);
    let recording = recording(&world);

    let screen = Browser::open(&Look::MONITOR);
    screen.goto(&(world.screen_url() + "/login"));
    screen.press("Factory reset");
    screen.see_text("Show that you stand before the device");
    let button = world.folder().join("recorder/presence/button");
    fs::write(&button, "").unwrap();
    // The page goes on by itself.
    screen.see_text("Somebody stands before this device");
    fs::remove_file(&button).unwrap();
    screen.click("input[name=recordings][value=erase]");
    screen.fill("#word", "RESET");
    // The disk with the recordings is away.
    let away = world.folder().join("away");
    fs::rename(&disk, &away).unwrap();
    screen.press("Reset this device");
    screen.see_text("The device is reset");
    until("the recorder to say that it cannot go on", LONG, || {
        world.device().try_log_in(FIRST).filter(|answer| answer.status == 503)
    });

    // It erases before anything else, at each start until it has.
    world.recorder().take().unwrap().kill();
    let dir = world.path("recorder");
    let refused = program::run(&["recorder", "run", &dir, "--listen", "127.0.0.1:0"]);
    assert!(refused.status == Some(1) && refused.error.contains("recordings are to be erased"), "{}", refused.error);
    fs::rename(&away, &disk).unwrap();
    assert!(recording.exists());
    world.start_recorder();
    until_it_is(&world, "inactive", false);
    assert!(!recording.exists() && recordings.is_symlink(), "before it answers");
    assert_eq!(world.device().log_in(FIRST).problem(), "not-active");

    // Nothing is erased twice.
    fs::write(disk.join("new.mp4"), "of the next owner").unwrap();
    world.crash_recorder();
    until_it_is(&world, "inactive", false);
    assert!(disk.join("new.mp4").exists());
    world.device().activate(SECOND, &[]);
    world.device().log_in(SECOND).must(201);
}
