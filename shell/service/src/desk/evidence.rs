//! What is attached to a case: pictures drawn anew, and PDFs written anew, that no page ever shows.

use axum::body::Bytes;
use sha2::{Digest, Sha256};
use sparekey_cases::desk::{Evidence, EvidenceKind, Line, Refusal, Role};
use zeroize::Zeroizing;

use super::{CaseView, Credential, Desk, DeskError};
use crate::{photo::PhotoReader, store::StoreError, writer::desk::Act};

/// Something that was attached, as it is handed out.
pub(crate) struct Attached {
    pub(crate) evidence: Evidence,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

impl Desk {
    /// Attaches a picture or a PDF, told apart by their content.
    pub(crate) async fn attach(
        &self,
        credential: Credential,
        number: &str,
        name: &str,
        bytes: Bytes,
        photos: &PhotoReader,
    ) -> Result<CaseView, DeskError> {
        // Before anything is decoded.
        let known = self.known(credential).await?;
        self.row(&known.actor, number).await?;
        if known.actor.role < Role::Agent {
            return Err(DeskError::Refused(Refusal::NotAllowed));
        }
        let (kind, bytes) = if bytes.starts_with(b"%PDF-") {
            (EvidenceKind::Pdf, photos.clean_pdf(bytes).await.map_err(DeskError::Photo)?)
        } else {
            (EvidenceKind::Picture, photos.redraw(bytes).await.map_err(DeskError::Photo)?)
        };
        let usual = if kind == EvidenceKind::Pdf { "PDF" } else { "Picture" };
        let name = Line::optional(name).map_err(|_| DeskError::Field("name"))?;
        let sha256 = Sha256::digest(&bytes).into();
        let evidence = Evidence {
            name: name.unwrap_or_else(|| Line::new(usual).expect("a word is a line")),
            kind,
            size: u32::try_from(bytes.len()).expect("both kinds are bounded"),
            sha256,
        };
        let sealed = self.sealer.seal_evidence(&sha256, &bytes).map_err(StoreError::Random)?;
        self.act(credential, number, Act::Attach(evidence, sealed)).await
    }

    /// Something that is attached to a case of the operator's.
    pub(crate) async fn attached(
        &self,
        credential: Credential,
        number: &str,
        place: u32,
    ) -> Result<Attached, DeskError> {
        let not_found = || DeskError::Refused(Refusal::NotFound);
        let known = self.known(credential).await?;
        let row = self.row(&known.actor, number).await?;
        let evidence = row.case.evidence.get(place as usize).ok_or_else(not_found)?.clone();
        // After thirty days only the case knows that there was something.
        let sealed = self.store.evidence(row.id, place).await?.ok_or_else(not_found)?;
        let bytes = self.sealer.open_evidence(&evidence.sha256, &sealed).ok_or_else(not_found)?;
        Ok(Attached { evidence, bytes })
    }
}
