//! `sparekey watch`: follows a service's public log, and says what in it concerns one's own devices (protocol sections 7 and 13).
//!
//! It believes nothing but the card. What it saw at the last visit is in the state file; every entry since then is read, and together
//! they must make the tree that the log signed: so a log that forgets, changes or hides anything is found out.

mod follow;
mod log;
mod state;
mod wanted;

use std::{thread, time::Duration};

use serde_json::json;
use sparekey_protocol::{Card, Malformed, Time, log::LogPolicy};

use crate::{cli::Watch, client::Client, failure::Failure, files, report::Report};
use follow::{Alarm, Visit, visit};
use log::Log;
use state::{Found, State};
use wanted::Wanted;

pub(crate) fn run(options: &Watch, report: Report) -> Result<(), Failure> {
    let card = card(options)?;
    let policy = LogPolicy::of_card(&card)
        .map_err(|error| Failure::malformed("--card: its public log's key cannot be used", error))?;
    let log = Log::new(Client::new(&options.service, "", options.ca.as_deref())?, policy);
    loop {
        let wanted = Wanted::read(&options.vault, &options.request, &card, &files::public_key(&options.maker)?)?;
        once(options, &log, &wanted, report)?;
        match options.every {
            Some(seconds) => thread::sleep(Duration::from_secs(seconds.max(1))),
            None => return Ok(()),
        }
    }
}

/// One visit, from the state file to the state file.
fn once(options: &Watch, log: &Log, wanted: &Wanted, report: Report) -> Result<(), Failure> {
    let before = options.state.as_deref().map(State::read).transpose()?.flatten();
    let visited = visit(log, before.as_ref(), wanted, &mut |read, of| {
        report.aside(&format!("Reading the log: {read} of {of} entries."));
    });
    let Visit { state, since } = match visited {
        Ok(visit) => visit,
        Err(alarm) => {
            if let (Some(path), Alarm::Log { seen, shown, .. }) = (&options.state, &alarm) {
                state::keep_evidence(path, seen.as_deref(), shown)?;
            }
            return Err(alarm.into());
        }
    };
    if let Some(path) = &options.state {
        state.write(path)?;
    }
    for found in &state.found {
        tell(found, wanted, since, report);
    }
    let new = state.edge.size() - since;
    let text = format!(
        "The log {} has {} entries, {new} of them new. It is whole, and extends what was seen before. {}",
        state.origin,
        state.edge.size(),
        match state.found.len() {
            0 => "None concerns you.".to_owned(),
            1 => "One concerns you.".to_owned(),
            number => format!("{number} concern you."),
        },
    );
    let data = json!({
        "kind": "log", "origin": state.origin, "size": state.edge.size(), "since": since,
        "root": state.edge.root().to_string(), "concern_you": state.found.len(),
    });
    report.done(&text, &data);
    match wanted.missing(&state.found) {
        Some(missing) => Err(missing),
        None => Ok(()),
    }
}

fn tell(found: &Found, wanted: &Wanted, since: u64, report: Report) {
    let Some(whose) = wanted.of(&found.commitment) else { return };
    let is_new = found.index >= since;
    let did = match found.act.as_str() {
        "code-mailed" => "a code was mailed",
        "grant-issued" => "the desk issued a grant",
        "code-read-out" => "the desk read a code out",
        "security-code-issued" => "a security code was issued",
        other => other,
    };
    let text = format!(
        "{}  {did} for {}, request {} (entry {}{})",
        Time(found.time).rfc_3339(),
        whose.serial,
        whose.nonce,
        found.index,
        if is_new { ", new" } else { "" },
    );
    let data = json!({
        "kind": "leaf", "index": found.index, "time": found.time, "act": found.act, "serial": whose.serial,
        "device": whose.device.to_string(), "nonce": whose.nonce.to_string(), "new": is_new,
    });
    report.done(&text, &data);
}

fn card(options: &Watch) -> Result<Card, Failure> {
    let maker = files::public_key(&options.maker)?;
    let card = Card::verify(&files::read(&options.card)?, &maker).map_err(|error| {
        let why = match error {
            Some(Malformed::TooLong) => "longer than a card may be",
            Some(_) => "not a service card",
            None => "not signed by this maker",
        };
        Failure::malformed("--card", why)
    })?;
    Ok(card.into_inner())
}
