use sparekey_device::{
    RecoveryId, Refusal,
    ways::{Readiness, Way, WayView, Why},
};

use crate::kit::{Bench, ELSEWHERE, EMAILS, LINK, NAME, PASSWORD, SCREEN, mailed, name};

fn email(bench: &Bench) -> Readiness {
    bench.device.way(SCREEN, Way::Email).readiness
}

#[test]
fn refusals_change_nothing() {
    let three = ["a@example.org", "b@example.org", "c@example.org"];
    let cases: [(_, _, &[&str], _); 4] = [
        ("from another network", ELSEWHERE, &EMAILS, Refusal::NotOnThisLink),
        ("three emails", SCREEN, &three, Refusal::Malformed),
        ("one twice", LINK, &[EMAILS[0], EMAILS[0]], Refusal::Malformed),
        ("one twice, last", LINK, &[EMAILS[1], EMAILS[0], EMAILS[0]], Refusal::Malformed),
    ];
    let mut bench = Bench::new();
    for (case, caller, emails, refusal) in cases {
        let before = bench.state();
        assert_eq!(bench.activate(caller, emails), Err(refusal), "{case}");
        assert_eq!(bench.state(), before, "{case}");
        assert!(!bench.device.is_active(), "{case}");
    }
}

#[test]
fn none_one_or_two_emails() {
    for count in 0..=2 {
        let mut bench = Bench::new();
        bench.activate(LINK, &EMAILS[..count]).unwrap();
        let masked = ["o••••@e••••.org", "s••••@e••••.net"];
        assert_eq!(bench.device.masked_contacts(SCREEN).unwrap(), masked[..count]);
        let expected = if count == 0 { Readiness::NotReady(Why::NotSetUp) } else { Readiness::Unproven };
        assert_eq!(email(&bench), expected);
        for (contact, email) in EMAILS.iter().enumerate() {
            let to = bench.open_to(SCREEN, contact).map(|opened| mailed(&opened).0);
            let none = Err(Refusal::MethodNotReady(Why::NotSetUp));
            assert_eq!(to, if contact < count { Ok((*email).to_owned()) } else { none });
        }
    }
}

#[test]
fn only_once() {
    let mut bench = Bench::activated();
    let before = bench.state();
    assert_eq!(bench.activate(SCREEN, &[]), Err(Refusal::AlreadyActive));
    assert_eq!(bench.state(), before);
    assert!(bench.log_in(PASSWORD).is_ok());
}

#[test]
fn before_it_nothing_works() {
    let mut bench = Bench::new();
    let id = RecoveryId::parse("00112233445566778899aabbccddeeff").unwrap();
    assert_eq!(bench.log_in(PASSWORD).map(drop), Err(Refusal::NotActive));
    assert_eq!(bench.open(SCREEN).map(drop), Err(Refusal::NotActive));
    assert_eq!(bench.type_code(SCREEN, id, "12345678").map(drop), Err(Refusal::NotActive));
    assert_eq!(bench.set_password(SCREEN, id, "", PASSWORD), Err(Refusal::NotActive));
    assert_eq!(bench.device.masked_contacts(SCREEN), Err(Refusal::NotActive));
    assert_eq!(bench.device.username(), None);
    for WayView { readiness, .. } in bench.device.ways(SCREEN) {
        assert_eq!(readiness, Readiness::NotReady(Why::NotActive));
    }
}

#[test]
fn a_confirmed_email_is_ready() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let opened = bench.open_confirmation(token.expose(), 1).unwrap();
    let (to, code) = mailed(&opened);
    assert_eq!(to, EMAILS[1]);
    let checked = bench.confirmation_verdict(token.expose(), 1, &code).unwrap();
    bench.confirm(token.expose(), &checked).unwrap();
    assert_eq!(email(&bench), Readiness::Ready);
}

#[test]
fn the_words_that_are_tried_first_are_blocked() {
    let bench = Bench::new();
    for word in ["nvr-4216-0001", "NVR-4216", "admin"] {
        let asked = |_: &str, blocked: &[&str]| {
            assert_eq!(blocked, ["NVR-4216-0001", "NVR-4216", NAME]);
            4
        };
        let refused = bench.device.judge_password(&name(), word, asked).map(drop);
        assert!(matches!(refused, Err(Refusal::WeakPassword(_))), "{word}");
    }
    let weak = bench.device.judge_password(&name(), "guessable", |_, _| 2).map(drop);
    assert!(matches!(weak, Err(Refusal::WeakPassword(_))));
}
