//! An open request, as its screen shows it.

use alloc::{string::String, vec::Vec};

use sparekey_protocol::{ocra::Question, qr};

use crate::{
    Refusal,
    device::{Caller, Device, Now, on_this_link},
    guard::Class,
    pending::{Part, Pending, Purpose, RecoveryId},
    proof::Awaited,
    recovery::of_caller,
    ways::{QuestionId, Way},
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
    /// Seconds until its next part takes another try, where a wait stands before that.
    pub wait: u64,
    /// Seconds it is still good for; once proven, its ticket.
    pub expires_in: u64,
    /// Whether all right proofs came already.
    pub proven: bool,
    /// Whether it is a dry test, which brings no ticket.
    pub test: bool,
}

impl RecoveryView {
    /// What is to be proven next.
    #[must_use]
    pub fn next_part(&self) -> Option<&PartView> {
        self.parts.iter().find(|part| !part.proven)
    }

    fn shown(&self) -> Option<&Shows> {
        Some(&self.next_part().or(self.parts.first())?.shows)
    }

    /// What the QR of the next part says (protocol section 5), if it has one.
    #[must_use]
    pub fn qr_text(&self) -> Option<&str> {
        self.shown()?.qr_text()
    }

    /// The sealed request of the next part (protocol section 4), for a file, if it has one.
    #[must_use]
    pub fn request(&self) -> Option<&[u8]> {
        self.shown()?.request()
    }

    /// Where the code of the next part goes, masked, if it goes by mail.
    #[must_use]
    pub fn masked_address(&self) -> Option<&str> {
        match self.shown()? {
            Shows::Email { masked_address, .. } => Some(masked_address),
            _ => None,
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
    /// Wrong proofs it still bears: of this request, or until the next wait. A grant counts apart from the desk's digits.
    pub tries_left: u8,
    /// Seconds until it takes another try, where tries are counted over all requests.
    pub wait: u64,
    /// Whether the right one came.
    pub proven: bool,
}

/// What a part of a request shows, and so what it waits for.
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
    /// A file or a symbol for the desk, which answers with a grant or with digits.
    Desk {
        /// What the QR says.
        qr_text: String,
        /// The request's bytes.
        request: Vec<u8>,
    },
    /// A field for the key file.
    KeyFile,
    /// A field for a code of the recovery sheet.
    Sheet,
    /// These three questions.
    Questions([QuestionId; 3]),
    /// Eight digits to read out by telephone.
    SecurityCode(Question),
}

impl Shows {
    /// What the QR says.
    #[must_use]
    pub fn qr_text(&self) -> Option<&str> {
        match self {
            Self::Email { qr_text, .. } | Self::Desk { qr_text, .. } => Some(qr_text),
            _ => None,
        }
    }

    /// The request's bytes.
    #[must_use]
    pub fn request(&self) -> Option<&[u8]> {
        match self {
            Self::Email { request, .. } | Self::Desk { request, .. } => Some(request),
            _ => None,
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
        let pending = of_caller(&mut state, caller, id).ok_or(Refusal::Expired)?;
        self.view(now, pending)
    }

    pub(crate) fn view(&self, now: Now, pending: &Pending) -> Result<RecoveryView, Refusal> {
        let part = |part| self.part(now, pending, part);
        let parts = pending.parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        let next = parts.iter().find(|part| !part.proven).or(parts.first());
        Ok(RecoveryView {
            id: pending.id,
            way: pending.way(),
            tries_left: next.map_or(0, |part| part.tries_left),
            wait: next.map_or(0, |part| part.wait),
            expires_in: pending.seconds_left(self.running(now)),
            proven: pending.is_proven(),
            test: pending.purpose == Purpose::Test,
            parts,
        })
    }

    fn part(&self, now: Now, pending: &Pending, part: &Part) -> Result<PartView, Refusal> {
        let qr_text = |request| qr::text(&self.card().url, request);
        let shows = match &part.awaited {
            Awaited::Email(emailed) => {
                let contact = self.owner()?.contacts.get(emailed.contact).ok_or(Refusal::Expired)?;
                Shows::Email {
                    qr_text: qr_text(&emailed.request),
                    request: emailed.request.clone(),
                    masked_address: contact.email.masked(),
                }
            }
            Awaited::Desk(asked) => Shows::Desk { qr_text: qr_text(&asked.request), request: asked.request.clone() },
            Awaited::KeyFile => Shows::KeyFile,
            Awaited::Sheet => Shows::Sheet,
            Awaited::Questions => Shows::Questions(self.questions().ok_or(Refusal::Expired)?),
            Awaited::SecurityCode(asked) => Shows::SecurityCode(asked.question()),
        };
        let way = part.awaited.way();
        let class = if way == Way::Desk { Class::Codes } else { Class::of(way) };
        let in_row = self.state().guards.tries_left(class, pending.side, self.running(now));
        let wait = in_row.map_or(0, |_| self.state().guards.wait_left(class, pending.side, self.running(now)));
        Ok(PartView { way, shows, tries_left: in_row.unwrap_or(part.tries_left), wait, proven: part.proven })
    }
}
