//! The service without its HTTP: what the pages and the interface call.

mod answers;
mod by_mail;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use sparekey_cases::{Budgets, Refusal as CaseRefusal, Scope};
use sparekey_mail::{Address, Letterhead, Transport};
use sparekey_protocol::{
    BaseUrl, Certificate, MakerId, PublicKey, ReservedEmail, Serial, Verified,
    enrol::{self, Enrolment},
    receipt,
    request::{self, Purpose, Request},
};
use tokio::{sync::Notify, task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

pub use crate::store::{Database, StoreError};
use crate::{
    bounces::{BounceAddresses, Watcher},
    case_id::CaseId,
    clock::Clock,
    desk::Desk,
    keys::Keys,
    network::NetworkKey,
    operators::URL_SETTING,
    public_log::{LogSettings, Parts, PublicLog, Publisher},
    seal::{self, BucketKey, Sealer},
    sender::Sender,
    store::{self, Enrolled, Store},
    writer::{NotWritten, Scribe, Submit, TakeReceipt, Writer},
};
pub use answers::{EnrolError, MailState, OpenError, RequestView, SubmitError, ToldView, Unavailable};

/// The database's file in the service's folder, if nothing else is chosen.
pub const DATABASE_FILE: &str = "service.db";
/// The public log's files in the service's folder, if nothing else is chosen.
pub const LOG_FOLDER: &str = "log";

/// How soon a withdrawn serial is refused by nodes that were not told themselves: documented as ten seconds.
const REFRESH: Duration = Duration::from_secs(10);
/// Of these refreshes, one in so many sweeps what is old.
const SWEEP_EACH: u64 = 360;
/// How long the database may take to say that it is there.
const PING: Duration = Duration::from_secs(2);

/// What a service is started with.
pub struct Settings {
    /// The folder that [`init`] made: the keys.
    pub dir: PathBuf,
    /// Where cases are kept.
    pub database: Database,
    /// How mails leave.
    pub mail: Transport,
    /// The service's name for people and the mailbox it writes from.
    pub letterhead: Letterhead,
    /// How much is let through.
    pub budgets: Budgets,
    /// The maildir that the mail server delivers `bounce+…` at the domain of the mailbox above to. Without one, bounces go to
    /// that mailbox and nobody looks for them here.
    pub bounces: Option<PathBuf>,
    /// Where the public log is kept, and who is to see it.
    pub log: LogSettings,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Sets up a new service: its keys, the makers it trusts, and its database.
///
/// # Errors
/// [`OpenError`] if there are keys or a database already; neither is changed.
pub async fn init(dir: &Path, makers: &[PublicKey], database: &Database) -> Result<(), OpenError> {
    Keys::create(dir, makers)?;
    Ok(store::init(database).await?)
}

/// Makes the tables of a database that its operator named for a service which has its keys already, if it has none yet.
/// Nothing in an empty database is a secret; the one in the service's own folder is made by [`init`] alone.
///
/// # Errors
/// [`OpenError::Store`].
pub async fn set_up(database: &Database) -> Result<(), OpenError> {
    Ok(store::set_up(database).await?)
}

/// Refuses requests of a device from now on: its maker withdrew the serial. Done if it was.
///
/// From outside, whether services run on the database or not, a SQLite file included: it takes its turn among their
/// transactions, and they follow within ten seconds. The tables are left as they are, so that a newer program does not
/// change them under an older one that runs.
///
/// # Errors
/// [`OpenError::Store`]; nothing is written then.
pub async fn withdraw(database: &Database, maker: MakerId, serial: &Serial) -> Result<(), OpenError> {
    let store = Store::open_beside(database).await?;
    let mut batch = store.begin().await?;
    batch.withdraw(maker, serial).await?;
    batch.commit().await?;
    store.close().await;
    Ok(())
}

/// Enrols a device for security codes by its record: from outside, as [`withdraw`] does. Which device it was.
///
/// # Errors
/// [`EnrolError`]; nothing is written then.
pub async fn enrol(
    dir: &Path,
    database: &Database,
    record: &[u8],
    clock: &dyn Clock,
) -> Result<Certificate, EnrolError> {
    let now = clock.now();
    let keys = Keys::read(dir, now).map_err(OpenError::from)?;
    let store = Store::open_beside(database).await.map_err(OpenError::from)?;
    keys.set_withdrawn(store.withdrawn().await.map_err(OpenError::from)?);
    let opened = enrol::open(record, &keys.at(now)).map_err(EnrolError::Refused)?;
    let Enrolment { certificate, secret } = opened.into_inner();
    let sealed = Sealer::new(&keys).seal_enrolment(certificate.device_id(), &secret);
    let (key, sealed) = sealed.map_err(|error| OpenError::from(StoreError::Random(error)))?;
    let enrolled = Enrolled { certificate, sealed };
    let mut batch = store.begin().await.map_err(OpenError::from)?;
    batch.enrol(&enrolled, key, now).await.map_err(OpenError::from)?;
    batch.commit().await.map_err(OpenError::from)?;
    store.close().await;
    Ok(enrolled.certificate)
}

/// The recovery service, with its writer and its sender.
pub struct Service {
    keys: Arc<Keys>,
    sealer: Arc<Sealer>,
    store: Arc<Store>,
    writer: Writer,
    log: PublicLog,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    desk: Desk,
    writes_from: Address,
}

impl Service {
    /// Starts the service on what [`init`] made. Within a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] names what is missing, damaged or in use.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        let Settings { dir, database, mail, letterhead, budgets, bounces, log, clock } = settings;
        let keys = Arc::new(Keys::read(&dir, clock.now())?);
        let store = Arc::new(Store::open(&database).await?);
        keys.set_withdrawn(store.withdrawn().await?);
        let sealer = Arc::new(Sealer::new(&keys));
        let (leaves, letters, stop) = (Arc::new(Notify::new()), Arc::new(Notify::new()), CancellationToken::new());
        let writer = Writer::start(Scribe {
            store: Arc::clone(&store),
            keys: Arc::clone(&keys),
            sealer: Arc::clone(&sealer),
            budgets,
            clock: Arc::clone(&clock),
            leaves: Arc::clone(&leaves),
        });
        let parts = Parts {
            settings: log,
            store: Arc::clone(&store),
            writer: writer.clone(),
            key: keys.log_key().clone(),
            log: keys.log_note_key(),
            leaves,
            letters: Arc::clone(&letters),
            stop: stop.clone(),
        };
        let (publisher, log) = Publisher::open(parts).await?;
        let bounces = bounces.map(|maildir| Watcher {
            maildir,
            addresses: Arc::new(BounceAddresses::new(&keys)),
            domain: letterhead.from().domain().to_owned(),
            store: Arc::clone(&store),
            writer: writer.clone(),
            stop: stop.clone(),
        });
        let writes_from = letterhead.from().clone();
        let sender = Sender {
            writer: writer.clone(),
            transport: mail,
            letterhead,
            sealer: Arc::clone(&sealer),
            bounces: bounces.as_ref().map(|watcher| Arc::clone(&watcher.addresses)),
            clock: Arc::clone(&clock),
            letters,
            stop: stop.clone(),
            in_hand: Arc::default(),
        };
        let sending = tokio::spawn(sender.run());
        let keeping = tokio::spawn(keep_house(Arc::clone(&keys), Arc::clone(&store), writer.clone(), stop.clone()));
        let publishing = tokio::spawn(publisher.run());
        let mut tasks = vec![publishing, sending, keeping];
        tasks.extend(bounces.map(|watcher| tokio::spawn(watcher.run())));
        let tasks = Mutex::new(tasks);
        let desk = Desk {
            keys: Arc::clone(&keys),
            sealer: Arc::clone(&sealer),
            store: Arc::clone(&store),
            writer: writer.clone(),
            log: log.clone(),
            clock: Arc::clone(&clock),
        };
        Ok(Self { keys, sealer, store, writer, log, clock, stop, tasks, desk, writes_from })
    }

    /// Opens a request and, if it is new, records it and queues its mail. The same bytes again are answered as before and
    /// send nothing, unless the mail is wanted `again`.
    ///
    /// What was begun is finished even if the caller goes away.
    ///
    /// # Errors
    /// [`SubmitError`]; a refusal writes nothing.
    pub async fn submit(&self, bytes: &[u8], again: bool, network: NetworkKey) -> Result<RequestView, SubmitError> {
        self.submit_opened(self.opened(bytes)?, bytes, again, network).await
    }

    fn opened(&self, bytes: &[u8]) -> Result<Verified<Request>, SubmitError> {
        request::open(bytes, &self.keys.at(self.clock.now())).map_err(SubmitError::Refused)
    }

    async fn submit_opened(
        &self,
        request: Verified<Request>,
        bytes: &[u8],
        again: bool,
        network: NetworkKey,
    ) -> Result<RequestView, SubmitError> {
        // An address that cannot be written to still has a case, which says so.
        let email = request.contents.ask.email();
        let address = email.and_then(|email| Address::parse(email.as_str()).ok());
        let submit = Submit {
            id: CaseId::random().map_err(|_| SubmitError::Unavailable)?,
            deliverable: address.is_some(),
            bytes: (request.contents.ask.purpose() == Purpose::ResetByDesk).then(|| bytes.to_owned()),
            again,
            buckets: self.bucket_keys(&request, address.as_ref(), network),
            request,
        };
        match self.writer.submit(submit).await {
            Ok(Ok((id, case))) => Ok(RequestView::of(id, case, self.clock.now())),
            Ok(Err(CaseRefusal::TooMany { retry_after })) => Err(SubmitError::TooMany { retry_after }),
            Err(NotWritten) => Err(SubmitError::Unavailable),
        }
    }

    /// Opens a receipt and, if it is new, queues a notice for each contact. The same once more is answered as before, and nothing is
    /// sent.
    ///
    /// # Errors
    /// [`SubmitError`]; a refusal writes nothing.
    pub async fn tell(&self, bytes: &[u8], network: NetworkKey) -> Result<ToldView, SubmitError> {
        let opened = receipt::open(bytes, &self.keys.at(self.clock.now())).map_err(SubmitError::Refused)?;
        let (certificate, to) = (&opened.certificate, &opened.receipt.to);
        // One that cannot be written to has the budget of its own text, and ends as refused when its letter is to leave.
        let mailbox = |email: &ReservedEmail| {
            Address::parse(email.as_str()).map_or_else(|_| email.as_str().to_owned(), |address| address.bucket())
        };
        let mut buckets = vec![
            (Scope::DeviceMail, self.sealer.bucket_key(Scope::DeviceMail, &certificate.device_id().0)),
            (Scope::Network, self.sealer.bucket_key(Scope::Network, network.as_bytes())),
        ];
        // Two spellings of one mailbox are one mailbox.
        for email in to {
            let of = (Scope::Address, self.sealer.bucket_key(Scope::Address, mailbox(email).as_bytes()));
            if !buckets.contains(&of) {
                buckets.push(of);
            }
        }
        let view = ToldView {
            serial: certificate.serial.to_string(),
            model: certificate.model.to_string(),
            masked_addresses: to.iter().map(ReservedEmail::masked).collect(),
        };
        let id = CaseId::random().map_err(|_| SubmitError::Unavailable)?;
        match self.writer.take_receipt(TakeReceipt { id, opened, buckets }).await {
            Ok(Ok(_)) => Ok(view),
            Ok(Err(CaseRefusal::TooMany { retry_after })) => Err(SubmitError::TooMany { retry_after }),
            Err(NotWritten) => Err(SubmitError::Unavailable),
        }
    }

    /// The public log, to be read.
    #[must_use]
    pub fn log(&self) -> &PublicLog {
        &self.log
    }

    /// How a request stands; `None` for an id that there is not, malformed ones included.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn view(&self, id: &str) -> Result<Option<RequestView>, Unavailable> {
        let Some(id) = CaseId::parse(id) else { return Ok(None) };
        let case = self.store.case(id).await.map_err(|error| {
            tracing::warn!(%error, "a case was not read");
            Unavailable
        })?;
        let Some(case) = case else { return Ok(None) };
        let mut view = RequestView::of(id, case, self.clock.now());
        if view.purpose == Purpose::ResetByDesk {
            view.desk = self.store.desk_state_of(id).await.map_err(|error| {
                tracing::warn!(%error, "the desk's case was not read");
                Unavailable
            })?;
        }
        Ok(Some(view))
    }

    /// Keeps where this service is reached, so that operators' links can be printed beside it.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn keep_url(&self, url: &BaseUrl) -> Result<(), Unavailable> {
        self.writer.keep(URL_SETTING, url.to_string()).await.map_err(|NotWritten| Unavailable)
    }

    /// The key of the desk's form tokens, the same on all nodes.
    pub(crate) fn form_key(&self) -> [u8; 32] {
        let key = self.keys.opening_keys().next().expect("there is a key in use");
        *seal::derive(key, b"sparekey/v1/forms")
    }

    /// The desk.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Refuses requests of a device from now on: its maker withdrew the serial. Other nodes follow within ten seconds.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn withdraw(&self, maker: MakerId, serial: &Serial) -> Result<(), Unavailable> {
        self.writer.withdraw(maker, serial.clone()).await.map_err(|NotWritten| Unavailable)?;
        self.keys.set_withdrawn(self.store.withdrawn().await.map_err(|_| Unavailable)?);
        Ok(())
    }

    /// Whether requests can be taken now.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn ready(&self) -> Result<(), Unavailable> {
        if self.stop.is_cancelled() || !self.writer.is_open() {
            return Err(Unavailable);
        }
        match time::timeout(PING, self.store.ping()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Unavailable),
        }
    }

    /// Ends the service's tasks: what was handed in is written, and mails on their way are finished, which takes a mail
    /// server's time. Does nothing the second time.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        let tasks = std::mem::take(&mut *self.tasks.lock().expect("nothing panics while it is held"));
        for task in tasks {
            let _ = task.await;
        }
        // The writer is the last to end: the sender noted what became of its mails.
        self.writer.close().await;
        self.store.close().await;
    }

    fn bucket_keys(
        &self,
        request: &Request,
        address: Option<&Address>,
        network: NetworkKey,
    ) -> Vec<(Scope, BucketKey)> {
        let device = request.certificate.device_id();
        let email = address.map(Address::bucket);
        let stored = request.contents.ask.email().map(|email| email.as_str()).unwrap_or_default();
        let key = |scope| match scope {
            Scope::DeviceMail | Scope::DeviceDesk => self.sealer.bucket_key(scope, &device.0),
            Scope::Address => self.sealer.bucket_key(scope, email.as_deref().unwrap_or(stored).as_bytes()),
            Scope::Network => self.sealer.bucket_key(scope, network.as_bytes()),
        };
        Scope::of(request.contents.ask.purpose()).iter().map(|scope| (*scope, key(*scope))).collect()
    }
}

/// A service that is dropped ends like one that is shut down, but nobody waits for it.
impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Follows the list of withdrawn serials, counts the letters that wait, and drops what is old.
async fn keep_house(keys: Arc<Keys>, store: Arc<Store>, writer: Writer, stop: CancellationToken) {
    // While keys that were retired are held: enrolments outlive them.
    while !stop.is_cancelled() && writer.reseal().await.is_ok_and(|resealed| resealed > 0) {}
    let mut round = 0;
    loop {
        if round % SWEEP_EACH == 0 {
            // Some at a time, so that nobody waits long.
            while !stop.is_cancelled() && writer.sweep().await.is_ok_and(|dropped| dropped > 0) {}
        }
        round += 1;
        match store.withdrawn().await {
            Ok(withdrawn) => keys.set_withdrawn(withdrawn),
            Err(error) => tracing::warn!(%error, "the list of withdrawn serials was not read"),
        }
        if let Ok(waiting) = store.waiting_letters().await {
            metrics::gauge!("sparekey_outbox_letters").set(waiting as f64);
        }
        tokio::select! {
            () = time::sleep(REFRESH) => {}
            () = stop.cancelled() => return,
        }
    }
}
