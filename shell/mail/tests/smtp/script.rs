//! A mail server on loopback that follows a script, one script a connection.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer},
};

/// What the server does at a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Answers this.
    Say(&'static str),
    /// Closes the connection.
    Cut,
    /// Answers nothing, and keeps the connection open.
    Silence,
}

/// What one connection meets. Steps are the commands' verbs, `connect` and `content`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    acts: Vec<(&'static str, Act)>,
    offers: Vec<&'static str>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn on(mut self, step: &'static str, act: Act) -> Self {
        self.acts.push((step, act));
        self
    }

    pub(crate) fn offering(mut self, extensions: &[&'static str]) -> Self {
        self.offers.extend(extensions);
        self
    }

    pub(crate) fn starttls(self) -> Self {
        self.offering(&["STARTTLS"])
    }

    fn act(&self, step: &str) -> Act {
        let default = match step {
            "connect" => "220 script ready",
            "STARTTLS" => "220 go ahead",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        self.acts.iter().find(|(at, _)| *at == step).map_or(Act::Say(default), |(_, act)| *act)
    }
}

#[derive(Default)]
struct Seen {
    connections: usize,
    commands: Vec<(bool, String)>,
    messages: Vec<Vec<u8>>,
}

/// Stops when dropped.
pub(crate) struct Server {
    port: u16,
    folder: TempDir,
    seen: Arc<Mutex<Seen>>,
    step: watch::Receiver<String>,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves as many connections as there are scripts, one after the other.
    pub(crate) async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("has an address").port();
        let folder = tempfile::tempdir().expect("makes a folder");
        let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("signs itself");
        std::fs::write(folder.path().join("ca.pem"), key.cert.pem()).expect("writes");
        let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private.into())
            .expect("fits together");
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (reached, step) = watch::channel(String::new());
        let task = tokio::spawn({
            let seen = seen.clone();
            async move {
                // Connections that a script leaves silent stay open beside the next.
                let mut open = tokio::task::JoinSet::new();
                for script in scripts {
                    let (stream, _) = listener.accept().await.expect("accepts");
                    seen.lock().expect("is not poisoned").connections += 1;
                    let connection =
                        Connection { script, seen: seen.clone(), reached: reached.clone(), encrypted: false };
                    open.spawn(connection.serve(stream, acceptor.clone()));
                }
                open.join_all().await;
                std::future::pending::<()>().await;
            }
        })
        .abort_handle();
        Self { port, folder, seen, step, task }
    }

    /// `CA` in the options stands for this server's own certificate.
    pub(crate) fn url(&self, options: &str) -> String {
        format!("smtp://127.0.0.1:{}{}", self.port, options.replace("CA", &self.ca()))
    }

    pub(crate) fn url_with_login(&self, options: &str) -> String {
        self.url(options).replace("://", "://user:hunter2@")
    }

    pub(crate) fn ca(&self) -> String {
        let path: PathBuf = self.folder.path().join("ca.pem");
        path.to_str().expect("is UTF-8").to_owned()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().expect("is not poisoned").connections
    }

    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        self.seen.lock().expect("is not poisoned").messages.clone()
    }

    pub(crate) fn commands_of(&self, verb: &str) -> Vec<String> {
        let seen = self.seen.lock().expect("is not poisoned");
        seen.commands.iter().filter(|(_, line)| line.starts_with(verb)).map(|(_, line)| line.clone()).collect()
    }

    /// Also that there was some, and that no password came before.
    pub(crate) fn all_mail_was_encrypted(&self) -> bool {
        let seen = self.seen.lock().expect("is not poisoned");
        let mut private = seen.commands.iter().filter(|(_, line)| !line.starts_with("EHLO") && line != "STARTTLS");
        !seen.messages.is_empty() && private.all(|(encrypted, _)| *encrypted)
    }

    pub(crate) async fn reached(&self, step: &str) {
        self.step.clone().wait_for(|at| at == step).await.expect("the server lives");
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Connection {
    script: Script,
    seen: Arc<Mutex<Seen>>,
    reached: watch::Sender<String>,
    encrypted: bool,
}

impl Connection {
    async fn serve(mut self, stream: TcpStream, acceptor: TlsAcceptor) {
        let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
        if self.act("connect", &mut stream).await.is_none() {
            return;
        }
        while let Some(line) = read_line(&mut stream).await {
            let line = String::from_utf8(line).expect("is UTF-8").trim_end().to_owned();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_owned();
            self.seen.lock().expect("is not poisoned").commands.push((self.encrypted, line));
            let said = match verb.as_str() {
                "EHLO" => self.ehlo(&mut stream).await,
                verb => self.act(verb, &mut stream).await,
            };
            match (verb.as_str(), said) {
                (_, None) | ("QUIT", _) => return,
                ("STARTTLS", Some(said)) if said.starts_with("220") => {
                    let Ok(encrypted) = acceptor.accept(stream.into_inner()).await else { return };
                    stream = BufReader::new(Box::new(encrypted));
                    self.encrypted = true;
                }
                ("DATA", Some(said)) if said.starts_with("354") => {
                    let Some(message) = read_message(&mut stream).await else { return };
                    self.seen.lock().expect("is not poisoned").messages.push(message);
                    if self.act("content", &mut stream).await.is_none() {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    async fn ehlo(&mut self, stream: &mut BufReader<Box<dyn Stream>>) -> Option<&'static str> {
        let said = self.act_silently("EHLO").await?;
        if said == "250 ok" {
            let mut lines = String::from("250-script\r\n");
            for offer in self.script.offers.iter().filter(|offer| !self.encrypted || **offer != "STARTTLS") {
                lines.push_str(&format!("250-{offer}\r\n"));
            }
            lines.push_str("250 AUTH PLAIN\r\n");
            stream.write_all(lines.as_bytes()).await.ok()?;
        } else {
            stream.write_all(format!("{said}\r\n").as_bytes()).await.ok()?;
        }
        stream.flush().await.ok()?;
        Some(said)
    }

    /// `None` if the connection is to end.
    async fn act(&mut self, step: &str, stream: &mut BufReader<Box<dyn Stream>>) -> Option<&'static str> {
        let said = self.act_silently(step).await?;
        stream.write_all(format!("{said}\r\n").as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        Some(said)
    }

    async fn act_silently(&mut self, step: &str) -> Option<&'static str> {
        self.reached.send_replace(step.to_owned());
        match self.script.act(step) {
            Act::Say(words) => Some(words),
            Act::Cut => None,
            Act::Silence => std::future::pending().await,
        }
    }
}

async fn read_line(stream: &mut BufReader<Box<dyn Stream>>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.ok().filter(|read| *read > 0)?;
    Some(line)
}

/// Up to the line with a dot alone, other leading dots taken off (RFC 5321 section 4.5.2).
async fn read_message(stream: &mut BufReader<Box<dyn Stream>>) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let line = read_line(stream).await?;
        if line == b".\r\n" {
            return Some(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
