//! Operators, organisations, and what operators are known by.

use sparekey_cases::desk::{Actor, Line, OperatorId, OrganisationId, Presence, Role};
use sparekey_protocol::Time;

use super::{Batch, Store, StoreError, either, rows};
use crate::operators::{Credential, Known, Operator, Organisation, SecretHash};

/// Id, name, role, organisation, when the passkey was last asked for, when the session was last used.
type KnownRow = (i64, String, String, Option<i64>, Option<i64>, Option<i64>);
/// Id, name, role, organisation's id and name, when made.
type OperatorRow = (i64, String, String, Option<i64>, Option<String>, i64);

const BY_TOKEN: &str = "SELECT o.id, o.name, o.role, o.organisation, t.made_at, t.made_at \
     FROM operator_tokens t JOIN operators o ON o.id = t.operator WHERE t.hash = $1 AND o.removed_at IS NULL";
const BY_SESSION: &str = "SELECT o.id, o.name, o.role, o.organisation, s.asked_at, s.seen_at \
     FROM operator_sessions s JOIN operators o ON o.id = s.operator \
     WHERE s.hash = $1 AND s.not_after > $2 AND s.seen_at > $3 AND o.removed_at IS NULL";
const OPERATOR: &str = "SELECT o.id, o.name, o.role, o.organisation, g.name, o.made_at \
     FROM operators o LEFT JOIN organisations g ON g.id = o.organisation WHERE o.removed_at IS NULL";

/// What a session that nobody uses is good for.
const IDLE: u64 = 60 * 60;

impl Store {
    /// Whom a token or session stands for, if it is good now.
    pub(crate) async fn known(&self, credential: Credential, now: Time) -> Result<Option<Known>, StoreError> {
        let row: Option<KnownRow> = either!(Self, self, pools => match credential {
            Credential::Token(SecretHash(hash)) => {
                sqlx::query_as::<Db, _>(BY_TOKEN).bind(hash.as_slice()).fetch_optional(&pools.readers).await?
            }
            Credential::Session(SecretHash(hash)) => {
                sqlx::query_as::<Db, _>(BY_SESSION)
                    .bind(hash.as_slice())
                    .bind(rows::seconds(now))
                    .bind(idle_since(now))
                    .fetch_optional(&pools.readers)
                    .await?
            }
        });
        row.map(|row| read_known(credential, row)).transpose()
    }

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

    /// The passkeys of an operator, as webauthn-rs writes them.
    pub(crate) async fn passkeys(&self, operator: OperatorId) -> Result<Vec<String>, StoreError> {
        Ok(either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>("SELECT passkey FROM operator_passkeys WHERE operator = $1 ORDER BY made_at")
                .bind(i64::from(operator.0))
                .fetch_all(&pools.readers)
                .await?
        }))
    }

    /// The operator whom passkeys know by this handle, with his passkeys.
    pub(crate) async fn operator_of_handle(
        &self,
        handle: [u8; 16],
    ) -> Result<Option<(OperatorId, Vec<String>)>, StoreError> {
        let id: Option<i64> = either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>("SELECT id FROM operators WHERE handle = $1 AND removed_at IS NULL")
                .bind(handle.as_slice())
                .fetch_optional(&pools.readers)
                .await?
        });
        let Some(id) = id.map(operator_id).transpose()? else { return Ok(None) };
        Ok(Some((id, self.passkeys(id).await?)))
    }

    /// An operator's handle and name.
    pub(crate) async fn handle(&self, operator: OperatorId) -> Result<Option<([u8; 16], String)>, StoreError> {
        let row: Option<(Vec<u8>, String)> = either!(Self, self, pools => {
            sqlx::query_as::<Db, _>("SELECT handle, name FROM operators WHERE id = $1 AND removed_at IS NULL")
                .bind(i64::from(operator.0))
                .fetch_optional(&pools.readers)
                .await?
        });
        row.map(|(handle, name)| Ok((rows::bytes(&handle, "operator")?, name))).transpose()
    }

    /// Whom a one-time link was made for, if it is good now.
    pub(crate) async fn link(&self, SecretHash(hash): SecretHash, now: Time) -> Result<Option<OperatorId>, StoreError> {
        let id: Option<i64> = either!(Self, self, pools => {
            sqlx::query_scalar::<Db, _>(
                "SELECT l.operator FROM operator_links l JOIN operators o ON o.id = l.operator \
                 WHERE l.hash = $1 AND l.not_after > $2 AND o.removed_at IS NULL",
            )
            .bind(hash.as_slice())
            .bind(rows::seconds(now))
            .fetch_optional(&pools.readers)
            .await?
        });
        id.map(operator_id).transpose()
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
    /// Whom a token or session stands for now, as this transaction sees it.
    pub(crate) async fn known(&mut self, credential: Credential, now: Time) -> Result<Option<Known>, StoreError> {
        let row: Option<KnownRow> = either!(Self, self, transaction => match credential {
            Credential::Token(SecretHash(hash)) => {
                sqlx::query_as::<Db, _>(BY_TOKEN).bind(hash.as_slice()).fetch_optional(&mut **transaction).await?
            }
            Credential::Session(SecretHash(hash)) => {
                sqlx::query_as::<Db, _>(BY_SESSION)
                    .bind(hash.as_slice())
                    .bind(rows::seconds(now))
                    .bind(idle_since(now))
                    .fetch_optional(&mut **transaction)
                    .await?
            }
        });
        row.map(|row| read_known(credential, row)).transpose()
    }

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

    /// A token for scripts.
    pub(crate) async fn add_token(&mut self, hash: SecretHash, of: OperatorId, now: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO operator_tokens (hash, operator, made_at) VALUES ($1, $2, $3)")
                .bind(hash.0.as_slice())
                .bind(i64::from(of.0))
                .bind(rows::seconds(now))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// A one-time link. Those that were made for him before end.
    pub(crate) async fn add_link(
        &mut self,
        hash: SecretHash,
        of: OperatorId,
        not_after: Time,
    ) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("DELETE FROM operator_links WHERE operator = $1").bind(i64::from(of.0)).execute(&mut **transaction).await?;
            sqlx::query::<Db>("INSERT INTO operator_links (hash, operator, not_after) VALUES ($1, $2, $3)")
                .bind(hash.0.as_slice())
                .bind(i64::from(of.0))
                .bind(rows::seconds(not_after))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// Takes a link: whom it was made for, if it is good now. Nobody gets it a second time.
    pub(crate) async fn take_link(&mut self, hash: SecretHash, now: Time) -> Result<Option<OperatorId>, StoreError> {
        let id: Option<i64> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>("DELETE FROM operator_links WHERE hash = $1 AND not_after > $2 RETURNING operator")
                .bind(hash.0.as_slice())
                .bind(rows::seconds(now))
                .fetch_optional(&mut **transaction)
                .await?
        });
        id.map(operator_id).transpose()
    }

    /// A new passkey; `false` if it is somebody's already.
    pub(crate) async fn add_passkey(
        &mut self,
        id: &[u8],
        of: OperatorId,
        passkey: &str,
        now: Time,
    ) -> Result<bool, StoreError> {
        let added = either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "INSERT INTO operator_passkeys (id, operator, passkey, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            )
            .bind(id)
            .bind(i64::from(of.0))
            .bind(passkey)
            .bind(rows::seconds(now))
            .execute(&mut **transaction)
            .await?
            .rows_affected()
        });
        Ok(added == 1)
    }

    /// What changed about a passkey by its use: its counter.
    pub(crate) async fn put_passkey(&mut self, id: &[u8], passkey: &str) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("UPDATE operator_passkeys SET passkey = $2 WHERE id = $1")
                .bind(id)
                .bind(passkey)
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// A session that begins now.
    pub(crate) async fn add_session(
        &mut self,
        hash: SecretHash,
        of: OperatorId,
        now: Time,
        not_after: Time,
    ) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("INSERT INTO operator_sessions (hash, operator, seen_at, not_after) VALUES ($1, $2, $3, $4)")
                .bind(hash.0.as_slice())
                .bind(i64::from(of.0))
                .bind(rows::seconds(now))
                .bind(rows::seconds(not_after))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// A session that is in use.
    pub(crate) async fn see_session(&mut self, hash: SecretHash, now: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("UPDATE operator_sessions SET seen_at = $2 WHERE hash = $1")
                .bind(hash.0.as_slice())
                .bind(rows::seconds(now))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// A session whose operator just used his passkey again.
    pub(crate) async fn ask_session(&mut self, hash: SecretHash, now: Time) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("UPDATE operator_sessions SET asked_at = $2 WHERE hash = $1")
                .bind(hash.0.as_slice())
                .bind(rows::seconds(now))
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    pub(crate) async fn end_session(&mut self, hash: SecretHash) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("DELETE FROM operator_sessions WHERE hash = $1")
                .bind(hash.0.as_slice())
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
    }

    /// Spends a challenge that was answered rightly: nobody gets anything for it a second time. Whether this was the first.
    pub(crate) async fn spend_challenge(&mut self, hash: SecretHash, not_after: Time) -> Result<bool, StoreError> {
        Ok(either!(Self, self, transaction => {
            sqlx::query::<Db>(
                "INSERT INTO operator_challenges (hash, state, not_after) VALUES ($1, '', $2) ON CONFLICT DO NOTHING",
            )
            .bind(hash.0.as_slice())
            .bind(rows::seconds(not_after))
            .execute(&mut **transaction)
            .await?
            .rows_affected()
                == 1
        }))
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

    /// Drops links, sessions and challenges that are over.
    pub(crate) async fn drop_old_credentials(&mut self, now: Time) -> Result<(), StoreError> {
        for text in [
            "DELETE FROM operator_links WHERE not_after <= $1",
            "DELETE FROM operator_sessions WHERE not_after <= $1",
            "DELETE FROM operator_challenges WHERE not_after <= $1",
        ] {
            either!(Self, self, transaction => {
                sqlx::query::<Db>(text).bind(rows::seconds(now)).execute(&mut **transaction).await?;
            });
        }
        Ok(())
    }
}

fn idle_since(now: Time) -> i64 {
    rows::seconds(Time(now.since(Time(IDLE))))
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

fn read_known(credential: Credential, row: KnownRow) -> Result<Known, StoreError> {
    let (id, name, role, organisation, asked_at, seen_at) = row;
    let presence = match credential {
        Credential::Token(_) => Presence::Token,
        Credential::Session(_) => Presence::Passkey { asked_at: asked_at.map(rows::time) },
    };
    let actor = Actor {
        operator: operator_id(id)?,
        role: read_role(&role)?,
        organisation: organisation.map(organisation_id).transpose()?,
        presence,
    };
    Ok(Known { actor, name, seen_at: rows::time(seen_at.unwrap_or(0)) })
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

fn read_role(name: &str) -> Result<Role, StoreError> {
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
