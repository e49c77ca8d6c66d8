//! What each dialect says, from text files in `tests/vectors`: fields, then what is expected, then the datagram.
//!
//! A file's `kind` is the dialect; `header` stands before the text, in hexadecimal digits; `repeat` says how often the text between two `@` stands there.
//! `expect` is `ok` with the fields of the sighting, `nothing`, or the name of the refusal.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

use sparekey_discovery::{Label, Refused, Sighting, Source, dhip, sadp, wsd};

struct Vector {
    name: String,
    given: BTreeMap<String, String>,
    expect: String,
    outcome: BTreeMap<String, String>,
    datagram: Vec<u8>,
}

fn read(path: &Path) -> Vector {
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let text = fs::read_to_string(path).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap_or_else(|| panic!("{name} has no datagram"));
    let mut fields = head.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (key, value) = line.split_once(':').unwrap_or_else(|| panic!("{name}: {line}"));
        (key.to_owned(), value.trim().to_owned())
    });
    let given: BTreeMap<_, _> = fields.by_ref().take_while(|(key, _)| key != "expect").collect();
    let expect = head.lines().find_map(|line| line.strip_prefix("expect: ")).unwrap().to_owned();
    let times = given.get("repeat").map_or(1, |times| times.parse().unwrap());
    let body = match body.split('@').collect::<Vec<_>>()[..] {
        [before, repeated, after] => [before, &repeated.repeat(times), after].concat(),
        _ => body.to_owned(),
    };
    let mut datagram = given.get("header").map(|digits| hex::decode(digits).unwrap()).unwrap_or_default();
    datagram.extend(body.into_bytes());
    let outcome = fields.collect();
    Vector { name, given, expect, outcome, datagram }
}

fn outcome(vector: &Vector) -> Result<Option<Sighting>, Refused> {
    let source = Source { interface: 2, address: "192.168.1.200".parse().unwrap() };
    match vector.given["kind"].as_str() {
        "sadp" => sadp::read(&vector.datagram, source).map(Some),
        "dhip" => dhip::read(&vector.datagram, source).map(Some),
        "wsd" => wsd::read(&vector.datagram).map(|heard| match heard {
            wsd::Heard::Matches(matches) => matches.iter().find_map(|said| wsd::sighting(said, source, false)),
            wsd::Heard::Hello(said) => wsd::sighting(&said, source, false),
            wsd::Heard::Bye(said) => wsd::sighting(&said, source, true),
            wsd::Heard::Probe(_) => None,
        }),
        other => panic!("{}: no dialect {other}", vector.name),
    }
}

fn fields(sighting: &Sighting) -> BTreeMap<String, String> {
    let label = |label: &Option<Label>| label.as_ref().map(Label::to_string).unwrap_or_default();
    let bits = sighting.bits.map(|bits| format!("/{bits}")).unwrap_or_default();
    let addresses: Vec<_> = sighting.addresses.iter().map(ToString::to_string).collect();
    let ports: Vec<_> = sighting.ports.iter().map(|(what, port)| format!("{what}={port}")).collect();
    let mut addresses = addresses.join(" ");
    if let Some(end) = addresses.find(' ').or(Some(addresses.len()).filter(|end| *end > 0)) {
        addresses.insert_str(end, &bits);
    }
    let mut fields: BTreeMap<String, String> = [
        ("vendor", label(&sighting.vendor)),
        ("model", label(&sighting.model)),
        ("serial", label(&sighting.serial)),
        ("firmware", label(&sighting.firmware)),
        ("name", label(&sighting.name)),
        ("identifier", label(&sighting.identifier)),
        ("state", sighting.state.map(|state| state.name().to_owned()).unwrap_or_default()),
        ("mac", sighting.mac.map(|mac| mac.to_string()).unwrap_or_default()),
        ("addresses", addresses),
        ("dhcp", sighting.dhcp.map(|dhcp| dhcp.to_string()).unwrap_or_default()),
        ("ports", ports.join(" ")),
        ("gone", if sighting.gone { "true".to_owned() } else { String::new() }),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    fields.extend(sighting.remarks.iter().map(|(key, value)| (format!("remark {key}"), value.to_string())));
    fields.retain(|_, value| !value.is_empty());
    fields
}

#[test]
fn every_vector_comes_to_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in &paths {
        let vector = read(path);
        let came = outcome(&vector);
        match (vector.expect.as_str(), &came) {
            ("ok", Ok(Some(sighting))) => assert_eq!(fields(sighting), vector.outcome, "{}", vector.name),
            ("nothing", Ok(None)) => {}
            (expect, Err(refused)) => assert_eq!(refused.name(), expect, "{}", vector.name),
            _ => panic!("{}: {came:?}", vector.name),
        }
    }
    assert!(paths.len() > 20, "the vectors are there");
}
