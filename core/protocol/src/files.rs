//! Recovery files (protocol section 8): small XML documents that people carry between a device and the desk.
//!
//! Only the payload is believed. The other elements are for people who open the file in an editor: whoever shows them must show
//! what stands in the payload, and say so where the file tells something else. That comparison belongs to the callers, who
//! open the payload; this module reads and writes the envelope, and believes nothing in it.

mod read;
mod write;

use alloc::{string::String, vec::Vec};
use core::fmt;

use minicbor::{Decode, Encode};

pub use self::{read::parse, write::write};
pub use crate::secret::KeyFileSecret;
use crate::{
    ids::DeviceId,
    text::{Firmware, Model, Serial},
    time::Time,
};

/// The most bytes a file has, a batch as well.
pub const MAX_FILE: usize = 64 * 1024;
/// The most requests and grants in one batch.
pub const MAX_BATCH: usize = 200;

const NAMESPACE: &str = "urn:sparekey:recovery:1";
/// The most bytes of an element that is for people.
const MAX_SHOWN: usize = 256;

const REQUEST: &str = "RecoveryRequest";
const GRANT: &str = "RecoveryGrant";
const KEY: &str = "KeyFile";
const BATCH: &str = "Batch";

const REQUEST_ELEMENTS: [&str; 6] = ["Serial", "Model", "Firmware", "DeviceTime", "StartTime", "Payload"];
const GRANT_ELEMENTS: [&str; 4] = ["Serial", "Case", "NotAfter", "Payload"];
const KEY_ELEMENTS: [&str; 3] = ["Serial", "Created", "Payload"];

/// Why a file was refused, or could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// More than 64 KiB.
    TooLong,
    /// Not UTF-8, or declared as something else.
    Encoding,
    /// Not well-formed XML 1.0, or with a document type, an entity of its own, or too many nodes.
    Xml,
    /// Well-formed, and not one of Sparekey's files.
    Root,
    /// An element that is unknown, repeated, missing or too long; an attribute; a processing instruction.
    Element,
    /// A batch of nothing, or of more than 200.
    Batch,
    /// A payload that is not base64, or not what this kind of file carries.
    Payload,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the file is longer than 64 KiB",
            Self::Encoding => "the file is not UTF-8 text",
            Self::Xml => "the file is not plain XML",
            Self::Root => "the file is not a recovery file",
            Self::Element => "the file has an element that does not belong, or lacks one that does",
            Self::Batch => "the batch is empty, or has more than 200 entries",
            Self::Payload => "the file's payload is damaged",
        })
    }
}

impl core::error::Error for FileError {}

/// A file, as its root says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// One recovery request.
    Request(RequestFile),
    /// One grant.
    Grant(GrantFile),
    /// A key file.
    Key(KeyFile),
    /// Several requests or grants, 1 to 200.
    Batch(Vec<Entry>),
}

/// What a batch is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A recovery request.
    Request(RequestFile),
    /// A grant.
    Grant(GrantFile),
}

/// A recovery request in a file. The texts are whatever the file says; [`crate::request::open`] the payload to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFile {
    /// For people: the serial.
    pub serial: String,
    /// For people: the model.
    pub model: String,
    /// For people: the firmware version.
    pub firmware: String,
    /// For people: the device's own time.
    pub device_time: String,
    /// For people: when the device started.
    pub start_time: String,
    /// The request's bytes (protocol section 4), at most [`crate::request::MAX_REQUEST`].
    pub payload: Vec<u8>,
}

impl RequestFile {
    /// The file of a request, with times as people read them (RFC 3339, UTC).
    #[must_use]
    pub fn new(
        serial: &Serial,
        model: &Model,
        firmware: &Firmware,
        device_time: Time,
        start_time: Time,
        request: Vec<u8>,
    ) -> Self {
        Self {
            serial: serial.as_str().into(),
            model: model.as_str().into(),
            firmware: firmware.as_str().into(),
            device_time: device_time.rfc_3339(),
            start_time: start_time.rfc_3339(),
            payload: request,
        }
    }
}

/// A grant in a file. The texts are whatever the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantFile {
    /// For people: the serial.
    pub serial: String,
    /// For people: the desk's case number.
    pub case: String,
    /// For people: until when the grant is good.
    pub not_after: String,
    /// The grant bundle's bytes (protocol section 6).
    pub payload: Vec<u8>,
}

impl GrantFile {
    /// The file of a grant bundle, with the time as people read it (RFC 3339, UTC).
    #[must_use]
    pub fn new(serial: &Serial, case: &str, not_after: Time, bundle: Vec<u8>) -> Self {
        Self { serial: serial.as_str().into(), case: case.into(), not_after: not_after.rfc_3339(), payload: bundle }
    }
}

/// A key file: who has it gets into that one device. The texts are whatever the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// For people: the serial.
    pub serial: String,
    /// For people: when it was exported.
    pub created: String,
    /// The payload.
    pub payload: KeyFilePayload,
}

impl KeyFile {
    /// The file of a key, with the time as people read it (RFC 3339, UTC).
    #[must_use]
    pub fn new(serial: &Serial, created: Time, payload: KeyFilePayload) -> Self {
        Self { serial: serial.as_str().into(), created: created.rfc_3339(), payload }
    }
}

/// The payload of a key file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KeyFilePayload {
    /// The one device that it opens.
    #[n(0)]
    pub device: DeviceId,
    /// What it opens it with.
    #[n(1)]
    pub secret: KeyFileSecret,
}

/// A text for people, within its bound. Control characters, which XML cannot hold or a terminal obeys, become U+FFFD.
fn shown(text: &str) -> Result<String, FileError> {
    let is_plain = |character: char| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().map(|character| if is_plain(character) { character } else { '\u{fffd}' }).collect();
    if text.len() > MAX_SHOWN { Err(FileError::Element) } else { Ok(text) }
}
