//! All of core in one process: devices, the service with its desk, an owner, strangers, and a carrier that loses, doubles, swaps, delays
//! and alters what it carries; on a clock that passes as it likes, with crashes between any two outputs.
//!
//! [`run`] plays one story. What to do next is drawn from a seed, so that a story that fails can be told again. After each
//! step the devices are compared with a reference model of plain counters (`model/`), and what really happened, by real
//! time and real mails, is held against what was promised (`ledger.rs`).
#![forbid(unsafe_code)]

mod carrying;
mod chance;
mod desk;
mod handing;
mod handing_over;
mod ledger;
mod model;
mod owning;
mod proofs;
mod public_log;
mod recorder;
mod recovering;
mod service;
mod setting_up;
mod steps;
mod trying_out;
mod world;

pub use steps::Mood;
pub use world::run;
