//! The calls of ONVIF that are spoken here, both sides: bytes to meaning and back (SOAP 1.2; ONVIF Core Specification, device service).
//!
//! As a device: what is open to everybody ([`device_service`]). As who has a camera's password: its users, and a new password ([`users`]).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod device_service;
pub mod media;
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

impl DateTime {
    /// Seconds since 1970; `None` for what is no time since then.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        let Self { year, month, day, hour, minute, second } = self;
        let in_range = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        // Days since 0000-03-01, in years that begin in March.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day.checked_sub(1)?;
        let of_day = hour * 3_600 + minute * 60 + second;
        (in_range && hour < 24 && minute < 60 && second < 61).then(|| (days - 719_468) * 86_400 + of_day)
    }
}
