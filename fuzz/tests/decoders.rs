//! Every decoder, on random bytes and on altered messages. Nothing panics, and what is accepted has one encoding only.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bolero::check;
use sparekey_fuzz::{DEVICE, MAKER, Service, certificate, contents, edited, payload_of, request_with, signed};
use sparekey_protocol::{
    BaseUrl, Card, CardName, CaseNumber, Certificate, DeviceId, Language, MakerId, Nonce, ReservedEmail, SigningKey,
    Time, VerifierKey,
    clip::{self, Clip},
    digits,
    enrol::{self, EnrolmentSecret},
    files,
    grant::{self, Grant},
    log::{Checkpoint, Leaf, LogPolicy, LogProof, Note, NoteKey, Tile, cosign, cosigner_verifier_key, decode_entries},
    log_verifier_key, pem, qr,
    receipt::{self, Receipt, What},
    request::{self, MAX_REQUEST},
    transfer::Statement,
};

type Edits = Vec<(u16, u8, u8)>;

/// The seeds of the service's grant key, its log key and a witness's.
const GRANT: [u8; 32] = [7; 32];
const LOG: [u8; 32] = [8; 32];
const WITNESS: [u8; 32] = [40; 32];

/// A card that asks for one witness.
fn card() -> Card {
    let public = |seed| SigningKey::from_seed(seed).public();
    let witness = cosigner_verifier_key("witness.example.org", &public(&WITNESS)).unwrap();
    Card {
        maker: MakerId::of(&public(&MAKER).to_bytes()),
        edition: 1,
        name: CardName::new("Recovery").unwrap(),
        url: BaseUrl::new("https://recover.example.org").unwrap(),
        opening_key: Service::default().opening().public(),
        grant_key: public(&GRANT).to_bytes(),
        log_key: VerifierKey::new(&log_verifier_key("recover.example.org", &public(&LOG))).unwrap(),
        witnesses: sparekey_protocol::Witnesses::new(1, vec![VerifierKey::new(&witness).unwrap()]),
    }
}

/// A checkpoint of a tree with this leaf alone, signed and cosigned.
fn checkpoint(leaf: &Leaf) -> String {
    let checkpoint = Checkpoint { origin: "recover.example.org".into(), size: 1, root: leaf.hash() };
    let cosignature =
        cosign("witness.example.org", &SigningKey::from_seed(&WITNESS), Time(1_790_000_000), &checkpoint.text());
    checkpoint.sign(&SigningKey::from_seed(&LOG)) + &cosignature
}

fn a_grant() -> Grant {
    Grant {
        device: DeviceId([1; 16]),
        nonce: Nonce([2; 16]),
        issued_at: Time(1_790_000_000),
        not_after: Time(1_790_086_400),
        case: CaseNumber::new("C-1").unwrap(),
    }
}

/// Runs one target for two seconds, or as long as `BOLERO_RANDOM_TEST_TIME_MS` says.
macro_rules! target {
    ($name:ident, $type:ty, $check:expr) => {
        #[test]
        fn $name() {
            let check = $check;
            check!()
                .with_type::<$type>()
                .with_iterations(10_000_000)
                .with_test_time(Duration::from_secs(2))
                .for_each(move |input| check(input));
        }
    };
}

target!(random_bytes, Vec<u8>, |input: &Vec<u8>| {
    let maker = SigningKey::from_seed(&MAKER).public();
    assert!(request::open(input, &Service::default()).is_err());
    assert!(Certificate::verify(input, &maker).is_err());
    assert!(Card::verify(input, &maker).is_err());
    let _ = files::parse(input);
    let _ = (Note::parse(input), Leaf::decode(input), decode_entries(input, 3));
    assert!(enrol::open(input, &Service::default()).is_err());
    assert!(receipt::open(input, &Service::default()).is_err());
    let own = Certificate::verify(&certificate(), &maker).unwrap();
    assert!(Statement::verify(input, &own).is_err());
    let _ = grant::named(input);
    assert!(grant::open(input, &card(), DeviceId([1; 16]), |_| true).is_err());
    let text = String::from_utf8_lossy(input);
    let _ = qr::read(&text);
    let _ = (Checkpoint::parse(&text), LogProof::parse(&text), Tile::parse_path(&text));
    assert!(pem::read_signing_key(&text).is_none());
});

target!(edited_clip, Edits, {
    let (device, maker) = (SigningKey::from_seed(&DEVICE), SigningKey::from_seed(&MAKER).public());
    let id = DeviceId::of(&device.public().to_bytes());
    let said = Clip { device: id, camera: "Door".to_owned(), from: 1, to: 2, sha256: [3; 32], length: 4 };
    let good = said.sign(&device, &certificate());
    move |edits: &Edits| {
        let file = edited(&good, edits);
        assert_eq!(clip::open(&file, Some(&maker)).is_ok(), file == good);
        let _ = clip::open(&file, None);
    }
});

target!(edited_request, Edits, {
    let service = Service::default();
    let device = SigningKey::from_seed(&DEVICE);
    let good =
        request::seal(&contents(), Nonce([2; 16]), &[9; 32], &certificate(), &device, &service.opening().public())
            .unwrap();
    move |edits: &Edits| {
        let request = edited(&good, edits);
        assert_eq!(request::open(&request, &service).is_ok(), request == good);
    }
});

target!(edited_and_signed_request, Edits, {
    let service = Service::default();
    let device = SigningKey::from_seed(&DEVICE);
    let good =
        request::seal(&contents(), Nonce([2; 16]), &[9; 32], &certificate(), &device, &service.opening().public())
            .unwrap();
    let payload = payload_of(&good).to_vec();
    move |edits: &Edits| {
        // Everything in a payload is bound to the seal, so that even the device cannot change it afterwards.
        let request = signed(&DEVICE, b"sparekey/v1/request", &edited(&payload, edits));
        assert_eq!(request::open(&request, &service).is_ok(), request == good);
    }
});

target!(edited_and_sealed_plaintext, Edits, {
    let service = Service::default();
    let code = contents().code;
    // {1: code, 2: address, 3: "1.0", 4: 0, 5: 1, 6: "en", 7: h'0000'}
    let email = b"\x02\x71owner@example.org";
    let good =
        [&b"\xa7\x01\x68"[..], code.expose().as_bytes(), email, b"\x03\x631.0\x04\x00\x05\x01\x06\x62en\x07\x42\0\0"]
            .concat();
    assert!(request::open(&request_with(&service, &good), &service).is_ok());
    move |edits: &Edits| {
        let request = request_with(&service, &edited(&good, edits));
        let Ok(opened) = request::open(&request, &service) else { return };
        // Whatever was accepted can be said again, and says the same.
        let device = SigningKey::from_seed(&DEVICE);
        let key = service.opening().public();
        let again = request::seal(&opened.contents, opened.nonce, &[9; 32], &certificate(), &device, &key).unwrap();
        assert_eq!(request::open(&again, &service).unwrap().contents, opened.contents);
    }
});

target!(edited_and_signed_certificate, Edits, {
    let maker = SigningKey::from_seed(&MAKER);
    let good = payload_of(&certificate()).to_vec();
    move |edits: &Edits| {
        let bytes = signed(&MAKER, b"sparekey/v1/device", &edited(&good, edits));
        if let Ok(certificate) = Certificate::verify(&bytes, &maker.public()) {
            assert_eq!(certificate.sign(&maker), bytes);
        }
    }
});

target!(edited_and_signed_card, Edits, {
    let maker = SigningKey::from_seed(&MAKER);
    let card = card();
    let good = payload_of(&card.sign(&maker)).to_vec();
    move |edits: &Edits| {
        let bytes = signed(&MAKER, b"sparekey/v1/service", &edited(&good, edits));
        if let Ok(card) = Card::verify(&bytes, &maker.public()) {
            assert_eq!(card.sign(&maker), bytes);
        }
    }
});

target!(any_digits, Vec<u8>, |input: &Vec<u8>| {
    let text: String = input.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    if let Ok(bytes) = digits::decode(&text, MAX_REQUEST) {
        assert_eq!(digits::encode(&bytes), text);
    }
    assert_eq!(digits::decode(&digits::encode(input), input.len()).as_ref(), Ok(input));
});

target!(edited_symbol, Edits, {
    let url = BaseUrl::new("https://recover.example.org").unwrap();
    let good = qr::text(&url, &[0x84; 60]);
    move |edits: &Edits| {
        let text = edited(good.as_bytes(), edits);
        if let Ok(request) = qr::read(&String::from_utf8_lossy(&text)) {
            assert_eq!(qr::read(&qr::text(&url, &request)), Ok(request));
        }
    }
});

target!(edited_file, Edits, {
    let good = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Batch xmlns=\"urn:sparekey:recovery:1\"><RecoveryGrant><Serial>A&amp;</Serial>\
        <Case/><NotAfter><![CDATA[x]]></NotAfter><!-- y --><Payload> gEE= </Payload></RecoveryGrant></Batch>";
    assert!(files::parse(good.as_bytes()).is_ok());
    move |edits: &Edits| {
        if let Ok(document) = files::parse(&edited(good.as_bytes(), edits)) {
            let written = files::write(&document).unwrap();
            assert_eq!(files::parse(written.as_bytes()), Ok(document));
        }
    }
});

target!(edited_pem, Edits, {
    let key = SigningKey::from_seed(&MAKER);
    let (secret, public) = (pem::write_signing_key(&key), pem::write_public_key(&key.public()));
    move |edits: &Edits| {
        let text = |good: &str| String::from_utf8_lossy(&edited(good.as_bytes(), edits)).into_owned();
        if let Some(key) = pem::read_signing_key(&text(&secret)) {
            assert!(pem::read_signing_key(&pem::write_signing_key(&key)).is_some());
        }
        if let Some(key) = pem::read_public_key(&text(&public)) {
            assert_eq!(pem::read_public_key(&pem::write_public_key(&key)), Some(key));
        }
    }
});

target!(edited_bundle, Edits, {
    let card = card();
    let signed = a_grant().sign(&SigningKey::from_seed(&GRANT));
    let checkpoint = checkpoint(&a_grant().leaf(&signed));
    let good = grant::bundle(&signed, &LogProof { index: 0, path: Vec::new(), checkpoint: &checkpoint });
    assert!(grant::open(&good, &card, DeviceId([1; 16]), |_| true).is_ok());
    move |edits: &Edits| {
        let bundle = edited(&good, edits);
        assert_eq!(grant::open(&bundle, &card, DeviceId([1; 16]), |_| true).is_ok(), bundle == good);
    }
});

target!(edited_and_signed_grant, Edits, {
    let card = card();
    let good = payload_of(&a_grant().sign(&SigningKey::from_seed(&GRANT))).to_vec();
    move |edits: &Edits| {
        // A service that signs and logs anything at all.
        let signed = signed(&GRANT, b"sparekey/v1/grant", &edited(&good, edits));
        let leaf = a_grant().leaf(&signed);
        let checkpoint = checkpoint(&leaf);
        let bundle = grant::bundle(&signed, &LogProof { index: 0, path: Vec::new(), checkpoint: &checkpoint });
        if let Ok(grant) = grant::open(&bundle, &card, DeviceId([1; 16]), |_| true) {
            assert_eq!(grant.sign(&SigningKey::from_seed(&GRANT)), signed);
            assert_eq!(grant.leaf(&signed), leaf);
        }
    }
});

target!(edited_checkpoint, Edits, {
    let policy = LogPolicy::of_card(&card()).unwrap();
    let good = checkpoint(&a_grant().leaf(b"grant"));
    let expected = policy.open(good.as_bytes()).unwrap();
    move |edits: &Edits| {
        // Lines by unknown keys may be added; what is opened says the same.
        if let Ok(opened) = policy.open(&edited(good.as_bytes(), edits)) {
            assert_eq!(opened, expected);
        }
    }
});

target!(edited_proof, Edits, {
    let good = LogProof { index: 7, path: vec![a_grant().leaf(b"grant").hash(); 3], checkpoint: "x\n" }.encode();
    move |edits: &Edits| {
        let bytes = edited(good.as_bytes(), edits);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(proof) = LogProof::parse(&text) {
            assert_eq!(proof.encode(), text);
        }
    }
});

target!(edited_leaf, Edits, {
    let good = a_grant().leaf(b"grant").encode();
    move |edits: &Edits| {
        let bytes = edited(&good, edits);
        if let Ok(leaf) = Leaf::decode(&bytes) {
            assert_eq!(leaf.encode(), bytes);
        }
    }
});

target!(edited_verifier_key, Edits, {
    let good = log_verifier_key("recover.example.org", &SigningKey::from_seed(&LOG).public());
    move |edits: &Edits| {
        let bytes = edited(good.as_bytes(), edits);
        let Some(text) = VerifierKey::new(&String::from_utf8_lossy(&bytes)) else { return };
        if let Ok(key) = NoteKey::parse(&text) {
            assert_eq!(key.to_verifier_key(), text.as_str());
        }
    }
});

target!(edited_tile_path, Edits, |edits: &Edits| {
    let bytes = edited(b"tile/0/x001/x234/067.p/112", edits);
    let text = String::from_utf8_lossy(&bytes);
    if let Some(tile) = Tile::parse_path(&text) {
        assert_eq!(tile.path(), text);
    }
});

target!(edited_enrolment, Edits, {
    let service = Service::default();
    let (secret, device) = (EnrolmentSecret::from_bytes([4; 32]), SigningKey::from_seed(&DEVICE));
    let good = enrol::seal(&secret, &[9; 32], &certificate(), &device, &service.opening().public()).unwrap();
    move |edits: &Edits| {
        let record = edited(&good, edits);
        assert_eq!(enrol::open(&record, &service).is_ok(), record == good);
    }
});

target!(edited_receipt, Edits, {
    let service = Service::default();
    let to = vec![ReservedEmail::new("owner@example.org").unwrap()];
    let (what, way, at) = (What::Refused, Some("questions".to_owned()), Time(1_790_000_000));
    let language = Language::new("en").unwrap();
    let receipt = Receipt { number: 3, what, way, at, count: 2, to, language };
    let device = SigningKey::from_seed(&DEVICE);
    let good = receipt::seal(&receipt, &[9; 32], &certificate(), &device, &service.opening().public()).unwrap();
    move |edits: &Edits| {
        let bytes = edited(&good, edits);
        assert_eq!(receipt::open(&bytes, &service).is_ok(), bytes == good);
    }
});

target!(edited_transfer_statement, Edits, {
    let own = Certificate::verify(&certificate(), &SigningKey::from_seed(&MAKER).public()).unwrap();
    let statement = Statement { device: own.device_id(), at: Time(1_790_000_000), number: 3, recordings_kept: false };
    let good = statement.sign(&SigningKey::from_seed(&DEVICE));
    move |edits: &Edits| {
        let bytes = edited(&good, edits);
        assert_eq!(Statement::verify(&bytes, &own).is_ok(), bytes == good);
    }
});
