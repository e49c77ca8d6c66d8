//! The desk without its HTTP: what the console, the interface and the terminal all call.
//!
//! Everything begins with a [`Credential`]: who it stands for is looked up for each call, and again within the transaction that
//! writes. What may be done is decided in `sparekey_cases::desk`; this room finds, opens, shows and seals.

mod answer;
mod evidence;
mod open;
mod people;
pub(crate) mod replies;
pub(crate) mod sign_in;
mod views;

use std::{collections::HashMap, sync::Arc};

use sparekey_cases::desk::{Actor, OperatorId, OrganisationId, Refusal, State};
use sparekey_protocol::{CaseNumber, Refusal as RequestRefusal, files::FileError};

pub(crate) use crate::operators::Credential;
use crate::{
    clock::Clock,
    keys::Keys,
    operators::Known,
    photo::PhotoError,
    public_log::PublicLog,
    seal::Sealer,
    store::{DeskFilter, DeskId, DeskRow, Store, StoreError},
    writer::{
        NotWritten, Writer,
        desk::{Act, ActOnCase, Acted, NotDone},
    },
};
pub(crate) use answer::GrantFile;
pub(crate) use evidence::Attached;
pub(crate) use open::{Carried, NewCase, Whence, read_file};
pub(crate) use views::{CaseLine, CaseView, EntryView, FactView};

/// The most lines of one page of a list.
pub(crate) const PAGE: u32 = 100;

/// The desk. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) keys: Arc<Keys>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) store: Arc<Store>,
    pub(crate) writer: Writer,
    pub(crate) log: PublicLog,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Why the desk does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeskError {
    /// The token or session is not good, or no longer.
    #[error("not-logged-in")]
    NotLoggedIn,
    #[error("{0}")]
    Refused(Refusal),
    #[error("{0}")]
    Request(RequestRefusal),
    #[error("{0}")]
    File(FileError),
    /// A text is too long, or missing where it is needed: the name of its field.
    #[error("malformed: {0}")]
    Field(&'static str),
    /// The public log does not have it yet. Nothing is lost: asked again, it is handed out.
    #[error("not-logged-yet")]
    NotLoggedYet,
    /// Another operator has the name.
    #[error("name-taken")]
    NameTaken,
    #[error("{0}")]
    Photo(PhotoError),
    /// The database does not answer, or there is more to do than it can take.
    #[error("unavailable")]
    Unavailable,
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the desk could not read");
        Self::Unavailable
    }
}

impl From<NotWritten> for DeskError {
    fn from(_: NotWritten) -> Self {
        Self::Unavailable
    }
}

impl From<NotDone> for DeskError {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Unknown => Self::NotLoggedIn,
            NotDone::Refused(refusal) => Self::Refused(refusal),
            NotDone::Request(refusal) => Self::Request(refusal),
        }
    }
}

/// Which cases are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) state: Option<State>,
    /// A case's number, or the beginning of a serial number.
    pub(crate) text: Option<String>,
    pub(crate) before: Option<DeskId>,
}

/// A page of a list.
pub(crate) struct Listed {
    pub(crate) lines: Vec<CaseLine>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<DeskId>,
}

impl Desk {
    /// Whom a credential stands for.
    pub(crate) async fn known(&self, credential: Credential) -> Result<Known, DeskError> {
        self.store.known(credential, self.clock.now()).await?.ok_or(DeskError::NotLoggedIn)
    }

    /// The cases that an operator sees, the newest first.
    pub(crate) async fn list(&self, credential: Credential, filter: &Filter) -> Result<Listed, DeskError> {
        let known = self.known(credential).await?;
        // Longer ones find nothing, and are not looked for.
        let text = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_ascii_uppercase);
        if text.as_ref().is_some_and(|text| text.len() > 64) {
            return Ok(Listed { lines: Vec::new(), next: None });
        }
        let filter = DeskFilter {
            organisation: known.actor.organisation,
            state: filter.state,
            text: text.as_deref(),
            before: filter.before,
            limit: PAGE + 1,
        };
        let mut found = self.store.desk_cases(&filter).await?;
        let next = if found.len() > PAGE as usize {
            found.truncate(PAGE as usize);
            found.last().map(|line| line.place)
        } else {
            None
        };
        let names = self.names().await?;
        Ok(Listed { lines: found.into_iter().map(|line| CaseLine::of(line, &names)).collect(), next })
    }

    /// A case, if it is one of the operator's.
    pub(crate) async fn show(&self, credential: Credential, number: &str) -> Result<CaseView, DeskError> {
        let known = self.known(credential).await?;
        let row = self.row(&known.actor, number).await?;
        self.view(&known, row).await
    }

    /// Does something to a case, and shows it as it is then.
    pub(crate) async fn act(&self, credential: Credential, number: &str, act: Act) -> Result<CaseView, DeskError> {
        let Acted { row, .. } = *self.acted(credential, number, act).await?;
        let known = self.known(credential).await?;
        // He may have given it away.
        if !known.actor.sees(&row.case) {
            return Ok(CaseView::given_away(&row));
        }
        self.view(&known, row).await
    }

    /// Gives a case to the organisation of that name, or to the maker.
    pub(crate) async fn hand_over(
        &self,
        credential: Credential,
        number: &str,
        to: Option<&str>,
    ) -> Result<CaseView, DeskError> {
        // Only who sees the case hears whether there is such an organisation.
        let known = self.known(credential).await?;
        self.row(&known.actor, number).await?;
        if known.actor.organisation.is_some() && to.is_some() {
            return Err(DeskError::Refused(Refusal::NotAllowed));
        }
        let to = match to {
            None => None,
            Some(name) => {
                let organisations = self.store.organisations().await?;
                let found = organisations.into_iter().find(|one| one.name == name);
                Some(found.ok_or(DeskError::Field("organisation"))?.id)
            }
        };
        self.act(credential, number, Act::HandOver(to)).await
    }

    async fn acted(&self, credential: Credential, number: &str, act: Act) -> Result<Box<Acted>, DeskError> {
        let number = CaseNumber::new(number.trim()).map_err(|_| DeskError::Refused(Refusal::NotFound))?;
        Ok(self.writer.act(ActOnCase { credential, number, act }).await??)
    }

    /// The row of a case that an actor sees.
    async fn row(&self, actor: &Actor, number: &str) -> Result<DeskRow, DeskError> {
        let not_found = DeskError::Refused(Refusal::NotFound);
        let number = CaseNumber::new(number.trim()).map_err(|_| not_found.clone())?;
        self.store.desk_case(&number).await?.filter(|row| actor.sees(&row.case)).ok_or(not_found)
    }

    async fn view(&self, known: &Known, row: DeskRow) -> Result<CaseView, DeskError> {
        let names = self.names().await?;
        let mut view = CaseView::of(&row, &names, &known.actor, self.clock.now());
        self.add_history(&mut view, &row, &known.actor, &names).await?;
        Ok(view)
    }

    async fn names(&self) -> Result<Names, DeskError> {
        let operators = self.store.operator_names().await?.into_iter().collect();
        let organisations = self.store.organisations().await?.into_iter();
        Ok(Names { operators, organisations: organisations.map(|one| (one.id, one.name)).collect() })
    }
}

/// Names of operators and organisations.
pub(crate) struct Names {
    operators: HashMap<OperatorId, String>,
    organisations: HashMap<OrganisationId, String>,
}

impl Names {
    fn operator(&self, id: OperatorId) -> String {
        self.operators.get(&id).cloned().unwrap_or_default()
    }

    fn organisation(&self, id: Option<OrganisationId>) -> Option<String> {
        id.map(|id| self.organisations.get(&id).cloned().unwrap_or_default())
    }
}
