//! What the contacts are told, by whom, and the mail server that the device tells them through.

use std::time::Duration;

use sparekey_device::Notice;
use sparekey_mail::{Address, Happened, SendError};
use sparekey_protocol::{ReservedEmail, qr};
use zeroize::Zeroizing;

use super::App;
use super::ways::Owner;
use crate::failure::{Failure, Malformed};
use crate::rand::random;
use crate::telling::{BadServer, MailServer, Told};
use crate::visitor::Visitor;

/// How long a page waits for a mail server to take a test mail.
const TRY_OUT: Duration = Duration::from_secs(30);

const NO_HOST: Malformed = Malformed {
    field: "host",
    title: "This is no mail server's name.",
    detail: "Give a name such as mail.example.org, or an address, without a path.",
};
const NO_SENDER: Malformed = Malformed {
    field: "from",
    title: "This is not a mail address.",
    detail: "Give the address that the device is to write from, such as recorder@example.org.",
};
const HALF_A_LOGIN: Malformed = Malformed {
    field: "user",
    title: "The mail server's user and password go together.",
    detail: "Give both, or neither for a server that asks for none.",
};
const IN_CLEAR: Malformed = Malformed {
    field: "encryption",
    title: "The mail server's password would cross the network in clear.",
    detail: "Choose TLS or STARTTLS, or give no user and password.",
};
const NO_TLS: Malformed = Malformed {
    field: "encryption",
    title: "The mail server's certificate could not be checked.",
    detail: "This device has no list of certificate authorities that it could be checked by.",
};

impl From<BadServer> for Malformed {
    fn from(bad: BadServer) -> Self {
        match bad {
            BadServer::File | BadServer::Host => NO_HOST,
            BadServer::From => NO_SENDER,
            BadServer::Login => HALF_A_LOGIN,
            BadServer::InClear => IN_CLEAR,
            BadServer::Tls(_) => NO_TLS,
        }
    }
}

/// What became of a test mail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TriedOut {
    /// The mail server took it.
    Taken,
    /// It did not, and said or showed this.
    NotTaken(String),
    /// There is no contact to send one to.
    Nobody,
}

impl App {
    /// What the contacts were not told of yet, for who is logged in; each with the text of the symbol that a phone carries, if the
    /// owner allows the service.
    pub(crate) async fn untold(&self, visitor: &Visitor) -> Result<Vec<(Notice, Option<String>)>, Failure> {
        self.session(visitor).await?;
        let language = self.language_for(visitor);
        let untold = self.look(|device, _| {
            let url = device.card().url.clone();
            let carried = |notice: &Notice| {
                let receipt = device.receipt(notice.number, &language, &random()).ok()?;
                Some(qr::receipt_text(&url, &receipt))
            };
            let untold = device.notices().into_iter().filter(|notice| !notice.by_hand);
            untold.map(|notice| (notice.clone(), carried(&notice))).collect()
        });
        Ok(untold.await)
    }

    /// The contacts know of it, says who is logged in and knows the password.
    pub(crate) async fn told(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        number: u64,
    ) -> Result<(), Failure> {
        self.as_owner(visitor, password, move |device, now, Owner { caller, token, checked }| {
            device.dismiss_notice(now, caller, &token, &checked, number)
        })
        .await
    }

    /// The mail server that tells the contacts, without its password.
    pub(crate) async fn mail_server(&self) -> Option<MailServer> {
        let number = self.look(|device, _| device.mail_server()).await;
        self.teller.server(number).map(|outgoing| outgoing.server)
    }

    /// Keeps another mail server, and tries it out with a mail to the contacts. It is kept whether they can be reached now or not.
    pub(crate) async fn set_mail_server(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        server: MailServer,
    ) -> Result<TriedOut, Failure> {
        self.session(visitor).await?;
        let outgoing = server.outgoing(&self.frame.name).map_err(Malformed::from)?;
        let number = self.number_mail_server(visitor, password, true).await?;
        let number = number.expect("one that is set has a number");
        self.teller.keep(number, &server, outgoing.clone()).map_err(unstored)?;

        let contacts = self.look(|device, now| {
            let contacts = device.contacts(now, visitor.token()).unwrap_or_default();
            let emails: Vec<ReservedEmail> = contacts.iter().map(|contact| contact.email.clone()).collect();
            (emails, now.clock.0)
        });
        let (contacts, at) = contacts.await;
        let told = Told { happened: Happened::TriedOut, way: None, at, count: 1, number: at };
        let mut outcome = TriedOut::Nobody;
        for (place, contact) in contacts.iter().enumerate() {
            let Ok(to) = Address::parse(contact.as_str()) else { continue };
            let sent = tokio::time::timeout(TRY_OUT, self.teller.send(self, &outgoing, &to, &told, place)).await;
            match sent {
                Ok(Ok(())) if outcome == TriedOut::Nobody => outcome = TriedOut::Taken,
                Ok(Ok(())) => {}
                Ok(Err(SendError::Refused { text: said, .. } | SendError::Later { reason: said })) => {
                    outcome = TriedOut::NotTaken(said);
                }
                Err(_) => outcome = TriedOut::NotTaken("the mail server does not answer".to_owned()),
            }
        }
        Ok(outcome)
    }

    /// Forgets the mail server.
    pub(crate) async fn remove_mail_server(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
    ) -> Result<(), Failure> {
        self.number_mail_server(visitor, password, false).await?;
        self.teller.look();
        Ok(())
    }

    async fn number_mail_server(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        set: bool,
    ) -> Result<Option<u64>, Failure> {
        self.as_owner(visitor, password, move |device, now, Owner { caller, token, checked }| {
            device.set_mail_server(now, caller, &token, &checked, set)
        })
        .await
    }
}

fn unstored(error: std::io::Error) -> Failure {
    tracing::error!(%error, "the mail server's settings cannot be written");
    Failure::Unstored
}
