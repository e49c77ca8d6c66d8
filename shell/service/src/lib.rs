//! The recovery service: HTTP, database, mail, pages of the app.
//!
//! It opens requests, lets `sparekey-cases` decide, writes the fact and what follows from it in one
//! transaction, and only then lets effects run. It decides nothing about recovery itself.

pub mod mail;
pub mod photo;
