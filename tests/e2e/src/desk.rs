//! The desk from outside: operators, and requests of devices that exist only as a key.

use sparekey_protocol::{
    Certificate, Code, Firmware, Language, Model, Nonce, ReservedEmail, Serial, SigningKey, Time, digits,
    files::{self, Document, Entry, RequestFile},
    pem,
    request::{self, Ask, Contents},
};

use crate::{browser::Browser, program::must, world::World};

/// A device that its maker certified, and nobody ever built.
pub struct PaperDevice {
    key: SigningKey,
    serial: Serial,
    model: Model,
    certificate: Vec<u8>,
}

impl PaperDevice {
    /// Certified by the world's maker; `n` tells it from others.
    pub fn new(world: &World, n: u8) -> Self {
        let (maker, key) = (world.key("maker/maker.key"), SigningKey::from_seed(&[n; 32]));
        let (serial, model) = (Serial::new(&format!("PAPER-{n:03}")).unwrap(), Model::new("P-8").unwrap());
        let certificate = Certificate::new(&maker.public(), serial.clone(), model.clone(), &key.public()).sign(&maker);
        Self { key, serial, model, certificate }
    }

    /// A request to the desk, as a file.
    pub fn file(&self, world: &World, nonce: u8, code: &str) -> RequestFile {
        let contents = contents(Ask::ResetByDesk, code);
        let bytes = self.seal(world, &contents, nonce);
        let Contents { firmware, device_time, start_time, .. } = contents;
        RequestFile::new(&self.serial, &self.model, &firmware, device_time, start_time, bytes)
    }

    /// A request for a mail to this address, as digits.
    pub fn digits(&self, world: &World, nonce: u8, address: &str) -> String {
        let ask = Ask::ResetByEmail(ReservedEmail::new(address).unwrap());
        digits::encode(&self.seal(world, &contents(ask, "12345678"), nonce))
    }

    fn seal(&self, world: &World, contents: &Contents, nonce: u8) -> Vec<u8> {
        let opening = std::fs::read_to_string(world.path("service/opening.pub")).unwrap();
        let opening = pem::read_opening_public_key(&opening).expect("a key in PEM");
        let (nonce, seed) = (Nonce([nonce; 16]), [nonce; 32]);
        request::seal(contents, nonce, &seed, &self.certificate, &self.key, &opening).unwrap()
    }
}

fn contents(ask: Ask, code: &str) -> Contents {
    Contents {
        code: Code::parse(code).unwrap(),
        ask,
        firmware: Firmware::new("3.1").unwrap(),
        device_time: Time(1_790_000_000),
        start_time: Time(1_789_000_000),
        language: Language::new("de").unwrap(),
    }
}

/// One request as XML.
pub fn xml(file: RequestFile) -> String {
    files::write(&Document::Request(file)).unwrap().to_string()
}

/// Several as XML.
pub fn batch(requests: impl IntoIterator<Item = RequestFile>) -> String {
    files::write(&Document::Batch(requests.into_iter().map(Entry::Request).collect())).unwrap().to_string()
}

/// A new operator's token or link, whatever `more` asks for.
pub fn operator(world: &World, name: &str, role: &str, more: &[&str]) -> String {
    let service = world.path("service");
    let mut add = vec!["service", "operator", "add", &service, "--name", name, "--role", role];
    add.extend(more);
    must(&add).trim().to_owned()
}

impl Browser {
    /// A passkey of the computer's own, whose owner always looks into the camera (WebDriver, `webauthn/authenticator`).
    pub fn with_passkeys(self) -> Self {
        self.command(
            "webauthn/authenticator",
            serde_json::json!({
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": true,
                "hasUserVerification": true,
                "isUserVerified": true,
            }),
        );
        self
    }
}
