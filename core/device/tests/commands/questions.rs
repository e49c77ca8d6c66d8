//! Security questions: all three or nothing, and what a maker may ask of them.

use sparekey_device::{
    Asked, Caller, EventKind, Policy, Progress, QuestionsPolicy, Refusal, Typed,
    ways::{Answers, QuestionId, Readiness, Way, Why},
};
use sparekey_protocol::Code;

use crate::kit::{Bench, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, mailed};

const RIGHT: [(u8, &str); 3] = [(3, "Rex"), (11, "Blue"), (20, "Lisbon")];

fn typed(answers: &[(u8, &str)]) -> Typed {
    Typed::Answers(Answers::new(answers).unwrap())
}

fn with_questions(policy: QuestionsPolicy) -> Bench {
    let mut bench = Bench::with(Policy::default().with_questions(policy), false);
    bench.activate(SCREEN, &["owner@example.org"]).unwrap();
    let token = bench.log_in(PASSWORD).unwrap();
    bench.set_questions(&token, Some(&RIGHT)).unwrap();
    bench
}

#[test]
fn all_three_reset() {
    let mut bench = with_questions(QuestionsPolicy::Allowed);
    bench.restart();
    let opened = bench.open_by(SCREEN, Way::Questions.into()).unwrap();
    assert_eq!(bench.device.questions().unwrap().map(QuestionId::number), [3, 11, 20]);
    for (n, wrong) in [
        [(3, "Max"), (11, "blue"), (20, "lisbon")],
        [(3, "rex"), (11, "red"), (20, "lisbon")],
        [(3, "rex"), (11, "blue"), (20, "porto")],
        [(3, "rex"), (11, "blue"), (19, "lisbon")],
    ]
    .iter()
    .enumerate()
    {
        // Whichever of them is wrong, the answer is the same.
        let outcome = bench.give_last(SCREEN, opened.id, typed(wrong)).map(drop);
        assert_eq!(outcome, Err(Refusal::WrongProof { tries_left: 4 - u8::try_from(n).unwrap() }));
    }
    let ticket = bench.give_last(SCREEN, opened.id, typed(&[(20, " LISBON "), (3, "rex"), (11, "blue")])).unwrap();
    bench.set_password(SCREEN, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    bench.log_in(OTHER_PASSWORD).unwrap();
    assert_eq!(bench.readiness(Way::Questions), Readiness::Ready, "they survive, and were just found to work");
}

/// As many wrong sets as callers of this kind are let type, and the seconds that it took.
fn close(bench: &mut Bench, caller: Caller) -> (u32, u64) {
    let (mut count, mut waited) = (0, 0);
    loop {
        match bench.open_by(caller, Way::Questions.into()) {
            Ok(opened) => loop {
                let wrong = typed(&[(3, "a"), (11, "b"), (20, "c")]);
                match bench.give_last(caller, opened.id, wrong).map(drop) {
                    Err(Refusal::WrongProof { .. }) => count += 1,
                    _ => break,
                }
            },
            Err(Refusal::TooManyTries { retry_after }) => {
                bench.run(retry_after);
                waited += retry_after;
            }
            Err(refusal) => {
                assert_eq!(refusal, Refusal::MethodNotReady(Why::TooManyWrongAnswers));
                return (count, waited);
            }
        }
    }
}

#[test]
fn twenty_wrong_sets_close_them_for_callers_of_that_kind() {
    let mut bench = with_questions(QuestionsPolicy::Allowed);
    assert_eq!(close(&mut bench, LINK), (20, 300 + 1_800 + 4 * 3_600));
    assert!(bench.device.events().iter().any(|event| event.kind == EventKind::AnswersClosed));
    bench.restart();
    assert_eq!(bench.device.way(LINK, Way::Questions).readiness, Readiness::NotReady(Why::TooManyWrongAnswers));
    // Neither the screen nor another way is closed with them.
    assert_eq!(bench.readiness(Way::Questions), Readiness::Unproven);
    bench.open(LINK).unwrap();
    bench.log_in(PASSWORD).unwrap();
    bench.open_by(LINK, Way::Questions.into()).unwrap();
}

#[test]
fn a_maker_may_forbid_them() {
    let mut bench = Bench::with(Policy::default().with_questions(QuestionsPolicy::Forbidden), false);
    bench.activate(SCREEN, &[]).unwrap();
    let token = bench.log_in(PASSWORD).unwrap();
    let forbidden = Err(Refusal::MethodNotReady(Why::Forbidden));
    assert_eq!(bench.set_questions(&token, Some(&RIGHT)), forbidden);
    assert_eq!(bench.open_by(SCREEN, Way::Questions.into()).map(drop), forbidden);

    // Set before the policy came with newer firmware: they are of no use then.
    let mut bench = with_questions(QuestionsPolicy::Allowed);
    bench.policy = Policy::default().with_questions(QuestionsPolicy::Forbidden);
    bench.restart();
    assert_eq!(bench.open_by(SCREEN, Way::Questions.into()).map(drop), forbidden);
}

#[test]
fn a_maker_may_ask_for_a_second_way() {
    let mut bench = with_questions(QuestionsPolicy::BesideAnotherWay);
    let opened = bench.open_by(SCREEN, Way::Questions.into()).unwrap();
    assert_eq!(opened.parts.iter().map(|part| part.way).collect::<Vec<_>>(), [Way::Questions, Way::Email]);
    assert!(matches!(bench.give(SCREEN, opened.id, typed(&RIGHT)).unwrap(), Progress::More));
    let again = bench.give(SCREEN, opened.id, typed(&RIGHT)).map(drop);
    assert_eq!(again, Err(Refusal::Malformed), "a part that is proven takes no more proofs");
    assert_eq!(bench.set_password(SCREEN, opened.id, "", OTHER_PASSWORD), Err(Refusal::Expired));
    bench.restart();
    let now = bench.now();
    let view = bench.device.recovery(now, SCREEN, opened.id).unwrap();
    assert!(!view.proven && view.next_part().unwrap().way == Way::Email);
    let code = Typed::Code(Code::parse(&mailed(&view).1).unwrap());
    let ticket = bench.give_last(SCREEN, opened.id, code).unwrap();
    bench.set_password(SCREEN, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn the_second_way_is_chosen_and_there_must_be_one() {
    let mut bench = with_questions(QuestionsPolicy::BesideAnotherWay);
    let token = bench.log_in(PASSWORD).unwrap();
    bench.make_sheet(&token, 1).unwrap();
    let beside = |beside| Asked { beside: Some(beside), ..Way::Questions.into() };
    let opened = bench.open_by(SCREEN, beside(Way::Sheet)).unwrap();
    assert_eq!(opened.parts[1].way, Way::Sheet);
    for way in [Way::Questions, Way::Desk] {
        let outcome = bench.open_by(SCREEN, beside(way)).map(drop);
        assert_eq!(outcome, Err(Refusal::MethodNotReady(Why::NeedsSecondWay)));
    }
    let outcome = bench.open_by(SCREEN, beside(Way::KeyFile)).map(drop);
    assert_eq!(outcome, Err(Refusal::MethodNotReady(Why::NotSetUp)));
    bench.switch(&token, Way::Email, false);
    bench.switch(&token, Way::Sheet, false);
    assert_eq!(bench.readiness(Way::Questions), Readiness::NotReady(Why::NeedsSecondWay));
}
