//! A device's outside: vault on disk, LAN interface, screen pages.
//!
//! What is decided about a recovery is decided in `sparekey-device`; here are the disk, the clock, the sockets and the
//! pages. [`folder::init`] makes a device, [`Agent`] runs it. To read it, begin with `app.rs`, the commands that the
//! interface (`api/`) and the pages (`pages/`) share, then `live.rs` and `vault.rs`, which keep what was decided.
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that panics is a test that fails

mod agent;
mod announce;
mod api;
mod app;
mod calibrate;
mod download;
mod failure;
mod files;
pub mod folder;
mod guesses;
pub mod guest;
mod hasher;
mod lan_listener;
mod link;
mod live;
pub mod memory;
mod network;
mod onvif;
mod pages;
mod path;
mod presence;
mod questions;
mod rand;
mod recordings;
mod refusal;
mod removable;
mod request_file;
mod router;
pub mod settings;
mod sockets;
mod strength;
mod telling;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod typed;
mod vault;
mod visitor;

pub use agent::{Agent, AgentError, Bound};
pub use network::{Linux, NetworkInterface};
pub use recordings::Recordings;
pub use sockets::Addresses;
pub use strength::{Judge, judge_child};
pub use vault::VaultError;
