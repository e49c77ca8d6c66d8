use super::*;
use crate::dns::{Section, Writer, read};
use alloc::{format, string::ToString, vec};

fn source(last: u8) -> Source {
    Source { interface: 2, address: [192, 0, 2, last].into() }
}

fn record(name: &Name, ttl: u32, data: Data) -> Record {
    Record { name: name.clone(), ttl, flush: false, data }
}

struct Parts {
    ptr: Record,
    srv: Record,
    txt: Record,
    a: Record,
}

fn parts(serial: &str) -> Parts {
    let service = Name::of(SERVICE);
    let instance = Name::within(format!("NVR {serial}").as_bytes(), &service).unwrap();
    let host = Name::within(format!("sk-{serial}").as_bytes(), &Name::of("local")).unwrap();
    let strings = vec![b"v=1".to_vec(), format!("sn={serial}").into_bytes(), b"st=active".to_vec()];
    Parts {
        ptr: record(&service, 4_500, Data::Ptr(instance.clone())),
        srv: record(&instance, 120, Data::Srv { target: host.clone(), port: 8444 }),
        txt: record(&instance, 4_500, Data::Txt(strings)),
        a: record(&host, 120, Data::A([192, 0, 2, 9].into())),
    }
}

fn answer(records: &[&Record]) -> Message {
    let mut writer = Writer::new(0, true, 9_000);
    for record in records {
        assert!(writer.record(Section::Answer, record));
    }
    read(&writer.finish()).unwrap()
}

fn hear(browser: &mut Browser, records: &[&Record], now: u64) -> Vec<Sighting> {
    browser.handle(&answer(records), source(1), Some(255), now).unwrap()
}

#[test]
fn one_answer_with_everything_is_a_device() {
    let (mut browser, p) = (Browser::default(), parts("A1"));
    let seen = hear(&mut browser, &[&p.ptr, &p.srv, &p.txt, &p.a], 0);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].serial.as_ref().unwrap().as_str(), "A1");
    assert_eq!((seen[0].addresses.len(), &seen[0].ports[..]), (1, &[("sparekey", 8444)][..]));
    assert!(browser.missing(10_000).is_empty());
}

#[test]
fn what_is_missing_is_asked_for_of_its_sender_three_times_at_most() {
    let (mut browser, p) = (Browser::default(), parts("A1"));
    assert!(hear(&mut browser, &[&p.ptr], 0).is_empty(), "nobody yet: a name alone");
    assert!(browser.missing(119).is_empty());
    let asks = browser.missing(120);
    assert_eq!((asks.len(), asks[0].to), (1, To::Peer("192.0.2.1:5353".parse().unwrap())));
    let asked = read(&asks[0].bytes).unwrap().questions;
    assert_eq!(asked.iter().map(|q| q.kind).collect::<Vec<_>>(), [kind::SRV, kind::TXT]);
    // The strings tell who it is; the address is still missing.
    assert_eq!(hear(&mut browser, &[&p.srv, &p.txt], 200).len(), 1);
    let asked = read(&browser.missing(520)[0].bytes).unwrap().questions;
    assert_eq!(asked.iter().map(|q| q.kind).collect::<Vec<_>>(), [kind::A, kind::AAAA]);
    assert_eq!(hear(&mut browser, &[&p.a], 530)[0].addresses.len(), 1, "an answer about its host alone");
    assert!(browser.missing(100_000).is_empty() && browser.missing_at().is_none());
    hear(&mut browser, &[&parts("B2").ptr], 0);
    let asks: usize = (0..100).map(|n| browser.missing(n * 1_000).len()).sum();
    assert_eq!(asks, 3, "who never answers is left in peace");
}

#[test]
fn known_answers_are_those_of_a_moment_ago() {
    let (mut browser, p) = (Browser::default(), parts("A1"));
    hear(&mut browser, &[&p.ptr, &p.srv, &p.txt, &p.a], 0);
    let known = |browser: &Browser, interface, now| {
        browser.questions(interface, now, false).iter().map(|packet| read(packet).unwrap().answers.len()).sum::<usize>()
    };
    assert_eq!(known(&browser, 2, 1_000), 1);
    assert_eq!(known(&browser, 3, 1_000), 0, "heard on another interface");
    assert_eq!(known(&browser, 2, 10_000), 0, "who is silent now has gone");
    hear(&mut browser, &[&parts("B2").ptr], 1_000);
    assert_eq!(known(&browser, 2, 1_000), 1, "of whom something is missing is asked again");
}

#[test]
fn a_goodbye_counts_from_its_own_sender_only() {
    let (mut browser, p) = (Browser::default(), parts("A1"));
    hear(&mut browser, &[&p.ptr, &p.srv, &p.txt, &p.a], 0);
    let goodbye = Record { ttl: 0, ..p.ptr.clone() };
    assert!(browser.handle(&answer(&[&goodbye]), source(66), Some(255), 1).unwrap().is_empty());
    let gone = hear(&mut browser, &[&goodbye], 2);
    assert!(gone[0].gone && gone[0].serial.as_ref().unwrap().to_string() == "A1");
    assert_eq!((browser.instances.len(), browser.of_source.len()), (0, 0));
}

#[test]
fn what_passed_a_router_and_what_is_no_answer_is_refused() {
    let (mut browser, p) = (Browser::default(), parts("A1"));
    for hops in [254, 64, 1, 0] {
        assert_eq!(browser.handle(&answer(&[&p.ptr]), source(1), Some(hops), 0), Err(Refused::OffLink));
    }
    let query = Message { response: false, ..answer(&[&p.ptr]) };
    assert_eq!(browser.handle(&query, source(1), Some(255), 0), Err(Refused::NotAnAnswer));
}

#[test]
fn a_liar_costs_bounded_memory() {
    let mut browser = Browser::default();
    for n in 0..100_000 {
        hear(&mut browser, &[&parts(&n.to_string()).ptr], n);
    }
    assert_eq!((browser.instances.len(), browser.left_out()), (MAX_INSTANCES_OF_ONE, 100_000 - 32));
    // Others are still heard.
    let p = parts("A1");
    let seen = browser.handle(&answer(&[&p.ptr, &p.srv, &p.txt, &p.a]), source(2), Some(255), 100_000).unwrap();
    assert_eq!(seen.len(), 1);
    browser.expire(100_000 + 4_500_001);
    assert_eq!((browser.instances.len(), browser.of_source.len()), (0, 0));
}

#[test]
fn strange_names_and_versions_are_nobody() {
    let mut browser = Browser::default();
    let service = Name::of(SERVICE);
    for instance in [&service, &Name::of("a.b._sparekey._tcp.local"), &Name::of("x._http._tcp.local")] {
        hear(&mut browser, &[&record(&service, 10, Data::Ptr(instance.clone()))], 0);
    }
    assert!(browser.instances.is_empty());
    let p = parts("A1");
    let future = Record { data: Data::Txt(vec![b"v=2".to_vec(), b"sn=A1".to_vec()]), ..p.txt };
    assert!(hear(&mut browser, &[&p.ptr, &p.srv, &future, &p.a], 0).is_empty());
}
