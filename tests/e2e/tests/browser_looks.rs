//! Every page as people meet it: small and large, light and dark, by keyboard alone, and as a screen reader is told of it.
//!
//! Pictures of the pages go to `target/screenshots`, to be looked at.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use sparekey_e2e::desk::{PaperDevice, operator, xml};
use sparekey_e2e::{Browser, Look, Setup, World, critic::Critic, until};

const PASSWORD: &str = "tangerine ladder ocean clock";
const NEW: &str = "granite whistle seldom maple";
const ADDRESS: &str = "olga@owners.example.org";
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[test]
fn the_recorders_pages() {
    let world = World::start(Setup::default());
    let (mut critic, screen) = (Critic::new(), Browser::open(&Look::MONITOR));
    let open = |path: &str| screen.goto(&(world.screen_url() + path));
    open("/activate");
    critic.judge(&screen, "recorder-activate");
    screen.fill("#password", "12345678");
    screen.fill("#password_again", "12345678");
    screen.press("Activate");
    screen.see("[role=alert], .banner");
    // The answer's own status is in the console, and only that.
    let refused = screen.complaints();
    assert!(refused.iter().all(|complaint| complaint.contains("status of 4")), "{refused:?}");
    critic.judge(&screen, "recorder-activate-refused");
    screen.fill("#password", PASSWORD);
    screen.fill("#password_again", PASSWORD);
    screen.fill("#email", ADDRESS);
    screen.fill("#email_again", ADDRESS);
    screen.press("Activate");
    screen.see_path("the confirmation", |path| path == "/contacts/1/confirm");
    critic.judge(&screen, "recorder-confirm");
    for (path, name) in [("/ready", "ready"), ("/home", "home"), ("/contacts", "contacts"), ("/password", "password")] {
        open(path);
        critic.judge(&screen, &format!("recorder-{name}"));
    }
    for (path, name) in
        [("/key-file", "key-file"), ("/sheet", "sheet"), ("/questions", "questions"), ("/security", "security")]
    {
        open(path);
        critic.judge(&screen, &format!("recorder-{name}"));
    }
    open("/questions");
    for (row, answer) in [(1, "Rex"), (2, "Lyon"), (3, "Mohr")] {
        screen.fill(&format!("#answer_{row}"), answer);
    }
    screen.fill("#password", PASSWORD);
    screen.press("Set the questions");
    screen.see_path("the ways", |path| path == "/ready");
    let token = world.device().log_in(PASSWORD).must(201)["token"].as_str().unwrap().to_owned();
    let owner = sparekey_e2e::http::Api::new(&world.screen_url()).with("authorization", &format!("Bearer {token}"));
    assert_eq!(owner.post("/api/v1/key-file", &json!({ "password": PASSWORD })).status, 200);
    open("/sheet");
    screen.fill("#password", PASSWORD);
    screen.press("Make a new sheet");
    screen.see(".sheet code");
    critic.judge(&screen, "recorder-new-sheet");
    open("/sheet");
    critic.judge(&screen, "recorder-sheet-made");
    open("/forgot");
    critic.judge(&screen, "recorder-forgot-all");
    for way in ["keyfile", "sheet", "questions", "desk"] {
        open("/forgot");
        screen.click(&format!("button[name=way][value={way}]"));
        screen.see_path("its page", |path| path.starts_with("/recoveries/"));
        critic.judge(&screen, &format!("recorder-by-{way}"));
    }
    open("/password");
    screen.fill("#current", PASSWORD);
    screen.fill("#password", NEW);
    screen.fill("#password_again", NEW);
    screen.press("Change");
    screen.see_path("the new key file", |path| path == "/key-file");
    critic.judge(&screen, "recorder-key-file-void");
    open("/ready");
    critic.judge(&screen, "recorder-ready-void");
    open("/home");
    screen.press("Log out");
    screen.see_path("the login", |path| path == "/login");
    critic.judge(&screen, "recorder-login");
    open("/forgot");
    critic.judge(&screen, "recorder-forgot");
    screen.click("button[name=way][value=email]");
    screen.see("figure.qr svg");
    critic.judge(&screen, "recorder-qr");
    screen.resize(1280, 720);
    screen.save("forgot-password");
    let id = screen.path().rsplit_once('/').unwrap().1.to_owned();
    screen.fill("#code", "00000000");
    screen.press("Continue");
    screen.see_text("4 tries left");
    screen.complaints();
    critic.judge(&screen, "recorder-qr-wrong-code");
    let qr_text = world.device().view(&id).must(200)["qr_text"].as_str().unwrap().to_owned();
    let code = world.opener().code(&sparekey_e2e::device::Opened { id, qr_text });
    screen.fill("#code", &code);
    screen.press("Continue");
    screen.see_path("the new password", |path| path.ends_with("/password"));
    critic.judge(&screen, "recorder-new-password");
    open("/nowhere");
    screen.complaints();
    critic.judge(&screen, "recorder-not-found");
    critic.conclude();
}

#[test]
fn the_pages_of_an_ownership_s_end() {
    let world = World::start(Setup::default());
    let (mut critic, screen) = (Critic::new(), Browser::open(&Look::MONITOR));
    let open = |path: &str| screen.goto(&(world.screen_url() + path));
    world.device().activate(PASSWORD, &[]);
    open("/reset");
    critic.judge(&screen, "recorder-reset");
    open("/login");
    screen.fill("#username", "admin");
    screen.fill("#password", PASSWORD);
    screen.press("Log in");
    screen.see_path("home", |path| path == "/home");
    open("/transfer");
    critic.judge(&screen, "recorder-transfer");
    let button = world.folder().join("recorder/presence/button");
    std::fs::write(&button, "").unwrap();
    open("/reset");
    screen.see_text("Somebody stands before this device");
    critic.judge(&screen, "recorder-reset-open");
    open("/transfer");
    screen.click("input[name=recordings][value=erase]");
    screen.fill("#password", PASSWORD);
    screen.press("Hand it over");
    screen.see("#transfer-code");
    critic.judge(&screen, "recorder-transferred");
    until("the recorder to wait for its new owner", Duration::from_secs(30), || {
        let answer = world.device().0.json("GET", "/api/v1/device", &json!({}))?;
        (answer.status == 200 && answer.json()["awaits_transfer"] == true).then_some(())
    });
    open("/activate");
    critic.judge(&screen, "recorder-activate-transferred");
    screen.fill("#username", "a b");
    screen.fill("#password", "12345678");
    screen.fill("#password_again", "87654321");
    screen.fill("#transfer_code", "00000-00001-00002-00004");
    screen.press("Activate");
    screen.see_text("4 entries are to be corrected.");
    screen.complaints();
    critic.judge(&screen, "recorder-activate-mistakes");
    critic.conclude();
}

/// What a contact is to be told, on the recorder and on the phone that carries it.
#[test]
fn the_pages_of_telling() {
    let world = World::start(Setup::default());
    let (mut critic, screen) = (Critic::new(), Browser::open(&Look::MONITOR));
    let device = world.device();
    device.activate(PASSWORD, &[ADDRESS]);
    screen.goto(&(world.screen_url() + "/login"));
    screen.fill("#username", "admin");
    screen.fill("#password", PASSWORD);
    screen.press("Log in");
    screen.see_path("home", |path| path == "/home");
    screen.goto(&(world.screen_url() + "/notices"));
    critic.judge(&screen, "recorder-notices");
    screen.fill("#host", "mail.example.org/x");
    screen.fill("#from", "recorder@example.org");
    screen.fill("#password", PASSWORD);
    screen.press("Save and try it out");
    screen.see_text("This is no mail server's name.");
    screen.complaints();
    critic.judge(&screen, "recorder-notices-refused");
    // Five wrong codes are something to tell.
    let opened = device.open();
    for wrong in 0..5 {
        device.prove(&opened.id, &format!("0000000{wrong}"));
    }
    screen.goto(&(world.screen_url() + "/home"));
    screen.see_text("Your contacts were not told yet");
    screen.goto(&(world.screen_url() + "/notices"));
    screen.see("figure.qr svg");
    critic.judge(&screen, "recorder-notices-untold");
    let text = screen.script("return document.querySelector('textarea[readonly]').value").as_str().unwrap().to_owned();

    let phone = Browser::open(&Look::PHONE);
    phone.goto(&(world.service_url() + "/t"));
    critic.judge(&phone, "app-told-paste");
    phone.goto(&text);
    phone.see_text("The contacts are being told");
    critic.judge(&phone, "app-told");
    let text = world.mailbox().wait(1).remove(0).text;
    assert!(text.contains("used up the tries"), "{text}");
    critic.conclude();
}

#[test]
fn the_desks_pages() {
    let world = World::start(Setup::default());
    let mut critic = Critic::new();
    let joined = |name: &str, role: &str| {
        let link = operator(&world, name, role, &[]);
        let browser = Browser::open(&Look::LAPTOP).with_passkeys();
        browser.goto(&link);
        browser.press("Make my passkey");
        browser.see_path("the cases", |path| path == "/desk");
        (browser, link)
    };
    let (agent, link) = joined("Ann Agent", "agent");
    let base = link.split_once("/desk").unwrap().0.to_owned();
    let (boss, _) = joined("Bob Boss", "administrator");
    let stranger = Browser::open(&Look::LAPTOP).with_passkeys();
    for (path, name) in [("/desk/sign-in", "sign-in"), ("/desk/join#x", "join")] {
        stranger.goto(&format!("{base}{path}"));
        critic.judge(&stranger, &format!("desk-{name}"));
    }
    critic.judge(&agent, "desk-empty");
    agent.goto(&format!("{base}/desk/new"));
    critic.judge(&agent, "desk-new");
    agent.press("Open the case");
    agent.see("[role=alert]");
    agent.complaints();
    critic.judge(&agent, "desk-new-refused");

    // Settings, so that the case has a checklist.
    for (path, name) in [("/desk/settings", "settings"), ("/desk/people", "people")] {
        boss.goto(&format!("{base}{path}"));
        critic.judge(&boss, &format!("desk-{name}-asks"));
    }
    boss.press("Confirm with my passkey");
    boss.see("#name");
    critic.judge(&boss, "desk-people");
    boss.fill("#name", "Cho");
    boss.press("Add");
    boss.see_text("This link works once");
    critic.judge(&boss, "desk-entrance");
    boss.goto(&format!("{base}/desk/settings"));
    boss.fill("#checklist", "The label shows the serial number\nThe invoice is in the owner’s name");
    boss.press("Keep");
    boss.see_text("The checklist is kept");
    boss.fill("#name", "Acme Distribution");
    boss.fill("#serials", "PAPER-0*");
    boss.press("Add");
    boss.see_text("The organisation is kept");
    critic.judge(&boss, "desk-settings");

    let file = world.path("request.xml");
    let mut request = PaperDevice::new(&world, 1).file(&world, 1, "12345678");
    request.serial = "ANOTHER-SERIAL".to_owned();
    std::fs::write(&file, xml(request)).unwrap();
    agent.goto(&format!("{base}/desk/new"));
    agent.type_now("#file", &file);
    agent.fill("#name", "Olga Owner");
    agent.fill("#contact", ADDRESS);
    agent.fill("#note", "Called this morning.\nSounds like the person who bought it.");
    agent.press("Open the case");
    agent.see_path("the case", |path| path.starts_with("/desk/cases/"));
    critic.judge(&agent, "desk-case");
    let path = agent.path();
    for (path, name) in [("", "case-boss"), ("/approve", "approve-checklist"), ("/refuse", "refuse")] {
        boss.goto(&format!("{base}{}{path}", agent.path()));
        critic.judge(&boss, &format!("desk-{name}"));
    }
    for item in ["The label shows the serial number", "The invoice is in the owner’s name"] {
        agent.press(&format!("Done: {item}"));
        // What the first press left on the page says nothing of the second.
        let undo = format!(
            "return [...document.querySelectorAll('button')].some((b) => b.textContent.trim() === {:?})",
            format!("Undo: {item}")
        );
        agent.wait_until(item, |agent| agent.script(&undo) == true);
    }
    boss.goto(&format!("{base}{path}/approve"));
    critic.judge(&boss, "desk-approve");
    // Whether the passkey was used a moment ago depends on how long the judging took.
    boss.press(if boss.has("button[data-passkey]") { "Approve with my passkey" } else { "Approve" });
    boss.see_text("The case is approved.");
    critic.judge(&boss, "desk-case-approved");
    boss.goto(&format!("{base}/desk"));
    critic.judge(&boss, "desk-list");
    boss.goto(&format!("{base}/desk/account"));
    critic.judge(&boss, "desk-account");
    critic.conclude();
}

#[test]
fn the_apps_pages() {
    let world = World::start(Setup::default());
    let device = world.device();
    device.activate(PASSWORD, &[ADDRESS]);
    let opened = device.open();
    let (mut critic, phone) = (Critic::new(), Browser::open(&Look::PHONE));
    let open = |path: &str| phone.goto(&(world.service_url() + path));
    for (path, name) in [("/", "home"), ("/reset", "reset"), ("/offline", "offline")] {
        open(path);
        critic.judge(&phone, &format!("app-{name}"));
    }
    open("/reset");
    phone.press("Scan with the camera");
    phone.see_text("There is no camera here");
    critic.judge(&phone, "app-no-camera");
    phone.goto(&opened.qr_text);
    phone.see_path("the request's page", |path| path.starts_with("/requests/"));
    phone.see_text("was sent");
    critic.judge(&phone, "app-request");
    open("/r#12345");
    phone.see_text("Your request was not taken");
    phone.complaints();
    critic.judge(&phone, "app-refused");
    open("/requests/AAAAAAAAAAAAAAAAAAAAAAAA");
    phone.complaints();
    critic.judge(&phone, "app-not-found");
    let manifest = world.service_api().get("/manifest.webmanifest").must(200);
    assert_eq!(manifest["display"], "standalone");
    critic.conclude();
}

/// What has the focus, as a person would call it.
fn focus(browser: &Browser) -> String {
    let name = browser.script(
        "const on = document.activeElement; return on === document.body ? 'BODY' : on.id || on.innerText || on.tagName",
    );
    name.as_str().unwrap().trim().to_owned()
}

/// Tab, until something has the focus; the focus must be seen all the way.
fn tab_to(browser: &Browser, wanted: impl Fn(&str) -> bool) {
    for _ in 0..40 {
        if wanted(&focus(browser)) {
            return;
        }
        browser.keys(TAB);
        let seen = browser.script(
            "const style = getComputedStyle(document.activeElement);
             return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== 'none'",
        );
        assert_eq!(seen, true, "the focus on {:?} can be seen at {}", focus(browser), browser.url());
    }
    panic!("Tab leads nowhere at {}:\n{}", browser.url(), browser.text());
}

#[test]
fn forgotten_and_reset_by_keyboard_alone() {
    let world = World::start(Setup::default());
    let device = world.device();
    device.activate(PASSWORD, &[ADDRESS]);
    let screen = Browser::open(&Look::MONITOR);
    screen.goto(&world.screen_url());
    screen.see_path("the login", |path| path == "/login");
    tab_to(&screen, |focus| focus == "Forgot password");
    screen.keys(ENTER);
    screen.see_path("the ways", |path| path == "/forgot");
    tab_to(&screen, |focus| focus.contains("email"));
    screen.keys(ENTER);
    screen.see("figure.qr svg");
    let id = screen.path().rsplit_once('/').unwrap().1.to_owned();
    let qr_text = device.view(&id).must(200)["qr_text"].as_str().unwrap().to_owned();
    let code = world.opener().code(&sparekey_e2e::device::Opened { id, qr_text });
    tab_to(&screen, |focus| focus == "code");
    screen.keys(&(code + ENTER));
    screen.see_path("the new password", |path| path.ends_with("/password"));
    tab_to(&screen, |focus| focus == "password");
    screen.keys(NEW);
    tab_to(&screen, |focus| focus == "password_again");
    screen.keys(&(NEW.to_owned() + ENTER));
    screen.see_text("The new password is set");
    screen.see_path("the login, by itself", |path| path == "/login");
    tab_to(&screen, |focus| focus == "username");
    if screen.script("return document.activeElement.value") == json!("") {
        screen.keys("admin");
    }
    tab_to(&screen, |focus| focus == "password");
    screen.keys(&(NEW.to_owned() + ENTER));
    screen.see_path("home", |path| path == "/home");
}

/// Server-rendered pages do all but the camera without scripts.
#[test]
fn forgotten_and_reset_without_scripts() {
    let world = World::start(Setup::default());
    let device = world.device();
    device.activate(PASSWORD, &[ADDRESS]);
    let screen = Browser::open(&Look::MONITOR);
    screen.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    let source = |wanted: &str| {
        until(wanted, Duration::from_secs(20), || screen.source().contains(wanted).then_some(()));
    };
    screen.goto(&(world.screen_url() + "/forgot"));
    screen.click_now("button[name=way][value=email]");
    source("Scan this with your phone");
    let id = screen.path().rsplit_once('/').unwrap().1.to_owned();
    let qr_text = device.view(&id).must(200)["qr_text"].as_str().unwrap().to_owned();

    // The phone, by a pasted link.
    screen.goto(&(world.service_url() + "/reset"));
    screen.type_now("#request", &qr_text);
    screen.click_now("[data-text] button");
    source("signed by its maker");
    let code = world.mailbox().wait(1).remove(0).code();

    screen.goto(&format!("{}/recoveries/{id}", world.screen_url()));
    screen.type_now("#code", &code);
    screen.click_now("form[action^='/recoveries/'] button.primary");
    source("The code is right");
    screen.type_now("#password", NEW);
    screen.type_now("#password_again", NEW);
    screen.click_now("form[action^='/recoveries/'] button.primary");
    source("The new password is set");
    source("Log in with the new one");
    device.log_in(NEW).must(201);
}
