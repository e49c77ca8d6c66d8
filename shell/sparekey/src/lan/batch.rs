//! `sparekey forgot` for many devices at once: one file to the desk, one file of grants back.
//!
//! Nothing is kept between the two runs but what is done already: a device that is asked again has the same request.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::json;
use sparekey_lan::{
    batch::pack,
    device::{Device, Recovery},
};
use sparekey_protocol::files::{self as recovery_files, Document, Entry, RequestFile};

use crate::{
    cli::Forgot,
    failure::Failure,
    files,
    lan::{self, ask, chosen::Chosen, each::each, find, forgot},
    report::Report,
};

pub(crate) fn run(options: &Forgot, all: Vec<Chosen>, report: Report) -> Result<(), Failure> {
    match (&options.request, &options.grant) {
        (Some(out), None) => ask_all(options, &all, out, report),
        (None, Some(grant)) => hand_over_all(options, all, grant, report),
        _ => Err(Failure::malformed("Many devices at once", "they take one of --request and --grant")),
    }
}

fn meet(options: &Forgot, one: &Chosen, report: Report) -> Result<Device, Failure> {
    find::meet(Some(&one.serial), one.addresses.clone(), None, &options.whom, report)
}

fn ask_all(options: &Forgot, all: &[Chosen], out: &Path, report: Report) -> Result<(), Failure> {
    files::vacant(out)?;
    let (mut requests, mut failed) = (Vec::new(), 0);
    let asked = |one: &Chosen| {
        let device = meet(options, one, report)?;
        let recovery = Recovery::open(&device, "desk", None).map_err(|error| lan::called(&error))?;
        match recovery_files::parse(recovery.shown()["request_xml"].as_str().unwrap_or_default().as_bytes()) {
            Ok(Document::Request(request)) => Ok(request),
            _ => Err(forgot::unreadable()),
        }
    };
    each(all, report, asked, |number, one, asked: Result<RequestFile, Failure>| match asked {
        Ok(request) => {
            requests.push(request);
            said(report, one, number, all.len(), "asked", None);
        }
        Err(failure) => {
            failed += 1;
            said(report, one, number, all.len(), "failed", Some(&failure));
        }
    });
    let written = write(&requests, out)?;
    let names: Vec<_> = written.iter().map(|place| place.display().to_string()).collect();
    if !names.is_empty() {
        let text = format!("Send to the desk: {}", names.join(", "));
        report.done(&text, &json!({ "files": names, "asked": requests.len() }));
    }
    ended(failed, all.len())
}

/// As few files as hold them all: `FILE`, then `FILE-2`, … before the end of the name.
fn write(requests: &[RequestFile], out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let packed = pack(requests).map_err(|error| Failure::malformed("A request", error))?;
    let mut written = Vec::new();
    for (text, number) in packed.iter().zip(1..) {
        let place = crate::desk::place(out, number);
        files::make_public(&place, text.as_bytes())?;
        written.push(place);
    }
    Ok(written)
}

fn hand_over_all(options: &Forgot, mut all: Vec<Chosen>, grant: &Path, report: Report) -> Result<(), Failure> {
    // Before any device is asked.
    let text = files::text(grant)?;
    if options.many.serials.is_none() {
        only_granted(&mut all, &text, grant, report)?;
    }
    let place = PathBuf::from(format!("{}.done", grant.display()));
    let before = fs::read_to_string(&place).unwrap_or_default();
    let password = ask::new_password()?;
    let (mut failed, mut unkept) = (0, None);
    let set = |one: &Chosen| {
        if before.lines().any(|line| line == one.serial) {
            return Ok(false);
        }
        forgot::by_grant(&meet(options, one, report)?, options, &text, &password).map(|()| true)
    };
    each(&all, report, set, |number, one, set: Result<bool, Failure>| match set {
        Ok(false) => said(report, one, number, all.len(), "done-before", None),
        Ok(true) => {
            let kept = OpenOptions::new().append(true).create(true).open(&place);
            if let Err(error) = kept.and_then(|mut file| writeln!(file, "{}", one.serial)) {
                unkept = Some(error);
            }
            said(report, one, number, all.len(), "done", None);
        }
        Err(failure) => {
            failed += 1;
            said(report, one, number, all.len(), "failed", Some(&failure));
        }
    });
    if let Some(error) = unkept {
        let happened = format!("{} cannot be written: {error}.", place.display());
        return Err(Failure::new(
            "not-possible",
            happened,
            "Check the disk; a further run would ask all devices again.",
        ));
    }
    ended(failed, all.len())
}

/// Of what is on the link, what the desk granted. What the file says beside a grant is for people: the device believes the grant alone.
fn only_granted(all: &mut Vec<Chosen>, text: &str, grant: &Path, report: Report) -> Result<(), Failure> {
    let name = grant.display().to_string();
    let granted: Vec<String> = match recovery_files::parse(text.as_bytes()) {
        Ok(Document::Grant(grant)) => vec![grant.serial],
        Ok(Document::Batch(entries)) => entries
            .into_iter()
            .filter_map(|entry| if let Entry::Grant(grant) = entry { Some(grant.serial) } else { None })
            .collect(),
        Ok(_) => return Err(Failure::malformed(&name, "it has no grant in it")),
        Err(error) => return Err(Failure::malformed(&name, error)),
    };
    let found = all.len();
    all.retain(|one| granted.contains(&one.serial));
    if all.is_empty() {
        let happened = format!("None of the {found} devices has a grant in {name}.");
        return Err(Failure::new("not-for-this-device", happened, "Give the desk's file for these devices."));
    }
    let away: Vec<_> = granted.iter().filter(|serial| !all.iter().any(|one| one.serial == **serial)).collect();
    if !away.is_empty() {
        let away: Vec<_> = away.into_iter().map(|serial| crate::client::plain(serial)).collect();
        report.aside(&format!("Not found among the devices that were chosen: {}", away.join(", ")));
    }
    if found > all.len() {
        report.aside(&format!("{} devices have no grant in {name} and are passed over.", found - all.len()));
    }
    Ok(())
}

fn said(report: Report, one: &Chosen, number: usize, of: usize, result: &str, failure: Option<&Failure>) {
    let why = failure.map(|failure| format!(": {}", failure.happened)).unwrap_or_default();
    let problem = failure.map(|failure| failure.problem);
    let data = json!({ "serial": one.serial, "result": result, "problem": problem });
    report.done(&format!("{number} of {of}  {}  {result}{why}", one.serial), &data);
}

fn ended(failed: usize, of: usize) -> Result<(), Failure> {
    if failed == 0 {
        return Ok(());
    }
    let happened = format!("{failed} of {of} devices are not done.");
    Err(Failure::new(
        "not-all",
        happened,
        "Mend what stands beside them and run the same again: those that are done are passed over.",
    ))
}
