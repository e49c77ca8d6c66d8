use alloc::string::String;

use sparekey_protocol::{DeviceId, MakerId, Model, RequestIdentity, Serial, Time, request::Purpose};

use crate::fact::{Fact, Received};

/// One request as it stands. Its id is the shell's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// SHA-256 of the request's bytes.
    pub identity: RequestIdentity,
    /// Who certified the device.
    pub maker: MakerId,
    /// Which device asks.
    pub device: DeviceId,
    /// What for.
    pub purpose: Purpose,
    /// The serial number, certified.
    pub serial: Serial,
    /// The model, certified.
    pub model: Model,
    /// First letters and the last label; none for the desk, or if the address is none.
    pub masked_address: Option<String>,
    /// When the service took it.
    pub received_at: Time,
    /// When the code is no longer mailed, or the desk no longer answers.
    pub expires_at: Time,
    /// Where the mail stands; none for the desk.
    pub mail: Option<Mail>,
}

/// Where a case's last letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What became of it.
    pub state: MailState,
    /// Which one it is, from 1.
    pub letter: u32,
    /// Since when.
    pub since: Time,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It will be sent.
    Queued,
    /// A mail server took it.
    Sent,
    /// It will not arrive.
    Refused,
}

impl Case {
    /// The case that a received request begins.
    #[must_use]
    pub fn begin(received: &Received, at: Time) -> Self {
        let received = received.clone();
        let has_code = received.purpose != Purpose::ResetByDesk;
        Self {
            identity: received.identity,
            maker: received.maker,
            device: received.device,
            purpose: received.purpose,
            serial: received.serial,
            model: received.model,
            masked_address: received.masked_address,
            received_at: at,
            expires_at: received.expires_at,
            mail: has_code.then_some(Mail { state: MailState::Queued, letter: 1, since: at }),
        }
    }

    /// The case after one more fact.
    #[must_use]
    pub fn apply(self, fact: &Fact, at: Time) -> Self {
        let (state, letter) = match *fact {
            // Said once, at the beginning.
            Fact::Received(_) => return self,
            Fact::AskedAgain { letter } => (MailState::Queued, letter),
            Fact::MailSent { letter } => (MailState::Sent, letter),
            Fact::MailRefused { letter } | Fact::MailExpired { letter } | Fact::MailBounced { letter } => {
                (MailState::Refused, letter)
            }
        };
        Self { mail: Some(Mail { state, letter, since: at }), ..self }
    }
}
