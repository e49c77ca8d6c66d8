//! What the desk decides: cases that people open, look into, approve, refuse and answer.
//!
//! [`decide()`] answers a [`Command`] of an [`Actor`] with [`Fact`]s or a [`Refusal`]; [`Case::apply`] tells what a case is after
//! a fact. The rules that matter are here and nowhere else: who sees a case ([`Actor::sees`]), who may do what
//! ([`Role`]), that nobody approves what he opened (or, of what came by
//! mail, what he was the first to work on), that a case ends once.
//!
//! Numbers, signatures, files and pages are the shell's. What is verified and what is only claimed stay apart from the
//! beginning: see [`Entry`].

mod actor;
mod case;
mod decide;
mod fact;
mod number;
mod opening;
mod range;
mod text;

pub use actor::{Actor, OperatorId, OrganisationId, Presence, Role};
pub use case::{Answer, Case, Item, Mark, State};
pub use decide::{Command, Decision, GrantHours, Refusal, decide};
pub use fact::{Asked, Call, Claim, Entry, Evidence, EvidenceKind, Fact, Opened, Outcome, Requester, Source, Unfit};
pub use number::number;
pub use opening::{Incoming, Opening, difference};
pub use range::{BadRange, SerialRange};
pub use text::{BadText, Line, Words};
