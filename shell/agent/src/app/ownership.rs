//! The ends of an ownership. The agent starts again after each, and erases the recordings then if it was asked to.

use sparekey_device::ways::SheetCode;
use sparekey_device::{Caller, CheckedTransfer, Presence, Recordings, Refusal, TransferDraft, Transferred};
use zeroize::Zeroizing;

use super::App;
use crate::failure::Failure;
use crate::rand::random;
use crate::typed;
use crate::visitor::Visitor;

impl App {
    /// Hands the device over to a new owner: a code for them, which comes out once, and the device's own word.
    pub(crate) async fn transfer(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        recordings: Recordings,
    ) -> Result<Transferred, Failure> {
        self.session(visitor).await?;
        let (turn, cost) = (self.hasher.turn(visitor.client)?, self.cost);
        let seed = Zeroizing::new(random());
        let draft = turn.run(move || TransferDraft::make(&seed, random(), cost)).await;
        drop(turn);
        let then = self.restarting("the device was handed over to a new owner");
        self.as_owner_then(
            visitor,
            password,
            move |device, now, owner| {
                device.transfer(now, owner.caller, &owner.token, &owner.checked, recordings, draft)
            },
            then,
        )
        .await
    }

    /// Ends the ownership, for who stands before the device.
    pub(crate) async fn factory_reset(&self, visitor: &Visitor, recordings: Recordings) -> Result<(), Failure> {
        let hand = self.hand_at_screen(visitor)?;
        let then = self.restarting("FACTORY RESET: the ownership has ended");
        self.live
            .command_then(Caller::Screen, move |device, now| Ok(device.factory_reset(now, hand, recordings)), then)
            .await
    }

    /// Opens again what wrong codes and answers closed, for who stands before the device.
    pub(crate) async fn lift_stops(&self, visitor: &Visitor) -> Result<(), Failure> {
        let hand = self.hand_at_screen(visitor)?;
        self.live.command(Caller::Screen, move |device, now| Ok(device.lift_stops(now, hand))).await?;
        tracing::warn!("the ways that wrong codes and answers had closed were opened at the device");
        Ok(())
    }

    /// A hand on the button acts at the screen, and nowhere else.
    fn hand_at_screen(&self, visitor: &Visitor) -> Result<Presence, Failure> {
        if !self.may_show_hand(visitor) {
            return Err(Failure::NotAtScreen);
        }
        self.hand.take().ok_or(Failure::NobodyThere)
    }

    /// Whether what the hand on the button does can be chosen from here: at the screen. A device without one has the hand act for its link,
    /// or nobody could ever open there what a stranger's wrong codes closed.
    pub(crate) fn may_show_hand(&self, visitor: &Visitor) -> bool {
        visitor.caller == Caller::Screen || (!self.screen && visitor.is_on_link())
    }

    /// What was typed for the transfer code; nothing where the device waits for none.
    pub(super) async fn transfer_code(&self, typed: Option<&str>) -> Result<Option<SheetCode>, Failure> {
        if !self.look(|device, _| device.awaits_transfer()).await {
            return Ok(None);
        }
        Ok(Some(typed::transfer_code(typed.unwrap_or_default())?))
    }

    /// Takes a try at the transfer code, counted on disk before it is looked at.
    pub(super) async fn check_transfer(&self, visitor: &Visitor, code: SheetCode) -> Result<CheckedTransfer, Failure> {
        let turn = self.hasher.turn(visitor.client)?;
        let caller = visitor.caller;
        let check = self.live.command(caller, move |device, now| device.take_transfer_try(now, caller, code)).await?;
        Ok(turn.run(move || check.run()).await)
    }
}

/// At an activation the only proof is the transfer code.
pub(super) fn wrong_code(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::WrongProof { tries_left } => {
            tracing::info!("an activation without the right transfer code was refused");
            Failure::WrongTransferCode { tries_left }
        }
        refusal => refusal.into(),
    }
}
