//! From a new recorder to a new password, as its owner goes it: the recorder's screen and a phone as two browsers, the mail
//! through Postfix by SMTP with STARTTLS. Journeys 1 and 2.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Api, Browser, Look, Postfix, Setup, World, camera, program, until,
    world::{MODEL, SERIAL},
};

const ADDRESS: &str = "olga@owners.example.org";
const FIRST: &str = "tangerine ladder ocean clock";
const SECOND: &str = "granite whistle seldom maple";

/// How long each leg took the machines: typing by a browser's driver included, a person's reading and typing not.
struct Legs(Vec<(&'static str, Duration)>, Instant);

impl Legs {
    fn begin() -> Self {
        Self(Vec::new(), Instant::now())
    }

    fn end(&mut self, leg: &'static str) {
        self.0.push((leg, self.1.elapsed()));
        self.1 = Instant::now();
    }

    fn tell(&self) {
        let all: Duration = self.0.iter().map(|(_, time)| *time).sum();
        println!("forgot to logged in, machine part: {:.2} s", all.as_secs_f64());
        for (leg, time) in &self.0 {
            println!("  {:6.2} s  {leg}", time.as_secs_f64());
        }
    }
}

/// What a phone's own camera app reads off the screen.
fn read_by_camera_app(world: &World, picture: &[u8]) -> String {
    let file = world.folder().join("seen.png");
    fs::write(&file, picture).unwrap();
    let read = program::command(&["decode-photo"]).stdin(fs::File::open(file).unwrap()).output().unwrap();
    assert!(read.status.success(), "the symbol on the screen can be read: {}", String::from_utf8_lossy(&read.stderr));
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    read["symbols"][0].as_str().expect("a symbol").to_owned()
}

fn activate(screen: &Browser, world: &World) {
    screen.goto(&world.screen_url());
    screen.see_path("the first page of a new recorder", |path| path == "/activate");
    screen.fill("#password", FIRST);
    screen.fill("#password_again", FIRST);
    screen.fill("#email", ADDRESS);
    screen.fill("#email_again", ADDRESS);
    screen.press("Activate");
    screen.see_path("the page that tries the address out", |path| path == "/contacts/1/confirm");
    if screen.has("form[action='/contacts/1/request'] button") {
        screen.press("Show the code to scan");
    }
    screen.see("figure.qr svg");
}

/// The phone's app: *Reset Device Password*, the camera in the page, frames read by the service.
fn scan_in_the_app(world: &World, picture: &[u8]) -> Browser {
    let film = world.folder().join("screen.y4m");
    camera::film(picture, &film);
    let phone = Browser::open(&Look { camera: Some(film), ..Look::PHONE });
    phone.goto(&world.service_url());
    phone.press("Reset Device Password");
    phone.see_path("the scanner", |path| path == "/reset");
    if phone.has("[data-start]:not([hidden])") {
        phone.click("[data-start]");
    }
    phone.see_path("the request's page", |path| path.starts_with("/requests/"));
    phone
}

fn sees_the_mail_go(phone: &Browser) {
    phone.see_text("o••••@o••••.org");
    phone.see_text("was sent");
    let seen = phone.text();
    assert!(seen.contains(SERIAL) && seen.contains(MODEL), "the phone shows which device: {seen}");
    assert!(!seen.contains(ADDRESS), "the phone sees no whole address: {seen}");
}

#[test]
fn from_activation_to_a_new_password() {
    let Some(postfix) = Postfix::start() else { return };
    let mut world = World::start(Setup { mail: Some(postfix.url()), ..Setup::default() });
    let mailbox = postfix.mailbox();
    let recordings = world.folder().join("recorder/recordings");
    fs::create_dir_all(&recordings).unwrap();
    fs::write(recordings.join("2026-11-22.mp4"), b"a day").unwrap();

    // The first day.
    let screen = Browser::open(&Look::MONITOR);
    activate(&screen, &world);
    let phone = scan_in_the_app(&world, &screen.screenshot());
    sees_the_mail_go(&phone);
    let mail = mailbox.wait(1).remove(0);
    assert_eq!(mail.to, ADDRESS);
    assert!(mail.received.contains("TLS"), "it came by STARTTLS: {}", mail.received);
    assert!(mail.text.contains(SERIAL) && mail.html.contains(SERIAL), "the mail says which device");
    assert!(!mail.html.contains("<a ") && !mail.html.contains("<img"), "nothing to click, nothing to fetch");
    screen.fill("#code", &mail.code());
    screen.press("Confirm");
    screen.see_path("the list of ways back in", |path| path == "/ready");
    screen.see_text("Ways back in");
    screen.press("Done");
    screen.see_text("confirmed");
    drop(phone);

    // A program is logged in as well, by cookie and by bearer.
    let device = world.device();
    let session = device.log_in(FIRST);
    let token = session.must(201)["token"].as_str().unwrap().to_owned();
    let by_token = Api::new(&world.screen_url()).with("authorization", &format!("Bearer {token}"));
    let by_cookie = Api::new(&world.screen_url()).with("cookie", &session.cookie().unwrap());
    let confirmation = "/api/v1/contacts/1/confirmation";
    by_token.post(confirmation, &json!({})).must(201);
    by_cookie.post(confirmation, &json!({})).must(201);
    screen.press("Log out");
    screen.see_path("the login", |path| path == "/login");

    // Forgotten.
    let phone = Browser::open(&Look::PHONE);
    let mut legs = Legs::begin();
    screen.press("Forgot password");
    screen.see_path("the ways", |path| path == "/forgot");
    screen.click("button[name=way][value=email]");
    screen.see("figure.qr svg");
    let picture = screen.screenshot();
    legs.end("Forgot password, Reserved email, QR on the screen");
    let link = read_by_camera_app(&world, &picture);
    assert!(link.starts_with(&format!("{}/r#", world.service_url())), "{link}");
    legs.end("the camera reads the QR");
    phone.goto(&link);
    phone.see_path("the request's page", |path| path.starts_with("/requests/"));
    assert!(!phone.url().contains('#'), "no request stays in the address bar");
    legs.end("the phone hands the request in");
    let mail = mailbox.wait(2).remove(1);
    legs.end("the mail is in the mailbox");
    screen.fill("#code", &mail.code());
    screen.press("Continue");
    screen.see_path("the new password", |path| path.ends_with("/password"));
    legs.end("the code is typed and checked");
    screen.fill("#password", SECOND);
    screen.fill("#password_again", SECOND);
    screen.press("Set the new password");
    screen.see_text("The new password is set");
    legs.end("the new password is typed, hashed and kept");
    screen.see_path("the login, by itself", |path| path == "/login");
    legs.end("the recorder starts again");
    screen.see_text("password was changed");
    screen.fill("#username", "admin");
    screen.fill("#password", SECOND);
    screen.press("Log in");
    screen.see_path("home", |path| path == "/home");
    legs.end("logged in");
    legs.tell();
    sees_the_mail_go(&phone);

    // What was good before is not any more; what was recorded is.
    assert_eq!(device.log_in(FIRST).problem(), "not-logged-in");
    device.log_in(SECOND).must(201);
    assert_eq!(by_token.post(confirmation, &json!({})).problem(), "not-logged-in");
    assert_eq!(by_cookie.post(confirmation, &json!({})).problem(), "not-logged-in");
    assert_eq!(fs::read(recordings.join("2026-11-22.mp4")).unwrap(), b"a day");

    // And all that after a power cut.
    world.crash_recorder();
    assert_eq!(device.log_in(FIRST).problem(), "not-logged-in");
    device.log_in(SECOND).must(201);
    assert_eq!(mailbox.mails().len(), 2, "one mail a request");
}

/// Browsers on phones read symbols themselves; the one here cannot, so a stand-in reads for it.
#[test]
fn a_browser_that_reads_symbols_sends_no_picture() {
    let world = World::start(Setup::default());
    world.device().activate(FIRST, &[ADDRESS]);
    let opened = world.device().open();
    let film = world.folder().join("black.y4m");
    let mut black = Vec::new();
    image::RgbImage::new(1280, 720).write_to(&mut std::io::Cursor::new(&mut black), image::ImageFormat::Png).unwrap();
    camera::film(&black, &film);
    let phone = Browser::open(&Look { camera: Some(film), ..Look::PHONE });
    let stand_in = format!(
        "window.BarcodeDetector = class {{
            static async getSupportedFormats() {{ return ['qr_code']; }}
            async detect() {{ return [{{ rawValue: {:?} }}]; }}
        }};
        const send = window.fetch;
        window.posted = [];
        window.fetch = (url, options) => {{ sessionStorage.posted = (sessionStorage.posted ?? '') + url + ' '; return send(url, options); }};",
        opened.qr_text
    );
    phone.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": stand_in }));
    phone.goto(&format!("{}/reset", world.service_url()));
    if phone.has("[data-start]:not([hidden])") {
        phone.click("[data-start]");
    }
    phone.see_path("the request's page", |path| path.starts_with("/requests/"));
    let posted = phone.script("return sessionStorage.posted");
    let posted = posted.as_str().unwrap();
    assert!(posted.contains("/v1/requests "), "{posted}");
    assert!(!posted.contains("photo"), "no frame left the phone: {posted}");
    let code = world.mailbox().wait(1).remove(0).code();
    world.device().prove(&opened.id, &code).must(200);
}

/// A dark room, then light: the page says so and goes on.
#[test]
fn a_camera_that_sees_nothing_is_told_so() {
    let world = World::start(Setup::default());
    let film = world.folder().join("black.y4m");
    let mut black = Vec::new();
    image::RgbImage::new(1280, 720).write_to(&mut std::io::Cursor::new(&mut black), image::ImageFormat::Png).unwrap();
    camera::film(&black, &film);
    let phone = Browser::open(&Look { camera: Some(film), ..Look::PHONE });
    phone.goto(&format!("{}/reset", world.service_url()));
    if phone.has("[data-start]:not([hidden])") {
        phone.click("[data-start]");
    }
    phone.see_text("too dark");
    phone.press("Stop");
    phone.see_text("Stopped");
    until("the scanner to be ready again", Duration::from_secs(5), || {
        phone.has("[data-start]:not([hidden])").then_some(())
    });
}
