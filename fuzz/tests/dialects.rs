//! Every dialect of the link, on random bytes and on altered datagrams: nothing panics, nothing grows without bound, and what a search says stays what it
//! may say.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bolero::check;
use sparekey_discovery::{
    Announcement, Arrival, Asker, Door, Link, Prefix, Search, Source, State, dhip, dns, mdns, sadp,
    wsd::{self, Endpoint},
};
use sparekey_fuzz::edited;
use sparekey_onvif::{
    DateTime,
    device_service::{self, About, Answer},
    media::{Camera, Cameras},
    users,
};

type Edits = Vec<(u16, u8, u8)>;

fn link() -> Link {
    let own = Prefix { address: [192, 168, 1, 64].into(), bits: 24 };
    Link { interface: 2, v4: vec![own], v6: vec!["fe80::64".parse().unwrap()] }
}

fn announcement() -> Announcement {
    Announcement {
        device_id: [7; 16],
        serial: "NVR-2026-000417".to_owned(),
        model: "NVR-8".to_owned(),
        firmware: "1.0".to_owned(),
        state: State::Active,
        ways: vec!["email".to_owned()],
        start_time: 1_790_000_000,
        port: 8444,
    }
}

/// What a device announces.
fn told() -> Vec<u8> {
    let mut responder = mdns::Responder::new(announcement(), 1);
    responder.set_links(&[link()], 0);
    let sent = (0..3_000).step_by(50).flat_map(|now| responder.poll(now)).last();
    sent.unwrap().bytes
}

fn source() -> Source {
    Source { interface: 2, address: [192, 168, 1, 64].into() }
}

macro_rules! target {
    ($name:ident, $type:ty, $check:expr) => {
        #[test]
        fn $name() {
            let check = $check;
            check!()
                .with_type::<$type>()
                .with_iterations(10_000_000)
                .with_test_time(Duration::from_secs(2))
                .for_each(move |input| check(input));
        }
    };
}

target!(random_datagrams, (u8, Vec<u8>), |(door, bytes): &(u8, Vec<u8>)| {
    let door = Door::ALL[usize::from(*door) % Door::ALL.len()];
    let mut search = Search::new(1);
    search.set_links(&[link()], 0);
    let from = "192.168.1.64:5353".parse().unwrap();
    let _ = search.handle(&Arrival { door, interface: 2, from, hops: Some(255), bytes }, 0);
    assert!(search.table().devices().len() <= 16);
});

target!(edited_dns, Edits, {
    let good = told();
    assert!(dns::read(&good).is_ok());
    move |edits: &Edits| {
        let bytes = edited(&good, edits);
        let Ok(message) = dns::read(&bytes) else { return };
        // What was read can be written, and is read as the same.
        let mut writer = dns::Writer::new(message.id, message.response, dns::MAX_MESSAGE);
        let known = message.answers.iter().filter(|record| !matches!(record.data, dns::Data::Other(_)));
        let known: Vec<_> = known.cloned().collect();
        for record in &known {
            assert!(writer.record(dns::Section::Answer, record));
        }
        assert_eq!(dns::read(&writer.finish()).unwrap().answers, known);
        // Both sides take whatever it is.
        let mut browser = mdns::Browser::default();
        let _ = browser.handle(&message, source(), Some(255), 0);
        let mut responder = mdns::Responder::new(announcement(), 1);
        responder.set_links(&[link()], 0);
        let asker = Asker { interface: 2, address: "192.168.1.10:5353".parse().unwrap() };
        let _ = responder.handle(&message, asker, true, Some(255), 2_000);
        assert!(responder.poll(4_000).iter().all(|outgoing| outgoing.bytes.len() <= 1_440));
    }
});

target!(edited_device_service, Edits, {
    let good = concat!(
        "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body>",
        "<GetServices xmlns=\"http://www.onvif.org/ver10/device/wsdl\"><IncludeCapability>true</IncludeCapability></GetServices>",
        "</e:Body></e:Envelope>"
    );
    let now = DateTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    move |edits: &Edits| {
        let camera = Camera {
            token: "1".to_owned(),
            name: "Door".to_owned(),
            uri: "rtsp://192.0.2.1/camera/1/main".to_owned(),
            encoding: "H264",
            size: (640, 360),
        };
        let cameras = Cameras {
            url: "https://192.0.2.1/onvif/media_service",
            username: "viewer",
            password: "drawn",
            now: 0,
            model: "NVR-8",
            firmware: "1",
            serial: "S",
            cameras: &[camera],
        };
        let about =
            About { url: "https://192.0.2.1/onvif/device_service", endpoint: "1-2", now, cameras: Some(cameras) };
        let Answer { status, body } = device_service::answer(&edited(good.as_bytes(), edits), &about);
        assert!([200, 400, 500].contains(&status) && body.len() < 2_000);
    }
});

target!(edited_camera, Edits, {
    let good = concat!(
        "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body><GetUsersResponse><User><Username>admin</Username>",
        "<UserLevel>Administrator</UserLevel></User></GetUsersResponse></e:Body></e:Envelope>"
    );
    move |edits: &Edits| {
        let answer = edited(good.as_bytes(), edits);
        let _ = (users::clock(&answer), users::set(&answer));
        if let Ok(users) = users::users(&answer) {
            assert!(users.len() <= 64 && users.iter().all(|user| user.name.len() <= 128));
        }
    }
});

target!(edited_wsd, Edits, {
    let good = wsd::probe(wsd::Kind::Transmitter, wsd::Asks::Here, [1; 16]);
    move |edits: &Edits| match wsd::read(&edited(&good, edits)) {
        Ok(wsd::Heard::Probe(probe)) => {
            let mut answerer = wsd::Answerer::new(Endpoint::new(&announcement(), "Recorder", 8443), 1);
            answerer.set_links(&[link()], 0);
            let asker = Asker { interface: 2, address: "192.168.1.10:3702".parse().unwrap() };
            let _ = answerer.handle(probe, asker, true, false, 0);
            // Whatever was asked, the answer is well-formed.
            assert!(answerer.poll(1_000, |_, _, _| false).iter().all(|outgoing| wsd::read(&outgoing.bytes).is_ok()));
        }
        Ok(wsd::Heard::Matches(matches)) => assert!(matches.len() <= 16),
        _ => {}
    }
});

target!(edited_match, Edits, {
    let mut answerer = wsd::Answerer::new(Endpoint::new(&announcement(), "Recorder", 8443), 1);
    answerer.set_links(&[link()], 0);
    let good = answerer.poll(0, |_, _, _| false).remove(0).bytes;
    move |edits: &Edits| {
        if let Ok(wsd::Heard::Hello(said)) = wsd::read(&edited(&good, edits)) {
            let _ = wsd::sighting(&said, source(), false);
        }
    }
});

target!(edited_sadp, Edits, {
    let good = b"<?xml version=\"1.0\"?><ProbeMatch><Types>inquiry</Types><DeviceDescription>DS</DeviceDescription><DeviceSN>DS1</DeviceSN>\
        <MAC>68-6d-bc-01-02-03</MAC><IPv4Address>192.168.1.64</IPv4Address><IPv4SubnetMask>255.255.255.0</IPv4SubnetMask>\
        <HttpPort>80</HttpPort><Activated>true</Activated></ProbeMatch>";
    assert!(sadp::read(good, source()).is_ok());
    move |edits: &Edits| {
        let _ = sadp::read(&edited(good, edits), source());
    }
});

target!(edited_dhip, Edits, {
    let mut good = dhip::search()[..32].to_vec();
    good.extend(
        b"{\"mac\":\"9c:14:63:01:02:03\",\"method\":\"client.notifyDevInfo\",\"params\":{\"deviceInfo\":{\"SerialNo\":\"4E01\",\"HttpPort\":80,\
          \"IPv4Address\":{\"IPAddress\":\"192.168.1.108\",\"SubnetMask\":\"255.255.255.0\",\"DhcpEnable\":false}}}}",
    );
    assert!(dhip::read(&good, source()).is_ok());
    move |edits: &Edits| {
        let _ = dhip::read(&edited(&good, edits), source());
    }
});
