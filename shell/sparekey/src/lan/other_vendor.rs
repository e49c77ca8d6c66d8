//! Another vendor's device was named: it is never touched, but its owner is told what that vendor's own ways are.

use std::env;

use serde_json::json;
use sparekey_lan::{Nearness, Row};

use crate::{failure::Failure, report::Report};

/// Devices that are listed where several could be meant.
const MAX_LISTED: usize = 6;

/// What a name on a link comes to, where it is no Sparekey device's.
pub(super) enum Meant {
    /// Other vendors' devices, the nearest ones.
    Others(Vec<Row>),
    /// Serial numbers of Sparekey devices that are nearly so.
    Nearly(Vec<String>),
}

/// Which devices could be meant by a serial number that none of ours has.
pub(super) fn meant(rows: Vec<Row>, typed: &str) -> Meant {
    let near: Vec<_> = rows.into_iter().filter_map(|row| Some((row.nearness(typed)?, row))).collect();
    let nearest = near.iter().map(|(nearness, _)| *nearness).max();
    let nearest = near.into_iter().filter(|(nearness, _)| Some(*nearness) == nearest).map(|(_, row)| row);
    let (ours, others): (Vec<_>, Vec<_>) = nearest.partition(Row::is_ours);
    if ours.is_empty() { Meant::Others(others) } else { Meant::Nearly(ours.iter().map(called).collect()) }
}

/// Tells what the owner can do, and that nothing was done. With several devices, which they are.
pub(super) fn help(rows: &[Row], typed: &str, language: Option<&str>, report: Report) -> Failure {
    let [row] = rows else { return several(rows, typed) };
    if row.nearness(typed) == Some(Nearness::Near) {
        report.aside(&format!("{typed} is taken for {}.", called(row)));
    }
    let language = language.map_or_else(locale, str::to_owned);
    let guidance = sparekey_lan::guidance(row, &language);
    let data = json!({ "step": "other-vendor", "device": row, "guidance": guidance });
    let text = guidance.to_string();
    report.done(&sparekey_lan::wrapped(text.trim_end(), sparekey_lan::width()), &data);
    let [happened, to_do] = guidance.closing;
    Failure::new("other-vendor", happened, to_do)
}

/// For commands that have no help for it.
pub(super) fn refusal(rows: &[Row], typed: &str) -> Failure {
    let [row] = rows else { return several(rows, typed) };
    let name = called(row);
    Failure::new(
        "other-vendor",
        format!("{name} is another vendor's device ({}): Sparekey does not touch it.", vendor(row)),
        format!("See what its owner can do:  sparekey forgot {name}"),
    )
}

fn several(rows: &[Row], typed: &str) -> Failure {
    let listed: Vec<_> = rows.iter().take(MAX_LISTED).map(|row| format!("{} ({})", called(row), vendor(row))).collect();
    let more = if rows.len() > MAX_LISTED { ", …" } else { "" };
    Failure::new(
        "which-device",
        format!("{typed} could be {} devices: {}{more}.", rows.len(), listed.join(", ")),
        "Type the whole serial number of the one that you mean.",
    )
}

/// By what a device is named: its serial number, or its address.
fn called(row: &Row) -> String {
    row.serial.clone().or_else(|| row.addresses.first().cloned()).unwrap_or_else(|| "a device".to_owned())
}

fn vendor(row: &Row) -> String {
    sparekey_lan::guidance(row, "en").vendor
}

/// The language that the system speaks (POSIX, in the order in which they count).
fn locale() -> String {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(serial: &str, ours: bool) -> Row {
        let vendor = if ours { "Sparekey" } else { "Hikvision" };
        Row { serial: Some(serial.to_owned()), vendor: Some(vendor.to_owned()), ..Row::default() }
    }

    #[test]
    fn the_nearest_is_meant_and_ours_before_others() {
        let rows = || vec![row("NVR-2026-000417", true), row("DS0820200101", false), row("DS0820200102", false)];
        let others = |typed| match meant(rows(), typed) {
            Meant::Others(rows) => rows.iter().map(called).collect::<Vec<_>>(),
            Meant::Nearly(serials) => panic!("{serials:?}"),
        };
        assert_eq!(others("ds0820200101"), ["DS0820200101"]);
        assert_eq!(others("08202001"), ["DS0820200101", "DS0820200102"]);
        assert_eq!(others("NOBODY"), Vec::<String>::new());
        assert!(matches!(meant(rows(), "nvr-2026-000417"), Meant::Nearly(serials) if serials == ["NVR-2026-000417"]));
    }

    #[test]
    fn several_are_listed_to_a_bound() {
        let rows: Vec<_> = (0..9).map(|number| row(&format!("CAMERA-{number}"), false)).collect();
        let failure = refusal(&rows, "CAMERA");
        assert_eq!(failure.problem, "which-device");
        assert!(failure.happened.contains("could be 9 devices: CAMERA-0 (Hikvision), "), "{}", failure.happened);
        assert!(failure.happened.ends_with("CAMERA-5 (Hikvision), …."), "{}", failure.happened);
    }
}
