use super::*;
use crate::{
    Announcement, Prefix,
    sighting::{Source, State},
    wsd::{Asks, Heard, Kind, Match, probe, read, sighting},
};
use alloc::{borrow::ToOwned, string::ToString, vec};

fn endpoint() -> Endpoint {
    let announcement = Announcement {
        device_id: [0xab; 16],
        serial: "NVR-2026-000417".to_owned(),
        model: "NVR 8".to_owned(),
        firmware: "1.0".to_owned(),
        state: State::Active,
        ways: vec![],
        start_time: 1_790_000_000,
        port: 8444,
    };
    Endpoint::new(&announcement, "Front <door>", 8443)
}

fn answerer() -> Answerer {
    let mut answerer = Answerer::new(endpoint(), 1);
    let own = Prefix { address: [192, 168, 1, 64].into(), bits: 24 };
    answerer.set_links(&[Link { interface: 2, v4: vec![own], v6: vec!["fe80::64".parse().unwrap()] }], 0);
    answerer
}

/// After its hellos.
fn quiet() -> Answerer {
    let mut answerer = answerer();
    assert_eq!(
        (answerer.poll(0, |_, _, _| false).len(), answerer.poll(250, |_, _, _| false).len()),
        (2, 2),
        "hello, twice on both"
    );
    assert_eq!(answerer.due(), None);
    answerer
}

fn heard(bytes: &[u8]) -> Probe {
    match read(bytes).unwrap() {
        Heard::Probe(probe) => probe,
        other => panic!("{other:?}"),
    }
}

fn search(kind: Kind, number: u8) -> Probe {
    heard(&probe(kind, Asks::BothTwice, [number; 16]))
}

fn from(address: &str) -> Asker {
    Asker { interface: 2, address: address.parse().unwrap() }
}

const NEAR: &str = "192.168.1.10:40000";
const FAR: &str = "10.0.0.5:40000";

fn matches(outgoing: &Outgoing) -> Match {
    match read(&outgoing.bytes).unwrap() {
        Heard::Matches(matches) => matches.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_search_finds_it() {
    for kind in Kind::ALL {
        let mut answerer = quiet();
        answerer.handle(search(kind, 1), from(NEAR), true, false, 1_000).unwrap();
        assert!(answerer.poll(999, |_, _, _| false).is_empty() && answerer.due().unwrap() < 1_500);
        let sent = answerer.poll(1_500, |_, _, _| false);
        assert_eq!((sent.len(), sent[0].to), (1, To::Peer(NEAR.parse().unwrap())));
        let said = matches(&sent[0]);
        assert_eq!(said.endpoint, "urn:uuid:abababab-abab-8bab-abab-abababababab");
        assert_eq!(said.addresses[0], "https://192.168.1.64:8443/onvif/device_service");
        let source = Source { interface: 2, address: [192, 168, 1, 64].into() };
        let seen = sighting(&said, source, false).unwrap();
        assert_eq!((seen.serial.unwrap().as_str(), seen.vendor.unwrap().as_str()), ("NVR-2026-000417", "Sparekey"));
        assert_eq!(
            (seen.model.unwrap().to_string(), seen.name.unwrap().to_string()),
            ("NVR 8".into(), "Front <door>".into())
        );
        assert_eq!((seen.addresses.len(), &seen.ports[..]), (2, &[("https", 8443)][..]));
    }
}

#[test]
fn one_search_is_answered_once_however_often_it_comes() {
    let mut answerer = quiet();
    for now in 0..10 {
        answerer.handle(search(Kind::Any, 1), from(NEAR), true, false, 1_000 + now).unwrap();
    }
    assert_eq!(answerer.poll(2_000, |_, _, _| false).len(), 1);
}

#[test]
fn what_is_meant_for_others_is_not_answered() {
    let other = |change: fn(&mut Probe)| {
        let mut probe = search(Kind::Any, 1);
        change(&mut probe);
        quiet().handle(probe, from(NEAR), true, false, 0)
    };
    assert_eq!(other(|p| p.types.push(("urn:printers".into(), "Device".into()))), Err(Refused::NotAnAnswer));
    assert_eq!(
        other(|p| p.scopes.push("onvif://www.onvif.org/hardware/NVR".into())),
        Err(Refused::NotAnAnswer),
        "half a part"
    );
    assert_eq!(other(|p| p.scopes.push("onvif://www.onvif.org/hardware".into())), Ok(()));
    assert_eq!(other(|p| p.scopes.push("onvif://www.onvif.org/hardware/NVR%208".into())), Ok(()));
    assert_eq!(
        other(|p| {
            p.scopes.push("onvif://www.onvif.org/hardware".into());
            p.scopes_known = false;
        }),
        Err(Refused::NotAnAnswer)
    );
}

#[test]
fn it_throws_no_stones_for_strangers() {
    let mut answerer = quiet();
    assert_eq!(answerer.handle(search(Kind::Any, 1), from(FAR), false, false, 0), Err(Refused::OffLink));
    answerer.handle(search(Kind::Any, 1), from(FAR), true, false, 1_000).unwrap();
    assert_eq!(
        answerer.poll(2_000, |_, _, _| false)[0].to,
        To::Group(Family::V4),
        "everybody here, and nobody elsewhere"
    );
    let asked = (0..=255).map(|n| (n, answerer.handle(search(Kind::Any, n), from(NEAR), true, false, 10_000)));
    assert!(asked.filter(|(_, outcome)| outcome.is_ok()).count() > 0);
    assert!(answerer.poll(10_999, |_, _, _| false).len() <= EACH_SECOND as usize);
}

#[test]
fn who_asks_in_both_dialects_is_answered_in_one() {
    let near = NEAR.parse::<SocketAddr>().unwrap().ip();
    for (knows, answers) in [(true, 0), (false, 1)] {
        let mut answerer = quiet();
        answerer.handle(search(Kind::Any, 1), from(NEAR), true, true, 10_000).unwrap();
        assert!(answerer.due().unwrap() >= 11_500);
        let sent =
            answerer.poll(12_000, |interface, asker, since| (interface, asker, since) == (2, near, 8_800) && knows);
        assert_eq!(sent.len(), answers);
    }
    // Where he asks again soon, no second chance is needed; and where the other question did not arrive, this one is answered.
    for (arrived, answers) in [(true, 0), (false, 1)] {
        let mut answerer = quiet();
        let again = heard(&probe(Kind::Any, Asks::Both, [1; 16]));
        answerer.handle(again, from(NEAR), true, arrived, 10_000).unwrap();
        assert_eq!(answerer.poll(20_000, |_, _, _| false).len(), answers);
    }
    // Another program's search is answered whatever a neighbour of it knows.
    let mut answerer = quiet();
    let other = Probe { id: "urn:uuid:00000000-0000-4000-8000-000000000000".to_owned(), ..search(Kind::Any, 1) };
    answerer.handle(other, from(NEAR), true, true, 10_000).unwrap();
    assert_eq!(answerer.poll(10_500, |_, _, _| true).len(), 1);
}

#[test]
fn its_end_is_told_on_every_link() {
    let mut answerer = quiet();
    let bye = answerer.goodbye();
    assert_eq!(bye.len(), 2);
    let Heard::Bye(said) = read(&bye[0].bytes).unwrap() else { panic!("no bye") };
    assert_eq!(said.endpoint, format!("urn:uuid:{}", endpoint().id));
}
