use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    PgPool, SqlitePool,
    migrate::{MigrateError, Migrator},
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Database, either};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a request waits for a connection before it is told to come again.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process, such as a backup.
const BUSY: Duration = Duration::from_secs(5);
/// SQLite's log is worked into its file each time it is so many pages long (16 MiB): keys are random, so most pages of a
/// request's rows are other ones than the last request's, and each is written once a round instead of four times.
const LOG_PAGES: &str = "4096";
/// Connections for those who only read.
const READERS: u32 = 4;
/// Room for each statement in each of its sizes.
const STATEMENTS: usize = 200;

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Neither of the two forms.
    #[error("the database setting cannot be understood\nUse sqlite:PATH or postgres://USER@HOST/NAME.")]
    Setting,
    /// Not set up yet.
    #[error("the database {0} is not set up\nSet it up first: sparekey service init DIR --maker FILE")]
    NotInitialised(Database),
    /// `init` on a database that was set up before.
    #[error(
        "the database {0} is set up already\nNothing was changed. Choose another, or run the service that is there."
    )]
    Exists(Database),
    /// Written by a later version.
    #[error(
        "the database {0} was written by a newer or another version\nRun the program that wrote it, or a newer one."
    )]
    Newer(Database),
    /// Another process has this SQLite file.
    #[error("another process serves {0}\nStop it first; to run several, use PostgreSQL.")]
    InUse(PathBuf),
    /// The file system's own word.
    #[error("{0} cannot be used: {1}\nCheck the folder, its owner and the disk.")]
    Io(PathBuf, #[source] io::Error),
    /// The tables could not be made or brought up to date.
    #[error("the database could not be set up: {0}\nCheck that its user may create tables.")]
    Migrate(#[source] MigrateError),
    /// The database's own word.
    #[error("the database does not answer as it should: {0}\nCheck that it runs and can be reached.")]
    Database(#[from] sqlx::Error),
    /// No randomness.
    #[error("the system gives no random bytes: {0}\nNothing was written.")]
    Random(#[source] getrandom::Error),
    /// A row that this program cannot have written.
    #[error("the database holds a damaged {0}\nRestore it from your backup.")]
    Damaged(&'static str),
}

impl StoreError {
    /// Whether the database cannot be reached: then another try right now is no use.
    pub(crate) fn is_unreachable(&self) -> bool {
        let Self::Database(error) = self else { return false };
        matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
    }
}

/// A database that is set up, and connections to it.
pub(crate) enum Store {
    Sqlite(Pools<SqlitePool>),
    Postgres(Pools<PgPool>),
}

pub(crate) struct Pools<P> {
    /// One connection, the writer's.
    pub(super) writer: P,
    pub(super) readers: P,
    /// So that one process serves a SQLite file: held until the store is closed, or the process ends.
    lock: Option<File>,
}

/// Makes the tables of a new service.
///
/// # Errors
/// [`StoreError::Exists`] if there are some already; nothing is changed then.
pub(crate) async fn init(database: &Database) -> Result<(), StoreError> {
    match database {
        Database::Sqlite(path) => {
            // Made before SQLite would make it, and its log beside it, readable by others.
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::AlreadyExists => StoreError::Exists(database.clone()),
                    _ => StoreError::Io(path.clone(), error),
                }
            })?;
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(sqlite_options(path)).await?;
            SQLITE.run(&pool).await.map_err(StoreError::Migrate)?;
            pool.close().await;
        }
        Database::Postgres(url) => {
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(ACQUIRE)
                .connect_with(postgres_options(url)?)
                .await?;
            if !applied(sqlx::query_scalar(APPLIED).fetch_all(&pool).await)?.is_empty() {
                return Err(StoreError::Exists(database.clone()));
            }
            POSTGRES.run(&pool).await.map_err(StoreError::Migrate)?;
            pool.close().await;
        }
    }
    Ok(())
}

/// Makes the tables of a database that its operator named and that has none yet; one that has some is left as it is.
pub(crate) async fn set_up(database: &Database) -> Result<(), StoreError> {
    match database {
        Database::Sqlite(path) if path.exists() => Ok(()),
        Database::Sqlite(_) => init(database).await,
        Database::Postgres(url) => {
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(ACQUIRE)
                .connect_with(postgres_options(url)?)
                .await?;
            if applied(sqlx::query_scalar(APPLIED).fetch_all(&pool).await)?.is_empty() {
                // Several nodes may do this at once: the migrator takes a lock of its own.
                POSTGRES.run(&pool).await.map_err(StoreError::Migrate)?;
            }
            pool.close().await;
            Ok(())
        }
    }
}

impl Store {
    /// Opens a database that [`init`] set up, to serve it, and brings its tables up to date.
    pub(crate) async fn open(database: &Database) -> Result<Self, StoreError> {
        let lock = match database {
            Database::Sqlite(path) if path.exists() => Some(lock(path)?),
            Database::Sqlite(_) | Database::Postgres(_) => None,
        };
        let store = Self::connect(database, lock).await?;
        store.known_versions(database).await?;
        store.migrate(database).await?;
        if matches!(store, Self::Sqlite(_)) {
            // No other process serves this file: what is leased was leased by one that died.
            let mut batch = store.begin().await?;
            batch.end_leases().await?;
            batch.commit().await?;
        }
        Ok(store)
    }

    /// Opens a database to write to it beside the services that run on it, and leaves its tables as they are.
    pub(crate) async fn open_beside(database: &Database) -> Result<Self, StoreError> {
        let store = Self::connect(database, None).await?;
        store.known_versions(database).await?;
        Ok(store)
    }

    async fn connect(database: &Database, lock: Option<File>) -> Result<Self, StoreError> {
        Ok(match database {
            Database::Sqlite(path) => {
                if !path.exists() {
                    return Err(StoreError::NotInitialised(database.clone()));
                }
                let options = sqlite_options(path);
                let writer = pool(1).connect_with(options.clone()).await?;
                let readers = pool(READERS).connect_lazy_with(options);
                Self::Sqlite(Pools { writer, readers, lock })
            }
            Database::Postgres(url) => {
                let options = postgres_options(url)?;
                let writer = pool(1).connect_with(options.clone()).await?;
                let readers = pool(READERS).connect_lazy_with(options);
                Self::Postgres(Pools { writer, readers, lock })
            }
        })
    }

    fn migrator(&self) -> &'static Migrator {
        if matches!(self, Self::Sqlite(_)) { &SQLITE } else { &POSTGRES }
    }

    /// Whether its tables were made, and by no later program than this.
    async fn known_versions(&self, database: &Database) -> Result<(), StoreError> {
        let versions = either!(Self, self, pools => {
            applied(sqlx::query_scalar::<Db, i64>(APPLIED).fetch_all(&pools.writer).await)?
        });
        if versions.is_empty() {
            return Err(StoreError::NotInitialised(database.clone()));
        }
        let known = versions.iter().all(|version| self.migrator().version_exists(*version));
        if known { Ok(()) } else { Err(StoreError::Newer(database.clone())) }
    }

    async fn migrate(&self, database: &Database) -> Result<(), StoreError> {
        // Several nodes may start at once: the migrator takes a lock of its own.
        either!(Self, self, pools => self.migrator().run(&pools.writer).await).map_err(|error| match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => StoreError::Newer(database.clone()),
            other => StoreError::Migrate(other),
        })
    }

    /// Lets go of all connections; what is being written is finished.
    pub(crate) async fn close(&self) {
        either!(Self, self, pools => {
            pools.readers.close().await;
            pools.writer.close().await;
            if let Some(lock) = &pools.lock {
                // If this fails, the end of the process releases it.
                let _ = lock.unlock();
            }
        });
    }
}

const APPLIED: &str = "SELECT version FROM _sqlx_migrations";

/// No such table means that nothing was applied.
fn applied(rows: Result<Vec<i64>, sqlx::Error>) -> Result<Vec<i64>, StoreError> {
    match rows {
        Err(sqlx::Error::Database(_)) => Ok(Vec::new()),
        other => Ok(other?),
    }
}

fn pool<DB: sqlx::Database>(connections: u32) -> PoolOptions<DB> {
    PoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE)
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full) // a commit is on disk before anybody hears of it
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("secure_delete", "ON")
        .pragma("wal_autocheckpoint", LOG_PAGES)
        .pragma("temp_store", "MEMORY") // an INSERT of many rows keeps a journal of its own, which else is one more file
        .statement_cache_capacity(STATEMENTS)
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Setting)?;
    Ok(options.application_name("sparekey").statement_cache_capacity(STATEMENTS).options([
        ("synchronous_commit", "on"),
        ("statement_timeout", "10s"),
        ("lock_timeout", "5s"),
        // A node that hangs within a transaction holds the lock of all: it is put out.
        ("idle_in_transaction_session_timeout", "10s"),
        // Rows are looked up by key. A statement that was planned while a table was small is else kept, and reads all of it,
        // until the table's statistics are next taken.
        ("enable_seqscan", "off"),
        ("jit", "off"),
    ]))
}

/// Released by the system however the process ends.
fn lock(database: &Path) -> Result<File, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = opened.map_err(|error| StoreError::Io(path.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_owned())),
        Err(TryLockError::Error(error)) => Err(StoreError::Io(path, error)),
    }
}
