//! New passwords: judged, hashed, and set by who knows the old one.

use std::cell::RefCell;

use sparekey_device::{AcceptablePassword, HashedPassword, Refusal, Username, Weak};
use zeroize::Zeroizing;

use super::{App, own_token, parse_name, reserved_emails};
use crate::failure::Failure;
use crate::guesses::Guess;
use crate::hasher::Turn;
use crate::rand::random;
use crate::visitor::Visitor;

/// zxcvbn's highest score: to get past it to the device's other rules.
const STRONGEST: u8 = 4;

impl App {
    /// Sets a new password for who knows the old one.
    pub(crate) async fn change_password(
        &self,
        visitor: &Visitor,
        old: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> Result<(), Failure> {
        let username = self.own_username(visitor).await?;
        // First, so that a weak new password is no guess at the old one.
        let turn = self.hasher.turn(visitor.client)?;
        let password = self.hash_new(turn, username.clone(), new).await?;
        let (guess, checked) = self.check_password(visitor, username.as_str(), old).await?;
        let (caller, token) = (visitor.caller, own_token(visitor));
        let changed = self
            .live
            .command(caller, move |device, now| device.change_password(now, caller, &token, &checked, password))
            .await;
        judged(guess, changed)
    }

    /// Replaces the reserved emails.
    pub(crate) async fn set_contacts(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
        emails: &[String],
    ) -> Result<(), Failure> {
        let emails = reserved_emails(emails)?;
        let username = self.own_username(visitor).await?;
        let (guess, checked) = self.check_password(visitor, username.as_str(), password).await?;
        let (caller, token) = (visitor.caller, own_token(visitor));
        let changed = self
            .live
            .command(caller, move |device, now| device.set_contacts(now, caller, &token, &checked, emails))
            .await;
        judged(guess, changed)
    }

    /// The name of who is logged in.
    pub(super) async fn own_username(&self, visitor: &Visitor) -> Result<Username, Failure> {
        self.session(visitor).await?;
        let username = self.look(|device, _| device.username().cloned()).await;
        username.ok_or(Failure::Refused(Refusal::NotActive))
    }

    /// Judges and hashes a new password, on the visitor's lane.
    pub(super) async fn hash_new(
        &self,
        turn: Turn<'_>,
        username: Username,
        password: Zeroizing<String>,
    ) -> Result<HashedPassword, Failure> {
        let (acceptable, cost) = (self.judge_new(&turn, &username, &password).await?, self.cost);
        Ok(turn.run(move || acceptable.hash(random(), cost)).await)
    }

    async fn judge_new(
        &self,
        turn: &Turn<'_>,
        username: &Username,
        password: &str,
    ) -> Result<AcceptablePassword, Refusal> {
        let (asked, judge) = (self.what_to_judge(username, password).await?, self.judge.clone());
        let score = turn.run(move || judge.score(&asked.password, &asked.words)).await;
        self.look(|device, _| device.judge_password(username, password, |_, _| score)).await
    }

    /// All that would be refused of what somebody proposes for an activation; nothing is hashed, and no try is spent.
    pub(crate) async fn mistakes(&self, visitor: &Visitor, proposed: Proposed<'_>) -> Result<Vec<Failure>, Failure> {
        self.on_this_link(visitor).await?;
        if self.look(|device, _| device.is_active()).await {
            return Err(Refusal::AlreadyActive.into());
        }
        let mut mistakes = Vec::new();
        let anybody = || Username::new("admin").expect("a name of five letters");
        let username = parse_name(proposed.username).unwrap_or_else(|mistake| {
            mistakes.push(mistake.into());
            anybody()
        });
        let turn = self.hasher.turn(visitor.client)?;
        let judged = self.judge_new(&turn, &username, proposed.password).await;
        mistakes.extend(judged.err().map(Failure::from));
        mistakes.extend(self.transfer_code(Some(proposed.transfer_code)).await.err());
        Ok(mistakes)
    }

    /// What the judge is to be asked of a password. One that is too short, too long or blocked is refused at once.
    async fn what_to_judge(&self, username: &Username, password: &str) -> Result<Asked, Refusal> {
        let asked = self.look(|device, _| {
            let asked = RefCell::new(None);
            let note = |password: &str, words: &[&str]| {
                let words = words.iter().map(|word| (*word).to_owned()).collect();
                asked.replace(Some(Asked { password: Zeroizing::new(password.to_owned()), words }));
                STRONGEST
            };
            device.judge_password(username, password, note).map(drop)?;
            Ok::<_, Refusal>(asked.into_inner())
        });
        Ok(asked.await?.expect("a device accepts no password without an estimate"))
    }

    /// How strong a password is, 0 to 4, and why it is refused if it is.
    pub(crate) async fn strength(
        &self,
        visitor: &Visitor,
        password: Zeroizing<String>,
    ) -> Result<(u8, Option<Weak>), Failure> {
        let anybody = Username::new("admin").expect("a name of five letters");
        let username = self.look(|device, _| device.username().cloned()).await.unwrap_or(anybody);
        let asked = match self.what_to_judge(&username, &password).await {
            Ok(asked) => asked,
            Err(Refusal::WeakPassword(weak)) => return Ok((0, Some(weak))),
            Err(refusal) => return Err(refusal.into()),
        };
        let (turn, judge) = (self.hasher.turn(visitor.client)?, self.judge.clone());
        let score = turn.run(move || judge.score(&asked.password, &asked.words)).await;
        let judged = self.look(|device, _| device.judge_password(&username, &password, |_, _| score).map(drop)).await;
        Ok((score, if let Err(Refusal::WeakPassword(weak)) = judged { Some(weak) } else { None }))
    }
}

/// What somebody wants to activate a device with, as far as it is the device's to judge.
pub(crate) struct Proposed<'a> {
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
    pub(crate) transfer_code: &'a str,
}

/// The session held a moment ago, so a refusal for want of a login means that the password was wrong.
pub(super) fn judged<A>(guess: Guess<'_>, outcome: Result<A, Failure>) -> Result<A, Failure> {
    match outcome {
        Err(Failure::Refused(Refusal::NotLoggedIn)) => Err(Failure::WrongPassword),
        outcome => {
            guess.was_right();
            outcome
        }
    }
}

/// A password as the device reads it, and the words that an attacker tries first here.
struct Asked {
    password: Zeroizing<String>,
    words: Vec<String>,
}
