//! Where mail comes from, as settings say it.

use std::{fmt, net::SocketAddr, path::PathBuf};

use super::{imap::Mailbox, lmtp::Place};

/// Where mail comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Source(pub(super) Way);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Way {
    Lmtp(Place),
    Imap(Box<Mailbox>),
}

/// A URL that names no source. It never quotes the URL, which may hold a password in spite of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSource {
    /// Of none of the forms.
    #[error(
        "the mail source cannot be understood: {0}\nUse lmtp://ADDRESS:PORT, lmtp:/PATH, or imaps://USER@HOST/FOLDER."
    )]
    Url(&'static str),
    /// A password in the URL is seen by every user of the machine.
    #[error("a password does not belong into the URL of the mailbox\nPut it into a file, and name that.")]
    PasswordInUrl,
}

impl Source {
    /// Understands the URL of a source. Opens nothing yet.
    ///
    /// | URL | where from |
    /// |---|---|
    /// | `lmtp://ADDRESS:PORT` | a mail server that hands it over (RFC 2033), by TCP |
    /// | `lmtp:/PATH` | the same, by a socket in the file system |
    /// | `imaps://USER@HOST[:PORT]/[FOLDER][?ca=FILE]` | a mailbox that is looked into (RFC 3501, RFC 8314); `INBOX` by default |
    ///
    /// # Errors
    /// [`BadSource`], without the URL in it.
    pub fn from_url(url: &str) -> Result<Self, BadSource> {
        if let Some(address) = url.strip_prefix("lmtp://") {
            let address = address.trim_end_matches('/');
            let address: SocketAddr = address
                .parse()
                .map_err(|_| BadSource::Url("after lmtp:// there is an address with a port, such as 127.0.0.1:7724"))?;
            return Ok(Self(Way::Lmtp(Place::Tcp(address))));
        }
        if let Some(path) = url.strip_prefix("lmtp:") {
            let path = PathBuf::from(path);
            if !path.is_absolute() {
                return Err(BadSource::Url("after lmtp: there is a whole path, such as /run/sparekey/lmtp"));
            }
            return Ok(Self(Way::Lmtp(Place::Unix(path))));
        }
        Ok(Self(Way::Imap(Box::new(Mailbox::from_url(url)?))))
    }

    /// Whether it takes a password.
    #[must_use]
    pub fn wants_password(&self) -> bool {
        matches!(self.0, Way::Imap(_))
    }
}

/// Names the source, without the user.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Lmtp(Place::Tcp(address)) => write!(f, "lmtp://{address}"),
            Way::Lmtp(Place::Unix(path)) => write!(f, "lmtp:{}", path.display()),
            Way::Imap(mailbox) => mailbox.fmt(f),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_source() {
        for (url, shown) in [
            ("lmtp://127.0.0.1:7724", "lmtp://127.0.0.1:7724"),
            ("lmtp://[::1]:7724/", "lmtp://[::1]:7724"),
            ("lmtp:/run/sparekey/lmtp", "lmtp:/run/sparekey/lmtp"),
            ("imaps://ada%40example.org@mail.example.org/", "imaps://mail.example.org:993/INBOX"),
            ("imaps://ada@mail.example.org:1993/Recovery%20mails", "imaps://mail.example.org:1993/Recovery mails"),
            ("imaps://ada@[::1]", "imaps://[::1]:993/INBOX"),
        ] {
            let source = Source::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(source.to_string(), shown);
            assert_eq!(source.wants_password(), url.starts_with("imaps"));
            assert!(!format!("{source:?}").contains("ada"));
        }
    }

    #[test]
    fn other_urls_are_refused_without_telling_the_password() {
        for url in [
            "",
            "lmtp:",
            "lmtp:run/lmtp",
            "lmtp://",
            "lmtp://localhost",
            "lmtp://localhost:7724",
            "lmtp://127.0.0.1",
            "smtp://127.0.0.1:25",
            "imap://ada@mail.example.org",
            "imaps://mail.example.org",
            "imaps://ada:hunter2@mail.example.org",
            "imaps://ada@",
            "imaps://ada@mail.example.org/a?tls=no",
            "imaps://ada@mail.example.org/a#b",
            "imaps://ada@mail.example.org/a%0d%0ab",
            "imaps://ada@mail.example.org?ca=",
            "maildir:/x",
        ] {
            let error = Source::from_url(url).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
            assert_eq!(error.to_string().lines().count(), 2, "{url}");
        }
        assert_eq!(Source::from_url("imaps://ada:hunter2@mail.example.org"), Err(BadSource::PasswordInUrl));
    }
}
