//! Vectors of the public log, of grants, of enrolment records and of security codes.

use sparekey_protocol::{
    Card, DeviceId, Nonce, OpeningKey, PublicKey, SigningKey, VerifierKey, Witnesses, enrol,
    grant::{self, Grant},
    log::{
        Act, Algorithm, Hash, KeyError, Leaf, LogPolicy, LogProof, NoteKey, leaf_hash, verify_consistency,
        verify_inclusion,
    },
    ocra::Question,
};

use crate::{
    fixture::{Service, certificate},
    log_fixture::card,
    vector::{Outcome, Vector, field},
};

fn number(vector: &Vector, name: &str) -> u64 {
    vector.given(name).unwrap().parse().unwrap()
}

fn hash(vector: &Vector, name: &str) -> Hash {
    Hash(vector.seed(name).unwrap())
}

fn path(vector: &Vector) -> Vec<Hash> {
    let hashes = vector.given("proof").unwrap().split_ascii_whitespace();
    hashes.map(|hash| Hash(hex::decode(hash).unwrap().try_into().unwrap())).collect()
}

/// The card of the other tests, with what the vector says of its log, its grant key and its witnesses.
fn card_of(vector: &Vector) -> Card {
    let key = |text| VerifierKey::new(text).unwrap();
    let mut card = card(0);
    card.log_key = key(vector.given("log-key").unwrap());
    if let Some(grant_key) = vector.seed("grant-key") {
        card.grant_key = grant_key;
    }
    if let Some(keys) = vector.given("witnesses") {
        card.witnesses = Some(Witnesses::new(number(vector, "quorum"), keys.split(' ').map(key).collect()).unwrap());
    }
    card
}

pub(crate) fn read_leaf(vector: &Vector) -> Outcome {
    let bytes = vector.bytes("leaf");
    let leaf = Leaf::decode(&bytes).map_err(|_| "malformed")?;
    assert_eq!(leaf.encode(), bytes, "{}", vector.name);
    let mut fields = vec![
        field("time", leaf.time.0),
        field("act", leaf.act.number()),
        field("commitment", hex::encode(leaf.commitment)),
    ];
    if let Act::GrantIssued(grant) = leaf.act {
        fields.push(field("grant", hex::encode(grant)));
    }
    fields.push(field("hash", leaf.hash()));
    Ok(fields)
}

pub(crate) fn read_vkey(vector: &Vector) -> Outcome {
    let text = vector.given("vkey").unwrap();
    let key = NoteKey::parse(&VerifierKey::new(text).unwrap()).map_err(|error| match error {
        KeyError::Malformed => "malformed",
        KeyError::WrongId => "wrong-id",
        KeyError::Unsupported(_) => "unsupported",
    })?;
    assert_eq!(key.to_verifier_key(), text, "{}", vector.name);
    let kind = match key.algorithm() {
        Algorithm::Ed25519 => 1,
        Algorithm::Cosignature => 4,
    };
    Ok(vec![field("name", key.name()), field("type", kind), field("key", hex::encode(key.public_key().to_bytes()))])
}

pub(crate) fn read_checkpoint(vector: &Vector) -> Outcome {
    let policy = LogPolicy::of_card(&card_of(vector)).unwrap();
    let checkpoint = policy.open(&vector.body).map_err(|refusal| refusal.name())?;
    if let Some(seed) = vector.seed("log-seed") {
        assert_eq!(checkpoint.sign(&SigningKey::from_seed(&seed)).as_bytes(), vector.body, "{}", vector.name);
    }
    Ok(vec![field("size", checkpoint.size), field("root", checkpoint.root)])
}

pub(crate) fn read_inclusion(vector: &Vector) -> Outcome {
    let (index, size) = (number(vector, "index"), number(vector, "size"));
    let leaf = leaf_hash(&vector.bytes("leaf"));
    let stands = verify_inclusion(index, size, &leaf, &path(vector), &hash(vector, "root"));
    if stands { Ok(Vec::new()) } else { Err("not-in-tree") }
}

pub(crate) fn read_consistency(vector: &Vector) -> Outcome {
    let (old, new) = (number(vector, "old-size"), number(vector, "new-size"));
    let (old_root, new_root) = (hash(vector, "old-root"), hash(vector, "new-root"));
    let extends = verify_consistency(old, &old_root, new, &new_root, &path(vector));
    if extends { Ok(Vec::new()) } else { Err("inconsistent") }
}

pub(crate) fn read_grant(vector: &Vector) -> Outcome {
    let bundle = vector.bytes("bundle");
    let device = DeviceId(vector.bytes("device-id").try_into().unwrap());
    let nonce = Nonce(vector.bytes("nonce").try_into().unwrap());
    let opened = grant::open(&bundle, &card_of(vector), device, |asked| asked == nonce);
    let opened = opened.map_err(|refusal| refusal.name())?.into_inner();
    assert_eq!((opened.device, opened.nonce), (device, nonce), "{}", vector.name);

    let signed = opened.sign(&SigningKey::from_seed(&vector.seed("grant-seed").unwrap()));
    let proof: &str = minicbor::Decoder::new(&bundle[3 + signed.len()..]).str().unwrap();
    let again = grant::bundle(&signed, &LogProof::parse(proof).unwrap());
    assert_eq!(hex::encode(again), hex::encode(&bundle), "{}", vector.name);
    let Grant { issued_at, not_after, case, .. } = &opened;
    Ok(vec![
        field("issued-at", issued_at.0),
        field("not-after", not_after.0),
        field("case", case),
        field("leaf", hex::encode(opened.leaf(&signed).encode())),
    ])
}

pub(crate) fn read_enrolment(vector: &Vector) -> Outcome {
    let record = vector.bytes("record");
    let service = Service {
        maker: PublicKey::from_bytes(&vector.seed("maker").unwrap()).unwrap(),
        opening: OpeningKey::from_bytes(&vector.seed("opening-key").unwrap()),
        withdrawn: vector.given("withdrawn").map(str::to_owned),
    };
    let opened = enrol::open(&record, &service).map_err(|refusal| refusal.name())?;
    if let (Some(device), Some(seed)) = (vector.seed("device-seed"), vector.seed("seed")) {
        let (device, key) = (SigningKey::from_seed(&device), service.opening.public());
        let again = enrol::seal(&opened.secret, &seed, &certificate(), &device, &key).unwrap();
        assert_eq!(hex::encode(again), hex::encode(&record), "{}", vector.name);
    }
    Ok(vec![
        field("serial", &opened.certificate.serial),
        field("device-id", opened.certificate.device_id()),
        field("secret", hex::encode(opened.secret.expose())),
    ])
}

pub(crate) fn read_security_code(vector: &Vector) -> Outcome {
    let secret = enrol::EnrolmentSecret::from_bytes(vector.seed("secret").unwrap());
    let device = DeviceId(vector.bytes("device-id").try_into().unwrap());
    let question = Question::parse(vector.given("question").unwrap()).ok_or("malformed")?;
    Ok(vec![field("answer", question.answer(&secret).expose()), field("nonce", question.nonce(&secret, device))])
}
