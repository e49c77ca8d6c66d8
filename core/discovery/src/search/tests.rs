use super::*;
use crate::Prefix;
use alloc::{format, string::String, vec};

fn link() -> Link {
    let own = Prefix { address: [10, 0, 0, 5].into(), bits: 24 };
    Link { interface: 2, v4: vec![own], v6: vec!["fe80::5".parse().unwrap()] }
}

/// A search that ran for a minute, answered by everything in turn; all that it sent.
fn run(answers: &[(Door, Vec<u8>)]) -> Vec<(Door, Outgoing)> {
    let mut search = Search::new(7);
    search.set_links(&[link()], 0);
    let mut sent = Vec::new();
    let mut answers = answers.iter().cycle();
    let mut now = 0;
    while now < 60_000 {
        sent.extend(search.poll(now));
        if let Some((door, bytes)) = answers.next() {
            let from = "10.0.0.9:3702".parse().unwrap();
            let _ = search.handle(&Arrival { door: *door, interface: 2, from, hops: Some(255), bytes }, now);
        }
        now = search.due().unwrap_or(60_000).max(now + 1);
    }
    sent
}

/// Whatever a device says, a search sends one read-only inquiry in each vendor's dialect, and questions.
#[test]
fn nothing_but_inquiries_is_ever_sent() {
    let evil = |text: &str| text.as_bytes().to_vec();
    let answers = [
        (Door::Sadp, evil("<ProbeMatch><Uuid>X</Uuid><Types>update</Types><MAC>68-6d-bc-01-02-03</MAC></ProbeMatch>")),
        (
            Door::Sadp,
            evil(
                "<ProbeMatch><Types>inquiry</Types><MAC>68-6d-bc-01-02-03</MAC><Activated>false</Activated></ProbeMatch>",
            ),
        ),
        (
            Door::Dhip,
            evil("\0\0\0\0DHIP{\"method\":\"client.notifyDevInfo\",\"mac\":\"68:6d:bc:01:02:03\",\"params\":{}}"),
        ),
        (Door::Wsd, wsd::probe(wsd::Kind::Any, wsd::Asks::Here, [1; 16])),
        (Door::Mdns, mdns::questions(&[dns::Name::of("_sparekey._tcp.local")], &[], true).remove(0)),
    ];
    let (mut sadp, mut dhip) = (0, 0);
    for (door, outgoing) in run(&answers) {
        let text = String::from_utf8_lossy(&outgoing.bytes).into_owned();
        match door {
            Door::Sadp => {
                sadp += 1;
                let number = text.split_once("<Uuid>").unwrap().1.split_once("</Uuid>").unwrap().0;
                assert!(
                    number.len() == 36 && number.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()),
                    "{number}"
                );
                let fixed = format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>{number}</Uuid><Types>inquiry</Types></Probe>"
                );
                assert_eq!(text, fixed);
            }
            Door::Dhip => {
                dhip += 1;
                assert_eq!(outgoing.bytes, *b"\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\x3b\0\0\0\0\0\0\0\x3b\0\0\0\0\0\0\0{\"method\":\"DHDiscover.search\",\"params\":{\"mac\":\"\",\"uni\":1}}\n");
            }
            Door::Wsd => {
                assert!(matches!(wsd::read(&outgoing.bytes), Ok(wsd::Heard::Probe(_))), "{text}");
                assert!(!text.contains('\n'), "some devices answer no probe with line breaks");
            }
            Door::Mdns => {
                let message = dns::read(&outgoing.bytes).unwrap();
                assert!(!message.response && message.authorities.is_empty() && message.additionals.is_empty());
            }
            Door::WsdGroup => panic!("nobody speaks from WS-Discovery's own port but devices"),
        }
    }
    assert!(sadp > 0 && dhip > 0);
}

#[test]
fn a_minute_of_searching_is_few_packets() {
    let sent = run(&[]);
    let count = |door| sent.iter().filter(|(sent, _)| *sent == door).count();
    // Rounds at 0, 1, 3, 7, 15, 30 and 45 s, on both kinds of addresses.
    assert_eq!(count(Door::Mdns), 2 * 7);
    // Two more early ones; SADP and DHIP go to a group and to everybody, on IPv4 only.
    assert_eq!([count(Door::Wsd), count(Door::Sadp), count(Door::Dhip)], [2 * 9; 3]);
}

#[test]
fn a_link_that_comes_later_is_asked_from_the_start_and_one_that_went_no_more() {
    let mut search = Search::new(7);
    search.set_links(&[Link { v6: vec![], ..link() }], 0);
    assert!(!search.poll(0).is_empty() && search.poll(1).is_empty());
    let other = Link { interface: 3, ..link() };
    search.set_links(&[other], 20_000);
    let sent = search.poll(20_000);
    assert!(sent.iter().all(|(_, outgoing)| outgoing.interface == 3) && sent.len() == 8);
    search.set_links(&[], 20_001);
    assert_eq!((search.due(), search.poll(90_000).len()), (None, 0));
}

#[test]
fn a_computer_that_slept_asks_once() {
    let mut search = Search::new(7);
    search.set_links(&[Link { v6: vec![], ..link() }], 0);
    search.poll(0);
    assert_eq!(search.poll(3_600_000).iter().filter(|(door, _)| *door == Door::Wsd).count(), 1);
    assert!(search.due().unwrap() > 3_600_000);
}
