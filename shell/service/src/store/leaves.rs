//! The public log's rows: leaves on their way into the tiles, and how far the log is.

use sparekey_protocol::log::Leaf;

use super::{
    Batch, Store, StoreError, either,
    rows::{Insert, Value},
};

const LEAVES: Insert = Insert { into: "leaves (number, leaf)", columns: 2, then: "" };

/// The most leaves of one reading.
const MOST_LEAVES: u32 = 16 * 1024;

/// The lock under which nodes publish, one at a time: "sparelog" in ASCII.
const PUBLISHER_LOCK: i64 = 0x7370_6172_656c_6f67;

/// A checkpoint as a row has it: its size, and the signed note, empty if there is none yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) size: u64,
    pub(crate) note: String,
}

/// How far the log is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogState {
    /// The number of the next leaf.
    pub(crate) next_leaf: u64,
    /// The last checkpoint that was signed, whether or not anybody has seen it.
    pub(crate) signed: Noted,
    /// The last one that is out.
    pub(crate) published: Noted,
    /// The last one that is out with the cosignatures that were asked for.
    pub(crate) witnessed: Noted,
}

type StateRow = (i64, i64, String, i64, String, i64, String);

const STATE: &str = "SELECT next_leaf, signed_size, signed_note, published_size, published_note, witnessed_size, \
    witnessed_note FROM log WHERE id = 1";

/// Held while a node publishes. Let go by [`Turn::end`], soon after it is dropped, or when the connection dies.
pub(crate) struct Turn(Option<sqlx::Transaction<'static, sqlx::Postgres>>);

impl Turn {
    /// Lets go at once. A turn that is only dropped is over when its connection is used again, and until then this same node's next
    /// round would take it for another's.
    pub(crate) async fn end(self) -> Result<(), StoreError> {
        if let Some(transaction) = self.0 {
            transaction.rollback().await?;
        }
        Ok(())
    }
}

/// How long a node may hold its turn without a word: one that hangs does not stop the others for good.
const PATIENCE: &str = "SET LOCAL idle_in_transaction_session_timeout = '120s'";

impl Store {
    /// The turn to publish, if no other node has it.
    pub(crate) async fn publishing_turn(&self) -> Result<Option<Turn>, StoreError> {
        match self {
            // One process serves the file, with one publisher.
            Self::Sqlite(_) => Ok(Some(Turn(None))),
            Self::Postgres(pools) => {
                let mut transaction = pools.readers.begin().await?;
                // Publishing waits for files elsewhere, and for witnesses: longer than a writer may.
                sqlx::query(PATIENCE).execute(&mut *transaction).await?;
                let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
                    .bind(PUBLISHER_LOCK)
                    .fetch_one(&mut *transaction)
                    .await?;
                Ok(taken.then_some(Turn(Some(transaction))))
            }
        }
    }

    /// How far the log is.
    pub(crate) async fn log_state(&self) -> Result<LogState, StoreError> {
        let row: StateRow = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(STATE).fetch_one(&pools.readers).await?
        });
        read_state(row)
    }

    /// The leaves from this number on, without a gap; not more than one reading's.
    pub(crate) async fn leaves_from(&self, first: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!(
            "SELECT number, leaf FROM leaves WHERE number >= $1 ORDER BY number LIMIT {MOST_LEAVES}"
        ));
        let rows: Vec<(i64, Vec<u8>)> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(text).bind(signed(first)).fetch_all(&pools.readers).await?
        });
        let dense = rows.iter().zip(first..).all(|((number, _), expected)| *number == signed(expected));
        if !dense {
            return Err(StoreError::Damaged("list of leaves"));
        }
        Ok(rows.into_iter().map(|(_, leaf)| leaf).collect())
    }
}

impl Batch {
    /// Appends leaves to the public log, in this order. Returns the number of the first.
    ///
    /// Nothing that a leaf tells of may take effect before [`crate::public_log::PublicLog`] says that it is published.
    pub(crate) async fn append_leaves(&mut self, leaves: &[Leaf]) -> Result<u64, StoreError> {
        if leaves.is_empty() {
            return Ok(0);
        }
        let count = signed(leaves.len() as u64);
        let next: i64 = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>("UPDATE log SET next_leaf = next_leaf + $1 WHERE id = 1 RETURNING next_leaf")
                .bind(count)
                .fetch_one(&mut **transaction)
                .await?
        });
        let first = next - count;
        let rows =
            (first..).zip(leaves).map(|(number, leaf)| vec![Value::Integer(Some(number)), Value::Bytes(leaf.encode())]);
        self.insert(&LEAVES, rows.collect()).await?;
        unsigned(first)
    }

    /// Notes a checkpoint as the last that was signed, if the one before it still is. Whether it did.
    pub(crate) async fn note_signed(&mut self, before: &Noted, signed_now: &Noted) -> Result<bool, StoreError> {
        Ok(either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "UPDATE log SET signed_size = $3, signed_note = $4 \
                 WHERE id = 1 AND signed_size = $1 AND signed_note = $2 AND next_leaf >= $3",
            )
            .bind(signed(before.size))
            .bind(&before.note)
            .bind(signed(signed_now.size))
            .bind(&signed_now.note)
            .execute(&mut **transaction)
            .await?
            .rows_affected()
        }) == 1)
    }

    /// Notes that a signed checkpoint is out, and whether with the cosignatures that were asked for. Never an older one.
    pub(crate) async fn note_published(&mut self, published: &Noted, witnessed: bool) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "UPDATE log SET published_size = $1, published_note = $2 \
                 WHERE id = 1 AND published_size <= $1 AND signed_size >= $1",
            )
            .bind(signed(published.size))
            .bind(&published.note)
            .execute(&mut **transaction)
            .await?;
            if witnessed {
                sqlx::query::<Db>(
                    "UPDATE log SET witnessed_size = $1, witnessed_note = $2 \
                     WHERE id = 1 AND witnessed_size <= $1 AND signed_size >= $1",
                )
                .bind(signed(published.size))
                .bind(&published.note)
                .execute(&mut **transaction)
                .await?;
            }
        });
        Ok(())
    }

    /// How far the log is, under the writer's lock.
    pub(crate) async fn log_state(&mut self) -> Result<LogState, StoreError> {
        let row: StateRow = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>(STATE).fetch_one(&mut **transaction).await?
        });
        read_state(row)
    }

    /// Goes on from a checkpoint that is out and that this database does not know: it was restored from a backup.
    pub(crate) async fn follow_log(&mut self, published: &Noted) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "UPDATE log SET signed_size = $1, signed_note = $2, published_size = $1, published_note = $2, \
                 next_leaf = CASE WHEN next_leaf < $1 THEN $1 ELSE next_leaf END WHERE id = 1",
            )
            .bind(signed(published.size))
            .bind(&published.note)
            .execute(&mut **transaction)
            .await?;
        });
        Ok(())
    }

    /// Drops leaves that are in the published tiles.
    pub(crate) async fn drop_leaves(&mut self) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("DELETE FROM leaves WHERE number < (SELECT published_size FROM log WHERE id = 1)")
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }
}

fn read_state(row: StateRow) -> Result<LogState, StoreError> {
    let (next_leaf, signed_size, signed_note, published_size, published_note, witnessed_size, witnessed_note) = row;
    let noted = |size, note| Ok::<_, StoreError>(Noted { size: unsigned(size)?, note });
    Ok(LogState {
        next_leaf: unsigned(next_leaf)?,
        signed: noted(signed_size, signed_note)?,
        published: noted(published_size, published_note)?,
        witnessed: noted(witnessed_size, witnessed_note)?,
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Damaged("state of the public log"))
}
