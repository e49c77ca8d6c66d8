//! How mails leave: to a mail server (SMTP, RFC 5321) or into a maildir.
//!
//! | URL | where to | default port |
//! |---|---|---|
//! | `maildir:PATH` | a maildir folder on this machine, made if it is not there | - |
//! | `smtps://[user:pass@]host[:port][?ca=FILE]` | a mail server, TLS from the first byte (RFC 8314) | 465 |
//! | `smtp://[user:pass@]host[:port][?starttls=…][&ca=FILE]` | a mail server, STARTTLS (RFC 3207) | 587; on loopback 25 |
//!
//! `starttls=required` sends nothing without TLS and a valid certificate: the default. `starttls=optional` takes TLS if it is
//! offered: the default on loopback, where the mail server is this machine's own and its certificate seldom valid; since
//! whoever is in between could hide the offer anyway, the certificate is checked only if `ca` names whom to trust.
//! `starttls=never` stays in clear. A password is sent in clear to loopback only. User and password are percent-encoded.
//! `ca=FILE` (PEM) is trusted in place of the system's certificate authorities.

use std::{fmt, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use lettre::transport::smtp::{
    authentication::Credentials,
    client::{Certificate, CertificateStore, Tls, TlsParameters},
};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{
    compose::Envelope,
    maildir::Maildir,
    smtp::{SmtpClient, SmtpServer},
};

/// No call of [`Transport::send`] takes longer, whatever the server does.
pub const LONGEST_SEND: Duration = Duration::from_secs(180);

/// A way out for mails. Cheap to clone; safe to use from many tasks at once.
#[derive(Clone)]
pub struct Transport(Arc<Way>);

enum Way {
    Smtp(SmtpClient),
    Maildir(Maildir),
}

/// A mail that somebody else is responsible for from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The mail server took it over.
    ByServer {
        /// What the server said, often with its queue number; without controls, at most 200 characters.
        reply: String,
    },
    /// It lies, synced, in a maildir.
    InMaildir {
        /// The file.
        path: PathBuf,
    },
}

/// A mail that did not leave, or may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The mail server will not take this mail for this recipient, and asking again is no use.
    #[error("the mail server refused the mail: {code} {text}\nCheck the address.")]
    Refused {
        /// The reply code (RFC 5321 section 4.2), 500 to 599.
        code: u16,
        /// What the server said, the recipient masked, without controls, at most 200 characters.
        text: String,
    },
    /// It did not work this time: the same bytes may be sent again.
    ///
    /// The server may have taken the mail all the same, if the connection broke between its last byte and the answer.
    #[error("the mail could not be sent now: {reason}\nIt will be tried again.")]
    Later {
        /// What went wrong, for the log: without controls, the recipient masked, at most 200 characters.
        reason: String,
    },
}

/// A URL that does not name a way out. It never quotes the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum BadTransport {
    /// Not of one of the three forms.
    #[error("the mail setting cannot be understood: {0}\nUse maildir:PATH, smtps://HOST or smtp://HOST.")]
    Url(&'static str),
    /// A password would cross a network in clear.
    #[error("the mail password would be sent in clear\nUse smtps:// or starttls=required.")]
    PasswordInClear,
    /// The file of `ca=` cannot be read or holds no certificate.
    #[error("the certificate file {} cannot be used\nGive a readable PEM file with at least one certificate.", .0.display())]
    Certificate(PathBuf),
    /// TLS could not be set up, for instance because the system has no certificate authorities.
    #[error(
        "TLS cannot be set up: {0}\nInstall the system's certificates (ca-certificates), or name yours with ca=FILE."
    )]
    Tls(String),
}

impl Transport {
    /// Understands the URL of a way out. Opens no connection and makes no folder yet.
    ///
    /// # Errors
    /// [`BadTransport`], without the URL in it.
    pub fn from_url(url: &str) -> Result<Self, BadTransport> {
        let way = match url.strip_prefix("maildir:") {
            Some("") => return Err(BadTransport::Url("maildir: needs a folder")),
            Some(path) => Way::Maildir(Maildir::new(path.into())),
            None => Way::Smtp(SmtpClient::new(server_from_url(url)?)),
        };
        Ok(Self(Arc::new(way)))
    }

    /// Hands over a message (RFC 5322).
    ///
    /// Returns once somebody else has taken responsibility for it. If the call is dropped before, nothing is known of the
    /// mail: take it for [`SendError::Later`].
    ///
    /// # Errors
    /// [`SendError::Refused`] if the server refuses recipient or content for good (5xx), or cannot carry an address outside
    /// ASCII (RFC 6531); [`SendError::Later`] for all else: 4xx, no connection, TLS or login failed, time out, cut off.
    pub async fn send(&self, envelope: &Envelope, message: &[u8]) -> Result<Accepted, SendError> {
        match &*self.0 {
            Way::Smtp(client) => client.send(envelope, message).await,
            Way::Maildir(maildir) => maildir.deliver(message).await,
        }
    }
}

/// Names the way out, without user and password.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Way::Smtp(client) => client.fmt(f),
            Way::Maildir(maildir) => write!(f, "maildir:{}", maildir.folder().display()),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transport({self})")
    }
}

/// What stands behind `?`.
#[derive(Default)]
struct Options {
    starttls: Option<Starttls>,
    ca: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Starttls {
    Required,
    Optional,
    Never,
}

fn server_from_url(text: &str) -> Result<SmtpServer, BadTransport> {
    let url = Url::parse(text).map_err(|_| BadTransport::Url("it is not a URL"))?;
    let implicit_tls = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        _ => return Err(BadTransport::Url("it starts with none of the three")),
    };
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(BadTransport::Url("nothing may follow the host but ?starttls= and ca="));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadTransport::Url("the host is missing"))?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let loopback = is_loopback(&host);
    let options = options(&url)?;
    let credentials = credentials(&url)?;

    let starttls = match (implicit_tls, options.starttls) {
        (true, Some(_)) => return Err(BadTransport::Url("smtps:// has TLS already, without starttls=")),
        (true, None) => None,
        (false, Some(chosen)) => Some(chosen),
        (false, None) if loopback => Some(Starttls::Optional),
        (false, None) => Some(Starttls::Required),
    };
    if credentials.is_some() && !loopback && matches!(starttls, Some(Starttls::Optional | Starttls::Never)) {
        return Err(BadTransport::PasswordInClear);
    }
    let any_certificate = starttls == Some(Starttls::Optional) && options.ca.is_none();
    let tls = |ca| tls_parameters(&host, ca, any_certificate);
    let tls = match starttls {
        None => Tls::Wrapper(tls(options.ca)?),
        Some(Starttls::Required) => Tls::Required(tls(options.ca)?),
        Some(Starttls::Optional) => Tls::Opportunistic(tls(options.ca)?),
        Some(Starttls::Never) => Tls::None,
    };
    let default_port = match (implicit_tls, loopback) {
        (true, _) => 465,
        (false, true) => 25,
        (false, false) => 587,
    };
    Ok(SmtpServer { port: url.port().unwrap_or(default_port), host, tls, credentials })
}

fn options(url: &Url) -> Result<Options, BadTransport> {
    let mut options = Options::default();
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            ("starttls", "required") => options.starttls = Some(Starttls::Required),
            ("starttls", "optional") => options.starttls = Some(Starttls::Optional),
            ("starttls", "never") => options.starttls = Some(Starttls::Never),
            ("starttls", _) => return Err(BadTransport::Url("starttls is required, optional or never")),
            ("ca", "") => return Err(BadTransport::Url("ca= needs a file")),
            ("ca", file) => options.ca = Some(file.into()),
            _ => return Err(BadTransport::Url("the only options are starttls and ca")),
        }
    }
    Ok(options)
}

fn credentials(url: &Url) -> Result<Option<Credentials>, BadTransport> {
    let decoded = |text| {
        let text =
            percent_decode_str(text).decode_utf8().map_err(|_| BadTransport::Url("user or password is not UTF-8"))?;
        Ok::<_, BadTransport>(text.into_owned())
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(BadTransport::Url("user and password go together")),
        (user, Some(password)) => Ok(Some(Credentials::new(decoded(user)?, decoded(password)?))),
    }
}

fn tls_parameters(host: &str, ca: Option<PathBuf>, any_certificate: bool) -> Result<TlsParameters, BadTransport> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(file) = ca {
        let read = std::fs::read(&file).ok().and_then(|pem| Certificate::from_pem(&pem).ok());
        let certificate = read.ok_or(BadTransport::Certificate(file))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    } else if any_certificate {
        builder = builder.certificate_store(CertificateStore::None).dangerous_accept_invalid_certs(true);
    }
    builder.build().map_err(|error| BadTransport::Tls(error.to_string()))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> SmtpServer {
        server_from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn urls_choose_host_port_and_tls() {
        for (url, host, port, tls) in [
            ("smtps://mail.example.org", "mail.example.org", 465, "Wrapper"),
            ("smtps://mail.example.org:8465", "mail.example.org", 8465, "Wrapper"),
            ("smtp://mail.example.org", "mail.example.org", 587, "Required"),
            ("smtp://mail.example.org:25?starttls=optional", "mail.example.org", 25, "Opportunistic"),
            ("smtp://10.0.0.5?starttls=never", "10.0.0.5", 587, "None"),
            ("smtp://localhost", "localhost", 25, "Opportunistic"),
            ("smtp://127.0.0.1:2525/", "127.0.0.1", 2525, "Opportunistic"),
            ("smtp://127.0.0.1?starttls=required", "127.0.0.1", 25, "Required"),
            ("smtp://[::1]:2525", "::1", 2525, "Opportunistic"),
            ("smtp://user:p%40ss@mail.example.org", "mail.example.org", 587, "Required"),
        ] {
            let server = server(url);
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
            assert_eq!(format!("{:?}", server.tls), tls, "{url}");
        }
        let credentials = server("smtp://us%20er:p%40%3Ass@localhost").credentials;
        assert_eq!(credentials, Some(Credentials::new("us er".to_owned(), "p@:ss".to_owned())));
    }

    #[test]
    fn other_urls_are_refused_without_telling_the_password() {
        for url in [
            "",
            "maildir:",
            "mail.example.org",
            "http://mail.example.org",
            "smtp:",
            "smtp://",
            "smtp://user:hunter2@",
            "smtp://user@mail.example.org",
            "smtp://:hunter2@mail.example.org",
            "smtp://user:hunter2@mail.example.org/folder",
            "smtp://user:hunter2@mail.example.org#x",
            "smtp://user:hunter2@mail.example.org?starttls=maybe",
            "smtp://user:hunter2@mail.example.org?tls=required",
            "smtp://user:hunter2@mail.example.org?starttls=never",
            "smtp://user:hunter2@mail.example.org?starttls=optional",
            "smtps://user:hunter2@mail.example.org?starttls=required",
            "smtps://user:hunter2@mail.example.org?ca=",
            "smtps://user:hunter2@mail.example.org?ca=/nowhere.pem",
            "smtps://user:hunter2@mail.example.org:99999",
        ] {
            let error = Transport::from_url(url).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
            assert_eq!(error.to_string().lines().count(), 2, "{url}");
        }
    }

    #[tokio::test]
    async fn transports_show_neither_user_nor_password() {
        let transport = Transport::from_url("smtps://user:hunter2@mail.example.org").expect("is right");
        assert_eq!(transport.to_string(), "smtps://mail.example.org:465");
        assert_eq!(format!("{transport:?}"), "Transport(smtps://mail.example.org:465)");
    }
}
