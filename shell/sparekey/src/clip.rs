//! `sparekey clip`: whether a clip is what a recorder says it is.

use std::{fs::File, io, path::Path};

use serde_json::json;
use sha2::{Digest, Sha256};
use sparekey_protocol::{
    Time,
    clip::{self, Said},
};

use crate::{cli::Clip, client::plain, failure::Failure, files, report::Report};

pub(crate) fn run(options: &Clip, report: Report) -> Result<(), Failure> {
    let beside = || options.file.with_added_extension("statement");
    let statement = files::read(&options.statement.clone().unwrap_or_else(beside))?;
    let maker = options.maker.as_deref().map(files::public_key).transpose()?;
    let said = clip::open(&statement, maker.as_ref()).map_err(|refusal| {
        let happened = format!("This statement is not genuine ({refusal}).");
        Failure::new(
            refusal.name(),
            happened,
            "Ask for the clip and its statement again, from whoever has the recorder.",
        )
    })?;
    let Said { clip, certificate, vouched } = &*said;
    let (sha256, length) = hashed(&options.file)?;
    if (sha256, length) != (clip.sha256, clip.length) {
        let happened = "This clip is not the one that the statement is about, or it was changed since.";
        return Err(Failure::new(
            "not-the-clip",
            happened,
            "Ask for it again; a player that saves a file changes it as well.",
        ));
    }
    let (from, to) = (Time(clip.from / 1_000).rfc_3339(), Time(clip.to / 1_000).rfc_3339());
    let camera = plain(&clip.camera);
    let by = if *vouched { "certified by its maker" } else { "by its own word; --maker FILE checks who made it" };
    let text = format!(
        "Unchanged. {} {} ({by}) recorded it: camera {camera}, {from} to {to} by its clock.",
        certificate.model, certificate.serial
    );
    report.done(
        &text,
        &json!({
            "serial": certificate.serial.as_str(), "model": certificate.model.as_str(), "device_id": clip.device.to_string(), "vouched": vouched,
            "camera": camera, "from": clip.from, "to": clip.to, "length": length,
        }),
    );
    Ok(())
}

fn hashed(path: &Path) -> Result<([u8; 32], u64), Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            "not-possible",
            format!("{} cannot be read: {error}.", path.display()),
            "Check its name, and who owns it.",
        )
    };
    let mut hash = Sha256::new();
    let length = io::copy(&mut File::open(path).map_err(failed)?, &mut Hashing(&mut hash)).map_err(failed)?;
    Ok((hash.finalize().into(), length))
}

/// A hash that is written to.
struct Hashing<'h>(&'h mut Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
