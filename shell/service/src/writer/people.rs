//! What is written about operators: ceremonies, sessions, and who comes and goes.

use sparekey_cases::desk::{Line, OperatorId, OrganisationId, Refusal, Role, SerialRange};
use sparekey_protocol::{KeyId, Time};

use super::{Reply, desk::NotDone};
use crate::{
    operators::{
        Credential, Entrance, Known, NewOperator, OperatorError, SecretHash, add_within, link_within,
        organisation_within,
    },
    passkeys::Used,
    store::{Batch, Enrolled, StoreError},
};

/// How long a session lasts, however much it is used.
pub(crate) const SESSION_LASTS: u64 = 8 * 60 * 60;
/// What is asked, and where the answer goes.
pub(crate) enum PeopleCommand {
    /// A challenge with this name, good until then, was answered rightly. Whether for the first time.
    Spend(SecretHash, Time, Reply<bool>),
    /// The end of a link becomes a passkey and a session: the operator, if the link was good.
    Join { link: SecretHash, operator: OperatorId, passkey: NewPasskey, session: SecretHash, reply: Reply<bool> },
    /// One more passkey for who is signed in.
    AddPasskey { session: SecretHash, operator: OperatorId, passkey: NewPasskey, reply: Reply<bool> },
    /// A session for whose passkey held, if he is still an operator.
    SignIn { operator: OperatorId, used: Used, session: SecretHash, reply: Reply<bool> },
    /// His passkey held again.
    StepUp { session: SecretHash, operator: OperatorId, used: Used, reply: Reply<bool> },
    /// A session is in use.
    See(SecretHash, Reply<()>),
    /// A session ends.
    End(SecretHash, Reply<()>),
    /// What an administrator wants.
    Manage(Credential, Management, Reply<Result<Managed, ManageError>>),
}

/// A passkey that was made.
pub(crate) struct NewPasskey {
    pub(crate) id: Vec<u8>,
    pub(crate) text: String,
}

/// What an administrator wants.
pub(crate) enum Management {
    Add(NewOperator),
    Remove(OperatorId),
    Link(OperatorId),
    /// The maker's administrators only.
    Organisation(Line, Vec<SerialRange>),
    /// A text of his own organisation.
    Setting(&'static str, String),
    /// A device that can be helped by telephone, and the opening key that its secret is sealed under. The maker's administrators only.
    Enrol(Enrolled, KeyId),
}

/// What came of it.
pub(crate) enum Managed {
    Done,
    Entrance(Entrance),
}

/// Why nothing came of it.
pub(crate) enum ManageError {
    NotDone(NotDone),
    Operator(OperatorError),
}

impl From<Refusal> for ManageError {
    fn from(refusal: Refusal) -> Self {
        Self::NotDone(NotDone::Refused(refusal))
    }
}

impl PeopleCommand {
    pub(super) fn answer(self) {
        match self {
            Self::See(_, reply) | Self::End(_, reply) => reply.send(),
            Self::Spend(_, _, reply) => reply.send(),
            Self::Join { reply, .. }
            | Self::AddPasskey { reply, .. }
            | Self::SignIn { reply, .. }
            | Self::StepUp { reply, .. } => reply.send(),
            Self::Manage(_, _, reply) => reply.send(),
        }
    }

    pub(super) async fn carry_out(&mut self, batch: &mut Batch, now: Time) -> Result<(), StoreError> {
        match self {
            Self::Spend(hash, not_after, reply) => reply.decided(batch.spend_challenge(*hash, *not_after).await?),
            Self::Join { link, operator, passkey, session, reply } => {
                // A passkey that cannot be added uses no link up.
                let joined = batch.link(*link, now).await? == Some(*operator)
                    && batch.operator(*operator).await?.is_some()
                    && batch.add_passkey(&passkey.id, *operator, &passkey.text, now).await?;
                if joined {
                    batch.drop_link(*link).await?;
                    batch.add_session(*session, *operator, now, now.plus(SESSION_LASTS)).await?;
                }
                reply.decided(joined);
            }
            Self::AddPasskey { session, operator, passkey, reply } => {
                let known = batch.known(Credential::Session(*session), now).await?;
                let added = match known {
                    Some(Known { actor, .. }) if actor.operator == *operator && actor.presence.is_fresh(now) => {
                        batch.add_passkey(&passkey.id, *operator, &passkey.text, now).await?
                    }
                    _ => false,
                };
                reply.decided(added);
            }
            Self::SignIn { operator, used, session, reply } => {
                let there = batch.operator(*operator).await?.is_some();
                if there {
                    put_used(batch, used).await?;
                    batch.add_session(*session, *operator, now, now.plus(SESSION_LASTS)).await?;
                }
                reply.decided(there);
            }
            Self::StepUp { session, operator, used, reply } => {
                let known = batch.known(Credential::Session(*session), now).await?;
                let same = known.is_some_and(|known| known.actor.operator == *operator);
                if same {
                    put_used(batch, used).await?;
                    batch.ask_session(*session, now).await?;
                }
                reply.decided(same);
            }
            Self::See(session, reply) => reply.decided(batch.see_session(*session, now).await?),
            Self::End(session, reply) => reply.decided(batch.end_session(*session).await?),
            Self::Manage(credential, management, reply) => {
                reply.decided(match manage(batch, *credential, management, now).await {
                    // The database's own trouble is the batch's; everything else is an answer.
                    Err(ManageError::Operator(OperatorError::Open(crate::service::OpenError::Store(error)))) => {
                        return Err(error);
                    }
                    answer => answer,
                });
            }
        }
        Ok(())
    }
}

async fn put_used(batch: &mut Batch, used: &Used) -> Result<(), StoreError> {
    match &used.changed {
        Some(text) => batch.put_passkey(&used.id, text).await,
        None => Ok(()),
    }
}

async fn manage(
    batch: &mut Batch,
    credential: Credential,
    management: &Management,
    now: Time,
) -> Result<Managed, ManageError> {
    let stored = |error: StoreError| ManageError::Operator(error.into());
    let known = batch.known(credential, now).await.map_err(stored)?.ok_or(ManageError::NotDone(NotDone::Unknown))?;
    let actor = known.actor;
    match management {
        Management::Add(new) => {
            let organisation = match &new.organisation {
                None => None,
                Some(name) => Some(batch.organisation_named(name).await.map_err(stored)?.ok_or(Refusal::Malformed)?.id),
            };
            actor.manages(organisation, now)?;
            tracing::info!(by = actor.operator.0, name = %new.name, role = new.role.name(), "an operator is added");
            add_within(batch, now, new).await.map(Managed::Entrance).map_err(ManageError::Operator)
        }
        Management::Remove(id) => {
            managed(batch, &actor, *id, now).await?;
            // Somebody must be left who can add others.
            if *id == actor.operator {
                return Err(Refusal::NotAllowed.into());
            }
            tracing::info!(by = actor.operator.0, of = id.0, "an operator is removed");
            batch.remove_operator(*id, now).await.map_err(stored)?;
            Ok(Managed::Done)
        }
        Management::Link(id) => {
            managed(batch, &actor, *id, now).await?;
            tracing::info!(by = actor.operator.0, of = id.0, "an operator gets a new link");
            link_within(batch, now, *id).await.map(Managed::Entrance).map_err(ManageError::Operator)
        }
        Management::Organisation(name, ranges) => {
            actor.manages(None, now)?;
            organisation_within(batch, now, name, ranges).await.map_err(ManageError::Operator)?;
            Ok(Managed::Done)
        }
        Management::Enrol(enrolled, key) => {
            actor.manages(None, now)?;
            batch.enrol(enrolled, *key, now).await.map_err(stored)?;
            Ok(Managed::Done)
        }
        Management::Setting(name, value) => {
            actor.manages(actor.organisation, now)?;
            batch.put_setting(actor.organisation, name, value).await.map_err(stored)?;
            Ok(Managed::Done)
        }
    }
}

/// The operator with this id is one whom the actor manages. Another's looks like none.
async fn managed(
    batch: &mut Batch,
    actor: &sparekey_cases::desk::Actor,
    id: OperatorId,
    now: Time,
) -> Result<(), ManageError> {
    let found = batch.operator(id).await.map_err(|error| ManageError::Operator(error.into()))?;
    let organisation: Option<OrganisationId> = match found {
        Some(operator) if actor.role < Role::Administrator || actor.sees_those_of(operator.organisation) => {
            operator.organisation
        }
        _ => return Err(Refusal::NotFound.into()),
    };
    Ok(actor.manages(organisation, now)?)
}
