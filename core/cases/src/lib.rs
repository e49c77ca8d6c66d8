//! What the service decides: whether a request is taken, what becomes of its mail, and what the [`desk`] may do.
//!
//! [`decide()`] answers a [`Command`] with a [`Decision`] or a [`Refusal`]; [`Case::apply`] tells what a case is after a
//! [`Fact`]. A refusal changes nothing. The shell writes the facts of a decision, its buckets and its letter in one
//! transaction, and only then acts.
//!
//! This crate must not read a clock, store, send or query: what is known comes as arguments. What may be believed is
//! `sparekey-protocol`'s to say. Look into `decide.rs` first, then `limits.rs`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod answer;
mod case;
mod decide;
pub mod desk;
mod fact;
mod limits;
mod receipt;

pub use answer::{ANSWERS_TO_ALL, ANSWERS_TO_ONE, answer};
pub use case::{Case, Mail, MailState};
pub use decide::{Command, Decision, Refusal, Submission, decide};
pub use fact::{Fact, Received};
pub use limits::{Bucket, Buckets, Budget, Budgets, Scope};
pub use receipt::decide_receipt;
