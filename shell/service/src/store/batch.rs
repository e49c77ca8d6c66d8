use std::collections::HashSet;

use sparekey_cases::{Bucket, Case, Fact};
use sparekey_protocol::{MakerId, RequestIdentity, Serial, Time, log::Leaf};
use sqlx::{AssertSqlSafe, FromRow, Postgres, Sqlite, Transaction, postgres::PgRow, sqlite::SqliteRow};

use super::{
    Store, StoreError, either,
    rows::{self, CASE, CaseRow, Insert, Value},
};
use crate::{case_id::CaseId, seal::BucketKey};

/// The lock under which all nodes on one PostgreSQL database decide, one at a time: "sparekey" in ASCII.
const WRITER_LOCK: i64 = 0x7370_6172_656b_6579;

const CASES: Insert = Insert {
    into: "cases (id, identity, maker, device, purpose, serial, model, masked_address, received_at, expires_at, \
           mail_state, mail_letter, mail_since)",
    columns: 13,
    then: " ON CONFLICT (id) DO UPDATE SET mail_state = excluded.mail_state, mail_letter = excluded.mail_letter, \
           mail_since = excluded.mail_since",
};
const FACTS: Insert = Insert { into: "facts (case_id, at, kind, body)", columns: 4, then: "" };
const OUTBOX: Insert = Insert {
    into: "outbox (case_id, letter, due_at, leased_until, attempts, not_after, sealed, leaf)",
    columns: 8,
    then: "",
};
const BUCKETS: Insert = Insert {
    into: "buckets (key, full_at)",
    columns: 2,
    then: " ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at",
};

/// In place of the number of a leaf: smaller than any, so that the letter waits for none.
const NO_LEAF: i64 = -1;

/// A row of the outbox, due at once.
fn outbox_values(
    now: Time,
    Letter { case, number }: Letter,
    not_after: Time,
    sealed: Vec<u8>,
    leaf: i64,
) -> Vec<Value> {
    let (never, none) = (Time(0), 0_u32);
    vec![
        case.0.as_slice().into(),
        number.into(),
        now.into(),
        never.into(),
        none.into(),
        not_after.into(),
        Value::Bytes(sealed),
        Value::Integer(Some(leaf)),
    ]
}

/// The writer's transaction: nothing else writes to the database until it ends.
pub(crate) enum Batch {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Names a row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Letter {
    pub(crate) case: CaseId,
    pub(crate) number: u32,
}

/// A letter to be queued, and the leaf that tells of it.
pub(crate) struct Queued {
    pub(crate) letter: Letter,
    /// When its code is no longer mailed.
    pub(crate) not_after: Time,
    pub(crate) sealed: Vec<u8>,
    pub(crate) leaf: Leaf,
}

/// A row of the outbox that was taken to be sent.
pub(crate) struct Outgoing {
    pub(crate) letter: Letter,
    /// How many times it has been tried, this one included.
    pub(crate) attempts: u32,
    /// When its code is no longer mailed.
    pub(crate) not_after: Time,
    pub(crate) sealed: Vec<u8>,
}

/// Case, number, attempts, end, sealed contents.
type OutgoingRow = (Vec<u8>, i64, i64, i64, Vec<u8>);

impl Store {
    /// Waits until nobody else writes.
    pub(crate) async fn begin(&self) -> Result<Batch, StoreError> {
        Ok(match self {
            Self::Sqlite(pools) => Batch::Sqlite(pools.writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pools) => {
                // Each statement after the lock sees what the node before has committed.
                let mut transaction = pools.writer.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(WRITER_LOCK).execute(&mut *transaction).await?;
                Batch::Postgres(transaction)
            }
        })
    }
}

impl Batch {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        either!(Self, self, transaction => Ok(transaction.commit().await?))
    }

    /// The cases of these requests, as far as there are any.
    pub(crate) async fn cases_of(&mut self, identities: &[RequestIdentity]) -> Result<Vec<(CaseId, Case)>, StoreError> {
        let keys: Vec<&[u8]> = identities.iter().map(|identity| identity.0.as_slice()).collect();
        let rows: Vec<CaseRow> = self.select(&format!("SELECT {CASE} FROM cases WHERE identity IN"), &keys).await?;
        rows.into_iter().map(rows::read_case).collect()
    }

    /// The cases with these ids, as far as there are any.
    pub(crate) async fn cases(&mut self, ids: &[CaseId]) -> Result<Vec<(CaseId, Case)>, StoreError> {
        let keys: Vec<&[u8]> = ids.iter().map(|id| id.0.as_slice()).collect();
        let rows: Vec<CaseRow> = self.select(&format!("SELECT {CASE} FROM cases WHERE id IN"), &keys).await?;
        rows.into_iter().map(rows::read_case).collect()
    }

    /// The buckets with these keys that are not full.
    pub(crate) async fn buckets(&mut self, keys: &[BucketKey]) -> Result<Vec<(BucketKey, Bucket)>, StoreError> {
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.0.as_slice()).collect();
        let rows: Vec<(Vec<u8>, i64)> = self.select("SELECT key, full_at FROM buckets WHERE key IN", &keys).await?;
        let bucket = |full_at| Bucket { full_at: rows::time(full_at) };
        rows.into_iter().map(|(key, full_at)| Ok((BucketKey(rows::bytes(&key, "bucket")?), bucket(full_at)))).collect()
    }

    /// Writes cases that are new, and where the mail stands of those that are not.
    pub(crate) async fn put_cases(&mut self, cases: impl Iterator<Item = (CaseId, &Case)>) -> Result<(), StoreError> {
        self.insert(&CASES, cases.map(|(id, case)| rows::case_values(id, case)).collect()).await
    }

    pub(crate) async fn add_facts(&mut self, at: Time, facts: &[(CaseId, Fact)]) -> Result<(), StoreError> {
        self.insert(&FACTS, facts.iter().map(|(id, fact)| rows::fact_values(*id, at, fact)).collect()).await
    }

    pub(crate) async fn put_buckets(
        &mut self,
        buckets: impl Iterator<Item = (BucketKey, Bucket)>,
    ) -> Result<(), StoreError> {
        self.insert(&BUCKETS, buckets.map(|(key, bucket)| rows::bucket_values(&key.0, bucket)).collect()).await
    }

    /// Queues letters, due as soon as their leaves are published.
    pub(crate) async fn queue(&mut self, now: Time, letters: Vec<Queued>) -> Result<(), StoreError> {
        let leaves: Vec<Leaf> = letters.iter().map(|queued| queued.leaf).collect();
        let first = self.append_leaves(&leaves).await?;
        let values = letters.into_iter().zip(first..).map(|(queued, leaf)| {
            let Queued { letter, not_after, sealed, .. } = queued;
            outbox_values(now, letter, not_after, sealed, i64::try_from(leaf).unwrap_or(i64::MAX))
        });
        self.insert(&OUTBOX, values.collect()).await
    }

    /// Queues a letter that helps nobody into anything, and of which the public log says nothing.
    pub(crate) async fn queue_notice(
        &mut self,
        now: Time,
        letter: Letter,
        not_after: Time,
        sealed: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.insert(&OUTBOX, vec![outbox_values(now, letter, not_after, sealed, NO_LEAF)]).await
    }

    /// Drops letters that are done with.
    pub(crate) async fn unqueue(&mut self, letters: &HashSet<Letter>) -> Result<(), StoreError> {
        for letter in letters {
            either!(Self, self, transaction => {
                sqlx::query::<Db>("DELETE FROM outbox WHERE case_id = $1 AND letter = $2")
                    .bind(letter.case.0.as_slice())
                    .bind(i64::from(letter.number))
                    .execute(&mut **transaction)
                    .await?;
            });
        }
        Ok(())
    }

    /// Takes letters that are due and whose leaves are published, so that nobody else takes them until the lease ends.
    ///
    /// A due time further ahead than this program writes it was written before the clock was set back: due now. A lease is not
    /// judged so: clocks of nodes differ by seconds, and a lease that another node just took is not to be taken from it.
    pub(crate) async fn lease(
        &mut self,
        now: Time,
        until: Time,
        latest_due: Time,
        limit: u32,
    ) -> Result<Vec<Outgoing>, StoreError> {
        // The limit stands in the text: PostgreSQL plans for a tenth of the table where it is a parameter, and reads all of it.
        let text = AssertSqlSafe(format!(
            "UPDATE outbox SET leased_until = $2, attempts = attempts + 1 WHERE (case_id, letter) IN (\
             SELECT case_id, letter FROM outbox WHERE (due_at <= $1 OR due_at > $3) \
             AND (leased_until <= $1 OR leased_until > $2) \
             AND leaf < (SELECT published_size FROM log WHERE id = 1) ORDER BY due_at LIMIT {limit}) \
             RETURNING case_id, letter, attempts, not_after, sealed",
        ));
        let rows: Vec<OutgoingRow> = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>(text)
                .bind(rows::seconds(now))
                .bind(rows::seconds(until))
                .bind(rows::seconds(latest_due))
                .fetch_all(&mut **transaction)
                .await?
        });
        let number = |number: i64| u32::try_from(number).map_err(|_| StoreError::Damaged("letter"));
        let outgoing = |(case, letter, attempts, not_after, sealed): OutgoingRow| {
            let letter = Letter { case: CaseId(rows::bytes(&case, "letter")?), number: number(letter)? };
            Ok(Outgoing { letter, attempts: number(attempts)?, not_after: rows::time(not_after), sealed })
        };
        rows.into_iter().map(outgoing).collect()
    }

    /// Gives a letter back, to be tried again later.
    pub(crate) async fn postpone(&mut self, letter: Letter, due_at: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("UPDATE outbox SET due_at = $3, leased_until = 0 WHERE case_id = $1 AND letter = $2")
                .bind(letter.case.0.as_slice())
                .bind(i64::from(letter.number))
                .bind(rows::seconds(due_at))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// Ends all leases: for a database that no other process has.
    pub(super) async fn end_leases(&mut self) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("UPDATE outbox SET leased_until = 0 WHERE leased_until <> 0").execute(&mut **transaction).await?;
        });
        Ok(())
    }

    /// Withdraws a serial; done if it was.
    pub(crate) async fn withdraw(&mut self, maker: MakerId, serial: &Serial) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO withdrawn (maker, serial) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(maker.0.as_slice())
                .bind(serial.as_str())
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// Drops some cases received before this time, with their facts and letters. Returns how many.
    pub(crate) async fn drop_cases(&mut self, before: Time) -> Result<u64, StoreError> {
        Ok(either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "DELETE FROM cases WHERE id IN \
                 (SELECT id FROM cases WHERE received_at < $1 ORDER BY received_at LIMIT 500)",
            )
            .bind(rows::seconds(before))
            .execute(&mut **transaction)
            .await?
            .rows_affected()
        }))
    }

    /// Drops buckets that are full.
    pub(crate) async fn drop_buckets(&mut self, now: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("DELETE FROM buckets WHERE full_at <= $1").bind(rows::seconds(now)).execute(&mut **transaction).await?;
        });
        Ok(())
    }

    /// Brings the buckets whose keys begin with this byte back to this time, if they are beyond.
    pub(crate) async fn settle_buckets(&mut self, first: u8, latest: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("UPDATE buckets SET full_at = $1 WHERE full_at > $1 AND key >= $2 AND key < $3")
                .bind(rows::seconds(latest))
                .bind([first].as_slice())
                .bind([first + 1].as_slice())
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// The rows of `text IN (keys)`.
    async fn select<T>(&mut self, text: &str, keys: &[&[u8]]) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut found = Vec::new();
        for keys in keys.chunks(rows::MOST_ROWS) {
            // Filled up with its last key to one of few sizes.
            let size = keys.len().next_power_of_two();
            let padded = keys.iter().chain(std::iter::repeat(&keys[keys.len() - 1])).take(size);
            let text = AssertSqlSafe(rows::with_list(text, size)); // placeholders only
            either!(Self, self, transaction => {
                let mut query = sqlx::query_as::<Db, T>(text);
                for key in padded {
                    query = query.bind(*key);
                }
                found.extend(query.fetch_all(&mut **transaction).await?);
            });
        }
        Ok(found)
    }

    pub(super) async fn insert(&mut self, insert: &Insert, mut rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        while !rows.is_empty() {
            let rest = rows.split_off(rows::next_size(rows.len()));
            let text = AssertSqlSafe(insert.text(rows.len())); // placeholders only
            either!(Self, self, transaction => {
                let mut query = sqlx::query::<Db>(text);
                for value in rows.into_iter().flatten() {
                    query = match value {
                        Value::Integer(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                        Value::Bytes(bytes) => query.bind(bytes),
                    };
                }
                query.execute(&mut **transaction).await?;
            });
            rows = rest;
        }
        Ok(())
    }
}
