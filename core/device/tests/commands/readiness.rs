//! Which ways are ready, why the others are not, and what a dry test changes: nothing.

use sparekey_device::{
    Asked, EventKind, Policy, Progress, Refusal, Typed,
    ways::{ContactRule, FEWEST, Readiness, SheetCode, Way, Why},
};
use sparekey_protocol::{Code, SigningKey};

use crate::kit::{Bench, ELSEWHERE, EMAILS, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, card, mailed, maker, wrong};

fn code(typed: &str) -> Typed {
    Typed::Code(Code::parse(typed).unwrap())
}

/// The reserved email's code, typed for a test.
fn test_email(bench: &mut Bench, contact: usize) {
    let token = bench.log_in(PASSWORD).unwrap();
    let test = bench.open_test(&token, Asked { contact, ..Way::Email.into() }).unwrap();
    let typed = code(&mailed(&test).1);
    assert!(matches!(bench.give(SCREEN, test.id, typed), Ok(Progress::Tested)));
}

#[test]
fn each_way_says_why_it_is_not_ready() {
    let bench = Bench::new();
    for way in bench.device.ways(SCREEN) {
        assert_eq!(way.readiness, Readiness::NotReady(Why::NotActive));
    }
    let bench = Bench::activated();
    let expected = [
        (Way::Email, Readiness::Unproven),
        (Way::Sheet, Readiness::NotReady(Why::NotSetUp)),
        (Way::KeyFile, Readiness::NotReady(Why::NotSetUp)),
        (Way::Desk, Readiness::Unproven),
        (Way::Questions, Readiness::NotReady(Why::NotSetUp)),
        (Way::SecurityCode, Readiness::NotReady(Why::SwitchedOff)),
    ];
    let ways: Vec<_> = bench.device.ways(SCREEN).iter().map(|way| (way.way, way.readiness)).collect();
    assert_eq!(ways, expected);
}

#[test]
fn fewer_than_two_independent_ways_is_too_few() {
    let mut bench = Bench::activated();
    assert_eq!(bench.device.independent_ways(SCREEN), 1, "two emails are one way, and nobody knows if there is a desk");
    assert!(bench.device.independent_ways(SCREEN) < FEWEST);
    let token = bench.log_in(PASSWORD).unwrap();
    bench.make_sheet(&token, 1).unwrap();
    assert_eq!(bench.device.independent_ways(SCREEN), 2);
    bench.export_key_file(&token, PASSWORD).unwrap();
    bench.set_questions(&token, Some(&[(1, "a"), (2, "b"), (3, "c")])).unwrap();
    assert_eq!(bench.device.independent_ways(SCREEN), 4);
    bench.policy = Policy::default().with_questions(sparekey_device::QuestionsPolicy::BesideAnotherWay);
    bench.restart();
    assert_eq!(bench.device.independent_ways(SCREEN), 3, "questions that need another way are none");
}

#[test]
fn a_dry_test_changes_nothing_but_when_it_was_tested() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 1).unwrap();
    let file = bench.export_key_file(&token, PASSWORD).unwrap();
    bench.set_questions(&token, Some(&[(1, "a"), (2, "b"), (3, "c")])).unwrap();
    let typed = |way| match way {
        Way::Sheet => Typed::SheetCode(SheetCode::parse(&codes[0].expose()).unwrap()),
        Way::KeyFile => Typed::KeyFile(file.payload.clone()),
        _ => Typed::Answers(sparekey_device::ways::Answers::new(&[(3, "c"), (2, "b"), (1, "a")]).unwrap()),
    };
    for way in [Way::Sheet, Way::KeyFile, Way::Questions] {
        assert_eq!(bench.device.way(SCREEN, way).tested, None);
        let test = bench.open_test(&token, way.into()).unwrap();
        assert!(test.test);
        assert!(matches!(bench.give(SCREEN, test.id, typed(way)), Ok(Progress::Tested)));
        assert_eq!(bench.device.events().last().unwrap().way, Some(way));
        let view = bench.device.way(SCREEN, way);
        assert_eq!((view.readiness, view.tested.map(|time| time.0)), (Readiness::Ready, Some(bench.clock)));
    }
    assert!(bench.lives(&token));
    // Everything is as good as before.
    bench.restart();
    for way in [Way::Sheet, Way::KeyFile, Way::Questions] {
        let opened = bench.open_by(SCREEN, way.into()).unwrap();
        bench.give_last(SCREEN, opened.id, typed(way)).unwrap();
    }
}

#[test]
fn the_wrong_tries_of_a_test_count_as_those_of_a_recovery() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 1).unwrap();
    let other = || Typed::SheetCode(SheetCode::from_seed(&[1; 10]));
    let test = bench.open_test(&token, Way::Sheet.into()).unwrap();
    for tries_left in (1..5).rev() {
        assert_eq!(bench.give(SCREEN, test.id, other()).map(drop), Err(Refusal::WrongProof { tries_left }));
    }
    // A right one in a test gives back its own try and no other.
    let right = Typed::SheetCode(SheetCode::parse(&codes[0].expose()).unwrap());
    let second = bench.open_test(&token, Way::Sheet.into()).unwrap();
    let opened = bench.open_by(SCREEN, Way::Sheet.into()).unwrap();
    assert_eq!(bench.give(SCREEN, opened.id, other()).map(drop), Err(Refusal::WrongProof { tries_left: 0 }));
    let refused = bench.give(SCREEN, second.id, right).map(drop);
    assert_eq!(refused, Err(Refusal::TooManyTries { retry_after: 60 }));
}

#[test]
fn a_test_is_no_recovery_and_only_for_who_is_logged_in() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let test = bench.open_test(&token, Way::Email.into()).unwrap();
    let typed = mailed(&test).1;
    assert!(matches!(bench.give(SCREEN, test.id, code(&typed)), Ok(Progress::Tested)));
    assert_eq!(bench.set_password(SCREEN, test.id, "", OTHER_PASSWORD), Err(Refusal::Expired));
    let now = bench.now();
    let refused = bench.device.check_test(now, SCREEN, "", Way::Sheet.into());
    assert_eq!(refused, Err(Refusal::NotLoggedIn));
    let refused = bench.device.check_test(now, ELSEWHERE, token.expose(), Way::Email.into());
    assert_eq!(refused, Err(Refusal::NotOnThisLink));
}

#[test]
fn both_contacts_are_asked_where_the_rule_says_so() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let rule = |bench: &mut Bench, rule| {
        bench.as_owner(&token, PASSWORD, |device, now, token, checked| {
            device.set_contact_rule(now, SCREEN, token, checked, rule)
        })
    };
    let unconfirmed = Err(Refusal::MethodNotReady(Why::NotConfirmed));
    assert_eq!(rule(&mut bench, ContactRule::Both), unconfirmed);
    test_email(&mut bench, 0);
    assert_eq!(rule(&mut bench, ContactRule::Both), unconfirmed);
    test_email(&mut bench, 1);
    rule(&mut bench, ContactRule::Both).unwrap();
    assert_eq!(bench.readiness(Way::Email), Readiness::Ready);

    let opened = bench.open(LINK).unwrap();
    let letters: Vec<_> = opened.parts.iter().map(|part| part.shows.request().unwrap().to_vec()).collect();
    let codes = letters.iter().map(|request| crate::kit::received(request).contents.code);
    let [one, two]: [Code; 2] = codes.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(mailed(&opened).0, EMAILS[0]);
    // In either order; one alone brings nothing, and twice the same neither.
    let typed = |code: &Code| Typed::Code(code.clone());
    assert!(matches!(bench.give(LINK, opened.id, typed(&two)), Ok(Progress::More)));
    let again = bench.give(LINK, opened.id, typed(&two)).map(drop);
    assert_eq!(again, Err(Refusal::WrongProof { tries_left: 3 }));
    bench.restart();
    let ticket = bench.give_last(LINK, opened.id, typed(&one)).unwrap();
    bench.set_password(LINK, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();

    // One email left: it is asked alone.
    assert_eq!(bench.device.contact_rule(), ContactRule::Both);
    let token = bench.log_in(OTHER_PASSWORD).unwrap();
    bench.set_contacts(token.expose(), OTHER_PASSWORD, &EMAILS[..1]).unwrap();
    assert_eq!(bench.device.contact_rule(), ContactRule::Either);
    assert_eq!(bench.open(SCREEN).unwrap().parts.len(), 1);
}

#[test]
fn one_right_code_of_two_forgives_no_wrong_one() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    (0..2).for_each(|contact| test_email(&mut bench, contact));
    let both = bench.as_owner(&token, PASSWORD, |device, now, token, checked| {
        device.set_contact_rule(now, SCREEN, token, checked, ContactRule::Both)
    });
    both.unwrap();
    // Whoever reads one of the two mailboxes guesses at the other's code.
    let mut guesses = 0;
    loop {
        match bench.open(LINK) {
            Ok(opened) => {
                let typed = code(&mailed(&opened).1);
                bench.give(LINK, opened.id, typed).map(drop).unwrap();
                let now = bench.now();
                let view = bench.device.recovery(now, LINK, opened.id).unwrap();
                while let Err(Refusal::WrongProof { .. }) = bench.give(LINK, opened.id, code(&wrong(&view))).map(drop) {
                    guesses += 1;
                }
            }
            Err(Refusal::TooManyTries { retry_after }) => bench.run(retry_after),
            Err(refusal) => break assert_eq!(refusal, Refusal::MethodNotReady(Why::TooManyWrongCodes)),
        }
    }
    assert!(guesses <= 100, "{guesses}");
}

#[test]
fn a_switch_voids_what_is_open_and_no_service_turns_off_three() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    bench.make_sheet(&token, 1).unwrap();
    let (opened, desk) = (bench.open(SCREEN).unwrap(), bench.open_by(LINK, Way::Desk.into()).unwrap());
    let right = bench.verdict(SCREEN, opened.id, &mailed(&opened).1).unwrap();
    bench.switch(&token, Way::Email, false);
    assert_eq!(bench.redeem(SCREEN, &right).map(drop), Err(Refusal::Expired));
    assert_eq!(bench.open(SCREEN).map(drop), Err(Refusal::MethodNotReady(Why::SwitchedOff)));
    let now = bench.now();
    assert_eq!(bench.device.recovery(now, LINK, desk.id).map(drop), Err(Refusal::Expired));
    bench.switch(&token, Way::Email, true);

    let service = |bench: &mut Bench, on| {
        let switched = bench.as_owner(&token, PASSWORD, |device, now, token, checked| {
            device.switch_service(now, SCREEN, token, checked, on)
        });
        switched.unwrap();
    };
    service(&mut bench, false);
    bench.restart();
    for way in [Way::Email, Way::Desk, Way::SecurityCode] {
        assert_eq!(bench.readiness(way), Readiness::NotReady(Why::NoService));
    }
    bench.open_by(SCREEN, Way::Sheet.into()).unwrap();
    let token = bench.log_in(PASSWORD).unwrap();
    let refused = bench.open_confirmation(token.expose(), 0).map(drop);
    assert_eq!(refused, Err(Refusal::MethodNotReady(Why::NoService)));
    assert!(!bench.device.service_on());
    let on = bench.as_owner(&token, PASSWORD, |device, now, token, checked| {
        device.switch_service(now, SCREEN, token, checked, true)
    });
    on.unwrap();
    bench.open(SCREEN).unwrap();
}

#[test]
fn a_card_is_replaced_by_a_higher_edition_of_its_maker_only() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let replace = |bench: &mut Bench, password, signed: Vec<u8>| {
        bench.as_owner(&token, password, |device, now, token, checked| {
            device.replace_card(now, SCREEN, token, checked, &signed)
        })
    };
    let other = SigningKey::from_seed(&[77; 32]);
    let mut by_other = card(9);
    by_other.maker = sparekey_protocol::MakerId::of(&other.public().to_bytes());
    let mut altered = card(2).sign(&maker());
    altered[40] ^= 1;
    for signed in [card(1).sign(&maker()), card(2).sign(&other), by_other.sign(&other), altered, vec![]] {
        assert_eq!(replace(&mut bench, PASSWORD, signed), Err(Refusal::NotForThisDevice));
    }
    assert_eq!(replace(&mut bench, OTHER_PASSWORD, card(2).sign(&maker())), Err(Refusal::NotLoggedIn));
    let opened = bench.open(SCREEN).unwrap();
    replace(&mut bench, PASSWORD, card(3).sign(&maker())).unwrap();
    assert_eq!(replace(&mut bench, PASSWORD, card(2).sign(&maker())), Err(Refusal::NotForThisDevice));
    assert_eq!(bench.type_code(SCREEN, opened.id, &mailed(&opened).1).map(drop), Err(Refusal::Expired));
    bench.restart();
    assert_eq!(bench.device.card().edition, 3);
    assert_eq!(bench.device.identity().first_card().edition, 1);
    assert!(bench.device.events().iter().any(|event| event.kind == EventKind::CardReplaced));
}
