//! A change of owner: the old one hands the device over, and a code with it.
//!
//! The device has no owner then, as on its first day; but only who has the transfer code can activate it, so that a stranger on the
//! link cannot grab it meanwhile. Who lost the code resets the device by hand ([`crate::Device::factory_reset`]).

use alloc::vec::Vec;
use core::fmt;

use minicbor::{Decode, Encode};
use sparekey_protocol::transfer::Statement;

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, on_this_link},
    event::EventKind,
    guard::Class,
    login::Checked,
    notice::NoticeKind,
    presence::Recordings,
    slow_hash::{HashingCost, SlowHash},
    ways::SheetCode,
};

/// A transfer code and its hash, made off the device's lock.
pub struct TransferDraft {
    code: SheetCode,
    hash: SlowHash,
}

impl TransferDraft {
    /// Slow: hashes the code of these random bytes.
    #[must_use]
    pub fn make(seed: &[u8; 10], salt: [u8; 16], cost: HashingCost) -> Self {
        let code = SheetCode::from_seed(seed);
        let hash = SlowHash::make(code.symbols(), salt, cost.for_codes());
        Self { code, hash }
    }
}

impl fmt::Debug for TransferDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransferDraft(secret)")
    }
}

/// What the old owner hands over with the device.
#[derive(Debug)]
pub struct Transferred {
    /// To be typed at the activation. It comes out once.
    pub code: SheetCode,
    /// The device's word that it was handed over ([`sparekey_protocol::transfer`]).
    pub statement: Vec<u8>,
}

/// A transfer code's hash on its way to the thread that computes. Its try is counted already.
pub struct TransferCheck {
    hash: SlowHash,
    typed: SheetCode,
}

impl TransferCheck {
    /// Slow.
    #[must_use]
    pub fn run(self) -> CheckedTransfer {
        CheckedTransfer { tag: self.hash.tag_of(self.typed.symbols()) }
    }
}

impl fmt::Debug for TransferCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransferCheck(secret)")
    }
}

/// What came out for a typed transfer code. It counts only for the transfer that it was typed for.
pub struct CheckedTransfer {
    tag: Option<[u8; 32]>,
}

impl fmt::Debug for CheckedTransfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckedTransfer(secret)")
    }
}

/// A transfer that waits for the new owner.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Waiting {
    #[n(0)]
    hash: SlowHash,
}

impl Waiting {
    pub(crate) fn is_opened_by(&self, checked: &CheckedTransfer) -> bool {
        checked.tag.as_ref().is_some_and(|tag| self.hash.has_tag(tag))
    }
}

impl Device {
    /// Hands the device over: contacts, ways, password and sessions are void, it has no owner, and waits for the new one. Then the
    /// agent is to erase the recordings if it was asked to, and to restart.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password.
    pub fn transfer(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        recordings: Recordings,
        draft: TransferDraft,
    ) -> Result<Change<'_, Transferred>, Refusal> {
        let (mut next, _) = self.changed_by_owner(now, token, checked)?;
        next.notify(now, NoticeKind::Transferred, None);
        next.end_ownership(recordings);
        next.transfer = Some(Waiting { hash: draft.hash });
        next.record.add(now.clock, EventKind::Transferred, caller);
        let statement = Statement {
            device: self.identity().device_id(),
            at: now.clock,
            number: next.record.last_number(),
            recordings_kept: recordings == Recordings::Keep,
        };
        let statement = statement.sign(&self.identity().key);
        Ok(Change::new(self, next, Transferred { code: draft.code, statement }))
    }

    /// Whether the device waits for a new owner with a transfer code.
    #[must_use]
    pub fn awaits_transfer(&self) -> bool {
        self.state().transfer.is_some()
    }

    /// Counts a try at the transfer code, on disk, and hands out what it is checked against. Its waits are those of the recovery
    /// sheet's codes, apart for the screen and the network.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`]; [`Refusal::Expired`] if no transfer waits; [`Refusal::TooManyTries`].
    pub fn take_transfer_try(
        &mut self,
        now: Now,
        caller: Caller,
        typed: SheetCode,
    ) -> Result<Change<'_, TransferCheck>, Refusal> {
        on_this_link(caller)?;
        let mut next = self.next(now);
        let hash = next.transfer.as_ref().ok_or(Refusal::Expired)?.hash.clone();
        let (side, running) = (caller.side(), next.running);
        match next.guards.wait_left(Class::Sheet, side, running) {
            0 => {}
            retry_after => return Err(Refusal::TooManyTries { retry_after }),
        }
        next.guards.count_try(Class::Sheet, side, running);
        Ok(Change::new(self, next, TransferCheck { hash, typed }))
    }

    /// A device that was handed over is activated by who has the code.
    pub(crate) fn may_activate(
        &self,
        now: Now,
        caller: Caller,
        transfer: Option<&CheckedTransfer>,
    ) -> Result<(), Refusal> {
        let Some(waiting) = &self.state().transfer else { return Ok(()) };
        if transfer.is_some_and(|checked| waiting.is_opened_by(checked)) {
            return Ok(());
        }
        let left = self.state().guards.tries_left(Class::Sheet, caller.side(), self.running(now));
        Err(Refusal::WrongProof { tries_left: left.unwrap_or(0) })
    }
}
