//! The recovery service: HTTP, database, mail, pages of the app.
//!
//! It opens requests, lets `sparekey-cases` decide, writes the fact and what follows from it in one
//! transaction, and only then lets effects run. It decides nothing about recovery itself.

mod bounces;
mod case_id;
mod clock;
pub mod http;
pub mod keys;
pub mod mail;
mod network;
mod pages;
pub mod photo;
mod seal;
mod sender;
pub mod service;
mod store;
mod writer;

pub use clock::{Clock, SystemClock};
pub use network::NetworkKey;
pub use sparekey_cases::{Budget, Budgets};
