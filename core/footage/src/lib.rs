//! What a recorder decides about recordings: by which clock they are filed ([`RecordingClock`]), where a stream is cut into fragments
//! and files ([`Cutter`]), which recordings go when room is wanted ([`retention`]), and what a timeline shows ([`timeline`]).
//!
//! It reads no clock and touches no file: time, sizes and frames' times are arguments.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that panics is a test that fails

extern crate alloc;

mod clock;
mod cut;
mod moment;
pub mod retention;
pub mod timeline;

pub use clock::RecordingClock;
pub use cut::{Break, Cutter, Verdict};
pub use moment::{Moment, Span, Stretch};
