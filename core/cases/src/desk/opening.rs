use alloc::{collections::BTreeSet, string::String, vec::Vec};

use sparekey_protocol::{
    Refusal as RequestRefusal, Serial, Verified,
    files::RequestFile,
    request::{Purpose, Request},
};

use super::{
    actor::Actor,
    decide::Refusal,
    fact::{Asked, Call, Claim, Entry, Fact, Opened, Outcome, Requester, Source, Unfit},
    range::SerialRange,
    text::Line,
};

/// Most requests in one case: those of a batch (protocol section 8).
const MOST_ENTRIES: usize = sparekey_protocol::files::MAX_BATCH;
/// Most items of a checklist.
const MOST_ITEMS: usize = 32;

/// What a case is to be opened from.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// How it came.
    pub source: Source,
    /// The requests, 1 to 200.
    pub incoming: &'a [Incoming<'a>],
    /// Who says to be the owner.
    pub requester: &'a Requester,
    /// Of the actor's organisation: the serial numbers that are its own. None means that all are.
    pub ranges: &'a [SerialRange],
    /// Of the actor's organisation: what is to be looked at.
    pub checklist: &'a [Line],
}

/// One request that came in.
#[derive(Clone, Copy, Debug)]
pub enum Incoming<'a> {
    /// The device's own words.
    Request {
        /// What opening it gave.
        request: Result<&'a Verified<Request>, RequestRefusal>,
        /// The file that it came in, with what that says of itself.
        file: Option<&'a RequestFile>,
        /// Whether another case is about it: each request has one.
        in_a_case: bool,
    },
    /// A call about a device; `None` if no device with that serial number is enrolled.
    Call {
        /// What was read out.
        call: Option<&'a Call>,
        /// Whether another case is about it.
        in_a_case: bool,
    },
}

pub(super) fn open(actor: &Actor, opening: &Opening<'_>) -> Result<Fact, Refusal> {
    if !(1..=MOST_ENTRIES).contains(&opening.incoming.len()) || opening.checklist.len() > MOST_ITEMS {
        return Err(Refusal::Malformed);
    }
    let mut seen = BTreeSet::new();
    let entries: Vec<Entry> =
        opening.incoming.iter().map(|incoming| entry(incoming, opening.ranges, &mut seen)).collect();
    // A case that nobody could answer is none: the first reason is the answer.
    let mut unfit = entries.iter().map(|entry| match entry.outcome {
        Outcome::Verified(_) => None,
        Outcome::Unfit(unfit) => Some(unfit),
    });
    if unfit.clone().all(|unfit| unfit.is_some()) {
        return Err(Refusal::Unfit(unfit.next().flatten().expect("there is at least one")));
    }
    Ok(Fact::Opened(Opened {
        by: actor.operator,
        organisation: actor.organisation,
        source: opening.source,
        entries,
        requester: opening.requester.clone(),
        checklist: opening.checklist.to_vec(),
    }))
}

fn entry(
    incoming: &Incoming<'_>,
    ranges: &[SerialRange],
    seen: &mut BTreeSet<sparekey_protocol::RequestIdentity>,
) -> Entry {
    let (request, file, in_a_case) = match *incoming {
        Incoming::Request { request, file, in_a_case } => (request, file, in_a_case),
        Incoming::Call { call, in_a_case } => {
            let outcome = match call {
                None => Outcome::Unfit(Unfit::NotEnrolled),
                Some(call) if !is_within(ranges, &call.certificate.serial) => Outcome::Unfit(Unfit::NotYours),
                Some(_) if in_a_case => Outcome::Unfit(Unfit::InACase),
                Some(call) => Outcome::Verified(Asked::by_telephone(call)),
            };
            return Entry { outcome, claims: Vec::new() };
        }
    };
    let outcome = match request {
        Err(refusal) => Outcome::Unfit(refusal.into()),
        Ok(request) if request.contents.ask.purpose() != Purpose::ResetByDesk => Outcome::Unfit(Unfit::NotForTheDesk),
        Ok(request) if !is_within(ranges, &request.certificate.serial) => Outcome::Unfit(Unfit::NotYours),
        Ok(request) if !seen.insert(request.identity) => Outcome::Unfit(Unfit::Twice),
        Ok(_) if in_a_case => Outcome::Unfit(Unfit::InACase),
        Ok(request) => Outcome::Verified(Asked::of(request)),
    };
    let verified = request.ok();
    let claims = file.map(|file| difference(file, verified.map(|request| &**request))).unwrap_or_default();
    Entry { outcome, claims }
}

/// No ranges mean that all serial numbers are its own.
fn is_within(ranges: &[SerialRange], serial: &Serial) -> bool {
    ranges.is_empty() || ranges.iter().any(|range| range.contains(serial))
}

/// What a file says of itself and the request in it does not bear out; all of it, if there is no request that opened.
#[must_use]
pub fn difference(file: &RequestFile, request: Option<&Request>) -> Vec<Claim> {
    let said = [
        ("Serial", &file.serial),
        ("Model", &file.model),
        ("Firmware", &file.firmware),
        ("DeviceTime", &file.device_time),
        ("StartTime", &file.start_time),
    ];
    let true_file = request.map(|request| {
        let (certificate, contents) = (&request.certificate, &request.contents);
        RequestFile::new(
            &certificate.serial,
            &certificate.model,
            &contents.firmware,
            contents.device_time,
            contents.start_time,
            Vec::new(),
        )
    });
    let meant = |element: &str| -> Option<&String> {
        let file = true_file.as_ref()?;
        Some(match element {
            "Serial" => &file.serial,
            "Model" => &file.model,
            "Firmware" => &file.firmware,
            "DeviceTime" => &file.device_time,
            _ => &file.start_time,
        })
    };
    // An element that is left empty claims nothing.
    let differs = |(element, text): &(&str, &String)| !text.is_empty() && meant(element) != Some(*text);
    said.into_iter()
        .filter(differs)
        .map(|(element, text)| Claim { element: element.into(), text: text.clone() })
        .collect()
}
