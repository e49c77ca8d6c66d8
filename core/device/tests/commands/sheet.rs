//! Recovery sheet: each code serves once, and a change of the password leaves them all.

use sparekey_device::{
    Refusal, Typed,
    ways::{Readiness, SheetCode, SheetCodeState, SheetDraft, SheetSeeds, Way, Why},
};

use crate::kit::{Bench, CHEAP, LINK, OTHER_PASSWORD, PASSWORD, SCREEN};

fn typed(code: &SheetCode) -> Typed {
    Typed::SheetCode(SheetCode::parse(&code.expose()).unwrap())
}

fn wrong() -> Typed {
    Typed::SheetCode(SheetCode::from_seed(&[0xab; 10]))
}

fn reset(bench: &mut Bench, code: &SheetCode, new: &str) -> Result<(), Refusal> {
    let opened = bench.open_by(SCREEN, Way::Sheet.into())?;
    let ticket = bench.give_last(SCREEN, opened.id, typed(code))?;
    bench.set_password(SCREEN, opened.id, ticket.expose(), new)
}

#[test]
fn each_code_resets_once_and_survives_what_the_others_do() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 8).unwrap();
    bench.change_password(token.expose(), PASSWORD, OTHER_PASSWORD).unwrap();
    bench.restart();
    for (n, code) in codes.iter().enumerate() {
        assert_eq!(bench.device.way(SCREEN, Way::Sheet).codes_left, Some(8 - n));
        reset(&mut bench, code, if n % 2 == 0 { PASSWORD } else { OTHER_PASSWORD }).unwrap();
        if n < 7 {
            assert_eq!(reset(&mut bench, code, PASSWORD), Err(Refusal::WrongProof { tries_left: 4 }));
        }
    }
    assert_eq!(bench.readiness(Way::Sheet), Readiness::NotReady(Why::UsedUp));
    let token = bench.log_in(OTHER_PASSWORD).unwrap();
    let now = bench.now();
    let sheet = bench.device.sheet(now, token.expose()).unwrap().unwrap();
    assert_eq!(sheet.codes, [SheetCodeState::Used; 8]);
}

#[test]
fn two_tickets_of_one_code_are_one_reset() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 2).unwrap();
    let open = [SCREEN, LINK].map(|caller| (caller, bench.open_by(caller, Way::Sheet.into()).unwrap().id));
    let tickets = open.map(|(caller, id)| bench.give_last(caller, id, typed(&codes[0])).unwrap());
    bench.set_password(SCREEN, open[0].1, tickets[0].expose(), OTHER_PASSWORD).unwrap();
    assert_eq!(bench.set_password(LINK, open[1].1, tickets[1].expose(), PASSWORD), Err(Refusal::Expired));
    reset(&mut bench, &codes[1], PASSWORD).unwrap();
}

#[test]
fn voided_by_hand_or_by_a_new_sheet() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 3).unwrap();
    let void = |bench: &mut Bench, code| {
        bench.as_owner(&token, PASSWORD, |device, now, token, checked| {
            device.void_sheet_code(now, SCREEN, token, checked, code)
        })
    };
    assert_eq!(void(&mut bench, 3), Err(Refusal::Malformed));
    // What was right when it was looked at is gone when it is to count.
    let opened = bench.open_by(SCREEN, Way::Sheet.into()).unwrap();
    let right = bench.verdict_on(SCREEN, opened.id, typed(&codes[1])).unwrap();
    void(&mut bench, 1).unwrap();
    assert_eq!(bench.redeem(SCREEN, &right).map(drop), Err(Refusal::Expired));
    assert!(matches!(reset(&mut bench, &codes[1], OTHER_PASSWORD), Err(Refusal::WrongProof { .. })));
    assert_eq!(bench.device.way(SCREEN, Way::Sheet).codes_left, Some(2));

    let newer = bench.make_sheet(&token, 1).unwrap();
    assert!(matches!(reset(&mut bench, &codes[0], OTHER_PASSWORD), Err(Refusal::WrongProof { .. })));
    reset(&mut bench, &newer[0], OTHER_PASSWORD).unwrap();
}

#[test]
fn five_wrong_codes_wait_and_the_waits_grow() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 1).unwrap();
    for wait in [60, 300, 900, 3_600, 3_600] {
        let opened = bench.open_by(LINK, Way::Sheet.into()).unwrap();
        for tries_left in (0..5).rev() {
            let outcome = bench.give_last(LINK, opened.id, wrong()).map(drop);
            assert_eq!(outcome, Err(Refusal::WrongProof { tries_left }));
        }
        let refused = Err(Refusal::TooManyTries { retry_after: wait });
        assert_eq!(bench.give_last(LINK, opened.id, typed(&codes[0])).map(drop), refused);
        bench.restart();
        assert_eq!(bench.open_by(LINK, Way::Sheet.into()).map(drop), refused);
        bench.run(wait);
    }
    // It never closes: 80 bits need no stop.
    reset(&mut bench, &codes[0], OTHER_PASSWORD).unwrap();
}

#[test]
fn one_to_eight_codes() {
    for (count, good) in [(0, false), (1, true), (8, true), (9, false)] {
        let seeds = SheetSeeds { salt: [1; 16], codes: (0..count).map(|n| [n; 10].into()).collect() };
        assert_eq!(SheetDraft::make(&seeds, CHEAP).is_some(), good, "{count}");
    }
}

#[test]
fn no_code_is_in_the_vault() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 8).unwrap();
    let file = bench.export_key_file(&token, PASSWORD).unwrap();
    bench.set_questions(&token, Some(&[(1, "hippopotamus"), (2, "xylophone"), (3, "zanzibar")])).unwrap();
    bench.tick();
    let holds = |secret: &[u8]| bench.vault.windows(secret.len()).any(|window| window == secret);
    for code in &codes {
        assert!(!holds(code.expose().as_bytes()) && !holds(code.expose().replace('-', "").as_bytes()));
    }
    assert!(!holds(file.payload.secret.expose()));
    for answer in ["hippopotamus", "xylophone", "zanzibar"] {
        assert!(!holds(answer.as_bytes()));
    }
}
