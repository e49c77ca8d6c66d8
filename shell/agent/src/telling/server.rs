//! The owner's mail server: what is typed, what is kept, and the way out that it makes.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sparekey_mail::{Address, Letterhead, Transport};
use zeroize::Zeroizing;

/// How the way to the mail server is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encryption {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// STARTTLS (RFC 3207), and nothing without it.
    Starttls,
    /// None: for a mail server on the same link that offers nothing else. A password is never sent so.
    None,
}

/// A mail server as its owner typed it.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailServer {
    /// Its name or address.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// How the way to it is kept private.
    pub(crate) encryption: Encryption,
    /// The login's name; no login if it is empty.
    #[serde(default)]
    pub(crate) user: String,
    /// The login's password.
    #[serde(default)]
    pub(crate) password: Zeroizing<String>,
    /// The mailbox that the device writes from.
    pub(crate) from: String,
    /// A file of certificates (PEM) to trust in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<String>,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// What is wrong with a mail server as it was typed. It never quotes the password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadServer {
    /// The file is not what was written.
    #[error("it is not a mail server's settings")]
    File,
    /// No name, or one with something in it that no name has.
    #[error("the server's name cannot be used")]
    Host,
    /// The mailbox to write from.
    #[error("the sender's address cannot be used")]
    From,
    /// A login without a password, or the other way round.
    #[error("user and password go together")]
    Login,
    /// A password would cross the network in clear.
    #[error("the password would be sent in clear")]
    InClear,
    /// The system has no certificates to check the server's by.
    #[error("the connection cannot be kept private: {0}")]
    Tls(String),
}

/// A way out for mails, and who they are from.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) transport: Transport,
    pub(crate) letterhead: Letterhead,
    /// As it was typed, without the password.
    pub(crate) server: MailServer,
}

impl MailServer {
    /// Reads what [`MailServer::to_file`] wrote.
    pub(crate) fn from_file(bytes: &[u8]) -> Result<Self, BadServer> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadServer::File)?;
        toml::from_str(text).map_err(|_| BadServer::File)
    }

    /// The text of the file, password included.
    pub(crate) fn to_file(&self) -> Zeroizing<String> {
        Zeroizing::new(toml::to_string(self).expect("it is a table of plain values"))
    }

    /// The way out; nothing is connected to yet. `title` is what people call the device.
    pub(crate) fn outgoing(&self, title: &str) -> Result<Outgoing, BadServer> {
        let from = Address::parse(self.from.trim()).map_err(|_| BadServer::From)?;
        let transport = Transport::from_url(&self.url()?).map_err(|error| match error {
            sparekey_mail::BadTransport::PasswordInClear => BadServer::InClear,
            sparekey_mail::BadTransport::Url(_) => BadServer::Host,
            error => BadServer::Tls(error.to_string().replace('\n', ". ")),
        })?;
        let server = Self { password: Zeroizing::default(), ..self.clone() };
        Ok(Outgoing { transport, letterhead: Letterhead::new(title, from), server })
    }

    /// As [`Transport::from_url`] reads it.
    fn url(&self) -> Result<Zeroizing<String>, BadServer> {
        let host = self.host.trim();
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let is_name = !host.is_empty() && host.len() <= 253 && host.bytes().all(named);
        let is_v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
        if !(is_name || is_v6) {
            return Err(BadServer::Host);
        }
        let host = if is_v6 { format!("[{host}]") } else { host.to_owned() };
        let encoded = |text: &str| Zeroizing::new(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
        let login = match (self.user.is_empty(), self.password.is_empty()) {
            (true, true) => Zeroizing::default(),
            (false, false) => Zeroizing::new(format!("{}:{}@", *encoded(&self.user), *encoded(&self.password))),
            _ => return Err(BadServer::Login),
        };
        let (scheme, starttls) = match self.encryption {
            Encryption::Tls => ("smtps", None),
            Encryption::Starttls => ("smtp", Some("required")),
            Encryption::None => ("smtp", Some("never")),
        };
        let ca = self.ca.as_deref().map(|file| format!("ca={}", *encoded(file)));
        let options: Vec<String> = starttls.map(|how| format!("starttls={how}")).into_iter().chain(ca).collect();
        let mark = if options.is_empty() { "" } else { "?" };
        Ok(Zeroizing::new(format!("{scheme}://{}{host}:{}{mark}{}", *login, self.port, options.join("&"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> MailServer {
        MailServer {
            host: "mail.example.org".to_owned(),
            port: 465,
            encryption: Encryption::Tls,
            user: "owner".to_owned(),
            password: Zeroizing::new("p@ss:w/rd".to_owned()),
            from: "recorder@example.org".to_owned(),
            ca: None,
        }
    }

    #[test]
    fn what_is_typed_makes_a_way_out_and_is_kept() {
        let with = |change: fn(&mut MailServer)| {
            let mut server = server();
            change(&mut server);
            server
        };
        for (server, shown) in [
            (server(), "smtps://mail.example.org:465"),
            (with(|server| server.encryption = Encryption::Starttls), "smtp://mail.example.org:465"),
            (with(|server| server.host = "2001:db8::1".to_owned()), "smtps://[2001:db8::1]:465"),
            (
                with(|server| {
                    (server.encryption, server.port) = (Encryption::None, 25);
                    (server.user, server.password) = (String::new(), Zeroizing::default());
                }),
                "smtp://mail.example.org:25",
            ),
        ] {
            let outgoing = server.outgoing("Recorder").unwrap();
            assert_eq!(outgoing.transport.to_string(), shown);
            assert!(outgoing.server.password.is_empty());
            let kept = MailServer::from_file(server.to_file().as_bytes()).unwrap();
            assert_eq!((kept.password, kept.host, kept.from), (server.password, server.host, server.from));
        }
    }

    #[test]
    fn what_cannot_be_used_is_said_without_the_password() {
        type Change = fn(&mut MailServer);
        let cases: [(Change, &str); 7] = [
            (|server| server.host = String::new(), "name"),
            (|server| server.host = "mail.example.org/evil?starttls=never".to_owned(), "name"),
            (|server| server.host = "a@b".to_owned(), "name"),
            (|server| server.from = "nobody".to_owned(), "sender"),
            (|server| server.user = String::new(), "together"),
            (|server| server.encryption = Encryption::None, "clear"),
            (|server| server.ca = Some("/nowhere.pem".to_owned()), "private"),
        ];
        for (change, said) in cases {
            let mut server = server();
            change(&mut server);
            let Err(error) = server.outgoing("Recorder") else { panic!("{said}") };
            assert!(error.to_string().contains(said), "{error}");
            assert!(!format!("{error:?} {server:?}").contains("w/rd"));
        }
    }
}
