//! A mail server that does as it is told: for what no real one does on demand.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What happens to one mail after its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is taken over.
    Accept,
    /// It is taken over, but the connection is cut before the answer.
    AcceptAndCut,
}

/// A server on a loopback port. It lives as long as the test.
pub struct ScriptedServer {
    port: u16,
    mails: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl ScriptedServer {
    /// The first mails meet these fates; all others are accepted.
    pub fn start(fates: &[Fate]) -> Self {
        Self::start_at(0, fates)
    }

    /// The same on a port of one's choice.
    pub fn start_at(port: u16, fates: &[Fate]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (taken, fates) = (Arc::clone(&mails), fates.to_vec());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (taken, fates) = (Arc::clone(&taken), fates.clone());
                // A client that goes away ends its dialogue, nothing else.
                thread::spawn(move || stream.and_then(|stream| talk(stream, &fates, &taken)));
            }
        });
        Self { port, mails }
    }

    /// What `service run --mail` takes.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?starttls=never", self.port)
    }

    /// The mails it took over.
    pub fn mails(&self) -> Vec<Vec<u8>> {
        self.mails.lock().unwrap().clone()
    }
}

fn talk(stream: TcpStream, fates: &[Fate], taken: &Mutex<Vec<Vec<u8>>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes());
    say("220 scripted.example ESMTP")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => say("250-scripted.example\r\n250-SMTPUTF8\r\n250 8BITMIME")?,
            "QUIT" => return say("221 Bye"),
            "DATA" => {
                say("354 Go on")?;
                let mail = data(&mut lines)?;
                let mut taken = taken.lock().unwrap();
                let fate = fates.get(taken.len()).copied().unwrap_or(Fate::Accept);
                taken.push(mail);
                drop(taken);
                if fate == Fate::AcceptAndCut {
                    return Ok(());
                }
                say("250 Taken")?;
            }
            _ => say("250 Fine")?,
        }
    }
}

/// Up to the line with one dot (RFC 5321 section 4.1.1.4).
fn data(lines: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut mail = Vec::new();
    loop {
        let begin = mail.len();
        if lines.read_until(b'\n', &mut mail)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if mail[begin..] == *b".\r\n" {
            mail.truncate(begin);
            return Ok(mail);
        }
    }
}
