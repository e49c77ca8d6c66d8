//! What owners read: a maildir.

use std::{fs, path::PathBuf, time::Duration};

use mail_parser::{HeaderValue, MessageParser};

use crate::wait::until;

/// A maildir, there already or not yet.
#[derive(Clone, Debug)]
pub struct Mailbox(PathBuf);

/// One mail in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The bytes as they were delivered.
    pub raw: Vec<u8>,
    /// The address it is to.
    pub to: String,
    /// Its subject, decoded.
    pub subject: String,
    /// Its plain text, decoded.
    pub text: String,
    /// Its HTML, decoded.
    pub html: String,
    /// Its Message-ID.
    pub id: String,
    /// Its Received headers, which tell how it came.
    pub received: String,
}

impl Mailbox {
    /// The maildir of this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// All mails, the oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        let Ok(files) = fs::read_dir(self.0.join("new")) else { return Vec::new() };
        let mut files: Vec<_> = files
            .map(|file| {
                let file = file.unwrap();
                (file.metadata().unwrap().modified().unwrap(), file.path())
            })
            .collect();
        files.sort();
        files.iter().map(|(_, path)| Mail::read(fs::read(path).unwrap())).collect()
    }

    /// The mails, once there are as many.
    pub fn wait(&self, count: usize) -> Vec<Mail> {
        self.wait_for(count, Duration::from_secs(30))
    }

    /// The mails, once there are as many, within a time.
    pub fn wait_for(&self, count: usize, longest: Duration) -> Vec<Mail> {
        until(&format!("{count} mails"), longest, || Some(self.mails()).filter(|mails| mails.len() >= count))
    }
}

impl Mail {
    /// Understands a mail.
    pub fn read(raw: Vec<u8>) -> Self {
        let mail = MessageParser::default().parse(&raw).expect("a mail");
        let text = |text: Option<_>| text.map(|text: std::borrow::Cow<'_, str>| text.into_owned()).unwrap_or_default();
        let to =
            mail.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("a mail is to somebody").to_owned();
        let received = mail.header_values("Received").map(|value| match value {
            HeaderValue::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        });
        Self {
            to,
            subject: mail.subject().unwrap_or_default().to_owned(),
            text: text(mail.body_text(0)),
            html: text(mail.body_html(0)),
            id: mail.message_id().unwrap_or_default().to_owned(),
            received: received.collect::<Vec<_>>().join("\n"),
            raw: raw.clone(),
        }
    }

    /// The code: a line of its own, eight digits in two groups.
    pub fn code(&self) -> String {
        let code = self
            .text
            .lines()
            .map(|line| line.replace(' ', ""))
            .find(|line| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit()));
        code.unwrap_or_else(|| panic!("a code in {}", self.text))
    }
}
