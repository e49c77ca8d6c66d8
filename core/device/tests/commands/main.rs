//! Each command of a device by itself: what it refuses, what it counts, and what it leaves behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod activation;
mod asks;
mod callers;
mod clock;
mod contacts;
mod desk;
mod expiry;
mod key_file;
mod kit;
mod login;
mod ownership;
mod parallel;
mod provisioned;
mod questions;
mod readiness;
mod security_code;
mod sheet;
mod steps;
mod storing;
mod tries;
mod vault;
mod waits;
