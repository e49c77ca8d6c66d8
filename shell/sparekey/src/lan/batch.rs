//! `sparekey forgot` for many devices at once: one file to the desk, one file of grants back.
//!
//! Nothing is kept between the two runs but what is done already: a device that is asked again has the same request.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::json;
use sparekey_lan::device::Device;
use sparekey_protocol::files::{self as recovery_files, Document, Entry, FileError, RequestFile};

use crate::{
    cli::{Forgot, Whom},
    failure::Failure,
    files,
    lan::{ask, find, forgot},
    report::Report,
};

/// One device of many.
struct One {
    serial: String,
    address: Option<String>,
}

pub(crate) fn run(options: &Forgot, list: &Path, report: Report) -> Result<(), Failure> {
    let all = read(list)?;
    match (&options.request, &options.grant) {
        (Some(out), None) => ask_all(options, &all, out, report),
        (None, Some(grant)) => hand_over_all(options, &all, grant, report),
        _ => Err(Failure::malformed("--serials", "it takes one of --request and --grant")),
    }
}

/// Lines of a serial number and, if it is not to be searched for, an address.
fn read(list: &Path) -> Result<Vec<One>, Failure> {
    let text = files::text(list)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let one = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let serial = words.next().unwrap_or_default();
        let address = words.next();
        if words.next().is_some() {
            return Err(Failure::malformed(&list.display().to_string(), "a line is not SERIAL or SERIAL ADDRESS"));
        }
        Ok(One { serial, address })
    };
    lines.map(one).collect()
}

fn meet(options: &Forgot, one: &One, report: Report) -> Result<Device, Failure> {
    let Whom { maker, known, .. } = &options.whom;
    let whom = Whom {
        device: Some(one.serial.clone()),
        address: one.address.clone(),
        maker: maker.clone(),
        known: known.clone(),
    };
    find::device(&whom, report)
}

fn ask_all(options: &Forgot, all: &[One], out: &Path, report: Report) -> Result<(), Failure> {
    files::vacant(out)?;
    let (mut requests, mut failed) = (Vec::new(), 0);
    for (one, number) in all.iter().zip(1..) {
        let asked = meet(options, one, report).and_then(|device| {
            let opened = forgot::call(&device, "POST", "/api/v1/recoveries", Some(&json!({ "method": "desk" })))?;
            match recovery_files::parse(opened["request_xml"].as_str().unwrap_or_default().as_bytes()) {
                Ok(Document::Request(request)) => Ok(request),
                _ => Err(forgot::unreadable()),
            }
        });
        match asked {
            Ok(request) => {
                requests.push(request);
                said(report, one, number, all.len(), "asked", None);
            }
            Err(failure) => {
                failed += 1;
                said(report, one, number, all.len(), "failed", Some(&failure));
            }
        }
    }
    let written = write(&requests, out)?;
    let names: Vec<_> = written.iter().map(|place| place.display().to_string()).collect();
    ended(failed, all.len())?;
    report
        .done(&format!("Send to the desk: {}", names.join(", ")), &json!({ "files": names, "asked": requests.len() }));
    Ok(())
}

/// As few files as hold them all: `FILE`, then `FILE-2`, … before the end of the name.
fn write(requests: &[RequestFile], out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut written, mut rest) = (Vec::new(), requests);
    while !rest.is_empty() {
        let mut count = rest.len().min(recovery_files::MAX_BATCH);
        let text = loop {
            let entries = rest[..count].iter().cloned().map(Entry::Request).collect();
            match recovery_files::write(&Document::Batch(entries)) {
                Ok(text) => break text,
                Err(FileError::TooLong) if count > 1 => count -= 1,
                Err(error) => return Err(Failure::malformed("A request", error)),
            }
        };
        let place = crate::desk::place(out, u32::try_from(written.len() + 1).unwrap_or(u32::MAX));
        files::make_public(&place, text.as_bytes())?;
        written.push(place);
        rest = &rest[count..];
    }
    Ok(written)
}

fn hand_over_all(options: &Forgot, all: &[One], grant: &Path, report: Report) -> Result<(), Failure> {
    // Before any device is asked.
    files::text(grant)?;
    let place = PathBuf::from(format!("{}.done", grant.display()));
    let done = fs::read_to_string(&place).unwrap_or_default();
    let password = ask::new_password()?;
    let mut failed = 0;
    for (one, number) in all.iter().zip(1..) {
        if done.lines().any(|line| line == one.serial) {
            said(report, one, number, all.len(), "done-before", None);
            continue;
        }
        let set = meet(options, one, report).and_then(|device| forgot::by_grant(&device, options, grant, &password));
        match set {
            Ok(()) => {
                let kept = OpenOptions::new().append(true).create(true).open(&place);
                let kept = kept.and_then(|mut file| writeln!(file, "{}", one.serial));
                kept.map_err(|error| {
                    let happened = format!("{} cannot be written: {error}.", place.display());
                    Failure::new("not-possible", happened, "Check the disk; a further run would ask this device again.")
                })?;
                said(report, one, number, all.len(), "done", None);
            }
            Err(failure) => {
                failed += 1;
                said(report, one, number, all.len(), "failed", Some(&failure));
            }
        }
    }
    ended(failed, all.len())
}

fn said(report: Report, one: &One, number: usize, of: usize, result: &str, failure: Option<&Failure>) {
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
