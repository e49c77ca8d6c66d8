use sparekey_device::Refusal;

use crate::kit::{Bench, CODE_SECONDS, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, mailed, wrong};

fn wait_left(bench: &mut Bench) -> u64 {
    match bench.open(SCREEN).map(drop) {
        Err(Refusal::TooManyTries { retry_after }) => retry_after,
        other => panic!("no wait: {other:?}"),
    }
}

#[test]
fn three_are_open_and_the_fourth_waits_then_takes_the_place_of_the_oldest() {
    let mut bench = Bench::activated();
    let open: Vec<_> = (0..3).map(|_| bench.open(SCREEN).unwrap()).collect();
    let before = bench.state();
    assert_eq!(wait_left(&mut bench), 60);
    assert_eq!(bench.state(), before);
    bench.run(59);
    assert_eq!(wait_left(&mut bench), 1);
    bench.run(1);
    let fourth = bench.open(SCREEN).unwrap();

    assert_eq!(bench.type_code(SCREEN, open[0].id, &mailed(&open[0]).1).map(drop), Err(Refusal::Expired));
    for opened in open[1..].iter().chain([&fourth]) {
        let now = bench.now();
        assert_eq!(bench.device.recovery(now, SCREEN, opened.id).unwrap().tries_left, 5);
    }
}

#[test]
fn one_that_was_proven_is_not_dropped_for_another() {
    let mut bench = Bench::activated();
    let (proven, ticket) = bench.prove(LINK);
    for _ in 0..3 {
        bench.open(LINK).unwrap();
    }
    bench.run(60);
    bench.open(LINK).unwrap();
    bench.set_password(LINK, proven, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn waits_grow_and_are_forgotten_after_a_day() {
    let mut bench = Bench::activated();
    for _ in 0..3 {
        bench.open(SCREEN).unwrap();
    }
    // Opened again as soon as may be, three stay open: codes live for 30 minutes, so the last wait outlives them.
    for wait in [60, 300, 900, 3_600] {
        assert_eq!(wait_left(&mut bench), wait);
        bench.run(wait);
        bench.open(SCREEN).unwrap();
    }
    for _ in 0..2 {
        bench.open(SCREEN).unwrap();
    }
    assert_eq!(wait_left(&mut bench), 3_600);
    bench.run(86_400);
    for _ in 0..3 {
        bench.open(SCREEN).unwrap();
    }
    assert_eq!(wait_left(&mut bench), 60);
}

#[test]
fn five_wrong_codes_begin_a_wait_too() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    for _ in 0..5 {
        bench.type_code(SCREEN, opened.id, &wrong(&opened)).unwrap_err();
    }
    assert_eq!(wait_left(&mut bench), 60);
    bench.run(60);
    bench.open(SCREEN).unwrap();
}

#[test]
fn a_restart_never_shortens_a_wait() {
    let mut bench = Bench::activated();
    for _ in 0..3 {
        bench.open(SCREEN).unwrap();
    }
    bench.run(60);
    bench.open(SCREEN).unwrap();
    for _ in 0..50 {
        bench.up += 59;
        bench.restart();
        assert_eq!(wait_left(&mut bench), 300);
    }
    bench.run(299);
    assert_eq!(wait_left(&mut bench), 1);
    bench.run(1);
    bench.open(SCREEN).unwrap();
}

#[test]
fn whoever_shows_to_be_the_owner_waits_no_more() {
    let waiting = || {
        let mut bench = Bench::activated();
        let opened = [(); 3].map(|()| bench.open(SCREEN).unwrap());
        wait_left(&mut bench);
        (bench, opened)
    };
    let (mut bench, _) = waiting();
    bench.log_in(PASSWORD).unwrap();
    bench.open(SCREEN).unwrap();

    let (mut bench, [_, opened, _]) = waiting();
    let ticket = bench.type_code(SCREEN, opened.id, &mailed(&opened).1).unwrap();
    bench.open(SCREEN).unwrap();
    bench.set_password(SCREEN, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    bench.open(SCREEN).unwrap();
}

#[test]
fn waits_of_the_link_are_not_those_of_the_screen() {
    let mut bench = Bench::activated();
    for _ in 0..3 {
        bench.open(LINK).unwrap();
    }
    assert_eq!(bench.open(LINK).map(drop), Err(Refusal::TooManyTries { retry_after: 60 }));
    for _ in 0..3 {
        bench.open(SCREEN).unwrap();
    }
    assert_eq!(wait_left(&mut bench), 60);
}

#[test]
fn requests_that_ended_make_room() {
    let mut bench = Bench::activated();
    for _ in 0..10 {
        for _ in 0..2 {
            bench.open(SCREEN).unwrap();
        }
        bench.run(CODE_SECONDS);
    }
}
