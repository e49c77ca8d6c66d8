//! From what was typed to a device that has proven who it is.

use std::{
    env,
    path::PathBuf,
    time::{Duration, Instant},
};

use sparekey_lan::{
    Finder, Row,
    device::{Address, Belief, Device, Known},
};

use sparekey_protocol::PublicKey;

use crate::{cli::Whom, failure::Failure, files, lan, report::Report};

/// How long a device is searched for.
const SEARCH: Duration = Duration::from_secs(6);
const STEP: Duration = Duration::from_millis(100);

/// Whom to believe, read from what was typed.
pub(crate) struct Believed {
    maker: Option<PublicKey>,
    known: Known,
}

impl Believed {
    pub(crate) fn of(whom: &Whom) -> Result<Self, Failure> {
        let maker = whom.maker.as_deref().map(files::public_key).transpose()?;
        Ok(Self { maker, known: Known::new(&known_file(whom)?) })
    }

    pub(crate) fn borrowed(&self) -> Belief<'_> {
        Belief { maker: self.maker.as_ref(), known: &self.known }
    }
}

/// Meets the device that was named, and says so where only its own word tells that it is the one.
pub(crate) fn device(whom: &Whom, report: Report) -> Result<Device, Failure> {
    let (serial, addresses) = places(whom)?;
    meet(serial.as_deref(), addresses, whom, report)
}

/// Meets the device with this serial number at one of these addresses.
pub(crate) fn meet(
    serial: Option<&str>,
    addresses: Vec<Address>,
    whom: &Whom,
    report: Report,
) -> Result<Device, Failure> {
    let believed = Believed::of(whom)?;
    let belief = believed.borrowed();
    let mut last = None;
    for address in addresses {
        match Device::meet(address, serial, &belief) {
            Ok(device) => {
                if device.first_met() {
                    report.aside(&format!(
                        "{} is met for the first time: its key is remembered ({}). --maker FILE checks who made it.",
                        device.serial(),
                        device.id()
                    ));
                }
                return Ok(device);
            }
            // A changed key is never outshouted by an address that does not answer.
            Err(error) if last.as_ref().is_none_or(|last: &Failure| last.problem != "key-changed") => {
                last = Some(lan::met(&error));
            }
            Err(_) => {}
        }
    }
    Err(last.unwrap_or_else(|| {
        let happened =
            format!("No Sparekey device with the serial number {} is on this link.", serial.unwrap_or_default());
        Failure::new("not-found", happened, "See which are:  sparekey discover  (or name its address with --address)")
    }))
}

/// What is known of the serial, and where to look.
fn places(whom: &Whom) -> Result<(Option<String>, Vec<Address>), Failure> {
    let Some(device) = whom.device.as_deref().map(str::trim) else {
        return Err(Failure::malformed("SERIAL|ADDRESS", "no device is named"));
    };
    let read = |text: &str| Address::read(text, None).map_err(|error| Failure::malformed(text, error));
    if let Some(address) = &whom.address {
        return Ok((Some(device.to_owned()), vec![read(address)?]));
    }
    if device.contains(['.', ':']) {
        return Ok((None, vec![read(device)?]));
    }
    Ok((Some(device.to_owned()), search(device)?))
}

/// All that say to have this serial: which of them it is, is proven later.
fn search(serial: &str) -> Result<Vec<Address>, Failure> {
    let rows = rows(|rows| rows.iter().any(|row| row.serial.as_deref() == Some(serial)))?;
    Ok(rows.iter().filter(|row| row.serial.as_deref() == Some(serial)).flat_map(addresses).collect())
}

/// The Sparekey devices on the link: searched for until there are enough, or nothing new comes.
pub(crate) fn rows(enough: impl Fn(&[Row]) -> bool) -> Result<Vec<Row>, Failure> {
    let mut finder = Finder::new(Vec::new()).map_err(|error| Failure::two_lines("not-possible", &error))?;
    let end = Instant::now() + SEARCH;
    loop {
        let rows: Vec<_> = finder
            .rows()
            .into_iter()
            .filter(|row| !row.gone && row.device_id.is_some() && row.serial.is_some() && !addresses(row).is_empty())
            .collect();
        if enough(&rows) || finder.is_over() || Instant::now() >= end {
            return Ok(rows);
        }
        finder.step(STEP).map_err(|error| Failure::two_lines("not-possible", &error))?;
    }
}

/// Where a device is talked to.
pub(crate) fn addresses(row: &Row) -> Vec<Address> {
    let port = row.ports.iter().find(|port| port.name == "sparekey").map(|port| port.port);
    row.addresses.iter().filter_map(|address| Address::read(address, port).ok()).collect()
}

/// `--known`, or where the system keeps what programs remember.
fn known_file(whom: &Whom) -> Result<PathBuf, Failure> {
    let state = || env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let default = || Some(state().or_else(home)?.join("sparekey/known-devices"));
    whom.known.clone().or_else(default).ok_or_else(|| {
        Failure::new("not-possible", "There is no home folder to remember devices in.", "Name a file with --known.")
    })
}
