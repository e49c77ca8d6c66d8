//! A try, and what it was worth.

use alloc::vec::Vec;

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now, on_this_link},
    event::EventKind,
    guard::Class,
    notice::NoticeKind,
    pending::{Pending, Purpose, RecoveryId},
    proof::{CheckedProof, Kind, Of, ProofCheck, Typed, Verdict},
    recovery::of_caller,
    state::State,
    token::Ticket,
    ways::{Way, Why},
};

/// What a right proof brought.
#[derive(Debug)]
pub enum Progress {
    /// It was the last one: a ticket for a new password, good for ten minutes.
    Proven(Ticket),
    /// Another part of the request waits for its own.
    More,
    /// It was a dry test: the way works, and nothing else changed.
    Tested,
}

impl Device {
    /// Counts a try, on disk, and then hands out what the typed proof is checked against.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::NotActive`], [`Refusal::MethodNotReady`] after the stop, [`Refusal::Expired`],
    /// [`Refusal::TooManyTries`] when none is left; [`Refusal::Malformed`] if the request does not wait for such a proof. None of them
    /// costs a try.
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
        let mut next = self.next(now);
        let running = next.running;
        if next.guards.is_closed(class, side) {
            return Err(Refusal::MethodNotReady(closed(class)));
        }
        let none_left = Refusal::TooManyTries { retry_after: next.guards.wait_left(class, side, running) };
        let tries_left = next.guards.tries_left(class, side, running);

        let pending = open(&mut next, caller, id)?;
        let purpose = pending.purpose;
        let numbers: Vec<_> = pending.waiting_for(kind).map(|(number, _)| number).collect();
        if numbers.is_empty() {
            return Err(Refusal::Malformed);
        }
        if tries_left == Some(0) {
            return Err(none_left);
        }
        let mut last = false;
        if class == Class::Codes {
            for (_, part) in pending.waiting_for(kind) {
                part.tries_left = part.tries_left.checked_sub(1).ok_or(none_left)?;
                last |= part.tries_left == 0;
            }
        }
        let awaited: Vec<_> =
            numbers.into_iter().map(|number| (number, pending.parts[number].awaited.clone())).collect();
        let against = |(number, awaited)| Some((number, self.against(now, &next, purpose, &awaited, kind)?));
        let against = awaited.into_iter().map(against).collect::<Option<Vec<_>>>().ok_or(Refusal::Expired)?;

        let is_closed = next.guards.count_try(class, side, running);
        if last {
            next.guards.wait(class, side, running);
        }
        if is_closed {
            let kind = if class == Class::Answers { EventKind::AnswersClosed } else { EventKind::CodesClosed };
            next.record.add(now.clock, kind, caller);
        }
        Ok(Change::new(self, next, ProofCheck { id, typed, against }))
    }

    /// Turns the verdict on a proof into a ticket for a new password, or counts it as one part of what is asked for.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::Expired`]; the inner one is [`Refusal::WrongProof`] or, of a file,
    /// [`Refusal::NotForThisDevice`], [`Refusal::NotInLog`], [`Refusal::Expired`] or [`Refusal::Malformed`]. An inner one was put on record.
    pub fn redeem(
        &mut self,
        now: Now,
        caller: Caller,
        checked: &CheckedProof,
        seed: &[u8; 32],
    ) -> Result<Change<'_, Result<Progress, Refusal>>, Refusal> {
        on_this_link(caller)?;
        let mut next = self.next(now);
        let side = caller.side();
        let of = match checked.verdict {
            Verdict::Right(of) => of,
            Verdict::Wrong | Verdict::Refused(_) => {
                let refusal = wrong(&mut next, now, caller, checked)?;
                return Ok(Change::new(self, next, Err(refusal)));
            }
        };
        let purpose = open(&mut next, caller, checked.id)?.purpose;
        if !still_there(&next, purpose, of) {
            return Err(Refusal::Expired);
        }
        let running = next.running;
        let pending = open(&mut next, caller, checked.id)?;
        if pending.waiting_for(checked.kind).all(|(number, _)| number != checked.part) {
            return Err(Refusal::Expired);
        }
        let all = pending.prove(checked.part, of);
        let way = pending.way();
        if let Some((nonce, way)) = self.answered_by(pending, checked.part, of) {
            self.note_answered(&mut next, nonce, way, now.clock);
        }
        let pending = open(&mut next, caller, checked.id)?;
        if purpose == Purpose::Test {
            let contact = pending.parts.iter().find_map(|part| part.awaited.contact());
            next.tested(way, contact, now.clock);
            next.pending.retain(|pending| pending.id != checked.id);
            next.guards.uncount_try(checked.kind.class(), side);
            next.record.add_about(now.clock, EventKind::WayTested, caller, Some(way));
            return Ok(Change::new(self, next, Ok(Progress::Tested)));
        }
        if !all {
            return Ok(Change::new(self, next, Ok(Progress::More)));
        }
        let ticket = Ticket::from_seed(seed);
        pending.accept(running, &ticket);
        let worked: Vec<_> = pending.parts.iter().map(|part| part.awaited.way()).collect();
        for way in worked {
            next.tested(way, None, now.clock);
        }
        next.guards.reset_side(side);
        next.record.add_about(now.clock, EventKind::RecoveryProven, caller, Some(way));
        Ok(Change::new(self, next, Ok(Progress::Proven(ticket))))
    }
}

/// A request that still waits for a proof.
fn open(state: &mut State, caller: Caller, id: RecoveryId) -> Result<&mut Pending, Refusal> {
    of_caller(state, caller, id).filter(|pending| !pending.is_proven()).ok_or(Refusal::Expired)
}

/// What was right when it was looked at may be gone meanwhile.
fn still_there(state: &State, purpose: Purpose, of: Of) -> bool {
    match of {
        Of::Part => true,
        Of::SheetCode(code) => {
            let sheet = state.owner.as_ref().and_then(|owner| owner.set_up.sheet.as_ref());
            sheet.is_some_and(|sheet| sheet.is_good(code))
        }
        Of::Request(nonce) => {
            let mut waiting = state.pending.iter().filter(|other| other.purpose == purpose && !other.is_proven());
            waiting.any(|other| other.parts.iter().any(|part| part.awaited.granted_as() == Some(nonce)))
        }
    }
}

/// Puts a wrong proof on record, and says what to answer.
fn wrong(next: &mut State, now: Now, caller: Caller, checked: &CheckedProof) -> Result<Refusal, Refusal> {
    let (class, running) = (checked.kind.class(), next.running);
    let pending = open(next, caller, checked.id)?;
    let purpose = pending.purpose;
    let way = pending.parts.get(checked.part).map_or(Way::Email, |part| part.awaited.way());
    let of_request =
        pending.waiting_for(checked.kind).map(|(_, part)| part.tries_left).min().ok_or(Refusal::Expired)?;
    let tries_left = next.guards.tries_left(class, caller.side(), running).unwrap_or(of_request);
    let kind = if checked.kind == Kind::Code { EventKind::WrongCode } else { EventKind::WrongProof };
    next.record.add_about(now.clock, kind, caller, Some(way));
    if purpose == Purpose::Reset && tries_left == 0 {
        next.notify(now, NoticeKind::Refused, Some(way));
    }
    Ok(match checked.verdict {
        Verdict::Refused(refusal) => refusal,
        Verdict::Right(_) | Verdict::Wrong => Refusal::WrongProof { tries_left },
    })
}

fn closed(class: Class) -> Why {
    match class {
        Class::Answers => Why::TooManyWrongAnswers,
        Class::Codes | Class::Files | Class::Sheet => Why::TooManyWrongCodes,
    }
}
