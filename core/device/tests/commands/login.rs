use sparekey_device::{EventKind, Refusal};

use crate::kit::{Bench, ELSEWHERE, LINK, NAME, OTHER_PASSWORD, PASSWORD, SCREEN, keep, mailed};

#[test]
fn names_and_passwords() {
    let cases = [
        (NAME, PASSWORD, true),
        ("ADMIN", PASSWORD, true),
        ("aDmIn", PASSWORD, true),
        ("admin ", PASSWORD, false),
        ("root", PASSWORD, false),
        ("", PASSWORD, false),
        (NAME, OTHER_PASSWORD, false),
        (NAME, "First Tall Ladder", false),
        (NAME, "", false),
    ];
    for caller in [SCREEN, LINK, ELSEWHERE] {
        for (name, password, right) in cases {
            let outcome = Bench::activated().log_in_as(caller, name, password);
            assert_eq!(outcome.is_ok(), right, "{name} {password}");
            assert!(right || outcome.is_err_and(|refusal| refusal == Refusal::NotLoggedIn));
        }
    }
}

#[test]
fn too_long_a_password_is_wrong_and_costs_no_more() {
    let mut bench = Bench::activated();
    let long = PASSWORD.to_owned() + &" ".repeat(1_000_000);
    assert_eq!(bench.log_in(&long).map(drop), Err(Refusal::NotLoggedIn));
}

#[test]
fn a_verdict_dies_with_its_password() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let stale = bench.device.password_check(NAME).unwrap().run(PASSWORD);
    bench.change_password(token.expose(), PASSWORD, OTHER_PASSWORD).unwrap();
    let (now, seed) = (bench.now(), bench.draw());
    let change = bench.device.log_in(now, SCREEN, &stale, &seed).unwrap();
    assert_eq!(keep(&mut bench.vault, change).map(drop), Err(Refusal::NotLoggedIn));
    let new = bench.hashed(PASSWORD);
    let change = bench.device.change_password(now, SCREEN, token.expose(), &stale, new).map(drop);
    assert_eq!(change, Err(Refusal::NotLoggedIn));
    let change = bench.device.set_contacts(now, SCREEN, token.expose(), &stale, vec![]).map(drop);
    assert_eq!(change, Err(Refusal::NotLoggedIn));
}

#[test]
fn the_owner_is_told_what_happened_meanwhile() {
    let mut bench = Bench::activated();
    bench.log_in(PASSWORD).unwrap();
    for _ in 0..3 {
        bench.log_in_as(ELSEWHERE, NAME, OTHER_PASSWORD).unwrap_err();
    }
    bench.open(LINK).unwrap();
    let news = bench.log_in_as(LINK, NAME, PASSWORD).unwrap().news;
    let told: Vec<_> = news.iter().map(|event| (event.kind, event.count, event.from)).collect();
    let from = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        told,
        [(EventKind::LoginRefused, 3, from("198.51.100.7")), (EventKind::RecoveryOpened, 1, from("192.168.1.7")),]
    );
    assert!(bench.log_in_as(LINK, NAME, PASSWORD).unwrap().news.is_empty(), "told once");
}

#[test]
fn a_new_password_ends_everything_but_ones_own_session() {
    let mut bench = Bench::activated();
    let (mine, other) = (bench.log_in(PASSWORD).unwrap(), bench.log_in(PASSWORD).unwrap());
    let open = bench.open(SCREEN).unwrap();
    let (proven, ticket) = bench.prove(LINK);
    let confirmation = bench.open_confirmation(mine.expose(), 0).unwrap();

    for (token, old, refusal) in [
        (mine.expose(), OTHER_PASSWORD, Refusal::NotLoggedIn),
        ("made up", PASSWORD, Refusal::NotLoggedIn),
        ("", PASSWORD, Refusal::NotLoggedIn),
    ] {
        let before = bench.state();
        assert_eq!(bench.change_password(token, old, OTHER_PASSWORD), Err(refusal));
        assert_eq!(bench.state(), before);
    }
    bench.change_password(mine.expose(), PASSWORD, OTHER_PASSWORD).unwrap();

    assert!(bench.lives(&mine));
    assert!(!bench.lives(&other));
    assert_eq!(bench.log_in(PASSWORD).map(drop), Err(Refusal::NotLoggedIn));
    assert_eq!(bench.type_code(SCREEN, open.id, &mailed(&open).1).map(drop), Err(Refusal::Expired));
    assert_eq!(bench.set_password(LINK, proven, ticket.expose(), PASSWORD), Err(Refusal::Expired));
    let verdict = bench.confirmation_verdict(mine.expose(), 0, &mailed(&confirmation).1);
    assert_eq!(verdict.map(drop), Err(Refusal::Expired));
    assert!(bench.log_in(OTHER_PASSWORD).is_ok());
}

#[test]
fn sessions_end_by_logging_out_and_by_a_restart() {
    let mut bench = Bench::activated();
    let (one, two) = (bench.log_in(PASSWORD).unwrap(), bench.log_in(PASSWORD).unwrap());
    bench.device.log_out(one.expose());
    assert!(!bench.lives(&one));
    assert!(bench.lives(&two));
    bench.restart();
    assert!(!bench.lives(&two));
    assert!(bench.log_in(PASSWORD).is_ok());
}
