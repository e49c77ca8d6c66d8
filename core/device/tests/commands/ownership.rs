//! The end of an ownership, by hand or handed over; and what the contacts are told.

use sparekey_device::{
    EventKind, Notice, NoticeKind, Presence, Recordings, Refusal, TransferDraft, Transferred, Typed,
    ways::{Readiness, SheetCode, Way, Why},
};
use sparekey_protocol::{
    Time,
    receipt::{self, What},
    transfer::Statement,
};

use crate::kit::{
    Bench, CHEAP, EMAILS, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, identity, keep, language, mailed, service, wrong,
};

fn factory_reset(bench: &mut Bench, recordings: Recordings) {
    let now = bench.now();
    keep(&mut bench.vault, bench.device.factory_reset(now, Presence::detected(), recordings));
    bench.restart();
}

fn transfer(bench: &mut Bench, password: &str, recordings: Recordings) -> Result<Transferred, Refusal> {
    let token = bench.log_in(PASSWORD).unwrap();
    let draft = TransferDraft::make(&bench.draw(), bench.draw(), CHEAP);
    bench.as_owner(&token, password, |device, now, token, checked| {
        device.transfer(now, SCREEN, token, checked, recordings, draft)
    })
}

fn typed(code: &SheetCode) -> SheetCode {
    SheetCode::parse(&code.expose()).unwrap()
}

/// A device with all ways, and things open on it.
fn prepared() -> Bench {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    bench.make_sheet(&token, 2).unwrap();
    bench.export_key_file(&token, PASSWORD).unwrap();
    bench.set_questions(&token, Some(&[(1, "a"), (2, "b"), (3, "c")])).unwrap();
    bench
}

#[test]
fn a_factory_reset_leaves_nothing_that_anybody_knew() {
    let mut bench = prepared();
    let session = bench.log_in(PASSWORD).unwrap();
    let opened = bench.open(LINK).unwrap();
    let (proven, ticket) = bench.prove(SCREEN);
    factory_reset(&mut bench, Recordings::Keep);
    assert!(!bench.device.is_active() && !bench.lives(&session) && !bench.device.recordings_to_erase());
    assert_eq!(bench.set_password(SCREEN, proven, ticket.expose(), OTHER_PASSWORD), Err(Refusal::NotActive));
    assert_eq!(bench.type_code(LINK, opened.id, &mailed(&opened).1).map(drop), Err(Refusal::NotActive));
    for way in bench.device.ways(SCREEN) {
        assert_eq!(way.readiness, Readiness::NotReady(Why::NotActive));
    }
    assert_eq!(bench.device.events().last().unwrap().kind, EventKind::FactoryReset);

    bench.activate(LINK, &[]).unwrap();
    for way in [Way::Sheet, Way::KeyFile, Way::Questions, Way::Email] {
        assert_eq!(bench.readiness(way), Readiness::NotReady(Why::NotSetUp));
    }
    assert_eq!(bench.type_code(LINK, opened.id, &mailed(&opened).1).map(drop), Err(Refusal::Expired));
}

#[test]
fn a_verdict_on_an_earlier_owners_password_is_worth_nothing() {
    let mut bench = Bench::activated();
    let earlier = bench.device.password_check("admin").unwrap().run(PASSWORD);
    let now = bench.now();
    keep(&mut bench.vault, bench.device.factory_reset(now, Presence::detected(), Recordings::Keep));
    bench.activate(SCREEN, &[]).unwrap();
    let (now, seed) = (bench.now(), bench.draw());
    let outcome = keep(&mut bench.vault, bench.device.log_in(now, LINK, &earlier, &seed).unwrap());
    assert_eq!(outcome.map(drop), Err(Refusal::NotLoggedIn));
}

#[test]
fn recordings_are_erased_however_often_the_power_fails() {
    let mut bench = Bench::activated();
    factory_reset(&mut bench, Recordings::Erase);
    for _ in 0..3 {
        assert!(bench.device.recordings_to_erase());
        bench.restart();
    }
    // Not even a new owner makes it forget.
    bench.activate(SCREEN, &[]).unwrap();
    assert!(bench.device.recordings_to_erase());
    let now = bench.now();
    keep(&mut bench.vault, bench.device.recordings_erased(now));
    bench.restart();
    assert!(!bench.device.recordings_to_erase());
    assert_eq!(bench.device.events().last().unwrap().kind, EventKind::RecordingsErased);
}

#[test]
fn a_hand_on_the_device_opens_what_a_stranger_closed() {
    let mut bench = Bench::activated();
    let close = |bench: &mut Bench| {
        let mut typed = 0;
        loop {
            match bench.open(LINK) {
                Ok(opened) => {
                    while bench
                        .type_code(LINK, opened.id, &wrong(&opened))
                        .is_err_and(|refusal| refusal.name() == "wrong-proof")
                    {
                        typed += 1;
                    }
                }
                Err(Refusal::TooManyTries { retry_after }) => bench.run(retry_after),
                Err(refusal) => break assert_eq!(refusal, Refusal::MethodNotReady(Why::TooManyWrongCodes)),
            }
        }
        typed
    };
    assert_eq!(close(&mut bench), 100);
    let now = bench.now();
    keep(&mut bench.vault, bench.device.lift_stops(now, Presence::detected()));
    // The wait that the last wrong code began stays.
    let Err(Refusal::TooManyTries { retry_after }) = bench.open(LINK).map(drop) else { panic!("no wait") };
    bench.run(retry_after);
    bench.prove(LINK);
}

#[test]
fn a_transfer_waits_for_who_has_the_code() {
    let mut bench = prepared();
    assert_eq!(transfer(&mut bench, OTHER_PASSWORD, Recordings::Keep).map(drop), Err(Refusal::NotLoggedIn));
    let session = bench.log_in(PASSWORD).unwrap();
    let handed = transfer(&mut bench, PASSWORD, Recordings::Keep).unwrap();
    assert!(!bench.lives(&session) && !bench.device.is_active());
    bench.restart();
    assert!(bench.device.awaits_transfer() && !bench.device.recordings_to_erase());

    let statement = Statement::verify(&handed.statement, &identity_certificate()).unwrap();
    assert_eq!((statement.at, statement.recordings_kept), (Time(bench.clock), true));

    // A stranger on the link, without the code or with another.
    assert_eq!(bench.activate(LINK, &[]), Err(Refusal::WrongProof { tries_left: 5 }));
    for tries_left in (0..5).rev() {
        let outcome = bench.take_over(LINK, SheetCode::from_seed(&[9; 10]));
        assert_eq!(outcome, Err(Refusal::WrongProof { tries_left }));
    }
    bench.restart();
    assert_eq!(bench.take_over(LINK, typed(&handed.code)), Err(Refusal::TooManyTries { retry_after: 60 }));
    assert!(!bench.device.is_active());
    bench.take_over(SCREEN, typed(&handed.code)).unwrap();
    assert!(bench.device.is_active() && !bench.device.awaits_transfer());
    assert_eq!(bench.readiness(Way::Sheet), Readiness::NotReady(Why::NotSetUp));
    assert_eq!(bench.take_over(LINK, typed(&handed.code)), Err(Refusal::Expired));
}

#[test]
fn a_code_opens_the_transfer_that_it_was_made_for() {
    let mut bench = Bench::activated();
    let first = transfer(&mut bench, PASSWORD, Recordings::Erase).unwrap();
    assert!(bench.device.recordings_to_erase());
    let verdict = bench.transfer_verdict(SCREEN, typed(&first.code)).unwrap();
    bench.take_over(SCREEN, typed(&first.code)).unwrap();
    let second = transfer(&mut bench, PASSWORD, Recordings::Keep).unwrap();
    let outcome = bench.activate_with(SCREEN, &[], Some(&verdict));
    assert!(matches!(outcome, Err(Refusal::WrongProof { .. })));
    bench.take_over(SCREEN, typed(&second.code)).unwrap();
}

#[test]
fn a_lost_transfer_code_takes_a_hand_on_the_device() {
    let mut bench = Bench::activated();
    transfer(&mut bench, PASSWORD, Recordings::Keep).unwrap();
    factory_reset(&mut bench, Recordings::Erase);
    bench.activate(SCREEN, &[]).unwrap();
}

fn identity_certificate() -> sparekey_protocol::Verified<sparekey_protocol::Certificate> {
    let maker = crate::kit::maker().public();
    sparekey_protocol::Certificate::verify(identity().certificate_bytes(), &maker).unwrap()
}

fn kinds(bench: &Bench) -> Vec<(NoticeKind, Option<Way>, u32)> {
    bench.device.notices().iter().map(|notice| (notice.kind, notice.way, notice.count)).collect()
}

#[test]
fn every_recovery_and_every_refused_one_is_told_once() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 1).unwrap();
    for _ in 0..2 {
        let opened = bench.open(LINK).unwrap();
        for _ in 0..5 {
            assert!(bench.device.notices().iter().all(|notice| notice.count < 2));
            bench.type_code(LINK, opened.id, &wrong(&opened)).unwrap_err();
        }
        bench.run(60);
    }
    // The same again within hours is the same notice.
    assert_eq!(kinds(&bench), [(NoticeKind::Refused, Some(Way::Email), 2)]);
    bench.run(6 * 3_600);
    let opened = bench.open_by(LINK, Way::Sheet.into()).unwrap();
    for _ in 0..5 {
        let other = Typed::SheetCode(SheetCode::from_seed(&[3; 10]));
        bench.give(LINK, opened.id, other).map(drop).unwrap_err();
    }
    bench.run(60);
    let ticket = bench.give_last(LINK, opened.id, Typed::SheetCode(typed(&codes[0])));
    let ticket = match ticket {
        Ok(ticket) => ticket,
        Err(refusal) => panic!("{refusal:?}"),
    };
    bench.set_password(LINK, opened.id, ticket.expose(), OTHER_PASSWORD).unwrap();
    let expected = [
        (NoticeKind::Refused, Some(Way::Email), 2),
        (NoticeKind::Refused, Some(Way::Sheet), 1),
        (NoticeKind::Recovered, Some(Way::Sheet), 1),
    ];
    assert_eq!(kinds(&bench), expected);
    bench.restart();
    assert_eq!(kinds(&bench), expected);
    let Notice { number, to, .. } = bench.device.notices().pop().unwrap();
    assert_eq!(to.iter().map(|email| email.as_str()).collect::<Vec<_>>(), EMAILS);
    let now = bench.now();
    keep(&mut bench.vault, bench.device.notice_told(now, number));
    assert_eq!(kinds(&bench), expected[..2]);
    assert_eq!(bench.device.receipt(number, &language(), &[1; 32]), Err(Refusal::Expired));
}

#[test]
fn a_phone_carries_it_sealed() {
    let mut bench = Bench::activated();
    factory_reset(&mut bench, Recordings::Keep);
    let Notice { number, .. } = bench.device.notices().pop().unwrap();
    let sealed = bench.device.receipt(number, &language(), &[1; 32]).unwrap();
    assert!(!sealed.windows(EMAILS[0].len()).any(|window| window == EMAILS[0].as_bytes()));
    let opened = receipt::open(&sealed, &service()).unwrap();
    assert_eq!((opened.receipt.what, opened.receipt.number, opened.receipt.to.len()), (What::FactoryReset, number, 2));
    assert_eq!(opened.certificate.device_id(), identity().device_id());
}

#[test]
fn notices_are_bounded_and_refusals_push_out_no_recovery() {
    let mut bench = Bench::activated();
    let (id, ticket) = bench.prove(SCREEN);
    bench.set_password(SCREEN, id, ticket.expose(), PASSWORD).unwrap();
    for _ in 0..40 {
        bench.run(6 * 3_600);
        let opened = bench.open(SCREEN).unwrap();
        while bench.type_code(SCREEN, opened.id, &wrong(&opened)).is_err_and(|refusal| refusal.name() == "wrong-proof")
        {
        }
        bench.log_in(PASSWORD).unwrap();
    }
    let notices = bench.device.notices();
    assert_eq!((notices.len(), notices[0].kind), (16, NoticeKind::Recovered));
    // And what nobody could be told of is let go in the end, with the addresses.
    bench.run(31 * 86_400);
    let (id, ticket) = bench.prove(SCREEN);
    bench.set_password(SCREEN, id, ticket.expose(), OTHER_PASSWORD).unwrap();
    assert_eq!(bench.device.notices().len(), 1);
}

#[test]
fn sessions_are_seen_and_ended() {
    let mut bench = Bench::activated();
    let mine = bench.log_in(PASSWORD).unwrap();
    let other = bench.log_in_as(LINK, "admin", PASSWORD).unwrap().token;
    let now = bench.now();
    let sessions = bench.device.sessions(now, mine.expose()).unwrap();
    assert_eq!(sessions.iter().map(|session| session.mine).collect::<Vec<_>>(), [true, false]);
    assert!(sessions[0].from.is_none() && sessions[1].from.is_some());
    assert_eq!(bench.device.end_session(now, mine.expose(), 99), Err(Refusal::Malformed));
    bench.device.end_session(now, mine.expose(), sessions[1].number).unwrap();
    assert!(bench.lives(&mine) && !bench.lives(&other));
    assert_eq!(bench.device.sessions(now, other.expose()), Err(Refusal::NotLoggedIn));
    assert_eq!(bench.device.end_session(now, "", sessions[0].number), Err(Refusal::NotLoggedIn));
}

/// Whoever got in cannot have it told by a mail server of his own, nor say that it was.
#[test]
fn what_happened_is_told_by_the_mail_server_that_was_in_force() {
    let mut bench = Bench::activated();
    let set_as = |bench: &mut Bench, login: &str, password: &str| {
        let token = bench.log_in(login).unwrap();
        bench.as_owner(&token, password, |device, now, token, checked| {
            device.set_mail_server(now, LINK, token, checked, true)
        })
    };
    assert_eq!(bench.device.mail_server(), None);
    assert_eq!(set_as(&mut bench, PASSWORD, OTHER_PASSWORD), Err(Refusal::NotLoggedIn));
    assert_eq!(set_as(&mut bench, PASSWORD, PASSWORD), Ok(Some(1)));
    let (id, ticket) = bench.prove(LINK);
    bench.set_password(LINK, id, ticket.expose(), OTHER_PASSWORD).unwrap();

    // A server of his own, and that they know.
    assert_eq!(set_as(&mut bench, OTHER_PASSWORD, OTHER_PASSWORD), Ok(Some(2)));
    let Notice { number, server, .. } = bench.device.notices().pop().unwrap();
    assert_eq!(server, Some(1));
    let token = bench.log_in(OTHER_PASSWORD).unwrap();
    let dismiss = |bench: &mut Bench, password: &str| {
        bench.as_owner(&token, password, |device, now, token, checked| {
            device.dismiss_notice(now, LINK, token, checked, number)
        })
    };
    assert_eq!(dismiss(&mut bench, PASSWORD), Err(Refusal::NotLoggedIn));
    assert_eq!(dismiss(&mut bench, OTHER_PASSWORD), Ok(()));
    assert_eq!(dismiss(&mut bench, OTHER_PASSWORD), Err(Refusal::Expired));
    bench.restart();
    let kept = bench.device.notices().pop().unwrap();
    assert_eq!(
        (kept.number, kept.server, kept.by_hand),
        (number, Some(1), true),
        "the first server tells it all the same"
    );
    assert_eq!(bench.device.events().iter().filter(|event| event.kind == EventKind::NoticeDismissed).count(), 1);

    // The end of an ownership ends its mail server for what comes after, and for nothing before.
    factory_reset(&mut bench, Recordings::Keep);
    assert_eq!(bench.device.mail_server(), None);
    assert_eq!(bench.device.notices().iter().map(|notice| notice.server).collect::<Vec<_>>(), [Some(1), Some(2)]);

    // What happened while there was none is over when its owner says so.
    let mut bench = Bench::activated();
    let (id, ticket) = bench.prove(LINK);
    bench.set_password(LINK, id, ticket.expose(), OTHER_PASSWORD).unwrap();
    let number = bench.device.notices()[0].number;
    let token = bench.log_in(OTHER_PASSWORD).unwrap();
    bench
        .as_owner(&token, OTHER_PASSWORD, |device, now, token, checked| {
            device.dismiss_notice(now, LINK, token, checked, number)
        })
        .unwrap();
    assert_eq!(bench.device.notices(), []);
}
