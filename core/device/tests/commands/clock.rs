//! The device's clock may say what it likes.

use sparekey_device::Refusal;

use crate::kit::{Bench, CODE_SECONDS, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, mailed, received, wrong};

/// A long story of tries, waits, restarts and expiry; the clock shows the next of these times at each step.
fn story(clock: &[u64]) -> Vec<Result<String, Refusal>> {
    let mut told = Vec::new();
    let mut bench = Bench::activated();
    let mut clock = clock.iter().cycle();
    let mut next = |bench: &mut Bench| bench.clock = *clock.next().unwrap();
    let said = |outcome: Result<(), Refusal>| outcome.map(|()| "done".to_owned());
    for round in 0..8 {
        for caller in [SCREEN, LINK] {
            next(&mut bench);
            let Ok(opened) = bench.open(caller).inspect_err(|refusal| told.push(Err(*refusal))) else {
                bench.run(30);
                continue;
            };
            told.push(Ok(format!("{} {}", opened.tries_left, opened.expires_in)));
            for _ in 0..round % 6 {
                next(&mut bench);
                told.push(said(bench.type_code(caller, opened.id, &wrong(&opened)).map(drop)));
            }
            next(&mut bench);
            let now = bench.now();
            told.push(bench.device.recovery(now, caller, opened.id).map(|view| view.expires_in.to_string()));
            if round % 3 == 0 {
                bench.restart();
            }
            bench.run(if round == 5 { CODE_SECONDS - 60 } else { 100 });
            next(&mut bench);
            told.push(said(bench.type_code(caller, opened.id, &mailed(&opened).1).map(drop)));
        }
    }
    next(&mut bench);
    bench.run(3_600);
    let (id, ticket) = bench.prove(SCREEN);
    bench.run(599);
    next(&mut bench);
    told.push(said(bench.set_password(SCREEN, id, ticket.expose(), OTHER_PASSWORD)));
    told.push(said(bench.log_in(PASSWORD).map(drop)));
    told.push(said(bench.log_in(OTHER_PASSWORD).map(drop)));
    told
}

#[test]
fn changes_neither_waits_nor_expiry() {
    let right = story(&[1_800_000_000]);
    assert!(right.iter().any(|outcome| matches!(outcome, Err(Refusal::TooManyTries { .. }))));
    for clock in [&[0][..], &[u64::MAX], &[u64::MAX, 0], &[1_800_000_000, 0, 4_000_000_000, 1]] {
        assert_eq!(story(clock), right, "{clock:?}");
    }
}

#[test]
fn goes_into_the_request_as_it_is() {
    let mut bench = Bench::activated();
    for clock in [0, 1_800_000_000, u64::MAX] {
        bench.clock = clock;
        let contents = received(bench.open(SCREEN).unwrap().request().unwrap()).contents;
        assert_eq!(contents.device_time.0, clock);
    }
}
