//! The child that decodes one photo, or one PDF, and ends.

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use rustix::thread::set_no_new_privs;
use serde::{Deserialize, Serialize};

use super::decode::{MAX_BYTES, Unreadable, read_symbols};
use super::pdf::{Unclean, clean};
use super::redraw::redraw;

/// Processor time for one photo, in seconds. An ordinary one takes a tenth of one.
const CPU_SECONDS: u64 = 2;
/// Address space, in bytes: the largest image decoded (200 MB), its grey copies, and the program.
const ADDRESS_SPACE: u64 = 512 * 1024 * 1024;
/// Above this the child gives way to everything else on the machine.
const NICENESS: i32 = 5;

/// What the child writes: one line of JSON, and after it a picture or a PDF, if that is what was asked for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// The texts of the symbols.
    Symbols(Vec<String>),
    /// What follows the line is the picture.
    Redrawn,
    /// There are none, and why.
    Unreadable(Unreadable),
    /// What follows the line is the PDF.
    Cleaned,
    /// There is none, and why.
    Unclean(Unclean),
}

/// Reads an image from standard input, writes one line of JSON to standard output.
///
/// To be called before the program starts a thread, opens a file or reads a setting: the limits
/// are for the whole process, and it holds nothing that a flaw in a decoder could give away.
/// Whoever started it is to leave it no environment.
#[must_use]
pub fn run_child() -> ExitCode {
    answer(|image| (read_symbols(image).map_or_else(Answer::Unreadable, Answer::Symbols), Vec::new()))
}

/// Reads an image from standard input; writes one line of JSON, and after it the image drawn anew, to standard output. To be called as
/// [`run_child`] is.
#[must_use]
pub fn run_redrawing_child() -> ExitCode {
    answer(|image| match redraw(image) {
        Ok(drawn) => (Answer::Redrawn, drawn),
        Err(unreadable) => (Answer::Unreadable(unreadable), Vec::new()),
    })
}

/// Reads a PDF from standard input; writes one line of JSON, and after it a PDF of its pages, to standard output. To be called as
/// [`run_child`] is.
#[must_use]
pub fn run_cleaning_child() -> ExitCode {
    answer(|file| match clean(file) {
        Ok(pages) => (Answer::Cleaned, pages),
        Err(unclean) => (Answer::Unclean(unclean), Vec::new()),
    })
}

/// What is made of standard input: a line, and what follows it.
fn answer(make: impl FnOnce(&[u8]) -> (Answer, Vec<u8>)) -> ExitCode {
    let done = confine().and_then(|()| {
        let mut bytes = Vec::new();
        stdin().lock().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        let (answer, file) = make(&bytes);
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        line.extend(file);
        stdout().lock().write_all(&line)
    });
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Limits that this process cannot lift again.
fn confine() -> std::io::Result<()> {
    let limit = |resource, soft, hard| setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) });
    // SIGXCPU first: the parent tells by it that the image, not the machine, was at fault.
    limit(Resource::Cpu, CPU_SECONDS, CPU_SECONDS + 1)?;
    limit(Resource::As, ADDRESS_SPACE, ADDRESS_SPACE)?;
    limit(Resource::Nofile, 3, 3)?; // the three standard streams
    limit(Resource::Nproc, 0, 0)?;
    limit(Resource::Core, 0, 0)?;
    set_no_new_privs(true)?;
    nice(NICENESS)?;
    Ok(())
}
