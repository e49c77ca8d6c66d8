//! Mail that does not go out at once: the phone is told the truth, and the owner gets it, once.

#![allow(clippy::unwrap_used)]

use std::{net::TcpListener, time::Duration};

use serde_json::{Value, json};
use sparekey_e2e::{
    Api, Browser, Look, Postfix, Setup, World,
    smtp::{Fate, ScriptedServer},
    until,
};

const PASSWORD: &str = "tangerine ladder ocean clock";
const ADDRESS: &str = "olga@owners.example.org";
/// More than the first two pauses of the sender's back-off.
const LONG: Duration = Duration::from_secs(60);

/// What a new recorder with this address shows, as it is handed in.
fn request(world: &World, address: &str) -> Value {
    world.device().activate(PASSWORD, &[address]);
    json!({ "request": world.device().open().digits() })
}

/// The same, handed in: the service's answer.
fn hand_in(world: &World, address: &str) -> Value {
    world.service_api().post("/v1/requests", &request(world, address)).must(202)
}

fn state(api: &Api, answer: &Value) -> String {
    let id = answer["id"].as_str().unwrap();
    api.get(&format!("/v1/requests/{id}")).must(200)["mail"].as_str().unwrap().to_owned()
}

fn becomes(api: &Api, answer: &Value, wanted: &str) {
    until(&format!("the mail to be {wanted}"), LONG, || (state(api, answer) == wanted).then_some(()));
}

/// A phone that looks at a request.
fn phone(world: &World, answer: &Value) -> Browser {
    let phone = Browser::open(&Look::PHONE);
    phone.goto(&format!("{}/requests/{}", world.service_url(), answer["id"].as_str().unwrap()));
    phone
}

#[test]
fn a_mail_server_that_is_down_gets_the_mail_when_it_is_back() {
    let Some(postfix) = Postfix::start() else { return };
    postfix.down();
    let world = World::start(Setup { mail: Some(postfix.url()), ..Setup::default() });
    let request = request(&world, ADDRESS);
    let answer = world.service_api().post("/v1/requests", &request).must(202);
    assert_eq!(answer["mail"], "queued");
    let phone = phone(&world, &answer);
    phone.see_text("is being sent");
    postfix.up();
    becomes(&world.service_api(), &answer, "sent");
    phone.see_text("was sent");
    postfix.mailbox().wait(1);
    // The same request again is answered as before, and sends nothing.
    let again = world.service_api().post("/v1/requests", &request).must(202);
    assert_eq!(again["id"], answer["id"]);
    assert_eq!(again["mail"], "sent");
    assert_eq!(postfix.mailbox().mails().len(), 1);
}

#[test]
fn an_address_that_is_refused_is_told_with_what_to_do() {
    let Some(postfix) = Postfix::start() else { return };
    let world = World::start(Setup { mail: Some(postfix.url()), ..Setup::default() });
    let answer = hand_in(&world, "nobody@refused.example");
    becomes(&world.service_api(), &answer, "refused");
    let phone = phone(&world, &answer);
    phone.see_text("was refused");
    phone.see_text("choose another way back in");
    assert!(postfix.mailbox().mails().is_empty());
}

#[test]
fn a_mail_that_comes_back_is_told_as_refused() {
    let Some(postfix) = Postfix::start() else { return };
    let setup = Setup { mail: Some(postfix.url()), bounces: Some(postfix.bounces()), ..Setup::default() };
    let world = World::start(setup);
    let answer = hand_in(&world, "gone@refused.example");
    let phone = phone(&world, &answer);
    becomes(&world.service_api(), &answer, "refused");
    phone.see_text("was refused");
    assert!(postfix.mailbox().mails().is_empty());
}

#[test]
fn an_answer_that_was_cut_off_is_sent_again() {
    let server = ScriptedServer::start(&[Fate::AcceptAndCut]);
    let world = World::start(Setup { mail: Some(server.url()), ..Setup::default() });
    let answer = hand_in(&world, ADDRESS);
    until("the first mail", LONG, || (!server.mails().is_empty()).then_some(()));
    becomes(&world.service_api(), &answer, "sent");
    let mails = server.mails();
    assert_eq!(mails.len(), 2, "nobody can know whether the first one arrived");
    assert_eq!(message_id(&mails[0]), message_id(&mails[1]), "a mail program can tell that they are one");
}

fn message_id(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail).into_owned();
    text.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:")).unwrap().to_owned()
}

#[test]
fn a_service_that_is_killed_before_it_sends_sends_once_it_is_back() {
    // A server that takes connections and says nothing: the mail stays in hand.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let world_mail = format!("smtp://127.0.0.1:{port}?starttls=never");
    let mut world = World::start(Setup { mail: Some(world_mail), ..Setup::default() });
    let answer = hand_in(&world, ADDRESS);
    world.service().take().unwrap().kill();
    drop(silent);

    let server = ScriptedServer::start_at(port, &[]);
    world.start_service();
    becomes(&world.service_api(), &answer, "sent");
    world.crash_service();
    assert_eq!(state(&world.service_api(), &answer), "sent");
    assert_eq!(server.mails().len(), 1);
}

#[test]
fn one_request_handed_in_fifty_times_at_once_is_one_mail() {
    let world = World::start(Setup::default());
    world.device().activate(PASSWORD, &[ADDRESS]);
    let opened = world.device().open();
    let api = world.service_api();
    let ids: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let (api, opened) = (api.clone(), &opened);
                scope.spawn(move || {
                    let answer = api.post("/v1/requests", &json!({ "request": opened.digits() })).must(202);
                    answer["id"].as_str().unwrap().to_owned()
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "one identity, one case");
    let answer = json!({ "id": ids[0] });
    becomes(&api, &answer, "sent");
    assert_eq!(world.mailbox().mails().len(), 1);
}
