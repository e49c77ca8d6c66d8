//! A service on a database of its own, with a device, a maker, a clock and a mailbox.
#![allow(dead_code, reason = "each test file uses another part")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sparekey_mail::{Address, Letterhead, Transport};
use sparekey_protocol::{
    Certificate, Code, Firmware, Language, Model, Nonce, ReservedEmail, Serial, SigningKey, Time,
    receipt::{self, Receipt, What},
    request::{self, Ask, Contents},
};
use sparekey_service::{
    Budgets, Clock, NetworkKey,
    keys::Keys,
    public_log::LogSettings,
    service::{self, Database, MailState, OpenError, RequestView, Service, Settings},
};
use sqlx::{Connection, PgConnection, SqliteConnection};

pub(crate) const CODE: &str = "31415926";
pub(crate) const EMAIL: &str = "owner@example.org";
pub(crate) const START: u64 = 1_800_000_000;

/// Runs each test on SQLite, and on PostgreSQL if `SPAREKEY_TEST_POSTGRES` says where.
#[macro_export]
macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::store_support::Place::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(place) = $crate::store_support::Place::postgres().await {
                    super::$test(place).await;
                }
            })*
        }
    };
}

/// Opens a connection beside the service's own.
macro_rules! with_connection {
    ($place:expr, $connection:ident => $body:expr) => {
        match &$place.database {
            Database::Sqlite(path) => {
                let $connection = &mut SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
                $body
            }
            Database::Postgres(url) => {
                let $connection = &mut PgConnection::connect(url).await.unwrap();
                $body
            }
        }
    };
}

/// A clock that a test sets.
#[derive(Default)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.0.fetch_sub(seconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

/// A test's folder.
pub(crate) enum Folder {
    /// Removed with the test.
    Own(tempfile::TempDir),
    Anothers(PathBuf),
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(dir) => dir.path(),
            Self::Anothers(dir) => dir,
        }
    }
}

/// A folder and a database, set up.
pub(crate) struct Place {
    pub(crate) dir: Folder,
    pub(crate) database: Database,
    pub(crate) clock: Arc<TestClock>,
    maker: SigningKey,
    /// Where the public log of services that are opened from now on is.
    pub(crate) log: LogSettings,
}

impl Place {
    pub(crate) async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(dir.path().join("service.db"));
        Self::set_up(dir, database).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let admin = std::env::var("SPAREKEY_TEST_POSTGRES").ok()?;
        let dir = tempfile::tempdir().unwrap();
        // Its own database, named like the folder; dropped with the cluster.
        let name: String =
            dir.path().file_name().unwrap().to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("test_{}", name.to_lowercase() + &std::process::id().to_string());
        let mut connection = PgConnection::connect(&admin).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        let (server, _) = admin.rsplit_once('/').unwrap();
        let database = Database::Postgres(format!("{server}/{name}"));
        Some(Self::set_up(dir, database).await)
    }

    async fn set_up(dir: tempfile::TempDir, database: Database) -> Self {
        let maker = SigningKey::from_seed(&[1; 32]);
        service::init(dir.path(), &[maker.public()], &database).await.unwrap();
        let clock = Arc::new(TestClock::default());
        clock.forward(START);
        let log = LogSettings::in_folder(dir.path().join("log"));
        Self { dir: Folder::Own(dir), database, clock, maker, log }
    }

    /// A place that another process set up, and that is not to be removed at the end.
    pub(crate) fn again(dir: PathBuf) -> Self {
        let database = Database::Sqlite(dir.join("service.db"));
        let log = LogSettings::in_folder(dir.join("log"));
        let clock = Arc::new(TestClock::default());
        clock.forward(START);
        Self { dir: Folder::Anothers(dir), database, clock, maker: SigningKey::from_seed(&[1; 32]), log }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.database, Database::Sqlite(_))
    }

    /// A service that delivers into the mailbox.
    pub(crate) async fn open(&self) -> Service {
        self.try_open(&format!("maildir:{}", self.mailbox().display()), Budgets::default()).await.unwrap()
    }

    /// A service whose mail server is down.
    pub(crate) async fn open_without_mail(&self) -> Service {
        // Nothing listens on port 9 (discard) of this machine.
        self.open_with_mail("smtp://127.0.0.1:9").await
    }

    pub(crate) async fn open_with_mail(&self, mail: &str) -> Service {
        self.try_open(mail, Budgets::default()).await.unwrap()
    }

    pub(crate) async fn try_open(&self, mail: &str, budgets: Budgets) -> Result<Service, OpenError> {
        Service::open(self.settings(mail, budgets, None)).await
    }

    /// A service that looks for bounces in this maildir.
    pub(crate) async fn open_with_bounces(&self, mail: &str, maildir: PathBuf) -> Service {
        Service::open(self.settings(mail, Budgets::default(), Some(maildir))).await.unwrap()
    }

    fn settings(&self, mail: &str, budgets: Budgets, bounces: Option<PathBuf>) -> Settings {
        Settings {
            dir: self.dir.path().to_owned(),
            database: self.database.clone(),
            mail: Transport::from_url(mail).unwrap(),
            letterhead: Letterhead::new("Test service", Address::parse("service@example.com").unwrap()),
            budgets,
            bounces,
            log: self.log.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        }
    }

    fn mailbox(&self) -> PathBuf {
        self.dir.path().join("mailbox")
    }

    /// The mails that were delivered.
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.mailbox().join("new")) else { return Vec::new() };
        entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }

    /// A new request of device number `device`.
    pub(crate) fn request(&self, device: u8, ask: Ask) -> Vec<u8> {
        let (key, certificate) = self.device(device);
        let contents = Contents {
            code: Code::parse(CODE).unwrap(),
            ask,
            firmware: Firmware::new("1.0").unwrap(),
            device_time: Time(5),
            start_time: Time(1),
            language: Language::new("en").unwrap(),
        };
        let (mut nonce, mut seed) = ([0; 16], [0; 32]);
        getrandom::fill(&mut nonce).unwrap();
        getrandom::fill(&mut seed).unwrap();
        let service = Keys::public_halves(self.dir.path()).unwrap().opening;
        request::seal(&contents, Nonce(nonce), &seed, &certificate, &key, &service).unwrap()
    }

    /// What device number `device` wants told, the `number`th time.
    pub(crate) fn receipt(&self, device: u8, number: u64, to: Vec<ReservedEmail>) -> Vec<u8> {
        let (key, certificate) = self.device(device);
        let receipt = Receipt {
            number,
            what: What::Recovered,
            way: Some("sheet".to_owned()),
            at: Time(5),
            count: 1,
            to,
            language: Language::new("en").unwrap(),
        };
        let service = Keys::public_halves(self.dir.path()).unwrap().opening;
        receipt::seal(&receipt, &[device; 32], &certificate, &key, &service).unwrap()
    }

    /// The key of a device, and its certificate.
    fn device(&self, device: u8) -> (SigningKey, Vec<u8>) {
        let key = SigningKey::from_seed(&[device; 32]);
        let (serial, model) = (Serial::new(&format!("NVR-{device}")).unwrap(), Model::new("N16").unwrap());
        let certificate = Certificate::new(&self.maker.public(), serial, model, &key.public()).sign(&self.maker);
        (key, certificate)
    }

    pub(crate) fn reset(&self, device: u8) -> Vec<u8> {
        self.request(device, Ask::ResetByEmail(ReservedEmail::new(EMAIL).unwrap()))
    }

    /// The one number that a query answers with.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        with_connection!(self, connection => sqlx::query_scalar(sql).fetch_one(connection).await.unwrap())
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        with_connection!(self, connection => { sqlx::query(sql).execute(connection).await.unwrap(); });
    }

    /// With `BYTES(n)B` for one byte, which the engines write differently.
    pub(crate) async fn try_execute(&self, sql: &str) -> Result<(), sqlx::Error> {
        let bytes = if self.is_sqlite() { "x'0" } else { "'\\x0" };
        let sql = sqlx::AssertSqlSafe(sql.replace("BYTES(", bytes).replace(")B", "'"));
        with_connection!(self, connection => sqlx::query(sql).execute(connection).await.map(|_| ()))
    }

    /// Kind and body of each fact.
    pub(crate) async fn facts(&self) -> Vec<(String, Vec<u8>)> {
        let sql = "SELECT kind, body FROM facts ORDER BY seq";
        with_connection!(self, connection => sqlx::query_as(sql).fetch_all(connection).await.unwrap())
    }
}

pub(crate) fn home() -> NetworkKey {
    NetworkKey::of("192.0.2.7".parse().unwrap())
}

/// Waits, a minute at most, until a case's mail is as expected.
pub(crate) async fn until_mail_is(service: &Service, id: &str, state: MailState) -> RequestView {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let view = service.view(id).await.unwrap().unwrap();
        if view.mail == Some(state) {
            return view;
        }
        assert!(Instant::now() < deadline, "the mail is {:?} and not {state:?}", view.mail);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
