//! `sparekey discover`

use std::{
    fs,
    io::{self, IsTerminal},
    path::Path,
    time::{Duration, Instant},
};

use sparekey_lan::{Finder, LanError, Row, list, live};

use crate::{cli::Discover, failure::Failure, logs, report::Report};

/// The longest wait for answers in one go.
const STEP: Duration = Duration::from_millis(100);

pub(crate) fn run(options: &Discover, report: Report) -> Result<(), Failure> {
    let finder = Finder::new(options.interface.clone()).map_err(|error| failed(&error))?;
    let once = report.json
        || options.csv.is_some()
        || options.xlsx.is_some()
        || options.select.is_some()
        || options.seconds.is_some();
    if !once && io::stdout().is_terminal() && io::stdin().is_terminal() {
        let finder = live::run(finder).map_err(|error| failed(&error))?;
        // What was on the screen a moment ago stays readable.
        return tell(&finder, &here(&finder, options), options, report);
    }
    logs::start(report, "warn");
    let finder = search(finder, options.seconds).map_err(|error| failed(&error))?;
    tell(&finder, &here(&finder, options), options, report)
}

fn search(mut finder: Finder, seconds: Option<u64>) -> Result<Finder, LanError> {
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.map_or_else(|| finder.is_over(), |left| left.is_zero()) {
            return Ok(finder);
        }
        finder.step(left.map_or(STEP, |left| left.min(STEP)))?;
    }
}

/// Those that are meant, and did not say goodbye meanwhile.
fn here(finder: &Finder, options: &Discover) -> Vec<Row> {
    let is_meant = |row: &Row| options.select.as_ref().is_none_or(|selection| selection.takes(row));
    finder.rows().into_iter().filter(|row| !row.gone && is_meant(row)).collect()
}

fn tell(finder: &Finder, rows: &[Row], options: &Discover, report: Report) -> Result<(), Failure> {
    if let Some(file) = &options.csv {
        fs::File::create(file).and_then(|out| list::csv(rows, out)).map_err(|error| unwritten(file, &error))?;
    }
    if let Some(file) = &options.xlsx {
        let book = list::xlsx(rows).map_err(|error| unwritten(file, &error))?;
        fs::write(file, book).map_err(|error| unwritten(file, &error))?;
    }
    let printed = if report.json {
        list::json(rows, io::stdout().lock())
    } else if options.csv.is_none() && options.xlsx.is_none() {
        list::plain(rows, io::stdout().lock())
    } else {
        Ok(())
    };
    match printed {
        // Whoever read the list has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        printed => {
            printed.map_err(|error| Failure::new("not-possible", format!("Nothing can be printed: {error}."), ""))?
        }
    }
    let devices = if rows.len() == 1 { "1 device".to_owned() } else { format!("{} devices", rows.len()) };
    #[allow(clippy::cast_precision_loss)] // of some seconds
    let seconds = finder.now() as f64 / 1_000.0;
    report.aside(&format!("{devices} in {seconds:.1} s."));
    let traffic = finder.traffic();
    tracing::info!(
        sent = traffic.sent,
        sent_bytes = traffic.sent_bytes,
        received = traffic.received,
        received_bytes = traffic.received_bytes,
        "searched"
    );
    for trouble in finder.troubles() {
        report.aside(&trouble);
    }
    Ok(())
}

fn failed(error: &LanError) -> Failure {
    let problem = match error {
        LanError::NoInterface(..) => "no-interface",
        LanError::System(_) => "not-possible",
    };
    Failure::two_lines(problem, error)
}

fn unwritten(file: &Path, error: &impl std::fmt::Display) -> Failure {
    let happened = format!("{} cannot be written: {error}.", file.display());
    Failure::new("not-possible", happened, "Give another file.")
}
