//! What is known of a device.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

/// What a device's own discovery answer says of it, in the words of a row of `sparekey discover`. Nothing of it is proven, all of it may be missing.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who made it.
    pub vendor: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// What its owner calls it; some ONVIF devices say their vendor here.
    pub name: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its firmware.
    pub firmware: Option<String>,
    /// When it started, by its own clock.
    pub start_time: Option<String>,
    /// Its hardware address.
    pub mac: Option<String>,
    /// `inactive` or `active`.
    pub state: Option<String>,
    /// The dialects that it answered in: `mdns`, `sadp`, `dahua`, `onvif`.
    pub found_by: Vec<String>,
    /// What its vendor's answer says besides, by the names there.
    pub remarks: BTreeMap<String, String>,
    /// What keeps this computer from reaching it, in one sentence.
    pub network: Option<String>,
}
