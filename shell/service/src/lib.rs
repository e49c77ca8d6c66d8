//! The recovery service: HTTP, database, mail, pages of the app.
//!
//! It opens requests, lets `sparekey-cases` decide, writes the fact and what follows from it in one
//! transaction, and only then lets effects run. It decides nothing about recovery itself.

mod bounces;
mod case_id;
mod clock;
mod desk;
pub mod http;
pub mod keys;
pub mod mail_in;
mod network;
pub mod operators;
mod pages;
mod passkeys;
pub mod photo;
pub mod public_log;
mod seal;
mod sender;
pub mod service;
mod store;
mod writer;

pub use clock::{Clock, SystemClock};
pub use network::NetworkKey;
pub use passkeys::passkey_url;
pub use sparekey_cases::{Budget, Budgets, desk as cases};
