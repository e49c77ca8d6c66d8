//! Other people's programs understand what our device and our tool say, word for word (journey 3).

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use sparekey_e2e::{
    Program, Setup, World,
    segment::{Segment, V6},
    until,
    world::SERIAL,
};

/// A recorder and a tool on one link.
fn link() -> Option<(World, Segment, Program)> {
    let mut segment = Segment::make()?;
    let world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    for (machine, address) in [("tool", "10.0.0.5/24"), ("device", "10.0.0.64/24")] {
        segment.machine(machine, V6::LinkLocal);
        segment.plug(machine, "eth0", &[address]);
    }
    let args = ["--json", "recorder", "run", &world.path("recorder"), "--listen", "[::]:8443"];
    let recorder = Program::start_command("recorder", segment.sparekey("device", &args), world.folder());
    Some((world, segment, recorder))
}

/// Where WS-Discovery leads, a client of ONVIF devices is answered, and refused by name what is not for everybody.
#[test]
fn onvif_zeep_talks_to_it() {
    let Some((_world, segment, _recorder)) = link() else { return };
    let Some(mut client) = segment.peer("tool", "onvif_client.py", &["10.0.0.64", "8443"]) else { return };
    // The first frames over a new link may be lost, and this client asks once.
    let told: Value = until("the client to have its answers", Duration::from_secs(30), || {
        let output = client.stderr(Stdio::piped()).output().unwrap();
        println!("{}", String::from_utf8_lossy(&output.stderr));
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    });
    let url = "https://10.0.0.64:8443/onvif/device_service";
    assert_eq!(told["services"][0][1], url, "{told}");
    assert!(told["year"].as_u64().unwrap() >= 2026, "{told}");
    assert_eq!(told["bye"], true);
    assert!(told["refused"].as_str().unwrap().contains("open to everybody"), "{told}");

    let found = segment.sparekey("tool", &["--json", "discover", "--seconds", "2"]).output().unwrap();
    let row: Value = serde_json::from_slice(found.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    let id = row["device_id"].as_str().unwrap().get(..8).unwrap();
    assert!(told["endpoint"].as_str().unwrap().starts_with(&format!("urn:uuid:{id}")), "{told} {row}");
}

/// A search, its answers, the coming and the going, on the wire: no dissector finds fault with them.
#[test]
fn wireshark_has_no_complaint() {
    if Command::new("tshark").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("skipped: no tshark");
        return;
    }
    let Some((world, segment, recorder)) = link() else { return };
    let capture = world.path("link.pcapng");
    let wire = ["-q", "-i", "eth0", "-f", "udp", "-w", &capture];
    let mut tshark = segment.within("tool", "tshark").args(wire).stderr(Stdio::null()).spawn().unwrap();
    until("the capture", Duration::from_secs(20), || std::fs::metadata(&capture).ok().filter(|file| file.len() > 0));
    // Twice: the second begins while devices still remember what they said to all.
    for _ in 0..2 {
        let done = segment.sparekey("tool", &["--json", "discover", "--seconds", "3"]).output().unwrap();
        assert!(String::from_utf8_lossy(&done.stdout).contains(SERIAL), "{done:?}");
    }
    recorder.interrupt();
    let read = |filter: &str, field: &str| {
        let args = ["-r", &capture, "-Y", filter, "-T", "fields", "-e", field];
        let output = Command::new("tshark").args(args).stderr(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{filter}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    until("the last word", Duration::from_secs(20), || {
        read("mdns && dns.resp.ttl == 0", "frame.number").first().map(|_| ())
    });
    tshark.kill().unwrap();
    tshark.wait().unwrap();

    let mut protocols = BTreeMap::new();
    for port in read("udp", "udp.dstport") {
        *protocols.entry(port).or_insert(0) += 1;
    }
    assert!(protocols.contains_key("5353") && protocols.contains_key("3702"), "{protocols:?}");
    assert!(read("mdns && dns.flags.response == 1", "frame.number").len() > 2, "{protocols:?}");
    let wrong =
        "_ws.malformed || _ws.unreassembled || _ws.expert.severity >= \"Warning\" || (udp.port == 5353 && !mdns)";
    // A question that is asked again, with the number zero as every one (RFC 6762 section 18.1), looks like one that was lost.
    let complaints: Vec<_> =
        read(wrong, "_ws.expert.message").into_iter().filter(|said| !said.contains("retransmission")).collect();
    assert!(complaints.is_empty(), "{complaints:?} of {protocols:?}");
    assert!(
        read("udp && !(ip.ttl == 255 || ipv6.hlim == 255) && udp.port == 5353", "ip.src").is_empty(),
        "RFC 6762 section 11"
    );
}
