//! What a request is made of.

use alloc::vec::Vec;

use sparekey_protocol::{Language, request::Ask};

use crate::{
    Refusal,
    device::{Device, Now, Side},
    pending::{Part, Pending, Purpose, RecoveryId},
    proof::{Against, Awaited, EmailedCode, Kind},
    recovery::{CodeDraft, OpenSeeds, seal::Sealing},
    state::State,
    ways::{Way, desk, key_file, security_code, sheet},
};

/// A part that a request is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A code to this reserved email.
    Email(usize),
    Desk,
    KeyFile,
    Sheet,
    Questions,
    SecurityCode,
}

impl Wanted {
    pub(crate) fn way(self) -> Way {
        match self {
            Self::Email(_) => Way::Email,
            Self::Desk => Way::Desk,
            Self::KeyFile => Way::KeyFile,
            Self::Sheet => Way::Sheet,
            Self::Questions => Way::Questions,
            Self::SecurityCode => Way::SecurityCode,
        }
    }

    /// Whether the device chooses a code for it.
    pub(crate) fn takes_draft(self) -> bool {
        matches!(self, Self::Email(_) | Self::Desk)
    }
}

impl Device {
    /// A request in the making. Each code takes one draft.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request that is made here")]
    pub(crate) fn pending(
        &self,
        now: Now,
        side: Side,
        purpose: Purpose,
        wanted: &[Wanted],
        language: &Language,
        drafts: &[CodeDraft],
        seeds: &OpenSeeds,
    ) -> Result<Pending, Refusal> {
        let mut drafts = drafts.iter();
        let mut make = |wanted: &Wanted| {
            let draft = if wanted.takes_draft() { Some(drafts.next().ok_or(Refusal::Expired)?) } else { None };
            self.awaited(now, purpose, *wanted, language, draft, seeds).map(Part::new)
        };
        let parts = wanted.iter().map(&mut make).collect::<Result<Vec<_>, _>>()?;
        let seconds = if wanted.contains(&Wanted::Desk) { desk::SECONDS } else { self.policy().code_seconds() };
        let opened = self.running(now);
        Ok(Pending { id: RecoveryId(seeds.id), side, purpose, parts, opened, seconds, accepted: None })
    }

    fn awaited(
        &self,
        now: Now,
        purpose: Purpose,
        wanted: Wanted,
        language: &Language,
        draft: Option<&CodeDraft>,
        seeds: &OpenSeeds,
    ) -> Result<Awaited, Refusal> {
        let seal = |ask| {
            let draft = draft.ok_or(Refusal::Expired)?;
            let request = self.seal(now, Sealing { ask, draft, language })?;
            Ok::<_, Refusal>((draft, request))
        };
        Ok(match wanted {
            Wanted::Email(contact) => {
                let email = self.owner()?.contacts.get(contact).ok_or(Refusal::Malformed)?.email.clone();
                let (draft, request) = seal(match purpose {
                    Purpose::Reset => Ask::ResetByEmail(email),
                    Purpose::Confirmation | Purpose::Test => Ask::ConfirmEmail(email),
                })?;
                Awaited::Email(EmailedCode { contact, code: draft.hash.clone(), request })
            }
            Wanted::Desk => {
                let (draft, request) = seal(Ask::ResetByDesk)?;
                Awaited::Desk(desk::Request { nonce: draft.nonce, code: draft.hash.clone(), request })
            }
            Wanted::KeyFile => Awaited::KeyFile,
            Wanted::Sheet => Awaited::Sheet,
            Wanted::Questions => Awaited::Questions,
            Wanted::SecurityCode => Awaited::SecurityCode(security_code::Asked::new(seeds.question)),
        })
    }

    /// What a proof of this kind is held against. `None` if what it would be held against is gone.
    pub(crate) fn against(
        &self,
        now: Now,
        state: &State,
        purpose: Purpose,
        awaited: &Awaited,
        kind: Kind,
    ) -> Option<Against> {
        let owner = state.owner.as_ref()?;
        Some(match awaited {
            Awaited::Email(emailed) => Against::Code(emailed.code.clone()),
            Awaited::Desk(_) if kind == Kind::Grant => Against::Grant(desk::Against::of(self, now, state, purpose)),
            Awaited::Desk(request) => Against::Code(request.code.clone()),
            Awaited::KeyFile => Against::KeyFile(key_file::Against::of(owner, self.identity().device_id())?),
            Awaited::Sheet => Against::Sheet(sheet::Against::of(owner)?),
            Awaited::Questions => Against::Answers(owner.set_up.questions.clone()?),
            Awaited::SecurityCode(asked) => Against::SecurityCode(asked.answer(self.identity().enrolment.as_ref()?)),
        })
    }
}
