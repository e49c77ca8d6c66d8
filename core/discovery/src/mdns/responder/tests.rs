use super::*;
use crate::{
    Prefix,
    dns::{ANY, Question, Section, Writer, kind, read},
    sighting::State,
};
use alloc::{borrow::ToOwned, string::ToString, vec};
use core::net::SocketAddr;

fn announcement() -> Announcement {
    Announcement {
        device_id: [0xab; 16],
        serial: "NVR-2026-000417".to_owned(),
        model: "NVR-8".to_owned(),
        firmware: "1.0".to_owned(),
        state: State::Active,
        ways: vec!["email".to_owned()],
        start_time: 1,
        port: 8444,
    }
}

fn link() -> Link {
    let own = Prefix { address: [192, 168, 1, 64].into(), bits: 24 };
    Link { interface: 2, v4: vec![own], v6: vec!["fe80::64".parse().unwrap()] }
}

fn asker(address: &str) -> Asker {
    Asker { interface: 2, address: address.parse().unwrap() }
}

const NEAR: &str = "192.168.1.10:5353";
const FAR: &str = "10.0.0.5:5353";

/// One that has told everybody, at 10 s.
fn settled() -> Responder {
    let mut responder = Responder::new(announcement(), 1);
    responder.set_links(&[link()], 0);
    run(&mut responder, 0, 10_000);
    responder
}

/// All it sends until then, by time.
fn run(responder: &mut Responder, from: u64, until: u64) -> Vec<(u64, Outgoing)> {
    let mut sent = Vec::new();
    let mut now = from;
    loop {
        sent.extend(responder.poll(now).into_iter().map(|outgoing| (now, outgoing)));
        match responder.due().filter(|due| *due < until) {
            Some(due) => now = due.max(now),
            None => return sent,
        }
    }
}

fn question(name: &str, kind: u16, unicast: bool) -> Question {
    Question { name: Name::of(name), kind, unicast }
}

fn query(questions: &[Question], known: &[Record], truncated: bool) -> Message {
    let mut writer = Writer::new(9, false, 9_000);
    for question in questions {
        assert!(writer.question(question));
    }
    for record in known {
        assert!(writer.record(Section::Answer, record));
    }
    if truncated {
        writer.truncated();
    }
    read(&writer.finish()).unwrap()
}

fn browse(unicast: bool) -> Message {
    query(&[question(SERVICE, kind::PTR, unicast)], &[], false)
}

fn own_ptr(ttl: u32) -> Record {
    let data = Data::Ptr(announcement().instance_name(1));
    Record { name: Name::of(SERVICE), ttl, flush: false, data }
}

fn ask(responder: &mut Responder, message: &Message, from: &str, now: u64) -> Vec<(u64, Outgoing)> {
    responder.handle(message, asker(from), true, Some(255), now).unwrap();
    run(responder, now, now + 5_000)
}

#[test]
fn names_are_asked_for_three_times_and_told_twice() {
    let mut responder = Responder::new(announcement(), 1);
    responder.set_links(&[link()], 0);
    let sent = run(&mut responder, 0, 10_000);
    let v4: Vec<_> = sent.iter().filter(|(_, out)| out.to == To::Group(Family::V4)).collect();
    assert_eq!((v4.len(), sent.len()), (5, 10), "the same on IPv6");
    let messages: Vec<_> = v4.iter().map(|(_, out)| read(&out.bytes).unwrap()).collect();
    for probe in &messages[..3] {
        assert!(!probe.response && probe.questions.iter().all(|q| q.kind == ANY && q.unicast));
        assert_eq!((probe.questions.len(), probe.authorities.len()), (2, 4));
    }
    for told in &messages[3..] {
        assert!(told.response && told.questions.is_empty());
        assert_eq!(told.answers.len(), 5, "PTR, SRV, TXT, A, AAAA: {:?}", told.answers);
    }
    let times: Vec<_> = v4.iter().map(|(at, _)| *at).collect();
    assert_eq!(
        [times[1] - times[0], times[2] - times[1], times[3] - times[2], times[4] - times[3]],
        [250, 250, 250, 1_000]
    );
}

#[test]
fn nothing_is_answered_before_the_names_are_taken() {
    let mut responder = Responder::new(announcement(), 1);
    responder.set_links(&[link()], 0);
    responder.handle(&browse(false), asker(NEAR), true, Some(255), 0).unwrap();
    assert!(run(&mut responder, 0, 700).iter().all(|(_, out)| !read(&out.bytes).unwrap().response));
}

#[test]
fn a_question_is_answered_to_whom_it_helps() {
    for (what, message, from, to, delay) in [
        ("asks all", browse(false), NEAR, To::Group(Family::V4), 20..=120),
        ("asks for an answer alone", browse(true), NEAR, To::Peer(NEAR.parse().unwrap()), 20..=120),
        ("is in another subnet", browse(true), FAR, To::Group(Family::V4), 20..=120),
        (
            "asks for one record",
            query(&[question("sparekey-abababababab.local", kind::A, true)], &[], false),
            NEAR,
            To::Peer(NEAR.parse().unwrap()),
            0..=0,
        ),
        (
            "has more to say",
            query(&[question(SERVICE, kind::PTR, false)], &[], true),
            NEAR,
            To::Group(Family::V4),
            400..=500,
        ),
        ("asks on IPv6", browse(true), "[fe80::1]:5353", To::Peer("[fe80::1]:5353".parse().unwrap()), 20..=120),
    ] {
        let sent = ask(&mut settled(), &message, from, 20_000);
        assert_eq!(sent.len(), 1, "{what}");
        assert_eq!(sent[0].1.to, to, "{what}");
        assert!(delay.contains(&(sent[0].0 - 20_000)), "{what}: {}", sent[0].0);
    }
    let everything = read(&ask(&mut settled(), &browse(false), NEAR, 20_000)[0].1.bytes).unwrap();
    assert_eq!((everything.answers.len(), everything.additionals.len()), (1, 4), "what will be asked next comes along");
}

#[test]
fn after_long_silence_everybody_hears_it_too() {
    let sent = ask(&mut settled(), &browse(true), NEAR, 2_000_000);
    let to: Vec<_> = sent.iter().map(|(_, out)| out.to).collect();
    assert_eq!(to, [To::Peer(NEAR.parse().unwrap()), To::Group(Family::V4)]);
}

#[test]
fn who_knows_is_not_answered() {
    let service = question(SERVICE, kind::PTR, false);
    let known = |ttl| query(core::slice::from_ref(&service), &[own_ptr(ttl)], false);
    assert!(ask(&mut settled(), &known(4_500), NEAR, 20_000).is_empty());
    assert!(ask(&mut settled(), &known(2_250), NEAR, 20_000).is_empty());
    assert_eq!(ask(&mut settled(), &known(2_249), NEAR, 20_000).len(), 1, "less than half of its time is left");
    // Also in a packet of its own, after one that says that more follows.
    let mut responder = settled();
    let more = query(core::slice::from_ref(&service), &[], true);
    responder.handle(&more, asker(NEAR), true, Some(255), 20_000).unwrap();
    responder.handle(&query(&[], &[own_ptr(4_500)], false), asker(NEAR), true, Some(255), 20_010).unwrap();
    assert!(run(&mut responder, 20_010, 30_000).is_empty());
    let near = NEAR.parse::<SocketAddr>().unwrap().ip();
    assert!(responder.was_asked_by(2, near, 20_100) && responder.knows(2, near, 20_000));
    assert!(!responder.knows(2, near, 20_011) && !responder.knows(3, near, 20_000));
}

#[test]
fn one_record_is_not_multicast_twice_in_a_second() {
    let mut responder = settled();
    for n in 0..100 {
        responder
            .handle(&browse(false), asker(&alloc::format!("192.168.1.{n}:5353")), true, Some(255), 20_000)
            .unwrap();
    }
    assert_eq!(run(&mut responder, 20_000, 20_900).len(), 1);
}

#[test]
fn an_ordinary_resolver_gets_an_ordinary_answer() {
    let sent = ask(&mut settled(), &browse(false), "192.168.1.10:40000", 20_000);
    assert_eq!(
        sent.iter().map(|(_, out)| out.to).collect::<Vec<_>>(),
        [To::Peer("192.168.1.10:40000".parse().unwrap())]
    );
    let message = read(&sent[0].1.bytes).unwrap();
    assert_eq!((message.id, message.questions.len()), (9, 1));
    let all: Vec<_> = message.answers.iter().chain(&message.additionals).collect();
    assert!(all.iter().all(|record| record.ttl <= 10 && !record.flush));
}

#[test]
fn whoever_is_not_on_this_link_gets_nothing() {
    let mut responder = settled();
    for (from, hops, refused) in [
        (FAR, Some(64), true),
        (FAR, Some(254), true),
        (FAR, None, true),
        ("8.8.8.8:40000", Some(255), true),
        (NEAR, Some(64), false),
    ] {
        let outcome = responder.handle(&browse(false), asker(from), true, hops, 20_000);
        assert_eq!(outcome.is_err(), refused, "{from} {hops:?}");
    }
    let elsewhere = Asker { interface: 3, ..asker(NEAR) };
    assert!(responder.handle(&browse(false), elsewhere, true, Some(255), 20_000).is_err());
}

#[test]
fn a_change_is_told_and_so_is_the_end() {
    let mut responder = settled();
    responder.announce(announcement(), 20_000);
    assert_eq!(responder.due(), None, "nothing changed");
    responder.announce(Announcement { state: State::Inactive, ..announcement() }, 20_000);
    let sent = run(&mut responder, 20_000, 30_000);
    assert_eq!(sent.len(), 4, "twice on both kinds of addresses");
    let told = read(&sent[0].1.bytes).unwrap();
    let says =
        |record: &Record| matches!(&record.data, Data::Txt(strings) if strings.contains(&b"st=inactive".to_vec()));
    assert!(told.answers.iter().any(|record| says(record) && record.flush));
    let goodbye = responder.goodbye();
    assert_eq!(goodbye.len(), 2);
    assert!(read(&goodbye[0].bytes).unwrap().answers.iter().all(|record| record.ttl == 0));
}

#[test]
fn another_link_is_told_and_one_that_went_is_forgotten() {
    let mut responder = settled();
    let other = Link { interface: 3, v4: vec![Prefix { address: [10, 1, 1, 1].into(), bits: 8 }], v6: vec![] };
    responder.set_links(&[link(), other], 20_000);
    assert!(run(&mut responder, 20_000, 30_000).iter().all(|(_, out)| out.interface == 3));
    responder.set_links(&[], 30_000);
    assert!(responder.goodbye().is_empty() && responder.due().is_none());
}

fn theirs(name: &Name, host: &str) -> Record {
    Record { name: name.clone(), ttl: 120, flush: true, data: Data::Srv { target: Name::of(host), port: 1 } }
}

fn answer(record: &Record) -> Message {
    let mut writer = Writer::new(0, true, 9_000);
    assert!(writer.record(Section::Answer, record));
    read(&writer.finish()).unwrap()
}

#[test]
fn a_name_that_another_has_is_given_up() {
    let mut responder = settled();
    let own = theirs(&responder.instance(), "sparekey-abababababab.local");
    responder.handle(&answer(&own), asker(NEAR), true, Some(255), 20_000).unwrap();
    assert_eq!(responder.instance().to_string(), "NVR-8 000417._sparekey._tcp.local", "it was our own answer");
    let other = theirs(&responder.instance(), "somebody.local");
    assert!(responder.handle(&answer(&other), asker(NEAR), true, Some(64), 20_000).is_err(), "from elsewhere");
    responder.handle(&answer(&other), asker(NEAR), true, Some(255), 20_000).unwrap();
    assert_eq!(responder.instance().to_string(), "NVR-8 000417 (2)._sparekey._tcp.local");
    let sent = run(&mut responder, 20_000, 30_000);
    assert!(!read(&sent[0].1.bytes).unwrap().response, "the new name is asked for first");
}

#[test]
fn who_takes_every_name_slows_it_down_and_no_more() {
    let mut responder = settled();
    let mut now = 20_000;
    for _ in 0..1_000 {
        let other = theirs(&responder.instance(), "somebody.local");
        responder.handle(&answer(&other), asker(NEAR), true, Some(255), now).unwrap();
        now += 1;
    }
    assert_eq!(run(&mut responder, now, now + 4_000).len(), 0, "a pause");
    assert!(run(&mut responder, now + 4_000, now + 20_000).len() >= 10);
}

#[test]
fn of_two_at_once_one_waits() {
    let probe = |host: &str| {
        let mut writer = Writer::new(0, false, 9_000);
        let instance = announcement().instance_name(1);
        assert!(writer.question(&Question { name: instance.clone(), kind: ANY, unicast: true }));
        assert!(writer.record(Section::Authority, &theirs(&instance, host)));
        assert!(writer.record(Section::Authority, &Record { data: Data::Other(65), ..theirs(&instance, host) }));
        read(&writer.finish()).unwrap()
    };
    let fresh = || {
        let mut responder = Responder::new(announcement(), 1);
        responder.set_links(&[Link { v6: vec![], ..link() }], 0);
        responder
    };
    let mut wins = fresh();
    wins.handle(&Message { authorities: vec![], ..probe("a.local") }, asker(NEAR), true, Some(255), 0).unwrap();
    assert!(wins.due().unwrap() < 250);
    let mut loses = fresh();
    loses.handle(&probe("zz.local"), asker(NEAR), true, Some(255), 0).unwrap();
    assert_eq!(loses.due(), Some(1_000));
    // A name that is taken is defended at once, also within a second of the last multicast.
    let mut owner = settled();
    let asked = ask(&mut owner, &probe("zz.local"), NEAR, 20_000);
    assert_eq!(asked[0].0, 20_000);
}
