//! Photos handed to children, few at a time.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::child::Answer;
use super::decode::{MAX_BYTES, Unreadable, find_request};
use super::pdf::{MAX_PDF, Unclean};

/// Photos that may wait for their turn; each holds up to [`MAX_BYTES`].
const MAX_WAITING: usize = 8;
/// How long a photo waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How long a child may take by the clock. Its own limit is 2 s of processor time.
const MAX_RUN: Duration = Duration::from_secs(5);
/// Most bytes of a child's answer: 48 symbols, each as large as they come, would not fill it.
const MAX_ANSWER: u64 = 1024 * 1024;
/// Most bytes of a picture that was drawn anew, with the line before it.
const MAX_REDRAWN: u64 = 4 * 1024 * 1024;
/// Most bytes of a PDF that was written anew, with the line before it.
const MAX_CLEANED: u64 = MAX_PDF as u64 + 1024;
/// What the child is told to draw anew by.
const REDRAW: &str = "--redraw";
/// What the child is told by that it gets a PDF.
const CLEAN: &str = "--pdf";

/// Why a photo gave no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// No QR symbol of a recovery request was found in it, or not with the effort allowed
    /// (problem `no-qr`).
    #[error("the photo shows no recovery QR that can be read")]
    NoQr,
    /// More than 12 MiB or 50 megapixels, or a PDF of more than 8 MiB (problem `too-large`).
    #[error("the photo is larger than 12 MiB or 50 megapixels")]
    TooLarge,
    /// Neither JPEG nor PNG nor WebP, or a damaged or animated one.
    #[error("this is no picture that can be drawn anew")]
    NotAPicture,
    /// A PDF that is encrypted (problem `locked-pdf`).
    #[error("the PDF is encrypted")]
    LockedPdf,
    /// A PDF that cannot be read, or not with the effort allowed (problem `bad-pdf`).
    #[error("the PDF cannot be read, or there is too much in it")]
    BadPdf,
    /// Too many photos at once, or the machine is too busy for this one (problem `too-many`).
    #[error("too many photos are being read")]
    Busy,
    /// The child could not be started or ended in a way that says nothing about the photo.
    #[error("the photo could not be read")]
    Failed,
}

/// Reads photos through child processes, so that none can harm or hold up the service.
#[derive(Debug)]
pub struct PhotoReader {
    program: PathBuf,
    args: Vec<String>,
    running: Semaphore,
    places: Semaphore,
}

impl PhotoReader {
    /// A reader that runs `program` with `args`, which is to call [`run_child`](super::run_child);
    /// `at_once` photos at a time (at least one), up to eight more wait.
    #[must_use]
    pub fn new(program: PathBuf, args: Vec<String>, at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { program, args, running: Semaphore::new(at_once), places: Semaphore::new(at_once + MAX_WAITING) }
    }

    /// The text of the recovery request whose QR symbol `image` shows. Dropping the future kills
    /// the child.
    ///
    /// # Errors
    /// [`PhotoError`] says which.
    pub async fn read(&self, image: Bytes) -> Result<String, PhotoError> {
        let start = Instant::now();
        let read = match self.run(image, None, MAX_ANSWER).await {
            Ok((status, answer)) => judge(status, &answer),
            Err(error) => Err(error),
        };
        let outcome = match &read {
            Ok(_) => "read",
            Err(PhotoError::NoQr | PhotoError::NotAPicture | PhotoError::LockedPdf | PhotoError::BadPdf) => "no-qr",
            Err(PhotoError::TooLarge) => "too-large",
            Err(PhotoError::Busy) => "busy",
            Err(PhotoError::Failed) => "failed",
        };
        metrics::counter!("sparekey_photos_total", "outcome" => outcome).increment(1);
        metrics::histogram!("sparekey_photo_seconds").record(start.elapsed().as_secs_f64());
        read
    }

    /// The picture drawn anew, as JPEG. Dropping the future kills the child.
    ///
    /// # Errors
    /// [`PhotoError`] says which.
    pub async fn redraw(&self, image: Bytes) -> Result<Vec<u8>, PhotoError> {
        let (status, answer) = self.run(image, Some(REDRAW), MAX_REDRAWN).await?;
        let end = answer.iter().position(|byte| *byte == b'\n').unwrap_or(answer.len());
        let (line, drawn) = answer.split_at(end);
        match outcome(status, line) {
            // An answer that was cut off is none.
            Some(Answer::Redrawn) if answer.len() as u64 == MAX_REDRAWN => Err(PhotoError::TooLarge),
            Some(Answer::Redrawn) => Ok(drawn[1..].to_vec()),
            Some(Answer::Unreadable(Unreadable::TooLarge)) => Err(PhotoError::TooLarge),
            Some(Answer::Unreadable(_)) => Err(PhotoError::NotAPicture),
            None if is_out_of_time(status) => Err(PhotoError::NotAPicture),
            Some(Answer::Symbols(_) | Answer::Cleaned | Answer::Unclean(_)) | None => Err(PhotoError::Failed),
        }
    }

    /// The pages of a PDF as a PDF of its own. Dropping the future kills the child.
    ///
    /// # Errors
    /// [`PhotoError`] says which.
    pub async fn clean_pdf(&self, file: Bytes) -> Result<Vec<u8>, PhotoError> {
        if file.len() > MAX_PDF {
            return Err(PhotoError::TooLarge);
        }
        let (status, answer) = self.run(file, Some(CLEAN), MAX_CLEANED).await?;
        let end = answer.iter().position(|byte| *byte == b'\n').unwrap_or(answer.len());
        let (line, pages) = answer.split_at(end);
        match outcome(status, line) {
            // An answer that was cut off is none.
            Some(Answer::Cleaned) if pages.len() > MAX_PDF + 1 => Err(PhotoError::TooLarge),
            Some(Answer::Cleaned) => Ok(pages[1..].to_vec()),
            Some(Answer::Unclean(Unclean::TooLarge)) => Err(PhotoError::TooLarge),
            Some(Answer::Unclean(Unclean::Encrypted)) => Err(PhotoError::LockedPdf),
            Some(Answer::Unclean(Unclean::Unreadable)) => Err(PhotoError::BadPdf),
            // Lists of lists want more memory, or a deeper stack, than there is: that ends the child so.
            None if is_out_of_time(status) || status.signal() == Some(Signal::ABORT.as_raw()) => {
                Err(PhotoError::BadPdf)
            }
            Some(Answer::Symbols(_) | Answer::Redrawn | Answer::Unreadable(_)) | None => Err(PhotoError::Failed),
        }
    }

    /// What a child made of the image.
    async fn run(&self, image: Bytes, more: Option<&str>, longest: u64) -> Result<(ExitStatus, Vec<u8>), PhotoError> {
        if image.len() > MAX_BYTES {
            return Err(PhotoError::TooLarge);
        }
        let _place = self.places.try_acquire().map_err(|_| PhotoError::Busy)?;
        let turn = timeout(MAX_WAIT, self.running.acquire()).await;
        let _turn = turn.map_err(|_| PhotoError::Busy)?.expect("the semaphore is never closed");

        let mut child = self.start(more).map_err(|error| {
            tracing::error!(%error, "the photo decoder could not be started");
            PhotoError::Failed
        })?;
        let outcome = timeout(MAX_RUN, converse(&mut child, &image, longest)).await;
        let Ok(outcome) = outcome else {
            // Waited for here, so that at no time more than `at_once` run.
            if let Err(error) = child.kill().await {
                tracing::error!(%error, "the photo decoder could not be stopped");
            }
            tracing::warn!("a photo took longer than {} s by the clock", MAX_RUN.as_secs());
            return Err(PhotoError::Busy);
        };
        outcome.map_err(|error| {
            tracing::error!(%error, "the photo decoder could not be heard");
            PhotoError::Failed
        })
    }

    fn start(&self, more: Option<&str>) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            .args(more)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }
}

/// Gives the child its image and takes its answer, both at once: either pipe may fill.
async fn converse(child: &mut Child, image: &[u8], longest: u64) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut stdin = child.stdin.take().expect("piped at start");
    let stdout = child.stdout.take().expect("piped at start");
    let give = async move {
        // A child that has seen enough closes its end; its answer tells the rest.
        let _ = stdin.write_all(image).await;
    };
    let take = async move {
        let mut answer = Vec::new();
        stdout.take(longest).read_to_end(&mut answer).await.map(|_| answer)
    };
    let ((), answer) = tokio::join!(give, take);
    Ok((child.wait().await?, answer?))
}

fn judge(status: ExitStatus, answer: &[u8]) -> Result<String, PhotoError> {
    match outcome(status, answer) {
        Some(Answer::Symbols(texts)) => find_request(&texts).map(str::to_owned).ok_or(PhotoError::NoQr),
        Some(Answer::Unreadable(Unreadable::TooLarge)) => Err(PhotoError::TooLarge),
        Some(Answer::Unreadable(Unreadable::NotAnImage | Unreadable::Animated | Unreadable::NoSymbol)) => {
            Err(PhotoError::NoQr)
        }
        None if is_out_of_time(status) => Err(PhotoError::NoQr),
        Some(Answer::Redrawn | Answer::Cleaned | Answer::Unclean(_)) | None => Err(PhotoError::Failed),
    }
}

/// What the child said, if it came to its end.
fn outcome(status: ExitStatus, line: &[u8]) -> Option<Answer> {
    let answer = if status.success() { serde_json::from_slice(line).ok() } else { None };
    if is_out_of_time(status) {
        tracing::warn!("a photo or PDF used up its processor time");
    } else if answer.is_none() {
        tracing::warn!(%status, "the photo decoder ended without an answer");
    }
    answer
}

/// The image was at fault, not the machine.
fn is_out_of_time(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::XCPU.as_raw())
}
