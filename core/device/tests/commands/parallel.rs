//! A hundred at once.

use std::{
    sync::{Barrier, Mutex},
    thread,
};

use sparekey_device::{ProofCheck, RecoveryId, Refusal, Ticket, Typed};
use sparekey_protocol::Code;

use crate::kit::{Bench, LINK, OTHER_PASSWORD, PASSWORD, keep, mailed};

type Outcome = Result<Ticket, Refusal>;

/// A hundred threads type one code each, all at once; the device is locked only where the agent locks it. The outcomes of
/// those that were let have their code looked at, and the refusals of those that were not.
fn at_once(bench: Bench, id: RecoveryId, codes: &[String]) -> (Bench, Vec<Outcome>, Vec<Refusal>) {
    let (bench, start) = (Mutex::new(bench), Barrier::new(codes.len()));
    let take = |code: &str| -> Result<ProofCheck, Refusal> {
        let typed = Typed::Code(Code::parse(code).unwrap());
        let bench = &mut *bench.lock().unwrap();
        let now = bench.now();
        Ok(keep(&mut bench.vault, bench.device.take_try(now, LINK, id, typed)?))
    };
    let type_in = |code: &str| -> Result<Outcome, Refusal> {
        start.wait();
        let checked = take(code)?.run();
        Ok(bench.lock().unwrap().redeem(LINK, &checked))
    };
    let (looked_at, refused): (Vec<_>, Vec<_>) = thread::scope(|scope| {
        let typists: Vec<_> = codes.iter().map(|code| scope.spawn(|| type_in(code))).collect();
        typists.into_iter().map(|typist| typist.join().unwrap()).partition(Result::is_ok)
    });
    let looked_at = looked_at.into_iter().filter_map(Result::ok).collect();
    (bench.into_inner().unwrap(), looked_at, refused.into_iter().filter_map(Result::err).collect())
}

#[test]
fn a_hundred_guesses_are_five_tries() {
    let mut bench = Bench::activated();
    let opened = bench.open(LINK).unwrap();
    let right = mailed(&opened).1;
    let codes: Vec<_> = (0..).map(|guess| format!("{guess:08}")).filter(|guess| *guess != right).take(100).collect();
    let (mut bench, looked_at, refused) = at_once(bench, opened.id, &codes);

    assert_eq!((looked_at.len(), refused.len()), (5, 95));
    assert!(looked_at.iter().all(|outcome| matches!(outcome, Err(Refusal::WrongProof { .. }))));
    assert!(refused.iter().all(|refusal| matches!(refusal, Refusal::TooManyTries { .. })));
    let outcome = bench.type_code(LINK, opened.id, &right).map(drop);
    assert!(matches!(outcome, Err(Refusal::TooManyTries { .. })));
}

#[test]
fn a_hundred_right_codes_are_one_ticket() {
    let mut bench = Bench::activated();
    let opened = bench.open(LINK).unwrap();
    let codes = vec![mailed(&opened).1; 100];
    let (mut bench, looked_at, _) = at_once(bench, opened.id, &codes);
    assert!(looked_at.len() <= 5);
    let tickets: Vec<_> = looked_at.into_iter().filter_map(Result::ok).collect();
    assert_eq!(tickets.len(), 1);

    // And a hundred uses of that ticket are one new password.
    let device = Mutex::new(&mut bench);
    let set = || {
        let mut bench = device.lock().unwrap();
        bench.set_password(LINK, opened.id, tickets[0].expose(), OTHER_PASSWORD).is_ok()
    };
    let done = thread::scope(|scope| {
        let users: Vec<_> = (0..100).map(|_| scope.spawn(set)).collect();
        users.into_iter().map(|user| user.join().unwrap()).filter(|done| *done).count()
    });
    assert_eq!(done, 1);
    assert!(bench.log_in(PASSWORD).is_err());
    assert!(bench.log_in(OTHER_PASSWORD).is_ok());
}
