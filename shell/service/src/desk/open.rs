use sparekey_cases::desk::{Call, Line, Requester, Source, Words};
use sparekey_protocol::{
    Language, Refusal as RequestRefusal, Serial,
    files::{self, Document, Entry, FileError, RequestFile},
    ocra::Question,
    qr,
    request::{self, Trust},
};

use super::{Credential, Desk, DeskError};
use crate::{
    case_id::CaseId,
    store::{Enrolled, StoreError},
    writer::desk::{IncomingRequest, OpenCase, OpenedCase, SealedRequest},
};

/// A case that somebody wants opened: from what, and what he says beside it.
#[derive(Debug, Default)]
pub(crate) struct NewCase {
    pub(crate) name: String,
    pub(crate) contact: String,
    pub(crate) language: String,
    pub(crate) note: String,
}

/// What a case is opened from.
#[derive(Debug)]
pub(crate) enum Whence {
    /// A recovery file with one request, or a batch.
    File(Vec<u8>),
    /// Digits, a link, or base64url.
    Pasted(String),
    /// What a photo showed.
    Photo(String),
    /// The id of a request that a phone handed in.
    Request(String),
    /// What somebody read out by telephone.
    Call {
        /// The device's serial number.
        serial: String,
        /// The eight digits that it asks.
        question: String,
    },
}

/// The bytes of a request, with the file it came in.
pub(crate) type Carried = (Vec<u8>, Option<RequestFile>);

impl Desk {
    /// Opens a case; the same requests again are the case that is there.
    pub(crate) async fn open(
        &self,
        credential: Credential,
        whence: Whence,
        new: &NewCase,
    ) -> Result<OpenedCase, DeskError> {
        // Before anything is read: nobody's file is.
        self.known(credential).await?;
        let (requester, note) = new.read()?;
        let (source, incoming) = match whence {
            Whence::Call { serial, question } => (Source::Telephone, vec![self.call(&serial, &question).await?]),
            Whence::File(bytes) => (Source::File, self.sealed(read_file(&bytes)?)?),
            Whence::Pasted(text) => (Source::Digits, self.sealed(read_text(&text)?)?),
            Whence::Photo(text) => (Source::Photo, self.sealed(read_text(&text)?)?),
            Whence::Request(id) => {
                // An id that there is not, one that asks for a mail, and one that is over: all alike.
                let id = CaseId::parse(id.trim()).ok_or(DeskError::Field("request_id"))?;
                let bytes = self.store.desk_request(id).await?.ok_or(DeskError::Field("request_id"))?;
                (Source::Request, self.sealed(vec![(bytes, None)])?)
            }
        };
        let credential = Some(credential);
        Ok(self.writer.open_case(OpenCase { credential, source, incoming, requester, note }).await??)
    }

    /// Opens a case from what came by mail. Its requests were handed in before, within their budgets.
    pub(crate) async fn open_by_mail(
        &self,
        requests: Vec<Carried>,
        requester: Requester,
    ) -> Result<OpenedCase, DeskError> {
        let incoming = self.sealed(requests)?;
        let open = OpenCase { credential: None, source: Source::Mail, incoming, requester, note: None };
        Ok(self.writer.open_case(open).await??)
    }

    /// A call about an enrolled device, if it is one. Of several makers with the same serial number, the last that enrolled one.
    async fn call(&self, serial: &str, question: &str) -> Result<IncomingRequest, DeskError> {
        let serial = Serial::new(serial.trim()).map_err(|_| DeskError::Field("serial"))?;
        let question = Question::parse(question).ok_or(DeskError::Field("question"))?;
        let enrolled = self.store.enrolled(&serial).await?;
        let trust = self.keys.at(self.clock.now());
        let good = enrolled.into_iter().find(|one| !trust.is_withdrawn(one.certificate.maker, &serial));
        Ok(IncomingRequest::Call(good.and_then(|Enrolled { certificate, sealed }| {
            let secret = self.sealer.open_enrolment(certificate.device_id(), &sealed)?;
            let nonce = question.nonce(&secret, certificate.device_id());
            Some(Call { certificate, question, nonce })
        })))
    }

    /// Requests, opened as far as they can be.
    fn sealed(&self, carried: Vec<Carried>) -> Result<Vec<IncomingRequest>, StoreError> {
        let now = self.clock.now();
        let sealed = carried.into_iter().map(|(bytes, file)| {
            let id = CaseId::random().map_err(StoreError::Random)?;
            let request = request::open(&bytes, &self.keys.at(now));
            Ok(IncomingRequest::Sealed(Box::new(SealedRequest { id, bytes, request, file })))
        });
        sealed.collect()
    }
}

fn read_text(text: &str) -> Result<Vec<Carried>, DeskError> {
    let bytes = qr::read(text).map_err(|_| DeskError::Request(RequestRefusal::Malformed))?;
    Ok(vec![(bytes, None)])
}

pub(crate) fn read_file(bytes: &[u8]) -> Result<Vec<Carried>, DeskError> {
    let with_bytes = |file: RequestFile| (file.payload.clone(), Some(file));
    match files::parse(bytes).map_err(DeskError::File)? {
        Document::Request(file) => Ok(vec![with_bytes(file)]),
        Document::Batch(entries) => entries
            .into_iter()
            .map(|entry| match entry {
                Entry::Request(file) => Ok(with_bytes(file)),
                Entry::Grant(_) => Err(DeskError::File(FileError::Root)),
            })
            .collect(),
        Document::Grant(_) | Document::Key(_) => Err(DeskError::File(FileError::Root)),
    }
}

impl NewCase {
    fn read(&self) -> Result<(Requester, Option<Words>), DeskError> {
        let language = self.language.trim();
        let language = if language.is_empty() { None } else { Some(language) };
        let requester = Requester {
            name: Line::optional(&self.name).map_err(|_| DeskError::Field("name"))?,
            contact: Line::optional(&self.contact).map_err(|_| DeskError::Field("contact"))?,
            language: language.map(Language::new).transpose().map_err(|_| DeskError::Field("language"))?,
        };
        Ok((requester, Words::optional(&self.note).map_err(|_| DeskError::Field("note"))?))
    }
}
