use super::*;
use crate::sighting::Dialect;
use alloc::{format, string::ToString, vec};

fn source(address: &str) -> Source {
    Source { interface: 2, address: address.parse().unwrap() }
}

/// `dialect source [identifier] [mac] [serial]`, `-` for what is not said.
fn said(text: &str) -> Sighting {
    let words: Vec<_> = text.split(' ').collect();
    let dialect = Dialect::ALL.into_iter().find(|dialect| dialect.name() == words[0]).unwrap();
    let mut sighting = Sighting::new(dialect, source(words[1]));
    let word = |at: usize| words.get(at).filter(|word| **word != "-");
    sighting.identifier = word(2).and_then(|word| Label::new(word));
    sighting.mac = word(3).map(|word| Mac::parse(word).unwrap());
    sighting.serial = word(4).and_then(|word| Label::new(word));
    sighting
}

const MAC: &str = "68-6d-bc-01-02-03";

#[test]
fn a_device_is_one_row_however_it_answers() {
    for (what, answers, rows) in [
        ("one dialect, twice", vec!["sadp 192.168.1.64 - 68-6d-bc-01-02-03 SER0001"; 2], 1),
        ("two addresses, one serial", vec!["mdns 192.168.1.64 id - SER0001", "mdns fe80::1 id - SER0001"], 1),
        ("two dialects, one serial", vec!["mdns 192.168.1.64 id - SER0001", "onvif fe80::1 uuid - SER0001"], 1),
        (
            "two dialects, one hardware address",
            vec![&format!("sadp 192.168.1.64 - {MAC}"), &format!("onvif fe80::1 uuid {MAC}")],
            1,
        ),
        (
            "its link-local address tells",
            vec![&format!("sadp 192.168.1.64 - {MAC}"), "onvif fe80::6a6d:bcff:fe01:203 uuid"],
            1,
        ),
        ("where it came from", vec!["sadp 192.168.1.64 - 68-6d-bc-01-02-03 SER0001", "onvif 192.168.1.64 uuid"], 1),
        (
            "two interfaces of one device",
            vec!["sadp 192.168.1.64 - 68-6d-bc-01-02-03 SER0001", "sadp 192.168.2.64 - 68-6d-bc-01-02-04 SER0001"],
            1,
        ),
        (
            "one address, two devices",
            vec!["sadp 192.168.1.64 - 68-6d-bc-01-02-03 SER0001", "sadp 192.168.1.64 - 68-6d-bc-01-02-04 SER0002"],
            2,
        ),
        ("short serials are no name", vec!["sadp 192.168.1.64 - - 1234", "onvif 192.168.1.65 uuid - 1234"], 2),
        ("one serial, two keys", vec!["mdns 192.168.1.64 id1 - SER0001", "mdns 192.168.1.65 id2 - SER0001"], 2),
        (
            "a recorder and its cameras",
            vec![
                "onvif 192.168.1.2 uuid1 - SER0001",
                "onvif 192.168.1.2 uuid2 - SER0002",
                "onvif 192.168.1.2 uuid3 - SER0003",
            ],
            3,
        ),
    ] {
        let mut table = Table::default();
        for answer in &answers {
            table.see(said(answer), 0);
        }
        assert_eq!(table.devices().len(), rows, "{what}");
    }
}

#[test]
fn two_rows_that_turn_out_to_be_one_are_joined() {
    let mut table = Table::default();
    assert_eq!(table.see(said("onvif 192.168.1.64 uuid"), 0), Seen::New(0));
    assert_eq!(table.see(said("mdns fe80::1 id - SER0001"), 1), Seen::New(1));
    assert_eq!(table.see(said("onvif fe80::1 uuid - SER0001"), 2), Seen::Known(0));
    assert_eq!(table.devices().len(), 1);
    let device = table.device(0).unwrap();
    assert_eq!(device.found_by().into_iter().map(Dialect::name).collect::<Vec<_>>(), ["mdns", "onvif"]);
    assert_eq!(device.addresses().len(), 2);
    assert_eq!(table.see(said("mdns fe80::1 id - SER0001"), 3), Seen::Known(0), "under every name");
    assert_eq!(table.of_source.values().sum::<usize>(), 1);
}

#[test]
fn a_later_sender_replaces_nothing() {
    let mut table = Table::default();
    let mut first = said("mdns 192.168.1.64 id - SER0001");
    first.model = Label::new("NVR-8");
    table.see(first, 0);
    let mut liar = said("mdns 192.168.1.66 id - SER0001");
    (liar.model, liar.firmware) = (Label::new("FREE BEER"), Label::new("9"));
    table.see(liar, 1);
    let device = table.device(0).unwrap();
    assert_eq!(device.model().unwrap().as_str(), "NVR-8");
    assert_eq!(device.addresses().len(), 2, "both are there to be tried: a certificate tells whose is right");
    for n in 0..1_000 {
        table.see(said(&format!("mdns 10.0.{}.{} id - SER0001", n / 250, n % 250)), 2);
    }
    assert_eq!(table.devices().next().unwrap().claims.len(), 16);
}

#[test]
fn one_liar_cannot_join_two_devices() {
    let mut table = Table::default();
    table.see(said("mdns 192.168.1.64 id1 - SER0001"), 0);
    table.see(said("mdns 192.168.1.65 id2 - SER0002"), 0);
    table.see(said(&format!("onvif 192.168.1.66 id1 {MAC} SER0002")), 1);
    assert_eq!(table.devices().filter(|device| device.sparekey_id().is_some()).count(), 2);
}

#[test]
fn a_goodbye_counts_from_its_own_sender_only() {
    let mut table = Table::default();
    table.see(said("onvif 192.168.1.64 uuid"), 0);
    let goodbye = |from: &str| Sighting { gone: true, ..said(&format!("onvif {from} uuid")) };
    assert_eq!(table.see(goodbye("192.168.1.66"), 1), Seen::Nobody);
    assert!(!table.device(0).unwrap().is_gone(1));
    assert_eq!(table.see(goodbye("192.168.1.64"), 1), Seen::Known(0));
    assert!(table.device(0).unwrap().is_gone(1));
    table.see(said("onvif 192.168.1.64 uuid"), 2);
    assert!(!table.device(0).unwrap().is_gone(2), "it came back");
    assert!(table.device(0).unwrap().is_gone(45_003), "silent for three rounds");
}

#[test]
fn a_liar_costs_bounded_memory() {
    let mut table = Table::default();
    for n in 0..100_000 {
        table.see(said(&format!("mdns 192.168.1.66 id{n} - SER{n:06}")), n);
    }
    assert_eq!((table.devices().len(), table.left_out()), (MAX_PER_SOURCE, 100_000 - 32));
    assert!(table.keys.len() <= 4 * MAX_PER_SOURCE);
    // One serial claimed under ever new identifiers from ever new addresses: forged senders, the most there is.
    for n in 0..200_000_u32 {
        let from = core::net::Ipv4Addr::from_bits(0x0a00_0000 + n).to_string();
        table.see(said(&format!("mdns {from} x{n} - SERIAL")), 0);
    }
    assert_eq!(table.devices().len(), MAX_DEVICES);
    assert!(table.keys.len() <= 4 * MAX_DEVICES && table.of_source.len() <= MAX_DEVICES);
    assert_eq!(table.see(said("mdns 192.168.1.66 id7 - SER000007"), 0), Seen::Known(7), "who was there stays");
}
