//! `sparekey doctor`: what is wrong with the network, and with the way back into a device.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sparekey_lan::{
    Finder,
    device::Address,
    doctor::{
        Checkup, Finding, Visit,
        ways::{owner, ways},
    },
};

use crate::{cli::Doctor, client::plain, failure::Failure, lan::find, logs, report::Report};

/// So long it listens: a device that lost the first question is asked again meanwhile.
const SEARCH: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(100);

pub(crate) fn run(options: &Doctor, report: Report) -> Result<(), Failure> {
    logs::start(report, "warn");
    let believed = find::Believed::of(&options.whom)?;
    let belief = believed.borrowed();
    let (serial, address) = whom(options)?;
    let mut finder = Finder::new(Vec::new()).map_err(|error| Failure::two_lines("not-possible", &error))?;
    let end = Instant::now() + SEARCH;
    while Instant::now() < end && !finder.is_over() {
        finder.step(STEP).map_err(|error| Failure::two_lines("not-possible", &error))?;
    }
    let checkup = if serial.is_none() && address.is_none() {
        Checkup::of_link(&mut finder, &belief)
    } else {
        Checkup::of_device(&mut finder, serial.as_deref(), address.as_ref(), &belief)
    };
    tell(&checkup, &finder, serial.is_some() || address.is_some(), report);
    match checkup.likeliest() {
        None => Ok(()),
        Some(likeliest) => {
            let before = if report.json { "" } else { "Likeliest: " };
            Err(Failure::new(likeliest.name, format!("{before}{}", likeliest.happened), likeliest.to_do()))
        }
    }
}

/// Whom it is about: a serial number, an address, both or neither.
fn whom(options: &Doctor) -> Result<(Option<String>, Option<Address>), Failure> {
    let read = |text: &str| Address::read(text, None).map_err(|error| Failure::malformed(text, error));
    let address = options.whom.address.as_deref().map(read).transpose()?;
    match options.whom.device.as_deref().map(str::trim) {
        None => Ok((None, address)),
        Some(device) if address.is_none() && device.contains(['.', ':']) => Ok((None, Some(read(device)?))),
        Some(device) => Ok((Some(device.to_owned()), address)),
    }
}

fn tell(checkup: &Checkup, finder: &Finder, one: bool, report: Report) {
    for interface in &checkup.interfaces {
        report.done(&interface.line(), &labelled("interface", json!(interface)));
    }
    for finding in &checkup.findings {
        let mark = if finding.hinders { "!" } else { "-" };
        let to_do = finding.to_do();
        let more = if to_do.is_empty() { String::new() } else { format!("\n    {to_do}") };
        report.done(&format!("{mark} {}{more}", finding.happened), &labelled("finding", json!(finding)));
    }
    for visit in &checkup.visits {
        tell_device(visit, one, report);
    }
    if checkup.likeliest().is_none() {
        let devices = finder.rows().iter().filter(|row| !row.gone).count();
        let devices = if devices == 1 { "1 device".to_owned() } else { format!("{devices} devices") };
        report.aside(&format!("Nothing is wrong that can be told from here; {devices} on the link."));
    }
}

/// Where a device is reached, and what would let its owner back in.
fn tell_device(visit: &Visit, one: bool, report: Report) {
    let (Some(description), Some(address), Some(serial)) = (&visit.description, &visit.reached, &visit.serial) else {
        return;
    };
    let ways = ways(description);
    let mut lines = vec![format!("{serial} is reached at {address}.")];
    if one {
        lines.push(owner(description, serial));
        lines.extend(ways.iter().map(|way| format!("  {:10} {}", way.way, way.says)));
    }
    let data = json!({
        "serial": serial,
        "reached": address.to_string(),
        "state": description["state"].as_str().map(plain),
        "ways": ways,
    });
    report.done(&lines.join("\n"), &labelled("device", data));
}

/// One object a line: what it is stands first.
fn labelled(kind: &str, data: Value) -> Value {
    let mut labelled = json!({ "kind": kind });
    if let (Value::Object(to), Value::Object(from)) = (&mut labelled, data) {
        to.extend(from);
    }
    labelled
}

/// The likeliest cause, behind what a command has to say of its own failure.
pub(super) fn because(finding: Option<&Finding>, otherwise: &str) -> String {
    finding.map_or_else(|| otherwise.to_owned(), |finding| format!("Likeliest: {}", finding.line()))
}
