//! Proof of the protocol: text vectors, golden bytes, properties, and a second implementation.
#![allow(clippy::unwrap_used)]

mod files;
mod fixture;
mod golden;
mod grants;
mod log_fixture;
mod log_vectors;
mod peer;
mod properties;
mod tls;
mod told;
mod told_vectors;
mod vector;
mod vectors;
