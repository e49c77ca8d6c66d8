//! No step of the way can be left out, taken twice, or taken with what belongs to another.

use sparekey_device::{RecoveryId, Refusal};

use crate::kit::{Bench, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, mailed, received, wrong};

#[test]
fn nothing_without_a_request() {
    let mut bench = Bench::activated();
    let made_up = RecoveryId::parse("00112233445566778899aabbccddeeff").unwrap();
    let before = bench.state();
    assert_eq!(bench.type_code(SCREEN, made_up, "12345678").map(drop), Err(Refusal::Expired));
    assert_eq!(bench.set_password(SCREEN, made_up, "", OTHER_PASSWORD), Err(Refusal::Expired));
    assert_eq!(bench.state(), before);
}

#[test]
fn no_password_without_a_ticket() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    let code = mailed(&opened).1;
    let checked = bench.verdict(SCREEN, opened.id, &wrong(&opened)).unwrap();
    bench.redeem(SCREEN, &checked).unwrap_err();
    let right = bench.verdict(SCREEN, opened.id, &code).unwrap();
    let id = opened.id.to_string();
    for made_up in ["", "made up", &code, &id, &"A".repeat(43), &"A".repeat(100_000)] {
        let before = bench.state();
        assert_eq!(bench.set_password(SCREEN, opened.id, made_up, OTHER_PASSWORD), Err(Refusal::Expired));
        assert_eq!(bench.state(), before);
    }
    bench.redeem(SCREEN, &right).unwrap();
    assert_eq!(bench.set_password(SCREEN, opened.id, "", OTHER_PASSWORD), Err(Refusal::Expired));
    assert!(bench.log_in(PASSWORD).is_ok());
}

#[test]
fn what_belongs_to_another_request_is_refused() {
    let mut bench = Bench::activated();
    let (one, two) = (bench.open(SCREEN).unwrap(), bench.open(SCREEN).unwrap());
    let outcome = bench.type_code(SCREEN, two.id, &mailed(&one).1).map(drop);
    assert_eq!(outcome, Err(Refusal::WrongProof { tries_left: 4 }));
    let ticket = bench.type_code(SCREEN, one.id, &mailed(&one).1).unwrap();
    bench.type_code(SCREEN, two.id, &mailed(&two).1).unwrap();
    assert_eq!(bench.set_password(SCREEN, two.id, ticket.expose(), OTHER_PASSWORD), Err(Refusal::Expired));
    bench.set_password(SCREEN, one.id, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn a_code_serves_once() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    let code = mailed(&opened).1;
    let (one, two) =
        (bench.verdict(SCREEN, opened.id, &code).unwrap(), bench.verdict(SCREEN, opened.id, &code).unwrap());
    bench.redeem(SCREEN, &one).unwrap();
    let before = bench.state();
    for again in [&one, &two] {
        assert_eq!(bench.redeem(SCREEN, again).map(drop), Err(Refusal::Expired));
    }
    assert_eq!(bench.type_code(SCREEN, opened.id, &code).map(drop), Err(Refusal::Expired));
    assert_eq!(bench.state(), before);
}

#[test]
fn a_ticket_serves_once_and_voids_everything() {
    let mut bench = Bench::activated();
    let session = bench.log_in(PASSWORD).unwrap();
    let open = bench.open(LINK).unwrap();
    let verdict = bench.verdict(LINK, open.id, &mailed(&open).1).unwrap();
    let (other, other_ticket) = bench.prove(LINK);
    let (id, ticket) = bench.prove(SCREEN);
    bench.set_password(SCREEN, id, ticket.expose(), OTHER_PASSWORD).unwrap();

    let before = bench.state();
    assert!(!bench.lives(&session));
    assert_eq!(bench.redeem(LINK, &verdict).map(drop), Err(Refusal::Expired));
    for (caller, id, ticket) in [(SCREEN, id, &ticket), (LINK, other, &other_ticket), (LINK, open.id, &ticket)] {
        assert_eq!(bench.set_password(caller, id, ticket.expose(), PASSWORD), Err(Refusal::Expired));
    }
    assert_eq!(bench.type_code(LINK, open.id, &mailed(&open).1).map(drop), Err(Refusal::Expired));
    assert_eq!(bench.state(), before);
    assert_eq!(bench.log_in(PASSWORD).map(drop), Err(Refusal::NotLoggedIn));
    assert!(bench.log_in(OTHER_PASSWORD).is_ok());
}

#[test]
fn a_confirmation_is_no_reset_and_a_reset_no_confirmation() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let confirmation = bench.open_confirmation(token.expose(), 0).unwrap();
    let reset = bench.open(SCREEN).unwrap();
    assert_eq!(received(confirmation.request().unwrap()).contents.ask.purpose().number(), 3);
    assert_eq!(received(reset.request().unwrap()).contents.ask.purpose().number(), 1);

    for caller in [SCREEN, LINK] {
        let outcome = bench.verdict(caller, confirmation.id, &mailed(&confirmation).1).map(drop);
        assert_eq!(outcome, Err(Refusal::Expired));
    }
    let confirming = bench.confirmation_verdict(token.expose(), 0, &mailed(&confirmation).1).unwrap();
    let resetting = bench.verdict(SCREEN, reset.id, &mailed(&reset).1).unwrap();
    assert_eq!(bench.redeem(SCREEN, &confirming).map(drop), Err(Refusal::Expired));
    assert_eq!(bench.confirm(token.expose(), &resetting), Err(Refusal::Expired));
    bench.confirm(token.expose(), &confirming).unwrap();
    bench.redeem(SCREEN, &resetting).unwrap();
}

#[test]
fn every_request_differs() {
    let mut bench = Bench::activated();
    let (one, two) = (bench.open(SCREEN).unwrap(), bench.open(SCREEN).unwrap());
    assert_ne!(one.id, two.id);
    let (one, two) = (received(one.request().unwrap()), received(two.request().unwrap()));
    assert_ne!(one.nonce, two.nonce);
    assert_ne!(one.contents.code, two.contents.code);
}
