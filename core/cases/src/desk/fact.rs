use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};
use sparekey_protocol::{
    Certificate, DeviceId, Firmware, Language, MakerId, Model, Nonce, Refusal, RequestIdentity, Serial, Time, log::Act,
    ocra::Question, request::Request,
};

use super::{
    actor::{OperatorId, OrganisationId},
    text::{Line, Words},
};

/// What happened to a case of the desk. Facts are only ever added; a case is what its facts make of it.
///
/// Kept as CBOR: a number that is given here is never given to anything else.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Fact {
    /// The case was opened.
    #[n(1)]
    Opened(#[n(0)] Opened),
    /// Somebody wrote something down.
    #[n(2)]
    Noted {
        /// Who.
        #[n(0)]
        by: OperatorId,
        /// What.
        #[n(1)]
        text: Words,
    },
    /// Evidence was attached.
    #[n(3)]
    EvidenceAdded {
        /// Who did.
        #[n(0)]
        by: OperatorId,
        /// What it is.
        #[n(1)]
        evidence: Evidence,
    },
    /// An item of the checklist was done, or is no longer.
    #[n(4)]
    Checked {
        /// Who says so.
        #[n(0)]
        by: OperatorId,
        /// Which one, from 0.
        #[n(1)]
        item: u32,
        /// Whether it is done.
        #[n(2)]
        done: bool,
    },
    /// The case went to an organisation, or back to the maker.
    #[n(5)]
    HandedOver {
        /// Who did.
        #[n(0)]
        by: OperatorId,
        /// To whom; none for the maker.
        #[n(1)]
        to: Option<OrganisationId>,
    },
    /// A second person approved.
    #[n(6)]
    Approved {
        /// Who: never the one who opened it.
        #[n(0)]
        by: OperatorId,
    },
    /// The case ended without help.
    #[n(7)]
    Refused {
        /// Who refused.
        #[n(0)]
        by: OperatorId,
        /// Why, as the owner is told.
        #[n(1)]
        reason: Words,
    },
    /// Grants were issued for these entries. Each stands in the public log before it is handed out.
    #[n(8)]
    Granted {
        /// Who asked for them.
        #[n(0)]
        by: OperatorId,
        /// When, as the grants say.
        #[n(1)]
        issued_at: Time,
        /// Until when they are good, as the grants say.
        #[n(2)]
        not_after: Time,
        /// For which entries, from 0.
        #[n(3)]
        entries: Vec<u32>,
    },
    /// The eight digits of one entry were shown, once. That it was asked for them stands in the public log before.
    #[n(9)]
    KeyShown {
        /// To whom.
        #[n(0)]
        by: OperatorId,
        /// When.
        #[n(1)]
        at: Time,
        /// Of which entry, from 0.
        #[n(2)]
        entry: u32,
    },
    /// It was asked for the eight digits of one entry: a leaf in the public log says so before they are shown.
    #[n(12)]
    KeyAsked {
        /// By whom.
        #[n(0)]
        by: OperatorId,
        /// When, as the log says.
        #[n(1)]
        at: Time,
        /// Of which entry, from 0.
        #[n(2)]
        entry: u32,
    },
    /// The owner's mail about a refusal went out.
    #[n(10)]
    MailSent,
    /// The owner's mail about a refusal will not arrive.
    #[n(11)]
    MailRefused,
    /// The same requests came in once more, and somebody else may have sent them: whoever stands before a device can.
    #[n(13)]
    SentAgain {
        /// Who took them in.
        #[n(0)]
        by: OperatorId,
        /// How they came.
        #[n(1)]
        source: Source,
        /// Who says to be the owner this time.
        #[n(2)]
        requester: Requester,
    },
}

impl Fact {
    /// Its name, for those who read the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::Noted { .. } => "noted",
            Self::EvidenceAdded { .. } => "evidence-added",
            Self::Checked { .. } => "checked",
            Self::HandedOver { .. } => "handed-over",
            Self::Approved { .. } => "approved",
            Self::Refused { .. } => "refused",
            Self::Granted { .. } => "granted",
            Self::KeyShown { .. } => "key-shown",
            Self::KeyAsked { .. } => "key-asked",
            Self::MailSent => "mail-sent",
            Self::MailRefused => "mail-refused",
            Self::SentAgain { .. } => "sent-again",
        }
    }

    /// Who did it; none for what the service noted by itself.
    #[must_use]
    pub fn by(&self) -> Option<OperatorId> {
        match self {
            Self::Opened(Opened { by, .. })
            | Self::Noted { by, .. }
            | Self::EvidenceAdded { by, .. }
            | Self::Checked { by, .. }
            | Self::HandedOver { by, .. }
            | Self::Approved { by }
            | Self::Refused { by, .. }
            | Self::Granted { by, .. }
            | Self::KeyShown { by, .. }
            | Self::KeyAsked { by, .. }
            | Self::SentAgain { by, .. } => Some(*by),
            Self::MailSent | Self::MailRefused => None,
        }
    }
}

/// How a case began. A map, so that later versions can add to it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opened {
    /// Who opened it.
    #[n(0)]
    pub by: OperatorId,
    /// Whose it is; none for the maker's.
    #[n(1)]
    pub organisation: Option<OrganisationId>,
    /// What it was opened from.
    #[n(2)]
    pub source: Source,
    /// Its requests, 1 to 200, with what became of each.
    #[n(3)]
    pub entries: Vec<Entry>,
    /// Who says to be the owner.
    #[n(4)]
    pub requester: Requester,
    /// What is to be looked at before it may be approved.
    #[n(5)]
    pub checklist: Vec<Line>,
}

/// What a case was opened from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Source {
    /// A recovery file.
    #[n(1)]
    File,
    /// A photo of the symbol.
    #[n(2)]
    Photo,
    /// Digits that were pasted.
    #[n(3)]
    Digits,
    /// A request that a phone had handed in.
    #[n(4)]
    Request,
    /// A call: somebody read out a device's serial number and its question.
    #[n(5)]
    Telephone,
    /// A mail to the service.
    #[n(6)]
    Mail,
}

impl Source {
    /// Its name in the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Photo => "photo",
            Self::Digits => "digits",
            Self::Request => "request",
            Self::Telephone => "telephone",
            Self::Mail => "mail",
        }
    }
}

/// Who says to be the owner. Nothing of it is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Requester {
    /// A name.
    #[n(0)]
    pub name: Option<Line>,
    /// Where to write to.
    #[n(1)]
    pub contact: Option<Line>,
    /// The language to write in; the device's own, if none is given.
    #[n(2)]
    pub language: Option<Language>,
}

/// One request of a case: what was verified, apart from what was only claimed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// What the checks of protocol section 4 gave.
    #[n(0)]
    pub outcome: Outcome,
    /// What the file says beside it and the request does not bear out. For an entry that did not open, all that the file says.
    #[n(1)]
    pub claims: Vec<Claim>,
}

/// What became of a request when the case was opened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// Every check held.
    #[n(1)]
    Verified(#[n(0)] Asked),
    /// It is not one that the desk can answer.
    #[n(2)]
    Unfit(#[n(0)] Unfit),
}

/// A verified request, without its code. A map, so that later versions can add to it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Asked {
    /// SHA-256 of its bytes.
    #[n(0)]
    pub identity: RequestIdentity,
    /// Who certified the device.
    #[n(1)]
    pub maker: MakerId,
    /// Which device asks.
    #[n(2)]
    pub device: DeviceId,
    /// What an answer must name.
    #[n(3)]
    pub nonce: Nonce,
    /// The serial number, certified.
    #[n(4)]
    pub serial: Serial,
    /// The model, certified.
    #[n(5)]
    pub model: Model,
    /// The firmware, as the device says under its signature.
    #[n(6)]
    pub firmware: Firmware,
    /// The device's own clock when it made the request: signed, and maybe wrong.
    #[n(7)]
    pub device_time: Time,
    /// When the device started, by the same clock.
    #[n(8)]
    pub start_time: Time,
    /// The owner's language.
    #[n(9)]
    pub language: Language,
    /// What the device asks, if this came by telephone (protocol section 9). Then nothing but the enrolment is verified: firmware, times and
    /// language are nobody's word.
    #[n(10)]
    pub question: Option<Question>,
}

/// A call about a device that its maker enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The device's certificate, out of its enrolment record.
    pub certificate: Certificate,
    /// What it asks, as it was read out.
    pub question: Question,
    /// What stands for the nonce in the leaf of the answer ([`Question::nonce`]).
    pub nonce: Nonce,
}

impl Call {
    /// The same for the same question of the same device, and nobody else's.
    #[must_use]
    pub fn identity(&self) -> RequestIdentity {
        RequestIdentity::of(&[b"sparekey/v1/call".as_slice(), &self.nonce.0].concat())
    }
}

impl Asked {
    pub(super) fn by_telephone(call: &Call) -> Self {
        let certificate = &call.certificate;
        Self {
            identity: call.identity(),
            maker: certificate.maker,
            device: certificate.device_id(),
            nonce: call.nonce,
            serial: certificate.serial.clone(),
            model: certificate.model.clone(),
            firmware: Firmware::new("-").expect("a text of one character"),
            device_time: Time(0),
            start_time: Time(0),
            language: Language::new("en").expect("a tag of two letters"),
            question: Some(call.question),
        }
    }

    /// As what the public log has it that the eight digits were given out.
    #[must_use]
    pub fn key_act(&self) -> Act {
        if self.question.is_some() { Act::SecurityCodeIssued } else { Act::CodeReadOut }
    }

    pub(super) fn of(request: &Request) -> Self {
        let (certificate, contents) = (&request.certificate, &request.contents);
        Self {
            identity: request.identity,
            maker: certificate.maker,
            device: certificate.device_id(),
            nonce: request.nonce,
            serial: certificate.serial.clone(),
            model: certificate.model.clone(),
            firmware: contents.firmware.clone(),
            device_time: contents.device_time,
            start_time: contents.start_time,
            language: contents.language.clone(),
            question: None,
        }
    }
}

/// Something that a file says and nothing bears out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Claim {
    /// The element's name in the file.
    #[n(0)]
    pub element: String,
    /// What it says: hostile text.
    #[n(1)]
    pub text: String,
}

/// Why the desk cannot answer a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
#[allow(missing_docs)] // the first are those of `sparekey_protocol::Refusal`
pub enum Unfit {
    #[n(1)]
    TooLarge,
    #[n(2)]
    Malformed,
    #[n(3)]
    UnknownMaker,
    #[n(4)]
    BadCertificate,
    #[n(5)]
    Withdrawn,
    #[n(6)]
    BadSignature,
    #[n(7)]
    UnknownKey,
    #[n(8)]
    NotOpened,
    /// It asks for a mail and not for the desk.
    #[n(9)]
    NotForTheDesk,
    /// The same request stands before it in the same file.
    #[n(10)]
    Twice,
    /// The serial number is none of the organisation's.
    #[n(11)]
    NotYours,
    /// The device's maker did not enrol it for security codes.
    #[n(12)]
    NotEnrolled,
    /// Another case is about it, and has not ended without help.
    #[n(13)]
    InACase,
}

impl Unfit {
    /// Its name in the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => Refusal::TooLarge.name(),
            Self::Malformed => Refusal::Malformed.name(),
            Self::UnknownMaker => Refusal::UnknownMaker.name(),
            Self::BadCertificate => Refusal::BadCertificate.name(),
            Self::Withdrawn => Refusal::Withdrawn.name(),
            Self::BadSignature => Refusal::BadSignature.name(),
            Self::UnknownKey => Refusal::UnknownKey.name(),
            Self::NotOpened => Refusal::NotOpened.name(),
            Self::NotForTheDesk => "not-for-the-desk",
            Self::Twice => "twice",
            Self::NotYours => "not-yours",
            Self::NotEnrolled => "not-enrolled",
            Self::InACase => "in-a-case",
        }
    }
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::TooLarge => Self::TooLarge,
            Refusal::Malformed => Self::Malformed,
            Refusal::UnknownMaker => Self::UnknownMaker,
            Refusal::BadCertificate => Self::BadCertificate,
            Refusal::Withdrawn => Self::Withdrawn,
            Refusal::BadSignature => Self::BadSignature,
            Refusal::UnknownKey => Self::UnknownKey,
            Refusal::NotOpened => Self::NotOpened,
        }
    }
}

/// Something attached to a case. The bytes are the shell's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Evidence {
    /// What somebody called it.
    #[n(0)]
    pub name: Line,
    /// What its content is, whatever its name says.
    #[n(1)]
    pub kind: EvidenceKind,
    /// Bytes, as kept.
    #[n(2)]
    pub size: u32,
    /// SHA-256 of what is kept.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
}

/// What may be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EvidenceKind {
    /// A picture, drawn anew as JPEG.
    #[n(1)]
    Picture,
    /// A PDF with the pages of what was attached and nothing beside them. Never shown in a page.
    #[n(2)]
    Pdf,
}

impl EvidenceKind {
    /// Its name in the interface.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Pdf => "pdf",
        }
    }
}
