//! A store that fails leaves the device as it was; and nobody has learned anything.

use sparekey_device::{Change, NewOwner, Typed, ways::Way};
use sparekey_protocol::Code;

use crate::kit::{Bench, LINK, NAME, OTHER_PASSWORD, PASSWORD, SCREEN, language, mailed, name, wrong};

fn code() -> Code {
    Code::parse("12345678").unwrap()
}

/// The disk is full.
fn fails<A>(change: Change<'_, A>) {
    assert_eq!(change.commit(|_| Err("disk full")).map(drop), Err("disk full"));
}

#[test]
fn nothing_happened_to_a_new_device() {
    let mut bench = Bench::new();
    let before = bench.state();
    let now = bench.now();
    let owner = || NewOwner {
        username: name(),
        password: Bench::new().hashed(PASSWORD),
        reserved_emails: vec![],
        questions: None,
    };
    fails(bench.device.activate(now, SCREEN, owner(), None).unwrap());
    drop(bench.device.activate(now, SCREEN, owner(), None).unwrap());
    assert_eq!(bench.state(), before);
    assert!(!bench.device.is_active());
}

#[test]
fn nothing_happened_whatever_the_command() {
    let mut bench = Bench::activated();
    let (mine, other) = (bench.log_in(PASSWORD).unwrap(), bench.log_in(PASSWORD).unwrap());
    let token = mine.expose();
    let (proven, ticket) = bench.prove(LINK);
    let opened = bench.open(SCREEN).unwrap();
    let right = bench.verdict(SCREEN, opened.id, &mailed(&opened).1).unwrap();
    let not_right = bench.verdict(SCREEN, opened.id, &wrong(&opened)).unwrap();
    let confirmation = bench.open_confirmation(token, 0).unwrap();
    let confirming = bench.confirmation_verdict(token, 0, &mailed(&confirmation).1).unwrap();
    let password = |typed| bench.device.password_check(NAME).unwrap().run(typed);
    let (known, unknown) = (password(PASSWORD), password(OTHER_PASSWORD));
    let drafts = [bench.draft()];
    let seeds = bench.open_seeds();
    let hashed = bench.hashed(OTHER_PASSWORD);
    bench.run(30);

    let before = bench.state();
    let (now, seed) = (bench.now(), [7; 32]);
    let device = &mut bench.device;
    fails(device.tick(now));
    fails(device.note_off_link(now, LINK));
    fails(device.log_in(now, SCREEN, &known, &seed).unwrap());
    fails(device.log_in(now, SCREEN, &unknown, &seed).unwrap());
    fails(device.open_recovery(now, SCREEN, Way::Email.into(), &language(), &drafts, &seeds).unwrap());
    fails(device.take_try(now, SCREEN, opened.id, Typed::Code(code())).unwrap());
    fails(device.redeem(now, SCREEN, &not_right, &seed).unwrap());
    fails(device.redeem(now, SCREEN, &right, &seed).unwrap());
    fails(device.set_password(now, LINK, proven, ticket.expose(), hashed.clone()).unwrap());
    fails(device.change_password(now, SCREEN, token, &known, hashed).unwrap());
    fails(device.set_contacts(now, SCREEN, token, &known, vec![]).unwrap());
    fails(device.open_confirmation(now, token, 0, &language(), &drafts[0], &seeds).unwrap());
    fails(device.take_confirmation_try(now, token, 0, code()).unwrap());
    fails(device.confirm(now, SCREEN, token, &confirming).unwrap());
    assert_eq!(bench.state(), before);
    assert!(bench.lives(&mine) && bench.lives(&other));

    // And all of it still works once the disk does.
    bench.redeem(SCREEN, &right).unwrap();
    bench.confirm(token, &confirming).unwrap();
    bench.set_password(LINK, proven, ticket.expose(), OTHER_PASSWORD).unwrap();
}

#[test]
fn a_try_that_could_not_be_counted_shows_nothing() {
    let mut bench = Bench::activated();
    let opened = bench.open(SCREEN).unwrap();
    for _ in 0..100 {
        let now = bench.now();
        fails(bench.device.take_try(now, SCREEN, opened.id, Typed::Code(code())).unwrap());
    }
    bench.type_code(SCREEN, opened.id, &mailed(&opened).1).unwrap();
}
