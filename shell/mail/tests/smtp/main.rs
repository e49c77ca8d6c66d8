//! The way to a mail server, against one that is scripted: it says what a test wants at the step a test names.

mod script;

use script::{Act, Script, Server};
use sparekey_mail::{Accepted, Address, Envelope, LONGEST_SEND, SendError, Transport};

const MESSAGE: &[u8] = b"Subject: x\r\n\r\n.a dot first\r\n..two\r\n.\r\nend\r\n";

fn envelope(to: &str) -> Envelope {
    let address = |text| Address::parse(text).expect("is an address");
    Envelope { from: Some(address("codes@sparekey.example")), to: address(to), hello: "sparekey.example".to_owned() }
}

fn to_owner() -> Envelope {
    envelope("Owner+x@example.org")
}

fn transport(url: &str) -> Transport {
    Transport::from_url(url).expect("is a way out")
}

async fn send_once(script: Script) -> (Server, Result<Accepted, SendError>) {
    let server = Server::start(vec![script]).await;
    let sent = transport(&server.url("")).send(&to_owner(), MESSAGE).await;
    (server, sent)
}

#[tokio::test]
async fn a_mail_arrives_byte_for_byte_at_the_stored_address() {
    let (server, sent) = send_once(Script::new().on("content", Act::Say("250 2.0.0 Ok: queued as 4A3F"))).await;
    assert_eq!(sent, Ok(Accepted::ByServer { reply: "2.0.0 Ok: queued as 4A3F".to_owned() }));
    assert_eq!(server.messages(), [MESSAGE]);
    assert_eq!(server.commands_of("EHLO"), ["EHLO sparekey.example"]);
    assert_eq!(server.commands_of("MAIL"), ["MAIL FROM:<codes@sparekey.example>"]);
    assert_eq!(server.commands_of("RCPT"), ["RCPT TO:<Owner+x@example.org>"]);
}

/// Checklist 20: each answer at each step, and the line cut at each step.
#[tokio::test]
async fn refusals_for_good_are_told_from_what_may_pass() {
    const LATER: u16 = 0;
    for (step, act, expected) in [
        ("connect", Act::Say("554 5.3.2 no service here"), LATER),
        ("connect", Act::Say("421 too busy"), LATER),
        ("connect", Act::Say("nonsense"), LATER),
        ("connect", Act::Cut, LATER),
        ("EHLO", Act::Say("550 go away"), LATER),
        ("EHLO", Act::Cut, LATER),
        ("MAIL", Act::Say("550 5.7.1 sender refused"), LATER),
        ("MAIL", Act::Say("451 later"), LATER),
        ("MAIL", Act::Cut, LATER),
        ("RCPT", Act::Say("550 5.1.1 no such user"), 550),
        ("RCPT", Act::Say("552-5.2.2 mailbox\r\n552 5.2.2 full"), 552),
        ("RCPT", Act::Say("553 5.1.3 malformed"), 553),
        ("RCPT", Act::Say("554 5.7.1 relaying denied"), 554),
        ("RCPT", Act::Say("530 5.7.0 log in first"), LATER),
        ("RCPT", Act::Say("503 5.5.1 out of order"), LATER),
        ("RCPT", Act::Say("450 4.2.0 greylisted"), LATER),
        ("RCPT", Act::Say("421 4.3.2 shutting down"), LATER),
        ("RCPT", Act::Cut, LATER),
        ("DATA", Act::Say("554 5.5.1 no valid recipients"), 554),
        ("DATA", Act::Say("451 4.3.0 later"), LATER),
        ("DATA", Act::Say("250 out of step"), LATER),
        ("DATA", Act::Cut, LATER),
        ("content", Act::Say("550 5.7.1 looks like spam"), 550),
        ("content", Act::Say("451 4.3.0 queue file error"), LATER),
        ("content", Act::Say("354 out of step"), LATER),
        ("content", Act::Cut, LATER),
    ] {
        let (_server, sent) = send_once(Script::new().on(step, act)).await;
        match sent {
            Err(SendError::Refused { code, text }) => {
                assert_eq!(code, expected, "{step} {act:?}");
                assert!(text.starts_with("5."), "{text}");
            }
            Err(SendError::Later { .. }) => assert_eq!(expected, LATER, "{step} {act:?}"),
            Ok(_) => panic!("{step} {act:?} was taken for sent"),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_later() {
    let server = Server::start(vec![]).await;
    let url = server.url("");
    drop(server);
    let sent = transport(&url).send(&to_owner(), MESSAGE).await;
    assert!(matches!(sent, Err(SendError::Later { .. })), "{sent:?}");
}

#[tokio::test]
async fn what_the_server_says_reaches_people_masked() {
    let said = "550 5.1.1 <owner+x@example.org>: Recipient address rejected";
    let (_server, sent) = send_once(Script::new().on("RCPT", Act::Say(said))).await;
    let text = "5.1.1 <O••••@e••••.org>: Recipient address rejected".to_owned();
    assert_eq!(sent, Err(SendError::Refused { code: 550, text }));
}

/// However long a server is silent, the call ends, and the silent connection is not used again.
#[tokio::test]
async fn silence_ends_in_another_try() {
    for step in ["connect", "EHLO", "RCPT", "DATA", "content"] {
        let server = Server::start(vec![Script::new().on(step, Act::Silence), Script::new()]).await;
        let transport = transport(&server.url(""));
        let call = tokio::spawn({
            let transport = transport.clone();
            async move { transport.send(&to_owner(), MESSAGE).await }
        });
        server.reached(step).await;
        tokio::time::pause();
        let started = tokio::time::Instant::now();
        let sent = call.await.expect("ends");
        assert!(started.elapsed() <= LONGEST_SEND);
        tokio::time::resume();
        assert!(matches!(sent, Err(SendError::Later { .. })), "{step}: {sent:?}");
        let again = transport.send(&to_owner(), MESSAGE).await;
        assert!(again.is_ok(), "{step}: {again:?}");
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_call_given_up_halfway_does_not_spoil_the_next() {
    let server = Server::start(vec![Script::new().on("content", Act::Silence), Script::new()]).await;
    let transport = transport(&server.url(""));
    let call = tokio::spawn({
        let transport = transport.clone();
        async move { transport.send(&to_owner(), MESSAGE).await }
    });
    server.reached("content").await;
    call.abort();
    assert!(call.await.expect_err("was given up").is_cancelled());
    assert!(transport.send(&to_owner(), MESSAGE).await.is_ok());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_serves_many_mails_and_a_dead_one_none() {
    let server = Server::start(vec![Script::new().on("NOOP", Act::Say("250 ok")), Script::new()]).await;
    let transport = transport(&server.url(""));
    for _ in 0..3 {
        transport.send(&to_owner(), MESSAGE).await.expect("is sent");
    }
    assert_eq!(server.connections(), 1);

    let server = Server::start(vec![Script::new().on("NOOP", Act::Cut), Script::new()]).await;
    let transport = Transport::from_url(&server.url("")).expect("is a way out");
    for _ in 0..2 {
        transport.send(&to_owner(), MESSAGE).await.expect("is sent");
    }
    assert_eq!(server.connections(), 2);
    assert_eq!(server.messages().len(), 2);
}

#[tokio::test]
async fn a_refused_recipient_does_not_hinder_the_next() {
    let refusing = Script::new().on("RCPT", Act::Say("550 5.1.1 no such user"));
    let server = Server::start(vec![refusing, Script::new()]).await;
    let transport = transport(&server.url(""));
    assert!(matches!(transport.send(&to_owner(), MESSAGE).await, Err(SendError::Refused { code: 550, .. })));
    assert!(transport.send(&to_owner(), MESSAGE).await.is_ok());
    assert_eq!(server.commands_of("QUIT").len(), 1);
}

#[tokio::test]
async fn starttls_trusts_the_named_certificate_and_no_other() {
    let server = Server::start(vec![Script::new().starttls(), Script::new().starttls()]).await;
    let trusted = transport(&server.url("?starttls=required&ca=CA"));
    trusted.send(&to_owner(), MESSAGE).await.expect("is sent");
    assert!(server.all_mail_was_encrypted());

    let stranger = Server::start(vec![]).await;
    let url = server.url("?starttls=required&ca=CA").replace(&server.ca(), &stranger.ca());
    let sent = transport(&url).send(&to_owner(), MESSAGE).await;
    assert!(matches!(sent, Err(SendError::Later { .. })), "{sent:?}");
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn required_starttls_sends_nothing_in_clear() {
    let server =
        Server::start(vec![Script::new(), Script::new().starttls().on("STARTTLS", Act::Say("454 not now"))]).await;
    let transport = transport(&server.url_with_login("?starttls=required&ca=CA"));
    for _ in 0..2 {
        let sent = transport.send(&to_owner(), MESSAGE).await;
        assert!(matches!(sent, Err(SendError::Later { .. })), "{sent:?}");
    }
    assert_eq!(server.commands_of("MAIL").len() + server.commands_of("AUTH").len(), 0);
}

#[tokio::test]
async fn on_loopback_an_offer_of_tls_is_taken_whoever_signed_it() {
    let server = Server::start(vec![Script::new().starttls()]).await;
    transport(&server.url("")).send(&to_owner(), MESSAGE).await.expect("is sent");
    assert!(server.all_mail_was_encrypted());
}

/// An answer slipped in before TLS (the class of CVE-2021-38371) must not be counted among those that came through it.
#[tokio::test]
async fn answers_slipped_in_before_tls_send_nothing() {
    let slipped_in = Act::Say("220 go ahead\r\n250 fake");
    let server = Server::start(vec![Script::new().starttls().on("STARTTLS", slipped_in)]).await;
    let sent = transport(&server.url("?starttls=required&ca=CA")).send(&to_owner(), MESSAGE).await;
    assert!(matches!(sent, Err(SendError::Later { .. })), "{sent:?}");
    assert!(server.messages().is_empty());
}

#[tokio::test]
async fn login_happens_inside_tls_and_its_failure_is_not_the_owners() {
    let refuses = Script::new().starttls().on("AUTH", Act::Say("535 5.7.8 wrong"));
    let server = Server::start(vec![Script::new().starttls(), refuses]).await;
    let url = server.url_with_login("?starttls=required&ca=CA");
    transport(&url).send(&to_owner(), MESSAGE).await.expect("is sent");
    assert!(server.all_mail_was_encrypted());
    let sent = transport(&url).send(&to_owner(), MESSAGE).await;
    let Err(SendError::Later { reason }) = sent else { panic!("{sent:?}") };
    assert!(reason.starts_with("535"), "{reason}");
    assert!(!reason.contains("hunter2"));
}

#[tokio::test]
async fn smtputf8_is_asked_for_only_where_it_is_needed() {
    let offering = || Script::new().offering(&["8BITMIME", "SMTPUTF8"]);
    let server = Server::start(vec![offering()]).await;
    transport(&server.url(""))
        .send(&envelope("董事长@例子.测试"), "To: 董事长\r\n\r\n".as_bytes())
        .await
        .expect("is sent");
    assert_eq!(server.commands_of("MAIL"), ["MAIL FROM:<codes@sparekey.example> SMTPUTF8 BODY=8BITMIME"]);
    assert_eq!(server.commands_of("RCPT"), ["RCPT TO:<董事长@xn--fsqu00a.xn--0zwm56d>"]);

    for script in [offering(), Script::new()] {
        let server = Server::start(vec![script]).await;
        transport(&server.url("")).send(&envelope("owner@bücher.example"), MESSAGE).await.expect("is sent");
        assert_eq!(server.commands_of("MAIL"), ["MAIL FROM:<codes@sparekey.example>"]);
        assert_eq!(server.commands_of("RCPT"), ["RCPT TO:<owner@xn--bcher-kva.example>"]);
    }

    for script in [Script::new(), Script::new().offering(&["8BITMIME"])] {
        let server = Server::start(vec![script]).await;
        let sent = transport(&server.url("")).send(&envelope("董事长@例子.测试"), MESSAGE).await;
        let Err(SendError::Refused { code: 553, text }) = sent else { panic!("{sent:?}") };
        assert!(text.contains("SMTPUTF8"), "{text}");
        assert!(server.messages().is_empty());
    }
}

#[tokio::test]
async fn a_maildir_shows_whole_mails_only_and_never_two_under_one_name() {
    let home = tempfile::tempdir().expect("makes a folder");
    let folder = home.path().join("a/mail dir");
    let transport = transport(&format!("maildir:{}", folder.display()));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let transport = transport.clone();
            tokio::spawn(async move { transport.send(&to_owner(), MESSAGE).await })
        })
        .collect();
    let mut paths = std::collections::HashSet::new();
    for call in calls {
        let Ok(Accepted::InMaildir { path }) = call.await.expect("ends") else { panic!("is delivered") };
        assert_eq!(path.parent(), Some(folder.join("new").as_path()));
        assert_eq!(std::fs::read(&path).expect("is there"), MESSAGE);
        paths.insert(path);
    }
    assert_eq!(paths.len(), 20);
    assert_eq!(std::fs::read_dir(folder.join("tmp")).expect("is there").count(), 0);
}

#[tokio::test]
async fn a_maildir_that_cannot_be_written_is_tried_later() {
    let home = tempfile::tempdir().expect("makes a folder");
    let file = home.path().join("file");
    std::fs::write(&file, "in the way").expect("writes");
    let sent = transport(&format!("maildir:{}", file.display())).send(&to_owner(), MESSAGE).await;
    assert!(matches!(sent, Err(SendError::Later { .. })), "{sent:?}");
}
