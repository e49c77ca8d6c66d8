use std::collections::HashSet;

use sparekey_cases::Case;
use sparekey_protocol::{MakerId, Serial};
use sqlx::AssertSqlSafe;

use super::{
    Store, StoreError, either,
    rows::{self, CASE, CaseRow},
};
use crate::case_id::CaseId;

impl Store {
    /// A case as it was last committed.
    pub(crate) async fn case(&self, id: CaseId) -> Result<Option<Case>, StoreError> {
        let text = AssertSqlSafe(format!("SELECT {CASE} FROM cases WHERE id = $1"));
        let row: Option<CaseRow> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(text).bind(id.0.as_slice()).fetch_optional(&pools.readers).await?
        });
        row.map(|row| Ok(rows::read_case(row)?.1)).transpose()
    }

    /// All serials that makers withdrew.
    pub(crate) async fn withdrawn(&self) -> Result<HashSet<(MakerId, Serial)>, StoreError> {
        let rows: Vec<(Vec<u8>, String)> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>("SELECT maker, serial FROM withdrawn").fetch_all(&pools.readers).await?
        });
        let serial = |text: &str| Serial::new(text).map_err(|_| StoreError::Damaged("serial"));
        rows.into_iter().map(|(maker, text)| Ok((MakerId(rows::bytes(&maker, "maker")?), serial(&text)?))).collect()
    }

    /// How many letters wait.
    pub(crate) async fn waiting_letters(&self) -> Result<u64, StoreError> {
        let count: i64 = either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>("SELECT count(*) FROM outbox").fetch_one(&pools.readers).await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        either!(Self, self, pools => {
            sqlx::query::<Db>("SELECT 1").execute(&pools.readers).await?;
        });
        Ok(())
    }
}
