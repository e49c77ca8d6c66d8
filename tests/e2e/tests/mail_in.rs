//! A photo of the symbol by mail: through a real mail server (LMTP), and out of a real mailbox (IMAP).

#![allow(clippy::unwrap_used)]

use std::{fs, time::Duration};

use serde_json::json;
use sparekey_e2e::{
    Dovecot, Letter, Mail, Mailbox, Postfix, Setup, World,
    desk::{PaperDevice, operator},
    dovecot, ports, until,
    world::SERIAL,
};
use sparekey_protocol::files::{self, Document};

const PASSWORD: &str = "tangerine ladder ocean clock";
const OWNER: &str = "olga@owners.example.org";
const SENDER: &str = "son@family.example.org";
const HELP: &str = "help@desk.example";
const LONG: Duration = Duration::from_secs(90);

fn setup(mail: String, mail_in: String) -> Setup {
    let more = ["--mail-in", &mail_in, "--mail-in-address", HELP, "--from", "recovery@desk.example"];
    Setup { mail: Some(mail), more: more.map(str::to_owned).into(), ..Setup::default() }
}

fn to<'a>(mails: &'a [Mail], address: &str) -> Vec<&'a Mail> {
    mails.iter().filter(|mail| mail.to == address).collect()
}

/// The mail about the code and the answer, and nothing else.
fn code_and_answer(mailbox: &Mailbox) -> (Mail, Mail) {
    let mails = mailbox.wait_for(2, LONG);
    let ([code], [answer]) = (&to(&mails, OWNER)[..], &to(&mails, SENDER)[..]) else {
        panic!("{:?}", mails.iter().map(|mail| (&mail.to, &mail.subject)).collect::<Vec<_>>())
    };
    ((*code).clone(), (*answer).clone())
}

#[test]
fn a_photo_by_mail_brings_the_code_to_the_reserved_address_and_the_owner_back_in() {
    let lmtp = ports::free();
    let Some(postfix) = Postfix::start_with_lmtp(lmtp) else { return };
    let world = World::start(setup(postfix.url(), format!("lmtp://127.0.0.1:{lmtp}")));
    world.device().activate(PASSWORD, &[OWNER]);
    let opened = world.device().open();
    Letter::with_photo(SENDER, "one", &opened.qr_text).send(postfix.port(), HELP);
    let (code, answer) = code_and_answer(&postfix.mailbox());
    let raw = String::from_utf8(answer.raw.clone()).unwrap();
    for wanted in ["Auto-Submitted: auto-replied", "In-Reply-To: <one@test.example>", "Return-Path: <>"] {
        assert!(raw.lines().any(|line| line.trim_end() == wanted), "{wanted} in {raw}");
    }
    assert!(!answer.text.contains(SERIAL) && !answer.text.contains("olga") && !raw.contains(&code.code()));

    let proven = world.device().prove(&opened.id, &code.code()).must(200);
    let ticket = proven["ticket"].as_str().unwrap_or_else(|| panic!("{proven}"));
    world.device().set_password(&opened.id, ticket, "another ladder of the ocean clock");
    until("the new password", LONG, || {
        world.device().try_log_in("another ladder of the ocean clock").filter(|answer| answer.status == 201)
    });

    // The same photo in another mail, and a mail with nothing in it: no second code, and no second answer on the same day.
    Letter::with_photo(SENDER, "two", &opened.qr_text).send(postfix.port(), HELP);
    Letter::new(SENDER, "three", "application/zip", b"PK\x03\x04").send(postfix.port(), HELP);
    Letter::new("stranger@elsewhere.example.org", "four", "text/plain", b"hello").send(postfix.port(), HELP);
    let mails = postfix.mailbox().wait_for(3, LONG);
    until("all mails to be handed over", LONG, || {
        (postfix.log().matches("250 2.0.0 Taken").count() == 4).then_some(())
    });
    assert_eq!((mails.len(), to(&mails, OWNER).len(), to(&mails, SENDER).len()), (3, 1, 1));
}

#[test]
fn a_service_that_is_down_gets_the_mail_when_it_is_back() {
    let lmtp = ports::free();
    let Some(postfix) = Postfix::start_with_lmtp(lmtp) else { return };
    let mut world = World::start(setup(postfix.url(), format!("lmtp://127.0.0.1:{lmtp}")));
    world.device().activate(PASSWORD, &[OWNER]);
    let opened = world.device().open();
    world.service().take().unwrap().kill();
    Letter::with_photo(SENDER, "one", &opened.qr_text).send(postfix.port(), HELP);
    until("the mail server to keep it", LONG, || postfix.log().contains("status=deferred").then_some(()));
    world.start_service();
    code_and_answer(&postfix.mailbox());
}

#[test]
fn a_recovery_file_by_mail_is_a_case_at_the_desk() {
    let lmtp = ports::free();
    let Some(postfix) = Postfix::start_with_lmtp(lmtp) else { return };
    let world = World::start(setup(postfix.url(), format!("lmtp://127.0.0.1:{lmtp}")));
    let token = operator(&world, "Ann", "agent", &["--token"]);
    let file = files::write(&Document::Request(PaperDevice::new(&world, 7).file(&world, 1, "12345678"))).unwrap();
    Letter::new(SENDER, "one", "application/xml; name=request.xml", file.as_bytes()).send(postfix.port(), HELP);
    let answer = postfix.mailbox().wait_for(1, LONG).remove(0);
    assert_eq!(answer.to, SENDER);
    assert!(answer.subject.contains("angenommen"), "in the device's language: {}", answer.subject);
    let service = world.service_url();
    let desk = |args: &[&str]| {
        let mut all = vec!["--json", "desk", "--service", &service, "--token", &token];
        all.extend(args);
        serde_json::from_str::<serde_json::Value>(&sparekey_e2e::program::must(&all)).unwrap()
    };
    let number = desk(&["list"])["number"].as_str().unwrap().to_owned();
    let case = desk(&["show", &number]);
    assert_eq!(case["source"], "mail");
    assert_eq!(case["requests"][0]["verified"]["serial"], "PAPER-007");
    assert_eq!(case["claimed"]["contact"], SENDER);
}

#[test]
fn a_mailbox_is_looked_into_and_each_mail_is_taken_once() {
    let Some(dovecot) = Dovecot::start() else { return };
    let secret = tempfile::tempdir().unwrap();
    let file = secret.path().join("password");
    fs::write(&file, format!("{}\n", dovecot::PASSWORD)).unwrap();
    let mut setup =
        Setup { log: Some("trace"), ..setup(format!("maildir:{}/mail", secret.path().display()), dovecot.url()) };
    setup.more.extend(["--mail-in-password-file".to_owned(), file.to_str().unwrap().to_owned()]);
    let mut world = World::make(setup);
    world.start_recorder();
    world.device().activate(PASSWORD, &[OWNER]);
    let opened = world.device().open();
    let photo = Letter::with_photo(SENDER, "one", &opened.qr_text);
    dovecot.deliver("1", &photo, SENDER);
    // Word of another mail, and a mail with nothing in it from who had his answer.
    dovecot.deliver("2", &Letter::new("mailer-daemon@x.example", "two", "text/plain", b"gone"), "");
    dovecot.deliver("3", &Letter::new(SENDER, "three", "application/zip", b"PK\x03\x04"), SENDER);
    world.start_service();
    let mailbox = Mailbox::new(secret.path().join("mail"));
    code_and_answer(&mailbox);
    until("all mails to be marked", LONG, || (dovecot.seen() == (3, 3)).then_some(()));
    assert_eq!(mailbox.mails().len(), 2);

    // Killed before it could mark a mail, it finds that mail again and does nothing twice.
    world.service().take().unwrap().kill();
    dovecot.deliver("4", &photo, SENDER);
    dovecot.deliver(
        "5",
        &Letter::with_photo("other@family.example.org", "five", "no request"),
        "other@family.example.org",
    );
    world.start_service();
    until("all mails to be marked", LONG, || (dovecot.seen() == (5, 5)).then_some(()));
    let mails = mailbox.wait_for(3, LONG);
    assert_eq!((mails.len(), to(&mails, OWNER).len(), to(&mails, SENDER).len()), (3, 1, 1));
    let said = world.service().as_ref().unwrap().said();
    for secret in [dovecot::PASSWORD, SENDER, "olga"] {
        assert!(!said.contains(secret), "{secret} in the log");
    }
}

#[test]
fn a_mailbox_that_is_away_or_refuses_the_password_stops_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    dovecot.down();
    let mut setup = setup("maildir:/nonexistent".to_owned(), dovecot.url());
    setup.mail = None;
    let secret = tempfile::tempdir().unwrap();
    let file = secret.path().join("password");
    fs::write(&file, "wrong\n").unwrap();
    setup.more.extend(["--mail-in-password-file".to_owned(), file.to_str().unwrap().to_owned()]);
    let mut world = World::make(setup);
    world.start_service();
    let away = || world_said(&mut world, "cannot be reached");
    until("the service to say so", LONG, away);
    let digits = PaperDevice::new(&world, 7).digits(&world, 1, OWNER);
    world.service_api().post("/v1/requests", &json!({ "request": digits })).must(202);
    world.service().take().unwrap().kill();
    dovecot.up();
    world.start_service();
    until("the service to say so", LONG, || world_said(&mut world, "refused user or password"));
    assert!(!dovecot.log().is_empty());
    assert_eq!(world.mailbox().wait(1).len(), 1);
}

fn world_said(world: &mut World, words: &str) -> Option<()> {
    world.service().as_ref().unwrap().said().contains(words).then_some(())
}
