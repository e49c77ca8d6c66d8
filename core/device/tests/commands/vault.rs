//! What is stored: it starts again, it is no other thing, and it holds no secret.

use proptest::prelude::*;
use sparekey_device::{Damaged, Device, Policy, RecoveryId};

use crate::kit::{Bench, EMAILS, LINK, OTHER_PASSWORD, PASSWORD, SCREEN, identity, mailed, received, wrong};

/// A vault of version 1. Never edited: what a device stored once, every later version starts from.
const VAULT_V1: &str = include_str!("../golden/vault-v1.hex");

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

fn start(vault: &[u8]) -> Result<(), Damaged> {
    Device::start(identity(), Policy::default(), Some(vault)).map(drop)
}

#[test]
fn a_part_of_a_vault_is_no_vault() {
    let golden = hex::decode(VAULT_V1.trim()).unwrap();
    assert_eq!(start(&golden), Ok(()));
    for end in 0..golden.len() {
        assert_eq!(start(&golden[..end]), Err(Damaged), "{end} bytes of it");
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
        bench.vault = hex::decode(VAULT_V1.trim()).unwrap();
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
