//! What the owner of another vendor's device can do: that vendor's own, documented ways back in.
//!
//! [`guidance()`] takes what a device's discovery answer announces ([`Facts`]) and a language, and gives numbered ways with their steps, the
//! best match first ([`Guidance`]). What is known of each vendor stands in `vendors/*.toml`, each line with its source and in every
//! language; there is no vendor in the code. How to add one: `vendors/README.md`.
//!
//! No file has a code generator, a default password or anything that goes around a device's protection, and nothing here
//! can speak to a device: facts in, texts out.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod condition;
mod facts;
mod firmware;
mod guidance;
mod language;
mod pattern;
mod plain;
mod vendor;
mod writer;

#[cfg(test)]
mod tests;

pub use facts::Facts;
pub use firmware::Firmware;
pub use guidance::{Device, Fit, Guidance, Labels, LeftOut, Line, Source, Way};
pub use language::Language;
pub use writer::guidance;
