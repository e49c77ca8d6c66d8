//! A device's HTTPS interface (protocol section 11), as a client: nothing secret is sent before the device has proven who it is.
//!
//! [`Device::meet`] is the only way to a [`Device`]. It takes whatever TLS certificate it is shown, once, and keeps to it (`pin`); then the
//! device has to prove with its own key that this certificate is its own, and its own key has to be the one that is known for this serial
//! ([`Known`]), or that a maker certified.

mod address;
mod call;
mod known;
mod pin;
mod recovery;
mod session;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use sparekey_protocol::{DeviceId, PublicKey, Refusal, tls_proof};

use self::call::Line;
pub use self::{
    address::{Address, BadAddress},
    call::{CallError, Problem},
    known::{Known, KnownError},
    recovery::{Proven, Recovery, Restart},
    session::Session,
};
pub(crate) use self::{
    call::{connected, plain},
    pin::Pin,
};

/// A device hashes slowly, one caller after the other.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a device may take to be known.
const TO_MEET: Duration = Duration::from_secs(10);

/// Why a device is not spoken to. Nothing secret was sent. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MeetError {
    /// It does not answer, or not as a device does.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No proof, or one of something else.
    #[error(
        "what answers at {0} does not prove that it is a Sparekey device ({1}): somebody may stand between\nNothing secret was sent. Plug this computer straight into the device, and try again."
    )]
    NotProven(Address, &'static str),
    /// A device of another maker, where a maker's key was given.
    #[error(
        "the device at {0} was not certified by the maker that was given ({1})\nNothing secret was sent. Check --maker, and who made this device."
    )]
    OtherMaker(Address, Refusal),
    /// Another device than the one that was asked for.
    #[error("{1} answers at {0}, and not {2}\nNothing secret was sent. Look up its address again:  sparekey discover")]
    OtherDevice(Address, String, String),
    /// Its key is not the one that is known.
    #[error(
        "THE KEY OF {serial} HAS CHANGED: what answers at {address} is not the device that was met before\nNothing secret was sent. Somebody may stand between. If the device was really replaced, give --maker, or take its line out of {known}."
    )]
    KeyChanged {
        /// Where it answers.
        address: Address,
        /// The serial that it claims.
        serial: String,
        /// Where the known ones are kept.
        known: String,
    },
    /// What is known cannot be read or kept.
    #[error(transparent)]
    Known(#[from] KnownError),
}

impl MeetError {
    /// A stable name of what this tool itself found; what a device said has its own ([`CallError::name`]).
    #[must_use]
    pub fn name_of_tool(&self) -> &'static str {
        match self {
            Self::NotProven(..) => "not-proven",
            Self::OtherMaker(..) => "other-maker",
            Self::OtherDevice(..) => "other-device",
            Self::KeyChanged { .. } => "key-changed",
            Self::Call(_) | Self::Known(_) => "not-possible",
        }
    }
}

/// Whom to believe.
#[derive(Debug)]
pub struct Belief<'a> {
    /// The maker whose signature counts, if one was given.
    pub maker: Option<&'a PublicKey>,
    /// Devices met before.
    pub known: &'a Known,
}

/// A device that has proven who it is.
#[derive(Debug)]
pub struct Device {
    line: Line,
    serial: String,
    id: DeviceId,
    /// This key is not the one that is remembered for the serial.
    is_new: bool,
    first_met: bool,
    description: Value,
}

impl Device {
    /// Gets to know the device at an address; of this serial, if one is given.
    ///
    /// # Errors
    /// [`MeetError`]
    pub fn meet(address: Address, serial: Option<&str>, belief: &Belief<'_>) -> Result<Self, MeetError> {
        let device = Self::look(address, serial, belief)?;
        if device.is_new {
            belief.known.keep(&device.serial, device.id)?;
        }
        Ok(device)
    }

    /// The same, and nothing is remembered: for who looks only.
    ///
    /// # Errors
    /// [`MeetError`]
    pub fn look(address: Address, serial: Option<&str>, belief: &Belief<'_>) -> Result<Self, MeetError> {
        let line = Line::new(address.clone())?;
        let description = line.call("GET", "/api/v1/device", None, None, TO_MEET)?;
        let bytes = |member: &str| {
            let text = description[member].as_str().unwrap_or_default();
            BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty())
        };
        let proof = bytes("tls_proof").ok_or(MeetError::NotProven(address.clone(), "no proof"))?;
        let certificate = bytes("certificate").ok_or(MeetError::NotProven(address.clone(), "no certificate"))?;
        let seen = line.certificate().ok_or(MeetError::NotProven(address.clone(), "no TLS certificate"))?;
        let peer = tls_proof::open(&proof, &certificate, &seen, belief.maker).map_err(|refusal| match refusal {
            Refusal::UnknownMaker | Refusal::BadCertificate => MeetError::OtherMaker(address.clone(), refusal),
            refusal => MeetError::NotProven(address.clone(), refusal.name()),
        })?;
        let (id, own) = (peer.certificate.device_id(), peer.certificate.serial.to_string());
        if let Some(serial) = serial.filter(|serial| **serial != own) {
            return Err(MeetError::OtherDevice(address, own, serial.to_owned()));
        }
        let before = belief.known.of(&own)?;
        // A maker's word is newer than what was seen: it certified the key that is in there now.
        if before.is_some_and(|before| before != id) && !peer.vouched {
            return Err(MeetError::KeyChanged { address, serial: own, known: belief.known.place() });
        }
        let first_met = before.is_none() && !peer.vouched;
        Ok(Self { line, serial: own, id, is_new: before != Some(id), first_met, description })
    }

    /// Its serial number.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.line.address()
    }

    /// Whether nothing but its own word tells that it is the device of this serial.
    #[must_use]
    pub fn first_met(&self) -> bool {
        self.first_met
    }

    /// What it said of itself when it was met.
    #[must_use]
    pub fn description(&self) -> &Value {
        &self.description
    }

    /// A call; `token` is that of a session. The answer's JSON; a text for what is no JSON, null for nothing.
    ///
    /// # Errors
    /// [`CallError`]: also if another TLS certificate is shown than the one that was proven.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
        patience: Duration,
    ) -> Result<Value, CallError> {
        self.line.call(method, path, body, token, patience)
    }
}
