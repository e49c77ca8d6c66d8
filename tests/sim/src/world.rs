use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use sparekey_device::{
    Caller, Checked, CheckedProof, CodeDraft, CodeSeeds, HashedPassword, OpenSeeds, RecoveryId, Username,
};
use sparekey_protocol::{Language, Time};

use crate::{
    chance::Chance,
    desk::{Asking, Desk},
    handing_over::{Handed, Unlocking},
    ledger::Ledger,
    model,
    proofs::{File, Given, Line, Paper},
    recorder::{CHEAP, Fate, Recorder},
    service::Service,
    steps::{CONFIRMATION, GUESSED_TRANSFER, GUESSES, Mood, SET_UP, Step, TEST, TRANSFER, WAY},
};

pub(crate) const NAME: &str = "admin";
pub(crate) const LINK: Caller = Caller::Link(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 7)));
const ELSEWHERE: Caller = Caller::Elsewhere(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)));
/// The most things of a kind that people keep in hand: enough to mix them up.
const IN_HAND: usize = 8;

/// A request that somebody was shown.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) device: usize,
    pub(crate) caller: Caller,
    pub(crate) id: RecoveryId,
}

/// A verdict on a proof, on its way back to the device, with what it is to be.
pub(crate) struct Verdict {
    pub(crate) of: Shown,
    pub(crate) given: Given,
    pub(crate) expected: model::Verdict,
    pub(crate) checked: CheckedProof,
}

/// A verdict on a confirmation's code.
pub(crate) struct Confirming {
    pub(crate) device: usize,
    pub(crate) contact: usize,
    pub(crate) id: RecoveryId,
    pub(crate) typed: String,
    pub(crate) checked: CheckedProof,
}

/// A verdict on a password.
pub(crate) struct Known {
    pub(crate) device: usize,
    pub(crate) checked: Checked,
    pub(crate) right: bool,
    pub(crate) edition: u64,
}

/// A ticket in somebody's hand.
#[derive(Clone)]
pub(crate) struct Pass {
    pub(crate) of: Shown,
    pub(crate) ticket: String,
}

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) mood: Mood,
    /// The real time, and the service's.
    pub(crate) time: u64,
    pub(crate) recorders: Vec<Recorder>,
    pub(crate) service: Service,
    pub(crate) ledger: Ledger,
    /// What the carrier has on it: the text of QR symbols.
    pub(crate) air: Vec<String>,
    pub(crate) shown: Vec<Shown>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) confirming: Vec<Confirming>,
    pub(crate) known: Vec<Known>,
    pub(crate) passes: Vec<Pass>,
    pub(crate) tokens: Vec<(usize, String)>,
    /// Key files that were exported, ever.
    pub(crate) files: Vec<File>,
    /// Lines of sheets that were printed, ever.
    pub(crate) lines: Vec<Line>,
    /// Transfer codes that were handed over, ever.
    pub(crate) codes: Vec<Handed>,
    /// Verdicts on transfer codes.
    pub(crate) transfers: Vec<Unlocking>,
    /// How many of all these there were.
    pub(crate) made: u64,
    /// Requests that came to the desk.
    pub(crate) inbox: Vec<Asking>,
    pub(crate) desk: Desk,
    /// Grants, and what looks like them.
    pub(crate) papers: Vec<Paper>,
    passwords: u64,
    tally: BTreeMap<String, u64>,
}

/// Plays one story of so many steps, and answers with how often each thing happened.
///
/// # Panics
/// When a promise was broken, or a device did not do what the model says.
#[must_use]
pub fn run(seed: u64, steps: u32, mood: Mood) -> BTreeMap<String, u64> {
    let mut world = World {
        chance: Chance::of(seed),
        mood,
        time: 1_800_000_000,
        recorders: (0..2).map(Recorder::new).collect(),
        service: Service::new(),
        ledger: Ledger::default(),
        air: Vec::new(),
        shown: Vec::new(),
        verdicts: Vec::new(),
        confirming: Vec::new(),
        known: Vec::new(),
        passes: Vec::new(),
        tokens: Vec::new(),
        files: Vec::new(),
        lines: Vec::new(),
        codes: Vec::new(),
        transfers: Vec::new(),
        made: 0,
        inbox: Vec::new(),
        desk: Desk::default(),
        papers: Vec::new(),
        passwords: 0,
        tally: BTreeMap::new(),
    };
    for _ in 0..steps {
        world.any_step();
    }
    world.service.check_facts();
    world.everybody_gets_in();
    world.tally.insert("resets".to_owned(), world.ledger.resets().into());
    world.tally
}

impl World {
    fn any_step(&mut self) {
        let step = self.chance.weighted(&self.mood.weights());
        self.step(step);
    }

    /// These steps one after the other, with another in between now and then.
    fn go(&mut self, way: &[Step]) {
        for step in way {
            self.chance.newest = 95;
            self.step(*step);
            self.chance.newest = 60;
            if self.chance.percent(10) {
                self.any_step();
            }
        }
    }

    fn step(&mut self, step: Step) {
        self.jump_clocks();
        match step {
            Step::Activate => self.activate(),
            Step::Open => self.open(),
            Step::Carry => self.carry(),
            Step::Forge => self.forge(),
            Step::Post => self.post(),
            Step::TakeTry => self.take_try(),
            Step::Redeem => self.redeem(),
            Step::SetPassword => self.set_password(),
            Step::TypePassword => self.type_password(),
            Step::LogIn => self.log_in(),
            Step::LogOut => self.log_out(),
            Step::ChangePassword => self.change_password(),
            Step::SetContacts => self.set_contacts(),
            Step::OpenConfirmation => self.open_confirmation(),
            Step::TryConfirmation => self.try_confirmation(),
            Step::Confirm => self.confirm(),
            Step::Restart => {
                let device = self.any_device();
                self.recorders[device].restart();
                self.after_restart(device);
            }
            Step::Pass => self.pass(),
            Step::WholeWay => self.go(&WAY),
            Step::WholeConfirmation => self.go(&CONFIRMATION),
            Step::Guesses => self.go(&GUESSES),
            Step::SetUp => self.set_up(),
            Step::WholeSetUp => self.go(&SET_UP),
            Step::Desk => self.desk(),
            Step::LiftStops => self.lift_stops(),
            Step::FactoryReset => self.factory_reset(),
            Step::Transfer => self.transfer(),
            Step::TryTransfer => self.try_transfer(60),
            Step::GuessTransfer => self.try_transfer(0),
            Step::WholeTransfer => self.go(&TRANSFER),
            Step::GuessedTransfer => self.go(&GUESSED_TRANSFER),
            Step::Test => self.test(),
            Step::WholeTest => self.go(&TEST),
        }
    }

    /// A device's clock may say anything.
    fn jump_clocks(&mut self) {
        for recorder in &mut self.recorders {
            recorder.clock = self.chance.one_of(&[0, 1, self.time, self.time / 2, u64::MAX]);
        }
    }

    fn pass(&mut self) {
        let longest = match self.mood {
            Mood::Siege => self.chance.weighted(&[(6, 400), (3, 3_600), (1, 20_000)]),
            Mood::Forgetful | Mood::Storm => self.chance.weighted(&[(10, 90), (6, 700), (2, 4_000), (3, 60_000)]),
        };
        let seconds = self.chance.below(longest);
        self.time += seconds;
        for recorder in &mut self.recorders {
            recorder.pass(seconds);
        }
    }

    /// Counts what happened; numbers in an answer are left out.
    pub(crate) fn tell(&mut self, what: &str, answer: &str) {
        let answer = answer.split(' ').next().unwrap_or_default();
        *self.tally.entry(format!("{what}: {answer}")).or_default() += 1;
    }

    /// The crash of a command, if there is one. Says whether whoever gave the command is answered.
    pub(crate) fn survives(&mut self, device: usize, fate: Fate) -> bool {
        let told = self.recorders[device].survives(fate);
        if !told && fate != Fate::StoreFails {
            self.after_restart(device);
        }
        told
    }

    /// What was on its way through the agent is lost with it.
    pub(crate) fn after_restart(&mut self, device: usize) {
        self.tell("restart", "ok");
        self.verdicts.retain(|verdict| verdict.of.device != device);
        self.confirming.retain(|verdict| verdict.device != device);
        self.known.retain(|known| known.device != device);
        self.transfers.retain(|verdict| verdict.device != device);
        self.forget(device);
    }

    /// People mostly know that what they held for a device is worth nothing any more.
    pub(crate) fn forget(&mut self, device: usize) {
        self.tokens.retain(|(of, _)| *of != device || self.chance.percent(20));
    }

    pub(crate) fn fate(&mut self) -> Fate {
        let crashes = if self.mood == Mood::Storm { 8 } else { 2 };
        self.chance.weighted(&[
            (80, Fate::Fine),
            (2, Fate::StoreFails),
            (crashes, Fate::CrashBefore),
            (crashes, Fate::CrashAfter),
        ])
    }

    pub(crate) fn any_device(&mut self) -> usize {
        let besieged = self.mood == Mood::Siege && self.chance.percent(85);
        if besieged { 0 } else { self.chance.index(self.recorders.len()) }
    }

    pub(crate) fn any_caller(&mut self) -> Caller {
        let at_the_screen = if self.mood == Mood::Siege { 1 } else { 10 };
        self.chance.weighted(&[(at_the_screen, Caller::Screen), (10, LINK), (1, ELSEWHERE)])
    }

    /// Mostly this one.
    pub(crate) fn about(&mut self, caller: Caller) -> Caller {
        if self.chance.percent(92) { caller } else { self.any_caller() }
    }

    /// As many drafts as a request can take.
    pub(crate) fn drafts(&mut self) -> ([CodeDraft; 2], OpenSeeds) {
        let ((one, seeds), (two, _)) = (self.draft(), self.draft());
        ([one, two], seeds)
    }

    pub(crate) fn draft(&mut self) -> (CodeDraft, OpenSeeds) {
        let (code, salt, seal) = (self.chance.bytes().into(), self.chance.bytes(), self.chance.bytes().into());
        let draft = CodeDraft::make(CodeSeeds { code, salt, nonce: self.chance.bytes(), seal }, CHEAP);
        (draft, OpenSeeds { id: self.chance.bytes(), question: self.chance.bytes() })
    }

    /// A password that was never used, and its hash.
    pub(crate) fn new_password(&mut self, device: usize) -> (String, HashedPassword) {
        self.passwords += 1;
        let password = format!("tall ladder {}", self.passwords);
        let name = Username::new(NAME).expect("a short name");
        let judged = self.recorders[device].device.judge_password(&name, &password, |_, _| 4);
        let hashed = judged.expect("not a blocked word").hash(self.chance.bytes(), CHEAP);
        (password, hashed)
    }

    /// One digit is another.
    pub(crate) fn slipped(&mut self, digits: &str) -> String {
        let mut bytes = digits.as_bytes().to_vec();
        let at = self.chance.index(bytes.len());
        let up = u8::try_from(1 + self.chance.below(9)).expect("below ten");
        bytes[at] = b'0' + (bytes[at] - b'0' + up) % 10;
        String::from_utf8(bytes).expect("digits")
    }

    pub(crate) fn now(&self) -> Time {
        Time(self.time)
    }
}

pub(crate) fn language() -> Language {
    Language::new("en").expect("a language tag")
}

/// Keeps one more thing in hand; the oldest is put away.
pub(crate) fn keep<T>(hand: &mut Vec<T>, thing: T) -> Option<T> {
    hand.push(thing);
    (hand.len() > IN_HAND).then(|| hand.remove(0))
}
