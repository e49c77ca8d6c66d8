//! `sparekey network`: the address and the ports of a device.

use serde_json::json;
use sparekey_lan::{
    device::{Belief, Device},
    doctor as diagnosis,
    network::{Begun, InForce, Line, Lost, Reached, Surroundings, Visit, Wanted},
};

use crate::{
    cli::{Login, Network},
    failure::Failure,
    lan::{self, ask, doctor, find},
    report::Report,
};

pub(crate) fn run(options: &Network, report: Report) -> Result<(), Failure> {
    let wanted = wanted(options);
    let Login { whom, username } = options.login();
    let belief = find::Believed::of(&whom)?;
    let device = find::device(&whom, report)?;
    let password = ask::hidden(&format!("Password of {username}:"))?;
    let visit = Visit::begin(device, &username, &password).map_err(|error| lan::called(&error))?;
    let was = visit.in_force().map_err(|error| lan::called(&error))?;
    let serial = visit.device().serial().to_owned();
    if wanted.is_nothing() {
        show(&serial, &was, report);
        return Ok(());
    }
    let lines = visit.plan(&wanted).map_err(|error| lan::called(&error))?;
    if lines.is_empty() {
        report.done(&format!("{serial} has that already."), &json!({ "serial": serial, "changes": lines }));
        return Ok(());
    }
    report.aside("Looking who else is on the link …");
    let mut around = Surroundings::look().map_err(|error| Failure::two_lines("not-possible", &error))?;
    let reached = look_around(&around, &wanted, visit.device())?;
    tell(&serial, &lines, reached.as_ref(), report);
    if !options.yes && *ask::line("Change it? Type yes:")? != "yes" {
        return Err(Failure::new("cancelled", "Left.", "Nothing was changed."));
    }
    let begun = visit.change(was, wanted, &password).map_err(|error| lan::called(&error))?;
    report.aside("It changes. Looking for the device with its new settings …");
    let found = around.find_again(visit.device(), &begun, &belief.borrowed());
    match found.map_err(|error| Failure::two_lines("not-possible", &error))? {
        Ok(back) => {
            let (address, seconds) = (back.device.address().to_string(), back.after.as_secs_f64());
            let text = format!("{serial} is back: it answers at {address}, and keeps its new settings.");
            let seconds = (seconds * 10.0).round() / 10.0;
            report.done(
                &text,
                &json!({ "step": "done", "serial": serial, "changes": lines, "answers_at": address, "seconds": seconds }),
            );
            Ok(())
        }
        Err(lost) => {
            Err(not_back(&mut around, visit.device(), &begun, &belief.borrowed(), (&username, &password), lost, report))
        }
    }
}

fn wanted(options: &Network) -> Wanted {
    Wanted {
        dhcp: options.dhcp,
        address: options.address.map(|address| (address.address, address.bits)),
        gateway: options.gateway.map(|gateway| gateway.0),
        dns: options.dns.as_ref().map(|dns| dns.0.clone()),
        main: options.port,
        lan: options.lan_port,
    }
}

fn show(serial: &str, now: &InForce, report: Report) {
    let mut text = format!("{serial}, interface {} {}", now.name, now.mac).trim_end().to_owned() + ":";
    for (what, value) in now.lines() {
        text.push_str(&format!("\n  {what:8}  {}", or_none(&value)));
    }
    report.done(&text, &json!({ "serial": serial, "network": now }));
}

fn or_none(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

/// Whether somebody has the address, and how it is reached.
fn look_around(around: &Surroundings, wanted: &Wanted, device: &Device) -> Result<Option<Reached>, Failure> {
    let Some((address, _)) = wanted.address else { return Ok(None) };
    if let Some(holder) = around.holder_of(address, device) {
        let happened = format!("{holder} has the address {address} already.");
        return Err(Failure::new("address-taken", happened, "Give another one; see who has which:  sparekey discover"));
    }
    Ok(Some(around.reaches(address, device)))
}

/// What will change, and what to know before.
fn tell(serial: &str, lines: &[Line], reached: Option<&Reached>, report: Report) {
    if report.json {
        println!("{}", json!({ "step": "planned", "serial": serial, "changes": lines }));
    }
    report.aside(&format!("{serial} changes:"));
    let by_dhcp = lines.iter().any(|line| line.what == "dhcp" && line.to == "yes");
    for Line { what, from, to } in lines {
        let to = if to.is_empty() && by_dhcp { "as the DHCP server says" } else { or_none(to) };
        report.aside(&format!("  {what:8}  {} -> {to}", or_none(from)));
    }
    match reached {
        None | Some(Reached::Directly) => {}
        Some(Reached::LinkLocal(own)) => report.aside(&format!(
            "This computer has {own}, so the new address is in another network: from here the device will be reached over IPv6 link-local only."
        )),
        Some(Reached::Not(own)) => report.aside(&format!(
            "This computer has {own}, so the new address is in another network, and the device was not seen with IPv6: it cannot be confirmed from here, and will return to its old settings."
        )),
    }
}

/// What became of a device that did not come back.
fn not_back(
    around: &mut Surroundings,
    device: &Device,
    begun: &Begun,
    belief: &Belief<'_>,
    account: (&str, &str),
    lost: Lost,
    report: Report,
) -> Failure {
    let serial = device.serial();
    let happened = match lost {
        Lost::Silent => format!("{serial} was not reached with its new settings."),
        Lost::Returned => format!("{serial} could not take its new settings."),
    };
    report.aside(&format!("{happened} It returns to its old settings by itself within a minute …"));
    match around.find_returned(device, begun, belief, account) {
        Ok(Some(address)) => Failure::new(
            "not-confirmed",
            format!("{happened} It has returned to its old ones, and answers at {address}."),
            "Check the address, the gateway and the network that it is plugged into, and try again.",
        ),
        Ok(None) => Failure::new(
            "not-confirmed",
            format!("{happened} It should have returned to its old ones by now, and was not seen yet."),
            doctor::because(
                diagnosis::of_this_computer().as_ref(),
                &format!("Check its cable and look for it:  sparekey discover  (it was at {})", device.address()),
            ),
        ),
        Err(error) => Failure::two_lines("not-possible", &error),
    }
}
