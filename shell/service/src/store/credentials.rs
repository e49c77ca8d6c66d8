//! What operators are known by: tokens, links, passkeys and sessions. Of secrets, their hashes.

use sparekey_cases::desk::{Actor, OperatorId, Presence};
use sparekey_protocol::Time;

use super::{
    Batch, Store, StoreError, either,
    operators::{operator_id, organisation_id, read_role},
    rows,
};
use crate::operators::{Credential, Known, SecretHash};

/// Id, name, role, organisation, when the passkey was last asked for, when the session was last used.
type KnownRow = (i64, String, String, Option<i64>, Option<i64>, Option<i64>);

const BY_TOKEN: &str = "SELECT o.id, o.name, o.role, o.organisation, t.made_at, t.made_at \
     FROM operator_tokens t JOIN operators o ON o.id = t.operator WHERE t.hash = $1 AND o.removed_at IS NULL";
const BY_SESSION: &str = "SELECT o.id, o.name, o.role, o.organisation, s.asked_at, s.seen_at \
     FROM operator_sessions s JOIN operators o ON o.id = s.operator \
     WHERE s.hash = $1 AND s.not_after > $2 AND s.seen_at > $3 AND o.removed_at IS NULL";

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
}

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

    /// Whom a link was made for, if it is good now.
    pub(crate) async fn link(&mut self, hash: SecretHash, now: Time) -> Result<Option<OperatorId>, StoreError> {
        let id: Option<i64> = either!(Self, self, transaction => {
            sqlx::query_scalar::<Db, _>("SELECT operator FROM operator_links WHERE hash = $1 AND not_after > $2")
                .bind(hash.0.as_slice())
                .bind(rows::seconds(now))
                .fetch_optional(&mut **transaction)
                .await?
        });
        id.map(operator_id).transpose()
    }

    /// A link was used: nobody comes in by it a second time.
    pub(crate) async fn drop_link(&mut self, hash: SecretHash) -> Result<(), StoreError> {
        either!(Self, self, transaction => {
            sqlx::query::<Db>("DELETE FROM operator_links WHERE hash = $1")
                .bind(hash.0.as_slice())
                .execute(&mut **transaction)
                .await?;
        });
        Ok(())
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
