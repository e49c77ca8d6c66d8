//! What mail to the service calls: requests go the way of all others, and then there is the desk's case and the answer.

use sparekey_cases::desk::Requester;
use sparekey_protocol::{CaseNumber, Language, files::RequestFile};

use super::{RequestView, Service, SubmitError, Unavailable};
use crate::{
    NetworkKey,
    desk::DeskError,
    store::MailId,
    writer::mail_in::{Answer, Dealt, MailDealtWith},
};

impl Service {
    /// Whether this mail was dealt with before.
    pub(crate) async fn knows_mail(&self, mail: MailId) -> Result<bool, Unavailable> {
        self.store.knows_mail(mail).await.map_err(|error| {
            tracing::warn!(%error, "a mail was not looked up");
            Unavailable
        })
    }

    /// Takes a request as [`Service::submit`] does, with all its limits; mails share those of one network. Says the device's
    /// language too.
    pub(crate) async fn submit_from_mail(&self, bytes: &[u8]) -> Result<(RequestView, Language), SubmitError> {
        let request = self.opened(bytes)?;
        let language = request.contents.language.clone();
        let view = self.submit_opened(request, bytes, false, NetworkKey::Mail).await?;
        Ok((view, language))
    }

    /// Has the desk open a case about requests that were handed in; about the same ones, there is one.
    pub(crate) async fn open_case_from_mail(
        &self,
        requests: Vec<(Vec<u8>, Option<RequestFile>)>,
        requester: Requester,
    ) -> Result<CaseNumber, DeskError> {
        self.desk.open_by_mail(requests, requester).await.map(|opened| opened.number)
    }

    /// Notes that a mail was dealt with, and queues its answer if its sender may have one.
    pub(crate) async fn note_mail(&self, mail: MailId, answer: Option<Answer>) -> Result<Dealt, Unavailable> {
        self.writer.mail_dealt_with(MailDealtWith { mail, answer }).await.map_err(|_| Unavailable)
    }

    /// The mailbox that letters come from.
    pub(crate) fn writes_from(&self) -> &sparekey_mail::Address {
        &self.writes_from
    }
}
