//! The network of a device: what is in force, a change of it, and the device found again afterwards.
//!
//! A change comes into force at once, and lasts only if somebody who reaches the device with it says so; otherwise the device returns to what was
//! before by itself (protocol section 11). So nobody is locked out by a wrong address: [`Surroundings`] looks where the device has to come back.

mod again;
mod surroundings;
pub mod typed;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use self::{
    again::{Back, Lost},
    surroundings::{Reached, Surroundings},
};
use crate::device::{CallError, Device, plain};

const PATIENCE: Duration = Duration::from_secs(60);
/// For what is only good manners, on the way out.
const LITTLE_PATIENCE: Duration = Duration::from_secs(2);
/// No device waits longer, whatever it says.
const LONGEST: u64 = 600;

/// What is wanted. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// An address by DHCP.
    pub dhcp: bool,
    /// An address and the bits of its network.
    pub address: Option<(Ipv4Addr, u8)>,
    /// A gateway, or that there is to be none.
    pub gateway: Option<Option<Ipv4Addr>>,
    /// Resolvers.
    pub dns: Option<Vec<IpAddr>>,
    /// The port of browsers.
    pub main: Option<u16>,
    /// The port of the LAN tool.
    pub lan: Option<u16>,
}

impl Wanted {
    /// Whether nothing is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the device gets another address, or may get one.
    fn moves(&self) -> bool {
        self.dhcp || self.address.is_some()
    }

    fn body(&self, password: Option<&str>) -> Value {
        let mut body = Map::new();
        let mut say = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        if let Some(password) = password {
            say("password", password.into());
        }
        if self.dhcp {
            say("dhcp", true.into());
        }
        if let Some((address, bits)) = self.address {
            say("address", address.to_string().into());
            say("prefix", bits.into());
        }
        if let Some(gateway) = self.gateway {
            say("gateway", json!(gateway));
        }
        if let Some(dns) = &self.dns {
            say("dns", json!(dns));
        }
        let ports = [("main", self.main), ("lan", self.lan)];
        let ports: Map<_, _> =
            ports.into_iter().filter_map(|(name, port)| Some((name.to_owned(), port?.into()))).collect();
        if !ports.is_empty() {
            say("ports", ports.into());
        }
        Value::Object(body)
    }
}

/// What a device says of its network. Every text was made fit to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// The name of its interface.
    pub name: String,
    /// Its hardware address.
    pub mac: String,
    /// Whether its address comes by DHCP.
    pub dhcp: bool,
    /// The address.
    pub address: Option<Ipv4Addr>,
    /// The bits of its network.
    pub prefix: Option<u8>,
    /// The gateway.
    pub gateway: Option<Ipv4Addr>,
    /// Resolvers.
    pub dns: Vec<IpAddr>,
    /// The port of browsers.
    pub main: u16,
    /// The port of the LAN tool.
    pub lan: Option<u16>,
}

impl InForce {
    fn read(answer: &Value) -> Option<Self> {
        let text = |member: &str| plain(answer[member].as_str().unwrap_or_default());
        let address = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let port = |name: &str| answer["ports"][name].as_u64().and_then(|port| u16::try_from(port).ok());
        let dns = answer["dns"].as_array().into_iter().flatten().take(8);
        Some(Self {
            name: text("name"),
            mac: text("mac"),
            dhcp: answer["dhcp"].as_bool()?,
            address: address(&answer["address"]),
            prefix: answer["prefix"].as_u64().and_then(|bits| u8::try_from(bits).ok()),
            gateway: address(&answer["gateway"]),
            dns: dns.filter_map(|one| one.as_str()?.parse().ok()).collect(),
            main: port("main")?,
            lan: port("lan"),
        })
    }

    /// One line each, by name.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let address = self.address.zip(self.prefix).map(|(address, bits)| format!("{address}/{bits}"));
        let dns: Vec<_> = self.dns.iter().map(ToString::to_string).collect();
        vec![
            ("dhcp", if self.dhcp { "yes" } else { "no" }.to_owned()),
            ("address", address.unwrap_or_default()),
            ("gateway", self.gateway.map(|gateway| gateway.to_string()).unwrap_or_default()),
            ("dns", dns.join(" ")),
            ("port", self.main.to_string()),
            ("lan-port", self.lan.map(|port| port.to_string()).unwrap_or_default()),
        ]
    }
}

/// One line of what changes; empty for nothing, or for what a DHCP server will say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is, as [`InForce::lines`] names it.
    pub what: String,
    /// How it is.
    pub from: String,
    /// How it will be.
    pub to: String,
}

/// A change that came into force, and waits to be confirmed.
#[derive(Debug)]
pub struct Begun {
    was: InForce,
    wanted: Wanted,
    confirmation: String,
    within: Duration,
    at: Instant,
}

/// Who is logged in on a device. The session ends when it is dropped.
#[derive(Debug)]
pub struct Visit {
    device: Device,
    token: String,
}

impl Visit {
    /// Logs in.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn begin(device: Device, username: &str, password: &str) -> Result<Self, CallError> {
        let body = json!({ "username": username, "password": password });
        let answer = device.call("POST", "/api/v1/sessions", Some(&body), None, PATIENCE)?;
        let token = answer["token"].as_str().map(str::to_owned);
        let token = token.ok_or_else(|| CallError::Unreadable(device.address().clone()))?;
        Ok(Self { device, token })
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What is in force.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn in_force(&self) -> Result<InForce, CallError> {
        let answer = self.call("GET", None)?;
        InForce::read(&answer).ok_or_else(|| self.unreadable())
    }

    /// What would change, after the device checked that it can. Nothing does yet.
    ///
    /// # Errors
    /// [`CallError`]
    pub fn plan(&self, wanted: &Wanted) -> Result<Vec<Line>, CallError> {
        let answer = self.call("PUT", Some(&wanted.body(None)))?;
        let changes = answer["changes"].as_array().ok_or_else(|| self.unreadable())?;
        let line = |change: &Value| {
            let text = |member: &str| plain(change[member].as_str().unwrap_or_default());
            Line { what: text("what"), from: text("from"), to: text("to") }
        };
        Ok(changes.iter().take(16).map(line).collect())
    }

    /// Changes it from what is in force. From now on the device has to be found again ([`Surroundings::find_again`]).
    ///
    /// # Errors
    /// [`CallError`]
    pub fn change(&self, was: InForce, wanted: Wanted, password: &str) -> Result<Begun, CallError> {
        // By this computer's clock it began no later than by the device's.
        let at = Instant::now();
        let answer = self.call("PUT", Some(&wanted.body(Some(password))))?;
        let confirmation = answer["confirmation"].as_str().ok_or_else(|| self.unreadable())?.to_owned();
        let within = answer["confirm_within"].as_u64().unwrap_or(60).min(LONGEST);
        Ok(Begun { was, wanted, confirmation, within: Duration::from_secs(within), at })
    }

    fn call(&self, method: &str, body: Option<&Value>) -> Result<Value, CallError> {
        self.device.call(method, "/api/v1/network", body, Some(&self.token), PATIENCE)
    }

    fn unreadable(&self) -> CallError {
        CallError::Unreadable(self.device.address().clone())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let _ = self.device.call("DELETE", "/api/v1/sessions/current", None, Some(&self.token), LITTLE_PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_said() {
        assert_eq!(Wanted::default().body(None), json!({}));
        assert_eq!(
            Wanted { dhcp: true, ..Wanted::default() }.body(Some("p")),
            json!({ "password": "p", "dhcp": true })
        );
        let all = Wanted {
            dhcp: false,
            address: Some((Ipv4Addr::new(10, 0, 0, 9), 16)),
            gateway: Some(None),
            dns: Some(vec![]),
            main: None,
            lan: Some(9),
        };
        let expected =
            json!({ "address": "10.0.0.9", "prefix": 16, "gateway": null, "dns": [], "ports": { "lan": 9 } });
        assert_eq!(all.body(None), expected);
    }

    #[test]
    fn what_a_device_says_is_read_or_refused() {
        let answer = json!({
            "name": "eth\u{1b}0", "mac": null, "dhcp": false, "address": "10.0.0.64", "prefix": 24, "gateway": null,
            "dns": ["9.9.9.9", "nowhere", 7], "ports": { "main": 8443, "lan": 99_999 },
        });
        let read = InForce::read(&answer).unwrap();
        assert_eq!((read.name.as_str(), read.mac.as_str(), read.dns.len(), read.lan), ("eth\u{fffd}0", "", 1, None));
        assert_eq!(read.lines()[1], ("address", "10.0.0.64/24".to_owned()));
        for other in [json!(null), json!({}), json!({ "dhcp": "yes", "ports": { "main": 1 } }), json!({ "dhcp": true })]
        {
            assert_eq!(InForce::read(&other), None, "{other}");
        }
    }
}
