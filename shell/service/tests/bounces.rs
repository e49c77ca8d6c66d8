//! Mails that a mail server took and sent back: the phone is told. On SQLite, and on PostgreSQL if
//! `SPAREKEY_TEST_POSTGRES` says where.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod store_support;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use sparekey_service::service::{MailState, Service};
use store_support::{Place, home, until_mail_is};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

on_both! {
    a_bounce_is_shown_and_the_mail_may_be_asked_for_again
    a_bounce_waits_for_the_note_that_its_letter_was_sent
    what_is_no_bounce_changes_nothing
    without_a_maildir_letters_leave_from_their_mailbox
}

/// As Postfix wrote it, but for the token.
const BOUNCE: &str = include_str!("bounces/postfix.eml");

/// A mail server that takes all and remembers the senders of its envelopes.
struct MailServer {
    url: String,
    senders: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}?starttls=never", listener.local_addr().unwrap());
        let senders = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&senders);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that goes away ends the conversation.
                tokio::spawn(converse(stream, Arc::clone(&noted)));
            }
        });
        Self { url, senders }
    }

    /// The token of the last letter's envelope.
    fn token(&self) -> String {
        let sender = self.senders.lock().unwrap().last().unwrap().clone();
        sender.strip_prefix("bounce+").and_then(|rest| rest.strip_suffix("@example.com")).unwrap().to_owned()
    }
}

async fn converse(mut stream: TcpStream, senders: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await?;
    let mut in_message = false;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.as_str() {
            "." => "250 queued",
            _ if in_message => continue,
            "DATA" => "354 go on",
            _ => "250 ok",
        };
        in_message = line == "DATA";
        if let Some(sender) = line.strip_prefix("MAIL FROM:<") {
            senders.lock().unwrap().push(sender.split('>').next().unwrap().to_owned());
        }
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn maildir(place: &Place) -> PathBuf {
    place.dir.path().join("bounces")
}

fn deliver(place: &Place, name: &str, mail: &str) -> PathBuf {
    let new = maildir(place).join("new");
    fs::create_dir_all(&new).unwrap();
    fs::write(place.dir.path().join(name), mail).unwrap();
    fs::rename(place.dir.path().join(name), new.join(name)).unwrap();
    new.join(name)
}

async fn until_gone(mail: &Path) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while mail.exists() {
        assert!(Instant::now() < deadline, "{} is still there", mail.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn open(place: &Place, mail: &str) -> Service {
    place.open_with_bounces(mail, maildir(place)).await
}

async fn a_bounce_is_shown_and_the_mail_may_be_asked_for_again(place: Place) {
    let server = MailServer::start().await;
    // The maildir is made by the mail server, with the first bounce.
    let service = open(&place, &server.url).await;
    let request = place.reset(10);
    let view = service.submit(&request, false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    let first = BOUNCE.replace("TOKEN", &server.token());
    let bounce = deliver(&place, "1", &first);
    until_mail_is(&service, &view.id, MailState::Refused).await;
    until_gone(&bounce).await;
    assert_eq!(place.facts().await.last().unwrap().0, "mail-bounced");

    place.clock.forward(60);
    service.submit(&request, true, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    assert_ne!(BOUNCE.replace("TOKEN", &server.token()), first, "each letter has an address of its own");
    // Once more, and late.
    until_gone(&deliver(&place, "2", &first)).await;
    assert_eq!(service.view(&view.id).await.unwrap().unwrap().mail, Some(MailState::Sent));
    assert_eq!(place.number("SELECT count(*) FROM facts WHERE kind = 'mail-bounced'").await, 1);
    service.shutdown().await;
    assert!(!maildir(&place).join("cur").exists());
}

/// The mail server took it, and then the process died, so that it is sent once more.
async fn a_bounce_waits_for_the_note_that_its_letter_was_sent(place: Place) {
    let server = MailServer::start().await;
    let service = open(&place, &server.url).await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    place.execute("UPDATE cases SET mail_state = 'queued'").await;
    let bounce = deliver(&place, "1", &BOUNCE.replace("TOKEN", &server.token()));
    // Two looks: the second began after it was there.
    for name in ["2", "3"] {
        until_gone(&deliver(&place, name, &BOUNCE.replace("TOKEN", "aaaa"))).await;
    }
    assert!(bounce.exists());
    assert_eq!(service.view(&view.id).await.unwrap().unwrap().mail, Some(MailState::Queued));
    place.execute("UPDATE cases SET mail_state = 'sent'").await;
    until_mail_is(&service, &view.id, MailState::Refused).await;
    until_gone(&bounce).await;
    service.shutdown().await;
}

async fn what_is_no_bounce_changes_nothing(place: Place) {
    let server = MailServer::start().await;
    let service = open(&place, &server.url).await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    let bounce = BOUNCE.replace("TOKEN", &server.token());
    let swapped = if server.token().starts_with('a') { "b" } else { "a" };
    let forged = BOUNCE.replace("TOKEN", &format!("{swapped}{}", &server.token()[1..]));
    let padding = "x".repeat(300 * 1024);
    let removed = [
        ("forged", forged),
        ("delayed", bounce.replace("Action: failed", "Action: delayed")),
        ("answer", format!("To: bounce+{}@example.com\n\nI am away.\n", server.token())),
        ("large", bounce.replace("This is a MIME", &format!("{padding}\nThis is a MIME"))),
    ];
    let kept = [("somebody", bounce.replace("bounce+", "somebody+")), ("nothing", String::new())];
    for mail in removed.iter().chain(&kept).map(|(name, mail)| deliver(&place, name, mail)).collect::<Vec<_>>() {
        until_gone(&mail).await;
    }
    for (name, mail) in &kept {
        assert_eq!(&fs::read_to_string(maildir(&place).join("cur").join(format!("{name}:2,"))).unwrap(), mail);
    }
    // Neither a mail nor in the way of one.
    fs::create_dir(maildir(&place).join("new/folder")).unwrap();
    assert_eq!(service.view(&view.id).await.unwrap().unwrap().mail, Some(MailState::Sent));
    until_gone(&deliver(&place, "true", &bounce)).await;
    assert_eq!(service.view(&view.id).await.unwrap().unwrap().mail, Some(MailState::Refused));
    service.shutdown().await;
}

async fn without_a_maildir_letters_leave_from_their_mailbox(place: Place) {
    let server = MailServer::start().await;
    let service = place.open_with_mail(&server.url).await;
    let view = service.submit(&place.reset(10), false, home()).await.unwrap();
    until_mail_is(&service, &view.id, MailState::Sent).await;
    assert_eq!(*server.senders.lock().unwrap(), ["service@example.com"]);
    service.shutdown().await;
}
