use sparekey_device::{Caller, EventKind, Refusal, Typed, ways::Readiness, ways::Way, ways::Why};
use sparekey_protocol::Code;

use crate::kit::{Bench, LINK, NAME, OTHER_PASSWORD, PASSWORD, SCREEN, keep, mailed, wrong};

const CLOSED: Refusal = Refusal::MethodNotReady(Why::TooManyWrongCodes);

#[test]
fn five_a_request() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    for tries_left in (0..5).rev() {
        let outcome = bench.type_code(SCREEN, opened.id, &wrong(&opened)).map(drop);
        assert_eq!(outcome, Err(Refusal::WrongProof { tries_left }));
    }
    for code in [wrong(&opened), mailed(&opened).1] {
        let before = bench.state();
        let outcome = bench.type_code(SCREEN, opened.id, &code).map(drop);
        assert_eq!(outcome, Err(Refusal::TooManyTries { retry_after: 60 }));
        assert_eq!(bench.state(), before);
    }
}

#[test]
fn the_fifth_may_be_right() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    for _ in 0..4 {
        bench.type_code(SCREEN, opened.id, &wrong(&opened)).unwrap_err();
    }
    let ticket = bench.type_code(SCREEN, opened.id, &mailed(&opened).1).unwrap();
    bench.set_password(SCREEN, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    assert!(bench.log_in(OTHER_PASSWORD).is_ok());
}

#[test]
fn a_try_counts_before_its_code_is_looked_at() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    for taken in 1..=5 {
        let now = bench.now();
        let typed = Typed::Code(Code::parse("12345678").unwrap());
        keep(&mut bench.vault, bench.device.take_try(now, SCREEN, opened.id, typed).unwrap());
        // The power fails before anybody learns whether it was right.
        bench.restart();
        let now = bench.now();
        assert_eq!(bench.device.recovery(now, SCREEN, opened.id).unwrap().tries_left, 5 - taken);
    }
    let outcome = bench.type_code(SCREEN, opened.id, &mailed(&opened).1).map(drop);
    assert!(matches!(outcome, Err(Refusal::TooManyTries { .. })), "{outcome:?}");
}

/// As many wrong codes in a row as the callers of this kind are let type.
fn close(bench: &mut Bench, caller: Caller) -> u32 {
    let mut typed = 0;
    loop {
        match bench.open(caller) {
            Ok(opened) => {
                while let Err(Refusal::WrongProof { .. }) =
                    bench.type_code(caller, opened.id, &wrong(&opened)).map(drop)
                {
                    typed += 1;
                }
            }
            Err(Refusal::TooManyTries { retry_after }) => bench.run(retry_after),
            Err(refusal) => {
                assert_eq!(refusal, CLOSED);
                return typed;
            }
        }
    }
}

#[test]
fn a_hundred_in_a_row_close_the_way_for_callers_of_that_kind() {
    for (closed, open) in [(LINK, SCREEN), (SCREEN, LINK)] {
        let mut bench = Bench::activated();
        let kept = bench.open(open).unwrap();
        assert_eq!(close(&mut bench, closed), 100);
        let readiness = |caller| bench.device.way(caller, Way::Email).readiness;
        assert_eq!(readiness(closed), Readiness::NotReady(Why::TooManyWrongCodes));
        assert_eq!(readiness(open), Readiness::Unproven);
        assert_eq!(bench.device.events().last().unwrap().kind, EventKind::WrongCode);
        assert!(bench.device.events().iter().any(|event| event.kind == EventKind::CodesClosed));

        bench.restart();
        bench.run(100_000);
        assert_eq!(bench.open(closed).map(drop), Err(CLOSED));
        assert_eq!(bench.type_code(closed, kept.id, &mailed(&kept).1).map(drop), Err(CLOSED));
        bench.open(open).unwrap();
    }
}

#[test]
fn a_login_opens_it_again() {
    let mut bench = Bench::activated();
    close(&mut bench, LINK);
    close(&mut bench, SCREEN);
    bench.log_in_as(LINK, NAME, OTHER_PASSWORD).unwrap_err();
    assert_eq!(bench.open(SCREEN).map(drop), Err(CLOSED));
    bench.log_in_as(LINK, NAME, PASSWORD).unwrap();
    for caller in [SCREEN, LINK] {
        bench.prove(caller);
    }
}

#[test]
fn a_reset_from_the_screen_opens_the_link_again() {
    let mut bench = Bench::activated();
    close(&mut bench, LINK);
    let (id, ticket) = bench.prove(SCREEN);
    assert_eq!(bench.open(LINK).map(drop), Err(CLOSED));
    bench.set_password(SCREEN, id, ticket.expose(), OTHER_PASSWORD).unwrap();
    bench.prove(LINK);
}

#[test]
fn a_right_code_begins_the_row_anew() {
    let mut bench = Bench::activated();
    for _ in 0..25 {
        let opened = bench.open(LINK).unwrap();
        for _ in 0..4 {
            bench.type_code(LINK, opened.id, &wrong(&opened)).unwrap_err();
        }
        bench.type_code(LINK, opened.id, &mailed(&opened).1).unwrap();
    }
    assert_eq!(close(&mut bench, LINK), 100);
}

#[test]
fn the_hundredth_may_be_right() {
    let mut bench = Bench::activated();
    let mut typed = 0;
    let last = loop {
        match bench.open(SCREEN) {
            Ok(opened) => {
                while typed < 99
                    && bench
                        .type_code(SCREEN, opened.id, &wrong(&opened))
                        .is_err_and(|refusal| matches!(refusal, Refusal::WrongProof { .. }))
                {
                    typed += 1;
                }
                if typed == 99 {
                    break opened;
                }
            }
            Err(Refusal::TooManyTries { retry_after }) => bench.run(retry_after),
            Err(refusal) => panic!("{refusal:?}"),
        }
    };
    bench.type_code(SCREEN, last.id, &mailed(&last).1).unwrap();
    bench.prove(SCREEN);
}
