//! What a device on the bench was provisioned with, and its service.

use sparekey_device::Identity;
use sparekey_protocol::{
    BaseUrl, Card, CardName, Certificate, Firmware, KeyId, MakerId, Model, OpeningKey, PublicKey, Serial, SigningKey,
    VerifierKey, enrol::EnrolmentSecret, log_verifier_key, request::Trust,
};

/// What the device shares with its service where it was enrolled for security codes.
pub(crate) fn enrolment() -> EnrolmentSecret {
    EnrolmentSecret::from_bytes([6; 32])
}

pub(crate) fn known(enrolled: bool) -> Identity {
    if enrolled { identity().with_enrolment(enrolment()) } else { identity() }
}

pub(crate) fn identity() -> Identity {
    let maker = maker();
    let device = SigningKey::from_seed(&[2; 32]);
    let (serial, model) = (Serial::new("NVR-4216-0001").unwrap(), Model::new("NVR-4216").unwrap());
    let certificate = Certificate::new(&maker.public(), serial, model, &device.public()).sign(&maker);
    Identity::new(device, certificate, &card(1).sign(&maker), &maker.public(), Firmware::new("1.0").unwrap()).unwrap()
}

pub(crate) fn maker() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

/// The service that may help.
pub(crate) fn card(edition: u64) -> Card {
    let log = log_key().public();
    Card {
        maker: MakerId::of(&maker().public().to_bytes()),
        edition,
        name: CardName::new("Example Recovery").unwrap(),
        url: BaseUrl::new("https://recover.example.org").unwrap(),
        opening_key: OpeningKey::from_bytes(&OPENING_KEY).public(),
        grant_key: grant_key().public().to_bytes(),
        log_key: VerifierKey::new(&log_verifier_key("example", &log)).unwrap(),
        witnesses: None,
    }
}

pub(crate) fn grant_key() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed(&[4; 32])
}

const OPENING_KEY: [u8; 32] = [5; 32];

/// A service that trusts the one maker.
pub(crate) struct Service(OpeningKey);

pub(crate) fn service() -> Service {
    Service(OpeningKey::from_bytes(&OPENING_KEY))
}

impl Trust for Service {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        let maker = SigningKey::from_seed(&[1; 32]).public();
        (id == MakerId::of(&maker.to_bytes())).then_some(maker)
    }

    fn is_withdrawn(&self, _: MakerId, _: &Serial) -> bool {
        false
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        (id == self.0.public().id()).then_some(&self.0)
    }
}
