//! The mails that were dealt with.

use sparekey_protocol::Time;

use super::{Batch, Store, StoreError, either, rows};

/// SHA-256 of a mail as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MailId(pub(crate) [u8; 32]);

const FIND: &str = "SELECT count(*) FROM mail_in WHERE message = $1";

impl Store {
    /// Whether this mail was dealt with.
    pub(crate) async fn knows_mail(&self, mail: MailId) -> Result<bool, StoreError> {
        let found: i64 = either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>(FIND).bind(mail.0.as_slice()).fetch_one(&pools.readers).await?
        });
        Ok(found > 0)
    }
}

impl Batch {
    /// Notes that this mail was dealt with. Whether that is news.
    pub(crate) async fn note_mail(&mut self, mail: MailId, now: Time) -> Result<bool, StoreError> {
        Ok(either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO mail_in (message, at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(mail.0.as_slice())
                .bind(rows::seconds(now))
                .execute(&mut **transaction)
                .await?
                .rows_affected() > 0
        }))
    }

    /// Forgets mails that were dealt with before this time.
    pub(crate) async fn drop_mails(&mut self, before: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("DELETE FROM mail_in WHERE at < $1")
                .bind(rows::seconds(before))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }
}
