//! Bounces: word that comes back, after a mail server took a letter, that it was not delivered.
//!
//! Each letter leaves with an envelope sender of its own ([`BounceAddresses`]). The mail server delivers what comes back to it
//! into a maildir; the [`Watcher`] looks there, and a delivery status notification that says *failed* ([`report`]) is noted
//! with its letter. All mail to such an address is removed once it was looked at: it may hold a returned letter. None of it
//! is stored or logged. Mail to anybody else is moved to `cur/` untouched, should the folder not be ours alone.

mod address;
mod report;

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sparekey_cases::MailState;
use tokio::{task, time};
use tokio_util::sync::CancellationToken;

use crate::{
    sender::message_id,
    store::{Letter, Store},
    writer::{Outcome, Writer},
};
pub(crate) use address::BounceAddresses;
use report::Mail;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(3);
/// The most mails of one look.
const MOST_MAILS: usize = 200;
/// How much of a mail is read, in bytes: what counts stands before the letter that is returned.
const MOST_BYTES: u64 = 256 * 1024;

/// The task that looks for bounces.
pub(crate) struct Watcher {
    /// A maildir, which may not be there yet.
    pub(crate) maildir: PathBuf,
    pub(crate) addresses: Arc<BounceAddresses>,
    /// The domain of this service's Message-IDs.
    pub(crate) domain: String,
    pub(crate) store: Arc<Store>,
    pub(crate) writer: Writer,
    pub(crate) stop: CancellationToken,
}

impl Watcher {
    /// Looks until it is stopped.
    pub(crate) async fn run(self) {
        let mut in_trouble = false;
        loop {
            let looked = self.look().await;
            if let Err(error) = &looked
                && !in_trouble
            {
                tracing::warn!(%error, "the maildir of bounces cannot be worked through");
            }
            in_trouble = looked.is_err();
            tokio::select! {
                () = time::sleep(LOOK) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Once through the new mails. One that cannot be read or removed does not stop the others.
    async fn look(&self) -> io::Result<()> {
        let new = self.maildir.join("new");
        let mails = task::spawn_blocking(move || list(&new)).await.map_err(io::Error::other)??;
        let mut looked = Ok(());
        for mail in mails {
            if self.stop.is_cancelled() {
                break;
            }
            looked = looked.and(self.look_at(mail).await);
        }
        looked
    }

    async fn look_at(&self, path: PathBuf) -> io::Result<()> {
        let (addresses, mail) = (Arc::clone(&self.addresses), path.clone());
        let parsed = task::spawn_blocking(move || read(&mail).map(|bytes| Mail::parse(&bytes, &addresses))).await;
        // What a parser breaks on is left to people.
        match parsed.unwrap_or(Ok(Mail::Other))? {
            Mail::Bounce(letter) if !self.note(letter).await => Ok(()),
            Mail::Bounce(_) | Mail::NoNews => unless_gone(fs::remove_file(&path)),
            Mail::Other => unless_gone(put_aside(&self.maildir, &path)),
        }
    }

    /// Whether it is done; if not, the mail is looked at again.
    async fn note(&self, letter: Letter) -> bool {
        let Ok(case) = self.store.case(letter.case).await else { return false };
        let mail = case.and_then(|case| case.mail).filter(|mail| mail.letter == letter.number);
        // It overtook the note that the letter was sent, which is on its way.
        if mail.is_some_and(|mail| mail.state == MailState::Queued)
            || self.writer.note(letter, Outcome::Bounced).await.is_err()
        {
            return false;
        }
        tracing::warn!(message_id = message_id(letter, &self.domain), "mail bounced");
        metrics::counter!("sparekey_mails_total", "state" => "bounced").increment(1);
        true
    }
}

/// The mails in a folder, which the mail server makes with the first one.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mails =
        entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())));
    mails.take(MOST_MAILS).map(|entry| Ok(entry?.path())).collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Into `cur/`, where mails are that were seen.
fn put_aside(maildir: &Path, path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default();
    fs::create_dir_all(maildir.join("cur"))?;
    let mut seen = name.to_owned();
    seen.push(":2,");
    fs::rename(path, maildir.join("cur").join(seen))
}

/// Another node may have been there first.
fn unless_gone(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
