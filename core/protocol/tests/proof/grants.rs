//! Grants: the right one is opened, and each that is wrong in one thing is refused for that.

use sparekey_protocol::{
    Card, CaseNumber, DeviceId, Nonce, SigningKey, Time, VerifierKey,
    grant::{self, Grant, GrantRefusal, MAX_BUNDLE},
    log::{Checkpoint, CheckpointRefusal, LogProof, MAX_PROOF, cosign},
};

use crate::{
    fixture::{NONCE, device},
    log_fixture::{TestLog, WITNESS, card, grant_key, log_key, witness_key},
};

fn device_id() -> DeviceId {
    DeviceId::of(&device().public().to_bytes())
}

fn grant() -> Grant {
    Grant {
        device: device_id(),
        nonce: NONCE,
        issued_at: Time(1_790_000_000),
        not_after: Time(1_790_000_000 + Grant::LIFE),
        case: CaseNumber::new("C-1042").unwrap(),
    }
}

/// A log in which this grant stands, a few leaves before its end.
fn logged(grant: &Grant) -> (Vec<u8>, TestLog, u64) {
    let signed = grant.sign(&grant_key());
    let mut log = TestLog::with(1000);
    let index = log.append(&grant.leaf(&signed).encode());
    for n in 0..5_u8 {
        log.append(&[n]);
    }
    (signed, log, index)
}

fn open(bundle: &[u8], card: &Card) -> Result<Grant, GrantRefusal> {
    grant::open(bundle, card, device_id(), |nonce| nonce == NONCE).map(|grant| grant.into_inner())
}

fn bundled(grant: &Grant, witnesses: &[u8]) -> Vec<u8> {
    let (signed, log, index) = logged(grant);
    let checkpoint = log.cosigned(log.size(), witnesses);
    grant::bundle(&signed, &log.proof(index, log.size(), &checkpoint))
}

#[test]
fn a_grant_in_the_log_is_opened() {
    assert_eq!(open(&bundled(&grant(), &[]), &card(0)), Ok(grant()));
    assert_eq!(open(&bundled(&grant(), &[0, 2]), &card(2)), Ok(grant()));
}

#[test]
fn a_grant_for_another_device_or_request_is_refused() {
    let card = card(0);
    let other = Grant { device: DeviceId([9; 16]), ..grant() };
    assert_eq!(open(&bundled(&other, &[]), &card), Err(GrantRefusal::OtherDevice));
    let other = Grant { nonce: Nonce([9; 16]), ..grant() };
    assert_eq!(open(&bundled(&other, &[]), &card), Err(GrantRefusal::OtherRequest));
}

#[test]
fn a_grant_that_the_service_did_not_sign_is_refused() {
    let (signed, log, index) = logged(&grant());
    let checkpoint = log.signed(log.size());
    let proof = log.proof(index, log.size(), &checkpoint);
    let forged = grant().sign(&SigningKey::from_seed(&[9; 32]));
    assert_eq!(open(&grant::bundle(&forged, &proof), &card(0)), Err(GrantRefusal::BadSignature));
    for at in 0..signed.len() {
        let mut edited = signed.clone();
        edited[at] ^= 1;
        let refusal = open(&grant::bundle(&edited, &proof), &card(0)).unwrap_err();
        assert!(matches!(refusal, GrantRefusal::BadSignature | GrantRefusal::Malformed), "byte {at}: {refusal:?}");
    }
}

#[test]
fn a_grant_without_a_proof_is_refused() {
    let (signed, log, index) = logged(&grant());
    assert_eq!(open(&signed, &card(0)), Err(GrantRefusal::NoProof), "the bare grant");
    let checkpoint = log.signed(log.size());
    let text = log.proof(index, log.size(), &checkpoint).encode();
    let bundle = |proof: &str| {
        let mut bytes = vec![0x82, 0x58, u8::try_from(signed.len()).unwrap()];
        bytes.extend_from_slice(&signed);
        minicbor::Encoder::new(&mut bytes).str(proof).unwrap();
        bytes
    };
    assert_eq!(open(&bundle(&text), &card(0)), Ok(grant()));
    for proof in
        ["", "c2sp.org/tlog-proof@v1\n", &text.replace("\nindex", "\nextra AAAA\nindex"), &text.replace("v1", "v2")]
    {
        assert_eq!(open(&bundle(proof), &card(0)), Err(GrantRefusal::NoProof), "{proof}");
    }
}

#[test]
fn a_proof_of_another_leaf_is_refused() {
    let (signed, log, index) = logged(&grant());
    let size = log.size();
    let checkpoint = log.signed(size);
    for other in [0, index - 1, index + 1, size - 1] {
        let bundle = grant::bundle(&signed, &log.proof(other, size, &checkpoint));
        assert_eq!(open(&bundle, &card(0)), Err(GrantRefusal::NotInTree), "{other}");
    }
    let right = log.proof(index, size, &checkpoint);
    let path = right.path.clone();
    for wrong in [
        LogProof { index: index + 1, ..right.clone() },
        LogProof { index: u64::MAX, ..right.clone() },
        LogProof { path: path[1..].into(), ..right.clone() },
        LogProof { path: path[..path.len() - 1].into(), ..right.clone() },
        LogProof { path: path.iter().rev().copied().collect(), ..right.clone() },
        LogProof { path: Vec::new(), ..right },
    ] {
        assert_eq!(open(&grant::bundle(&signed, &wrong), &card(0)), Err(GrantRefusal::NotInTree), "{wrong:?}");
    }
}

#[test]
fn a_second_grant_for_the_same_request_needs_its_own_leaf() {
    let (_, log, index) = logged(&grant());
    let checkpoint = log.signed(log.size());
    let second = Grant { not_after: Time(u64::MAX), ..grant() }.sign(&grant_key());
    let bundle = grant::bundle(&second, &log.proof(index, log.size(), &checkpoint));
    assert_eq!(open(&bundle, &card(0)), Err(GrantRefusal::NotInTree));
}

#[test]
fn an_old_checkpoint_without_the_leaf_is_refused() {
    let (signed, log, index) = logged(&grant());
    let before = log.signed(index);
    let bundle = grant::bundle(&signed, &LogProof { checkpoint: &before, ..log.proof(index, log.size(), "") });
    assert_eq!(open(&bundle, &card(0)), Err(GrantRefusal::NotInTree));
}

#[test]
fn a_checkpoint_that_is_not_of_the_pinned_log_is_refused() {
    use CheckpointRefusal::{BadSignature, Malformed, OtherLog};
    let (signed, log, index) = logged(&grant());
    let size = log.size();
    let good = log.signed(size);
    let other_origin = Checkpoint { origin: "evil.example".into(), ..log.checkpoint(size) }.sign(&log_key());
    let other_key = log.checkpoint(size).sign(&SigningKey::from_seed(&[9; 32]));
    let unsigned = log.checkpoint(size).text();
    // A fork: the same origin and key, another tree; its checkpoint says what the true tree's proof does not lead to.
    let forged_root = good.replacen(&size.to_string(), &(size + 1).to_string(), 1);
    for (what, checkpoint, refusal) in [
        ("another origin", &other_origin, OtherLog),
        ("another key", &other_key, BadSignature),
        ("no signature", &unsigned, Malformed),
        ("another size", &forged_root, BadSignature),
        ("nothing", &String::new(), Malformed),
    ] {
        let bundle = grant::bundle(&signed, &log.proof(index, size, checkpoint));
        assert_eq!(open(&bundle, &card(0)), Err(GrantRefusal::Checkpoint(refusal)), "{what}");
    }
}

#[test]
fn a_fork_that_no_witness_saw_is_refused() {
    // The service signs a tree of its own for one victim; its witnesses have seen the public one.
    let (_, public, _) = logged(&Grant { device: DeviceId([9; 16]), ..grant() });
    let (signed, fork, index) = logged(&grant());
    let size = fork.size();
    assert_eq!(public.size(), size);
    let cosignatures = public.cosigned(size, &[0, 1, 2]).split_off(public.signed(size).len());
    let checkpoint = fork.signed(size) + &cosignatures;
    let bundle = grant::bundle(&signed, &fork.proof(index, size, &checkpoint));
    let refusal = GrantRefusal::Checkpoint(CheckpointRefusal::BadCosignature);
    assert_eq!(open(&bundle, &card(1)), Err(refusal));
    assert_eq!(refusal.name(), "not-in-log");
}

#[test]
fn a_quorum_is_counted_by_keys() {
    let (signed, log, index) = logged(&grant());
    let size = log.size();
    let text = log.checkpoint(size).text();
    let with = |checkpoint: &str| grant::bundle(&signed, &log.proof(index, size, checkpoint));
    let missing = Err(GrantRefusal::Checkpoint(CheckpointRefusal::TooFewWitnesses));
    assert_eq!(open(&with(&log.cosigned(size, &[1])), &card(2)), missing, "one of two");
    assert_eq!(open(&with(&log.cosigned(size, &[])), &card(1)), missing, "none");
    assert_eq!(open(&with(&log.cosigned(size, &[1, 1])), &card(2)), missing, "one, twice");
    let stranger = log.cosigned(size, &[0]) + &cosign("stranger.example", &witness_key(1), Time(1), &text);
    assert_eq!(open(&with(&stranger), &card(2)), missing, "a known key under an unknown name");
    let names = log.cosigned(size, &[0]) + &cosign(&format!("{WITNESS}/1"), &witness_key(2), Time(1), &text);
    assert_eq!(open(&with(&names), &card(2)), missing, "a known name with another's key");
    assert_eq!(open(&with(&log.cosigned(size, &[2, 1])), &card(2)), Ok(grant()));
    let strangers: String = (0..20)
        .map(|n| cosign(&format!("stranger.example/{n}"), &SigningKey::from_seed(&[n; 32]), Time(1), &text))
        .collect();
    assert_eq!(open(&with(&(log.cosigned(size, &[2, 1]) + &strangers)), &card(2)), Ok(grant()), "20 strangers more");

    // A card that names one witness under two names asks for one that cannot be.
    let mut twice = card(2);
    let key = |name: &str| sparekey_protocol::log::cosigner_verifier_key(name, &witness_key(0).public()).unwrap();
    let keys = [key(&format!("{WITNESS}/0")), key("other.example")].map(|key| VerifierKey::new(&key).unwrap());
    twice.witnesses = sparekey_protocol::Witnesses::new(2, keys.into());
    let both = log.cosigned(size, &[0]) + &cosign("other.example", &witness_key(0), Time(1), &text);
    assert_eq!(open(&with(&both), &twice), missing);
}

#[test]
fn a_card_whose_log_cannot_be_checked_lets_no_grant_in() {
    for key in ["recover.example.org/log+00000000+AAAA", "x", &cosigner_of_the_log()] {
        let card = Card { log_key: VerifierKey::new(key).unwrap(), ..card(0) };
        assert_eq!(open(&bundled(&grant(), &[]), &card), Err(GrantRefusal::UnusableCard), "{key}");
    }
}

/// The log's key in the form of a witness's: a cosignature is no signature of a log's.
fn cosigner_of_the_log() -> String {
    sparekey_protocol::log::cosigner_verifier_key("recover.example.org/log", &log_key().public()).unwrap()
}

#[test]
fn every_byte_of_a_bundle_matters() {
    let good = bundled(&grant(), &[0, 1]);
    let card = card(2);
    for at in 0..good.len() {
        let mut altered = good.clone();
        altered[at] ^= 1;
        assert!(open(&altered, &card).is_err(), "byte {at}");
        assert!(open(&good[..at], &card).is_err(), "{at} bytes");
    }
    assert_eq!(open(&[&good[..], &[0]].concat(), &card), Err(GrantRefusal::Malformed));
}

#[test]
fn the_bounds() {
    assert_eq!(open(&vec![0; MAX_BUNDLE + 1], &card(0)), Err(GrantRefusal::Malformed));
    let (signed, log, index) = logged(&grant());
    let long = "x".repeat(MAX_PROOF + 1 - log.proof(index, log.size(), "").encode().len());
    assert_eq!(
        open(&grant::bundle(&signed, &log.proof(index, log.size(), &long)), &card(0)),
        Err(GrantRefusal::NoProof)
    );
    for (text, fits) in [("", false), (&"c".repeat(32), true), (&"c".repeat(33), false)] {
        assert_eq!(CaseNumber::new(text).is_ok(), fits);
    }
    // The longest grant there is fits its bound.
    let longest = Grant {
        issued_at: Time(u64::MAX),
        not_after: Time(u64::MAX),
        case: CaseNumber::new(&"c".repeat(32)).unwrap(),
        ..grant()
    };
    assert!(longest.sign(&grant_key()).len() <= grant::MAX_GRANT);
}

#[test]
fn consistency_between_checkpoints_of_a_log() {
    let log = TestLog::with(300);
    let (old, new) = (log.checkpoint(77), log.checkpoint(300));
    let proof = log.consistency(77, 300);
    let consistent = |old: &Checkpoint, new: &Checkpoint| {
        sparekey_protocol::log::verify_consistency(old.size, &old.root, new.size, &new.root, &proof)
    };
    assert!(consistent(&old, &new));
    assert!(!consistent(&new, &old), "rolled back");
    let mut fork = TestLog::with(76);
    fork.append(b"another");
    assert!(!consistent(&fork.checkpoint(77), &new), "forked");
}
