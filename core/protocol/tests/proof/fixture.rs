//! One maker, one device, one service, from the fixed seeds that `docs/ref/vectors.md` names.

use sparekey_protocol::{
    Certificate, Code, Firmware, KeyId, Language, MakerId, Model, Nonce, OpeningKey, PublicKey, ReservedEmail, Serial,
    SigningKey, Time,
    request::{self, Ask, Contents, Trust},
};

pub(crate) const SEED: [u8; 32] = {
    let mut seed = [0; 32];
    let mut i = 0;
    while i < 32 {
        seed[i] = 32 + i as u8;
        i += 1;
    }
    seed
};

pub(crate) const NONCE: Nonce = Nonce([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

pub(crate) fn maker() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

pub(crate) fn device() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

pub(crate) fn opening() -> OpeningKey {
    OpeningKey::from_bytes(&[5; 32])
}

pub(crate) fn certificate() -> Vec<u8> {
    let (serial, model) = (Serial::new("NVR-4216-0001").unwrap(), Model::new("NVR 4216").unwrap());
    Certificate::new(&maker().public(), serial, model, &device().public()).sign(&maker())
}

pub(crate) fn contents(ask: Ask) -> Contents {
    Contents {
        code: Code::parse("02718281").unwrap(),
        ask,
        firmware: Firmware::new("4.30.005").unwrap(),
        device_time: Time(1_790_000_000),
        start_time: Time(1_789_990_000),
        language: Language::new("en").unwrap(),
    }
}

pub(crate) fn email() -> ReservedEmail {
    ReservedEmail::new("owner@example.org").unwrap()
}

pub(crate) fn seal(contents: &Contents) -> Vec<u8> {
    request::seal(contents, NONCE, &SEED, &certificate(), &device(), &opening().public()).unwrap()
}

/// A service that trusts one maker and holds one opening key.
pub(crate) struct Service {
    pub(crate) maker: PublicKey,
    pub(crate) opening: OpeningKey,
    pub(crate) withdrawn: Option<String>,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self { maker: maker().public(), opening: opening(), withdrawn: None }
    }
}

impl Trust for Service {
    fn maker(&self, id: MakerId) -> Option<PublicKey> {
        (id == MakerId::of(&self.maker.to_bytes())).then_some(self.maker)
    }

    fn is_withdrawn(&self, _: MakerId, serial: &Serial) -> bool {
        self.withdrawn.as_deref() == Some(serial.as_str())
    }

    fn opening_key(&self, id: KeyId) -> Option<&OpeningKey> {
        (id == self.opening.public().id()).then_some(&self.opening)
    }
}
