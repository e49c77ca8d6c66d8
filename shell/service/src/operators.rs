//! The people of the desk: who they are, what they are known by, how they come and go.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sparekey_cases::desk::{Actor, Line, OperatorId, OrganisationId, Refusal, Role, SerialRange};
use sparekey_protocol::Time;
use zeroize::Zeroizing;

use crate::{
    clock::Clock,
    service::OpenError,
    store::{Batch, Database, Store, StoreError},
};

/// How long a one-time link is good.
const LINK_LASTS: u64 = 24 * 60 * 60;
/// The most ranges of an organisation.
const MOST_RANGES: usize = 200;
/// The setting that holds where this service is reached, so that links can be printed beside it.
pub(crate) const URL_SETTING: &str = "url";

/// An operator as lists show him.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Never given again.
    pub id: OperatorId,
    /// Unique among those who are there.
    pub name: String,
    /// What he may do.
    pub role: Role,
    /// Whom he works for; none for the maker's own.
    pub organisation: Option<OrganisationId>,
    /// The organisation's name.
    pub organisation_name: Option<String>,
    /// Since when.
    pub made_at: Time,
}

/// An organisation, such as a distributor.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// Never given again.
    pub id: OrganisationId,
    /// Unique.
    pub name: String,
    /// The serial numbers that are its own; none means that all are.
    pub ranges: Vec<SerialRange>,
}

/// An operator who was recognised.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) actor: Actor,
    pub(crate) name: String,
    /// When his session was last used.
    pub(crate) seen_at: Time,
}

/// What somebody shows to be recognised, hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    Token(SecretHash),
    Session(SecretHash),
}

/// 256 random bits that somebody else keeps: a token, the end of a link, a session's cookie. Wiped when dropped, never printed but
/// by [`Secret::expose`].
pub struct Secret(Zeroizing<[u8; 32]>);

/// SHA-256 of a secret: all that the database has of it. With 256 random bits, looking it up by this tells nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretHash(pub(crate) [u8; 32]);

impl SecretHash {
    /// The name of something that only who was given it can have.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl Secret {
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// Reads 43 characters of base64url (RFC 4648 section 5).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Decoding allocates by the length: bounded first.
        let bytes = (text.len() == 43).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// For whom it is.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(*self.0).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(secret)")
    }
}

/// Not for logs either: a session is found by it.
impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(private)")
    }
}

/// An operator who is to be added.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// Unique among those who are there.
    pub name: Line,
    /// What he may do.
    pub role: Role,
    /// Whom he works for, by name; it is made if it is not there. None for the maker's own.
    pub organisation: Option<Line>,
    /// Whether he is a script, which gets a token instead of a link.
    pub token: bool,
}

/// What a new operator comes in by.
#[derive(Debug)]
pub enum Entrance {
    /// A token for scripts.
    Token(Secret),
    /// The end of a one-time link, and where the service was last reached, if it ever ran.
    Link(Secret, Option<String>),
}

/// Why operators and organisations stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// Another operator has the name.
    #[error("there is an operator with this name already\nChoose another name, or remove that operator first.")]
    NameTaken,
    /// No operator has it.
    #[error("there is no operator with this name\nSee who there is: sparekey service operator list DIR")]
    Unknown,
    /// More ranges than are taken.
    #[error("these are too many ranges of serial numbers\nUse fewer and wider ones.")]
    TooManyRanges,
    /// Who asks may not.
    #[error("{0}")]
    Refused(Refusal),
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}

impl From<getrandom::Error> for OperatorError {
    fn from(error: getrandom::Error) -> Self {
        StoreError::Random(error).into()
    }
}

/// Adds an operator from outside, whether services run on the database or not.
///
/// # Errors
/// [`OperatorError`]; nothing is written then.
pub async fn add(database: &Database, clock: &dyn Clock, new: &NewOperator) -> Result<Entrance, OperatorError> {
    beside(database, async |batch| add_within(batch, clock.now(), new).await).await
}

/// Makes a one-time link for an operator who is there: his first, or one more after he lost his passkeys. Earlier links end.
///
/// # Errors
/// [`OperatorError`]; nothing is written then.
pub async fn link(database: &Database, clock: &dyn Clock, name: &Line) -> Result<Entrance, OperatorError> {
    beside(database, async |batch| {
        let operator = batch.operator_named(name).await?.ok_or(OperatorError::Unknown)?;
        link_within(batch, clock.now(), operator.id).await
    })
    .await
}

/// Makes one more token for an operator who is there. He is one person, however many he has.
///
/// # Errors
/// [`OperatorError`]; nothing is written then.
pub async fn token(database: &Database, clock: &dyn Clock, name: &Line) -> Result<Entrance, OperatorError> {
    beside(database, async |batch| {
        let operator = batch.operator_named(name).await?.ok_or(OperatorError::Unknown)?;
        token_within(batch, clock.now(), operator.id).await
    })
    .await
}

/// Removes an operator. His sessions, tokens, links and passkeys end at once; what he did stays.
///
/// # Errors
/// [`OperatorError`]; nothing is written then.
pub async fn remove(database: &Database, clock: &dyn Clock, name: &Line) -> Result<(), OperatorError> {
    beside(database, async |batch| {
        let operator = batch.operator_named(name).await?.ok_or(OperatorError::Unknown)?;
        Ok(batch.remove_operator(operator.id, clock.now()).await?)
    })
    .await
}

/// All operators there are.
///
/// # Errors
/// [`OperatorError::Open`].
pub async fn list(database: &Database) -> Result<Vec<Operator>, OperatorError> {
    let store = Store::open_beside(database).await?;
    let operators = store.operators().await;
    store.close().await;
    Ok(operators?)
}

/// Makes an organisation, or gives the one of that name these ranges in place of its own.
///
/// # Errors
/// [`OperatorError`]; nothing is written then.
pub async fn organisation(
    database: &Database,
    clock: &dyn Clock,
    name: &Line,
    ranges: &[SerialRange],
) -> Result<(), OperatorError> {
    beside(database, async |batch| organisation_within(batch, clock.now(), name, ranges).await.map(|_| ())).await
}

/// One transaction beside the services that run on a database.
async fn beside<T>(
    database: &Database,
    act: impl AsyncFnOnce(&mut Batch) -> Result<T, OperatorError>,
) -> Result<T, OperatorError> {
    let store = Store::open_beside(database).await?;
    let mut batch = store.begin().await?;
    let done = act(&mut batch).await?;
    batch.commit().await?;
    store.close().await;
    Ok(done)
}

pub(crate) async fn add_within(batch: &mut Batch, now: Time, new: &NewOperator) -> Result<Entrance, OperatorError> {
    if batch.operator_named(&new.name).await?.is_some() {
        return Err(OperatorError::NameTaken);
    }
    let organisation = match &new.organisation {
        None => None,
        Some(name) => Some(match batch.organisation_named(name).await? {
            Some(organisation) => organisation.id,
            None => batch.put_organisation(name, "", now).await?,
        }),
    };
    let mut handle = [0; 16];
    getrandom::fill(&mut handle)?;
    let id = batch.add_operator(&new.name, new.role, organisation, handle, now).await?;
    if new.token { token_within(batch, now, id).await } else { link_within(batch, now, id).await }
}

async fn token_within(batch: &mut Batch, now: Time, id: OperatorId) -> Result<Entrance, OperatorError> {
    let token = Secret::random()?;
    batch.add_token(token.hash(), id, now).await?;
    Ok(Entrance::Token(token))
}

pub(crate) async fn link_within(batch: &mut Batch, now: Time, id: OperatorId) -> Result<Entrance, OperatorError> {
    let secret = Secret::random()?;
    batch.add_link(secret.hash(), id, now.plus(LINK_LASTS)).await?;
    Ok(Entrance::Link(secret, batch.setting(None, URL_SETTING).await?))
}

pub(crate) async fn organisation_within(
    batch: &mut Batch,
    now: Time,
    name: &Line,
    ranges: &[SerialRange],
) -> Result<OrganisationId, OperatorError> {
    if ranges.len() > MOST_RANGES {
        return Err(OperatorError::TooManyRanges);
    }
    let lines: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    Ok(batch.put_organisation(name, &lines.join("\n"), now).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_once_and_never_printed() {
        let secret = Secret::random().unwrap();
        let text = secret.expose();
        assert_eq!(Secret::parse(&text).unwrap().hash(), secret.hash());
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "Secret(secret) SecretHash(private)");
        for text in ["", "AA", &format!("{}=", *text), &text.replace(|_| true, "+")] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }
}
