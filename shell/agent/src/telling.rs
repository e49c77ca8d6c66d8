//! Telling the contacts what happened, through a mail server of the owner's.
//!
//! Which notices there are, and to whom, is the device's to say ([`sparekey_device::Device::notices`]). A notice that a mail server took for all contacts,
//! or for those that it did not refuse for good, is told. One that it refused for all stays, for a phone to carry.

mod server;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use sparekey_device::{Caller, Notice, NoticeKind};
use sparekey_mail::{Address, Happened, NoticeLetter, SendError};
use sparekey_protocol::Language;
use tokio::sync::Notify;

use crate::app::App;
use crate::files::{Files, Folder};

pub(crate) use server::{BadServer, Encryption, MailServer, Outgoing};

/// Before the number of a mail server, in the name of its file.
const FILE: &str = "mail-";
/// How often it looks for something to tell.
const LOOK: Duration = Duration::from_secs(60);
/// How long a mail server that did not take a mail is left alone; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The mail servers that something may still be told through, each under the number that the device gave it.
///
/// The one in force tells what happens now. One before it is kept until what happened in its time is told: whoever got in, or owns the device
/// next, cannot have that told by a server of his own.
pub(crate) struct Teller {
    folder: Folder,
    servers: Mutex<BTreeMap<u64, Outgoing>>,
    changed: Notify,
    language: Language,
}

/// What a round of telling came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Nothing is left that trying again could tell.
    Done,
    /// Something is.
    Again,
}

/// Mails that need not be sent again, by notice and contact: taken, or refused for good.
#[derive(Default)]
struct Settled {
    taken: HashSet<(u64, usize)>,
    refused: HashSet<(u64, usize)>,
}

impl Teller {
    /// With the mail servers that the folder holds. A file that cannot be used is said in the log, and left as it is.
    pub(crate) fn open(folder: Folder, title: &str, language: Language) -> Self {
        let mut servers = BTreeMap::new();
        for name in folder.names_with(FILE) {
            let Some(number) = number_of(&name) else { continue };
            match read(&folder, &name, title) {
                Ok(outgoing) => drop(servers.insert(number, outgoing)),
                Err(error) => tracing::error!(name, error, "a mail server's settings cannot be used"),
            }
        }
        Self { folder, servers: Mutex::new(servers), changed: Notify::new(), language }
    }

    /// A mail server, without its password.
    pub(crate) fn server(&self, number: Option<u64>) -> Option<Outgoing> {
        self.servers().get(&number?).cloned()
    }

    /// Keeps a mail server under the number that the device gave it.
    ///
    /// # Errors
    /// Those of the disk: then it is none.
    pub(crate) fn keep(&self, number: u64, server: &MailServer, outgoing: Outgoing) -> std::io::Result<()> {
        self.folder.replace(&file_of(number), server.to_file().as_bytes())?;
        self.servers().insert(number, outgoing);
        self.changed.notify_one();
        Ok(())
    }

    /// Looks again now: another mail server is in force, or none.
    pub(crate) fn look(&self) {
        self.changed.notify_one();
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<u64, Outgoing>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, number: u64) {
        self.servers().remove(&number);
        if let Err(error) = self.folder.remove(&file_of(number)) {
            tracing::error!(%error, "a former mail server cannot be forgotten");
        }
    }

    /// Tells what is to be told, for as long as the agent runs.
    pub(crate) async fn run(app: &App) {
        let (mut settled, mut pause) = (Settled::default(), FIRST_PAUSE);
        loop {
            let round = app.teller.round(app, &mut settled).await;
            let next = match round {
                Round::Done => LOOK,
                Round::Again => pause,
            };
            pause = if round == Round::Done { FIRST_PAUSE } else { LONGEST_PAUSE.min(2 * pause) };
            tokio::select! {
                () = tokio::time::sleep(next) => {}
                () = app.teller.changed.notified() => (settled, pause) = (Settled::default(), FIRST_PAUSE),
            }
        }
    }

    async fn round(&self, app: &App, settled: &mut Settled) -> Round {
        // Before the device is looked at: one that comes meanwhile is not taken for a former one.
        let known: Vec<u64> = self.servers().keys().copied().collect();
        let notices = app.look(|device, _| device.notices()).await;
        let mut round = Round::Done;
        for notice in &notices {
            let Some(outgoing) = self.server(notice.server) else { continue };
            if self.tell(app, &outgoing, notice, settled).await == Round::Again {
                round = Round::Again;
            }
        }
        let (current, untold) = app.look(|device, _| (device.mail_server(), device.notices())).await;
        let needed = |number| current == Some(number) || untold.iter().any(|notice| notice.server == Some(number));
        known.into_iter().filter(|number| !needed(*number)).for_each(|number| self.forget(number));
        round
    }

    /// One notice to all its contacts.
    async fn tell(&self, app: &App, outgoing: &Outgoing, notice: &Notice, settled: &mut Settled) -> Round {
        let mut round = Round::Done;
        for (place, to) in notice.to.iter().enumerate() {
            let mail = (notice.number, place);
            if settled.taken.contains(&mail) || settled.refused.contains(&mail) {
                continue;
            }
            let Ok(to) = Address::parse(to.as_str()) else {
                settled.refused.insert(mail);
                continue;
            };
            match self.send(app, outgoing, &to, &Told::from(notice), place).await {
                Ok(()) => {
                    settled.taken.insert(mail);
                }
                Err(error @ SendError::Refused { .. }) => {
                    tracing::warn!(%error, "a contact cannot be told");
                    settled.refused.insert(mail);
                }
                Err(error @ SendError::Later { .. }) => {
                    tracing::warn!(%error, "a contact was not told yet");
                    round = Round::Again;
                }
            }
        }
        let any = (0..notice.to.len()).any(|place| settled.taken.contains(&(notice.number, place)));
        if round == Round::Done && any {
            tracing::info!(notice = notice.number, "the contacts were told");
            let number = notice.number;
            let told = app.live.command(Caller::Screen, move |device, now| Ok(device.notice_told(now, number))).await;
            if told.is_err() {
                return Round::Again;
            }
        }
        round
    }

    /// Sends one mail about something, and says what became of it.
    pub(crate) async fn send(
        &self,
        app: &App,
        outgoing: &Outgoing,
        to: &Address,
        told: &Told,
        place: usize,
    ) -> Result<(), SendError> {
        let (certificate, now) = app.look(|device, now| (device.identity().certificate().clone(), now.clock)).await;
        let message_id = message_id(certificate.device_id().0, told, place, outgoing.letterhead.from().domain());
        let letter = outgoing.letterhead.compose_notice(&NoticeLetter {
            to,
            happened: told.happened,
            way: told.way,
            at: told.at,
            count: told.count,
            serial: certificate.serial.as_str(),
            model: certificate.model.as_str(),
            date: now.0,
            language: self.language.as_str(),
            message_id: &message_id,
        });
        let letter = letter.map_err(|error| SendError::Later { reason: error.to_string() })?;
        outgoing.transport.send(letter.envelope(), letter.bytes()).await.map(drop)
    }
}

fn file_of(number: u64) -> String {
    format!("{FILE}{number}.toml")
}

fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix(FILE)?.strip_suffix(".toml")?.parse().ok()?;
    (file_of(number) == name).then_some(number)
}

fn read(folder: &Folder, name: &str, title: &str) -> Result<Outgoing, String> {
    let bytes = folder.read(name).map_err(|error| error.to_string())?.ok_or("it is gone")?;
    MailServer::from_file(&bytes).and_then(|server| server.outgoing(title)).map_err(|error| error.to_string())
}

/// What happened, as the interface names it.
pub(crate) fn name_of(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Recovered => "recovered",
        NoticeKind::Refused => "refused",
        NoticeKind::FactoryReset => "factory-reset",
        NoticeKind::Transferred => "transferred",
    }
}

/// What a mail tells of.
pub(crate) struct Told {
    pub(crate) happened: Happened,
    pub(crate) way: Option<&'static str>,
    pub(crate) at: u64,
    pub(crate) count: u32,
    /// Tells mails about different things apart.
    pub(crate) number: u64,
}

impl From<&Notice> for Told {
    fn from(notice: &Notice) -> Self {
        Self {
            happened: match notice.kind {
                NoticeKind::Recovered => Happened::Recovered,
                NoticeKind::Refused => Happened::Refused,
                NoticeKind::FactoryReset => Happened::FactoryReset,
                NoticeKind::Transferred => Happened::Transferred,
            },
            way: notice.way.map(sparekey_device::ways::Way::name),
            at: notice.at.0,
            count: notice.count,
            number: notice.number,
        }
    }
}

/// The same whenever this mail is sent again.
fn message_id(device: [u8; 16], told: &Told, place: usize, domain: &str) -> String {
    let hash = Sha256::new()
        .chain_update("sparekey/v1/notice-id")
        .chain_update(device)
        .chain_update([told.happened as u8])
        .chain_update(told.number.to_be_bytes())
        .chain_update(told.count.to_be_bytes())
        .finalize();
    let name: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("<{name}.{place}@{domain}>")
}
