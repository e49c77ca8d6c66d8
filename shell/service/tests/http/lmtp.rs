//! The door for mail servers (LMTP, RFC 2033), and clients that behave badly at it.

use std::{
    net::SocketAddr,
    os::unix::net::UnixListener,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use sparekey_mail::Address;
use sparekey_service::{
    mail_in::{MOST_MAIL, MailIn, MailInError, MailInSettings, Source},
    photo::PhotoReader,
};
use sqlx::Connection;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpStream, UnixStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::stand::{Stand, decoder};

/// The address that people write to.
pub(crate) const US: &str = "help@recover.example.org";
const LONG: Duration = Duration::from_secs(60);

/// A listener that runs.
pub(crate) struct Door {
    pub(crate) address: Option<SocketAddr>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Door {
    pub(crate) async fn close(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

impl Stand {
    pub(crate) async fn door(&self) -> Door {
        self.door_with("lmtp://127.0.0.1:0", PhotoReader::new(decoder(), vec![], 1)).await.unwrap()
    }

    pub(crate) async fn door_with(&self, url: &str, photos: PhotoReader) -> Result<Door, MailInError> {
        let settings = MailInSettings {
            source: Source::from_url(url).unwrap(),
            password: None,
            address: Address::parse(US).unwrap(),
        };
        let door = MailIn::open(settings, Arc::clone(&self.service), Arc::new(photos)).await?;
        let (address, stop) = (door.local_addr(), CancellationToken::new());
        Ok(Door { address, running: tokio::spawn(door.run(stop.clone())), stop })
    }

    /// All mails, once none is left in the outbox.
    pub(crate) async fn all_mails(&self) -> Vec<String> {
        let deadline = Instant::now() + LONG;
        let url = format!("sqlite:{}", self.dir().join("service.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        loop {
            let left: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&mut connection).await.unwrap();
            if left == 0 {
                return self.mails();
            }
            assert!(Instant::now() < deadline, "{left} letters stay in the outbox");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A mail server that hands mail over.
pub(crate) struct Client<S>(BufReader<S>);

impl Client<TcpStream> {
    pub(crate) async fn connect(door: &Door) -> Self {
        let stream = TcpStream::connect(door.address.expect("it listens by TCP")).await.unwrap();
        let mut client = Self(BufReader::new(stream));
        assert_eq!(client.hear().await, "220 Sparekey LMTP");
        client.ask("LHLO test.example").await;
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        timeout(LONG, self.0.get_mut().write_all(bytes)).await.unwrap().unwrap();
    }

    /// One reply, whole; nothing if the connection was closed.
    pub(crate) async fn hear(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            // A connection that is closed while something is still on its way in is reset.
            let read = timeout(LONG, self.0.read_line(&mut line)).await.expect("it answers or closes").unwrap_or(0);
            reply.push_str(&line);
            if read == 0 || line.as_bytes().get(3) == Some(&b' ') {
                return reply.trim_end().to_owned();
            }
        }
    }

    pub(crate) async fn ask(&mut self, command: &str) -> String {
        self.write(format!("{command}\r\n").as_bytes()).await;
        self.hear().await
    }

    /// Hands over a mail; what became of it.
    pub(crate) async fn deliver(&mut self, from: &str, mail: &str) -> String {
        assert!(self.ask(&format!("MAIL FROM:<{from}>")).await.starts_with("250"));
        assert!(self.ask(&format!("RCPT TO:<{US}>")).await.starts_with("250"));
        assert!(self.ask("DATA").await.starts_with("354"));
        let stuffed: String = mail
            .lines()
            .map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") })
            .collect();
        self.write(format!("{stuffed}.\r\n").as_bytes()).await;
        self.hear().await
    }
}

const TEXT: &str = "From: ada@example.org\r\nSubject: x\r\n\r\nNothing in it\r\n";

#[tokio::test]
async fn it_speaks_lmtp_and_nothing_else() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let stream = TcpStream::connect(door.address.unwrap()).await.unwrap();
    let mut client = Client(BufReader::new(stream));
    client.hear().await;
    for (command, reply) in [
        ("MAIL FROM:<a@b.example>", "503"),
        ("EHLO test.example", "500"),
        ("HELO test.example", "500"),
        ("GET / HTTP/1.1", "500"),
        ("NOOP\0", "500"),
        ("LHLO test.example", "250"),
        ("RCPT TO:<help@recover.example.org>", "503"),
        ("DATA", "503"),
        ("MAIL FROM:<a@b.example> SIZE=100000000", "552"),
        ("MAIL FROM:<a@b.example> SIZE=1000", "250"),
        ("MAIL FROM:<a@b.example>", "503"),
        ("DATA", "503"),
        ("RCPT TO:<somebody@recover.example.org>", "550"),
        ("RCPT TO:<help@other.example>", "550"),
        ("RCPT TO:<\"help\"@recover.example.org>", "550"),
        ("DATA", "503"),
        ("RCPT TO:<HELP@Recover.Example.ORG>", "250"),
        ("RSET", "250"),
        ("DATA", "503"),
        ("VRFY help", "252"),
        ("QUIT", "221"),
        ("NOOP", ""),
    ] {
        let answer = client.ask(command).await;
        assert!(answer.starts_with(reply) && answer.is_empty() == reply.is_empty(), "{command}: {answer}");
    }
    let mut client = Client::connect(&door).await;
    let offered = client.ask("LHLO test.example").await;
    for extension in ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", &format!("SIZE {MOST_MAIL}")] {
        assert!(offered.lines().any(|line| line[4..] == *extension), "{extension} in {offered}");
    }
    door.close().await;
}

#[tokio::test]
async fn a_whole_dialogue_in_one_piece_or_byte_by_byte() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let one = |n: u8| {
        format!(
            "MAIL FROM:<ada{n}@example.org>\r\nRCPT TO:<{US}>\r\nRCPT TO:<{US}>\r\nRCPT TO:<x@y.example>\r\nDATA\r\n{TEXT}.\r\n"
        )
    };
    let replies = ["250 2.1.0", "250 2.1.5", "250 2.1.5", "550 5.1.1", "354", "250 2.0.0", "250 2.0.0"];
    let mut client = Client::connect(&door).await;
    client.write((one(1) + &one(2) + "QUIT\r\n").as_bytes()).await;
    for reply in replies.iter().chain(&replies).chain(&["221"]) {
        let answer = client.hear().await;
        assert!(answer.starts_with(reply), "{reply}: {answer}");
    }
    let mut client = Client::connect(&door).await;
    for byte in one(3).as_bytes() {
        client.write(&[*byte]).await;
    }
    for reply in replies {
        assert!(client.hear().await.starts_with(reply));
    }
    door.close().await;
}

#[tokio::test]
async fn a_mail_in_a_mail_is_not_let_in() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    for end in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n.\r"] {
        let mut client = Client::connect(&door).await;
        let smuggled = format!("{TEXT}{end}MAIL FROM:<eve@evil.example>\r\nRCPT TO:<{US}>\r\nDATA\r\n{TEXT}");
        assert!(client.deliver("ada@example.org", "x").await.starts_with("250"));
        client
            .write(
                format!("MAIL FROM:<ada@example.org>\r\nRCPT TO:<{US}>\r\nDATA\r\n{smuggled}\r\n.\r\nNOOP\r\nQUIT\r\n")
                    .as_bytes(),
            )
            .await;
        let mut replies = Vec::new();
        while let Some(reply) = Some(client.hear().await).filter(|reply| !reply.is_empty()) {
            replies.push(reply);
        }
        let codes: Vec<&str> = replies.iter().map(|reply| &reply[..3]).collect();
        assert_eq!(codes, ["250", "250", "354", "250", "250", "221"], "{end:?}");
    }
    door.close().await;
}

#[tokio::test]
async fn long_lines_many_recipients_and_mistakes_are_bounded() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let mut client = Client::connect(&door).await;
    for long in [3_000, 1_000_000] {
        assert!(client.ask(&format!("NOOP {}", "a".repeat(long))).await.starts_with("501"));
    }
    assert!(client.ask("NOOP").await.starts_with("250"), "the rest of the line is no command");
    client.ask("MAIL FROM:<ada@example.org>").await;
    for n in 0..150 {
        let expected = if n < 100 { "250" } else { "452" };
        assert!(client.ask(&format!("RCPT TO:<{US}>")).await.starts_with(expected), "{n}");
    }
    client.ask("DATA").await;
    // Lines of a mail may be as long as they like, and hold anything.
    client.write(format!("{TEXT}{}\0\u{fffd}\r\n.\r\nNOOP\r\n", "a".repeat(100_000)).as_bytes()).await;
    for _ in 0..100 {
        assert_eq!(client.hear().await, "250 2.0.0 Taken");
    }
    assert_eq!(client.hear().await, "250 2.0.0 OK");

    let mut client = Client::connect(&door).await;
    for n in 1..=50 {
        assert!(client.ask("NONSENSE").await.starts_with("500"), "{n}");
    }
    assert!(client.hear().await.starts_with("421"));
    assert_eq!(client.hear().await, "");
    door.close().await;
}

#[tokio::test]
async fn a_mail_of_100_megabytes_is_refused_and_the_next_one_taken() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let mut client = Client::connect(&door).await;
    client.ask("MAIL FROM:<ada@example.org>").await;
    client.ask(&format!("RCPT TO:<{US}>")).await;
    client.ask("DATA").await;
    let piece = "a".repeat(998) + "\r\n";
    let piece = piece.repeat(1_000);
    for _ in 0..100 {
        client.write(piece.as_bytes()).await;
    }
    client.write(b".\r\n").await;
    assert!(client.hear().await.starts_with("552 5.3.4"));
    assert!(client.deliver("ada@example.org", TEXT).await.starts_with("250"));
    // One that never ends is cut off.
    client.ask("MAIL FROM:<ada@example.org>").await;
    client.ask(&format!("RCPT TO:<{US}>")).await;
    client.ask("DATA").await;
    let mut sent = 0;
    while sent < 200 && client.0.get_mut().write_all(piece.as_bytes()).await.is_ok() {
        sent += 1;
    }
    assert!((120..200).contains(&sent), "{sent} megabytes");
    door.close().await;
}

#[tokio::test]
async fn who_goes_away_halfway_leaves_nothing_and_places_come_back() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = Client::connect(&door).await;
        client.write(format!("MAIL FROM:<a@b.example>\r\nRCPT TO:<{US}>\r\nDATA\r\n{TEXT}").as_bytes()).await;
        for _ in 0..3 {
            client.hear().await;
        }
        clients.push(client);
    }
    let stream = TcpStream::connect(door.address.unwrap()).await.unwrap();
    assert!(Client(BufReader::new(stream)).hear().await.starts_with("421"), "all places are taken");
    drop(clients);
    let deadline = Instant::now() + LONG;
    loop {
        let stream = TcpStream::connect(door.address.unwrap()).await.unwrap();
        if Client(BufReader::new(stream)).hear().await.starts_with("220") {
            break;
        }
        assert!(Instant::now() < deadline);
    }
    assert!(stand.all_mails().await.is_empty(), "half a mail is none");
    door.close().await;
}

#[tokio::test]
async fn a_socket_in_a_folder_serves_as_well() {
    let stand = Stand::new().await;
    let path = stand.dir().join("lmtp");
    let url = format!("lmtp:{}", path.display());
    let reader = || PhotoReader::new(decoder(), vec![], 1);
    // What a service left there that did not end well.
    drop(UnixListener::bind(&path).unwrap());
    let door = stand.door_with(&url, reader()).await.unwrap();
    let stream = UnixStream::connect(&path).await.unwrap();
    let mut client = Client(BufReader::new(stream));
    client.hear().await;
    client.ask("LHLO test.example").await;
    assert!(client.deliver("ada@example.org", TEXT).await.starts_with("250"));
    // One that is served is not taken away, and a file is never removed.
    assert!(matches!(stand.door_with(&url, reader()).await, Err(MailInError::Listen(..))));
    door.close().await;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(stand.door_with(&url, reader()).await, Err(MailInError::Listen(..))));
    assert!(Path::new(&path).exists());
}

#[tokio::test]
async fn a_service_that_ends_tells_its_clients() {
    let stand = Stand::new().await;
    let door = stand.door().await;
    let (mut idle, mut halfway) = (Client::connect(&door).await, Client::connect(&door).await);
    halfway.write(format!("MAIL FROM:<a@b.example>\r\nRCPT TO:<{US}>\r\nDATA\r\n{TEXT}").as_bytes()).await;
    for _ in 0..3 {
        halfway.hear().await;
    }
    door.close().await;
    for client in [&mut idle, &mut halfway] {
        assert!(client.hear().await.starts_with("421"));
    }
}
