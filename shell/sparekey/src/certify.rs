//! `sparekey maker certify`

use serde_json::json;
use sparekey_protocol::{Certificate, Model, Serial};

use crate::{cli::Certify, failure::Failure, files, report::Report};

pub(crate) fn run(options: &Certify, report: Report) -> Result<(), Failure> {
    let maker = files::signing_key(&options.dir.join("maker.key"))?;
    let device = files::public_key(&options.device_key)?;
    let serial = Serial::new(&options.serial).map_err(|error| Failure::malformed("--serial", error))?;
    let model = Model::new(&options.model).map_err(|error| Failure::malformed("--model", error))?;
    let certificate = Certificate::new(&maker.public(), serial, model, &device);
    files::make_public(&options.out, &certificate.sign(&maker))?;
    let (serial, id) = (&certificate.serial, certificate.device_id());
    let text = format!("Certified {serial} (device {id}): {}", options.out.display());
    report.done(&text, &json!({ "serial": serial.as_str(), "device": id.to_string(), "certificate": options.out }));
    Ok(())
}
