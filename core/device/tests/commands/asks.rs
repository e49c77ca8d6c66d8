//! What was asked of the service is kept, for the owner to find its answers in the public log.

use sparekey_device::{ServiceAsk, ways::Way};
use sparekey_protocol::Nonce;

use crate::kit::{Bench, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, mailed, received};

fn known(bench: &Bench) -> Vec<(Nonce, Way, bool)> {
    bench
        .device
        .service_asks()
        .iter()
        .map(|ServiceAsk { nonce, way, answered, .. }| (*nonce, *way, *answered))
        .collect()
}

#[test]
fn what_was_answered_is_told_from_what_was_not_over_restarts() {
    let mut bench = Bench::activated();
    let mailed_one = bench.open(LINK).unwrap();
    let by_desk = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    let nonce = |view: &sparekey_device::RecoveryView| received(view.request().unwrap()).nonce;
    let expected = |answered| [(nonce(&mailed_one), Way::Email, answered), (nonce(&by_desk), Way::Desk, false)];
    assert_eq!(known(&bench), expected(false));
    let ticket = bench.type_code(LINK, mailed_one.id, &mailed(&mailed_one).1).unwrap();
    bench.set_password(LINK, mailed_one.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    bench.restart();
    assert_eq!(known(&bench), expected(true), "also once the requests themselves are gone");

    let token = bench.log_in(OTHER_PASSWORD).unwrap();
    let confirmation = bench.open_confirmation(token.expose(), 0).unwrap();
    let verdict = bench.confirmation_verdict(token.expose(), 0, &mailed(&confirmation).1).unwrap();
    bench.confirm(token.expose(), &verdict).unwrap();
    assert!(known(&bench).contains(&(nonce(&confirmation), Way::Email, true)) && known(&bench).len() == 3);
}

#[test]
fn what_needs_no_service_is_not_kept_and_the_oldest_makes_room() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    bench.export_key_file(&token, PASSWORD).unwrap();
    bench.open_by(LINK, Way::KeyFile.into()).unwrap();
    assert_eq!(known(&bench), []);
    for _ in 0..70 {
        bench.open_confirmation(token.expose(), 0).unwrap();
    }
    assert_eq!(known(&bench).len(), 64);
}

/// Whoever got in by an answer that nobody was to see cannot make the device forget it by asking for more.
#[test]
fn what_waits_and_what_was_answered_is_not_pushed_out() {
    let mut bench = Bench::activated();
    let by_desk = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    let asked = received(by_desk.request().unwrap());
    let nonce = asked.nonce;
    // A stranger on the link opens what he can, for most of the two days that the desk has.
    for _ in 0..80 {
        bench.run(30 * 60);
        let _ = bench.open(LINK);
    }
    let token = bench.log_in(PASSWORD).unwrap();
    for _ in 0..70 {
        bench.open_confirmation(token.expose(), 0).unwrap();
    }
    assert!(known(&bench).iter().any(|(other, ..)| *other == nonce), "it waits");
    let ticket = bench.type_code(SCREEN, by_desk.id, asked.contents.code.expose()).unwrap();
    bench.set_password(SCREEN, by_desk.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    let token = bench.log_in(OTHER_PASSWORD).unwrap();
    for _ in 0..70 {
        bench.open_confirmation(token.expose(), 0).unwrap();
    }
    bench.restart();
    assert!(known(&bench).contains(&(nonce, Way::Desk, true)), "it was answered");
}
