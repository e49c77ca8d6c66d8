//! Recovery sheet: up to eight saved codes on a printed page. Each serves once; they survive a change of the password.
//!
//! The codes have 80 bits, fewer than the 112 above which a plain hash would do (OWASP ASVS 6.5.2), so they are kept as Argon2id
//! hashes. All of a sheet have one salt: a typed code is hashed once and compared with each.

use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use sparekey_protocol::Time;
use zeroize::Zeroizing;

use super::{SheetCode, Way, Why};
use crate::{
    Change, Refusal,
    device::{Caller, Device, Now},
    event::EventKind,
    login::Checked,
    proof::{Of, Verdict},
    slow_hash::{HashingCost, SlowHash},
    state::Owner,
};

/// The most codes on a sheet.
const MOST: usize = 8;

/// Fresh random bytes for a sheet.
pub struct SheetSeeds {
    /// For its hashes.
    pub salt: [u8; 16],
    /// One for each code: 1 to 8.
    pub codes: Vec<Zeroizing<[u8; 10]>>,
}

/// The codes of a sheet and their hashes, made off the device's lock.
pub struct SheetDraft {
    codes: Vec<SheetCode>,
    hashes: Vec<SlowHash>,
}

impl SheetDraft {
    /// Slow: hashes every code. `None` unless there are one to eight.
    #[must_use]
    pub fn make(seeds: &SheetSeeds, cost: HashingCost) -> Option<Self> {
        if !(1..=MOST).contains(&seeds.codes.len()) {
            return None;
        }
        let codes: Vec<_> = seeds.codes.iter().map(|seed| SheetCode::from_seed(seed)).collect();
        let hash = |code: &SheetCode| SlowHash::make(code.symbols(), seeds.salt, cost.for_codes());
        Some(Self { hashes: codes.iter().map(hash).collect(), codes })
    }
}

impl fmt::Debug for SheetDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SheetDraft(secret)")
    }
}

/// A sheet, as it is kept.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Sheet {
    #[n(0)]
    made: Time,
    #[n(1)]
    codes: Vec<Saved>,
}

#[derive(Clone, Encode, Decode)]
#[cbor(map)]
struct Saved {
    #[n(0)]
    hash: SlowHash,
    #[n(1)]
    state: SheetCodeState,
}

/// What became of one code of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SheetCodeState {
    /// It is good.
    #[n(0)]
    Good,
    /// A new password was set with it.
    #[n(1)]
    Used,
    /// Its owner voided it.
    #[n(2)]
    Voided,
}

/// A sheet, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetView {
    /// When it was made, by the device's clock.
    pub made: Time,
    /// Its codes, in the order in which they were printed.
    pub codes: Vec<SheetCodeState>,
}

impl Sheet {
    /// How many codes are good.
    pub(crate) fn left(&self) -> usize {
        self.codes.iter().filter(|code| code.state == SheetCodeState::Good).count()
    }

    /// A code came to its end.
    pub(crate) fn end(&mut self, code: usize, state: SheetCodeState) {
        if let Some(code) = self.codes.get_mut(code) {
            code.state = state;
        }
    }

    pub(crate) fn is_good(&self, code: usize) -> bool {
        self.codes.get(code).is_some_and(|code| code.state == SheetCodeState::Good)
    }
}

pub(crate) fn check(owner: &Owner) -> Result<(), Why> {
    match owner.set_up.sheet.as_ref().map(Sheet::left) {
        None => Err(Why::NotSetUp),
        Some(0) => Err(Why::UsedUp),
        Some(_) => Ok(()),
    }
}

/// What a saved code is held against: the good ones, with their numbers.
pub(crate) struct Against(Vec<(usize, SlowHash)>);

impl Against {
    pub(crate) fn of(owner: &Owner) -> Option<Self> {
        let codes = owner.set_up.sheet.as_ref()?.codes.iter().enumerate();
        let good = codes.filter(|(_, code)| code.state == SheetCodeState::Good);
        Some(Self(good.map(|(number, code)| (number, code.hash.clone())).collect()))
    }

    /// Slow: one hash, whichever code it is and if it is none.
    pub(crate) fn verdict(&self, typed: &SheetCode) -> Verdict {
        let Some((_, first)) = self.0.first() else { return Verdict::Wrong };
        let Some(tag) = first.tag_of(typed.symbols()) else { return Verdict::Wrong };
        let is_it = |(_, hash): &&(usize, SlowHash)| hash.has_tag(&tag);
        self.0.iter().find(is_it).map_or(Verdict::Wrong, |(number, _)| Verdict::Right(Of::SheetCode(*number)))
    }
}

impl Device {
    /// Makes a new sheet and answers with its codes, which come out once. Those of an earlier sheet are void, and so is every open
    /// request.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::MethodNotReady`] if the way is switched off.
    pub fn make_sheet(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        draft: SheetDraft,
    ) -> Result<Change<'_, Vec<SheetCode>>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        if !owner.set_up.switches.is_on(Way::Sheet) {
            return Err(Refusal::MethodNotReady(Why::SwitchedOff));
        }
        let codes = draft.hashes.into_iter().map(|hash| Saved { hash, state: SheetCodeState::Good }).collect();
        owner.set_up.sheet = Some(Sheet { made: now.clock, codes });
        owner.set_up.forget_test(Way::Sheet);
        next.owner = Some(owner);
        next.record.add(now.clock, EventKind::SheetMade, caller);
        Ok(Change::new(self, next, draft.codes))
    }

    /// Voids one code of the sheet, counted from 0: one that somebody may have seen. Voided again, it stays so.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::Malformed`] if there is no such code.
    pub fn void_sheet_code(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        code: usize,
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        let sheet = owner.set_up.sheet.as_mut().filter(|sheet| code < sheet.codes.len()).ok_or(Refusal::Malformed)?;
        if sheet.is_good(code) {
            sheet.end(code, SheetCodeState::Voided);
        }
        next.owner = Some(owner);
        next.record.add(now.clock, EventKind::SheetCodeVoided, caller);
        Ok(Change::new(self, next, ()))
    }

    /// The sheet, for who is logged in: which of its codes are good.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`], [`Refusal::NotActive`].
    pub fn sheet(&mut self, now: Now, token: &str) -> Result<Option<SheetView>, Refusal> {
        self.session(now, token)?;
        let view =
            |sheet: &Sheet| SheetView { made: sheet.made, codes: sheet.codes.iter().map(|code| code.state).collect() };
        Ok(self.owner()?.set_up.sheet.as_ref().map(view))
    }
}
