//! What the interface and the pages do alike: each command of the device with its slow part on the right thread.

mod network;
mod notices;
mod ownership;
mod passwords;
mod sticks;
mod ways;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sparekey_device::ways::Answers;
use sparekey_device::{
    Asked, Checked, CodeDraft, CodeSeeds, Device, HashingCost, LoggedIn, NewOwner, Now, OpenSeeds, Progress,
    RecoveryId, RecoveryView, Refusal, Typed, Username,
};
use sparekey_protocol::{Code, Language, ReservedEmail};
use sparekey_web::page::Page;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::failure::{Failure, Malformed};
use crate::files::Folder;
use crate::guesses::{Guess, Guesses};
use crate::guest::Guest;
use crate::hasher::Hasher;
use crate::live::Live;
use crate::network::Network;
use crate::presence::Hand;
use crate::rand::random;
use crate::removable::Removable;
use crate::settings::Questions;
use crate::strength::Judge;
use crate::telling::Teller;
use crate::visitor::Visitor;

pub(crate) use notices::TriedOut;
pub(crate) use passwords::Proposed;
pub(crate) use ways::Switch;

/// Calls from other networks are put on record no more often than this: each record is a write to the disk.
const NOTE_OFF_LINK: Duration = Duration::from_secs(60);
/// Between the answer to a new password and the restart: the page that tells of it loads its style meanwhile.
const BEFORE_RESTART: Duration = Duration::from_millis(400);

const NO_NAME: Malformed = Malformed {
    field: "username",
    title: "This name cannot be used.",
    detail: "Give a name of 1 to 32 characters without spaces.",
};
const NO_CODE: Malformed =
    Malformed { field: "code", title: "This is not a code.", detail: "Type the eight digits that the mail shows." };
const NO_EMAIL: Malformed = Malformed {
    field: "reserved_emails",
    title: "This is not a mail address.",
    detail: "Give one such as owner@example.org.",
};

/// Whether an address is on a directly connected network.
pub(crate) type IsConnected = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// One start of the agent, as its interface and pages see it.
pub(crate) struct App {
    pub(crate) live: Live<Folder>,
    pub(crate) hasher: Hasher,
    pub(crate) guesses: Guesses,
    pub(crate) judge: Judge,
    pub(crate) cost: HashingCost,
    pub(crate) language: Language,
    /// What every page has in common.
    pub(crate) frame: Page,
    /// How long a code is good for.
    pub(crate) code_seconds: u64,
    /// What the maker thinks of security questions.
    pub(crate) questions: Questions,
    /// Where sticks are.
    pub(crate) removable: Removable,
    pub(crate) fingerprint: String,
    /// The device's word that its TLS certificate is its own.
    pub(crate) tls_proof: Vec<u8>,
    /// Whether callers over loopback are the device's own screen.
    pub(crate) screen: bool,
    pub(crate) connected: IsConnected,
    pub(crate) teller: Teller,
    pub(crate) restart: CancellationToken,
    pub(crate) off_link: Mutex<Option<Instant>>,
    /// Whether somebody showed to stand before the device.
    pub(crate) hand: Hand,
    /// What is served beside the agent.
    pub(crate) guest: Option<Arc<dyn Guest>>,
    /// The device's own network, if it is set here.
    pub(crate) network: Option<Arc<Network>>,
}

impl App {
    /// Looks at the device.
    pub(crate) async fn look<T>(&self, look: impl FnOnce(&mut Device, Now) -> T) -> T {
        self.live.look(look).await
    }

    /// Refuses who is not on this link, and puts that on record.
    pub(crate) async fn on_this_link(&self, visitor: &Visitor) -> Result<(), Failure> {
        if visitor.is_on_link() {
            return Ok(());
        }
        let due = {
            let mut noted = self.off_link.lock().unwrap_or_else(PoisonError::into_inner);
            let due = noted.is_none_or(|noted| noted.elapsed() >= NOTE_OFF_LINK);
            if due {
                *noted = Some(Instant::now());
            }
            due
        };
        if due {
            tracing::info!("a recovery was asked for from another network, and refused");
            let caller = visitor.caller;
            self.live.command(caller, move |device, now| Ok(device.note_off_link(now, caller))).await?;
        }
        Err(Refusal::NotOnThisLink.into())
    }

    /// Activates the device.
    pub(crate) async fn activate(
        &self,
        visitor: &Visitor,
        username: &str,
        password: Zeroizing<String>,
        emails: &[String],
        questions: Option<Answers>,
        transfer_code: Option<&str>,
    ) -> Result<(), Failure> {
        self.on_this_link(visitor).await?;
        if self.look(|device, _| device.is_active()).await {
            return Err(Refusal::AlreadyActive.into());
        }
        let transfer_code = self.transfer_code(transfer_code).await?;
        let username = parse_name(username)?;
        let reserved_emails = reserved_emails(emails)?;
        self.look(|device, _| device.check_activation(&reserved_emails, questions.is_some())).await?;
        let turn = self.hasher.turn(visitor.client)?;
        let password = self.hash_new(turn, username.clone(), password).await?;
        let questions = match questions {
            None => None,
            Some(answers) => {
                let (turn, cost) = (self.hasher.turn(visitor.client)?, self.cost);
                Some(turn.run(move || answers.hash(random(), cost)).await)
            }
        };
        // Last, so that nothing else that is wrong costs a try.
        let transfer = match transfer_code {
            None => None,
            Some(code) => Some(self.check_transfer(visitor, code).await?),
        };
        let owner = NewOwner { username, password, reserved_emails, questions };
        let caller = visitor.caller;
        let activated = self
            .live
            .command(caller, move |device, now| device.activate(now, caller, owner, transfer.as_ref()))
            .await?;
        activated.map_err(ownership::wrong_code)?;
        tracing::info!("activated");
        Ok(())
    }

    /// Begins a session. A right password always does, at most later.
    pub(crate) async fn log_in(
        &self,
        visitor: &Visitor,
        username: &str,
        password: Zeroizing<String>,
    ) -> Result<LoggedIn, Failure> {
        let (guess, checked) = self.check_password(visitor, username, password).await?;
        let (caller, seed) = (visitor.caller, Zeroizing::new(random()));
        let outcome = self.live.command(caller, move |device, now| device.log_in(now, caller, &checked, &seed)).await?;
        match outcome {
            Ok(logged_in) => {
                guess.was_right();
                Ok(logged_in)
            }
            Err(_) => {
                tracing::info!("a login was refused");
                Err(Failure::WrongLogin)
            }
        }
    }

    async fn check_password(
        &self,
        visitor: &Visitor,
        username: &str,
        password: Zeroizing<String>,
    ) -> Result<(Guess<'_>, Checked), Failure> {
        let guess = self.guesses.begin(visitor.client).await?;
        let turn = self.hasher.turn(visitor.client)?;
        let check = self.look(|device, _| device.password_check(username)).await?;
        guess.count();
        Ok((guess, turn.run(move || check.run(&password)).await))
    }

    /// Whether the visitor is logged in.
    pub(crate) async fn session(&self, visitor: &Visitor) -> Result<(), Failure> {
        self.look(|device, now| device.session(now, visitor.token())).await.map_err(Failure::Refused)
    }

    /// Ends the visitor's session.
    pub(crate) async fn log_out(&self, visitor: &Visitor) {
        self.look(|device, _| device.log_out(visitor.token())).await;
    }

    /// Makes a request for a reset.
    pub(crate) async fn open_recovery(&self, visitor: &Visitor, asked: Asked) -> Result<RecoveryView, Failure> {
        self.on_this_link(visitor).await?;
        let caller = visitor.caller;
        // Before half a second goes into hashing a code.
        let count = self.look(|device, now| device.check_open(now, caller, asked)).await.map_err(too_early)?;
        let drafts = self.drafts(visitor, count).await?;
        let language = self.language_for(visitor);
        let opened = self
            .live
            .command(caller, move |device, now| {
                device.open_recovery(now, caller, asked, &language, &drafts, &open_seeds())
            })
            .await
            .map_err(too_early)?;
        tracing::info!(way = asked.way.name(), "a recovery was opened");
        Ok(opened)
    }

    /// Turns a right proof into a ticket, or into one part of what is asked for. The try is counted, on disk, before the proof
    /// is looked at.
    pub(crate) async fn prove(&self, visitor: &Visitor, id: RecoveryId, typed: Typed) -> Result<Progress, Failure> {
        self.on_this_link(visitor).await?;
        let is_grant = matches!(typed, Typed::Grant(_) | Typed::Grants(_));
        let turn = self.hasher.turn(visitor.client)?;
        let caller = visitor.caller;
        let check = self.live.command(caller, move |device, now| device.take_try(now, caller, id, typed)).await?;
        let checked = turn.run(move || check.run()).await;
        let seed = Zeroizing::new(random());
        let outcome = self.live.command(caller, move |device, now| device.redeem(now, caller, &checked, &seed)).await?;
        tracing::info!(right = outcome.is_ok(), "a proof was given");
        outcome.map_err(|refusal| match refusal {
            Refusal::Expired if is_grant => Failure::GrantOver,
            refusal => refusal.into(),
        })
    }

    /// Sets a new password with a ticket; the agent restarts a moment later.
    pub(crate) async fn set_password(
        &self,
        visitor: &Visitor,
        id: RecoveryId,
        ticket: Zeroizing<String>,
        password: Zeroizing<String>,
    ) -> Result<(), Failure> {
        self.on_this_link(visitor).await?;
        let caller = visitor.caller;
        let username = self
            .look(|device, now| {
                device.check_ticket(now, caller, id, &ticket)?;
                device.username().cloned().ok_or(Refusal::NotActive)
            })
            .await?;
        let turn = self.hasher.turn(visitor.client)?;
        let password = self.hash_new(turn, username, password).await?;
        let then = self.restarting("a new password was set after a recovery");
        self.live
            .command_then(caller, move |device, now| device.set_password(now, caller, id, &ticket, password), then)
            .await
    }

    /// What is to follow a command after which the agent starts again, a moment later.
    fn restarting<A>(&self, what: &'static str) -> impl FnOnce(&A) + Send + use<A> {
        let restart = self.restart.clone();
        move |_| {
            tracing::info!("{what}");
            tokio::spawn(async move {
                tokio::time::sleep(BEFORE_RESTART).await;
                restart.cancel();
            });
        }
    }

    /// Makes a request that proves a reserved email, counted from 0.
    pub(crate) async fn open_confirmation(&self, visitor: &Visitor, contact: usize) -> Result<RecoveryView, Failure> {
        self.session(visitor).await?;
        let [draft] = self.drafts(visitor, 1).await?.try_into().expect("as many as were asked for");
        let (token, language) = (own_token(visitor), self.language_for(visitor));
        self.live
            .command(visitor.caller, move |device, now| {
                device.open_confirmation(now, &token, contact, &language, &draft, &open_seeds())
            })
            .await
    }

    /// Confirms a reserved email, counted from 0.
    pub(crate) async fn confirm(&self, visitor: &Visitor, contact: usize, code: &str) -> Result<(), Failure> {
        self.session(visitor).await?;
        let code = parse_code(code)?;
        let turn = self.hasher.turn(visitor.client)?;
        let (caller, token) = (visitor.caller, own_token(visitor));
        let check = {
            let token = token.clone();
            self.live
                .command(caller, move |device, now| device.take_confirmation_try(now, &token, contact, code))
                .await?
        };
        let checked = turn.run(move || check.run()).await;
        self.live.command(caller, move |device, now| device.confirm(now, caller, &token, &checked)).await
    }

    fn language_for(&self, visitor: &Visitor) -> Language {
        visitor.language.clone().unwrap_or_else(|| self.language.clone())
    }

    /// So many codes, each hashed.
    async fn drafts(&self, visitor: &Visitor, count: usize) -> Result<Vec<CodeDraft>, Failure> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let (cost, turn) = (self.cost, self.hasher.turn(visitor.client)?);
        let make = move || {
            let seeds = CodeSeeds {
                code: Zeroizing::new(random()),
                salt: random(),
                nonce: random(),
                seal: Zeroizing::new(random()),
            };
            CodeDraft::make(seeds, cost)
        };
        Ok(turn.run(move || (0..count).map(|_| make()).collect()).await)
    }
}

/// Of a request that is to be opened, too many tries means that it is too early for it.
fn too_early(failure: impl Into<Failure>) -> Failure {
    match failure.into() {
        Failure::Refused(Refusal::TooManyTries { retry_after }) => Failure::TooEarly { retry_after },
        failure => failure,
    }
}

fn open_seeds() -> OpenSeeds {
    OpenSeeds { id: random(), question: random() }
}

/// The administrator's name.
pub(crate) fn parse_name(typed: &str) -> Result<Username, Malformed> {
    Username::new(typed).ok_or(NO_NAME)
}

/// What the code-typing calls want: eight digits. Anything else costs no try.
pub(crate) fn parse_code(typed: &str) -> Result<Code, Failure> {
    Code::parse(typed).ok_or_else(|| NO_CODE.into())
}

fn own_token(visitor: &Visitor) -> Zeroizing<String> {
    Zeroizing::new(visitor.token().to_owned())
}

/// The addresses as they are kept. Whether mail arrives there is found out by confirming, not by looking at them.
fn reserved_emails(typed: &[String]) -> Result<Vec<ReservedEmail>, Failure> {
    Ok(typed.iter().map(|text| parse_email(text)).collect::<Result<_, _>>()?)
}

/// One of them.
pub(crate) fn parse_email(text: &str) -> Result<ReservedEmail, Malformed> {
    let (local, domain) = text.rsplit_once('@').ok_or(NO_EMAIL)?;
    let unfit = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c);
    if local.is_empty() || local.contains('@') || domain.is_empty() || text.contains(unfit) {
        return Err(NO_EMAIL);
    }
    ReservedEmail::new(text).map_err(|_| NO_EMAIL)
}
