//! Told afterwards: contacts hear of a recovery, by the device's own mail server or by a phone that carries a receipt.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};
use sparekey_e2e::http::Api;
use sparekey_e2e::{Browser, Look, Postfix, Setup, World, until};

const FIRST: &str = "tangerine ladder ocean clock";
const SECOND: &str = "granite whistle seldom maple";
const ADDRESS: &str = "olga@owners.example.org";

fn logged_in(world: &World, password: &str) -> Api {
    let token = world.device().log_in(password).must(201)["token"].as_str().unwrap().to_owned();
    Api::new(&world.screen_url()).with("authorization", &format!("Bearer {token}"))
}

/// A new password by a key file: the service takes no part in it.
fn recover(world: &World) {
    let started = world.device().0.get("/api/v1/device").must(200)["start_time"].clone();
    let file = logged_in(world, FIRST).post("/api/v1/key-file", &json!({ "password": FIRST })).text();
    let opened = world.device().0.post("/api/v1/recoveries", &json!({ "method": "keyfile" })).must(201);
    let id = opened["id"].as_str().unwrap();
    let proof = json!({ "key_file": file });
    let proven = world.device().0.post(&format!("/api/v1/recoveries/{id}/proof"), &proof).must(200);
    world.device().set_password(id, proven["ticket"].as_str().unwrap(), SECOND).unwrap().must(202);
    until("the recorder to be back", Duration::from_secs(20), || {
        let answer = world.device().0.send("GET", "/api/v1/device", &[], Vec::new())?;
        (answer.status == 200 && answer.json()["start_time"] != started).then_some(())
    });
}

fn untold(world: &World) -> Vec<Value> {
    logged_in(world, SECOND).get("/api/v1/notices").must(200)["notices"].as_array().unwrap().clone()
}

#[test]
fn by_the_owners_mail_server() {
    let Some(postfix) = Postfix::start() else { return };
    let world = World::start(Setup::default());
    world.device().activate(FIRST, &[ADDRESS]);
    let (host, port) = postfix
        .url()
        .rsplit_once("//")
        .unwrap()
        .1
        .rsplit_once(':')
        .map(|(host, port)| {
            (host.to_owned(), port.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u16>().unwrap())
        })
        .unwrap();
    let server = |password: &str| {
        let server = json!({ "host": host, "port": port, "encryption": "none", "from": "recorder@owners.example.org" });
        json!({ "password": password, "server": server })
    };
    let api = logged_in(&world, FIRST);
    assert_eq!(api.json("PUT", "/api/v1/mail-server", &server(SECOND)).unwrap().problem(), "wrong-proof");
    let in_clear = json!({ "host": "mail.example.org", "port": port, "encryption": "none", "user": "u", "password": "p", "from": "r@e.example" });
    let refused = api.json("PUT", "/api/v1/mail-server", &json!({ "password": FIRST, "server": in_clear })).unwrap();
    assert_eq!(refused.problem(), "malformed");
    assert!(postfix.mailbox().mails().is_empty(), "nothing was written yet");
    assert_eq!(api.json("PUT", "/api/v1/mail-server", &server(FIRST)).unwrap().must(200)["tried_out"], "taken");
    let tried = postfix.mailbox().wait(1);
    assert!(tried[0].text.contains("This is a test"), "{}", tried[0].text);

    // Down while it happens: told when it is back, once.
    postfix.down();
    recover(&world);
    assert_eq!(untold(&world).len(), 1);
    postfix.up();
    // Whoever got in says that they know, and sets another server: the one that was in force tells them all the same.
    let api = logged_in(&world, SECOND);
    let number = untold(&world)[0]["number"].clone();
    api.post(&format!("/api/v1/notices/{number}/told"), &json!({ "password": SECOND })).must(204);
    let mut elsewhere = server(SECOND);
    elsewhere["server"]["port"] = json!(1);
    api.json("PUT", "/api/v1/mail-server", &elsewhere).unwrap().must(200);
    assert_eq!(api.json("PUT", "/api/v1/mail-server", &server(SECOND)).unwrap().must(200)["tried_out"], "taken");
    let mails = postfix.mailbox().wait(3);
    let told: Vec<_> = mails.iter().filter(|mail| mail.text.contains("set anew")).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("By: key file"), "{}", told[0].text);
    assert_eq!(api.get("/api/v1/notices").must(200)["mail_server"]["host"], host.as_str());
    api.json("DELETE", "/api/v1/mail-server", &json!({ "password": SECOND })).unwrap().must(204);
    assert_eq!(api.get("/api/v1/notices").must(200)["mail_server"], Value::Null);
}

#[test]
fn by_a_phone_that_carries_a_receipt() {
    let world = World::start(Setup::default());
    world.device().activate(FIRST, &[ADDRESS]);
    recover(&world);
    let notice = untold(&world).pop().unwrap();
    assert_eq!((&notice["what"], &notice["method"]), (&json!("recovered"), &json!("keyfile")));
    let text = notice["qr_text"].as_str().unwrap();

    let phone = Browser::open(&Look::PHONE);
    phone.goto(text);
    phone.see_text("The contacts are being told");
    phone.see_text("o••••@o••••.org");
    let mails = world.mailbox().wait(1);
    assert!(mails[0].text.contains("set anew") && mails[0].text.contains("By: key file"), "{}", mails[0].text);

    // Carried once more, it is answered alike, and sends nothing; edited, it is refused.
    let service = world.service_api();
    let again = service.post("/v1/receipts", &json!({ "receipt": text })).must(202);
    assert_eq!(again["masked_addresses"], json!(["o••••@o••••.org"]));
    let mut edited = text.to_owned().into_bytes();
    let last = edited.len() - 40;
    edited[last] = if edited[last] == b'1' { b'2' } else { b'1' };
    let refused = service.post("/v1/receipts", &json!({ "receipt": String::from_utf8(edited).unwrap() }));
    assert!(refused.status == 400, "{}", refused.text());
    assert_eq!(world.mailbox().mails().len(), 1);

    let number = notice["number"].as_u64().unwrap();
    let api = logged_in(&world, SECOND);
    let told = |password: &str| api.post(&format!("/api/v1/notices/{number}/told"), &json!({ "password": password }));
    assert_eq!(told(FIRST).problem(), "wrong-proof", "not without the password");
    told(SECOND).must(204);
    assert_eq!(told(SECOND).problem(), "expired");
    assert!(untold(&world).is_empty());
    assert_eq!(Api::new(&world.screen_url()).get("/api/v1/notices").problem(), "not-logged-in");
}
