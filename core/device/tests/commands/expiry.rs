use sparekey_device::Refusal;

use crate::kit::{Bench, CODE_SECONDS, OTHER_PASSWORD, PASSWORD, SCREEN, mailed};

const TICKET_SECONDS: u64 = 600;

#[test]
fn a_code_is_good_for_thirty_minutes_of_running_time() {
    for (passed, good) in [(0, true), (CODE_SECONDS - 1, true), (CODE_SECONDS, false), (CODE_SECONDS * 100, false)] {
        let mut bench = Bench::activated();
        let opened = bench.open(SCREEN).unwrap();
        assert_eq!(opened.expires_in, CODE_SECONDS);
        bench.run(passed);
        let outcome = bench.type_code(SCREEN, opened.id, &mailed(&opened).1).map(drop);
        assert_eq!(outcome, if good { Ok(()) } else { Err(Refusal::Expired) }, "{passed}");
    }
}

#[test]
fn it_survives_a_restart_and_pays_a_minute_for_it() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    for starts in 1..=5 {
        bench.restart();
        let now = bench.now();
        let view = bench.device.recovery(now, SCREEN, opened.id).unwrap();
        assert_eq!(view.expires_in, CODE_SECONDS - starts * 60);
        assert_eq!(view.qr_text(), opened.qr_text());
        assert_eq!(view.masked_address(), Some("o••••@e••••.org"));
    }
    bench.type_code(SCREEN, opened.id, &mailed(&opened).1).unwrap();
}

#[test]
fn restarts_never_lengthen_it() {
    // The power fails just before each minute is stored.
    for hidden in [0, 1, 30, 59] {
        let mut bench = Bench::activated();
        let opened = bench.open(SCREEN).unwrap();
        let mut passed = 0;
        loop {
            let now = bench.now();
            match bench.device.recovery(now, SCREEN, opened.id) {
                Ok(view) => assert!(passed + view.expires_in <= CODE_SECONDS, "{hidden}: {passed}"),
                Err(refusal) => break assert_eq!(refusal, Refusal::Expired),
            }
            bench.up += hidden;
            passed += hidden;
            bench.restart();
        }
        assert!(passed <= CODE_SECONDS);
        assert_eq!(bench.type_code(SCREEN, opened.id, &mailed(&opened).1).map(drop), Err(Refusal::Expired));
    }
}

#[test]
fn a_verdict_that_comes_too_late_is_worth_nothing() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    bench.run(CODE_SECONDS - 1);
    let right = bench.verdict(SCREEN, opened.id, &mailed(&opened).1).unwrap();
    bench.run(1);
    assert_eq!(bench.redeem(SCREEN, &right).map(drop), Err(Refusal::Expired));
}

#[test]
fn a_ticket_is_good_for_ten_minutes() {
    for (passed, restarts, good) in [
        (0, 0, true),
        (TICKET_SECONDS - 1, 0, true),
        (TICKET_SECONDS, 0, false),
        (0, 9, true),
        (0, 10, false),
        (TICKET_SECONDS - 61, 1, true),
        (TICKET_SECONDS - 60, 1, false),
    ] {
        let mut bench = Bench::activated();
        // Proven in the last second of its code: from then on the ticket's time counts.
        let opened = bench.open(SCREEN).unwrap();
        bench.run(CODE_SECONDS - 1);
        let ticket = bench.type_code(SCREEN, opened.id, &mailed(&opened).1).unwrap();
        bench.run(passed);
        bench.tick();
        for _ in 0..restarts {
            bench.restart();
        }
        let now = bench.now();
        let checked = bench.device.check_ticket(now, SCREEN, opened.id, ticket.expose());
        let outcome = bench.set_password(SCREEN, opened.id, ticket.expose(), OTHER_PASSWORD);
        assert_eq!(outcome, if good { Ok(()) } else { Err(Refusal::Expired) }, "{passed} {restarts}");
        assert_eq!(checked, outcome);
        assert_eq!(bench.log_in(PASSWORD).is_ok(), !good);
    }
}

#[test]
fn the_life_of_a_code_has_bounds() {
    use sparekey_device::Policy;
    for (seconds, allowed) in [(599, false), (600, true), (86_400, true), (86_401, false)] {
        assert_eq!(Policy::new(seconds).is_some(), allowed, "{seconds}");
    }
}
