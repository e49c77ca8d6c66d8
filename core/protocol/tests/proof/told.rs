//! Receipts and transfer statements: what a device says afterwards, and who may believe it.

use sparekey_protocol::{
    Certificate, DeviceId, Language, OpeningKey, Refusal, ReservedEmail, SigningKey, Time, enrol,
    receipt::{self, Receipt, What},
    request,
    transfer::Statement,
};

use crate::fixture::{SEED, Service, certificate, contents, device, email, maker, opening, seal};

fn receipt() -> Receipt {
    Receipt {
        number: 7,
        what: What::Recovered,
        way: Some("sheet".to_owned()),
        at: Time(1_790_000_000),
        count: 1,
        to: vec![email()],
        language: Language::new("de").unwrap(),
    }
}

fn sealed(receipt: &Receipt) -> Vec<u8> {
    receipt::seal(receipt, &SEED, &certificate(), &device(), &opening().public()).unwrap()
}

#[test]
fn a_receipt_opens_as_it_was_sealed() {
    let opened = receipt::open(&sealed(&receipt()), &Service::new()).unwrap();
    assert_eq!(opened.receipt, receipt());
    assert_eq!(opened.certificate.serial.as_str(), "NVR-4216-0001");
    let largest = Receipt {
        way: Some("x".repeat(16)),
        to: vec![ReservedEmail::new(&"x".repeat(254)).unwrap(); 2],
        number: u64::MAX,
        at: Time(u64::MAX),
        count: u32::MAX,
        language: Language::new("zh-Hans-CN-x-ab").unwrap(),
        ..receipt()
    };
    assert!(receipt::open(&sealed(&largest), &Service::new()).is_ok());
}

#[test]
fn a_receipt_altered_anywhere_or_out_of_bounds_is_refused() {
    let good = sealed(&receipt());
    for at in 0..good.len() {
        let mut altered = good.clone();
        altered[at] ^= 1;
        assert!(receipt::open(&altered, &Service::new()).is_err(), "byte {at}");
        assert!(receipt::open(&good[..at], &Service::new()).is_err(), "{at} bytes of it");
    }
    for bad in [
        Receipt { to: vec![], ..receipt() },
        Receipt { to: vec![email(), email(), email()], ..receipt() },
        Receipt { way: Some(String::new()), ..receipt() },
        Receipt { way: Some("x".repeat(17)), ..receipt() },
    ] {
        assert_eq!(receipt::open(&sealed(&bad), &Service::new()), Err(Refusal::Malformed));
    }
}

#[test]
fn a_receipt_is_believed_only_of_a_known_device() {
    let good = sealed(&receipt());
    let refused = |service: Service| receipt::open(&good, &service).unwrap_err();
    assert_eq!(
        refused(Service { maker: SigningKey::from_seed(&[9; 32]).public(), ..Service::new() }),
        Refusal::UnknownMaker
    );
    let withdrawn = Some("NVR-4216-0001".to_owned());
    assert_eq!(refused(Service { withdrawn, ..Service::new() }), Refusal::Withdrawn);
    assert_eq!(refused(Service { opening: OpeningKey::from_bytes(&[9; 32]), ..Service::new() }), Refusal::UnknownKey);
    let by_other = receipt::seal(&receipt(), &SEED, &certificate(), &maker(), &opening().public()).unwrap();
    assert_eq!(receipt::open(&by_other, &Service::new()), Err(Refusal::BadSignature));
}

#[test]
fn a_receipt_is_no_request_and_no_enrolment_and_neither_is_a_receipt() {
    let (good, service) = (sealed(&receipt()), Service::new());
    assert!(request::open(&good, &service).is_err() && enrol::open(&good, &service).is_err());
    let request = seal(&contents(request::Ask::ResetByDesk));
    let secret = enrol::EnrolmentSecret::from_bytes([6; 32]);
    let enrolment = enrol::seal(&secret, &SEED, &certificate(), &device(), &opening().public()).unwrap();
    // An enrolment has a receipt's shape: the use of the signature tells them apart.
    assert!(receipt::open(&request, &service).is_err());
    assert_eq!(receipt::open(&enrolment, &service), Err(Refusal::BadSignature));
}

#[test]
fn a_statement_is_that_devices_own() {
    let certificate = Certificate::verify(&certificate(), &maker().public()).unwrap();
    let statement =
        Statement { device: certificate.device_id(), at: Time(1_790_000_000), number: 40, recordings_kept: true };
    let signed = statement.sign(&device());
    assert_eq!(*Statement::verify(&signed, &certificate).unwrap(), statement);
    for at in 0..signed.len() {
        let mut altered = signed.clone();
        altered[at] ^= 1;
        assert!(Statement::verify(&altered, &certificate).is_err(), "byte {at}");
    }
    assert_eq!(Statement::verify(&statement.sign(&maker()), &certificate), Err(None));
    let other = Statement { device: DeviceId([9; 16]), ..statement };
    assert_eq!(Statement::verify(&other.sign(&device()), &certificate), Err(None));
}
