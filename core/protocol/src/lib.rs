//! What Sparekey's parts say to each other, and who may be believed.
//!
//! Every format of protocol version 1 (`docs/ref/protocol.md`) has one file here. Opening and checking are one
//! function: [`request::open`], [`grant::open`], [`Certificate::verify`], [`Card::verify`]. What comes out is a [`Verified`] value, which
//! nothing else can make.
//!
//! This crate must not decide about a recovery, store anything, read a clock or draw randomness: seeds and times are
//! arguments. What a device decides is in `sparekey-device`; what the service decides, in `sparekey-cases`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod card;
mod cbor;
mod certificate;
pub mod clip;
mod code;
mod cose;
pub mod digits;
pub mod enrol;
pub mod files;
pub mod grant;
mod ids;
mod keys;
mod letter;
pub mod log;
mod log_key;
pub mod ocra;
pub mod pem;
pub mod qr;
pub mod receipt;
mod refusal;
pub mod request;
mod sealed;
mod secret;
mod text;
mod time;
pub mod tls_proof;
pub mod transfer;
mod verified;

pub use card::{Card, MAX_CARD, VerifierKey, Witnesses};
pub use cbor::Malformed;
pub use certificate::{Certificate, MAX_CERTIFICATE};
pub use code::Code;
pub use ids::{DeviceId, KeyId, MakerId, Nonce, RequestIdentity};
pub use keys::{OpeningKey, OpeningPublicKey, PublicKey, SigningKey};
pub use log_key::log_verifier_key;
pub use refusal::Refusal;
pub use text::{BaseUrl, CardName, CaseNumber, Firmware, Language, Model, ReservedEmail, Serial, TextError};
pub use time::{Calendar, Time};
pub use verified::Verified;
