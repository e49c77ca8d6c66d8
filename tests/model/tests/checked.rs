//! Every state that the model can reach, and that each rule is needed.
#![allow(clippy::unwrap_used, reason = "a test may")]

use sparekey_model::{Broken, World};
use stateright::{Checker, Model};

fn broken_property(broken: Broken) -> Vec<&'static str> {
    let checker = World { requests: 1, broken: Some(broken) }.checker().spawn_bfs().join();
    checker.discoveries().into_keys().filter(|name| !name.starts_with("somebody")).collect()
}

#[test]
fn every_state_keeps_every_promise() {
    let checker = World { requests: 2, broken: None }.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(
        checker.unique_state_count() > 9_000,
        "{} states: the model has lost its moves",
        checker.unique_state_count()
    );
}

#[test]
fn without_a_rule_the_checker_finds_what_it_prevents() {
    for (broken, property) in [
        (Broken::RestartForgets, "no restart shortens a wait"),
        (Broken::GrantWithoutLog, "no grant in force that is not in the log"),
        (Broken::SelfApproval, "two people for each grant"),
        (Broken::TicketTwice, "at most one new password a proof"),
        (Broken::MailBeforeLeaf, "no code mailed that is not in the log"),
        (Broken::OneCounter, "each side's wrong codes count for itself"),
    ] {
        let found = broken_property(broken);
        assert!(found.contains(&property), "{broken:?}: {found:?}");
    }
}
