//! What an owner does about the ways back in: logged in, and with the password asked for again.

use sparekey_device::ways::{Answers, ContactRule, SheetCode, SheetDraft, SheetSeeds, Way};
use sparekey_device::{Asked, Caller, Change, Checked, Device, Now, RecoveryView, Refusal};
use sparekey_protocol::files::{self, Document};
use zeroize::Zeroizing;

use super::passwords::judged;
use super::{App, open_seeds, own_token, too_early};
use crate::failure::Failure;
use crate::rand::random;
use crate::visitor::Visitor;

/// Codes on a new recovery sheet.
const SHEET_CODES: usize = 8;

/// What the owner may switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    /// A way back in.
    Way(Way, bool),
    /// The recovery service as a whole.
    Service(bool),
    /// Whose codes a recovery by reserved email takes.
    Rule(ContactRule),
}

/// Who gives a command that takes the password again.
pub(super) struct Owner {
    pub(super) caller: Caller,
    pub(super) token: Zeroizing<String>,
    pub(super) checked: Checked,
}

impl App {
    /// Makes a new key file: its XML.
    pub(crate) async fn export_key_file(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
    ) -> Result<Zeroizing<String>, Failure> {
        let seed = Zeroizing::new(random());
        let file = self
            .as_owner(visitor, password, move |device, now, owner| {
                device.export_key_file(now, owner.caller, &owner.token, &owner.checked, *seed)
            })
            .await?;
        tracing::info!("a key file was made");
        Ok(files::write(&Document::Key(file)).expect("a device's own key file is within a file's bounds"))
    }

    /// Makes a new recovery sheet: its codes, which come out once.
    pub(crate) async fn make_sheet(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
    ) -> Result<Vec<SheetCode>, Failure> {
        self.session(visitor).await?;
        let (turn, cost) = (self.hasher.turn(visitor.client)?, self.cost);
        let seeds = SheetSeeds { salt: random(), codes: (0..SHEET_CODES).map(|_| Zeroizing::new(random())).collect() };
        let draft = turn.run(move || SheetDraft::make(&seeds, cost)).await.expect("a sheet has one to eight codes");
        drop(turn);
        self.as_owner(visitor, password, move |device, now, owner| {
            device.make_sheet(now, owner.caller, &owner.token, &owner.checked, draft)
        })
        .await
    }

    /// Voids one code of the recovery sheet, counted from 0.
    pub(crate) async fn void_sheet_code(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        code: usize,
    ) -> Result<(), Failure> {
        self.as_owner(visitor, password, move |device, now, owner| {
            device.void_sheet_code(now, owner.caller, &owner.token, &owner.checked, code)
        })
        .await
    }

    /// Sets the security questions, or takes them away.
    pub(crate) async fn set_questions(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        answers: Option<Answers>,
    ) -> Result<(), Failure> {
        self.session(visitor).await?;
        let answers = match answers {
            None => None,
            Some(answers) => {
                let (turn, cost) = (self.hasher.turn(visitor.client)?, self.cost);
                Some(turn.run(move || answers.hash(random(), cost)).await)
            }
        };
        self.as_owner(visitor, password, move |device, now, owner| {
            device.set_questions(now, owner.caller, &owner.token, &owner.checked, answers)
        })
        .await
    }

    /// Throws one switch.
    pub(crate) async fn switch(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        switch: Switch,
    ) -> Result<(), Failure> {
        self.as_owner(visitor, password, move |device, now, owner| {
            let Owner { caller, token, checked } = &owner;
            match switch {
                Switch::Way(way, on) => device.switch_way(now, *caller, token, checked, way, on),
                Switch::Service(on) => device.switch_service(now, *caller, token, checked, on),
                Switch::Rule(rule) => device.set_contact_rule(now, *caller, token, checked, rule),
            }
        })
        .await
    }

    /// Pins a newer card of the same maker.
    pub(crate) async fn replace_card(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        card: Vec<u8>,
    ) -> Result<(), Failure> {
        self.as_owner(visitor, password, move |device, now, owner| {
            device.replace_card(now, owner.caller, &owner.token, &owner.checked, &card)
        })
        .await
    }

    /// Begins a dry test, which changes nothing.
    pub(crate) async fn open_test(&self, visitor: &Visitor, asked: Asked) -> Result<RecoveryView, Failure> {
        self.session(visitor).await?;
        self.on_this_link(visitor).await?;
        let caller = visitor.caller;
        let count = self.look(|device, now| device.check_test(now, caller, visitor.token(), asked)).await;
        let drafts = self.drafts(visitor, count.map_err(too_early)?).await?;
        let (token, language) = (own_token(visitor), self.language_for(visitor));
        self.live
            .command(caller, move |device, now| {
                device.open_test(now, caller, &token, asked, &language, &drafts, &open_seeds())
            })
            .await
            .map_err(too_early)
    }

    /// Gives a command for who is logged in and knows the password.
    pub(super) async fn as_owner<A: Send + 'static>(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        command: impl FnOnce(&mut Device, Now, Owner) -> Result<Change<'_, A>, Refusal> + Send + 'static,
    ) -> Result<A, Failure> {
        self.as_owner_then(visitor, password, command, |_| ()).await
    }

    /// The same, and what has to follow once the state is on the disk.
    pub(super) async fn as_owner_then<A: Send + 'static>(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        command: impl FnOnce(&mut Device, Now, Owner) -> Result<Change<'_, A>, Refusal> + Send + 'static,
        then: impl FnOnce(&A) + Send + 'static,
    ) -> Result<A, Failure> {
        let username = self.own_username(visitor).await?;
        let (guess, checked) = self.check_password(visitor, username.as_str(), password).await?;
        let owner = Owner { caller: visitor.caller, token: own_token(visitor), checked };
        let outcome =
            self.live.command_then(visitor.caller, move |device, now| command(device, now, owner), then).await;
        judged(guess, outcome)
    }
}
