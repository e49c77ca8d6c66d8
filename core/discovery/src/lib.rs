//! The dialects of the link, one file each: bytes to meaning and back.
//!
//! Who asks builds a [`Search`]: it says what to send where and when, takes what arrives, and keeps one row a device in its
//! [`Table`]. Who answers builds a [`mdns::Responder`] and a [`wsd::Answerer`]. Neither touches a socket or a clock: times are
//! arguments, in milliseconds since any start, and so are seeds.
//!
//! Everything on a link is hostile until proven otherwise: whatever is read here has bounds, and a row in the table is what somebody
//! *says* about a device. Who a device is, its certificate tells (`sparekey-protocol`), over a connection of its own.
//!
//! Of other vendors' dialects there is one read-only inquiry each ([`sadp::inquiry`], [`dhip::search`], [`wsd::probe`]), though the same
//! ports take commands that change a device: [`Search`] has no way to send anything else.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod announcement;
pub mod dhip;
pub mod diagnosis;
pub mod dns;
mod label;
mod link;
mod mac;
pub mod mdns;
mod network;
mod pace;
mod refused;
pub mod sadp;
mod search;
mod sighting;
mod table;
pub mod wsd;

pub use announcement::Announcement;
pub use label::Label;
pub use link::{Asker, Family, Link, Outgoing, Prefix, To};
pub use mac::Mac;
pub use network::{Finding, Reach};
pub use pace::{Pace, is_over};
pub use refused::Refused;
pub use search::{Arrival, DHIP_PORT, Door, SADP_PORT, Search};
pub use sighting::{Dialect, Sighting, Source, State};
pub use table::{Device, MAX_DEVICES, MAX_PER_SOURCE, Seen, Table};
