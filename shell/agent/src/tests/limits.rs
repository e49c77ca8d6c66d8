//! Tries, waits and what proves what: in parallel, out of order, with another request's proof, over restarts.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sparekey_device::EventKind;

use crate::hasher::Client;
use crate::testing::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_guesses_at_once_five_are_looked_at() {
    let device = Arc::new(Running::active().await);
    let (id, code) = device.forgot(SCREEN).await;
    let mut looked_at = 0;
    let mut refused = 0;
    let guesses: Vec<_> = (0..100)
        .map(|_| {
            let (device, id, guess) = (Arc::clone(&device), id.clone(), wrong(&code));
            tokio::spawn(async move { device.prove(SCREEN, &id, &guess).await })
        })
        .collect();
    for guess in guesses {
        let answer = guess.await.unwrap();
        match answer.status.as_u16() {
            403 => looked_at += 1,
            429 => refused += 1,
            _ => panic!("{answer:?}"),
        }
    }
    assert_eq!((looked_at, refused), (5, 95));
    let late = device.prove(SCREEN, &id, &code).await;
    // A minute, of which the guesses took some seconds.
    let wait = late.problem(429, "too-many-tries")["retry_after"].as_u64().unwrap();
    assert!((51..=60).contains(&wait), "{wait}");
    assert_eq!(late.headers["retry-after"], wait.to_string());
}

#[tokio::test]
async fn kill_keeps_tries_waits_and_open_requests() {
    let device = Running::active().await;
    let (first, first_code) = device.forgot(SCREEN).await;
    let (second, second_code) = device.forgot(SCREEN).await;
    assert_eq!(device.prove(SCREEN, &first, &wrong(&first_code)).await.problem(403, "wrong-proof")["tries_left"], 4);
    device.forgot(SCREEN).await;
    let open = || json!({ "method": "email" });
    let lane: Vec<_> = (0..Client::Screen.most()).map(|_| device.app.hasher.turn(Client::Screen).unwrap()).collect();
    let wait = device.post(SCREEN, "/api/v1/recoveries", open()).await.problem(429, "too-many-tries");
    assert!(wait["retry_after"].as_u64().is_some_and(|wait| wait > 50), "refused before any hash: {wait}");
    drop(lane);
    // Who only looks is told as well, each side its own wait, and for the ways that it is about.
    for (peer, email) in [(SCREEN, true), (LINK, false)] {
        let shown = device.get(peer, "/api/v1/device").await.json();
        let wait = |name: &str| {
            shown["methods"].as_array().unwrap().iter().find(|way| way["name"] == name).unwrap()["wait"].clone()
        };
        assert_eq!(wait("email").as_u64().is_some_and(|wait| wait > 50), email, "{shown}");
        assert!(wait("sheet").is_null() && wait("keyfile").is_null(), "{shown}");
    }

    let device = device.killed_and_started().await;
    let wait = device.post(SCREEN, "/api/v1/recoveries", open()).await.problem(429, "too-many-tries");
    assert!(wait["retry_after"].as_u64().is_some_and(|wait| wait > 50), "{wait}");
    assert_eq!(device.prove(SCREEN, &first, &wrong(&first_code)).await.problem(403, "wrong-proof")["tries_left"], 3);
    assert_eq!(device.prove(SCREEN, &second, &second_code).await.status, 200);
    device.forgot(LINK).await; // counted apart
}

#[tokio::test]
async fn steps_cannot_be_skipped_or_mixed() {
    let device = Running::active().await;
    let (one, code_one) = device.forgot(SCREEN).await;
    let (two, code_two) = device.forgot(SCREEN).await;
    let password = |id: &str| format!("/api/v1/recoveries/{id}/password");
    let body = |ticket: &str| json!({ "ticket": ticket, "password": NEW_PASSWORD });

    for ticket in ["", "x", &code_one] {
        device.put(SCREEN, &password(&one), body(ticket)).await.problem(409, "expired");
    }
    device.prove(SCREEN, &two, &code_one).await.problem(403, "wrong-proof");
    device.prove(LINK, &one, &code_one).await.problem(409, "expired");

    let ticket = device.prove(SCREEN, &one, &code_one).await.json()["ticket"].as_str().unwrap().to_owned();
    device.put(SCREEN, &password(&two), body(&ticket)).await.problem(409, "expired");
    device.put(LINK, &password(&one), body(&ticket)).await.problem(409, "expired");
    device.prove(SCREEN, &one, &code_one).await.problem(409, "expired");
    assert_eq!(device.put(SCREEN, &password(&one), body(&ticket)).await.status, 202);
    device.put(SCREEN, &password(&one), body(&ticket)).await.problem(409, "expired");
    device.prove(SCREEN, &two, &code_two).await.problem(409, "expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_redemptions_at_once_one_counts() {
    let device = Arc::new(Running::active().await);
    let (id, code) = device.forgot(SCREEN).await;
    let ticket = device.prove(SCREEN, &id, &code).await.json()["ticket"].clone();
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let (device, path) = (Arc::clone(&device), format!("/api/v1/recoveries/{id}/password"));
            let body = json!({ "ticket": ticket, "password": NEW_PASSWORD });
            tokio::spawn(async move { device.put(SCREEN, &path, body).await.status.as_u16() })
        })
        .collect();
    let mut taken = 0;
    for tried in tries {
        match tried.await.unwrap() {
            202 => taken += 1,
            status => assert_eq!(status, 409),
        }
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_right_password_always_logs_in() {
    let device = Running::active().await;
    for _ in 0..3 {
        device.log_in(LINK, "not the password").await.unwrap_err().problem(401, "not-logged-in");
    }
    device.log_in(LINK, PASSWORD).await.unwrap();
    device.log_in(SCREEN, PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_in_vain_delays_nobody_else() {
    let device = Arc::new(Running::active().await);
    for _ in 0..5 {
        device.log_in(LINK, "not the password").await.unwrap_err().problem(401, "not-logged-in");
    }
    let guessing: Vec<_> = (0..20)
        .map(|_| {
            let device = Arc::clone(&device);
            tokio::spawn(async move { device.log_in(LINK, "not the password").await.unwrap_err().status.as_u16() })
        })
        .collect();
    let others = async {
        device.log_in("fe80::6", PASSWORD).await.unwrap();
        device.log_in(SCREEN, PASSWORD).await.unwrap();
    };
    tokio::time::timeout(Duration::from_millis(3500), others).await.unwrap();
    let turned_away = guessing.iter().filter(|guess| guess.is_finished()).count();
    assert!(turned_away <= 18, "two of them wait for four seconds");
}

#[tokio::test]
async fn a_new_password_restarts_the_device_even_if_nobody_waits_for_the_answer() {
    let device = Arc::new(Running::active().await);
    let (id, code) = device.forgot(SCREEN).await;
    let ticket = device.prove(SCREEN, &id, &code).await.json()["ticket"].clone();
    let path = format!("/api/v1/recoveries/{id}/password");
    let body = json!({ "ticket": ticket, "password": NEW_PASSWORD });
    let asking = {
        let device = Arc::clone(&device);
        tokio::spawn(async move { device.put(SCREEN, &path, body).await })
    };
    // Hangs up as soon as the command has begun: its state is there before its answer.
    while device.app.look(|device, _| device.events().last().unwrap().kind).await != EventKind::PasswordRecovered {
        tokio::task::yield_now().await;
    }
    asking.abort();
    tokio::time::timeout(Duration::from_secs(10), device.done.cancelled()).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_cannot_be_written_answers_nothing_and_starts_again() {
    let device = Running::active().await;
    // A folder in the place of the scratch file: every write fails.
    let scratch = device.dir.path().join("vault.new");
    std::fs::create_dir(&scratch).unwrap();
    device.post(SCREEN, "/api/v1/recoveries", json!({ "method": "email" })).await.problem(503, "unavailable");
    assert!(device.done.is_cancelled());
    std::fs::remove_dir(&scratch).unwrap();
    let device = device.killed_and_started().await;
    device.log_in(SCREEN, PASSWORD).await.unwrap();
}
