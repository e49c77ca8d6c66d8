//! Through the desk: a grant, or the digits; and every grant that is none.

use sparekey_device::{Progress, RecoveryView, Refusal, Shows, Typed, ways::Way};
use sparekey_protocol::{
    CaseNumber, Code, DeviceId, Nonce, SigningKey, Time,
    grant::{self, Grant},
    log::{Checkpoint, LogProof},
};

use crate::kit::{Bench, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, grant_key, identity, log_key, received};

/// What the desk grants for a request, at this time.
fn grant(view: &RecoveryView, issued_at: u64) -> Grant {
    Grant {
        device: identity().device_id(),
        nonce: received(view.request().unwrap()).nonce,
        issued_at: Time(issued_at),
        not_after: Time(issued_at + Grant::LIFE),
        case: CaseNumber::new("2026-000001").unwrap(),
    }
}

/// The file's payload: signed, and in a log of its own.
fn bundle(grant: &Grant, signer: &SigningKey, log: &SigningKey) -> Typed {
    let signed = grant.sign(signer);
    let root = grant.leaf(&signed).hash();
    let checkpoint = Checkpoint { origin: "example".to_owned(), size: 1, root }.sign(log);
    Typed::Grant(grant::bundle(&signed, &LogProof { index: 0, path: Vec::new(), checkpoint: &checkpoint }))
}

fn granted(view: &RecoveryView, bench: &Bench) -> Typed {
    bundle(&grant(view, bench.clock), &grant_key(), &log_key())
}

fn digits(view: &RecoveryView) -> String {
    received(view.request().unwrap()).contents.code.expose().to_owned()
}

#[test]
fn a_grant_resets_once_two_days_later_and_over_restarts() {
    let mut bench = Bench::activated();
    let opened = bench.open_by(LINK, Way::Desk.into()).unwrap();
    assert_eq!(opened.expires_in, 48 * 3_600);
    assert!(matches!(opened.parts[0].shows, Shows::Desk { .. }));
    assert_eq!(received(opened.request().unwrap()).contents.ask.purpose().number(), 2);
    bench.run(47 * 3_600);
    for _ in 0..59 {
        bench.restart();
    }
    let ticket = bench.give_last(LINK, opened.id, granted(&opened, &bench)).unwrap();
    bench.set_password(LINK, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();

    let again = bench.open_by(LINK, Way::Desk.into()).unwrap();
    let outcome = bench.give_last(LINK, again.id, granted(&opened, &bench)).map(drop);
    assert_eq!(outcome, Err(Refusal::NotForThisDevice), "the request that it answers is over");
}

#[test]
fn the_digits_reset_too() {
    let mut bench = Bench::activated();
    let opened = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    let ticket = bench.type_code(SCREEN, opened.id, &digits(&opened)).unwrap();
    bench.set_password(SCREEN, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn it_expires_after_48_hours_of_running_time() {
    let mut bench = Bench::activated();
    let opened = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    bench.run(48 * 3_600 - 1);
    let late = bench.verdict_on(SCREEN, opened.id, granted(&opened, &bench)).unwrap();
    bench.run(1);
    assert_eq!(bench.redeem(SCREEN, &late).map(drop), Err(Refusal::Expired));
    assert_eq!(bench.give_last(SCREEN, opened.id, granted(&opened, &bench)).map(drop), Err(Refusal::Expired));
}

#[test]
fn a_further_export_is_the_same_request() {
    let mut bench = Bench::activated();
    let opened = bench.open_by(LINK, Way::Desk.into()).unwrap();
    bench.restart();
    for _ in 0..10 {
        let again = bench.open_by(LINK, Way::Desk.into()).unwrap();
        assert_eq!((again.id, again.request()), (opened.id, opened.request()));
    }
    let at_screen = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    assert_ne!(at_screen.id, opened.id);
    // Exported on a PC, handed over at the screen.
    let ticket = bench.give_last(SCREEN, at_screen.id, granted(&opened, &bench)).unwrap();
    bench.set_password(SCREEN, at_screen.id, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn wrong_digits_close_the_digits_and_never_the_grant() {
    let mut bench = Bench::activated();
    let first = bench.open_by(LINK, Way::Desk.into()).unwrap();
    // A stranger on the link uses up whatever is offered, until the code ways are closed there.
    let mut typed = 0;
    while typed < 100 {
        let opened = bench.open_by(LINK, Way::Desk.into()).unwrap();
        let wrong = if digits(&opened) == "00000000" { "00000001" } else { "00000000" };
        match bench.type_code(LINK, opened.id, wrong).map(drop) {
            Err(Refusal::WrongProof { .. }) => typed += 1,
            // All three requests are used up. Other code ways are there to be guessed at, but not these.
            Err(Refusal::TooManyTries { .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(typed, 15);
    let ticket = bench.give_last(LINK, first.id, granted(&first, &bench)).unwrap();
    bench.set_password(LINK, first.id, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn a_grant_that_is_none_is_refused_for_its_reason() {
    let mut bench = Bench::activated();
    let opened = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    let (right, other) = (grant(&opened, bench.clock), SigningKey::from_seed(&[99; 32]));
    let unproven = grant::bundle(
        &right.sign(&grant_key()),
        &LogProof { index: 0, path: Vec::new(), checkpoint: "example\n1\nAAAA\n\n" },
    );
    let cases = [
        ("signed by another", bundle(&right, &other, &log_key()), Refusal::WrongProof { tries_left: 6 }),
        ("in another log", bundle(&right, &grant_key(), &other), Refusal::NotInLog),
        ("without its proof", Typed::Grant(right.sign(&grant_key())), Refusal::NotInLog),
        ("with a made-up proof", Typed::Grant(unproven), Refusal::NotInLog),
        (
            "for another device",
            bundle(&Grant { device: DeviceId([7; 16]), ..right.clone() }, &grant_key(), &log_key()),
            Refusal::NotForThisDevice,
        ),
        (
            "for another request",
            bundle(&Grant { nonce: Nonce([7; 16]), ..right.clone() }, &grant_key(), &log_key()),
            Refusal::NotForThisDevice,
        ),
    ];
    for (name, typed, refusal) in cases {
        assert_eq!(bench.give_last(SCREEN, opened.id, typed).map(drop), Err(refusal), "{name}");
    }
    assert_eq!(bench.give_last(SCREEN, opened.id, Typed::Grant(vec![1, 2, 3])).map(drop), Err(Refusal::Malformed));
    // Seven wrong files: the right one waits, and comes in.
    let wait = Err(Refusal::TooManyTries { retry_after: 1_800 });
    assert_eq!(bench.give_last(SCREEN, opened.id, granted(&opened, &bench)).map(drop), wait);
    bench.run(1_800);
    bench.give_last(SCREEN, opened.id, granted(&opened, &bench)).unwrap();
}

/// What a desk hands out when it approved several requests at once.
#[test]
fn the_device_finds_its_own_grant_in_a_batch_as_one_try() {
    let mut bench = Bench::activated();
    let opened = bench.open_by(LINK, Way::Desk.into()).unwrap();
    let own = grant(&opened, bench.clock);
    let plain = |typed: Typed| if let Typed::Grant(bundle) = typed { bundle } else { unreachable!() };
    let signed = |grant: &Grant| plain(bundle(grant, &grant_key(), &log_key()));
    let of_other = |n: u8| signed(&Grant { device: DeviceId([n; 16]), ..own.clone() });
    let others = || (1..100).map(of_other).collect::<Vec<_>>();
    let stale = signed(&Grant { nonce: Nonce([7; 16]), ..own.clone() });
    let forged = plain(bundle(&own, &SigningKey::from_seed(&[99; 32]), &log_key()));

    let none = |grants: Vec<Vec<u8>>| Typed::Grants(grants);
    let mut outcome = |grants| bench.give_last(LINK, opened.id, none(grants)).map(drop);
    assert_eq!(outcome(others()), Err(Refusal::NotForThisDevice));
    assert_eq!(outcome(Vec::new()), Err(Refusal::NotForThisDevice));
    assert_eq!(outcome([others(), vec![vec![1, 2, 3], stale.clone()]].concat()), Err(Refusal::NotForThisDevice));
    assert_eq!(outcome([others(), vec![forged.clone()]].concat()), Err(Refusal::WrongProof { tries_left: 3 }));
    // Long batches of one's own cost no more than a few signatures: the right one is not looked for beyond them.
    let crowd = [vec![forged.clone(); 6], vec![signed(&own)]].concat();
    assert_eq!(outcome(crowd), Err(Refusal::WrongProof { tries_left: 2 }));
    let batch = [others(), vec![stale, forged, signed(&own)], others()].concat();
    bench.give_last(LINK, opened.id, none(batch)).unwrap();
}

#[test]
fn an_altered_grant_is_refused_wherever_it_was_altered() {
    let mut bench = Bench::activated();
    let opened = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    let Typed::Grant(right) = granted(&opened, &bench) else { unreachable!() };
    for at in 0..right.len() {
        let mut altered = right.clone();
        altered[at] ^= 1;
        match bench.give_last(SCREEN, opened.id, Typed::Grant(altered)).map(drop) {
            Err(Refusal::TooManyTries { retry_after }) => bench.run(retry_after),
            outcome => assert!(outcome.is_err(), "byte {at}"),
        }
        if bench.up > 40 * 3_600 {
            break;
        }
    }
}

#[test]
fn the_clock_counts_where_it_is_set() {
    let issued = 1_800_000_000;
    for (clock, good) in [(0, true), (issued, true), (issued + 24 * 3_600, true), (issued + 24 * 3_600 + 1, false)] {
        let mut bench = Bench::activated();
        let opened = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
        let typed = bundle(&grant(&opened, issued), &grant_key(), &log_key());
        bench.clock = clock;
        let outcome = bench.give_last(SCREEN, opened.id, typed).map(drop);
        assert_eq!(outcome, if good { Ok(()) } else { Err(Refusal::Expired) }, "{clock}");
    }
}

#[test]
fn a_grant_for_a_test_resets_nothing_and_one_for_a_reset_tests_nothing() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let test = bench.open_test(&token, Way::Desk.into()).unwrap();
    let reset = bench.open_by(SCREEN, Way::Desk.into()).unwrap();
    assert_ne!(test.request(), reset.request());
    let outcome = bench.give_last(SCREEN, reset.id, granted(&test, &bench)).map(drop);
    assert_eq!(outcome, Err(Refusal::NotForThisDevice));
    let outcome = bench.give(SCREEN, test.id, granted(&reset, &bench)).map(drop);
    assert_eq!(outcome, Err(Refusal::NotForThisDevice));
    assert!(matches!(bench.give(SCREEN, test.id, granted(&test, &bench)), Ok(Progress::Tested)));
    let code = Typed::Code(Code::parse(&digits(&test)).unwrap());
    assert_eq!(bench.give(SCREEN, test.id, code).map(drop), Err(Refusal::Expired), "it is over");
}
