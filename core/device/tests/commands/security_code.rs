//! Security code: a question read out by telephone.

use sparekey_device::{
    Policy, RecoveryView, Refusal, Shows,
    ways::{Readiness, Way, Why},
};

use crate::kit::{Bench, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, enrolment};

fn switched_on() -> Bench {
    let mut bench = Bench::with(Policy::default(), true);
    bench.activate(SCREEN, &[]).unwrap();
    let token = bench.log_in(PASSWORD).unwrap();
    bench.switch(&token, Way::SecurityCode, true);
    bench
}

/// What the desk reads back.
fn answer(view: &RecoveryView) -> String {
    let Shows::SecurityCode(question) = view.parts[0].shows else { panic!("no question: {view:?}") };
    question.answer(&enrolment()).expose().to_owned()
}

#[test]
fn off_until_both_sides_turned_it_on() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    assert_eq!(bench.readiness(Way::SecurityCode), Readiness::NotReady(Why::SwitchedOff));
    bench.switch(&token, Way::SecurityCode, true);
    assert_eq!(bench.readiness(Way::SecurityCode), Readiness::NotReady(Why::NotEnrolled));
    let bench = switched_on();
    assert_eq!(bench.readiness(Way::SecurityCode), Readiness::Unproven);
}

#[test]
fn the_answer_to_its_own_question_resets() {
    let mut bench = switched_on();
    let (one, two) = (
        bench.open_by(LINK, Way::SecurityCode.into()).unwrap(),
        bench.open_by(LINK, Way::SecurityCode.into()).unwrap(),
    );
    bench.restart();
    let now = bench.now();
    let shown = bench.device.recovery(now, LINK, one.id).unwrap();
    assert_eq!(answer(&shown), answer(&one), "the question stays over a restart");
    let outcome = bench.type_code(LINK, one.id, &answer(&two)).map(drop);
    assert_eq!(outcome, Err(Refusal::WrongProof { tries_left: 4 }));
    let ticket = bench.type_code(LINK, one.id, &answer(&one)).unwrap();
    bench.set_password(LINK, one.id, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn its_tries_are_those_of_all_codes() {
    let mut bench = switched_on();
    let opened = bench.open_by(SCREEN, Way::SecurityCode.into()).unwrap();
    let wrong = if answer(&opened) == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..5 {
        bench.type_code(SCREEN, opened.id, wrong).unwrap_err();
    }
    let wait = Err(Refusal::TooManyTries { retry_after: 60 });
    assert_eq!(bench.type_code(SCREEN, opened.id, &answer(&opened)).map(drop), wait);
    assert_eq!(bench.open_by(SCREEN, Way::SecurityCode.into()).map(drop), wait);
}
