//! The LAN tool: finds devices, and talks to ours.
//!
//! [`Finder`] asks on every interface and keeps what answered; what it says and believes is decided in `sparekey-discovery`. [`Row`] is a device as
//! it is shown: in a live table ([`live`]), as text, JSON, CSV or a spreadsheet ([`list`]). Looking changes
//! nothing. [`doctor`] says what is wrong. [`device::Device`] is one that has proven who it is: only such a one is told anything secret.
//! [`cameras`] renews the passwords of other people's cameras, for who has them. [`network`] changes a device's address, and finds it again.
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that panics is a test that fails

pub mod batch;
pub mod cameras;
pub mod device;
pub mod doctor;
mod finder;
mod guidance;
pub mod list;
pub mod live;
pub mod network;
pub mod qr;
mod row;
mod select;
mod wrap;

pub use finder::{Finder, LanError, Traffic};
pub use guidance::{Nearness, guidance};
pub use row::{COLUMNS, Port, Row};
pub use select::{SelectError, Selection};
pub use sparekey_discovery as discovery;
pub use sparekey_guidance::{Guidance, Language};
pub use wrap::{width, wrapped};
