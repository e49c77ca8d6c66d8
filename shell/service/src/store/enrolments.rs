//! Devices that their makers enrolled for security codes.

use sparekey_protocol::{Certificate, DeviceId, KeyId, Serial, Time};

use super::{Batch, Store, StoreError, either, rows};

/// Devices whose secrets are sealed anew in one transaction.
const RESEALED_AT_ONCE: u32 = 200;

/// A device that was enrolled.
#[derive(Clone, Debug)]
pub(crate) struct Enrolled {
    pub(crate) certificate: Certificate,
    /// Its secret, sealed to the device.
    pub(crate) sealed: Vec<u8>,
}

/// Certificate, sealed secret.
type Row = (Vec<u8>, Vec<u8>);

const COLUMNS: &str = "SELECT certificate, sealed FROM enrolments";

impl Store {
    /// The devices with this serial number: more than one only if several makers have the same.
    pub(crate) async fn enrolled(&self, serial: &Serial) -> Result<Vec<Enrolled>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE serial = $1 ORDER BY enrolled_at DESC LIMIT 4"));
        let found: Vec<Row> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(text).bind(serial.as_str()).fetch_all(&pools.readers).await?
        });
        found.into_iter().map(read).collect()
    }
}

impl Batch {
    /// Enrols a device, in place of what it was enrolled with before.
    pub(crate) async fn enrol(&mut self, enrolled: &Enrolled, key: KeyId, now: Time) -> Result<(), StoreError> {
        let certificate = &enrolled.certificate;
        let bytes = minicbor::to_vec(certificate).expect("encoding to memory cannot fail");
        either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "INSERT INTO enrolments (device, serial, certificate, opening_key, sealed, enrolled_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (device) DO UPDATE SET serial = excluded.serial, \
                 certificate = excluded.certificate, opening_key = excluded.opening_key, sealed = excluded.sealed, \
                 enrolled_at = excluded.enrolled_at",
            )
            .bind(certificate.device_id().0.as_slice())
            .bind(certificate.serial.as_str())
            .bind(bytes)
            .bind(key.0.as_slice())
            .bind(enrolled.sealed.as_slice())
            .bind(rows::seconds(now))
            .execute(&mut **transaction)
            .await?;
        });
        Ok(())
    }

    /// How a device is enrolled, if it is.
    pub(crate) async fn enrolment(&mut self, device: DeviceId) -> Result<Option<Enrolled>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE device = $1"));
        let found: Option<Row> = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>(text).bind(device.0.as_slice()).fetch_optional(&mut **transaction).await?
        });
        found.map(read).transpose()
    }

    /// Some devices whose secrets are sealed under another key than this.
    pub(crate) async fn enrolled_under_others(&mut self, key: KeyId) -> Result<Vec<Enrolled>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE opening_key <> $1 LIMIT {RESEALED_AT_ONCE}"));
        let found: Vec<Row> = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>(text).bind(key.0.as_slice()).fetch_all(&mut **transaction).await?
        });
        found.into_iter().map(read).collect()
    }

    /// Keeps a device's secret sealed anew; with `None`, notes that nobody can open it any more.
    pub(crate) async fn reseal(
        &mut self,
        device: DeviceId,
        key: KeyId,
        sealed: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            match sealed {
                Some(sealed) => {
                    sqlx::query::<Db>("UPDATE enrolments SET opening_key = $2, sealed = $3 WHERE device = $1")
                        .bind(device.0.as_slice())
                        .bind(key.0.as_slice())
                        .bind(sealed)
                        .execute(&mut **transaction)
                        .await?;
                }
                None => {
                    sqlx::query::<Db>("DELETE FROM enrolments WHERE device = $1")
                        .bind(device.0.as_slice())
                        .execute(&mut **transaction)
                        .await?;
                }
            }
        });
        Ok(())
    }
}

fn read((certificate, sealed): Row) -> Result<Enrolled, StoreError> {
    let certificate = minicbor::decode(&certificate).map_err(|_| StoreError::Damaged("enrolment"))?;
    Ok(Enrolled { certificate, sealed })
}
