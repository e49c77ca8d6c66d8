//! Every vector is read as its file says: as these values, or refused for this reason. Good ones are made again, byte for byte.

use sparekey_protocol::{
    BaseUrl, Card, Certificate, Code, DeviceId, Firmware, Language, Malformed, Nonce, OpeningKey, PublicKey,
    ReservedEmail, SigningKey, Time, digits, files, qr,
    request::{self, Ask, Contents, MAX_REQUEST, Purpose},
};

use crate::{
    files::{error_name, fields_of},
    fixture::Service,
    log_vectors, told_vectors,
    vector::{self, Fields, Outcome, Vector, field},
};

#[test]
fn every_vector_is_read_as_it_says() {
    let vectors = vector::all();
    assert!(vectors.len() > 730, "only {} vectors: is the folder whole?", vectors.len());
    let mut wrong = Vec::new();
    for vector in &vectors {
        let outcome = match vector.kind.as_str() {
            "certificate" => read_certificate(vector),
            "card" => read_card(vector),
            "request" => read_request(vector),
            "digits" => read_digits(vector),
            "qr" => read_qr(vector),
            "file" => read_file(vector),
            "leaf" => log_vectors::read_leaf(vector),
            "vkey" => log_vectors::read_vkey(vector),
            "checkpoint" => log_vectors::read_checkpoint(vector),
            "inclusion" => log_vectors::read_inclusion(vector),
            "consistency" => log_vectors::read_consistency(vector),
            "grant" => log_vectors::read_grant(vector),
            "enrolment" => log_vectors::read_enrolment(vector),
            "ocra" => log_vectors::read_security_code(vector),
            "receipt" => told_vectors::read_receipt(vector),
            "transfer" => told_vectors::read_transfer(vector),
            kind => panic!("{}: what is a {kind}?", vector.name),
        };
        let expected = if vector.expect == "ok" { Ok(&vector.outcome) } else { Err(vector.expect.as_str()) };
        if outcome.as_ref().map_err(|name| *name) != expected {
            wrong.push(format!("{}: expected {expected:?}, got {outcome:?}", vector.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} vectors:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

pub(crate) fn malformed_name(malformed: Malformed) -> &'static str {
    match malformed {
        Malformed::TooLong => "too-large",
        Malformed::Shape | Malformed::NotDeterministic => "malformed",
    }
}

pub(crate) fn public_key(vector: &Vector, name: &str) -> PublicKey {
    PublicKey::from_bytes(&vector.seed(name).unwrap()).unwrap()
}

fn read_certificate(vector: &Vector) -> Outcome {
    let bytes = vector.bytes("certificate");
    let certificate = Certificate::verify(&bytes, &public_key(vector, "maker"))
        .map_err(|why| why.map_or("bad-signature", malformed_name))?;
    if let Some(seed) = vector.seed("maker-seed") {
        let maker = SigningKey::from_seed(&seed);
        let device = PublicKey::from_bytes(&certificate.device_key).unwrap();
        let again = Certificate::new(&maker.public(), certificate.serial.clone(), certificate.model.clone(), &device)
            .sign(&maker);
        assert_eq!(hex::encode(again), hex::encode(&bytes), "{}", vector.name);
    }
    Ok(vec![
        field("maker-id", certificate.maker),
        field("serial", &certificate.serial),
        field("model", &certificate.model),
        field("device-key", hex::encode(certificate.device_key)),
        field("device-id", certificate.device_id()),
    ])
}

fn read_card(vector: &Vector) -> Outcome {
    let bytes = vector.bytes("card");
    let card = Card::verify(&bytes, &public_key(vector, "maker"))
        .map_err(|why| why.map_or("bad-signature", malformed_name))?;
    if let Some(seed) = vector.seed("maker-seed") {
        assert_eq!(hex::encode(card.sign(&SigningKey::from_seed(&seed))), hex::encode(&bytes), "{}", vector.name);
    }
    let mut fields = vec![
        field("edition", card.edition),
        field("name", &card.name),
        field("url", &card.url),
        field("opening-key", hex::encode(card.opening_key.0)),
        field("opening-key-id", card.opening_key.id()),
        field("grant-key", hex::encode(card.grant_key)),
        field("log-key", card.log_key.as_str()),
    ];
    if let Some(witnesses) = &card.witnesses {
        let (quorum, keys) = witnesses.quorum_of();
        let keys: Vec<_> = keys.iter().map(|key| key.as_str()).collect();
        fields.push(field("witnesses", format!("{quorum} {}", keys.join(" "))));
    }
    Ok(fields)
}

fn read_request(vector: &Vector) -> Outcome {
    let bytes = vector.bytes("request");
    let service = Service {
        maker: public_key(vector, "maker"),
        opening: OpeningKey::from_bytes(&vector.seed("opening-key").unwrap()),
        withdrawn: vector.given("withdrawn").map(str::to_owned),
    };
    let opened = request::open(&bytes, &service).map_err(|refusal| refusal.name())?;
    if let (Some(device), Some(seed)) = (vector.seed("device-seed"), vector.seed("seed")) {
        let again = make_request(vector, &device, &seed, &service);
        assert_eq!(hex::encode(again), hex::encode(&bytes), "{}", vector.name);
    }
    let contents = &opened.contents;
    let mut fields = vec![
        field("identity", opened.identity),
        field("serial", &opened.certificate.serial),
        field("model", &opened.certificate.model),
        field("device-id", opened.certificate.device_id()),
        field("purpose", contents.ask.purpose().number()),
        field("nonce", opened.nonce),
        field("code", contents.code.expose()),
    ];
    fields.extend(contents.ask.email().map(|email| field("email", email)));
    fields.extend([
        field("firmware", &contents.firmware),
        field("device-time", contents.device_time.0),
        field("start-time", contents.start_time.0),
        field("language", &contents.language),
    ]);
    Ok(fields)
}

/// The request that the outcome describes, made by our own code.
fn make_request(vector: &Vector, device: &[u8; 32], seed: &[u8; 32], service: &Service) -> Vec<u8> {
    let expected = |key| vector.expected(key).unwrap();
    let email = || ReservedEmail::new(expected("email")).unwrap();
    let contents = Contents {
        code: Code::parse(expected("code")).unwrap(),
        ask: match expected("purpose") {
            "1" => Ask::ResetByEmail(email()),
            "2" => Ask::ResetByDesk,
            _ => Ask::ConfirmEmail(email()),
        },
        firmware: Firmware::new(expected("firmware")).unwrap(),
        device_time: Time(expected("device-time").parse().unwrap()),
        start_time: Time(expected("start-time").parse().unwrap()),
        language: Language::new(expected("language")).unwrap(),
    };
    let nonce = Nonce(hex::decode(expected("nonce")).unwrap().try_into().unwrap());
    let device = SigningKey::from_seed(device);
    assert_eq!(DeviceId::of(&device.public().to_bytes()).to_string(), expected("device-id"));
    let certificate = crate::fixture::certificate();
    request::seal(&contents, nonce, seed, &certificate, &device, &service.opening.public()).unwrap()
}

fn read_digits(vector: &Vector) -> Outcome {
    let text = vector.given("digits").unwrap();
    let bytes = digits::decode(text, MAX_REQUEST).map_err(malformed_name)?;
    assert_eq!(digits::encode(&bytes), text, "{}", vector.name);
    Ok(vec![field("bytes", hex::encode(bytes))])
}

fn read_qr(vector: &Vector) -> Outcome {
    let text = vector.given("text").unwrap();
    let request = qr::read(text).map_err(malformed_name)?;
    if let Some(url) = vector.given("url") {
        assert_eq!(qr::text(&BaseUrl::new(url).unwrap(), &request), text, "{}", vector.name);
    }
    Ok(vec![field("request", hex::encode(request))])
}

fn read_file(vector: &Vector) -> Outcome {
    let document = files::parse(&vector.body).map_err(error_name)?;
    let written = files::write(&document).unwrap();
    if vector.given("written").is_some() {
        assert_eq!(written.as_str(), str::from_utf8(&vector.body).unwrap(), "{}", vector.name);
    }
    assert_eq!(files::parse(written.as_bytes()).as_ref(), Ok(&document), "{}", vector.name);
    Ok(fields_of(&document))
}

#[test]
fn every_refusal_has_its_vectors() {
    let expected: Vec<_> =
        vector::all().into_iter().filter(|vector| vector.kind == "request").map(|vector| vector.expect).collect();
    for refusal in sparekey_protocol::Refusal::ALL {
        let count = expected.iter().filter(|name| *name == refusal.name()).count();
        assert!(count >= 2, "{refusal}: {count} vectors");
    }
    let purposes: Fields =
        vector::all().into_iter().flat_map(|vector| vector.outcome).filter(|(key, _)| key == "purpose").collect();
    for purpose in [Purpose::ResetByEmail, Purpose::ResetByDesk, Purpose::ConfirmEmail] {
        assert!(purposes.contains(&field("purpose", purpose.number())), "no vector opens as {purpose:?}");
    }
}
