//! Properties of requests: nothing altered, cut or lengthened is opened, and whatever was sealed comes out as it went in.

use std::collections::BTreeMap;

use minicbor::Decoder;
use proptest::prelude::*;
use sparekey_protocol::{
    Certificate, Code, Firmware, Language, Model, Nonce, OpeningKey, OpeningPublicKey, PublicKey, ReservedEmail,
    Serial, SigningKey, Time,
    request::{self, Ask, Contents},
};

use crate::fixture::{NONCE, SEED, Service, certificate, contents, device, email, maker, opening, seal};

fn asks() -> [Ask; 3] {
    [Ask::ResetByEmail(email()), Ask::ResetByDesk, Ask::ConfirmEmail(email())]
}

#[test]
fn a_request_with_any_byte_altered_is_refused() {
    let service = Service::new();
    for ask in asks() {
        let request = seal(&contents(ask));
        for at in 0..request.len() {
            // Each bit, and what a carrier makes of a byte: nothing, all ones, the next one.
            let bits = (0..8).map(|bit| request[at] ^ (1 << bit));
            for byte in bits.chain([0, 0xff, request[at].wrapping_add(1)]).filter(|byte| *byte != request[at]) {
                let mut altered = request.clone();
                altered[at] = byte;
                assert!(request::open(&altered, &service).is_err(), "byte {at} as {byte:#04x} was opened");
            }
        }
    }
}

#[test]
fn a_request_cut_at_any_length_is_refused() {
    let service = Service::new();
    for ask in asks() {
        let request = seal(&contents(ask));
        for length in 0..request.len() {
            assert!(request::open(&request[..length], &service).is_err(), "{length} bytes were opened");
            assert!(request::open(&request[length + 1..], &service).is_err(), "the bytes after {length} were opened");
        }
        for byte in 0..=255 {
            assert!(
                request::open(&[&request[..], &[byte]].concat(), &service).is_err(),
                "{byte:#04x} at the end was opened"
            );
        }
    }
}

/// Where a padding of 24 bytes would need 23 (a byte string's head grows there), the next length is taken: so it must be by the protocol.
#[test]
fn the_size_tells_no_length_of_an_address() {
    let mut lengths = BTreeMap::<_, Vec<_>>::new();
    for length in 3..=ReservedEmail::MAX {
        let address = ReservedEmail::new(&"o".repeat(length)).unwrap();
        lengths.entry(plaintext_length(&seal(&contents(Ask::ResetByEmail(address))))).or_default().push(length);
    }
    assert_eq!(lengths.keys().copied().collect::<Vec<_>>(), [96, 160, 384]);
    assert!(lengths.values().all(|addresses| addresses.len() > 30), "{lengths:?}");
    assert_eq!(plaintext_length(&seal(&contents(Ask::ResetByDesk))), 96);
}

/// The length of the ciphertext, key 5 of the payload, without its tag of 16 bytes.
fn plaintext_length(request: &[u8]) -> usize {
    let mut envelope = Decoder::new(request);
    envelope.array().unwrap();
    envelope.skip().unwrap();
    envelope.skip().unwrap();
    let mut payload = Decoder::new(envelope.bytes().unwrap());
    for _ in 0..payload.map().unwrap().unwrap() {
        if payload.u8().unwrap() == 5 {
            return payload.bytes().unwrap().len() - 16;
        }
        payload.skip().unwrap();
    }
    panic!("no ciphertext");
}

#[test]
fn nothing_is_sealed_to_a_key_of_small_order() {
    let order_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
    let order_8 = hex::decode(order_8).unwrap().try_into().unwrap();
    let mut one = [0; 32];
    one[0] = 1;
    for key in [[0; 32], one, order_8] {
        let sealed =
            request::seal(&contents(Ask::ResetByDesk), NONCE, &SEED, &certificate(), &device(), &OpeningPublicKey(key));
        assert!(sealed.is_none(), "{}", hex::encode(key));
    }
}

#[test]
fn a_key_of_small_order_is_nobodys() {
    for key in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ] {
        assert!(PublicKey::from_bytes(&hex::decode(key).unwrap().try_into().unwrap()).is_none(), "{key}");
    }
}

fn any_contents() -> impl Strategy<Value = Contents> {
    let email = || "\\PC{3,60}".prop_filter_map("3 to 254 bytes", |text| ReservedEmail::new(&text).ok());
    let ask =
        prop_oneof![email().prop_map(Ask::ResetByEmail), Just(Ask::ResetByDesk), email().prop_map(Ask::ConfirmEmail)];
    let firmware = "(?s).{1,10}".prop_filter_map("1 to 32 bytes", |text| Firmware::new(&text).ok());
    let language = "[a-zA-Z0-9-]{2,16}".prop_map(|text| Language::new(&text).unwrap());
    (any::<[u8; 16]>(), ask, firmware, any::<u64>(), any::<u64>(), language).prop_map(
        |(code, ask, firmware, device_time, start_time, language)| Contents {
            code: Code::from_seed(&code),
            ask,
            firmware,
            device_time: Time(device_time),
            start_time: Time(start_time),
            language,
        },
    )
}

proptest! {
    #[test]
    fn what_was_sealed_comes_out(
        contents in any_contents(),
        nonce in any::<[u8; 16]>(),
        seeds in any::<[[u8; 32]; 4]>(),
        serial in "[A-Z0-9-]{1,48}",
        model in "[a-z 录]{1,10}",
    ) {
        let [maker, device] = [SigningKey::from_seed(&seeds[0]), SigningKey::from_seed(&seeds[1])];
        let opening = OpeningKey::from_bytes(&seeds[2]);
        let (serial, model) = (Serial::new(&serial).unwrap(), Model::new(&model).unwrap());
        let certificate = Certificate::new(&maker.public(), serial, model, &device.public());
        let signed = certificate.sign(&maker);
        let request = request::seal(&contents, Nonce(nonce), &seeds[3], &signed, &device, &opening.public()).unwrap();
        let service = Service { maker: maker.public(), opening, withdrawn: None };
        let opened = request::open(&request, &service).unwrap();
        prop_assert_eq!(&opened.contents, &contents);
        prop_assert_eq!(opened.nonce, Nonce(nonce));
        prop_assert_eq!(&opened.certificate, &certificate);
        prop_assert!([96, 160, 384].contains(&plaintext_length(&request)));
    }

    #[test]
    fn several_bytes_altered_are_refused(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let request = seal(&contents(Ask::ResetByEmail(email())));
        let mut altered = request.clone();
        for (at, byte) in edits {
            altered[at.index(request.len())] = byte;
        }
        prop_assert_eq!(request::open(&altered, &Service::new()).is_ok(), altered == request);
    }

    /// Two requests of one device, cut anywhere and put together, are neither of them.
    #[test]
    fn halves_of_two_requests_are_refused(cut in any::<prop::sample::Index>()) {
        let first = seal(&contents(Ask::ResetByEmail(email())));
        let second = request::seal(&contents(Ask::ResetByEmail(email())), Nonce([9; 16]), &[9; 32], &certificate(), &device(), &opening().public());
        let second = second.unwrap();
        let cut = cut.index(first.len());
        let mixed = [&first[..cut], &second[cut..]].concat();
        prop_assert_eq!(request::open(&mixed, &Service::new()).is_ok(), mixed == first || mixed == second);
    }
}

#[test]
fn a_makers_other_messages_are_no_certificate() {
    // The maker's key signs cards as well: neither serves as the other.
    let certificate = certificate();
    assert!(sparekey_protocol::Card::verify(&certificate, &maker().public()).is_err());
}
