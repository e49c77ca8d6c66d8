//! The ways back in: one file each, which says when the way is ready, what its owner sets up, and what proves it.

pub(crate) mod desk;
pub(crate) mod email;
pub(crate) mod key_file;
pub(crate) mod questions;
pub(crate) mod readiness;
pub(crate) mod security_code;
pub(crate) mod sheet;
pub(crate) mod sheet_code;

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sparekey_protocol::Time;

pub use self::{
    email::ContactRule,
    questions::{Answers, BadAnswers, HashedAnswers, QuestionId},
    readiness::{FEWEST, WayView},
    sheet::{SheetCodeState, SheetDraft, SheetSeeds, SheetView},
    sheet_code::{BadSheetCode, SheetCode},
};

/// A way back in. The numbers are kept in vaults: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Way {
    /// A code to the reserved email.
    #[n(0)]
    Email,
    /// A grant from the desk.
    #[n(1)]
    Desk,
    /// A key file that was exported earlier.
    #[n(2)]
    KeyFile,
    /// A code from the printed recovery sheet.
    #[n(3)]
    Sheet,
    /// Three security questions.
    #[n(4)]
    Questions,
    /// Eight digits by telephone.
    #[n(5)]
    SecurityCode,
}

impl Way {
    /// All of them, the likeliest first.
    pub const ALL: [Self; 6] =
        [Self::Email, Self::Sheet, Self::KeyFile, Self::Desk, Self::Questions, Self::SecurityCode];

    /// The stable name (protocol sections 10 and 11).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Desk => "desk",
            Self::KeyFile => "keyfile",
            Self::Sheet => "sheet",
            Self::Questions => "questions",
            Self::SecurityCode => "seccode",
        }
    }

    /// The way of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// Whether it may be the second way that a maker's policy asks for beside security questions. The desk takes days.
    #[must_use]
    pub fn goes_beside_questions(self) -> bool {
        !matches!(self, Self::Questions | Self::Desk)
    }

    /// Whether it goes through the recovery service: off where the owner wants no service at all.
    #[must_use]
    pub fn needs_service(self) -> bool {
        match self {
            Self::Email | Self::Desk | Self::SecurityCode => true,
            Self::KeyFile | Self::Sheet | Self::Questions => false,
        }
    }
}

/// Whether a way would work now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It works.
    Ready,
    /// It works as far as the device can tell, but its owner never proved it.
    Unproven,
    /// It does not.
    NotReady(Why),
}

/// Why a way is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The device has no owner yet.
    NotActive,
    /// The owner did not set it up.
    NotSetUp,
    /// A hundred wrong codes in a row came from callers of this kind.
    TooManyWrongCodes,
    /// Twenty wrong sets of answers in a row came from callers of this kind.
    TooManyWrongAnswers,
    /// The pinned card names a key that nothing can be sealed to.
    BadCard,
    /// The key file was used: a new one is to be exported.
    VoidAfterUse,
    /// The administrator's password was changed after the key file was exported: a new one is to be exported.
    VoidAfterPasswordChange,
    /// Every code of the recovery sheet was used or voided.
    UsedUp,
    /// The owner switched it off.
    SwitchedOff,
    /// The owner wants no recovery service at all.
    NoService,
    /// The maker's policy does not allow it.
    Forbidden,
    /// It counts only beside a second way, and no other is ready.
    NeedsSecondWay,
    /// Two reserved emails are to be confirmed first.
    NotConfirmed,
    /// The device shares no secret for security codes with its service.
    NotEnrolled,
}

impl Why {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotActive => "not-active",
            Self::NotSetUp => "not-set-up",
            Self::TooManyWrongCodes => "too-many-wrong-codes",
            Self::TooManyWrongAnswers => "too-many-wrong-answers",
            Self::BadCard => "bad-card",
            Self::VoidAfterUse => "void-after-use",
            Self::VoidAfterPasswordChange => "void-after-password-change",
            Self::UsedUp => "used-up",
            Self::SwitchedOff => "switched-off",
            Self::NoService => "no-service",
            Self::Forbidden => "forbidden-by-maker",
            Self::NeedsSecondWay => "needs-second-way",
            Self::NotConfirmed => "not-confirmed",
            Self::NotEnrolled => "not-enrolled",
        }
    }
}

/// What an owner set up, and what was found out about it. A part of the owner's record in the vault.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SetUp {
    #[cbor(n(0), default)]
    pub(crate) key_file: key_file::Kept,
    #[n(1)]
    pub(crate) sheet: Option<sheet::Sheet>,
    #[n(2)]
    pub(crate) questions: Option<HashedAnswers>,
    #[cbor(n(3), default)]
    pub(crate) contact_rule: ContactRule,
    #[cbor(n(4), default)]
    pub(crate) switches: Switches,
    #[cbor(n(5), default)]
    tested: Vec<Tested>,
}

/// When a way was last found to work, by the device's clock.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct Tested {
    #[n(0)]
    way: Way,
    #[n(1)]
    at: Time,
}

/// What the owner switched, where it differs from how it comes.
#[derive(Clone, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Switches {
    #[n(0)]
    pub(crate) switched: Vec<Way>,
    /// No recovery service at all.
    #[n(1)]
    pub(crate) no_service: bool,
}

impl Switches {
    /// The security code is off until it is switched on; everything else is on until it is switched off.
    pub(crate) fn is_on(&self, way: Way) -> bool {
        self.switched.contains(&way) == (way == Way::SecurityCode)
    }

    pub(crate) fn switch(&mut self, way: Way, on: bool) {
        if self.is_on(way) != on {
            match self.switched.iter().position(|switched| *switched == way) {
                Some(at) => drop(self.switched.remove(at)),
                None => self.switched.push(way),
            }
        }
    }
}

impl SetUp {
    /// What may be set up on the first day.
    pub(crate) fn with_questions(questions: Option<HashedAnswers>) -> Self {
        Self { questions, ..Self::default() }
    }

    pub(crate) fn tested(&self, way: Way) -> Option<Time> {
        self.tested.iter().find(|tested| tested.way == way).map(|tested| tested.at)
    }

    /// It was found to work.
    pub(crate) fn set_tested(&mut self, way: Way, at: Time) {
        self.forget_test(way);
        self.tested.push(Tested { way, at });
    }

    /// What was found out was found out about something that is no more.
    pub(crate) fn forget_test(&mut self, way: Way) {
        self.tested.retain(|tested| tested.way != way);
    }

    /// What a new password voids. `by` are the ways that proved it, if it was a recovery.
    pub(crate) fn password_changed(&mut self, by: &[Way]) {
        if self.key_file.void(by.contains(&Way::KeyFile)) {
            self.forget_test(Way::KeyFile);
        }
    }
}
