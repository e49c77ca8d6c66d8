//! The pinned card: which service may help the owner. It is replaced by a higher edition of the same maker, and by nothing else.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};
use sparekey_protocol::{Card, PublicKey, Verified};

use crate::{
    Change, Refusal,
    device::{Caller, Device, Now},
    event::EventKind,
    login::Checked,
    ways::Way,
};

/// A card that took the place of the one that the device was provisioned with.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct NewerCard {
    #[cbor(n(0), with = "minicbor::bytes")]
    signed: Vec<u8>,
    /// Checked again at each start: what is read from a disk is not believed.
    #[cbor(skip)]
    card: Option<Verified<Card>>,
}

impl NewerCard {
    /// `None` unless the maker signed it and it replaces this one.
    fn read(signed: &[u8], maker: &PublicKey, current: &Card) -> Option<Self> {
        let card = Card::verify(signed, maker).ok().filter(|newer| current.is_replaced_by(newer))?;
        Some(Self { signed: signed.to_vec(), card: Some(card) })
    }

    /// The card, checked again, after it was read from a vault.
    pub(crate) fn again(self, maker: &PublicKey, first: &Card) -> Option<Self> {
        Self::read(&self.signed, maker, first)
    }
}

impl Device {
    /// The card in force: the service that may help the owner.
    #[must_use]
    pub fn card(&self) -> &Card {
        let newer = self.state().card.as_ref().and_then(|newer| newer.card.as_deref());
        newer.unwrap_or(self.identity().first_card())
    }

    /// Replaces the card. What was sealed to the one before is void with every open request.
    ///
    /// # Errors
    /// [`Refusal::NotLoggedIn`] without a session or with a wrong password; [`Refusal::NotForThisDevice`] if another maker signed it, or
    /// its edition is not higher.
    pub fn replace_card(
        &mut self,
        now: Now,
        caller: Caller,
        token: &str,
        checked: &Checked,
        signed: &[u8],
    ) -> Result<Change<'_, ()>, Refusal> {
        let (mut next, mut owner) = self.changed_by_owner(now, token, checked)?;
        let newer = NewerCard::read(signed, &self.identity().maker, self.card()).ok_or(Refusal::NotForThisDevice)?;
        next.card = Some(newer);
        // Nobody has tried the other service out.
        for way in Way::ALL.into_iter().filter(|way| way.needs_service()) {
            owner.set_up.forget_test(way);
        }
        next.owner = Some(owner);
        next.record.add(now.clock, EventKind::CardReplaced, caller);
        Ok(Change::new(self, next, ()))
    }
}
