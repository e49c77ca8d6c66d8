//! Key file: what makes it, what voids it, and what keeps wrong ones away.

use sparekey_device::{Refusal, Typed, ways::Readiness, ways::Way, ways::Why};
use sparekey_protocol::{
    DeviceId,
    files::{KeyFile, KeyFilePayload, KeyFileSecret},
};

use crate::kit::{Bench, LINK, OTHER_PASSWORD, PASSWORD, SCREEN};

fn typed(file: &KeyFile) -> Typed {
    Typed::KeyFile(file.payload.clone())
}

/// A file for this device with another secret.
fn wrong(file: &KeyFile) -> Typed {
    Typed::KeyFile(KeyFilePayload { secret: KeyFileSecret::from_bytes([0xee; 32]), ..file.payload.clone() })
}

#[test]
fn it_resets_once_and_is_void_then() {
    let mut bench = Bench::activated();
    assert_eq!(bench.readiness(Way::KeyFile), Readiness::NotReady(Why::NotSetUp));
    let token = bench.log_in(PASSWORD).unwrap();
    let file = bench.export_key_file(&token, PASSWORD).unwrap();
    assert_eq!(bench.readiness(Way::KeyFile), Readiness::Unproven);
    bench.restart();

    let (one, two) =
        (bench.open_by(LINK, Way::KeyFile.into()).unwrap(), bench.open_by(LINK, Way::KeyFile.into()).unwrap());
    assert_eq!((one.tries_left, one.qr_text()), (7, None));
    let ticket = bench.give_last(LINK, one.id, typed(&file)).unwrap();
    let second = bench.give_last(LINK, two.id, typed(&file)).unwrap();
    bench.set_password(LINK, one.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    assert_eq!(bench.set_password(LINK, two.id, second.expose(), PASSWORD), Err(Refusal::Expired));
    assert_eq!(bench.readiness(Way::KeyFile), Readiness::NotReady(Why::VoidAfterUse));
    let outcome = bench.open_by(SCREEN, Way::KeyFile.into()).map(drop);
    assert_eq!(outcome, Err(Refusal::MethodNotReady(Why::VoidAfterUse)));
}

#[test]
fn a_new_password_voids_it_and_a_new_file_does() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let old = bench.export_key_file(&token, PASSWORD).unwrap();
    let new = bench.export_key_file(&token, PASSWORD).unwrap();
    let opened = bench.open_by(SCREEN, Way::KeyFile.into()).unwrap();
    assert_eq!(bench.give_last(SCREEN, opened.id, typed(&old)).map(drop), Err(Refusal::WrongProof { tries_left: 6 }));
    bench.give_last(SCREEN, opened.id, typed(&new)).unwrap();

    bench.change_password(token.expose(), PASSWORD, OTHER_PASSWORD).unwrap();
    assert_eq!(bench.readiness(Way::KeyFile), Readiness::NotReady(Why::VoidAfterPasswordChange));
    bench.export_key_file(&token, OTHER_PASSWORD).unwrap();
    let (id, ticket) = bench.prove(SCREEN);
    bench.set_password(SCREEN, id, ticket.expose(), PASSWORD).unwrap();
    assert_eq!(bench.readiness(Way::KeyFile), Readiness::NotReady(Why::VoidAfterPasswordChange));
}

#[test]
fn seven_wrong_files_wait_half_an_hour_whatever_restarts() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let file = bench.export_key_file(&token, PASSWORD).unwrap();
    // Over several requests: the file is the same for all of them.
    let open = [(); 2].map(|()| bench.open_by(LINK, Way::KeyFile.into()).unwrap());
    for tries_left in (0..7).rev() {
        let outcome = bench.give_last(LINK, open[usize::from(tries_left) % 2].id, wrong(&file)).map(drop);
        assert_eq!(outcome, Err(Refusal::WrongProof { tries_left }));
    }
    let waits = |left| Err(Refusal::TooManyTries { retry_after: left });
    for _ in 0..20 {
        bench.up += 59;
        bench.restart();
        assert_eq!(bench.give_last(LINK, open[0].id, typed(&file)).map(drop), waits(1_800));
        assert_eq!(bench.open_by(LINK, Way::KeyFile.into()).map(drop), waits(1_800));
    }
    bench.run(1_799);
    assert_eq!(bench.open_by(LINK, Way::KeyFile.into()).map(drop), waits(1));
    // Who stands before the device does not wait, nor does another way.
    let at_screen = bench.open_by(SCREEN, Way::KeyFile.into()).unwrap();
    bench.give_last(SCREEN, at_screen.id, typed(&file)).unwrap();
    bench.open(LINK).unwrap();
    bench.run(1);
    let again = bench.open_by(LINK, Way::KeyFile.into()).unwrap();
    bench.give_last(LINK, again.id, typed(&file)).unwrap();
}

#[test]
fn another_devices_file_says_so_and_costs_a_try() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let file = bench.export_key_file(&token, PASSWORD).unwrap();
    let opened = bench.open_by(SCREEN, Way::KeyFile.into()).unwrap();
    let other = KeyFilePayload { device: DeviceId([9; 16]), ..file.payload.clone() };
    let outcome = bench.give_last(SCREEN, opened.id, Typed::KeyFile(other)).map(drop);
    assert_eq!(outcome, Err(Refusal::NotForThisDevice));
    let now = bench.now();
    assert_eq!(bench.device.recovery(now, SCREEN, opened.id).unwrap().tries_left, 6);
}

#[test]
fn only_with_the_password_and_while_it_is_on() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let before = bench.state();
    assert_eq!(bench.export_key_file(&token, OTHER_PASSWORD).map(drop), Err(Refusal::NotLoggedIn));
    assert_eq!(bench.state(), before);
    bench.export_key_file(&token, PASSWORD).unwrap();
    bench.switch(&token, Way::KeyFile, false);
    let off = Refusal::MethodNotReady(Why::SwitchedOff);
    assert_eq!(bench.export_key_file(&token, PASSWORD).map(drop), Err(off));
    assert_eq!(bench.open_by(SCREEN, Way::KeyFile.into()).map(drop), Err(off));
    bench.switch(&token, Way::KeyFile, true);
    bench.open_by(SCREEN, Way::KeyFile.into()).unwrap();
}

#[test]
fn opening_again_and_again_waits_a_minute_and_pushes_out_the_oldest() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let file = bench.export_key_file(&token, PASSWORD).unwrap();
    let open = [(); 3].map(|()| bench.open_by(LINK, Way::KeyFile.into()).unwrap());
    assert_eq!(bench.open_by(LINK, Way::KeyFile.into()).map(drop), Err(Refusal::TooManyTries { retry_after: 60 }));
    bench.give_last(LINK, open[0].id, typed(&file)).unwrap();
    bench.open_by(LINK, Way::KeyFile.into()).unwrap();
    bench.run(60);
    bench.open_by(LINK, Way::KeyFile.into()).unwrap();
    let now = bench.now();
    assert_eq!(bench.device.recovery(now, LINK, open[1].id).map(drop), Err(Refusal::Expired));
    assert!(bench.device.recovery(now, LINK, open[2].id).is_ok());
    assert!(bench.device.recovery(now, LINK, open[0].id).unwrap().proven);
}
