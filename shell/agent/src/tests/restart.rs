//! The agent on real sockets, through its restart.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use sparekey_protocol::Firmware;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::Agent;
use crate::testing::*;

/// One request over plain HTTP, as the device's own screen sends it: status and body.
async fn call(to: SocketAddr, method: &str, path: &str, body: &Value) -> std::io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect(to).await?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

#[tokio::test]
async fn after_a_new_password_it_comes_back_at_the_same_address() {
    let dir = device_folder();
    let bound = Agent::open(dir.path(), Firmware::new("1").unwrap()).unwrap().bind().await.unwrap();
    let (main, lan) = (bound.addresses().main, bound.addresses().lan.unwrap());
    let stop = CancellationToken::new();
    let running = tokio::spawn(bound.run(stop.clone()));

    let post = async |path: &str, body: Value| call(main, "POST", path, &body).await.unwrap();
    let activation = json!({ "username": "admin", "password": PASSWORD, "reserved_emails": [EMAIL] });
    assert_eq!(post("/api/v1/activation", activation).await.0, 201);
    let (_, opened) = post("/api/v1/recoveries", json!({ "method": "email" })).await;
    let (id, (code, _)) = (opened["id"].as_str().unwrap(), Service::new().read(opened["qr_text"].as_str().unwrap()));
    let (_, proven) = post(&format!("/api/v1/recoveries/{id}/proof"), json!({ "code": code })).await;
    let started = call(main, "GET", "/api/v1/device", &Value::Null).await.unwrap().1["start_time"].as_u64().unwrap();
    let body = json!({ "ticket": proven["ticket"], "password": NEW_PASSWORD });
    let set = call(main, "PUT", &format!("/api/v1/recoveries/{id}/password"), &body).await.unwrap();
    assert_eq!(set.0, 202);

    let back = async {
        loop {
            match call(main, "GET", "/api/v1/device", &Value::Null).await {
                Ok((200, device)) if device["start_time"].as_u64().unwrap() > started => break,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.unwrap();
    assert_eq!(post("/api/v1/sessions", json!({ "username": "admin", "password": PASSWORD })).await.0, 401);
    assert_eq!(post("/api/v1/sessions", json!({ "username": "admin", "password": NEW_PASSWORD })).await.0, 201);
    let from_afar = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(lan)).await;
    assert!(from_afar.is_err(), "a hop limit of 64 is no neighbour's");

    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(TcpStream::connect(main).await.is_err());
    Agent::open(dir.path(), Firmware::new("1").unwrap()).unwrap();
}

#[tokio::test]
async fn a_disk_that_fails_is_tried_again_with_pauses_in_which_everybody_is_told() {
    let dir = device_folder();
    let bound = Agent::open(dir.path(), Firmware::new("1").unwrap()).unwrap().bind().await.unwrap();
    let main = bound.addresses().main;
    let stop = CancellationToken::new();
    let running = tokio::spawn(bound.run(stop.clone()));
    let device = async || call(main, "GET", "/api/v1/device", &Value::Null).await;
    let answered = async |wanted: u16| {
        let answered = async {
            loop {
                match device().await {
                    Ok((status, answer)) if status == wanted => break answer,
                    _ => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), answered).await.unwrap()
    };
    answered(200).await;

    // A folder in the place of the scratch file: every write fails.
    let scratch = dir.path().join("vault.new");
    std::fs::create_dir(&scratch).unwrap();
    let activation = json!({ "username": "admin", "password": PASSWORD, "reserved_emails": [EMAIL] });
    assert_eq!(call(main, "POST", "/api/v1/activation", &activation).await.unwrap().0, 503);
    let told = async || loop {
        let answer = answered(503).await;
        if answer["retry_after"].is_u64() {
            break answer;
        }
    };
    let pauses: [Value; 2] = [told().await, {
        // Between two pauses the device tries to start, and answers nothing.
        while device().await.is_ok_and(|(_, answer)| answer["retry_after"] == 1) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        told().await
    }];
    assert_eq!(pauses.map(|answer| answer["retry_after"].clone()), [json!(1), json!(2)]);

    std::fs::remove_dir(&scratch).unwrap();
    assert_eq!(answered(200).await["state"], "inactive");
    assert_eq!(call(main, "POST", "/api/v1/activation", &activation).await.unwrap().0, 201);
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dir = device_folder();
    let mut agent = Agent::open(dir.path(), Firmware::new("1").unwrap()).unwrap();
    agent.settings.listen = taken.local_addr().unwrap();
    let error = agent.bind().await.unwrap_err().to_string();
    assert!(error.contains(&taken.local_addr().unwrap().to_string()) && error.contains('\n'), "{error}");
}
