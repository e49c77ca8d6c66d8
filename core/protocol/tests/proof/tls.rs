//! TLS proofs: who answers behind a certificate that nobody vouches for.

use sparekey_protocol::{Certificate, Model, Refusal, Serial, SigningKey, tls_proof, transfer::Statement};

use crate::fixture::{certificate, device, maker};

const TLS: &[u8] = b"the bytes of a TLS certificate";
const GOLDEN: &str = include_str!("../golden/v1/tls-proof.hex");

#[test]
fn a_proof_holds_for_its_own_certificate_with_a_maker_or_without() {
    let proof = tls_proof::sign(TLS, &device());
    for maker in [None, Some(&maker().public())] {
        let peer = tls_proof::open(&proof, &certificate(), TLS, maker).unwrap();
        assert_eq!(peer.certificate.serial.as_str(), "NVR-4216-0001");
        assert_eq!(peer.vouched, maker.is_some());
    }
}

#[test]
fn the_golden_bytes_stay() {
    assert_eq!(hex::encode(tls_proof::sign(TLS, &device())), GOLDEN.trim_end());
}

#[test]
fn who_stands_between_is_refused() {
    let proof = tls_proof::sign(TLS, &device());
    let stranger = SigningKey::from_seed(&[99; 32]);
    let claimed = |by: &SigningKey, key: &SigningKey| {
        let (serial, model) = (Serial::new("NVR-4216-0001").unwrap(), Model::new("NVR 4216").unwrap());
        Certificate::new(&maker().public(), serial, model, &key.public()).sign(by)
    };
    let own = tls_proof::sign(b"another TLS certificate", &stranger);
    let maker = maker().public();
    for (what, proof, certificate, seen, expected) in [
        ("another TLS certificate", &proof, certificate(), &b"another TLS certificate"[..], Refusal::BadSignature),
        ("a proof by the stranger", &own, certificate(), b"another TLS certificate", Refusal::BadSignature),
        (
            "his own certificate",
            &own,
            claimed(&stranger, &stranger),
            b"another TLS certificate",
            Refusal::BadCertificate,
        ),
        ("a stranger's key, certified", &proof, claimed(&stranger, &device()), TLS, Refusal::BadCertificate),
    ] {
        let refused = tls_proof::open(proof, &certificate, seen, Some(&maker));
        assert_eq!(refused.err(), Some(expected), "{what}");
    }
    let other = stranger.public();
    assert_eq!(tls_proof::open(&proof, &certificate(), TLS, Some(&other)).err(), Some(Refusal::UnknownMaker));
    // Nobody is asked to vouch: it is somebody else, and called so.
    let peer = tls_proof::open(&own, &claimed(&stranger, &stranger), b"another TLS certificate", None).unwrap();
    assert!(!peer.vouched && peer.certificate.device_key == stranger.public().to_bytes());
}

#[test]
fn a_proof_altered_anywhere_or_of_another_use_is_refused() {
    let good = tls_proof::sign(TLS, &device());
    assert!(good.len() <= tls_proof::MAX_TLS_PROOF);
    for at in 0..good.len() {
        let mut altered = good.clone();
        altered[at] ^= 1;
        assert!(tls_proof::open(&altered, &certificate(), TLS, None).is_err(), "byte {at}");
        assert!(tls_proof::open(&good[..at], &certificate(), TLS, None).is_err(), "{at} bytes of it");
    }
    let verified = Certificate::verify(&certificate(), &maker().public()).unwrap();
    assert!(Statement::verify(&good, &verified).is_err(), "a proof is no statement");
}
