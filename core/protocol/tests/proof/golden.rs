//! Golden bytes of protocol version 1. They are in devices that nobody can update: they are never edited, and every later version
//! of this program makes them from the same seeds and opens them.

use sparekey_protocol::{
    BaseUrl, Card, CardName, Certificate, MakerId, OpeningKey, Refusal, SigningKey, VerifierKey, Witnesses,
    log_verifier_key,
    request::{self, Ask},
};

use crate::fixture::{Service, certificate, contents, email, maker, opening, seal};

const CERTIFICATE: &str = include_str!("../golden/v1/certificate.hex");
const CARD: &str = include_str!("../golden/v1/card.hex");
const REQUEST_EMAIL: &str = include_str!("../golden/v1/request-email.hex");
const REQUEST_DESK: &str = include_str!("../golden/v1/request-desk.hex");
const REQUEST_CONFIRM: &str = include_str!("../golden/v1/request-confirm.hex");

fn golden(text: &str) -> Vec<u8> {
    hex::decode(text.trim_end()).unwrap()
}

fn card() -> Card {
    let (log, witness) = (SigningKey::from_seed(&[8; 32]).public(), SigningKey::from_seed(&[2; 32]).public());
    let key = |origin: &str, key| VerifierKey::new(&log_verifier_key(origin, key)).unwrap();
    Card {
        maker: MakerId::of(&maker().public().to_bytes()),
        edition: 1,
        name: CardName::new("Recovery").unwrap(),
        url: BaseUrl::new("https://recover.example.org").unwrap(),
        opening_key: opening().public(),
        grant_key: SigningKey::from_seed(&[7; 32]).public().to_bytes(),
        log_key: key("recover.example.org", &log),
        witnesses: Witnesses::new(1, vec![key("witness.example.org", &witness)]),
    }
}

#[test]
fn todays_code_makes_the_golden_bytes() {
    for (name, made, text) in [
        ("certificate", certificate(), CERTIFICATE),
        ("card", card().sign(&maker()), CARD),
        ("request-email", seal(&contents(Ask::ResetByEmail(email()))), REQUEST_EMAIL),
        ("request-desk", seal(&contents(Ask::ResetByDesk)), REQUEST_DESK),
        ("request-confirm", seal(&contents(Ask::ConfirmEmail(email()))), REQUEST_CONFIRM),
    ] {
        assert_eq!(hex::encode(made), text.trim_end(), "{name}");
    }
}

#[test]
fn todays_code_opens_the_golden_bytes() {
    let maker = maker().public();
    assert_eq!(Certificate::verify(&golden(CERTIFICATE), &maker).unwrap().serial.as_str(), "NVR-4216-0001");
    assert_eq!(*Card::verify(&golden(CARD), &maker).unwrap(), card());
    for (text, ask) in [
        (REQUEST_EMAIL, Ask::ResetByEmail(email())),
        (REQUEST_DESK, Ask::ResetByDesk),
        (REQUEST_CONFIRM, Ask::ConfirmEmail(email())),
    ] {
        assert_eq!(request::open(&golden(text), &Service::new()).unwrap().contents, contents(ask));
    }
}

#[test]
fn another_service_opens_none_of_them() {
    let other = Service { opening: OpeningKey::from_bytes(&[6; 32]), ..Service::new() };
    let stranger = Service { maker: SigningKey::from_seed(&[2; 32]).public(), ..Service::new() };
    for text in [REQUEST_EMAIL, REQUEST_DESK, REQUEST_CONFIRM] {
        assert_eq!(request::open(&golden(text), &other).err(), Some(Refusal::UnknownKey));
        assert_eq!(request::open(&golden(text), &stranger).err(), Some(Refusal::UnknownMaker));
    }
}
