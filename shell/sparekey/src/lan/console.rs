//! `sparekey console`: the LAN tool in a window.

use serde_json::json;

use crate::{cli::Console, failure::Failure, files, lan::find, logs, report::Report, service::runtime, stop};

pub(crate) fn run(options: &Console, report: Report) -> Result<(), Failure> {
    logs::start(report, "warn");
    let maker = options.maker.as_deref().map(files::public_key).transpose()?;
    let known = find::known_file(options.known.as_deref())?;
    let console = sparekey_console::Console { port: options.port, maker, known };
    let failed = |error: sparekey_console::ConsoleError| Failure::two_lines("not-possible", &error);
    runtime()?.block_on(async {
        let stop = stop::on_signal()?;
        let bound = console.bind().await.map_err(failed)?;
        let address = bound.address();
        let text = format!("Open in a browser on this computer, and keep it to yourself:  {address}\nCtrl-C ends it.");
        report.done(&text, &json!({ "address": address }));
        if !options.no_open && opener::open_browser(&address).is_err() {
            report.aside("No browser could be started.");
        }
        bound.serve(stop).await.map_err(failed)
    })
}
