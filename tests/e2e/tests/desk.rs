//! The support desk: the console in a browser with passkeys, and the terminal.

#![allow(clippy::unwrap_used)]

use std::fs;

use sparekey_e2e::desk::{PaperDevice, batch, operator, xml};
use sparekey_e2e::program::{must, run};
use sparekey_e2e::{Browser, Look, Setup, World};

/// A browser whose operator came in by his link.
fn joined(world: &World, name: &str, role: &str, more: &[&str]) -> Browser {
    let link = operator(world, name, role, more);
    let browser = Browser::open(&Look::LAPTOP).with_passkeys();
    browser.goto(&link);
    browser.press("Make my passkey");
    browser.see_path("the cases", |path| path == "/desk");
    browser
}

#[test]
fn a_case_through_the_console_with_passkeys() {
    let world = World::start(Setup::default());
    let device = PaperDevice::new(&world, 1);
    let file = world.path("request.xml");
    fs::write(&file, xml(device.file(&world, 1, "12345678"))).unwrap();

    let agent = joined(&world, "Ann Agent", "agent", &[]);
    agent.see_text("No cases");
    agent.press("New case");
    agent.see_path("a new case", |path| path == "/desk/new");
    agent.type_now("#file", &file);
    agent.fill("#name", "Olga <b>Owner</b>");
    agent.press("Open the case");
    agent.see_path("the case", |path| path.starts_with("/desk/cases/"));
    agent.see_text("PAPER-001");
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
    let (base, _) = approver.url().split_once("/desk").map(|(base, rest)| (base.to_owned(), rest.to_owned())).unwrap();
    approver.goto(&format!("{base}/desk"));
    approver.see_path("the sign-in", |path| path == "/desk/sign-in");
    approver.press("Sign in with a passkey");
    approver.see_path("the cases", |path| path == "/desk");
    approver.see_text("approved");
    for browser in [&agent, &approver] {
        assert_eq!(browser.complaints(), [""; 0]);
    }
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

    let refused = desk(&approver, &["refuse", &number, "--reason", "no invoice"]);
    assert_eq!(refused.status, Some(0), "{}", refused.error);
    let again = desk(&approver, &["approve", &number, "--json"]);
    assert_eq!(again.status, Some(1));
    assert!(again.error.contains("urn:sparekey:problem:wrong-state"), "{}", again.error);
    assert_eq!(desk("x", &["list"]).status, Some(1));
    assert_eq!(desk(&agent, &["approve"]).status, Some(2));
}
