//! Stories of all of core against the reference model. `SPAREKEY_SIM_SEEDS=n` tells n of each mood; a story that fails is
//! told again with `SPAREKEY_SIM_SEED=seed`, which its first line names.
#![allow(clippy::print_stderr, reason = "the seed is shown when a story fails")]

use std::{collections::BTreeMap, env};

use sparekey_sim::{Mood, run};

/// How many stories of a mood, and of how many steps, until everything that it is about happened in one of them.
fn length(mood: Mood) -> (u64, u32) {
    match mood {
        Mood::Forgetful | Mood::Storm => (24, 800),
        // A hundred wrong codes in a row take a stranger days.
        Mood::Siege => (12, 3_000),
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// Tells stories of one mood, and checks that what it is about happened in them.
fn tell(mood: Mood, about: &[&str]) {
    let (stories, steps) = length(mood);
    let (from, count) = match number("SPAREKEY_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("SPAREKEY_SIM_SEEDS").unwrap_or(stories)),
    };
    let mut tally: BTreeMap<String, u64> = BTreeMap::new();
    for seed in from..from + count {
        eprintln!("{mood:?}: SPAREKEY_SIM_SEED={seed}");
        for (what, times) in run(seed, steps, mood) {
            *tally.entry(what).or_default() += times;
        }
    }
    eprintln!("{tally:#?}");
    if count >= stories {
        for what in about {
            assert!(tally.get(*what).is_some_and(|times| *times > 0), "never: {what}");
        }
    }
}

#[test]
fn of_forgetful_owners() {
    tell(
        Mood::Forgetful,
        &[
            "resets",
            "confirm: ok",
            "confirm: wrong-proof",
            "change a password: ok",
            "set contacts: ok",
            "set a password: expired",
            "redeem code: expired",
            "take a try: expired",
            "open email: method-not-ready",
            "submit: as-before",
            "submit: queued-again",
            "submit: too-many",
            "mail: expired",
            "mail: note-lost",
            "altered: bad-signature",
            "forged: bad-certificate",
            "redeem answers: ok",
            "redeem answers: more",
            "redeem key file: ok",
            "redeem sheet code: ok",
            "redeem grant: ok",
            "redeem grant: not-in-log",
            "redeem grant: not-for-this-device",
            "redeem grant: wrong-proof",
            "redeem grant: somehow",
            "desk opens: ok",
            "desk opens: NotAllowed",
            "desk opens: Unfit",
            "desk approves: ok",
            "desk approves: NotAllowed",
            "desk approves: NotFound",
            "desk approves: OwnCase",
            "desk approves: Unattended",
            "desk approves: StepUp",
            "desk grants: ok",
            "desk grants: NotFound",
            "desk hands over: ok",
            "desk refuses: ok",
            "desk shows digits: ok",
            "desk shows digits: Answered",
            "desk: Unwitnessed",
            "desk: NotInLog",
            "open seccode: ok",
            "factory reset: ok",
            "hand over: ok",
            "take over: ok",
            "try a transfer: too-many-tries",
            "activate: wrong-proof",
            "gets in: transfer",
            "try out code: ok",
            "try out key file: ok",
            "try out sheet code: ok",
            "try out answers: ok",
            "try out grant: ok",
            "gets in: desk",
            "gets in: email",
            "gets in: keyfile",
            "gets in: questions",
            "gets in: seccode",
            "gets in: sheet",
        ],
    );
}

#[test]
fn of_a_siege() {
    tell(
        Mood::Siege,
        &[
            "stop: ok",
            "open email: too-many-tries",
            "take a try: too-many-tries",
            "take a try: method-not-ready",
            "open email: not-on-this-link",
            "take a try: not-on-this-link",
            "redeem code: not-on-this-link",
        ],
    );
}

#[test]
fn of_a_storm() {
    tell(
        Mood::Storm,
        &["resets", "redeem code: ok", "open email: too-many-tries", "log in: ok", "log in: not-logged-in"],
    );
}
