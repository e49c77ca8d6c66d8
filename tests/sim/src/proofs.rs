//! Proofs in people's hands, each with what is known about it: which file, which line of a sheet, which answers, whose grant.

use std::fmt;

use sparekey_device::{
    Typed,
    ways::{Answers, SheetCode},
};
use sparekey_protocol::{
    CaseNumber, Code, DeviceId, Nonce, SigningKey, Time,
    files::KeyFilePayload,
    grant::{self, Grant},
    log::{Checkpoint, LogProof},
};

use crate::public_log::{ORIGIN, witnessed};

/// What somebody types or hands over.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Code(String),
    KeyFile(File),
    SheetCode(Line),
    /// The answers of this set: right where the owner chose this one.
    Answers(u64),
    Grant(Paper),
}

/// A key file. Number 0 was made up.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) device: usize,
    pub(crate) number: u64,
    pub(crate) payload: KeyFilePayload,
}

/// A line of a recovery sheet. Number 0 was made up.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) device: usize,
    pub(crate) number: u64,
    pub(crate) code: SheetCode,
}

/// A grant, or what looks like one.
#[derive(Clone)]
pub(crate) struct Paper {
    pub(crate) device: DeviceId,
    pub(crate) nonce: Nonce,
    pub(crate) not_after: u64,
    pub(crate) truth: Truth,
    pub(crate) bundle: Vec<u8>,
}

/// What a grant is really.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// Signed by the service, and in its log.
    Good,
    /// Signed by the service, and in no log: an operator behind the service's back.
    NotInLog,
    /// In the log, of which no witness knows.
    Unwitnessed,
    /// In the log of somebody else.
    OtherLog,
    /// Signed by somebody else.
    OtherSigner,
    /// One bit of it is another.
    Altered,
}

impl Truth {
    /// All that are no grant.
    pub(crate) const FORGED: [Self; 5] =
        [Self::NotInLog, Self::Unwitnessed, Self::OtherLog, Self::OtherSigner, Self::Altered];
}

pub(crate) fn grant_key() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed(&[4; 32])
}

impl fmt::Debug for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Paper({:?}, {:?})", self.truth, self.nonce)
    }
}

impl Paper {
    /// Made at this time, with a log of its own; `bit` is the one that an altered one has wrong.
    pub(crate) fn new(device: DeviceId, nonce: Nonce, time: u64, truth: Truth, bit: usize) -> Self {
        let (issued_at, not_after) = (Time(time), Time(time + Grant::LIFE));
        let case = CaseNumber::new("2026-000001").expect("a short number");
        let grant = Grant { device, nonce, issued_at, not_after, case };
        let (service, other) = (grant_key(), SigningKey::from_seed(&[99; 32]));
        let signed = grant.sign(if truth == Truth::OtherSigner { &other } else { &service });
        let root = grant.leaf(&signed).hash();
        let log = if truth == Truth::OtherLog { other } else { log_key() };
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 1, root }.sign(&log);
        let checkpoint = if truth == Truth::Unwitnessed { checkpoint } else { witnessed(&checkpoint, time) };
        let mut bundle = if truth == Truth::NotInLog {
            signed
        } else {
            grant::bundle(&signed, &LogProof { index: 0, path: Vec::new(), checkpoint: &checkpoint })
        };
        if truth == Truth::Altered {
            let at = bit / 8 % bundle.len();
            bundle[at] ^= 1 << (bit % 8);
        }
        Self { device, nonce, not_after: not_after.0, truth, bundle }
    }
}

impl Given {
    /// As the device takes it.
    pub(crate) fn typed(&self) -> Typed {
        match self {
            Self::Code(digits) => Typed::Code(Code::parse(digits).expect("eight digits")),
            Self::KeyFile(file) => Typed::KeyFile(file.payload.clone()),
            Self::SheetCode(line) => {
                Typed::SheetCode(SheetCode::parse(&line.code.expose()).expect("what is printed can be read"))
            }
            Self::Answers(set) => Typed::Answers(answers(*set)),
            Self::Grant(paper) => Typed::Grant(paper.bundle.clone()),
        }
    }
}

/// Three answers, of this set.
pub(crate) fn answers(set: u64) -> Answers {
    let [one, two, three] = ["rex", "blue", "lisbon"].map(|answer| format!("{answer} {set}"));
    Answers::new(&[(3, &one), (11, &two), (20, &three)]).expect("three different answers")
}
