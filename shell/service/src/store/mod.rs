//! The service's database: the only SQL of this crate.
//!
//! | what | who writes it | who takes it gains |
//! |---|---|---|
//! | `cases`, `facts` | the writer | serials, masked addresses, when: dropped after 30 days |
//! | `outbox` | the writer | nothing: sealed under the service's opening key, dropped once the letter left |
//! | `mail_in` | the writer | nothing: hashes of mails, dropped after 30 days |
//! | `buckets` | the writer | nothing: keyed hashes, dropped once full again |
//! | `desk_…` | the writer | what owners told the desk and how it decided; requests still sealed by their devices, evidence sealed |
//! | `operators`, `operator_…` | the writer, the operator of the service | names; nothing to sign in with: hashes and public keys |
//! | `enrolments` | the writer, the operator of the service | serials of enrolled devices; nothing to answer questions with: sealed |
//! | `receipts` | the writer | which devices told something, and when |
//! | `leaves`, `log` | the writer | nothing: the public log is public |
//! | `withdrawn` | the operator | serials that makers withdrew |
//!
//! The same text runs on SQLite and PostgreSQL. The writer's connection is its own; everybody else only reads. A withdrawal
//! from outside (`service::withdraw`, `operators`) takes its turn among the writers.

mod batch;
mod connect;
mod credentials;
mod database;
mod desk;
mod enrolments;
mod leaves;
mod mail_in;
mod operators;
mod read;
mod receipts;
mod rows;

pub(crate) use batch::{Batch, Letter, Outgoing, Queued};
pub use connect::StoreError;
pub(crate) use connect::{Store, init, set_up};
pub use database::Database;
pub(crate) use desk::{DeskFilter, DeskId, DeskLine, DeskRow, IssuedGrant};
pub(crate) use enrolments::Enrolled;
pub(crate) use leaves::{LogState, Noted, Turn};
pub(crate) use mail_in::MailId;

/// Runs the same body for either engine, which it knows as `Db`.
macro_rules! either {
    ($kind:ident, $value:expr, $inner:ident => $body:expr) => {
        match $value {
            $kind::Sqlite($inner) => {
                #[allow(dead_code)] // not every body needs the engine's name
                type Db = sqlx::Sqlite;
                $body
            }
            $kind::Postgres($inner) => {
                #[allow(dead_code)]
                type Db = sqlx::Postgres;
                $body
            }
        }
    };
}
use either;
