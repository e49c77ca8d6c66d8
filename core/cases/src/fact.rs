use alloc::string::String;

use minicbor::{Decode, Encode};
use sparekey_protocol::{DeviceId, MakerId, Model, Nonce, RequestIdentity, Serial, Time, request::Purpose};

/// What happened to a case. Facts are only ever added; a case is what its facts make of it.
///
/// Kept as CBOR: a number that is given here is never given to anything else.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Fact {
    /// A request was opened and taken. If it carries a code, its first letter was queued.
    #[n(1)]
    Received(#[n(0)] Received),
    /// The mail was asked for once more and queued as this letter.
    #[n(2)]
    AskedAgain {
        /// 2 or 3.
        #[n(0)]
        letter: u32,
    },
    /// A mail server took the letter.
    #[n(3)]
    MailSent {
        /// Which one, from 1.
        #[n(0)]
        letter: u32,
    },
    /// The letter cannot be delivered: refused by the mail server, or the address is none.
    #[n(4)]
    MailRefused {
        /// Which one, from 1.
        #[n(0)]
        letter: u32,
    },
    /// The letter could not be sent while its code was good, and never will be.
    #[n(5)]
    MailExpired {
        /// Which one, from 1.
        #[n(0)]
        letter: u32,
    },
    /// A mail server took the letter and later sent word that it was not delivered.
    #[n(6)]
    MailBounced {
        /// Which one, from 1.
        #[n(0)]
        letter: u32,
    },
}

/// A request, without its code and without the whole address. A map, so that later versions can add to it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Received {
    /// SHA-256 of its bytes.
    #[n(0)]
    pub identity: RequestIdentity,
    /// Who certified the device.
    #[n(1)]
    pub maker: MakerId,
    /// Which device asks.
    #[n(2)]
    pub device: DeviceId,
    /// What for.
    #[n(3)]
    pub purpose: Purpose,
    /// The serial number, certified.
    #[n(4)]
    pub serial: Serial,
    /// The model, certified.
    #[n(5)]
    pub model: Model,
    /// First letters and the last label; none for the desk, or if the address is none.
    #[n(6)]
    pub masked_address: Option<String>,
    /// When the code is no longer mailed, or the desk no longer answers.
    #[n(7)]
    pub expires_at: Time,
    /// What the device drew for this request, and what an answer to it must name.
    #[n(8)]
    pub nonce: Nonce,
}

impl Fact {
    /// Its name, for those who read the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received(_) => "received",
            Self::AskedAgain { .. } => "asked-again",
            Self::MailSent { .. } => "mail-sent",
            Self::MailRefused { .. } => "mail-refused",
            Self::MailExpired { .. } => "mail-expired",
            Self::MailBounced { .. } => "mail-bounced",
        }
    }
}
