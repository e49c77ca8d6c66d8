//! Two processes of one service on one PostgreSQL.

#![allow(clippy::unwrap_used)]

use std::{net::TcpListener, time::Duration};

use serde_json::json;
use sparekey_e2e::{Api, Setup, World, ports, postgres, smtp::ScriptedServer, until};

const PASSWORD: &str = "tangerine ladder ocean clock";
const ADDRESS: &str = "olga@owners.example.org";

fn mail(api: &Api, id: &str) -> String {
    api.get(&format!("/v1/requests/{id}")).must(200)["mail"].as_str().unwrap().to_owned()
}

#[test]
fn what_one_node_took_another_knows() {
    let Some(database) = postgres::database("share") else { return };
    let world = World::start(Setup { database: Some(database), ..Setup::default() });
    let port = ports::free();
    let _other = world.node("other", port);
    let nodes = [world.service_api(), Api::new(&format!("http://127.0.0.1:{port}"))];
    world.device().activate(PASSWORD, &[ADDRESS]);
    let opened = world.device().open();
    let request = json!({ "request": opened.digits() });

    // The same request at both, many times at once.
    let call = |api: &Api| api.post("/v1/requests", &request).must(202)["id"].as_str().unwrap().to_owned();
    let ids: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = nodes.iter().cycle().take(20).map(|api| scope.spawn(|| call(api))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    for api in &nodes {
        until("the mail to be sent", Duration::from_secs(30), || (mail(api, &ids[0]) == "sent").then_some(()));
    }
    assert_eq!(world.mailbox().mails().len(), 1);
    let code = world.mailbox().mails().remove(0).code();
    world.device().prove(&opened.id, &code).must(200);
}

/// A node that dies with a mail in hand: once its lease has run out, the other one sends.
#[test]
fn what_a_dead_node_left_another_sends() {
    let Some(database) = postgres::database("inherit") else { return };
    let lease_runs_out = || postgres::execute(&database, "UPDATE outbox SET leased_until = 0, due_at = 0");
    // A server that takes connections and says nothing holds the first node up.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mail_port = silent.local_addr().unwrap().port();
    let url = format!("smtp://127.0.0.1:{mail_port}?starttls=never");
    let mut world = World::start(Setup { database: Some(database.clone()), mail: Some(url), ..Setup::default() });
    world.device().activate(PASSWORD, &[ADDRESS]);
    let opened = world.device().open();
    let answer = world.service_api().post("/v1/requests", &json!({ "request": opened.digits() })).must(202);
    let id = answer["id"].as_str().unwrap();
    let (connection, _) = silent.accept().unwrap();
    world.service().take().unwrap().kill();
    drop((connection, silent));

    let server = ScriptedServer::start_at(mail_port, &[]);
    let port = ports::free();
    let _other = world.node("other", port);
    let api = Api::new(&format!("http://127.0.0.1:{port}"));
    assert_eq!(mail(&api, id), "queued");
    lease_runs_out();
    until("the other node to send", Duration::from_secs(60), || (mail(&api, id) == "sent").then_some(()));
    assert_eq!(server.mails().len(), 1);
}
