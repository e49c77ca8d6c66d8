//! What administrators do: who works at the desk, for whom, by which checklist.

use sparekey_cases::desk::{Line, OperatorId, Refusal, Role, SerialRange};

use sparekey_protocol::{
    Certificate,
    enrol::{self, Enrolment},
};

use super::{Credential, Desk, DeskError};
use crate::{
    operators::{Entrance, Known, NewOperator, Operator, OperatorError, Organisation},
    store::{Enrolled, StoreError},
    writer::{
        desk::CHECKLIST_SETTING,
        people::{ManageError, Managed, Management, PeopleCommand},
    },
};

/// The most items of a checklist, each of one line.
const MOST_ITEMS: usize = 32;

impl Desk {
    /// The operators that an administrator manages.
    pub(crate) async fn operators(&self, credential: Credential) -> Result<Vec<Operator>, DeskError> {
        let known = self.known(credential).await?;
        if known.actor.role < Role::Administrator {
            return Err(DeskError::Refused(Refusal::NotAllowed));
        }
        let all = self.store.operators().await?;
        Ok(all.into_iter().filter(|one| known.actor.sees_those_of(one.organisation)).collect())
    }

    /// All organisations, for the maker's operators.
    pub(crate) async fn organisations(&self, credential: Credential) -> Result<Vec<Organisation>, DeskError> {
        let known = self.known(credential).await?;
        if known.actor.organisation.is_some() {
            return Err(DeskError::Refused(Refusal::NotAllowed));
        }
        Ok(self.store.organisations().await?)
    }

    /// Adds an operator; what he comes in by is shown once. A distributor's administrator adds to his own.
    pub(crate) async fn add_operator(&self, credential: Credential, new: NewOperator) -> Result<Entrance, DeskError> {
        self.entrance(credential, Management::Add(new)).await
    }

    /// A new link for an operator who lost his passkeys.
    pub(crate) async fn new_link(&self, credential: Credential, id: OperatorId) -> Result<Entrance, DeskError> {
        self.entrance(credential, Management::Link(id)).await
    }

    pub(crate) async fn remove_operator(&self, credential: Credential, id: OperatorId) -> Result<(), DeskError> {
        self.manage(credential, Management::Remove(id)).await.map(|_| ())
    }

    /// Enrols a device for security codes by the record that it made when it was provisioned (protocol section 9). Which device it was.
    pub(crate) async fn enrol(&self, credential: Credential, record: &[u8]) -> Result<Certificate, DeskError> {
        let Known { actor, .. } = self.known(credential).await?;
        if actor.role < Role::Administrator || actor.organisation.is_some() {
            return Err(DeskError::Refused(Refusal::NotAllowed));
        }
        let opened = enrol::open(record, &self.keys.at(self.clock.now())).map_err(DeskError::Request)?;
        let Enrolment { certificate, secret } = opened.into_inner();
        let (key, sealed) = self.sealer.seal_enrolment(certificate.device_id(), &secret).map_err(StoreError::Random)?;
        let enrolled = Enrolled { certificate: certificate.clone(), sealed };
        self.manage(credential, Management::Enrol(enrolled, key)).await?;
        Ok(certificate)
    }

    /// Makes an organisation, or gives it other serial numbers: one range a line.
    pub(crate) async fn set_organisation(
        &self,
        credential: Credential,
        name: &str,
        ranges: &str,
    ) -> Result<(), DeskError> {
        let name = Line::new(name).map_err(|_| DeskError::Field("name"))?;
        let lines = ranges.lines().map(str::trim).filter(|line| !line.is_empty());
        let ranges = lines.map(str::parse).collect::<Result<Vec<SerialRange>, _>>();
        let ranges = ranges.map_err(|_| DeskError::Field("serials"))?;
        self.manage(credential, Management::Organisation(name, ranges)).await.map(|_| ())
    }

    /// The checklist that new cases of an operator's own organisation get, one item a line: the maker's, if it has none of its own.
    pub(crate) async fn checklist(&self, credential: Credential) -> Result<String, DeskError> {
        let known = self.known(credential).await?;
        let own = self.store.setting(known.actor.organisation, CHECKLIST_SETTING).await?;
        Ok(match own {
            Some(own) => own,
            None => self.store.setting(None, CHECKLIST_SETTING).await?.unwrap_or_default(),
        })
    }

    /// Writes it anew. Cases that are open keep theirs.
    pub(crate) async fn set_checklist(&self, credential: Credential, text: &str) -> Result<(), DeskError> {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let items = lines.iter().map(|line| Line::new(line)).collect::<Result<Vec<_>, _>>();
        let items = items.ok().filter(|items| items.len() <= MOST_ITEMS).ok_or(DeskError::Field("checklist"))?;
        let value = items.iter().map(Line::as_str).collect::<Vec<_>>().join("\n");
        self.manage(credential, Management::Setting(CHECKLIST_SETTING, value)).await.map(|_| ())
    }

    async fn entrance(&self, credential: Credential, management: Management) -> Result<Entrance, DeskError> {
        match self.manage(credential, management).await? {
            Managed::Entrance(entrance) => Ok(entrance),
            Managed::Done => Err(DeskError::Unavailable),
        }
    }

    async fn manage(&self, credential: Credential, management: Management) -> Result<Managed, DeskError> {
        let managed = self.writer.people(|reply| PeopleCommand::Manage(credential, management, reply)).await?;
        managed.map_err(|error| match error {
            ManageError::NotDone(not_done) => not_done.into(),
            ManageError::Operator(OperatorError::NameTaken) => DeskError::NameTaken,
            ManageError::Operator(OperatorError::TooManyRanges) => DeskError::Field("serials"),
            ManageError::Operator(error) => {
                tracing::warn!(%error, "operators stay as they are");
                DeskError::Unavailable
            }
        })
    }
}
