use sparekey_device::{Change, Device, HashingCost, Identity, Now, Policy, Progress, QuestionsPolicy, Refusal};
use sparekey_protocol::{
    BaseUrl, Card, CardName, Certificate, Firmware, MakerId, Model as ModelName, Serial, SigningKey, Time, VerifierKey,
    Witnesses, enrol::EnrolmentSecret, log_verifier_key,
};

use crate::{
    model::Model,
    proofs::{grant_key, log_key},
    public_log::{ORIGIN, witness},
    service::{Service, maker},
};

/// The least that Argon2 takes.
pub(crate) const CHEAP: HashingCost = HashingCost { memory: 8, passes: 1, lanes: 1 };

/// What becomes of a command between its decision and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    /// The disk is full.
    StoreFails,
    /// The power fails before the state is stored.
    CrashBefore,
    /// The power fails after the state was stored and before anybody is answered.
    CrashAfter,
}

impl Fate {
    fn stores(self) -> bool {
        matches!(self, Self::Fine | Self::CrashAfter)
    }

    fn crashes(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }
}

/// A device with its vault, and the model of what it should do.
pub(crate) struct Recorder {
    pub(crate) device: Device,
    pub(crate) model: Model,
    pub(crate) serial: Serial,
    vault: Vec<u8>,
    number: u8,
    /// Seconds since this start.
    up: u64,
    /// Real seconds that it has run, over all starts: no part of the device knows them.
    pub(crate) ran: u64,
    /// What its clock says.
    pub(crate) clock: u64,
}

impl Recorder {
    pub(crate) fn new(number: u8) -> Self {
        let device = Device::start(identity(number), policy(number), None).expect("nothing is no damaged vault");
        let model = Model::of(device.identity().device_id(), number == 1);
        let mut new =
            Self { device, model, serial: serial(number), vault: Vec::new(), number, up: 0, ran: 0, clock: 0 };
        new.model.did_restart();
        new.tick();
        new
    }

    /// Time passes. The agent stores the running time each minute; the last of these stores holds what those before it held.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let after_last_minute = (self.up + seconds) % 60;
        if after_last_minute < seconds {
            self.run(seconds - after_last_minute);
            self.tick();
            self.run(after_last_minute);
        } else {
            self.run(seconds);
        }
    }

    fn run(&mut self, seconds: u64) {
        self.up += seconds;
        self.ran += seconds;
        self.model.passed(seconds);
    }

    fn tick(&mut self) {
        let ticked = self.command(Fate::Fine, |device, now| Ok(device.tick(now)));
        assert_eq!(ticked, Ok(Some(())));
    }

    /// The power fails and comes back. Time since the last store is hidden.
    pub(crate) fn restart(&mut self) {
        let started = Device::start(identity(self.number), policy(self.number), Some(&self.vault));
        self.device = started.expect("a device starts from what it stored");
        self.up = 0;
        self.model.did_restart();
        self.tick();
    }

    pub(crate) fn now(&self) -> Now {
        let clock = self.clock;
        Now { since_start: self.up, clock: Time(clock), started: Time(clock.saturating_sub(self.up)) }
    }

    /// Gives a command, which is stored or not. `None` means that it was not stored: whoever gave it learns nothing.
    ///
    /// A refusal, and a store that fails, leave every byte of the state as it was.
    pub(crate) fn command<A>(
        &mut self,
        fate: Fate,
        give: impl for<'d> FnOnce(&'d mut Device, Now) -> Result<Change<'d, A>, Refusal>,
    ) -> Result<Option<A>, Refusal> {
        let now = self.now();
        let before = state(&mut self.device, now);
        let outcome = give(&mut self.device, now).map(|change| {
            let store = |bytes: &[u8]| {
                if !fate.stores() {
                    return Err(());
                }
                self.vault = bytes.to_vec();
                Ok(())
            };
            change.commit(store).ok()
        });
        match outcome {
            Ok(Some(_)) => self.model.did_store(),
            Ok(None) | Err(_) => assert!(state(&mut self.device, now) == before, "a refusal changed the device"),
        }
        outcome
    }

    /// The crash, if there is one. Says whether whoever gave the command is answered.
    pub(crate) fn survives(&mut self, fate: Fate) -> bool {
        if fate.crashes() {
            self.restart();
        }
        fate == Fate::Fine
    }
}

/// The bytes that would be stored, without storing them.
fn state(device: &mut Device, now: Now) -> Vec<u8> {
    let mut state = Vec::new();
    let stored = device.tick(now).commit(|bytes| {
        state = bytes.to_vec();
        Err(())
    });
    assert_eq!(stored, Err(()));
    state
}

/// A refusal as its name and number, to compare with the model's.
pub(crate) fn said<A>(outcome: &Result<A, Refusal>) -> String {
    match outcome {
        Ok(_) => crate::model::ok(),
        Err(Refusal::WrongProof { tries_left }) => format!("wrong-proof {tries_left}"),
        Err(Refusal::TooManyTries { retry_after }) => format!("too-many-tries {retry_after}"),
        Err(refusal) => refusal.name().to_owned(),
    }
}

/// What a redeemed proof brought, likewise.
pub(crate) fn brought(outcome: &Result<Progress, Refusal>) -> String {
    match outcome {
        Ok(Progress::More) => "more".to_owned(),
        outcome => said(outcome),
    }
}

fn serial(number: u8) -> Serial {
    Serial::new(&format!("NVR-{number:04}")).expect("in its alphabet")
}

/// What the second device's maker thinks of security questions is not what the first one's does.
fn policy(number: u8) -> Policy {
    let beside = if number == 1 { QuestionsPolicy::BesideAnotherWay } else { QuestionsPolicy::Allowed };
    Policy::default().with_questions(beside)
}

/// What each device shares with the service for security codes.
pub(crate) fn enrolment(number: u8) -> EnrolmentSecret {
    EnrolmentSecret::from_bytes([150 + number; 32])
}

fn identity(number: u8) -> Identity {
    let (maker, key) = (maker(), SigningKey::from_seed(&[100 + number; 32]));
    let model = ModelName::new("NVR-4216").expect("short");
    let certificate = Certificate::new(&maker.public(), serial(number), model, &key.public()).sign(&maker);
    let log = log_verifier_key(ORIGIN, &log_key().public());
    let card = Card {
        maker: MakerId::of(&maker.public().to_bytes()),
        edition: 1,
        name: CardName::new("Example Recovery").expect("short"),
        url: BaseUrl::new("https://recover.example.org").expect("a base URL"),
        opening_key: Service::opening_key().public(),
        grant_key: grant_key().public().to_bytes(),
        log_key: VerifierKey::new(&log).expect("short"),
        witnesses: Witnesses::new(1, vec![VerifierKey::new(&witness()).expect("short")]),
    };
    let firmware = Firmware::new("1.0").expect("short");
    let identity = Identity::new(key, certificate, &card.sign(&maker), &maker.public(), firmware);
    identity.expect("all by one maker").with_enrolment(enrolment(number))
}
