use sparekey_device::Refusal;

use crate::kit::{Bench, EMAILS, OTHER_PASSWORD, PASSWORD, SCREEN, mailed, wrong};

fn confirmed(bench: &mut Bench, token: &str) -> Vec<bool> {
    let now = bench.now();
    bench.device.contacts(now, token).unwrap().iter().map(|contact| contact.confirmed.is_some()).collect()
}

#[test]
fn five_tries_then_a_new_confirmation() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let token = token.expose();
    assert_eq!(bench.confirmation_verdict(token, 0, "12345678").map(drop), Err(Refusal::Expired));
    let opened = bench.open_confirmation(token, 0).unwrap();
    for tries_left in (0..5).rev() {
        let checked = bench.confirmation_verdict(token, 0, &wrong(&opened)).unwrap();
        assert_eq!(bench.confirm(token, &checked), Err(Refusal::WrongProof { tries_left }));
    }
    let sixth = bench.confirmation_verdict(token, 0, &mailed(&opened).1).map(drop);
    assert!(matches!(sixth, Err(Refusal::TooManyTries { .. })));
    assert_eq!(confirmed(&mut bench, token), [false, false]);

    let again = bench.open_confirmation(token, 0).unwrap();
    let old = bench.confirmation_verdict(token, 0, &mailed(&opened).1).unwrap();
    assert_eq!(bench.confirm(token, &old), Err(Refusal::WrongProof { tries_left: 4 }));
    let right = bench.confirmation_verdict(token, 0, &mailed(&again).1).unwrap();
    bench.confirm(token, &right).unwrap();
    assert_eq!(bench.confirm(token, &right), Err(Refusal::Expired));
    assert_eq!(confirmed(&mut bench, token), [true, false]);
}

#[test]
fn a_code_confirms_the_email_it_was_sent_to() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let token = token.expose();
    let opened = [0, 1].map(|contact| bench.open_confirmation(token, contact).unwrap());
    let swapped = bench.confirmation_verdict(token, 0, &mailed(&opened[1]).1).unwrap();
    assert_eq!(bench.confirm(token, &swapped), Err(Refusal::WrongProof { tries_left: 4 }));
    let right = bench.confirmation_verdict(token, 1, &mailed(&opened[1]).1).unwrap();
    bench.confirm(token, &right).unwrap();
    assert_eq!(confirmed(&mut bench, token), [false, true]);
    assert_eq!(mailed(&opened[0]).0, EMAILS[0]);
}

#[test]
fn only_for_who_is_logged_in() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let opened = bench.open_confirmation(token.expose(), 0).unwrap();
    let right = bench.confirmation_verdict(token.expose(), 0, &mailed(&opened).1).unwrap();
    bench.device.log_out(token.expose());
    let before = bench.state();
    for token in [token.expose(), "", "made up"] {
        assert_eq!(bench.open_confirmation(token, 0).map(drop), Err(Refusal::NotLoggedIn));
        assert_eq!(bench.confirmation_verdict(token, 0, "12345678").map(drop), Err(Refusal::NotLoggedIn));
        assert_eq!(bench.confirm(token, &right), Err(Refusal::NotLoggedIn));
        let now = bench.now();
        assert_eq!(bench.device.contacts(now, token).map(drop), Err(Refusal::NotLoggedIn));
        assert_eq!(bench.device.confirmation(now, token, 0).map(drop), Err(Refusal::NotLoggedIn));
        assert_eq!(bench.set_contacts(token, PASSWORD, &[]), Err(Refusal::NotLoggedIn));
    }
    assert_eq!(bench.state(), before);
}

#[test]
fn other_emails_void_what_is_open() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let token = token.expose();
    let opened = bench.open_confirmation(token, 0).unwrap();
    let right = bench.confirmation_verdict(token, 0, &mailed(&opened).1).unwrap();
    bench.confirm(token, &right).unwrap();

    let three = ["a@example.org", "b@example.org", "c@example.org"];
    for (password, emails, refusal) in [
        (OTHER_PASSWORD, &EMAILS[..], Refusal::NotLoggedIn),
        (PASSWORD, &three[..], Refusal::Malformed),
        (PASSWORD, &[EMAILS[0], EMAILS[0]][..], Refusal::Malformed),
    ] {
        let before = bench.state();
        assert_eq!(bench.set_contacts(token, password, emails), Err(refusal));
        assert_eq!(bench.state(), before);
    }
    assert_eq!(bench.open_confirmation(token, 2).map(drop), Err(Refusal::Malformed));

    let open = bench.open(SCREEN).unwrap();
    bench.set_contacts(token, PASSWORD, &["new@example.org", EMAILS[0]]).unwrap();
    assert_eq!(bench.type_code(SCREEN, open.id, &mailed(&open).1).map(drop), Err(Refusal::Expired));
    assert_eq!(confirmed(&mut bench, token), [false, true], "the one that stayed is still confirmed");
    assert_eq!(mailed(&bench.open(SCREEN).unwrap()).0, "new@example.org");
}
