use super::*;
use alloc::vec;

const PORTS: ListenPorts = ListenPorts { main: 8443, lan: Some(8444) };

fn v4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn now() -> NetworkInForce {
    NetworkInForce {
        dhcp: false,
        address: Some((v4("192.168.1.64"), 24)),
        gateway: Some(v4("192.168.1.1")),
        dns: vec![IpAddr::V4(v4("192.168.1.1"))],
    }
}

fn to(address: &str, bits: u8, gateway: Option<&str>) -> NetworkWanted {
    let (address, gateway) = (Some(v4(address)), Some(gateway.map(v4)));
    NetworkWanted { address, bits: Some(bits), gateway, ..NetworkWanted::default() }
}

#[test]
fn addresses_that_a_host_can_have_and_others() {
    for (address, bits, gateway, expected) in [
        ("192.168.1.70", 24, Some("192.168.1.1"), None),
        ("10.0.0.1", 8, Some("10.255.255.254"), None),
        ("192.0.2.129", 25, Some("192.0.2.254"), None),
        ("192.0.2.0", 31, Some("192.0.2.1"), None),
        ("192.0.2.9", 30, None, None),
        ("192.168.1.70", 0, None, Some(BadNetwork::Bits)),
        ("192.168.1.70", 32, None, Some(BadNetwork::Bits)),
        ("192.168.1.70", 33, None, Some(BadNetwork::Bits)),
        ("192.168.1.70", 255, None, Some(BadNetwork::Bits)),
        ("192.168.1.0", 24, None, Some(BadNetwork::NetworkAddress)),
        ("192.168.1.255", 24, None, Some(BadNetwork::NetworkAddress)),
        ("192.0.2.127", 25, None, Some(BadNetwork::NetworkAddress)),
        ("192.168.0.255", 16, None, None),
        ("0.0.0.0", 24, None, Some(BadNetwork::Address)),
        ("0.1.2.3", 8, None, Some(BadNetwork::Address)),
        ("127.0.0.1", 8, None, Some(BadNetwork::Address)),
        ("169.254.1.1", 16, None, Some(BadNetwork::Address)),
        ("224.0.0.251", 24, None, Some(BadNetwork::Address)),
        ("240.0.0.1", 24, None, Some(BadNetwork::Address)),
        ("255.255.255.255", 24, None, Some(BadNetwork::Address)),
        ("192.168.1.70", 24, Some("192.168.2.1"), Some(BadNetwork::Gateway)),
        ("192.168.1.70", 24, Some("192.168.1.70"), Some(BadNetwork::Gateway)),
        ("192.168.1.70", 24, Some("192.168.1.0"), Some(BadNetwork::Gateway)),
        ("192.168.1.70", 24, Some("192.168.1.255"), Some(BadNetwork::Gateway)),
        ("192.168.1.70", 24, Some("0.0.0.0"), Some(BadNetwork::Gateway)),
    ] {
        let found = to(address, bits, gateway).change(&now(), PORTS);
        assert_eq!(found.as_ref().err(), expected.as_ref(), "{address}/{bits} {gateway:?}: {found:?}");
    }
    let dns = |dns: &[&str]| NetworkWanted {
        dns: Some(dns.iter().map(|one| one.parse().unwrap()).collect()),
        ..NetworkWanted::default()
    };
    for (resolvers, right) in [
        (&["9.9.9.9", "2620:fe::fe", "127.0.0.53"][..], true),
        (&[], true),
        (&["0.0.0.0"], false),
        (&["ff02::fb"], false),
        (&["255.255.255.255"], false),
        (&["9.9.9.1", "9.9.9.2", "9.9.9.3", "9.9.9.4"], false),
    ] {
        assert_eq!(dns(resolvers).change(&now(), PORTS).is_ok(), right, "{resolvers:?}");
    }
}

#[test]
fn what_is_not_named_stays() {
    let nothing = NetworkWanted::default().change(&now(), PORTS).unwrap();
    assert!(nothing.is_nothing() && nothing.lines(&now(), PORTS).is_empty());
    let same = to("192.168.1.64", 24, Some("192.168.1.1")).change(&now(), PORTS).unwrap();
    assert!(same.is_nothing());
    let moved = NetworkWanted { address: Some(v4("192.168.1.70")), ..NetworkWanted::default() };
    let moved = moved.change(&now(), PORTS).unwrap();
    let line = |what, from: &str, to: &str| ChangedLine { what, from: from.into(), to: to.into() };
    assert_eq!(moved.lines(&now(), PORTS), [line("address", "192.168.1.64/24", "192.168.1.70/24")]);
    // The gateway stays, and does not fit any more.
    let away = NetworkWanted { address: Some(v4("10.0.0.9")), ..NetworkWanted::default() };
    assert_eq!(away.change(&now(), PORTS), Err(BadNetwork::Gateway));
    let away = to("10.0.0.9", 16, None).change(&now(), PORTS).unwrap();
    let lines = away.lines(&now(), PORTS);
    assert_eq!(
        lines,
        [line("address", "192.168.1.64/24", "10.0.0.9/16"), line("gateway", "192.168.1.1", "")],
        "the resolvers stay"
    );
}

#[test]
fn by_dhcp_a_server_says_all_of_it() {
    let dhcp = NetworkWanted { dhcp: Some(true), ..NetworkWanted::default() };
    let changed = dhcp.change(&now(), PORTS).unwrap();
    assert_eq!(changed.addressing, Some(Addressing::Dhcp));
    assert_eq!(changed.lines(&now(), PORTS).len(), 4);
    let beside = NetworkWanted { dhcp: Some(true), ..to("10.0.0.9", 16, None) };
    assert_eq!(beside.change(&now(), PORTS), Err(BadNetwork::BesideDhcp));
    let lent = NetworkInForce { dhcp: true, ..now() };
    assert!(dhcp.change(&lent, PORTS).unwrap().is_nothing());
    assert_eq!(lent.addressing(), Addressing::Dhcp);
    let part = NetworkWanted { gateway: Some(None), ..NetworkWanted::default() };
    assert_eq!(part.change(&lent, PORTS), Err(BadNetwork::BesideDhcp));
    // What was lent is taken as one's own.
    let kept = NetworkWanted { dhcp: Some(false), ..NetworkWanted::default() }.change(&lent, PORTS).unwrap();
    assert_eq!(kept.addressing, Some(now().addressing()));
    let none = NetworkInForce::default();
    let kept = NetworkWanted { dhcp: Some(false), ..NetworkWanted::default() };
    assert_eq!(kept.change(&none, PORTS), Err(BadNetwork::NoAddress));
    assert_eq!(none.addressing(), Addressing::None);
}

#[test]
fn ports_are_two_and_not_zero() {
    let ports = |main, lan| NetworkWanted { main, lan, ..NetworkWanted::default() }.change(&now(), PORTS);
    for (main, lan, expected) in [
        (Some(443), None, Ok(Some(ListenPorts { main: 443, lan: Some(8444) }))),
        (Some(8444), Some(8443), Ok(Some(ListenPorts { main: 8444, lan: Some(8443) }))),
        (Some(8443), None, Ok(None)),
        (Some(0), None, Err(BadNetwork::Port)),
        (None, Some(0), Err(BadNetwork::LanPort)),
        (Some(8444), None, Err(BadNetwork::SamePorts)),
        (Some(9), Some(9), Err(BadNetwork::SamePorts)),
    ] {
        assert_eq!(ports(main, lan).map(|change| change.ports), expected, "{main:?} {lan:?}");
    }
    let no_lan = ListenPorts { lan: None, ..PORTS };
    let wanted = NetworkWanted { lan: Some(9), ..NetworkWanted::default() };
    assert_eq!(wanted.change(&now(), no_lan), Err(BadNetwork::LanPort));
}
