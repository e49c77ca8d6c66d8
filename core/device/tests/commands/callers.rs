//! The screen, the link, and everywhere else.

use sparekey_device::{Caller, EventKind, Refusal};

use crate::kit::{Bench, ELSEWHERE, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, keep, mailed};

#[test]
fn elsewhere_is_refused_everywhere() {
    let mut bench = Bench::activated();
    let opened = bench.open(LINK).unwrap();
    let code = mailed(&opened).1;
    let before = bench.state();
    refused_all(&mut bench, ELSEWHERE, &opened.id.to_string(), &code, Refusal::NotOnThisLink);
    assert_eq!(bench.open(ELSEWHERE).map(drop), Err(Refusal::NotOnThisLink));
    assert_eq!(bench.device.masked_contacts(ELSEWHERE), Err(Refusal::NotOnThisLink));
    let right = bench.verdict(LINK, opened.id, &code).unwrap();
    assert_eq!(bench.redeem(ELSEWHERE, &right).map(drop), Err(Refusal::NotOnThisLink));
    let ticket = bench.redeem(LINK, &right).unwrap();
    let outcome = bench.set_password(ELSEWHERE, opened.id, ticket.expose(), OTHER_PASSWORD);
    assert_eq!(outcome, Err(Refusal::NotOnThisLink));
    assert_ne!(bench.state(), before, "the link's own try counted");

    let now = bench.now();
    keep(&mut bench.vault, bench.device.note_off_link(now, ELSEWHERE));
    let last = bench.device.events().last().unwrap();
    assert_eq!((last.kind, last.from), (EventKind::RefusedOffLink, ELSEWHERE_ADDRESS.parse().ok()));
}

const ELSEWHERE_ADDRESS: &str = "198.51.100.7";

#[test]
fn the_screen_and_the_link_do_not_touch_each_others_requests() {
    for (owner, stranger) in [(SCREEN, LINK), (LINK, SCREEN)] {
        let mut bench = Bench::activated();
        let opened = bench.open(owner).unwrap();
        let code = mailed(&opened).1;
        let before = bench.state();
        refused_all(&mut bench, stranger, &opened.id.to_string(), &code, Refusal::Expired);
        assert_eq!(bench.state(), before);

        let right = bench.verdict(owner, opened.id, &code).unwrap();
        let before = bench.state();
        assert_eq!(bench.redeem(stranger, &right).map(drop), Err(Refusal::Expired));
        assert_eq!(bench.state(), before);
        let ticket = bench.redeem(owner, &right).unwrap();
        let before = bench.state();
        let outcome = bench.set_password(stranger, opened.id, ticket.expose(), OTHER_PASSWORD);
        assert_eq!(outcome, Err(Refusal::Expired));
        assert_eq!(bench.state(), before);
        bench.set_password(owner, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    }
}

#[test]
fn nobody_on_the_link_takes_the_place_of_the_screen() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    for _ in 0..20 {
        match bench.open(LINK) {
            Err(Refusal::TooManyTries { retry_after }) if retry_after <= 300 => bench.run(retry_after),
            _ => {}
        }
    }
    bench.type_code(SCREEN, opened.id, &mailed(&opened).1).unwrap();
}

/// Every call on a request that names it rightly, by a caller it does not answer.
fn refused_all(bench: &mut Bench, caller: Caller, id: &str, code: &str, refusal: Refusal) {
    let id = sparekey_device::RecoveryId::parse(id).unwrap();
    let now = bench.now();
    assert_eq!(bench.device.recovery(now, caller, id).map(drop), Err(refusal));
    assert_eq!(bench.verdict(caller, id, code).map(drop), Err(refusal));
    assert_eq!(bench.device.check_ticket(now, caller, id, "made up"), Err(refusal));
    assert_eq!(bench.set_password(caller, id, "made up", PASSWORD), Err(refusal));
}
