//! The ways back in that need no mail, with the real program: by the interface, and by a browser.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use serde_json::{Value, json};
use sparekey_e2e::http::Api;
use sparekey_e2e::{Browser, Look, Program, Setup, World, program};
use std::fs;
use std::process::Command;

const FIRST: &str = "tangerine ladder ocean clock";
const SECOND: &str = "granite whistle seldom maple";

/// The interface of who is logged in.
fn logged_in(world: &World, password: &str) -> Api {
    let token = world.device().log_in(password).must(201)["token"].as_str().unwrap().to_owned();
    Api::new(&world.screen_url()).with("authorization", &format!("Bearer {token}"))
}

fn key_file(world: &World, password: &str) -> String {
    let answer = logged_in(world, password).post("/api/v1/key-file", &json!({ "password": password }));
    assert_eq!(answer.status, 200);
    answer.text()
}

fn open(world: &World, method: &str) -> (String, Value) {
    let opened = world.device().0.post("/api/v1/recoveries", &json!({ "method": method })).must(201);
    (opened["id"].as_str().unwrap().to_owned(), opened)
}

/// From a right proof to the new password, and logged in with it after the restart.
fn resets(world: &World, id: &str, proof: &Value) {
    let proven = world.device().0.post(&format!("/api/v1/recoveries/{id}/proof"), proof).must(200);
    world.device().reset(id, proven["ticket"].as_str().unwrap(), SECOND);
    let old = world.device().log_in(FIRST);
    assert_eq!(old.problem(), "not-logged-in");
}

fn why(world: &World, method: &str) -> Value {
    let device = world.device().0.get("/api/v1/device").must(200);
    device["methods"].as_array().unwrap().iter().find(|found| found["name"] == method).unwrap()["why"].clone()
}

#[test]
fn by_key_file() {
    let mut world = World::start(Setup::default());
    world.device().activate(FIRST, &[]);
    let file = key_file(&world, FIRST);
    let (id, opened) = open(&world, "keyfile");
    assert_eq!(opened["tries_left"], 7);
    // A power cut loses neither the request nor the file's hash.
    world.crash_recorder();
    resets(&world, &id, &json!({ "key_file": file }));
    assert_eq!(why(&world, "keyfile"), "void-after-use");
}

#[test]
fn by_three_answers() {
    let world = World::start(Setup::default());
    let answers =
        |pet: &str| json!([{ "id": 1, "answer": pet }, { "id": 3, "answer": "Mohr" }, { "id": 11, "answer": "Bo" }]);
    let body = json!({ "username": "admin", "password": FIRST, "questions": answers("Rex") });
    world.device().0.post("/api/v1/activation", &body).must(201);
    let (id, opened) = open(&world, "questions");
    assert_eq!(opened["questions"][0]["text"], "What was the name of your first pet?");
    let wrong = world.device().0.post(&format!("/api/v1/recoveries/{id}/proof"), &json!({ "answers": answers("Max") }));
    assert_eq!(wrong.problem(), "wrong-proof");
    resets(&world, &id, &json!({ "answers": answers(" rex ") }));
}

/// What the maker thinks of questions comes with the command.
#[test]
fn questions_that_the_maker_forbids() {
    let world = World::start(Setup::default());
    world.make_recorder("strict", "NVR-2026-000418");
    let (dir, folder) = (world.path("strict"), world.folder());
    let args = ["recorder", "run", &dir, "--listen", "127.0.0.1:0", "--questions", "forbidden"];
    let strict = Program::start("strict", &args, folder, &[]);
    let api = Api::new(strict.told("screen"));
    let answers = json!([{ "id": 1, "answer": "Rex" }, { "id": 3, "answer": "Mohr" }, { "id": 11, "answer": "Bo" }]);
    let body = json!({ "username": "admin", "password": FIRST, "questions": answers });
    assert_eq!(api.post("/api/v1/activation", &body).json()["why"], "forbidden-by-maker");
    api.post("/api/v1/activation", &json!({ "username": "admin", "password": FIRST })).must(201);
    let methods = api.get("/api/v1/device").must(200)["methods"].clone();
    let questions = methods.as_array().unwrap().iter().find(|method| method["name"] == "questions").unwrap().clone();
    assert_eq!(questions, json!({ "name": "questions", "ready": false, "why": "forbidden-by-maker" }));
}

/// A stick is a disk that is mounted, in the recorder's own view of the files. A link on it leads nowhere.
#[test]
fn by_key_file_on_a_stick_in_a_browser() {
    let own_mounts = ["--mount", "--propagation", "private"];
    if !Command::new("unshare").args(own_mounts).arg("true").status().is_ok_and(|status| status.success()) {
        println!("skipped: this system gives no view of the files of its own");
        return;
    }
    let world = World::start(Setup::default());
    world.make_recorder("sticky", "NVR-2026-000419");
    world.hash_cheaply("sticky");
    let (dir, media) = (world.path("sticky"), world.path("media"));
    let settings = fs::read_to_string(format!("{dir}/settings.toml")).unwrap_or_default();
    fs::write(format!("{dir}/settings.toml"), format!("removable = ['{media}']\n{settings}")).unwrap();
    let stick = format!("{media}/anna/STICK");
    fs::create_dir_all(&stick).unwrap();
    fs::create_dir_all(format!("{media}/FOLDER")).unwrap();
    let mount = "mount -t tmpfs stick \"$1\" && ln -s /etc/hostname \"$1/link.xml\" && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(own_mounts).args(["sh", "-c", mount, "sh", &stick]).arg(program::path());
    command.args(["--json", "recorder", "run", &dir, "--listen", "127.0.0.1:0"]);
    let sticky = Program::start_command("sticky", command, world.folder());
    let url = sticky.told("screen").trim_end_matches('/').to_owned();
    Api::new(&url).post("/api/v1/activation", &json!({ "username": "admin", "password": FIRST })).must(201);

    let screen = Browser::open(&Look::MONITOR);
    screen.goto(&format!("{url}/login"));
    screen.fill("#username", "admin");
    screen.fill("#password", FIRST);
    screen.press("Log in");
    screen.see_path("home", |path| path == "/home");
    screen.goto(&format!("{url}/key-file"));
    screen.see_text("Save to the USB stick STICK");
    assert!(!screen.text().contains("FOLDER"), "a folder of the same disk");
    screen.fill("#password", FIRST);
    screen.press("Save to the USB stick STICK");
    screen.see_text("The key file is on the stick, as key-file-NVR-2026-000419.xml.");
    screen.goto(&format!("{url}/forgot"));
    screen.click("button[name=way][value=keyfile]");
    screen.see("#file");
    assert!(!screen.text().contains("link.xml"), "what only points to a file");
    screen.press("Use key-file-NVR-2026-000419.xml on the USB stick STICK");
    set_password(&screen, SECOND);
}

/// The desk reads the digits out of the request, and its owner types them.
#[test]
fn by_the_digits_of_the_desk() {
    let mut world = World::start(Setup::default());
    world.device().activate(FIRST, &[]);
    let (id, opened) = open(&world, "desk");
    assert!(opened["request_xml"].as_str().unwrap().contains("<RecoveryRequest"));
    world.crash_recorder();
    assert_eq!(open(&world, "desk").0, id, "asked for again, it is the same request");
    let qr_text = opened["qr_text"].as_str().unwrap().to_owned();
    let code = world.opener().code(&sparekey_e2e::device::Opened { id: id.clone(), qr_text });
    resets(&world, &id, &json!({ "code": code }));
}

/// A key file is handed over in a browser; then a code of a sheet that was printed from one.
#[test]
fn by_key_file_and_sheet_in_a_browser() {
    let world = World::start(Setup::default());
    world.device().activate(FIRST, &[]);
    let path = world.folder().join("key-file.xml");
    fs::write(&path, key_file(&world, FIRST)).unwrap();
    let screen = Browser::open(&Look::MONITOR);
    screen.goto(&(world.screen_url() + "/forgot"));
    screen.click("button[name=way][value=keyfile]");
    screen.see("#file");
    screen.fill("#file", path.to_str().unwrap());
    screen.press("Use this file");
    set_password(&screen, SECOND);

    screen.fill("#username", "admin");
    screen.fill("#password", SECOND);
    screen.press("Log in");
    screen.see_path("home", |path| path == "/home");
    screen.goto(&(world.screen_url() + "/sheet"));
    screen.fill("#password", SECOND);
    screen.press("Make a new sheet");
    screen.see(".sheet code");
    assert!(screen.has("[data-print]:not([hidden])"));
    let code =
        screen.script("return document.querySelectorAll('.sheet code')[3].innerText").as_str().unwrap().to_owned();

    screen.goto(&(world.screen_url() + "/forgot"));
    screen.click("button[name=way][value=sheet]");
    screen.see("#sheet_code");
    screen.fill("#sheet_code", &code.to_lowercase());
    screen.press("Continue");
    set_password(&screen, FIRST);
    world.device().log_in(FIRST).must(201);
}

fn set_password(screen: &Browser, password: &str) {
    screen.see_path("the new password", |path| path.ends_with("/password"));
    screen.fill("#password", password);
    screen.fill("#password_again", password);
    screen.press("Set the new password");
    screen.see_text("The new password is set");
    screen.see_path("the login, by itself", |path| path == "/login");
}
