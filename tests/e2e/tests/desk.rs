//! The support desk: the console in a browser with passkeys, and the terminal.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use sparekey_e2e::desk::{PaperDevice, batch, operator, xml};
use sparekey_e2e::program::{must, run};
use sparekey_e2e::world::SERIAL;
use sparekey_e2e::{Answer, Browser, Look, Setup, World, until};
use sparekey_protocol::files::{self, Document};

const OLD: &str = "tangerine ladder ocean clock";
const NEW: &str = "granite whistle seldom maple";

/// A browser whose operator came in by his link.
fn joined(world: &World, name: &str, role: &str, more: &[&str]) -> Browser {
    let link = operator(world, name, role, more);
    let browser = Browser::open(&Look::LAPTOP).with_passkeys();
    browser.goto(&link);
    browser.press("Make my passkey");
    browser.see_path("the cases", |path| path == "/desk");
    browser
}

/// Journey 4, whole: the recorder's request, two people in their browsers, the grant, a new password.
#[test]
fn a_case_through_the_console_with_passkeys() {
    let world = World::start(Setup::default());
    let device = world.device();
    device.activate(OLD, &[]);
    let (recovery, request) = device.ask_the_desk();
    let file = world.path("request.xml");
    fs::write(&file, request).unwrap();

    let agent = joined(&world, "Ann Agent", "agent", &[]);
    agent.see_text("No cases");
    agent.press("New case");
    agent.see_path("a new case", |path| path == "/desk/new");
    agent.type_now("#file", &file);
    agent.fill("#name", "Olga <b>Owner</b>");
    agent.press("Open the case");
    agent.see_path("the case", |path| path.starts_with("/desk/cases/"));
    agent.see_text(SERIAL);
    agent.see_text("Olga <b>Owner</b>");
    let path = agent.path();
    agent.see_text("another approver has to approve it");
    assert!(!agent.has("a[href$='/approve']"), "nobody approves his own");
    agent.fill("#text", "The label was seen.");
    agent.press("Keep the note");
    agent.see_text("Your note is kept.");

    let approver = joined(&world, "Bob Approver", "approver", &[]);
    approver.press(path.rsplit_once('/').unwrap().1);
    approver.press("Approve…");
    approver.see_path("the question", |path| path.ends_with("/approve"));
    approver.press("Approve with my passkey");
    approver.see_text("The case is approved.");
    approver.see_text("Approved by Bob Approver");

    // Out, and in again with the passkey alone.
    approver.press("Sign out");
    approver.see_path("the sign-in", |path| path == "/desk/sign-in");
    let base = base(&approver);
    approver.goto(&format!("{base}/desk"));
    approver.see_path("the sign-in", |path| path == "/desk/sign-in");
    approver.press("Sign in with a passkey");
    approver.see_path("the cases", |path| path == "/desk");
    approver.see_text("approved");

    // The agent hands the grant out, and the recorder takes it.
    let downloads = tempfile::tempdir().unwrap();
    agent.download_to(downloads.path());
    agent.goto(&format!("{base}{path}"));
    agent.press("Issue and download the grant");
    let grant = until("the grant to be saved", Duration::from_secs(30), || {
        let files = fs::read_dir(downloads.path()).unwrap().map(|file| file.unwrap().path());
        files.into_iter().find(|file| file.extension().is_some_and(|end| end == "xml"))
    });
    let grant = fs::read_to_string(grant).unwrap();
    agent.goto(&format!("{base}{path}"));
    agent.see_text("issued the grant");
    set_anew(&world, &recovery, &device.hand_over(&recovery, &grant));
    for browser in [&agent, &approver] {
        assert_eq!(browser.complaints(), [""; 0]);
    }
}

/// What a right proof leads to.
fn set_anew(world: &World, recovery: &str, proven: &Answer) {
    let device = world.device();
    let ticket = proven.must(200)["ticket"].as_str().unwrap().to_owned();
    device.reset(recovery, &ticket, NEW);
}

fn base(browser: &Browser) -> String {
    browser.url().split_once("/desk").unwrap().0.to_owned()
}

#[test]
fn what_a_passkey_signed_serves_once() {
    let world = World::start(Setup::default());
    let browser = joined(&world, "Ann", "agent", &[]);
    browser.press("Sign out");
    browser.see_path("the sign-in", |path| path == "/desk/sign-in");
    // What passkey.js does, and then the same once more.
    let statuses = browser.script_later(
        "const done = arguments[arguments.length - 1];
         const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
         const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
           .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
         const post = (path, body) => fetch(path, { method: 'POST', credentials: 'omit',
           headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
         (async () => {
           const { ticket, publicKey } = await (await post('/desk/passkey/sign-in/start', {})).json();
           const other = await (await post('/desk/passkey/sign-in/start', {})).json();
           const used = await navigator.credentials.get({ publicKey: { ...publicKey, challenge: bytes(publicKey.challenge),
             allowCredentials: [] } });
           const response = { userHandle: text(used.response.userHandle) };
           for (const name of ['authenticatorData', 'clientDataJSON', 'signature']) response[name] = text(used.response[name]);
           const answer = { id: used.id, rawId: text(used.rawId), type: used.type, response };
           const finish = async (ticket, answer) => (await post('/desk/passkey/sign-in/finish', { ticket, answer })).status;
           const forged = structuredClone(answer);
           forged.response.signature = forged.response.signature.replace(/^.{8}/, 'AAAAAAAA');
           done([await finish(other.ticket, answer), await finish(ticket, answer), await finish(ticket, answer),
             await finish('A'.repeat(43), answer), await finish(ticket, forged)]);
         })();",
    );
    // For another challenge, then rightly, then three times wrongly.
    assert_eq!(statuses, serde_json::json!([403, 204, 403, 403, 403]));
}

#[test]
fn a_link_serves_once_and_a_removed_operator_is_out() {
    let world = World::start(Setup::default());
    let link = operator(&world, "Ann", "agent", &[]);
    let first = Browser::open(&Look::LAPTOP).with_passkeys();
    first.goto(&link);
    first.press("Make my passkey");
    first.see_path("the cases", |path| path == "/desk");

    let second = Browser::open(&Look::LAPTOP).with_passkeys();
    second.goto(&link);
    second.press("Make my passkey");
    second.see_text("This link was used already");

    must(&["service", "operator", "remove", &world.path("service"), "--name", "Ann"]);
    first.press("New case");
    first.see_path("the sign-in", |path| path == "/desk/sign-in");
    first.press("Sign in with a passkey");
    first.see_text("The passkey was not accepted");
}

#[test]
fn the_desk_from_a_terminal() {
    let world = World::start(Setup::default());
    let url = world.service_url();
    let (agent, approver) =
        (operator(&world, "Ann", "agent", &["--token"]), operator(&world, "Bob", "approver", &["--token"]));
    let desk = |token: &str, rest: &[&str]| {
        let mut args = vec!["desk", "--service", url.as_str(), "--token", token];
        args.extend(rest);
        run(&args)
    };
    let file = world.path("batch.xml");
    let requests = (1..=3).map(|n| PaperDevice::new(&world, n).file(&world, n, "12345678"));
    fs::write(&file, batch(requests)).unwrap();

    let opened = desk(&agent, &["open", &file]);
    assert_eq!(opened.status, Some(0), "{}", opened.error);
    let number = opened.output.trim().to_owned();
    assert!((1..=32).contains(&number.len()) && !number.contains(char::is_whitespace), "{number:?}");
    assert!(desk(&agent, &["list"]).output.contains(&number));
    let shown = desk(&agent, &["show", &number]).output;
    assert!(shown.contains("PAPER-002") && shown.contains("open"), "{shown}");

    let own = desk(&agent, &["approve", &number]);
    assert_eq!(own.status, Some(1));
    assert!(own.error.contains("role"), "{}", own.error);
    assert_eq!(desk(&approver, &["approve", &number]).status, Some(0));
    let shown = desk(&agent, &["show", &number, "--json"]);
    let view: serde_json::Value = serde_json::from_str(&shown.output).unwrap();
    assert_eq!((view["state"].as_str(), view["requests"].as_array().unwrap().len()), (Some("approved"), 3));

    let out = world.path("grants.xml");
    let granted = desk(&agent, &["grant", &number, "--out", &out]);
    assert_eq!(granted.status, Some(0), "{}", granted.error);
    let Document::Batch(grants) = files::parse(&fs::read(&out).unwrap()).unwrap() else { panic!("no batch") };
    assert_eq!(grants.len(), 3);
    let over = desk(&agent, &["grant", &number, "--out", &out]);
    assert_eq!(over.status, Some(1), "what is there is not written over");

    fs::write(&file, xml(PaperDevice::new(&world, 9).file(&world, 9, "12345678"))).unwrap();
    let number = desk(&agent, &["open", &file, "--name", "Olga"]).output.trim().to_owned();
    let refused = desk(&approver, &["refuse", &number, "--reason", "no invoice"]);
    assert_eq!(refused.status, Some(0), "{}", refused.error);
    let again = desk(&approver, &["approve", &number, "--json"]);
    assert_eq!(again.status, Some(1));
    assert!(again.error.contains("urn:sparekey:problem:wrong-state"), "{}", again.error);
    assert_eq!(desk("x", &["list"]).status, Some(1));
    assert_eq!(desk(&agent, &["approve"]).status, Some(2));
}

/// The owner's request, the desk's terminal, and either answer.
#[test]
fn a_grant_and_a_key_from_a_terminal_let_the_owner_in() {
    let world = World::start(Setup::default());
    let url = world.service_url();
    let (agent, approver) =
        (operator(&world, "Ann", "agent", &["--token"]), operator(&world, "Bob", "approver", &["--token"]));
    let desk = |token: &str, rest: &[&str]| {
        let mut args = vec!["desk", "--service", url.as_str(), "--token", token];
        args.extend(rest);
        must(&args).trim().to_owned()
    };
    let device = world.device();
    device.activate(OLD, &[]);
    let approved = |name: &str, together: bool| {
        let (recovery, request) = device.ask_the_desk();
        let file = world.path(name);
        let Document::Request(own) = files::parse(request.as_bytes()).unwrap() else { panic!("no request") };
        let others =
            |numbers: std::ops::Range<u8>| numbers.map(|n| PaperDevice::new(&world, n).file(&world, n, "12345678"));
        let among_others = || batch(others(1..3).chain([own]).chain(others(3..5)));
        fs::write(&file, if together { among_others() } else { request }).unwrap();
        let number = desk(&agent, &["open", &file]);
        desk(&approver, &["approve", &number]);
        (recovery, number)
    };
    // The digits first; the password then is what the second recovery begins with.
    let (recovery, number) = approved("one.xml", false);
    let code = desk(&agent, &["key", &number]);
    let again = run(&["desk", "--service", &url, "--token", &agent, "key", &number, "--json"]);
    assert!(again.status == Some(1) && again.error.contains("answered"), "{}", again.error);
    set_anew(&world, &recovery, &device.prove(&recovery, &code));

    // Five requests in one file, and five grants in one: the device finds its own.
    let (recovery, number) = approved("two.xml", true);
    let out = world.path("grant.xml");
    desk(&agent, &["grant", &number, "--out", &out]);
    let grant = fs::read_to_string(&out).unwrap();
    assert!(grant.matches("<RecoveryGrant").count() == 5, "{grant}");
    set_anew(&world, &recovery, &device.hand_over(&recovery, &grant));
    let replayed = device.hand_over(&device.ask_the_desk().0, &grant);
    assert_eq!(replayed.problem(), "not-for-this-device", "a grant answers one request");
}
