//! What is stored: it starts again, it is no other thing, and it holds no secret.

use proptest::prelude::*;
use sparekey_device::{
    Damaged, Device, Policy, QuestionsPolicy, RecoveryId, Refusal, Typed,
    ways::{Answers, Readiness, SheetCode, Way},
};

use crate::kit::{
    Bench, EMAILS, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, card, identity, mailed, maker, received, wrong,
};

/// A vault of version 1. Never edited: what a device stored once, every later version starts from.
const VAULT_V1: &str = include_str!("../golden/vault-v1.hex");
/// One of version 2, with all ways back in.
const VAULT_V2: &str = include_str!("../golden/vault-v2.hex");
/// One of version 3, which also knows what was asked of the service.
const VAULT_V3: &str = include_str!("../golden/vault-v3.hex");
/// The same with what was answered kept apart, and the mail servers that tell contacts.
const VAULT_V4: &str = include_str!("../golden/vault-v4.hex");

#[test]
fn a_vault_of_version_1_still_starts() {
    // A device that waits for a confirmation, two codes at the screen and one on the link, and has a ticket out.
    let golden = hex::decode(VAULT_V1.trim()).unwrap();
    let id = RecoveryId::parse("c62cc736f00690957d66f16b3e0c04b8").unwrap();
    let mut bench = Bench::new();
    bench.vault = golden;
    bench.restart();
    assert_eq!(bench.device.username().unwrap().as_str(), "admin");
    assert_eq!(bench.open(SCREEN).unwrap_err().name(), "too-many-tries");
    let now = bench.now();
    let view = bench.device.recovery(now, SCREEN, id).unwrap();
    assert_eq!((view.tries_left, view.expires_in, view.proven), (5, 1_740, false));
    let request = sparekey_protocol::qr::read(view.qr_text().unwrap()).unwrap();
    let contents = received(&request).contents;
    assert_eq!(contents.ask.email().unwrap().as_str(), EMAILS[1]);
    let ticket = bench.type_code(SCREEN, id, contents.code.expose()).unwrap();
    let token = bench.log_in(PASSWORD).unwrap();
    let contacts = bench.device.contacts(now, token.expose()).unwrap();
    let confirmed: Vec<_> = contacts.iter().map(|contact| contact.confirmed.is_some()).collect();
    assert_eq!(confirmed, [true, false]);
    bench.set_password(SCREEN, id, ticket.expose(), OTHER_PASSWORD).unwrap();
    assert!(bench.log_in(OTHER_PASSWORD).is_ok());
}

/// A device in the middle of everything that a vault can hold, with the sheet's codes and a request that waits for two proofs.
fn in_the_middle() -> (Bench, Vec<SheetCode>, RecoveryId) {
    let mut bench = Bench::with(Policy::default().with_questions(QuestionsPolicy::BesideAnotherWay), true);
    bench.activate(SCREEN, &EMAILS).unwrap();
    let token = bench.log_in(PASSWORD).unwrap();
    let codes = bench.make_sheet(&token, 3).unwrap();
    bench.export_key_file(&token, PASSWORD).unwrap();
    bench.set_questions(&token, Some(&ANSWERS)).unwrap();
    bench.switch(&token, Way::SecurityCode, true);
    let test = bench.open_test(&token, Way::Sheet.into()).unwrap();
    bench.give(SCREEN, test.id, Typed::SheetCode(codes[1].clone())).unwrap();
    bench.open_confirmation(token.expose(), 1).unwrap();
    bench
        .as_owner(&token, PASSWORD, |device, now, token, checked| {
            device.void_sheet_code(now, SCREEN, token, checked, 2)
        })
        .unwrap();
    bench
        .as_owner(&token, PASSWORD, |device, now, token, checked| {
            device.replace_card(now, SCREEN, token, checked, &card(2).sign(&maker()))
        })
        .unwrap();
    bench.run(120);
    bench.prove(LINK);
    let opened = bench.open_by(LINK, Way::Sheet.into()).unwrap();
    for _ in 0..5 {
        bench.give(LINK, opened.id, Typed::SheetCode(SheetCode::from_seed(&[7; 10]))).map(drop).unwrap_err();
    }
    for way in [Way::Desk, Way::KeyFile, Way::SecurityCode] {
        bench.open_by(SCREEN, way.into()).unwrap();
    }
    let both = bench.open_by(SCREEN, Way::Questions.into()).unwrap();
    bench.give(SCREEN, both.id, Typed::Answers(Answers::new(&ANSWERS).unwrap())).unwrap();
    (bench, codes, both.id)
}

const ANSWERS: [(u8, &str); 3] = [(4, "Rex"), (9, "blue"), (16, "Lisbon")];

#[test]
fn todays_vaults_are_of_version_4() {
    // What differs is a new format: keep this file, store another one beside it, and start from all.
    let made = in_the_middle().0;
    assert_eq!(hex::encode(&made.vault), VAULT_V4.trim(), "the same story is not stored in the same bytes");
    assert_eq!(made.device.service_asks().len(), 5);
}

#[test]
fn a_vault_of_version_2_still_starts() {
    starts_in_the_middle(VAULT_V2);
}

#[test]
fn a_vault_of_version_3_still_starts() {
    starts_in_the_middle(VAULT_V3);
}

#[test]
fn a_vault_of_version_4_still_starts() {
    starts_in_the_middle(VAULT_V4);
}

fn starts_in_the_middle(vault: &str) {
    let (made, codes, both) = in_the_middle();
    let mut bench = Bench::with(made.policy, true);
    bench.vault = hex::decode(vault.trim()).unwrap();
    bench.restart();
    assert_eq!((bench.device.card().edition, bench.device.notices().len()), (2, 1));
    let refused = bench.open_by(LINK, Way::Sheet.into()).map(drop);
    assert!(matches!(refused, Err(Refusal::TooManyTries { .. })), "a wait was forgotten: {refused:?}");
    for way in [Way::Email, Way::Sheet, Way::KeyFile, Way::Desk, Way::Questions, Way::SecurityCode] {
        assert!(!matches!(bench.readiness(way), Readiness::NotReady(_)), "{way:?}");
    }
    assert_eq!(bench.device.way(SCREEN, Way::Sheet).codes_left, Some(2));
    let now = bench.now();
    let view = bench.device.recovery(now, SCREEN, both).unwrap();
    assert_eq!(view.parts.iter().map(|part| part.proven).collect::<Vec<_>>(), [true, false]);
    let ticket = bench.type_code(SCREEN, both, &mailed(&view).1).unwrap();
    bench.set_password(SCREEN, both, ticket.expose(), OTHER_PASSWORD).unwrap();
    let opened = bench.open_by(SCREEN, Way::Sheet.into()).unwrap();
    bench.give_last(SCREEN, opened.id, Typed::SheetCode(codes[0].clone())).unwrap();
}

fn start(vault: &[u8]) -> Result<(), Damaged> {
    Device::start(identity(), Policy::default(), Some(vault)).map(drop)
}

#[test]
fn a_part_of_a_vault_is_no_vault() {
    for golden in [VAULT_V1, VAULT_V2, VAULT_V3, VAULT_V4] {
        let golden = hex::decode(golden.trim()).unwrap();
        assert_eq!(start(&golden), Ok(()));
        for end in 0..golden.len() {
            assert_eq!(start(&golden[..end]), Err(Damaged), "{end} bytes of it");
        }
    }
    for other in [&b"\xa0"[..], b"\xf6", b"\x80", b"{}", &[0; 4096], &[0xff; 4096]] {
        assert_eq!(start(other), Err(Damaged));
    }
}

proptest! {
    #[test]
    fn garbage_is_no_vault(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        prop_assert_eq!(start(&bytes), Err(Damaged));
    }

    /// The agent's checksum finds an altered vault. One that it did not find is refused, or works without a panic.
    #[test]
    fn an_altered_vault_does_no_harm(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bench = Bench::new();
        bench.vault = hex::decode(VAULT_V3.trim()).unwrap();
        let at = at.index(bench.vault.len());
        bench.vault[at] = to;
        if start(&bench.vault).is_ok() {
            bench.restart();
            drop(bench.open(SCREEN));
            bench.log_in(OTHER_PASSWORD).unwrap_err();
        }
    }
}

#[test]
fn no_secret_is_in_it() {
    let mut bench = Bench::activated();
    let token = bench.log_in(PASSWORD).unwrap();
    let opened = bench.open(SCREEN).unwrap();
    let confirmation = bench.open_confirmation(token.expose(), 0).unwrap();
    let (_, ticket) = bench.prove(LINK);
    bench.type_code(SCREEN, opened.id, &wrong(&opened)).unwrap_err();
    bench.tick();
    let secrets =
        [PASSWORD, &mailed(&opened).1, &mailed(&confirmation).1, &wrong(&opened), token.expose(), ticket.expose()];
    let holds = |secret: &str| bench.vault.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(holds(EMAILS[0]), "the search finds what is there");
    for secret in secrets {
        assert!(!holds(secret));
    }
}
