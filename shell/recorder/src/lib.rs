//! A recorder: cameras in, recordings on disk; live, playback, backup. It stands beside an agent, as its guest.
//!
//! No picture is ever encoded here. Frames come from a camera (`camera`) on one thread (`intake`), go to whoever watches (`hub`), and are
//! cut into fragments (`stream`) that another thread writes (`disk`). What is decided about recordings is decided in `sparekey-footage`.
//! Pages and calls (`pages`, `api`) are served by the agent, under its sessions.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that panics is a test that fails

mod api;
mod backup;
mod camera;
mod disk;
mod hub;
mod intake;
mod media;
mod mp4;
mod pages;
mod recorder;
mod rtsp;
mod secret;
mod settings;
mod slices;
mod stream;
#[cfg(test)]
mod tests;
mod time;

pub use disk::writer::Keep;
pub use recorder::{Recorder, RecorderError};
