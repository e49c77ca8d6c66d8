//! Mail to the service: a request as an attachment, for who has no app and no browser.
//!
//! What is attached goes the way of every other request, limits included: the code to the *reserved* address, never to the
//! sender, who hears only whether his mail could be used. A request for the desk opens a case there. Mail comes by `lmtp`,
//! or is fetched by `imap`; `intake` deals with it. A mail is never kept: its carrier keeps it until all that follows from it is
//! written, and the hash of one that was dealt with makes it harmless if it comes again.
//!
//! Everything in a mail is hostile: `message` and `mime` bound whatever they read, pictures are read by the child that reads
//! everybody's ([`photo`](crate::photo)), archives by nobody. `automatic` tells programs from people, so that nothing here
//! answers a machine.

mod automatic;
mod imap;
mod intake;
mod lmtp;
mod message;
mod mime;
mod source;

use std::{fmt, io, net::SocketAddr, sync::Arc};

use sparekey_mail::Address;
use tokio_util::sync::CancellationToken;

use crate::{photo::PhotoReader, service::Service};
use imap::Poller;
use intake::Intake;
use lmtp::Listener;
use source::Way;

pub use imap::{BadPassword, Password};
pub use message::Mail;
pub use mime::{MOST_FILES, MOST_PICTURES};
pub use source::{BadSource, Source};

/// The most bytes of a mail: a picture of 12 MiB in base64, and something to say.
pub const MOST_MAIL: usize = 20 * 1024 * 1024;

/// What mail to the service is set up with.
#[derive(Debug)]
pub struct MailInSettings {
    /// Where it comes from.
    pub source: Source,
    /// The mailbox's password, if the source wants one.
    pub password: Option<Password>,
    /// The address that people write to.
    pub address: Address,
}

/// Why mail cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum MailInError {
    /// The socket.
    #[error(
        "mail cannot be listened for at {0}: {1}\nGive another place with --mail-in, or stop the program that uses this one."
    )]
    Listen(Source, #[source] io::Error),
    /// The mailbox's password.
    #[error(
        "the mailbox's password is missing\nName its file with --mail-in-password-file, or set SPAREKEY_MAIL_IN_PASSWORD."
    )]
    NoPassword,
    /// TLS.
    #[error(
        "TLS cannot be set up for the mailbox: {0}\nInstall the system's certificates (ca-certificates), or name yours with ?ca=FILE."
    )]
    Tls(String),
}

/// The part of a service that takes mail.
pub struct MailIn(Running);

enum Running {
    Listener(Listener),
    Poller(Box<Poller>),
}

impl MailIn {
    /// Begins to listen, or makes ready to look into the mailbox.
    ///
    /// # Errors
    /// [`MailInError`].
    pub async fn open(
        settings: MailInSettings,
        service: Arc<Service>,
        photos: Arc<PhotoReader>,
    ) -> Result<Self, MailInError> {
        let MailInSettings { source, password, address } = settings;
        let intake = Arc::new(Intake::new(service, photos, address));
        Ok(Self(match &source.0 {
            Way::Lmtp(place) => match Listener::bind(place, intake).await {
                Ok(listener) => Running::Listener(listener),
                Err(error) => return Err(MailInError::Listen(source, error)),
            },
            Way::Imap(mailbox) => {
                let password = password.ok_or(MailInError::NoPassword)?;
                Running::Poller(Box::new(Poller::new((**mailbox).clone(), password, intake)?))
            }
        }))
    }

    /// Where it listens, if it does by TCP.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            Running::Listener(listener) => listener.local_addr(),
            Running::Poller(_) => None,
        }
    }

    /// Takes mail until it is stopped; then finishes what has come. To be stopped before the service is.
    pub async fn run(self, stop: CancellationToken) {
        match self.0 {
            Running::Listener(listener) => listener.run(stop).await,
            Running::Poller(poller) => poller.run(stop).await,
        }
    }
}

impl fmt::Debug for MailIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailIn")
    }
}
