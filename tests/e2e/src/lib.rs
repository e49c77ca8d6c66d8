//! The real program, real browsers, a real mail server: what the end-to-end tests in `tests/` are written with.
//!
//! Everything listens on loopback, ends by its process id when it is dropped, and waits no longer than a timeout.
//! [`World`] is a maker, a service and a recorder made by the program's own commands; [`Browser`] is a headless Chromium,
//! the recorder's screen or a phone with a camera ([`camera`]); [`Postfix`] is the mail server, [`Mailbox`] what it delivers.
//!
//! The program under test is `target/debug/sparekey`, or what `SPAREKEY_BIN` names. `cargo build` makes it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tests tell their reader what they measured or skipped")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a harness fails its test by panicking")]

pub mod axe;
pub mod browser;
pub mod camera;
pub mod critic;
pub mod desk;
pub mod device;
pub mod dovecot;
pub mod http;
pub mod letter;
pub mod mailbox;
pub mod netns;
pub mod opener;
pub mod ports;
pub mod postfix;
pub mod postgres;
pub mod program;
pub mod segment;
pub mod skip;
pub mod smtp;
pub mod video;
pub mod wait;
pub mod world;

pub use browser::{Browser, Look};
pub use device::Recorder;
pub use dovecot::Dovecot;
pub use http::{Answer, Api};
pub use letter::Letter;
pub use mailbox::{Mail, Mailbox};
pub use opener::Opener;
pub use postfix::Postfix;
pub use program::Program;
pub use wait::until;
pub use world::{Setup, World};
