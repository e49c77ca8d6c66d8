//! Vectors of receipts and transfer statements.

use sparekey_protocol::{
    Certificate, OpeningKey, SigningKey,
    receipt::{self, What},
    transfer::Statement,
};

use crate::{
    fixture::{Service, certificate},
    vector::{Outcome, Vector, field},
    vectors::{malformed_name, public_key},
};

pub(crate) fn read_receipt(vector: &Vector) -> Outcome {
    let bytes = vector.bytes("receipt");
    let service = Service {
        maker: public_key(vector, "maker"),
        opening: OpeningKey::from_bytes(&vector.seed("opening-key").unwrap()),
        withdrawn: vector.given("withdrawn").map(str::to_owned),
    };
    let opened = receipt::open(&bytes, &service).map_err(|refusal| refusal.name())?;
    let told = &opened.receipt;
    if let (Some(device), Some(seed)) = (vector.seed("device-seed"), vector.seed("seed")) {
        let (device, key) = (SigningKey::from_seed(&device), service.opening.public());
        let again = receipt::seal(told, &seed, &certificate(), &device, &key).unwrap();
        assert_eq!(hex::encode(again), hex::encode(&bytes), "{}", vector.name);
    }
    let what = match told.what {
        What::Recovered => 1,
        What::Refused => 2,
        What::FactoryReset => 3,
        What::Transferred => 4,
    };
    let mut fields = vec![
        field("serial", &opened.certificate.serial),
        field("device-id", opened.certificate.device_id()),
        field("number", told.number),
        field("what", what),
    ];
    fields.extend(told.way.as_ref().map(|way| field("way", way)));
    let to: Vec<_> = told.to.iter().map(|address| address.as_str()).collect();
    fields.extend([field("at", told.at.0), field("count", told.count), field("to", to.join(" "))]);
    fields.push(field("language", &told.language));
    Ok(fields)
}

pub(crate) fn read_transfer(vector: &Vector) -> Outcome {
    let bytes = vector.bytes("statement");
    let certificate = Certificate::verify(&vector.bytes("certificate"), &public_key(vector, "maker")).unwrap();
    let statement =
        Statement::verify(&bytes, &certificate).map_err(|why| why.map_or("bad-signature", malformed_name))?;
    if let Some(seed) = vector.seed("device-seed") {
        assert_eq!(hex::encode(statement.sign(&SigningKey::from_seed(&seed))), hex::encode(&bytes), "{}", vector.name);
    }
    Ok(vec![
        field("device-id", statement.device),
        field("at", statement.at.0),
        field("number", statement.number),
        field("recordings-kept", if statement.recordings_kept { "yes" } else { "no" }),
    ])
}
