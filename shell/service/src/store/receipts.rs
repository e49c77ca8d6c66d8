//! Which receipts were taken.

use sparekey_protocol::{DeviceId, Time};

use super::{Batch, StoreError, either, rows};

impl Batch {
    /// Whether this receipt of a device was taken before.
    pub(crate) async fn has_receipt(&mut self, device: DeviceId, number: u64) -> Result<bool, StoreError> {
        let found: Option<i64> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, i64>("SELECT taken_at FROM receipts WHERE device = $1 AND number = $2")
                .bind(device.0.as_slice())
                .bind(kept(number))
                .fetch_optional(&mut **transaction)
                .await?
        });
        Ok(found.is_some())
    }

    /// Drops those taken before this time.
    pub(crate) async fn drop_receipts(&mut self, before: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("DELETE FROM receipts WHERE taken_at < $1")
                .bind(rows::seconds(before))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// Notes that it is taken now.
    pub(crate) async fn add_receipt(&mut self, device: DeviceId, number: u64, now: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO receipts (device, number, taken_at) VALUES ($1, $2, $3)")
                .bind(device.0.as_slice())
                .bind(kept(number))
                .bind(rows::seconds(now))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }
}

/// Numbers beyond what a database counts are one: no device gets there.
fn kept(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
