//! An open request, as its screen shows it.

use alloc::{string::String, vec::Vec};

use sparekey_protocol::qr;

use crate::{
    Refusal,
    device::{Caller, Device, Now, on_this_link},
    pending::{Part, Pending, RecoveryId},
    proof::Awaited,
    recovery::reset_by,
    ways::Way,
};

/// An open request. It is stored already: it comes out of a committed [`crate::Change`], or was kept over a restart.
#[derive(Clone, Debug)]
pub struct RecoveryView {
    /// For the calls that follow.
    pub id: RecoveryId,
    /// The way that was asked for.
    pub way: Way,
    /// What it waits for: mostly one proof, two where two are asked for.
    pub parts: Vec<PartView>,
    /// Wrong proofs that its next part still bears.
    pub tries_left: u8,
    /// Seconds it is still good for; once proven, its ticket.
    pub expires_in: u64,
    /// Whether all right proofs came already.
    pub proven: bool,
}

impl RecoveryView {
    /// What is to be proven next.
    #[must_use]
    pub fn next_part(&self) -> Option<&PartView> {
        self.parts.iter().find(|part| !part.proven)
    }

    /// What the QR of the next part says (protocol section 5), if it has one.
    #[must_use]
    pub fn qr_text(&self) -> Option<&str> {
        self.next_part().or(self.parts.first())?.shows.qr_text()
    }

    /// The sealed request of the next part (protocol section 4), for a file, if it has one.
    #[must_use]
    pub fn request(&self) -> Option<&[u8]> {
        self.next_part().or(self.parts.first())?.shows.request()
    }

    /// Where the code of the next part goes, masked, if it goes by mail.
    #[must_use]
    pub fn masked_address(&self) -> Option<&str> {
        match &self.next_part().or(self.parts.first())?.shows {
            Shows::Email { masked_address, .. } => Some(masked_address),
        }
    }
}

/// One proof that a request waits for.
#[derive(Clone, Debug)]
pub struct PartView {
    /// The way that it comes by.
    pub way: Way,
    /// What is to be shown for it.
    pub shows: Shows,
    /// Wrong proofs it still bears.
    pub tries_left: u8,
    /// Whether the right one came.
    pub proven: bool,
}

/// What a part of a request shows.
#[derive(Clone, Debug)]
pub enum Shows {
    /// A symbol to scan; the code comes by mail.
    Email {
        /// What the QR says.
        qr_text: String,
        /// The request's bytes.
        request: Vec<u8>,
        /// Where its code goes, masked.
        masked_address: String,
    },
}

impl Shows {
    /// What the QR says.
    #[must_use]
    pub fn qr_text(&self) -> Option<&str> {
        match self {
            Self::Email { qr_text, .. } => Some(qr_text),
        }
    }

    /// The request's bytes.
    #[must_use]
    pub fn request(&self) -> Option<&[u8]> {
        match self {
            Self::Email { request, .. } => Some(request),
        }
    }
}

impl Device {
    /// An open request: what its screen shows, also after a restart.
    ///
    /// # Errors
    /// [`Refusal::NotOnThisLink`], [`Refusal::Expired`].
    pub fn recovery(&self, now: Now, caller: Caller, id: RecoveryId) -> Result<RecoveryView, Refusal> {
        on_this_link(caller)?;
        let mut state = self.next(now);
        let pending = reset_by(&mut state, caller, id).ok_or(Refusal::Expired)?;
        self.view(now, pending)
    }

    pub(crate) fn view(&self, now: Now, pending: &Pending) -> Result<RecoveryView, Refusal> {
        let parts = pending.parts.iter().map(|part| self.part(part)).collect::<Result<Vec<_>, _>>()?;
        let next = parts.iter().find(|part| !part.proven).or(parts.first());
        Ok(RecoveryView {
            id: pending.id,
            way: pending.way(),
            tries_left: next.map_or(0, |part| part.tries_left),
            expires_in: pending.seconds_left(self.running(now)),
            proven: pending.is_proven(),
            parts,
        })
    }

    fn part(&self, part: &Part) -> Result<PartView, Refusal> {
        let shows = match &part.awaited {
            Awaited::Email(emailed) => {
                let contact = self.owner()?.contacts.get(emailed.contact).ok_or(Refusal::Expired)?;
                Shows::Email {
                    qr_text: qr::text(&self.identity().card().url, &emailed.request),
                    request: emailed.request.clone(),
                    masked_address: contact.email.masked(),
                }
            }
        };
        Ok(PartView { way: part.awaited.way(), shows, tries_left: part.tries_left, proven: part.proven })
    }
}
