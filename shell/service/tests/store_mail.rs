//! What becomes of letters: crashes, servers that are down or refuse, ends. On SQLite, and on PostgreSQL if
//! `SPAREKEY_TEST_POSTGRES` says where.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod store_support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sparekey_service::service::{MailState, SubmitError};
use store_support::{Place, home, until_mail_is};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

on_both! {
    a_letter_survives_a_stop_before_it_was_sent
    a_letter_survives_a_kill_while_it_is_sent
    a_letter_waits_for_a_server_that_is_down
    a_refusal_is_shown_and_the_mail_may_be_asked_for_again
    an_expired_code_is_never_sent
    a_damaged_letter_does_not_stop_the_others
    a_slow_server_gets_each_letter_once
}

/// What the mail server of a test says to `RCPT` and to the end of `DATA`.
#[derive(Clone, Copy)]
struct Script {
    recipient: &'static str,
    data: &'static str,
    /// Before it answers the end of `DATA`.
    takes: Duration,
}

const TAKES_ALL: Script = Script { recipient: "250 ok", data: "250 queued", takes: Duration::ZERO };

/// A mail server on loopback that follows a script and counts the messages it accepted.
struct MailServer {
    url: String,
    accepted: Arc<AtomicUsize>,
    /// Messages that were handed over whole, accepted or not.
    seen: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl MailServer {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}?starttls=never", listener.local_addr().unwrap());
        let (accepted, seen) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counters = (Arc::clone(&accepted), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (accepted, seen) = counters.clone();
                tokio::spawn(async move {
                    // A client that goes away ends the conversation.
                    let _ = converse(stream, script, &accepted, &seen).await;
                });
            }
        });
        Self { url, accepted, seen, task }
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    async fn until_seen(&self, messages: usize) {
        while self.seen.load(Ordering::SeqCst) < messages {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(
    stream: TcpStream,
    script: Script,
    accepted: &AtomicUsize,
    seen: &AtomicUsize,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-test\r\n250 8BITMIME",
            "RCPT" => script.recipient,
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                while lines.next_line().await?.is_some_and(|line| line != ".") {}
                seen.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(script.takes).await;
                if script.data.starts_with('2') {
                    accepted.fetch_add(1, Ordering::SeqCst);
                }
                script.data
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn a_letter_survives_a_stop_before_it_was_sent(place: Place) {
    let service = place.open_without_mail().await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    service.shutdown().await;
    place.clock.forward(60);
    let service = place.open().await;
    until_mail_is(&service, &view.id, MailState::Sent).await;
    service.shutdown().await;
    place.open().await.shutdown().await;
    assert_eq!(place.mails().len(), 1);
}

/// A killed process is one whose runtime is gone: nothing of it runs on, and nothing is tidied up.
async fn a_letter_survives_a_kill_while_it_is_sent(place: Place) {
    let hanging = MailServer::start(Script { takes: Duration::from_secs(3_600), ..TAKES_ALL }).await;
    let process = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (url, place) = (hanging.url.clone(), Arc::new(place));
    let there = Arc::clone(&place);
    let view = process
        .spawn(async move {
            let service = there.open_with_mail(&url).await;
            let view = service.submit(&there.reset(10), false, home()).await.unwrap();
            std::mem::forget(service);
            view
        })
        .await
        .unwrap();
    hanging.until_seen(1).await;
    process.shutdown_background();

    if place.is_sqlite() {
        // The dead process leaves its lock to nobody; within one process it has to be taken away by hand.
        let database = place.dir.path().join("service.db.lock");
        std::fs::remove_file(database).unwrap();
    }
    let service = place.open().await;
    if !place.is_sqlite() {
        // Another node might still be sending it: left alone until the lease ends.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(service.view(&view.id).await.unwrap().unwrap().mail, Some(MailState::Queued));
        place.clock.forward(241);
    }
    until_mail_is(&service, &view.id, MailState::Sent).await;
    assert_eq!((place.mails().len(), hanging.accepted()), (1, 0));
}

async fn a_letter_waits_for_a_server_that_is_down(place: Place) {
    let busy = MailServer::start(Script { recipient: "451 come back", ..TAKES_ALL }).await;
    let service = place.open_with_mail(&busy.url).await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    for attempts in 1..=3 {
        while place.number("SELECT coalesce(max(attempts), 0) FROM outbox WHERE leased_until = 0").await != attempts {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        place.clock.forward(60);
    }
    assert_eq!(service.view(&view.id).await.unwrap().unwrap().mail, Some(MailState::Queued));
    service.shutdown().await;
    // Set back by a year: what is due then is due now.
    place.clock.set_back(365 * 24 * 60 * 60);
    let service = place.open().await;
    until_mail_is(&service, &view.id, MailState::Sent).await;
}

async fn a_refusal_is_shown_and_the_mail_may_be_asked_for_again(place: Place) {
    let refusing = MailServer::start(Script { recipient: "550 no such mailbox", ..TAKES_ALL }).await;
    let service = place.open_with_mail(&refusing.url).await;
    let request = place.reset(10);
    let view = service.submit(&request, false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Refused).await;
    assert_eq!(place.number("SELECT count(*) FROM outbox").await, 0);
    service.shutdown().await;

    let service = place.open().await;
    let early = service.submit(&request, true, home()).await;
    assert_eq!(early, Err(SubmitError::TooMany { retry_after: 60 }));
    place.clock.forward(60);
    let again = service.submit(&request, true, home()).await.unwrap();
    assert_eq!((again.id.as_str(), again.mail), (view.id.as_str(), Some(MailState::Queued)));
    until_mail_is(&service, &view.id, MailState::Sent).await;
    place.clock.forward(60);
    service.submit(&request, true, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    place.clock.forward(60);
    assert_eq!(service.submit(&request, true, home()).await, Err(SubmitError::TooMany { retry_after: 1_620 }));
    assert_eq!(service.submit(&request, false, home()).await.unwrap().mail, Some(MailState::Sent));
    service.shutdown().await;
    let mails = place.mails();
    assert_eq!(mails.len(), 2);
    let id = |mail: &str| mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
    assert_ne!(id(&mails[0]), id(&mails[1]), "another letter, not the same one twice");
}

async fn an_expired_code_is_never_sent(place: Place) {
    let service = place.open_without_mail().await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    service.shutdown().await;
    place.clock.forward(1_800);
    let service = place.open().await;
    until_mail_is(&service, &view.id, MailState::Refused).await;
    service.shutdown().await;
    assert!(place.mails().is_empty());
    assert_eq!(place.number("SELECT count(*) FROM outbox").await, 0);
    assert_eq!(place.number("SELECT count(*) FROM facts WHERE kind = 'mail-expired'").await, 1);
}

async fn a_damaged_letter_does_not_stop_the_others(place: Place) {
    let service = place.open_without_mail().await;
    let damaged = service.submit(&place.reset(10), false, home()).await.unwrap();
    service.shutdown().await;
    place.execute("UPDATE outbox SET sealed = identity FROM cases").await;
    place.clock.forward(60);
    let service = place.open().await;
    let whole = service.submit(&place.reset(11), false, home()).await.unwrap();
    until_mail_is(&service, &whole.id, MailState::Sent).await;
    assert_eq!(service.view(&damaged.id).await.unwrap().unwrap().mail, Some(MailState::Queued));
    place.clock.forward(1_800);
    until_mail_is(&service, &damaged.id, MailState::Refused).await;
    assert_eq!(place.mails().len(), 1);
}

async fn a_slow_server_gets_each_letter_once(place: Place) {
    let slow = MailServer::start(Script { takes: Duration::from_millis(300), ..TAKES_ALL }).await;
    let service = place.open_with_mail(&slow.url).await;
    let mut views = Vec::new();
    for device in 10..16 {
        views.push(service.submit(&place.reset(device), false, home()).await.unwrap());
    }
    slow.until_seen(1).await;
    // The clock jumps past every lease while the letters are on their way.
    place.clock.forward(300);
    service.shutdown().await;
    let on_their_way = slow.accepted();
    assert!((1..=4).contains(&on_their_way), "finished, and no more begun: {on_their_way}");
    let service = place.open_with_mail(&slow.url).await;
    for view in views {
        until_mail_is(&service, &view.id, MailState::Sent).await;
    }
    assert_eq!(slow.accepted(), 6);
}
