use sparekey_cases::{Case, MailState as CaseMailState, desk::State as DeskState};
use sparekey_protocol::{Refusal, Time, request::Purpose};

use crate::{case_id::CaseId, keys::KeysError, public_log::LogError, store::StoreError};

/// Where mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It will be sent.
    Queued,
    /// The mail server took it.
    Sent,
    /// It will not arrive.
    Refused,
}

/// What a carrier may see of a request (protocol section 12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// Unguessable: 24 characters of base64url.
    pub id: String,
    /// What for.
    pub purpose: Purpose,
    /// As the maker certified.
    pub serial: String,
    /// As the maker certified.
    pub model: String,
    /// First letters and the last label. Absent for the desk, and if the reserved address is none.
    pub masked_address: Option<String>,
    /// Absent for the desk.
    pub mail: Option<MailState>,
    /// Where the desk's case about it stands; absent before there is one.
    pub desk: Option<DeskState>,
    /// Unix seconds. The device decides by its own clock.
    pub expires_at: u64,
    /// Seconds until then, by the service's clock; 0 once it has passed.
    pub seconds_left: u64,
}

impl RequestView {
    pub(super) fn of(id: CaseId, case: Case, now: Time) -> Self {
        Self {
            id: id.to_string(),
            purpose: case.purpose,
            serial: case.serial.to_string(),
            model: case.model.to_string(),
            masked_address: case.masked_address,
            mail: case.mail.map(|mail| match mail.state {
                CaseMailState::Queued => MailState::Queued,
                CaseMailState::Sent => MailState::Sent,
                CaseMailState::Refused => MailState::Refused,
            }),
            desk: None,
            expires_at: case.expires_at.0,
            seconds_left: case.expires_at.since(now),
        }
    }
}

/// What a carrier may see of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldView {
    /// As the maker certified.
    pub serial: String,
    /// As the maker certified.
    pub model: String,
    /// Who is told: first letters and the last label.
    pub masked_addresses: Vec<String>,
}

/// Why a request was not taken. It wrote nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// A check of protocol section 4 failed.
    #[error("{0}")]
    Refused(Refusal),
    /// A limit is reached.
    #[error("too-many")]
    TooMany {
        /// Seconds to wait, at least 1.
        retry_after: u64,
    },
    /// The database does not answer, or there is more to do than it can take. Try again soon.
    #[error("unavailable")]
    Unavailable,
}

/// The database does not answer, or the service is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database does not answer\nTry again soon.")]
pub struct Unavailable;

/// Why a device was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The record does not hold: a check of protocol section 4 failed.
    #[error("the enrolment record was refused: {0}\nHave the device make it anew, with the card of this service.")]
    Refused(Refusal),
    /// The service's folder or database.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a service cannot be set up or started.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder and its keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The public log.
    #[error(transparent)]
    Log(#[from] LogError),
}
