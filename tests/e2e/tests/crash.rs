//! `kill -9` at random moments: the recorder always starts again, no old password comes back, no try is given back.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, SystemTime},
};

use serde_json::json;
use sparekey_e2e::{Answer, Api, Opener, Recorder, Setup, World, device::Opened};

const KILLS: u32 = 30;
/// It goes on for as long as little happened between the kills: how much does depends on the machine.
const MOST_KILLS: u32 = 200;
const NEW_PASSWORDS: usize = 6;
const TRIES: u64 = 5;
/// A wrong code of these many that are left is tried; the rest are kept for the right one, which is always the end.
const SPARE: u64 = 2;

/// The third password from now is this one again, so that an old one that came back would be found.
fn password(n: usize) -> &'static str {
    ["tangerine ladder ocean clock", "granite whistle seldom maple", "velvet harbour copper lantern"][n % 3]
}

/// Numbers that look random, from a seed that is told (xorshift64, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// An owner with a bad memory, and what the recorder has answered so far: none of it may be taken back.
struct Owner {
    device: Recorder,
    opener: Opener,
    dice: Dice,
    /// Passwords set so far, the last one counted.
    passwords: usize,
    /// A new password was sent, and nothing was heard of it.
    unheard: bool,
    /// The open request, and the tries that it was last said to have.
    open: Option<(Opened, u64)>,
    /// A session from before the last password.
    old_session: Option<String>,
    /// All tries of a request were taken, and none was right.
    used_up: bool,
    operations: u32,
}

impl Owner {
    /// One operation after the other until `stop`. The recorder may go away at any time, for good or to start again.
    fn act(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            if self.step().is_none() {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// `None` if the recorder did not answer.
    fn step(&mut self) -> Option<()> {
        self.operations += 1;
        if self.unheard {
            self.find_out()?;
        }
        let Some((opened, tries)) = self.open.clone() else { return self.open() };
        if tries > SPARE && self.dice.throw(2) > 0 {
            let answer = self.prove(&opened, "00000000")?;
            return self.count(&opened, tries, &answer);
        }
        let answer = self.prove(&opened, &self.opener.code(&opened))?;
        if answer.status != 200 {
            return self.count(&opened, tries, &answer);
        }
        self.open = None;
        let ticket = answer.json()["ticket"].as_str().unwrap().to_owned();
        let session = self.device.try_log_in(password(self.passwords))?.must(201)["token"].as_str().unwrap().to_owned();
        self.unheard = true;
        let answer = self.device.set_password(&opened.id, &ticket, password(self.passwords + 1))?;
        answer.must(202);
        self.changed(session);
        Some(())
    }

    fn open(&mut self) -> Option<()> {
        let answer = self.device.0.json("POST", "/api/v1/recoveries", &json!({ "method": "email" }))?;
        if self.used_up && answer.status == 429 {
            assert_eq!(answer.problem(), "too-many-tries");
            return None;
        }
        self.used_up = false;
        self.open = Some((Opened::of(&answer.must(201)), TRIES));
        Some(())
    }

    fn prove(&self, opened: &Opened, code: &str) -> Option<Answer> {
        self.device.0.json("POST", &format!("/api/v1/recoveries/{}/proof", opened.id), &json!({ "code": code }))
    }

    fn count(&mut self, opened: &Opened, before: u64, answer: &Answer) -> Option<()> {
        match answer.problem().as_str() {
            "wrong-proof" => {
                let left = answer.json()["tries_left"].as_u64().unwrap();
                assert!(left < before, "{left} tries are left of {before}: one came back");
                self.open = Some((opened.clone(), left));
            }
            // A right code was counted, and the answer to it lost: the request is used up.
            "expired" => self.open = None,
            // Kills while right codes were looked at took what was kept for them: a wait follows.
            "too-many-tries" if before <= SPARE => (self.open, self.used_up) = (None, true),
            other => panic!("{other} for a code with {before} tries left"),
        }
        Some(())
    }

    fn changed(&mut self, session: String) {
        self.passwords += 1;
        self.unheard = false;
        self.old_session = Some(session);
    }

    /// Whether the password that was sent is set: one of two opens, never both.
    fn find_out(&mut self) -> Option<()> {
        let new = self.device.try_log_in(password(self.passwords + 1))?;
        if new.status == 201 {
            self.passwords += 1;
            self.old_session = None;
        } else {
            assert_eq!(new.problem(), "not-logged-in");
            self.device.try_log_in(password(self.passwords))?.must(201);
        }
        self.unheard = false;
        Some(())
    }

    /// After each start.
    fn check(&mut self) {
        if self.unheard {
            self.find_out().expect("a recorder that has started answers");
        }
        if self.passwords > 0 {
            let old = self.device.log_in(password(self.passwords - 1));
            assert_eq!(old.problem(), "not-logged-in", "an old password opens it");
        }
        self.device.log_in(password(self.passwords)).must(201);
        if let Some(session) = &self.old_session {
            let api = Api::new(&self.device.0.url("")).with("authorization", &format!("Bearer {session}"));
            let answer = api.send("DELETE", "/api/v1/sessions/current", &[], Vec::new()).unwrap();
            assert_eq!(answer.problem(), "not-logged-in", "a session outlived the password");
        }
        let Some((opened, before)) = self.open.clone() else { return };
        let view = self.device.view(&opened.id);
        if view.status == 200 {
            let left = view.json()["tries_left"].as_u64().unwrap();
            assert!(left <= before, "{left} tries are left of {before}: one came back");
            self.open = (view.json()["proven"] == false).then_some((opened, left));
        } else {
            assert_eq!(view.problem(), "expired");
            self.open = None;
        }
    }
}

#[test]
fn a_recorder_that_is_killed_keeps_its_word() {
    let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    world.start_recorder();
    world.device().activate(password(0), &["olga@owners.example.org"]);
    let mut owner = Owner {
        device: world.device(),
        opener: world.opener(),
        dice: Dice(seed),
        passwords: 0,
        unheard: false,
        open: None,
        old_session: None,
        used_up: false,
        operations: 0,
    };
    let mut moments = Dice(seed.rotate_left(17) | 1);
    let mut kills = 0;
    while kills < KILLS || (owner.passwords < NEW_PASSWORDS && kills < MOST_KILLS) {
        kills += 1;
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| owner.act(&stop));
            thread::sleep(Duration::from_millis(moments.throw(1_500)));
            world.recorder().take().unwrap().kill();
            stop.store(true, Ordering::Relaxed);
        });
        world.start_recorder();
        owner.check();
    }
    println!("{kills} times killed, {} operations, {} new passwords", owner.operations, owner.passwords);
    assert!(owner.passwords >= NEW_PASSWORDS, "it was killed while much went on");
}
