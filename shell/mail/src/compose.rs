//! What an owner gets: from plain data to the bytes of a message (RFC 5322).
//!
//! The same letter gives the same bytes each time, so that a sender that repeats itself after a crash repeats one message,
//! recognisable by its Message-ID, and not a second one.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use askama::Template;
use lettre::message::{
    Mailbox, Message, MessageBuilder, MultiPart, SinglePart,
    header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
};
use zeroize::Zeroizing;

use crate::{
    address::Address,
    shown,
    wording::{self, PurposeWording, Wording},
};

/// Delimits the parts. Both are quoted-printable or base64, in which `=_` cannot stand.
const BOUNDARY: &str = "=_sparekey_alternative";
/// What `Auto-Submitted` says of letters that answer no other mail (RFC 3834 section 5).
const GENERATED: &str = "auto-generated";
/// The last second that a `Date` header can name, 9999-12-31.
const LAST_DATE: u64 = 253_402_300_799;

/// What the code in a letter is for (protocol section 4, purposes 1 and 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To choose a new password.
    Reset,
    /// To confirm that the reserved email reaches its owner.
    ConfirmAddress,
}

/// A code for an owner. All times are Unix seconds.
pub struct CodeLetter<'a> {
    /// What the code is for.
    pub purpose: Purpose,
    /// Whom it goes to.
    pub to: &'a Address,
    /// Eight decimal digits.
    pub code: &'a str,
    /// Serial number of the device.
    pub serial: &'a str,
    /// Model of the device.
    pub model: &'a str,
    /// Firmware of the device; shown only if it looks like a version.
    pub firmware: Option<&'a str>,
    /// The device's own clock when it made the request; may be wrong.
    pub device_time: u64,
    /// When the device was started, by its own clock.
    pub start_time: u64,
    /// When the service received the request.
    pub received_at: u64,
    /// When the mail was written (its `Date`).
    pub date: u64,
    /// The owner's language (BCP 47); English if it is not spoken here.
    pub language: &'a str,
    /// `<left@right>` (RFC 5322 section 3.6.4), the same whenever this letter is composed again.
    pub message_id: &'a str,
}

/// Why a letter could not be composed; always a fault of the program, never of the owner.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The code is not eight digits.
    #[error("the code is not eight digits\nThis is a fault of the service; report it.")]
    Code,
    /// The Message-ID is not `<dot-atom@dot-atom>` of at most 200 bytes.
    #[error("the message id is malformed\nThis is a fault of the service; report it.")]
    MessageId,
    /// The parts do not make a message.
    #[error("the message could not be built\nThis is a fault of the service; report it.")]
    Message,
}

/// Who a mail comes from and whom it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go; nowhere (`<>`), so that nothing answers an automatic answer (RFC 3834 section 3.3).
    pub from: Option<Address>,
    /// The only recipient.
    pub to: Address,
    /// What the service calls itself when it speaks to a mail server: the domain it writes from.
    pub hello: String,
}

/// A message ready to be handed over. Wiped from memory when dropped: it holds the code.
pub struct Letter {
    envelope: Envelope,
    bytes: Zeroizing<Vec<u8>>,
}

impl Letter {
    /// The same without an envelope sender: no bounce of it goes anywhere.
    pub(crate) fn coming_back_to_nobody(mut self) -> Self {
        self.envelope.from = None;
        self
    }

    /// Sender and recipient.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The message (RFC 5322): lines end in CRLF and are short, all is ASCII unless an address is not (RFC 6532).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Shows the envelope only.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("envelope", &self.envelope).finish_non_exhaustive()
    }
}

/// What all letters of a service share.
#[derive(Debug, Clone)]
pub struct Letterhead {
    service_name: String,
    from: Address,
}

impl Letterhead {
    /// `service_name` is the name that people know the service by; `from` is the mailbox it writes from.
    #[must_use]
    pub fn new(service_name: &str, from: Address) -> Self {
        Self { service_name: shown::plain(service_name, 64), from }
    }

    pub(crate) fn service_name(&self) -> &str {
        &self.service_name
    }

    /// The mailbox that letters come from; its domain suits a Message-ID.
    #[must_use]
    pub fn from(&self) -> &Address {
        &self.from
    }

    /// Writes a letter.
    ///
    /// # Errors
    /// [`ComposeError`] if code or Message-ID are not what they must be; whatever a device says is made fit to be shown.
    pub fn compose(&self, letter: &CodeLetter<'_>) -> Result<Letter, ComposeError> {
        if letter.code.len() != 8 || !letter.code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ComposeError::Code);
        }
        let wording = wording::for_language(letter.language);
        let body = Body::new(self, letter, wording);
        let subject = body.purpose.subject.replace("{serial}", &shown::plain(letter.serial, 48));
        let message = self
            .headed(GENERATED, letter.to, subject, letter.date, wording.tag, letter.message_id)?
            .multipart(body.into_parts()?)
            .map_err(|_| ComposeError::Message)?;
        Ok(self.letter(letter.to, &message))
    }

    /// Writes a letter of plain text.
    pub(crate) fn compose_text(&self, letter: TextLetter<'_>) -> Result<Letter, ComposeError> {
        let message = self
            .headed(GENERATED, letter.to, letter.subject, letter.date, letter.language, letter.message_id)?
            .singlepart(part(ContentType::TEXT_PLAIN, letter.text))
            .map_err(|_| ComposeError::Message)?;
        Ok(self.letter(letter.to, &message))
    }

    /// The headers that all letters have. Nobody's machine is to answer them (RFC 3834 section 5).
    pub(crate) fn headed(
        &self,
        auto_submitted: &str,
        to: &Address,
        subject: String,
        date: u64,
        language: &str,
        message_id: &str,
    ) -> Result<MessageBuilder, ComposeError> {
        if !is_message_id(message_id) {
            return Err(ComposeError::MessageId);
        }
        Ok(Message::builder()
            .from(Mailbox::new(Some(self.service_name.clone()), self.from.for_transport()))
            .to(Mailbox::new(None, to.for_transport()))
            .subject(subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(date.min(LAST_DATE)))
            .message_id(Some(message_id.to_owned()))
            .raw_header(header("Content-Language", language))
            .raw_header(header("Auto-Submitted", auto_submitted))
            .raw_header(header("X-Auto-Response-Suppress", "All")))
    }

    pub(crate) fn letter(&self, to: &Address, message: &Message) -> Letter {
        let envelope = Envelope { from: Some(self.from.clone()), to: to.clone(), hello: self.from.domain().to_owned() };
        Letter { envelope, bytes: Zeroizing::new(message.formatted()) }
    }
}

/// A letter of plain text, all of it fit to be shown.
pub(crate) struct TextLetter<'a> {
    pub(crate) to: &'a Address,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) date: u64,
    pub(crate) language: &'a str,
    pub(crate) message_id: &'a str,
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

pub(crate) fn is_message_id(text: &str) -> bool {
    let dot_atom = |side: &str| {
        side.split('.').all(|atom| {
            !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        })
    };
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    text.len() <= 200
        && inner.and_then(|inner| inner.split_once('@')).is_some_and(|(left, right)| dot_atom(left) && dot_atom(right))
}

/// What both templates show.
struct Body<'a> {
    wording: &'static Wording,
    purpose: &'static PurposeWording,
    /// The code in two groups of four.
    groups: (&'a str, &'a str),
    /// Label and value of each line about the device.
    facts: Vec<(&'static str, String)>,
    footer: String,
}

impl<'a> Body<'a> {
    fn new(head: &Letterhead, letter: &CodeLetter<'a>, wording: &'static Wording) -> Self {
        let clock = |seconds| shown::utc(seconds).unwrap_or_else(|| wording.clock_not_set.to_owned());
        let mut facts = vec![
            (wording.model, shown::plain(letter.model, 32)),
            (wording.serial, shown::plain(letter.serial, 48)),
            (wording.asked_at, clock(letter.received_at)),
            (wording.device_clock, clock(letter.device_time)),
        ];
        if let Some(start) = shown::utc(letter.start_time) {
            facts.push((wording.running_since, start));
        }
        if let Some(version) = letter.firmware.and_then(shown::version) {
            facts.insert(2, (wording.firmware, version));
        }
        Self {
            wording,
            purpose: match letter.purpose {
                Purpose::Reset => &wording.reset,
                Purpose::ConfirmAddress => &wording.confirm,
            },
            groups: letter.code.split_at(4),
            facts,
            footer: wording.footer.replace("{service}", &head.service_name),
        }
    }

    /// Text first, HTML last: a program shows the last part that it understands (RFC 2046 section 5.1.4).
    fn into_parts(self) -> Result<MultiPart, ComposeError> {
        let (wording, purpose, (first, second)) = (self.wording, self.purpose, self.groups);
        let (facts, footer) = (&self.facts, self.footer.as_str());
        let text = CodeText { wording, purpose, first, second, facts, footer }.render();
        let html = CodeHtml { wording, purpose, first, second, facts, footer }.render();
        Ok(MultiPart::alternative()
            .boundary(BOUNDARY)
            .singlepart(part(ContentType::TEXT_PLAIN, text.map_err(|_| ComposeError::Message)?))
            .singlepart(part(ContentType::TEXT_HTML, html.map_err(|_| ComposeError::Message)?)))
    }
}

/// Encoded so that no line is longer than 76 bytes and no byte of the content can be taken for a line's end by anybody on
/// the way: quoted-printable, or base64 where most of it is not ASCII.
pub(crate) fn part(content_type: ContentType, content: String) -> SinglePart {
    let mostly_ascii = content.chars().filter(char::is_ascii).count() * 2 > content.chars().count();
    let encoding =
        if mostly_ascii { ContentTransferEncoding::QuotedPrintable } else { ContentTransferEncoding::Base64 };
    SinglePart::builder().header(content_type).header(encoding).body(content)
}

#[derive(Template)]
#[template(path = "mail/code.txt")]
struct CodeText<'a> {
    wording: &'static Wording,
    purpose: &'static PurposeWording,
    first: &'a str,
    second: &'a str,
    facts: &'a [(&'static str, String)],
    footer: &'a str,
}

#[derive(Template)]
#[template(path = "mail/code.html")]
struct CodeHtml<'a> {
    wording: &'static Wording,
    purpose: &'static PurposeWording,
    first: &'a str,
    second: &'a str,
    facts: &'a [(&'static str, String)],
    footer: &'a str,
}
