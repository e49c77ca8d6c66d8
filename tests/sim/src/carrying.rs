//! Phones that carry requests, a service that takes them, mail servers that carry the codes back.

use sparekey_cases::Command;
use sparekey_protocol::{
    BaseUrl, Certificate, Code, Firmware, Language, Model, Nonce, ReservedEmail, SigningKey, Time, qr,
    request::{self, Ask, Contents},
};

use crate::{
    desk::Asking,
    ledger::Letter,
    service::{Service, Taken},
    world::{World, keep},
};

impl World {
    /// Takes a text from the air, in any order, and delivers it: whole or altered, once or twice, or never.
    pub(crate) fn carry(&mut self) {
        let Some(at) = self.chance.place(&self.air) else { return };
        let text = self.air.swap_remove(at);
        match self.chance.below(100) {
            0..8 => self.tell("carry", "lost"),
            8..20 => {
                let altered = self.altered(&text);
                let refused = match qr::read(&altered) {
                    Err(_) => "unreadable",
                    Ok(bytes) => self.service.open(&bytes).expect_err("an altered request was opened").name(),
                };
                self.tell("altered", refused);
                keep(&mut self.air, text);
            }
            draw => {
                self.submit(&text);
                if draw < 60 {
                    keep(&mut self.air, text);
                }
            }
        }
    }

    /// One digit of the request is another.
    fn altered(&mut self, text: &str) -> String {
        let (link, digits) = text.split_once('#').expect("a link with a fragment");
        format!("{link}#{}", self.slipped(digits))
    }

    fn submit(&mut self, text: &str) {
        let bytes = qr::read(text).expect("what a device shows is readable");
        let request = self.service.open(&bytes).expect("what a device seals opens");
        if request.contents.ask.email().is_none() {
            let code = request.contents.code.expose().to_owned();
            let (device, nonce, identity) = (request.certificate.device_id(), request.nonce, request.identity);
            keep(&mut self.inbox, Asking { device, nonce, identity, code, bytes });
            return self.tell("submit", "to the desk");
        }
        let (again, stored) = (self.chance.percent(25), self.chance.percent(95));
        let network = self.chance.one_of(&["192.0.2", "198.51.100"]);
        let now = self.now();
        match self.service.submit(&request, again, network, now, stored) {
            Ok(Taken { serial, identity, queued }) => {
                let Some(mail) = queued else { return self.tell("submit", "as-before") };
                self.ledger.sent(self.time, serial, mail.letter().to, identity);
                self.tell("submit", if mail.number == 1 { "queued" } else { "queued-again" });
            }
            Err(sparekey_cases::Refusal::TooMany { retry_after }) => {
                assert!((1..=24 * 3_600).contains(&retry_after), "to wait for {retry_after} s");
                self.tell("submit", "too-many");
            }
        }
    }

    /// The sender takes a mail from the outbox.
    pub(crate) fn post(&mut self) {
        let now = self.now();
        let Some(mail) = self.service.outgoing(|outbox| self.chance.place(outbox)) else { return };
        let letter = mail.number;
        if self.service.is_expired(&mail, now) {
            self.service.note(&mail, Command::MailExpired { letter }, now);
            return self.tell("mail", "expired");
        }
        match self.chance.below(100) {
            0..8 => {
                self.service.note(&mail, Command::MailRefused { letter }, now);
                self.tell("mail", "refused");
            }
            8..16 => {
                // A crash between the server's acceptance and the note of it.
                self.hand_over(mail.letter());
                self.ledger.note_lost(mail.identity);
                self.tell("mail", "note-lost");
            }
            16..22 => {
                self.ledger.accepted(&mail.letter());
                self.service.note(&mail, Command::MailAccepted { letter }, now);
                self.tell("mail", "lost");
            }
            22..35 => self.tell("mail", "later"),
            _ => {
                self.hand_over(mail.letter());
                self.service.note(&mail, Command::MailAccepted { letter }, now);
                self.tell("mail", "arrived");
            }
        }
    }

    fn hand_over(&mut self, letter: Letter) {
        self.ledger.accepted(&letter);
        self.ledger.arrived(letter);
    }

    /// Somebody makes a request of their own for a device that is not theirs.
    pub(crate) fn forge(&mut self) {
        let device = self.any_device();
        let (own_key, real) = (SigningKey::from_seed(&self.chance.bytes()), self.recorders[device].device.identity());
        let own_maker = SigningKey::from_seed(&[200; 32]);
        let (serial, model) = (self.recorders[device].serial.clone(), Model::new("NVR-4216").expect("short"));
        let claimed = Certificate::new(&own_maker.public(), serial, model, &own_key.public());
        let mut by_real_maker = claimed.clone();
        by_real_maker.maker = real.certificate().maker;
        let cases = [
            ("unknown-maker", claimed.sign(&own_maker)),
            ("bad-certificate", by_real_maker.sign(&own_maker)),
            ("bad-signature", real.certificate_bytes().to_vec()),
        ];
        let (refused, certificate) = &cases[self.chance.index(cases.len())];
        let contents = Contents {
            code: Code::from_seed(&self.chance.bytes()),
            ask: Ask::ResetByEmail(ReservedEmail::new("stranger@example.com").expect("short")),
            firmware: Firmware::new("1.0").expect("short"),
            device_time: Time(0),
            start_time: Time(0),
            language: Language::new("en").expect("a tag"),
        };
        let (nonce, seed) = (Nonce(self.chance.bytes()), self.chance.bytes());
        let service = Service::opening_key().public();
        let sealed = request::seal(&contents, nonce, &seed, certificate, &own_key, &service).expect("a usable key");
        let url = BaseUrl::new("https://recover.example.org").expect("a base URL");
        let bytes = qr::read(&qr::text(&url, &sealed)).expect("readable");
        let refusal = self.service.open(&bytes).expect_err("a forged request was opened");
        assert_eq!(refusal.name(), *refused);
        self.tell("forged", refusal.name());
    }
}
