use alloc::{borrow::ToOwned, vec};

use super::*;
use crate::{
    Arrival, Door, Link,
    sighting::{Dialect, Sighting, Source},
};

fn nic(index: u32, v4: &[(&str, u8)]) -> Nic {
    let v4 = v4.iter().map(|(address, bits)| Prefix { address: address.parse().unwrap(), bits: *bits }).collect();
    Nic {
        name: alloc::format!("eth{index}"),
        link: Link { interface: index, v4, v6: vec![] },
        medium: Medium::Cable,
        usual: true,
        up: true,
        carrier: true,
        multicast: true,
        mtu: 1500,
        mac: None,
        bridge: None,
        without_v6: false,
        filter: 0,
        default_route: None,
    }
}

fn machine(nics: &[Nic]) -> Machine {
    Machine { nics: nics.to_vec(), ..Machine::default() }
}

fn search(machine: &Machine, devices: &[Sighting]) -> Search {
    let mut search = Search::new(1);
    let links: Vec<_> = machine.nics.iter().map(|nic| nic.link.clone()).collect();
    search.set_links(&links, 0);
    for device in devices {
        search.see(device.clone(), 0);
    }
    search
}

fn camera(serial: &str, address: &str, bits: Option<u8>, from: &str) -> Sighting {
    let mut sighting = Sighting::new(Dialect::Sadp, Source { interface: 1, address: from.parse().unwrap() });
    sighting.serial = crate::Label::new(serial);
    sighting.add_address(address.parse().unwrap());
    sighting.bits = bits;
    sighting
}

fn look<'a>(machine: &'a Machine, search: Option<&'a Search>, asked: &'a [Asked<'a>]) -> Look<'a> {
    Look { machine, search, chosen: &[], hitches: &[], unheard: &[], asked }
}

fn names(look: &Look<'_>) -> Vec<(&'static str, Weight)> {
    look.causes().iter().map(|cause| (cause.what.name(), cause.weight)).collect()
}

use Weight::{Aside, Hinders, Worth};

#[test]
fn what_is_wrong_with_interfaces() {
    let good = nic(1, &[("10.0.0.5", 24)]);
    let off = Nic { up: false, ..nic(2, &[]) };
    let unplugged = Nic { carrier: false, ..nic(3, &[("10.0.3.5", 24)]) };
    let bare = Nic { without_v6: true, ..nic(4, &[]) };
    let port = Nic { bridge: Some("br0".to_owned()), ..nic(5, &[]) };
    let tunnel = Nic { usual: false, ..nic(6, &[]) };
    let vlan = Nic { medium: Medium::Vlan("eth0".to_owned(), Some(20)), ..nic(7, &[("10.0.7.5", 24)]) };
    for (nics, told) in [
        (vec![], vec![("no-adapter", Hinders)]),
        (vec![tunnel.clone()], vec![("no-adapter", Hinders)]),
        (vec![off.clone()], vec![("adapter-down", Hinders)]),
        (vec![unplugged.clone()], vec![("no-carrier", Hinders)]),
        // What is nearest to working comes first.
        (
            vec![off.clone(), unplugged.clone(), bare.clone()],
            vec![("no-address", Hinders), ("no-carrier", Hinders), ("adapter-down", Hinders)],
        ),
        (vec![port.clone()], vec![("in-bridge", Hinders)]),
        // Others make up for them.
        (
            vec![good.clone(), off, unplugged, bare, port],
            vec![("no-address", Aside), ("no-carrier", Aside), ("adapter-down", Aside), ("in-bridge", Aside)],
        ),
        (vec![good.clone(), vlan], vec![("vlan", Aside)]),
        (vec![good.clone()], vec![]),
        (vec![Nic { multicast: false, ..good.clone() }], vec![("no-multicast", Hinders)]),
        (vec![Nic { mtu: 1000, ..good.clone() }], vec![("small-mtu", Hinders)]),
        (vec![Nic { mtu: 0, ..good.clone() }], vec![]),
        (vec![good.clone(), nic(2, &[("10.0.0.6", 24)])], vec![("two-on-one-subnet", Hinders)]),
        (vec![good.clone(), nic(2, &[("10.0.1.6", 16)])], vec![("two-on-one-subnet", Hinders)]),
        (vec![good.clone(), nic(2, &[("10.0.1.6", 24)])], vec![]),
        (
            vec![good.clone(), Nic { medium: Medium::Wifi, ..nic(2, &[("10.0.0.6", 24)]) }],
            vec![("wifi-beside-cable", Hinders)],
        ),
        // The filter hides what it has no way back to.
        (vec![Nic { filter: 1, ..good.clone() }], vec![("reverse-path", Worth)]),
        (vec![Nic { filter: 1, default_route: Some(None), ..good.clone() }], vec![]),
        (
            vec![Nic { filter: 2, ..good.clone() }, Nic { default_route: Some(None), ..nic(2, &[("10.0.1.6", 24)]) }],
            vec![],
        ),
        (
            vec![Nic { filter: 1, ..good.clone() }, Nic { default_route: Some(None), ..nic(2, &[("10.0.1.6", 24)]) }],
            vec![("reverse-path", Worth)],
        ),
    ] {
        let here = machine(&nics);
        assert_eq!(names(&look(&here, None, &[])), told, "{nics:?}");
    }
    // Wi-Fi is the one to do without, whichever stands first.
    let both = machine(&[Nic { medium: Medium::Wifi, ..good }, nic(2, &[("10.0.0.6", 24)])]);
    assert_eq!(look(&both, None, &[]).causes()[0].interface, Some(1));
}

#[test]
fn what_sockets_run_into() {
    let here = machine(&[nic(1, &[("10.0.0.5", 24)])]);
    let (v4, words) = (Family::V4, String::new);
    let forbidden = Hitch::Unsent(1, v4, Denied::Forbidden, words());
    for (hitches, unheard, told) in [
        (vec![forbidden.clone(), forbidden.clone()], vec![(1, v4)], vec!["send-forbidden"]),
        (vec![Hitch::Unsent(1, v4, Denied::Other, words())], vec![], vec!["not-sent"]),
        (vec![], vec![(1, v4), (1, Family::V6)], vec!["multicast-eaten", "multicast-eaten"]),
        (vec![Hitch::NoSocket(Door::Sadp, Denied::Taken, words())], vec![], vec!["port-taken"]),
        (vec![Hitch::NoSocket(Door::Mdns, Denied::NoRoom, words())], vec![(1, v4)], vec!["join-failed"]),
        (vec![Hitch::NoSocket(Door::Dhip, Denied::Other, words())], vec![], vec!["no-socket"]),
        (vec![Hitch::Buffer(1, 2)], vec![], vec!["small-buffer"]),
    ] {
        let look = Look { hitches: &hitches, unheard: &unheard, ..look(&here, None, &[]) };
        let names: Vec<_> = look.causes().iter().map(|cause| cause.what.name()).collect();
        assert_eq!(names, told, "{hitches:?}");
    }
}

#[test]
fn what_is_wrong_with_addresses() {
    let here = machine(&[nic(1, &[("10.0.0.5", 24)])]);
    let mac = |text| Mac::parse(text).unwrap();
    let near = |mac| Neighbour { address: [10, 0, 0, 64].into(), mac: Some(mac), interface: 1 };
    let own_mac =
        Sighting { mac: Some(mac("02:00:00:00:00:01")), ..camera("AAAAAA-1", "10.0.0.64", None, "10.0.0.64") };
    let shows_mac = camera("AAAAAA-1", "10.0.0.64", None, "fe80::ff:fe00:1");
    for (devices, neighbours, told) in [
        (vec![camera("AAAAAA-1", "10.0.0.64", Some(24), "10.0.0.64")], vec![], vec![]),
        // A device that has this computer's address, and an agent on this computer.
        (vec![camera("AAAAAA-1", "10.0.0.5", Some(24), "fe80::1")], vec![], vec![("own-address", Hinders)]),
        (vec![camera("AAAAAA-1", "10.0.0.5", Some(24), "10.0.0.5")], vec![], vec![]),
        (
            vec![
                camera("AAAAAA-1", "10.0.0.64", Some(24), "10.0.0.64"),
                camera("BBBBBB-1", "10.0.0.64", Some(24), "fe80::2"),
            ],
            vec![],
            vec![("shared-address", Hinders)],
        ),
        (vec![shows_mac.clone()], vec![near(mac("02:00:00:00:00:01"))], vec![]),
        (vec![shows_mac], vec![near(mac("02:00:00:00:00:99"))], vec![("taken-address", Hinders)]),
        // Its word alone may be about its Wi-Fi.
        (vec![own_mac], vec![near(mac("02:00:00:00:00:99"))], vec![("taken-address", Worth)]),
        // One sees the other next to it, and not the other way round.
        (vec![camera("AAAAAA-1", "10.0.0.64", Some(28), "10.0.0.64")], vec![], vec![("wrong-mask", Hinders)]),
        (vec![camera("AAAAAA-1", "10.0.0.64", Some(16), "10.0.0.64")], vec![], vec![("wrong-mask", Worth)]),
        (
            vec![camera("AAAAAA-1", "10.0.9.64", Some(16), "10.0.9.64")],
            vec![],
            vec![("wrong-mask", Hinders), ("other-subnet", Hinders)],
        ),
        (vec![camera("AAAAAA-1", "172.16.0.1", Some(16), "172.16.0.1")], vec![], vec![("other-subnet", Hinders)]),
        (vec![], vec![], vec![("nobody-answered", Hinders)]),
    ] {
        let here = Machine { neighbours, ..here.clone() };
        let search = search(&here, &devices);
        assert_eq!(names(&look(&here, Some(&search), &[])), told, "{devices:?}");
    }
    let contained =
        Machine { container: true, ..machine(&[Nic { medium: Medium::Pair, ..nic(1, &[("172.17.0.2", 16)]) }]) };
    let alone = search(&contained, &[]);
    assert_eq!(names(&look(&contained, Some(&alone), &[]))[0], ("container", Hinders));
}

#[test]
fn answers_from_beyond_a_router_and_too_many() {
    let here = machine(&[nic(1, &[("10.0.0.5", 24)])]);
    let mut search = search(&here, &[camera("AAAAAA-1", "10.0.0.64", Some(24), "10.0.0.64")]);
    let from = "10.0.0.64:5353".parse().unwrap();
    let far = Arrival {
        door: Door::Mdns,
        interface: 1,
        from,
        hops: Some(254),
        bytes: &[0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    };
    search.handle(&far, 1).unwrap_err();
    assert_eq!(names(&look(&here, Some(&search), &[])), [("off-link-answers", Worth)]);
}

#[test]
fn how_devices_answer_calls() {
    let linked = Nic { default_route: Some(Some([10, 0, 0, 1].into())), ..nic(1, &[("10.0.0.5", 24)]) };
    let mut with_v6 = machine(core::slice::from_ref(&linked));
    with_v6.nics[0].link.v6.push("fe80::5".parse().unwrap());
    let nobody = Neighbour { address: [10, 0, 0, 99].into(), mac: None, interface: 1 };
    let here = Machine { neighbours: vec![nobody], ..with_v6 };
    let call = |address: &str, outcome| Call { address: address.parse().unwrap(), interface: None, outcome };
    for (calls, told) in [
        (vec![call("10.0.0.64", Outcome::Answered)], vec![]),
        (vec![call("10.0.0.64", Outcome::Silent), call("fe80::64", Outcome::Answered)], vec!["only-ipv6"]),
        // Another subnet's address is no reason: it is reached by IPv6.
        (vec![call("192.168.1.64", Outcome::Silent), call("fe80::64", Outcome::Answered)], vec![]),
        (vec![call("10.0.0.64", Outcome::Silent)], vec!["silent"]),
        (vec![call("10.0.0.99", Outcome::Silent)], vec!["nobody-there"]),
        (vec![call("10.0.0.64", Outcome::NoWay)], vec!["nobody-there"]),
        (vec![call("10.0.0.64", Outcome::Refused)], vec!["port-closed"]),
        (vec![call("10.0.0.64", Outcome::Stranger)], vec!["stranger"]),
        (vec![call("192.168.1.64", Outcome::Silent)], vec!["behind-router"]),
        (vec![call("2001:db8::1", Outcome::Silent)], vec!["behind-router"]),
        (vec![call("2001:db8::1", Outcome::NoWay)], vec!["no-route"]),
        (vec![call("127.0.0.1", Outcome::Refused)], vec!["port-closed"]),
    ] {
        let asked = [Asked { calls: &calls, ..Asked::default() }];
        let names: Vec<_> = look(&here, None, &asked).causes().iter().map(|cause| cause.what.name()).collect();
        assert_eq!(names, told, "{calls:?}");
    }
    let unrouted = machine(&[Nic { default_route: None, ..linked }]);
    let calls = [call("192.168.1.64", Outcome::NoWay)];
    let asked = [Asked { calls: &calls, ..Asked::default() }];
    assert_eq!(names(&look(&unrouted, None, &asked)), [("no-route", Hinders)]);

    // A serial number that is not there, among others, and alone.
    let others = search(&here, &[camera("AAAAAA-1", "10.0.0.64", Some(24), "10.0.0.64")]);
    assert_eq!(names(&look(&here, Some(&others), &[Asked::default()])), [("not-announced", Hinders)]);
    let nobody = search(&here, &[]);
    assert_eq!(names(&look(&here, Some(&nobody), &[Asked::default()])), [("nobody-answered", Hinders)]);
    // Heard on the link, and of another subnet: no router is the reason.
    let elsewhere = search(&here, &[camera("AAAAAA-1", "192.168.1.64", Some(24), "192.168.1.64")]);
    let asked = [Asked { device: elsewhere.table().devices().next(), calls: &calls, ahead: None }];
    let told = look(&here, Some(&elsewhere), &asked).causes();
    assert_eq!(
        told.iter().filter(|cause| cause.weight == Hinders).map(|cause| cause.what.name()).collect::<Vec<_>>(),
        ["other-subnet"]
    );
}

#[test]
fn whose_clock_is_wrong() {
    let here = machine(&[nic(1, &[("10.0.0.5", 24)])]);
    let day = 86_400;
    for (ahead, told) in [
        (vec![Some(0), None], vec![]),
        (vec![Some(APART)], vec![]),
        (vec![Some(2 * day)], vec![What::Clock(2 * day)]),
        (vec![Some(-2 * day), Some(3)], vec![What::Clock(-2 * day)]),
        // Two that agree, and no one else.
        (vec![Some(2 * day + 1), Some(2 * day)], vec![What::OwnClock(2 * day + 1, 2)]),
        (vec![Some(2 * day), Some(5 * day)], vec![What::Clock(2 * day), What::Clock(5 * day)]),
        (vec![Some(2 * day), Some(2 * day), Some(0), Some(0)], vec![What::Clock(2 * day), What::Clock(2 * day)]),
    ] {
        let asked: Vec<_> = ahead.iter().map(|ahead| Asked { ahead: *ahead, ..Asked::default() }).collect();
        let causes: Vec<_> = look(&here, None, &asked).causes().into_iter().map(|cause| cause.what).collect();
        assert_eq!(causes, told, "{ahead:?}");
    }
}

#[test]
fn a_hostile_link_does_not_fill_the_screen() {
    let here = machine(&[nic(1, &[("10.0.0.5", 24)])]);
    let devices: Vec<_> =
        (0..30).map(|at| camera(&alloc::format!("LIAR-{at:06}"), "10.0.0.5", Some(28), "fe80::66")).collect();
    let search = search(&here, &devices);
    assert!(look(&here, Some(&search), &[]).causes().len() < 15);
}
