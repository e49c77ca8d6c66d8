//! A mailbox that is looked into now and then (IMAP4rev1, RFC 3501, with TLS from the first byte, RFC 8314).
//!
//! What is not marked as seen is fetched, dealt with, and then marked. If this process dies in between, the mail is fetched once
//! more and known by its hash. The mailbox is to be the service's own: who reads a mail there first takes it away from it.

use std::{
    cmp,
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use async_imap::{Client, Session};
use axum::body::Bytes;
use futures_util::TryStreamExt;
use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, time};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;
use url::Url;
use zeroize::Zeroizing;

use super::{
    BadSource, MOST_MAIL, MailInError,
    intake::{Intake, Verdict, Writer},
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(20);
/// The longest time between two looks, after many that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);
/// To reach the server, and for each answer of its that is short.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// For a mail to come.
const LONGEST_FETCH: Duration = Duration::from_secs(5 * 60);
/// The most mails of one look.
const MOST_MAILS: usize = 50;
/// So often a mail that cannot be fetched is tried before it is passed over, until this process ends.
const MOST_TRIES: u32 = 3;
/// The most bytes of a file with a password.
const LONGEST_PASSWORD: u64 = 4 * 1024;

/// Which mailbox.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    host: String,
    port: u16,
    user: String,
    folder: String,
    /// Trusted in place of the system's certificate authorities.
    ca: Option<PathBuf>,
}

impl Mailbox {
    pub(super) fn from_url(url: &str) -> Result<Self, BadSource> {
        let url = Url::parse(url).map_err(|_| BadSource::Url("it is not a URL"))?;
        if url.scheme() != "imaps" {
            return Err(BadSource::Url("it begins with none of these"));
        }
        if url.password().is_some() {
            return Err(BadSource::PasswordInUrl);
        }
        if url.fragment().is_some() {
            return Err(BadSource::Url("nothing may follow the folder but ?ca=FILE"));
        }
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().map_err(|_| BadSource::Url("it is not UTF-8"))?;
            if text.chars().any(char::is_control) {
                Err(BadSource::Url("it has control characters"))
            } else {
                Ok(text.into_owned())
            }
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadSource::Url("the host is missing"))?;
        let user = decoded(url.username())?;
        if user.is_empty() {
            return Err(BadSource::Url("the user is missing"));
        }
        let folder = decoded(url.path().trim_start_matches('/'))?;
        let mut ca = None;
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("ca", file) if !file.is_empty() => ca = Some(file.into()),
                _ => return Err(BadSource::Url("the only option is ca=FILE")),
            }
        }
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(993),
            user,
            folder: if folder.is_empty() { "INBOX".to_owned() } else { folder },
            ca,
        })
    }
}

/// Names the mailbox, without its user.
impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, folder, .. } = self;
        if host.contains(':') {
            write!(f, "imaps://[{host}]:{port}/{folder}")
        } else {
            write!(f, "imaps://{host}:{port}/{folder}")
        }
    }
}

/// The mailbox's password. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BadPassword {
    /// The file.
    #[error("the password file {} cannot be read: {}\nCheck its name, and who may read it.", .0.display(), .1)]
    File(PathBuf, #[source] io::Error),
    /// Empty, longer than 4 KiB, or of more than one line.
    #[error("this is no password\nGive a text of one line.")]
    Text,
}

impl Password {
    /// Takes a password.
    ///
    /// # Errors
    /// [`BadPassword::Text`].
    pub fn new(text: &str) -> Result<Self, BadPassword> {
        let is_right = !text.is_empty() && text.len() as u64 <= LONGEST_PASSWORD && !text.chars().any(char::is_control);
        if is_right { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(BadPassword::Text) }
    }

    /// Reads the one line of a file.
    ///
    /// # Errors
    /// [`BadPassword`].
    pub fn from_file(path: &Path) -> Result<Self, BadPassword> {
        let failed = |error| BadPassword::File(path.to_owned(), error);
        if fs::metadata(path).map_err(failed)?.len() > LONGEST_PASSWORD {
            return Err(BadPassword::Text);
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        Self::new(text.trim_end_matches(['\r', '\n']))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(secret)")
    }
}

/// The task that looks into the mailbox.
pub(super) struct Poller {
    mailbox: Mailbox,
    password: Password,
    tls: TlsConnector,
    name: ServerName<'static>,
    intake: Arc<Intake>,
    /// Mails that could not be fetched, by the mailbox's validity and their number in it.
    troubled: HashMap<(u32, u32), u32>,
}

/// Why a look failed. What a server says is not repeated: the library quotes mails in its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Trouble {
    #[error("the mail server cannot be reached")]
    Connect,
    #[error("TLS failed: the certificate does not hold, or it is no IMAP server")]
    Tls,
    #[error("the mail server refused user or password")]
    Login,
    #[error("the folder cannot be opened")]
    Folder,
    #[error("the mail server does not answer as it should")]
    Dialogue,
    #[error("the mail server takes too long")]
    Slow,
    #[error("mails cannot be dealt with now")]
    Busy,
}

impl From<time::error::Elapsed> for Trouble {
    fn from(_: time::error::Elapsed) -> Self {
        Self::Slow
    }
}

type Connection = Session<TlsStream<TcpStream>>;

impl Poller {
    pub(super) fn new(mailbox: Mailbox, password: Password, intake: Arc<Intake>) -> Result<Self, MailInError> {
        let tls = client_config(mailbox.ca.as_deref()).map_err(MailInError::Tls)?;
        let name = ServerName::try_from(mailbox.host.clone()).map_err(|error| MailInError::Tls(error.to_string()))?;
        let tls = TlsConnector::from(Arc::new(tls));
        Ok(Self { mailbox, password, tls, name, intake, troubled: HashMap::new() })
    }

    /// Looks until it is stopped; a mail in hand is dealt with to its end.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut failures = 0;
        loop {
            match self.look(&stop).await {
                Ok(()) => failures = 0,
                Err(trouble) => {
                    failures += 1;
                    metrics::counter!("sparekey_mailbox_failures_total").increment(1);
                    // Once, and then now and then.
                    if failures == 1 || failures % 20 == 0 {
                        tracing::warn!(%trouble, mailbox = %self.mailbox, failures, "the mailbox could not be looked into");
                    }
                }
            }
            tokio::select! {
                () = time::sleep(pause(failures)) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Once through what is new.
    async fn look(&mut self, stop: &CancellationToken) -> Result<(), Trouble> {
        let mut session = time::timeout(LONGEST_ANSWER, self.connect()).await??;
        let opened = time::timeout(LONGEST_ANSWER, session.select(&self.mailbox.folder)).await?;
        let validity = opened.map_err(|_| Trouble::Folder)?.uid_validity.unwrap_or(0);
        let found = time::timeout(LONGEST_ANSWER, session.uid_search("UNSEEN UNDELETED")).await?;
        let mut new: Vec<u32> = found.map_err(|_| Trouble::Dialogue)?.into_iter().collect();
        new.sort_unstable();
        new.retain(|uid| self.troubled.get(&(validity, *uid)).is_none_or(|tries| *tries < MOST_TRIES));
        for uid in new.into_iter().take(MOST_MAILS) {
            if stop.is_cancelled() {
                break;
            }
            match self.take(&mut session, uid).await {
                Ok(()) => {}
                Err(trouble @ (Trouble::Dialogue | Trouble::Slow)) => {
                    *self.troubled.entry((validity, uid)).or_default() += 1;
                    return Err(trouble);
                }
                Err(trouble) => return Err(trouble),
            }
        }
        // Whether it hears that or not.
        let _ = time::timeout(LONGEST_ANSWER, session.logout()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, Trouble> {
        let address = (self.mailbox.host.as_str(), self.mailbox.port);
        let stream = TcpStream::connect(address).await.map_err(|_| Trouble::Connect)?;
        let stream = self.tls.connect(self.name.clone(), stream).await.map_err(|_| Trouble::Tls)?;
        let mut client = Client::new(stream);
        client.read_response().await.ok().flatten().ok_or(Trouble::Dialogue)?;
        client.login(&self.mailbox.user, &*self.password.0).await.map_err(|_| Trouble::Login)
    }

    /// Fetches a mail, has it dealt with, and marks it.
    async fn take(&self, session: &mut Connection, uid: u32) -> Result<(), Trouble> {
        let size = time::timeout(LONGEST_ANSWER, fetch(session, uid, "(UID RFC822.SIZE)")).await??;
        let Some(size) = size.and_then(|mail| mail.size) else { return Ok(()) };
        if size as usize > MOST_MAIL {
            tracing::info!("a mail in the mailbox is too large");
            metrics::counter!("sparekey_mails_in_total", "outcome" => "refused").increment(1);
        } else {
            let all = format!("(UID BODY.PEEK[]<0.{MOST_MAIL}>)");
            let mail = time::timeout(LONGEST_FETCH, fetch(session, uid, &all)).await??;
            let Some(body) = mail.as_ref().and_then(|mail| mail.body()) else { return Err(Trouble::Dialogue) };
            match self.intake.take(Writer::AsWritten, Bytes::copy_from_slice(body)).await {
                Verdict::Done | Verdict::Circles => {}
                Verdict::Later => return Err(Trouble::Busy),
            }
        }
        time::timeout(LONGEST_ANSWER, mark(session, uid)).await?
    }
}

/// What the server says of this mail; `None` if somebody removed it meanwhile.
async fn fetch(session: &mut Connection, uid: u32, what: &str) -> Result<Option<async_imap::types::Fetch>, Trouble> {
    let answers = session.uid_fetch(uid.to_string(), what).await.map_err(|_| Trouble::Dialogue)?;
    let mut answers = pin!(answers);
    let mut found = None;
    // To its end, so that the next command is not answered by the rest of this one.
    while let Some(answer) = answers.try_next().await.map_err(|_| Trouble::Dialogue)? {
        if answer.uid == Some(uid) {
            found = found.or(Some(answer));
        }
    }
    Ok(found)
}

async fn mark(session: &mut Connection, uid: u32) -> Result<(), Trouble> {
    let answers = session.uid_store(uid.to_string(), "+FLAGS.SILENT (\\Seen)").await.map_err(|_| Trouble::Dialogue)?;
    let mut answers = pin!(answers);
    while answers.try_next().await.map_err(|_| Trouble::Dialogue)?.is_some() {}
    Ok(())
}

/// How long until the next look, after so many in a row that failed.
fn pause(failures: u32) -> Duration {
    cmp::min(LOOK.saturating_mul(1 << failures.min(10)), LONGEST_PAUSE)
}

fn client_config(ca: Option<&Path>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let Some(file) = ca else {
        let verifier = rustls_platform_verifier::Verifier::new(provider).map_err(|error| error.to_string())?;
        // The system's own certificate authorities: rustls calls any verifier but its own dangerous.
        return Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth());
    };
    let pem = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| format!("{} is no PEM file", file.display()))?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err(format!("{} holds no certificate", file.display()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_fail_grow_apart() {
        for (failures, seconds) in [(0, 20), (1, 40), (2, 80), (4, 320), (5, 600), (1_000, 600)] {
            assert_eq!(pause(failures).as_secs(), seconds, "{failures}");
        }
    }

    #[test]
    fn a_password_is_one_line_and_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        for (text, is_one) in [("hunter2\n", true), ("hunter2\r\n", true), ("", false), ("\n", false), ("a\nb", false)]
        {
            fs::write(&file, text).unwrap();
            let read = Password::from_file(&file);
            assert_eq!(read.is_ok(), is_one, "{text:?}");
            if let Ok(password) = read {
                assert_eq!((password.0.as_str(), format!("{password:?}").as_str()), ("hunter2", "Password(secret)"));
            }
        }
        fs::write(&file, "a".repeat(5_000)).unwrap();
        assert!(matches!(Password::from_file(&file), Err(BadPassword::Text)));
        assert!(matches!(Password::from_file(&dir.path().join("none")), Err(BadPassword::File(..))));
    }
}
