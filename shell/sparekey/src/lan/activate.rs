//! `sparekey activate`: the first day of a device.

use std::time::Duration;

use serde_json::json;

use crate::{
    cli::Activate,
    failure::Failure,
    lan::{self, ask, find},
    report::Report,
};

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run(options: &Activate, report: Report) -> Result<(), Failure> {
    let device = find::device(&options.whom, report)?;
    if device.description()["state"] == "active" {
        return Err(Failure::new(
            "already-active",
            format!("{} has an owner already.", device.serial()),
            format!("Log in, or get back in:  sparekey forgot {}", device.serial()),
        ));
    }
    let transfer = device.description()["awaits_transfer"] == true;
    let transfer = transfer.then(|| ask::line("The transfer code of its previous owner:")).transpose()?;
    let password = ask::new_password()?;
    let mut body = json!({
        "username": options.username,
        "password": password.as_str(),
        "reserved_emails": options.email,
    });
    if let Some(code) = transfer {
        body["transfer_code"] = code.as_str().into();
    }
    let done = device.call("POST", "/api/v1/activation", Some(&body), None, PATIENCE);
    done.map_err(|error| lan::called(&error))?;
    let serial = device.serial();
    let text = format!("{serial} is activated. Export a key file now:  sparekey export-key {serial} --out FILE");
    report.done(&text, &json!({ "serial": serial, "username": options.username }));
    Ok(())
}
