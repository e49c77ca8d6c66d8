//! A try, and what it was worth.

use alloc::vec::Vec;

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, on_this_link},
    event::EventKind,
    pending::RecoveryId,
    proof::{CheckedProof, ProofCheck, Typed},
    recovery::reset_by,
    token::Ticket,
    ways::Why,
};

/// What a right proof brought.
#[derive(Debug)]
pub enum Progress {
    /// It was the last one: a ticket for a new password, good for ten minutes.
    Proven(Ticket),
    /// Another part of the request waits for its own.
    More,
}

impl Device {
    /// Counts a try, on disk, and then hands out what the typed proof is checked against.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::NotActive`], [`Refusal::MethodNotReady`] after the stop, [`Refusal::Expired`],
    /// [`Refusal::TooManyTries`] when none is left; [`Refusal::Malformed`] if the request does not wait for such a proof.
    pub fn take_try(
        &mut self,
        now: Now,
        caller: Caller,
        id: RecoveryId,
        typed: Typed,
    ) -> Result<Change<'_, ProofCheck>, Refusal> {
        on_this_link(caller)?;
        self.owner()?;
        let (side, kind) = (caller.side(), typed.kind());
        let class = kind.class();
        if self.state().guards.is_closed(class, side) {
            return Err(Refusal::MethodNotReady(Why::TooManyWrongCodes));
        }
        let mut next = self.next(now);
        let running = next.running;
        let retry_after = next.guards.wait_left(class, side, running);
        let pending = reset_by(&mut next, caller, id).filter(|pending| !pending.is_proven()).ok_or(Refusal::Expired)?;
        let mut against = Vec::new();
        let mut last = false;
        for (number, part) in pending.waiting_for(kind) {
            part.tries_left = part.tries_left.checked_sub(1).ok_or(Refusal::TooManyTries { retry_after })?;
            last |= part.tries_left == 0;
            against.push((number, part.awaited.against()));
        }
        if against.is_empty() {
            return Err(Refusal::Malformed);
        }
        let closed = next.guards.count_try(class, side, running);
        if last {
            next.guards.wait(class, side, running);
        }
        if closed {
            next.record.add(now.clock, EventKind::CodesClosed, caller);
        }
        Ok(Change::new(self, next, ProofCheck { id, typed, against }))
    }

    /// Turns the verdict on a proof into a ticket for a new password, or counts it as one part of what is asked for.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::Expired`]; the inner one is [`Refusal::WrongProof`].
    pub fn redeem(
        &mut self,
        now: Now,
        caller: Caller,
        checked: &CheckedProof,
        seed: &[u8; 32],
    ) -> Result<Change<'_, Result<Progress, Refusal>>, Refusal> {
        on_this_link(caller)?;
        let mut next = self.next(now);
        let running = next.running;
        let pending =
            reset_by(&mut next, caller, checked.id).filter(|pending| !pending.is_proven()).ok_or(Refusal::Expired)?;
        let Some(part) = checked.right else {
            let tries_left = pending.waiting_for(checked.kind).map(|(_, part)| part.tries_left).min();
            let tries_left = tries_left.ok_or(Refusal::Expired)?;
            next.record.add(now.clock, EventKind::WrongCode, caller);
            return Ok(Change::new(self, next, Err(Refusal::WrongProof { tries_left })));
        };
        if pending.waiting_for(checked.kind).all(|(number, _)| number != part) {
            return Err(Refusal::Expired);
        }
        if !pending.prove(part) {
            return Ok(Change::new(self, next, Ok(Progress::More)));
        }
        let ticket = Ticket::from_seed(seed);
        pending.accept(running, &ticket);
        next.guards.reset_side(caller.side());
        next.record.add(now.clock, EventKind::RecoveryProven, caller);
        Ok(Change::new(self, next, Ok(Progress::Proven(ticket))))
    }
}
