//! A device on a bench: its maker and its service beside it, a clock and a vault in the hand.

use std::{convert::Infallible, net::IpAddr, net::Ipv4Addr};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use sparekey_device::{
    Asked, Caller, Change, Checked, CheckedProof, CheckedTransfer, CodeDraft, CodeSeeds, Device, HashedPassword,
    HashingCost, LoggedIn, NewOwner, Now, OpenSeeds, Policy, Progress, RecoveryId, RecoveryView, Refusal, Ticket,
    Token, Typed, Username,
    ways::{Answers, Readiness, SheetCode, SheetDraft, SheetSeeds, Way},
};
use sparekey_protocol::{
    Code, Language, ReservedEmail, Time,
    files::KeyFile,
    request::{self, Request},
};

use crate::provisioned::known;
pub(crate) use crate::provisioned::{card, enrolment, grant_key, identity, log_key, maker, service};

/// The least that Argon2 takes: these tests are about counting.
pub(crate) const CHEAP: HashingCost = HashingCost { memory: 8, passes: 1, lanes: 1 };
pub(crate) const SCREEN: Caller = Caller::Screen;
pub(crate) const LINK: Caller = Caller::Link(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 7)));
pub(crate) const ELSEWHERE: Caller = Caller::Elsewhere(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)));
pub(crate) const NAME: &str = "admin";
pub(crate) const PASSWORD: &str = "first tall ladder";
pub(crate) const OTHER_PASSWORD: &str = "second tall ladder";
pub(crate) const EMAILS: [&str; 2] = ["owner@example.org", "spare@example.net"];
/// Life of a code by default, in seconds.
pub(crate) const CODE_SECONDS: u64 = 1_800;

pub(crate) struct Bench {
    pub(crate) device: Device,
    pub(crate) vault: Vec<u8>,
    /// Seconds since this start.
    pub(crate) up: u64,
    /// What the device's clock says; it stands still unless a test moves it.
    pub(crate) clock: u64,
    pub(crate) policy: Policy,
    enrolled: bool,
    random: ChaCha8Rng,
}

impl Bench {
    /// A device on its first day.
    pub(crate) fn new() -> Self {
        Self::with(Policy::default(), false)
    }

    /// The same, with another policy, or with a secret for security codes.
    pub(crate) fn with(policy: Policy, enrolled: bool) -> Self {
        let device = Device::start(known(enrolled), policy, None).unwrap();
        let random = ChaCha8Rng::seed_from_u64(1);
        let mut bench = Self { device, vault: Vec::new(), up: 0, clock: 1_800_000_000, policy, enrolled, random };
        bench.tick();
        bench
    }

    /// A device with an owner and two reserved emails.
    pub(crate) fn activated() -> Self {
        let mut bench = Self::new();
        bench.activate(SCREEN, &EMAILS).unwrap();
        bench
    }

    pub(crate) fn now(&self) -> Now {
        Now { since_start: self.up, clock: Time(self.clock), started: Time(self.clock.saturating_sub(self.up)) }
    }

    pub(crate) fn draw<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill_bytes(&mut bytes);
        bytes
    }

    /// Time passes, with the running time stored each minute, as the agent does.
    pub(crate) fn run(&mut self, seconds: u64) {
        let until = self.up + seconds;
        while self.up + 60 <= until {
            self.up += 60;
            self.tick();
        }
        self.up = until;
    }

    pub(crate) fn tick(&mut self) {
        let now = self.now();
        keep(&mut self.vault, self.device.tick(now));
    }

    /// The power fails: what was not stored is gone, and what time passed since the last store is hidden.
    pub(crate) fn restart(&mut self) {
        self.device = Device::start(known(self.enrolled), self.policy, Some(&self.vault)).unwrap();
        self.up = 0;
        self.tick();
    }

    /// The bytes of the device's state as it is, without changing it.
    pub(crate) fn state(&mut self) -> Vec<u8> {
        let now = self.now();
        let mut bytes = Vec::new();
        let kept = self.device.tick(now).commit(|state| {
            bytes = state.to_vec();
            Err(())
        });
        assert_eq!(kept, Err(()));
        bytes
    }

    pub(crate) fn hashed(&mut self, password: &str) -> HashedPassword {
        let salt = self.draw();
        self.device.judge_password(&name(), password, |_, _| 4).unwrap().hash(salt, CHEAP)
    }

    pub(crate) fn activate(&mut self, caller: Caller, emails: &[&str]) -> Result<(), Refusal> {
        self.activate_with(caller, emails, None)
    }

    /// The new owner types the transfer code.
    pub(crate) fn take_over(&mut self, caller: Caller, code: SheetCode) -> Result<(), Refusal> {
        let checked = self.transfer_verdict(caller, code)?;
        self.activate_with(caller, &[], Some(&checked))
    }

    pub(crate) fn transfer_verdict(&mut self, caller: Caller, code: SheetCode) -> Result<CheckedTransfer, Refusal> {
        let now = self.now();
        let change = self.device.take_transfer_try(now, caller, code)?;
        Ok(keep(&mut self.vault, change).run())
    }

    pub(crate) fn activate_with(
        &mut self,
        caller: Caller,
        emails: &[&str],
        transfer: Option<&CheckedTransfer>,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let owner = NewOwner {
            username: name(),
            password: self.hashed(PASSWORD),
            reserved_emails: emails.iter().map(|email| address(email)).collect(),
            questions: None,
        };
        let change = self.device.activate(now, caller, owner, transfer)?;
        keep(&mut self.vault, change)
    }

    pub(crate) fn log_in_as(&mut self, caller: Caller, name: &str, password: &str) -> Result<LoggedIn, Refusal> {
        let (now, seed) = (self.now(), self.draw());
        let checked = self.device.password_check(name)?.run(password);
        let change = self.device.log_in(now, caller, &checked, &seed)?;
        keep(&mut self.vault, change)
    }

    pub(crate) fn log_in(&mut self, password: &str) -> Result<Token, Refusal> {
        self.log_in_as(SCREEN, NAME, password).map(|logged_in| logged_in.token)
    }

    pub(crate) fn lives(&mut self, token: &Token) -> bool {
        let now = self.now();
        self.device.session(now, token.expose()).is_ok()
    }

    pub(crate) fn change_password(&mut self, token: &str, old: &str, new: &str) -> Result<(), Refusal> {
        let (now, new) = (self.now(), self.hashed(new));
        let checked = self.device.password_check(NAME)?.run(old);
        let change = self.device.change_password(now, SCREEN, token, &checked, new)?;
        keep(&mut self.vault, change);
        Ok(())
    }

    pub(crate) fn set_contacts(&mut self, token: &str, password: &str, emails: &[&str]) -> Result<(), Refusal> {
        let now = self.now();
        let emails = emails.iter().map(|email| address(email)).collect();
        let checked = self.device.password_check(NAME)?.run(password);
        let change = self.device.set_contacts(now, SCREEN, token, &checked, emails)?;
        keep(&mut self.vault, change);
        Ok(())
    }

    /// A command of who is logged in and types the password.
    pub(crate) fn as_owner<A>(
        &mut self,
        token: &Token,
        password: &str,
        give: impl for<'d> FnOnce(&'d mut Device, Now, &str, &Checked) -> Result<Change<'d, A>, Refusal>,
    ) -> Result<A, Refusal> {
        let now = self.now();
        let checked = self.device.password_check(NAME)?.run(password);
        let change = give(&mut self.device, now, token.expose(), &checked)?;
        Ok(keep(&mut self.vault, change))
    }

    pub(crate) fn export_key_file(&mut self, token: &Token, password: &str) -> Result<KeyFile, Refusal> {
        let seed = self.draw();
        self.as_owner(token, password, |device, now, token, checked| {
            device.export_key_file(now, SCREEN, token, checked, seed)
        })
    }

    pub(crate) fn make_sheet(&mut self, token: &Token, count: usize) -> Result<Vec<SheetCode>, Refusal> {
        let codes = (0..count).map(|_| self.draw().into()).collect();
        let draft = SheetDraft::make(&SheetSeeds { salt: self.draw(), codes }, CHEAP).unwrap();
        self.as_owner(token, PASSWORD, |device, now, token, checked| {
            device.make_sheet(now, SCREEN, token, checked, draft)
        })
    }

    pub(crate) fn set_questions(&mut self, token: &Token, answers: Option<&[(u8, &str)]>) -> Result<(), Refusal> {
        let salt = self.draw();
        let hashed = answers.map(|answers| Answers::new(answers).unwrap().hash(salt, CHEAP));
        self.as_owner(token, PASSWORD, |device, now, token, checked| {
            device.set_questions(now, SCREEN, token, checked, hashed)
        })
    }

    pub(crate) fn switch(&mut self, token: &Token, way: Way, on: bool) {
        let switched = self.as_owner(token, PASSWORD, |device, now, token, checked| {
            device.switch_way(now, SCREEN, token, checked, way, on)
        });
        switched.unwrap();
    }

    /// A proof is typed, looked at and redeemed.
    pub(crate) fn give(&mut self, caller: Caller, id: RecoveryId, typed: Typed) -> Result<Progress, Refusal> {
        let checked = self.verdict_on(caller, id, typed)?;
        self.progress(caller, &checked)
    }

    /// The only proof, or the last one: it brings a ticket.
    pub(crate) fn give_last(&mut self, caller: Caller, id: RecoveryId, typed: Typed) -> Result<Ticket, Refusal> {
        let checked = self.verdict_on(caller, id, typed)?;
        self.redeem(caller, &checked)
    }

    /// Begins the dry test of a way.
    pub(crate) fn open_test(&mut self, token: &Token, asked: Asked) -> Result<RecoveryView, Refusal> {
        let now = self.now();
        let count = self.device.check_test(now, SCREEN, token.expose(), asked)?;
        let drafts: Vec<_> = (0..count).map(|_| self.draft()).collect();
        let (seeds, language) = (self.open_seeds(), language());
        let change = self.device.open_test(now, SCREEN, token.expose(), asked, &language, &drafts, &seeds)?;
        Ok(keep(&mut self.vault, change))
    }

    pub(crate) fn readiness(&self, way: Way) -> Readiness {
        self.device.way(SCREEN, way).readiness
    }

    pub(crate) fn open_seeds(&mut self) -> OpenSeeds {
        OpenSeeds { id: self.draw(), question: self.draw() }
    }

    pub(crate) fn draft(&mut self) -> CodeDraft {
        let seeds =
            CodeSeeds { code: self.draw().into(), salt: self.draw(), nonce: self.draw(), seal: self.draw().into() };
        CodeDraft::make(seeds, CHEAP)
    }

    pub(crate) fn open(&mut self, caller: Caller) -> Result<RecoveryView, Refusal> {
        self.open_to(caller, 0)
    }

    pub(crate) fn open_to(&mut self, caller: Caller, contact: usize) -> Result<RecoveryView, Refusal> {
        self.open_by(caller, Asked { contact, ..Way::Email.into() })
    }

    /// Opens a request by any way, as the agent does: with as many drafts as the device asks for.
    pub(crate) fn open_by(&mut self, caller: Caller, asked: Asked) -> Result<RecoveryView, Refusal> {
        let now = self.now();
        let count = self.device.check_open(now, caller, asked)?;
        let drafts: Vec<_> = (0..count).map(|_| self.draft()).collect();
        let seeds = self.open_seeds();
        let change = self.device.open_recovery(now, caller, asked, &language(), &drafts, &seeds)?;
        Ok(keep(&mut self.vault, change))
    }

    /// Takes a try and has the typed code looked at.
    pub(crate) fn verdict(&mut self, caller: Caller, id: RecoveryId, typed: &str) -> Result<CheckedProof, Refusal> {
        self.verdict_on(caller, id, Typed::Code(Code::parse(typed).unwrap()))
    }

    pub(crate) fn verdict_on(&mut self, caller: Caller, id: RecoveryId, typed: Typed) -> Result<CheckedProof, Refusal> {
        let now = self.now();
        let change = self.device.take_try(now, caller, id, typed)?;
        Ok(keep(&mut self.vault, change).run())
    }

    /// Redeems the last proof of a request.
    pub(crate) fn redeem(&mut self, caller: Caller, checked: &CheckedProof) -> Result<Ticket, Refusal> {
        match self.progress(caller, checked)? {
            Progress::Proven(ticket) => Ok(ticket),
            other => panic!("no ticket: {other:?}"),
        }
    }

    pub(crate) fn progress(&mut self, caller: Caller, checked: &CheckedProof) -> Result<Progress, Refusal> {
        let (now, seed) = (self.now(), self.draw());
        let change = self.device.redeem(now, caller, checked, &seed)?;
        keep(&mut self.vault, change)
    }

    pub(crate) fn type_code(&mut self, caller: Caller, id: RecoveryId, typed: &str) -> Result<Ticket, Refusal> {
        let checked = self.verdict(caller, id, typed)?;
        self.redeem(caller, &checked)
    }

    pub(crate) fn set_password(
        &mut self,
        caller: Caller,
        id: RecoveryId,
        ticket: &str,
        new: &str,
    ) -> Result<(), Refusal> {
        let (now, new) = (self.now(), self.hashed(new));
        let change = self.device.set_password(now, caller, id, ticket, new)?;
        keep(&mut self.vault, change);
        Ok(())
    }

    /// Opens a request and types the code that the service mails for it.
    pub(crate) fn prove(&mut self, caller: Caller) -> (RecoveryId, Ticket) {
        let opened = self.open(caller).unwrap();
        let ticket = self.type_code(caller, opened.id, &mailed(&opened).1).unwrap();
        (opened.id, ticket)
    }

    pub(crate) fn open_confirmation(&mut self, token: &str, contact: usize) -> Result<RecoveryView, Refusal> {
        let now = self.now();
        let (draft, seeds) = (self.draft(), self.open_seeds());
        let change = self.device.open_confirmation(now, token, contact, &language(), &draft, &seeds)?;
        Ok(keep(&mut self.vault, change))
    }

    pub(crate) fn confirmation_verdict(
        &mut self,
        token: &str,
        contact: usize,
        typed: &str,
    ) -> Result<CheckedProof, Refusal> {
        let (now, code) = (self.now(), Code::parse(typed).unwrap());
        let change = self.device.take_confirmation_try(now, token, contact, code)?;
        Ok(keep(&mut self.vault, change).run())
    }

    pub(crate) fn confirm(&mut self, token: &str, checked: &CheckedProof) -> Result<(), Refusal> {
        let now = self.now();
        let change = self.device.confirm(now, SCREEN, token, checked)?;
        keep(&mut self.vault, change);
        Ok(())
    }
}

pub(crate) fn keep<A>(vault: &mut Vec<u8>, change: Change<'_, A>) -> A {
    let kept = change.commit(|bytes| {
        *vault = bytes.to_vec();
        Ok::<_, Infallible>(())
    });
    kept.unwrap()
}

/// What the service mails for a request: where to, and which code.
pub(crate) fn mailed(opened: &RecoveryView) -> (String, String) {
    let request = received(opened.request().unwrap());
    let to = request.contents.ask.email().unwrap().as_str().to_owned();
    (to, request.contents.code.expose().to_owned())
}

/// A request as the service opens it.
pub(crate) fn received(bytes: &[u8]) -> Request {
    request::open(bytes, &service()).unwrap().into_inner()
}

/// A code that is not the one of this request.
pub(crate) fn wrong(opened: &RecoveryView) -> String {
    let mut code = mailed(opened).1.into_bytes();
    code[0] = if code[0] == b'9' { b'0' } else { code[0] + 1 };
    String::from_utf8(code).unwrap()
}

pub(crate) fn name() -> Username {
    Username::new(NAME).unwrap()
}

pub(crate) fn address(text: &str) -> ReservedEmail {
    ReservedEmail::new(text).unwrap()
}

pub(crate) fn language() -> Language {
    Language::new("en").unwrap()
}
