//! Every cause has a sentence, and what mends it on each system.

use super::*;
use sparekey_discovery::{Family, Prefix};

fn cause(what: What) -> Cause {
    Cause { what, weight: Weight::Hinders, interface: None, device: None }
}

#[test]
fn each_system_has_its_own_command() {
    let machine = Machine::default();
    let words = Words { machine: &machine, search: None };
    let address = [192, 168, 1, 64].into();
    let own = Prefix { address: [192, 168, 1, 5].into(), bits: 16 };
    let theirs = Prefix { address, bits: 24 };
    for (what, linux, mac, windows) in [
        (
            What::PortTaken(5353),
            "sudo ss -ulpn 'sport = :5353'",
            "sudo lsof -nP -iUDP:5353",
            "Get-NetUDPEndpoint -LocalPort 5353",
        ),
        (
            What::OnlyV6(address),
            "ip neigh show to 192.168.1.64",
            "arp -n 192.168.1.64",
            "Get-NetNeighbor -IPAddress 192.168.1.64",
        ),
        (What::OwnClock(90, 3), "sudo timedatectl set-ntp true", "sudo sntp -sS time.apple.com", "w32tm /resync"),
        (What::NotFound(2), "sparekey discover", "sparekey discover", "sparekey discover"),
        (What::Unheard(Family::V4), "sudo nft list ruleset", "", ""),
        (What::NoCarrier, "", "", ""),
        (
            What::WrongMask(own, theirs),
            "sudo ip addr add 192.168.1.250/24 dev ",
            "sudo ifconfig  alias 192.168.1.250/24",
            "New-NetIPAddress -InterfaceAlias '' -IPAddress 192.168.1.250 -PrefixLength 24",
        ),
    ] {
        use super::mend::{System, mend};
        let cause = cause(what);
        let commands = [(System::Linux, linux), (System::MacOs, mac), (System::Windows, windows)];
        for (system, command) in commands {
            assert_eq!(mend(&cause, &words, system).1.unwrap_or_default(), command, "{:?} on {system:?}", cause.what);
        }
        let finding = Finding::of(&cause, &words);
        assert!(finding.happened.ends_with('.') && finding.hinders, "{finding:?}");
        assert!(finding.line().starts_with(&finding.happened), "{finding:?}");
    }
}

#[test]
fn a_line_is_a_sentence_what_to_do_and_the_command() {
    let finding = Finding {
        name: "clock",
        hinders: false,
        happened: "It is late.".to_owned(),
        mend: "Set it.".to_owned(),
        command: Some("date".to_owned()),
        interface: None,
        serial: None,
        address: None,
        weight: Weight::Aside,
    };
    assert_eq!(finding.line(), "It is late. Set it:  date");
    assert_eq!(Finding { command: None, ..finding.clone() }.line(), "It is late. Set it.");
    assert_eq!(Finding { mend: String::new(), ..finding.clone() }.line(), "It is late. date");
    assert_eq!(Finding { mend: String::new(), command: None, ..finding }.line(), "It is late.");
}

#[test]
fn durations_are_told_in_one_unit() {
    for (seconds, told) in
        [(1, "1 second"), (59, "59 seconds"), (90, "2 minutes"), (7_200, "2 hours"), (200_000, "2 days")]
    {
        assert_eq!(words::duration(seconds), told);
    }
}
