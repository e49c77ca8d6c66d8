//! Which devices are meant where many are: of a file, or of what is on the link.

use std::{collections::BTreeMap, path::Path};

use sparekey_lan::{Selection, device::Address};

use crate::{
    cli::Many,
    failure::Failure,
    files,
    lan::{doctor, find},
};

/// One device of many, and where it may answer.
pub(super) struct Chosen {
    pub(super) serial: String,
    pub(super) addresses: Vec<Address>,
}

/// The devices that were chosen; `None` if it is not about many.
pub(super) fn read(many: &Many) -> Result<Option<Vec<Chosen>>, Failure> {
    match (&many.serials, &many.select, many.all) {
        (Some(list), ..) => of_file(list).map(Some),
        (None, Some(selection), _) => on_the_link(Some(selection)).map(Some),
        (None, None, true) => on_the_link(None).map(Some),
        (None, None, false) => Ok(None),
    }
}

/// Lines of a serial number and, if it is not to be searched for, an address. All that are to be searched for are, at once.
fn of_file(list: &Path) -> Result<Vec<Chosen>, Failure> {
    let text = files::text(list)?;
    let malformed = |why: &str| Failure::malformed(&list.display().to_string(), why);
    let mut chosen: Vec<Chosen> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let serial = words.next().unwrap_or_default().to_owned();
        let address =
            words.next().map(|text| Address::read(text, None).map_err(|error| Failure::malformed(text, error)));
        if words.next().is_some() {
            return Err(malformed("a line is not SERIAL or SERIAL ADDRESS"));
        }
        if chosen.iter().any(|one| one.serial == serial) {
            return Err(malformed(&format!("{serial} stands in it twice")));
        }
        chosen.push(Chosen { serial, addresses: address.transpose()?.into_iter().collect() });
    }
    if chosen.is_empty() {
        return Err(malformed("it names no device"));
    }
    if chosen.iter().any(|one| one.addresses.is_empty()) {
        let seen = find::rows(|rows| {
            let is_there = |one: &Chosen| rows.iter().any(|row| row.serial.as_deref() == Some(&one.serial));
            chosen.iter().all(|one| !one.addresses.is_empty() || is_there(one))
        })?;
        for one in chosen.iter_mut().filter(|one| one.addresses.is_empty()) {
            let own = seen.rows.iter().filter(|row| row.serial.as_deref() == Some(&one.serial));
            one.addresses = own.flat_map(find::addresses).collect();
        }
    }
    Ok(chosen)
}

/// Every device that has an owner, or those of them that were selected. Two that claim one serial number are one: its key tells which.
fn on_the_link(selection: Option<&Selection>) -> Result<Vec<Chosen>, Failure> {
    let mut chosen: BTreeMap<String, Vec<Address>> = BTreeMap::new();
    let seen = find::rows(|_| false)?;
    for row in seen.rows {
        let is_meant = selection.map_or(row.state == Some("active"), |selection| selection.takes(&row));
        if let Some(serial) = row.serial.as_ref().filter(|_| is_meant) {
            chosen.entry(serial.clone()).or_default().extend(find::addresses(&row));
        }
    }
    if chosen.is_empty() {
        let happened = "No Sparekey device on this link is one of those.";
        let otherwise = "See which there are:  sparekey discover";
        return Err(Failure::new("not-found", happened, doctor::because(seen.likeliest.as_ref(), otherwise)));
    }
    Ok(chosen.into_iter().map(|(serial, addresses)| Chosen { serial, addresses }).collect())
}
