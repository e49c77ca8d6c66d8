//! A dialogue with one client: commands, the mail, one answer for each recipient.

use std::{io, time::Duration};

use axum::body::Bytes;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    command::{BadCommand, Command},
    data::Data,
};
use crate::mail_in::{
    MOST_MAIL,
    intake::{Intake, Verdict, Writer},
};

/// The longest command, with its end. RFC 5321 section 4.5.3.1.4 asks for 512, and more for its extensions.
const LONGEST_LINE: usize = 2_048;
/// The most recipients of one mail (RFC 5321 section 4.5.3.1.8).
const MOST_RECIPIENTS: usize = 100;
/// So much of a mail that is too large is read, so that the client hears why it is refused; then it is cut off.
const MOST_DISCARDED: u64 = 128 * 1024 * 1024;
/// So many commands that are none, or recipients that are nobody.
const MOST_MISTAKES: u32 = 50;
/// So many commands of one connection; a mail takes a handful.
const MOST_COMMANDS: u32 = 10_000;
/// How long a client may take for a command, and between two pieces of a mail.
const STALL: Duration = Duration::from_secs(60);
/// How long a mail may take to come.
const LONGEST_DATA: Duration = Duration::from_secs(10 * 60);

const HELLO: &str = "220 Sparekey LMTP";
const GOODBYE: &str = "221 2.0.0 Goodbye";
const OUT_OF_ORDER: &str = "503 5.5.1 Commands out of order";
pub(super) const BUSY: &str = "421 4.3.2 Busy: come again later";
const STOPPING: &str = "421 4.3.2 Stopping";

/// A mail that is on its way in.
#[derive(Default)]
struct Envelope {
    sender: Option<String>,
    recipients: usize,
}

pub(super) struct Dialogue<'a, S> {
    stream: BufReader<S>,
    intake: &'a Intake,
    mistakes: u32,
    greeted: bool,
    envelope: Envelope,
}

/// Whether the dialogue goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Dialogue<'a, S> {
    pub(super) fn new(stream: S, intake: &'a Intake) -> Self {
        Self {
            stream: BufReader::with_capacity(16 * 1024, stream),
            intake,
            mistakes: 0,
            greeted: false,
            envelope: Envelope::default(),
        }
    }

    /// Talks until the client or the service has enough. A mail that has come is dealt with to its end.
    ///
    /// # Errors
    /// The connection's, slowness included. What was not answered with 250 is the client's to send again.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> io::Result<()> {
        self.say(HELLO).await?;
        for _ in 0..MOST_COMMANDS {
            let line = tokio::select! {
                line = timeout(STALL, read_line(&mut self.stream)) => line.map_err(|_| io::ErrorKind::TimedOut)??,
                () = stop.cancelled() => return self.say(STOPPING).await,
            };
            let command = match line {
                Line::Whole(line) => Command::parse(&line),
                Line::TooLong => Err(BadCommand::Syntax),
                Line::Gone => return Ok(()),
            };
            let next = match command {
                Ok(command) => self.obey(command, stop).await?,
                Err(bad) => self.mistake(bad.reply()).await?,
            };
            if next == Next::End {
                return Ok(());
            }
        }
        self.say(BUSY).await
    }

    async fn obey(&mut self, command: Command, stop: &CancellationToken) -> io::Result<Next> {
        match command {
            Command::Lhlo => {
                self.greeted = true;
                self.envelope = Envelope::default();
                let size = format!("250 SIZE {MOST_MAIL}");
                let lines = [
                    "250-Sparekey",
                    "250-PIPELINING",
                    "250-ENHANCEDSTATUSCODES",
                    "250-8BITMIME",
                    "250-SMTPUTF8",
                    &size,
                ];
                self.say(&lines.join("\r\n")).await?;
            }
            Command::Mail { .. } if !self.greeted || self.envelope.sender.is_some() => {
                return self.mistake(OUT_OF_ORDER).await;
            }
            Command::Mail { size: Some(size), .. } if size > MOST_MAIL as u64 => {
                self.say("552 5.3.4 The mail is too large").await?;
            }
            Command::Mail { sender, .. } => {
                self.envelope.sender = Some(sender);
                self.say("250 2.1.0 OK").await?;
            }
            Command::Rcpt { .. } if self.envelope.sender.is_none() => return self.mistake(OUT_OF_ORDER).await,
            Command::Rcpt { recipient } if !self.intake.is_for_us(&recipient) => {
                return self.mistake("550 5.1.1 No such mailbox here").await;
            }
            Command::Rcpt { .. } if self.envelope.recipients == MOST_RECIPIENTS => {
                self.say("452 4.5.3 Too many recipients").await?;
            }
            Command::Rcpt { .. } => {
                self.envelope.recipients += 1;
                self.say("250 2.1.5 OK").await?;
            }
            // RFC 2033 section 4.2: without a recipient there is no mail.
            Command::Data if self.envelope.recipients == 0 => return self.mistake(OUT_OF_ORDER).await,
            Command::Data => return self.mail(stop).await,
            Command::Rset => {
                self.envelope = Envelope::default();
                self.say("250 2.0.0 OK").await?;
            }
            Command::Noop => self.say("250 2.0.0 OK").await?,
            Command::Vrfy => self.say("252 2.1.5 Send a mail and see").await?,
            Command::Quit => {
                self.say(GOODBYE).await?;
                return Ok(Next::End);
            }
        }
        Ok(Next::GoOn)
    }

    /// Reads a mail, has it dealt with, and answers once for each recipient: all of them are this service.
    async fn mail(&mut self, stop: &CancellationToken) -> io::Result<Next> {
        self.say("354 End with a line of one dot").await?;
        let mut data = Data::new(MOST_MAIL);
        let deadline = Instant::now() + LONGEST_DATA;
        while !data.is_whole() {
            let stalled = deadline.min(Instant::now() + STALL);
            let bytes = tokio::select! {
                bytes = timeout_at(stalled, self.stream.fill_buf()) => bytes.map_err(|_| io::ErrorKind::TimedOut)??,
                () = stop.cancelled() => {
                    self.say(STOPPING).await?;
                    return Ok(Next::End);
                }
            };
            let taken = data.take(bytes);
            self.stream.consume(taken);
            if taken == 0 || data.received() > MOST_DISCARDED {
                return Ok(Next::End);
            }
        }
        let Envelope { sender, recipients } = std::mem::take(&mut self.envelope);
        let writer = Writer::of_envelope(&sender.unwrap_or_default());
        let reply = match data.into_mail() {
            None => "552 5.3.4 The mail is too large",
            Some(mail) => match self.intake.take(writer, Bytes::from(mail)).await {
                Verdict::Done => "250 2.0.0 Taken",
                Verdict::Circles => "554 5.4.6 The mail goes in a circle",
                Verdict::Later => "451 4.3.0 Not now: send it again later",
            },
        };
        self.say(&vec![reply; recipients].join("\r\n")).await?;
        Ok(Next::GoOn)
    }

    async fn mistake(&mut self, reply: &str) -> io::Result<Next> {
        self.mistakes += 1;
        self.say(reply).await?;
        if self.mistakes < MOST_MISTAKES {
            return Ok(Next::GoOn);
        }
        self.say("421 4.7.0 Too many mistakes").await?;
        Ok(Next::End)
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        say(self.stream.get_mut(), reply).await
    }
}

/// Says something to a client that may not listen.
pub(super) async fn say(stream: &mut (impl AsyncWrite + Unpin), reply: &str) -> io::Result<()> {
    let said = timeout(STALL, async {
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        stream.flush().await
    });
    said.await.map_err(|_| io::ErrorKind::TimedOut)?
}

enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    /// It was read to its end all the same.
    TooLong,
    /// The client is gone.
    Gone,
}

async fn read_line(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Line> {
    let (mut line, mut length) = (Vec::new(), 0_u64);
    loop {
        let bytes = stream.fill_buf().await?;
        if bytes.is_empty() {
            return Ok(Line::Gone);
        }
        let end = memchr::memchr(b'\n', bytes).map(|at| at + 1);
        let piece = &bytes[..end.unwrap_or(bytes.len())];
        let taken = piece.len();
        length += taken as u64;
        if length <= LONGEST_LINE as u64 {
            line.extend_from_slice(piece);
        }
        stream.consume(taken);
        if length > MOST_DISCARDED {
            return Ok(Line::Gone);
        }
        if end.is_some() {
            if length > LONGEST_LINE as u64 {
                return Ok(Line::TooLong);
            }
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(Line::Whole(line));
        }
    }
}
