//! Letters through a real mail server: Postfix, with STARTTLS, into a maildir.
//!
//! Needs Postfix and root (a Postfix master cannot run as anybody else); says so and passes where they are missing.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use mail_parser::MessageParser;
use sparekey_mail::{Accepted, Address, CodeLetter, Letter, Letterhead, Purpose, SendError, Transport};

/// Stopped when dropped.
struct Postfix {
    folder: tempfile::TempDir,
    port: u16,
}

impl Postfix {
    fn start() -> Option<Self> {
        let is_there = ["/usr/sbin/postfix", "/sbin/postfix"].iter().any(|path| Path::new(path).exists());
        let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if !is_there || !is_root {
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").expect("listens");
        let port = free.local_addr().expect("has an address").port();
        drop(free);
        let postfix = Self { folder: tempfile::tempdir().expect("makes a folder"), port };
        assert!(postfix.script("start"), "Postfix starts");
        Some(postfix)
    }

    fn script(&self, verb: &str) -> bool {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/postfix.sh");
        let status = Command::new(script).arg(self.folder.path()).arg(self.port.to_string()).arg(verb).status();
        status.expect("runs").success()
    }

    fn transport(&self) -> Transport {
        let ca = self.folder.path().join("ca.pem");
        let url = format!("smtp://127.0.0.1:{}?starttls=required&ca={}", self.port, ca.display());
        Transport::from_url(&url).expect("is a way out")
    }

    /// The mails in the mailbox, once there are as many.
    async fn mails(&self, count: usize) -> Vec<Vec<u8>> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let new = fs::read_dir(self.folder.path().join("mail/new"));
            let paths: Vec<PathBuf> =
                new.into_iter().flatten().map(|file| file.expect("can be listed").path()).collect();
            if paths.len() >= count {
                return paths.iter().map(|path| fs::read(path).expect("can be read")).collect();
            }
            let log = fs::read_to_string(self.folder.path().join("postfix.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{} of {count} mails came\n{log}", paths.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.script("stop");
    }
}

fn letter(to: &str, language: &str) -> Letter {
    let address = |text| Address::parse(text).expect("is an address");
    let letter = CodeLetter {
        purpose: Purpose::Reset,
        to: &address(to),
        code: "12345678",
        serial: "NVR-4F2A99C0",
        model: "DS-7608",
        firmware: None,
        device_time: 1_783_087_500,
        start_time: 1_783_000_000,
        received_at: 1_783_087_500,
        date: 1_783_087_500,
        language,
        message_id: "<q7J3.1@sparekey.example>",
    };
    Letterhead::new("Sparekey", address("codes@sparekey.example")).compose(&letter).expect("composes")
}

#[tokio::test]
async fn a_real_mail_server_delivers_and_refuses() {
    let Some(postfix) = Postfix::start() else { return };
    let transport = postfix.transport();
    let send = async |letter: &Letter| transport.send(letter.envelope(), letter.bytes()).await;

    // Languages and addresses that differ in every way that matters to a server.
    let delivered = [("owner@example.org", "de"), ("owner@bücher.example", "es"), ("董事长@例子.测试", "zh")];
    for (to, language) in delivered {
        let sent = send(&letter(to, language)).await;
        assert!(matches!(sent, Ok(Accepted::ByServer { .. })), "{to}: {sent:?}");
    }
    let refused = send(&letter("nobody@refused.example", "en")).await;
    let text = "5.1.1 <n••••@r••••.example>: Recipient address rejected: No such mailbox here".to_owned();
    assert_eq!(refused, Err(SendError::Refused { code: 550, text }));
    let later = send(&letter("later@refused.example", "en")).await;
    assert!(matches!(later, Err(SendError::Later { .. })), "{later:?}");

    let mails = postfix.mails(delivered.len()).await;
    assert_eq!(mails.len(), delivered.len());
    for mail in &mails {
        let message = MessageParser::default().parse(mail).expect("parses");
        assert!(message.body_text(0).expect("has text").contains("1234 5678"));
        assert!(message.body_html(0).expect("has HTML").contains("<span>5678</span>"));
        assert_eq!(message.message_id(), Some("q7J3.1@sparekey.example"));
        let received = message.header_raw("Received").expect("was received");
        assert!(received.contains("using TLSv1.3"), "{received}");
    }
}
