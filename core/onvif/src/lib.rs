//! The calls of ONVIF that are spoken here, both sides: bytes to meaning and back (SOAP 1.2; ONVIF Core Specification, device service).
//!
//! As a device: what is open to everybody ([`device_service`]). As who has a camera's password: its users, and a new password ([`users`]).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod device_service;
mod security;
pub mod users;

pub use security::UsernameToken;

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const SCHEMA: &str = "http://www.onvif.org/ver10/schema";

/// A time of the device's clock, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// The year.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}
