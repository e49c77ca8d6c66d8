use sparekey_cases::desk::{Line, Requester, Source, Words};
use sparekey_protocol::{
    Language, Refusal as RequestRefusal,
    files::{self, Document, Entry, FileError, RequestFile},
    qr, request,
};

use super::{Credential, Desk, DeskError};
use crate::{
    case_id::CaseId,
    store::StoreError,
    writer::desk::{IncomingRequest, OpenCase, OpenedCase},
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
}

/// The bytes of a request, with the file it came in.
type Carried = (Vec<u8>, Option<RequestFile>);

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
        let (source, requests) = self.incoming(whence).await?;
        let now = self.clock.now();
        let incoming = requests
            .into_iter()
            .map(|(bytes, file)| {
                Ok(IncomingRequest {
                    id: CaseId::random().map_err(StoreError::Random)?,
                    request: request::open(&bytes, &self.keys.at(now)),
                    bytes,
                    file,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(self.writer.open_case(OpenCase { credential, source, incoming, requester, note }).await??)
    }

    /// The bytes of the requests, each with the file it came in.
    async fn incoming(&self, whence: Whence) -> Result<(Source, Vec<Carried>), DeskError> {
        let pasted = |text: &str| {
            qr::read(text).map_err(|_| DeskError::Request(RequestRefusal::Malformed)).map(|bytes| vec![(bytes, None)])
        };
        Ok(match whence {
            Whence::File(bytes) => (Source::File, read_file(&bytes)?),
            Whence::Pasted(text) => (Source::Digits, pasted(&text)?),
            Whence::Photo(text) => (Source::Photo, pasted(&text)?),
            Whence::Request(id) => {
                // An id that there is not, one that asks for a mail, and one that is over: all alike.
                let id = CaseId::parse(id.trim()).ok_or(DeskError::Field("request_id"))?;
                let bytes = self.store.desk_request(id).await?.ok_or(DeskError::Field("request_id"))?;
                (Source::Request, vec![(bytes, None)])
            }
        })
    }
}

fn read_file(bytes: &[u8]) -> Result<Vec<Carried>, DeskError> {
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
