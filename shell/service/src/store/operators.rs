//! Operators, organisations, and what administrators wrote for them.

use sparekey_cases::desk::{Line, OperatorId, OrganisationId, Role};
use sparekey_protocol::Time;

use super::{Batch, Store, StoreError, either, rows};
use crate::operators::{Operator, Organisation};

/// Id, name, role, organisation's id and name, when made.
type OperatorRow = (i64, String, String, Option<i64>, Option<String>, i64);

const OPERATOR: &str = "SELECT o.id, o.name, o.role, o.organisation, g.name, o.made_at \
     FROM operators o LEFT JOIN organisations g ON g.id = o.organisation WHERE o.removed_at IS NULL";

impl Store {
    /// All operators that were not removed, by name.
    pub(crate) async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!("{OPERATOR} ORDER BY o.name"));
        let rows: Vec<OperatorRow> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>(text).fetch_all(&pools.readers).await?
        });
        rows.into_iter().map(read_operator).collect()
    }

    /// The names of all operators there ever were.
    pub(crate) async fn operator_names(&self) -> Result<Vec<(OperatorId, String)>, StoreError> {
        let rows: Vec<(i64, String)> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>("SELECT id, name FROM operators").fetch_all(&pools.readers).await?
        });
        rows.into_iter().map(|(id, name)| Ok((operator_id(id)?, name))).collect()
    }

    /// All organisations, by name.
    pub(crate) async fn organisations(&self) -> Result<Vec<Organisation>, StoreError> {
        let rows: Vec<(i64, String, String)> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>("SELECT id, name, ranges FROM organisations ORDER BY name").fetch_all(&pools.readers).await?
        });
        rows.into_iter().map(read_organisation).collect()
    }

    /// A text that an administrator wrote.
    pub(crate) async fn setting(&self, of: Option<OrganisationId>, name: &str) -> Result<Option<String>, StoreError> {
        Ok(either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>(SETTING).bind(settings_key(of)).bind(name).fetch_optional(&pools.readers).await?
        }))
    }
}

const SETTING: &str = "SELECT value FROM desk_settings WHERE organisation = $1 AND name = $2";

impl Batch {
    /// The operator of that name.
    pub(crate) async fn operator_named(&mut self, name: &Line) -> Result<Option<Operator>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!("{OPERATOR} AND o.name = $1"));
        let row: Option<OperatorRow> = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>(text).bind(name.as_str()).fetch_optional(&mut **transaction).await?
        });
        row.map(read_operator).transpose()
    }

    /// The operator with this id.
    pub(crate) async fn operator(&mut self, id: OperatorId) -> Result<Option<Operator>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!("{OPERATOR} AND o.id = $1"));
        let row: Option<OperatorRow> = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>(text).bind(i64::from(id.0)).fetch_optional(&mut **transaction).await?
        });
        row.map(read_operator).transpose()
    }

    /// A new operator. The name is nobody's: look before.
    pub(crate) async fn add_operator(
        &mut self,
        name: &Line,
        role: Role,
        organisation: Option<OrganisationId>,
        handle: [u8; 16],
        now: Time,
    ) -> Result<OperatorId, StoreError> {
        let id: i64 = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>(
                "INSERT INTO operators (name, role, organisation, handle, made_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            )
            .bind(name.as_str())
            .bind(role.name())
            .bind(organisation.map(|id| i64::from(id.0)))
            .bind(handle.as_slice())
            .bind(rows::seconds(now))
            .fetch_one(&mut **transaction)
            .await?
        });
        operator_id(id)
    }

    /// Removes an operator, and with him all that he is known by.
    pub(crate) async fn remove_operator(&mut self, id: OperatorId, now: Time) -> Result<(), StoreError> {
        for text in [
            "DELETE FROM operator_tokens WHERE operator = $1",
            "DELETE FROM operator_links WHERE operator = $1",
            "DELETE FROM operator_sessions WHERE operator = $1",
            "DELETE FROM operator_passkeys WHERE operator = $1",
        ] {
            either!(Self, self, transaction => {
                sqlx::query::<Db>(text).bind(i64::from(id.0)).execute(&mut **transaction).await?;
            });
        }
        either!(Self, self, transaction => {
            sqlx::query::<Db>("UPDATE operators SET removed_at = $2 WHERE id = $1")
                .bind(i64::from(id.0))
                .bind(rows::seconds(now))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// The organisation of that name, if there is one.
    pub(crate) async fn organisation_named(&mut self, name: &Line) -> Result<Option<Organisation>, StoreError> {
        let row: Option<(i64, String, String)> = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>("SELECT id, name, ranges FROM organisations WHERE name = $1")
                .bind(name.as_str())
                .fetch_optional(&mut **transaction)
                .await?
        });
        row.map(read_organisation).transpose()
    }

    /// The organisation with this id.
    pub(crate) async fn organisation(&mut self, id: OrganisationId) -> Result<Option<Organisation>, StoreError> {
        let row: Option<(i64, String, String)> = either!(Self, self, transaction => {
            sqlx::query_as::<Db, _>("SELECT id, name, ranges FROM organisations WHERE id = $1")
                .bind(i64::from(id.0))
                .fetch_optional(&mut **transaction)
                .await?
        });
        row.map(read_organisation).transpose()
    }

    /// Makes an organisation, or gives the one of that name these ranges.
    pub(crate) async fn put_organisation(
        &mut self,
        name: &Line,
        ranges: &str,
        now: Time,
    ) -> Result<OrganisationId, StoreError> {
        let id: i64 = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>(
                "INSERT INTO organisations (name, ranges, made_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET ranges = excluded.ranges RETURNING id",
            )
            .bind(name.as_str())
            .bind(ranges)
            .bind(rows::seconds(now))
            .fetch_one(&mut **transaction)
            .await?
        });
        organisation_id(id)
    }

    pub(crate) async fn setting(
        &mut self,
        of: Option<OrganisationId>,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        Ok(either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>(SETTING).bind(settings_key(of)).bind(name).fetch_optional(&mut **transaction).await?
        }))
    }

    /// Writes a setting.
    pub(crate) async fn put_setting(
        &mut self,
        of: Option<OrganisationId>,
        name: &str,
        value: &str,
    ) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "INSERT INTO desk_settings (organisation, name, value) VALUES ($1, $2, $3) \
                 ON CONFLICT (organisation, name) DO UPDATE SET value = excluded.value",
            )
            .bind(settings_key(of))
            .bind(name)
            .bind(value)
            .execute(&mut **transaction)
            .await?;
        });
        Ok(())
    }
}

/// Organisations count from 1; the maker has 0.
fn settings_key(of: Option<OrganisationId>) -> i64 {
    of.map_or(0, |id| i64::from(id.0))
}

pub(super) fn operator_id(id: i64) -> Result<OperatorId, StoreError> {
    u32::try_from(id).map(OperatorId).map_err(|_| StoreError::Damaged("operator"))
}

pub(super) fn organisation_id(id: i64) -> Result<OrganisationId, StoreError> {
    u32::try_from(id).map(OrganisationId).map_err(|_| StoreError::Damaged("organisation"))
}

fn read_operator(row: OperatorRow) -> Result<Operator, StoreError> {
    let (id, name, role, organisation, organisation_name, made_at) = row;
    Ok(Operator {
        id: operator_id(id)?,
        name,
        role: read_role(&role)?,
        organisation: organisation.map(organisation_id).transpose()?,
        organisation_name,
        made_at: rows::time(made_at),
    })
}

pub(super) fn read_role(name: &str) -> Result<Role, StoreError> {
    Role::parse(name).ok_or(StoreError::Damaged("operator"))
}

fn read_organisation((id, name, ranges): (i64, String, String)) -> Result<Organisation, StoreError> {
    let ranges = ranges.lines().map(str::parse).collect::<Result<_, _>>();
    Ok(Organisation {
        id: organisation_id(id)?,
        name,
        ranges: ranges.map_err(|_| StoreError::Damaged("organisation"))?,
    })
}
