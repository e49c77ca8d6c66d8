//! From what was typed to a device that has proven who it is.

use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sparekey_lan::{
    Finder, LanError, Row,
    device::{Address, Belief, Device, Known},
    discovery::diagnosis::Asked,
    doctor::{self as diagnosis, Finding},
};
use sparekey_protocol::PublicKey;

use crate::{
    cli::Whom,
    failure::Failure,
    files,
    lan::{
        self, doctor,
        other_vendor::{self, Meant},
    },
    report::Report,
};

/// How long a device is searched for.
const SEARCH: Duration = Duration::from_secs(6);
/// How long an address is looked at: four rounds of every dialect that other vendors' devices speak have been answered then.
const LOOK: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(100);

/// Whom to believe, read from what was typed.
pub(crate) struct Believed {
    maker: Option<PublicKey>,
    known: Known,
}

impl Believed {
    pub(crate) fn of(whom: &Whom) -> Result<Self, Failure> {
        let maker = whom.maker.as_deref().map(files::public_key).transpose()?;
        Ok(Self { maker, known: Known::new(&known_file(whom.known.as_deref())?) })
    }

    pub(crate) fn borrowed(&self) -> Belief<'_> {
        Belief { maker: self.maker.as_ref(), known: &self.known }
    }
}

/// Meets the device that was named, and says so where only its own word tells that it is the one.
pub(crate) fn device(whom: &Whom, report: Report) -> Result<Device, Failure> {
    let (serial, found) = places(whom)?;
    let (addresses, likeliest) = ours(found, whom, other_vendor::refusal)?;
    meet(serial.as_deref(), addresses, likeliest.as_ref(), whom, report)
}

/// The same; if it is another vendor's, its owner is told what that vendor's ways are.
pub(crate) fn device_or_help(whom: &Whom, language: Option<&str>, report: Report) -> Result<Device, Failure> {
    let (serial, found) = places(whom)?;
    let help = |rows: &[Row], typed: &str| other_vendor::help(rows, typed, language, report);
    let (addresses, likeliest) = ours(found, whom, help)?;
    meet(serial.as_deref(), addresses, likeliest.as_ref(), whom, report)
}

/// Where our device is, and what may be wrong where it is nowhere; or why it is none of ours.
fn ours(
    found: Found,
    whom: &Whom,
    other: impl FnOnce(&[Row], &str) -> Failure,
) -> Result<(Vec<Address>, Option<Finding>), Failure> {
    let typed = whom.device.as_deref().unwrap_or_default();
    match found {
        Found::Ours(addresses) => Ok((addresses, None)),
        Found::Not(Meant::Others(rows), _) if !rows.is_empty() => Err(other(&rows, typed)),
        Found::Not(Meant::Nearly(serials), _) if !serials.is_empty() => Err(nearly(typed, &serials)),
        Found::Not(_, likeliest) => Ok((Vec::new(), likeliest)),
    }
}

/// Meets the device with this serial number at one of these addresses. `likeliest` is what may be wrong if there are none.
pub(crate) fn meet(
    serial: Option<&str>,
    addresses: Vec<Address>,
    likeliest: Option<&Finding>,
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
        let otherwise = "See which are:  sparekey discover  (or name its address with --address)";
        Failure::new("not-found", happened, doctor::because(likeliest, otherwise))
    }))
}

/// Where a name leads.
enum Found {
    /// To these places, where a device of ours is to prove who it is.
    Ours(Vec<Address>),
    /// To no device of ours; and what is likeliest to be wrong.
    Not(Meant, Option<Finding>),
}

fn nearly(typed: &str, serials: &[String]) -> Failure {
    let happened = format!("No Sparekey device has the serial number {typed}, but nearly so: {}.", serials.join(", "));
    Failure::new("not-found", happened, "Type it as it stands there.")
}

/// What is known of the serial, and where to look.
fn places(whom: &Whom) -> Result<(Option<String>, Found), Failure> {
    let Some(device) = whom.device.as_deref().map(str::trim) else {
        return Err(Failure::malformed("SERIAL|ADDRESS", "no device is named"));
    };
    let read = |text: &str| Address::read(text, None).map_err(|error| Failure::malformed(text, error));
    if let Some(address) = &whom.address {
        return Ok((Some(device.to_owned()), look_at(read(address)?)));
    }
    if device.contains(['.', ':']) {
        return Ok((None, look_at(read(device)?)));
    }
    Ok((Some(device.to_owned()), search(device)?))
}

/// All that say to have this serial: which of them it is, is proven later.
fn search(serial: &str) -> Result<Found, Failure> {
    let is_it = |row: &Row| row.serial.as_deref() == Some(serial);
    let finder = searched(|rows| rows.iter().any(is_it))?;
    let addresses: Vec<_> = reached(&finder).iter().filter(|row| is_it(row)).flat_map(addresses).collect();
    Ok(if addresses.is_empty() {
        Found::Not(other_vendor::meant(finder.rows(), serial), likeliest(&finder))
    } else {
        Found::Ours(addresses)
    })
}

/// What a search has seen.
pub(crate) struct Seen {
    pub(crate) rows: Vec<Row>,
    /// What hinders most, out of what this search has found.
    pub(crate) likeliest: Option<Finding>,
}

/// The Sparekey devices on the link: searched for until there are enough, or nothing new comes.
pub(crate) fn rows(enough: impl Fn(&[Row]) -> bool) -> Result<Seen, Failure> {
    searched(enough).map(|finder| Seen { rows: reached(&finder), likeliest: likeliest(&finder) })
}

/// Out of what is known already: no further wait.
fn likeliest(finder: &Finder) -> Option<Finding> {
    finder.findings(&[Asked::default()]).into_iter().find(|finding| finding.hinders)
}

fn searched(enough: impl Fn(&[Row]) -> bool) -> Result<Finder, Failure> {
    let mut finder = Finder::new(Vec::new()).map_err(|error| not_searched(&error))?;
    let end = Instant::now() + SEARCH;
    while !enough(&reached(&finder)) && !finder.is_over() && Instant::now() < end {
        finder.step(STEP).map_err(|error| not_searched(&error))?;
    }
    Ok(finder)
}

/// A search that could not be made, and what this computer's network says of it.
fn not_searched(error: &LanError) -> Failure {
    let failure = Failure::two_lines("not-possible", error);
    let to_do = doctor::because(diagnosis::of_this_computer().as_ref(), &failure.to_do);
    Failure { to_do, ..failure }
}

/// Every device on the link, whoever made it.
pub(crate) fn all() -> Result<Seen, Failure> {
    searched(|_| false).map(|finder| Seen { rows: finder.rows(), likeliest: likeliest(&finder) })
}

/// Of what was found: devices of ours that can be talked to.
fn reached(finder: &Finder) -> Vec<Row> {
    let is_one = |row: &Row| !row.gone && row.device_id.is_some() && row.serial.is_some() && !addresses(row).is_empty();
    finder.rows().into_iter().filter(is_one).collect()
}

/// Where a device is talked to.
pub(crate) fn addresses(row: &Row) -> Vec<Address> {
    let port = row.ports.iter().find(|port| port.name == "sparekey").map(|port| port.port);
    row.addresses.iter().filter_map(|address| Address::read(address, port).ok()).collect()
}

/// Whose address this is, before anything is connected to: another vendor's device is not. What says nothing of itself is taken for ours.
fn look_at(address: Address) -> Found {
    let ip = address.ip();
    let Some(mut finder) = (!ip.is_loopback()).then(|| Finder::new(Vec::new()).ok()).flatten() else {
        return Found::Ours(vec![address]);
    };
    let end = Instant::now() + LOOK;
    let here = |finder: &Finder| finder.rows().into_iter().filter(|row| row.has_address(ip)).collect::<Vec<_>>();
    while Instant::now() < end && !finder.is_over() && !here(&finder).iter().any(Row::is_ours) {
        if finder.step(STEP).is_err() {
            break;
        }
    }
    let rows = here(&finder);
    if rows.is_empty() || rows.iter().any(Row::is_ours) {
        Found::Ours(vec![address])
    } else {
        Found::Not(Meant::Others(rows), None)
    }
}

/// `--known`, or where the system keeps what programs remember.
pub(super) fn known_file(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let state = || env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let default = || Some(state().or_else(home)?.join("sparekey/known-devices"));
    named.map(Path::to_owned).or_else(default).ok_or_else(|| {
        Failure::new("not-possible", "There is no home folder to remember devices in.", "Name a file with --known.")
    })
}
