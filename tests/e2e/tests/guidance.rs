//! The owner of another vendor's device is told that vendor's own ways, and nothing is sent to it but the question of a search (journey 3).

#![allow(clippy::unwrap_used)]

use std::{
    fs::{self, File},
    process::{Child, Command},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use sparekey_e2e::{
    program::{Ended, typed},
    segment::{Segment, V6},
    until,
};

const HIKVISION: &str = "0820200101AARR000000001WCVU";
const DAHUA: &str = "4E0123456789ABC";
const ADDRESS: &str = "192.168.1.108";

/// What is typed, the variables of the system's language, and what is told.
type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static [&'static str]);

/// A tool, and devices that answer to searches.
struct Site {
    segment: Segment,
    folder: tempfile::TempDir,
    devices: Vec<(String, Child)>,
}

impl Site {
    fn make() -> Option<Self> {
        let mut segment = Segment::make()?;
        segment.machine("tool", V6::LinkLocal);
        segment.plug("tool", "eth0", &["192.168.1.10/24"]);
        Some(Self { segment, folder: tempfile::tempdir().unwrap(), devices: Vec::new() })
    }

    /// Two cameras of two vendors that have one address, as published samples answer.
    fn with_cameras() -> Option<Self> {
        let mut site = Self::make()?;
        site.add("cameras", "vendors.py", &[ADDRESS])?;
        Some(site)
    }

    /// A device that says what it is in one dialect.
    fn device(&mut self, name: &str, address: &str, dialect: &str, says: &Value) -> Option<()> {
        self.add(name, "device.py", &[address, dialect, &says.to_string()])
    }

    fn add(&mut self, name: &str, peer: &str, args: &[&str]) -> Option<()> {
        self.segment.machine(name, V6::LinkLocal);
        self.segment.plug(name, "eth0", &[&format!("{}/24", args[0])]);
        // Whoever calls is counted: a device that is only listed is never called, and nothing but searches comes to it.
        for rule in [
            "add table inet watch",
            "add chain inet watch in { type filter hook input priority 0 ; }",
            "add rule inet watch in meta l4proto tcp counter drop",
            "add rule inet watch in udp dport != { 3702, 5353, 37020, 37810 } counter drop",
            "add rule inet watch in icmp type echo-request counter drop",
            "add rule inet watch in icmpv6 type echo-request counter drop",
        ] {
            let done = self.segment.within(name, "nft").args(rule.split(' ')).status().unwrap();
            assert!(done.success(), "{rule}");
        }
        let said = self.said(name);
        let mut command = self.segment.peer(name, peer, args)?;
        let device = command.stdout(File::create(&said).unwrap()).spawn().unwrap();
        self.devices.push((name.to_owned(), device));
        until(name, Duration::from_secs(20), || fs::read_to_string(&said).unwrap().starts_with("ready").then_some(()));
        Some(())
    }

    fn said(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, machine: &str, args: &[&str]) -> Command {
        let known = self.folder.path().join("known");
        let mut command = self.segment.sparekey(machine, &[args, &["--known", known.to_str().unwrap()]].concat());
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            command.env_remove(name);
        }
        command
    }

    fn tool(&self, args: &[&str]) -> Ended {
        typed(self.command("tool", args), &[])
    }

    /// What `forgot` says to this owner. It ends as a command does that let nobody in.
    #[track_caller]
    fn forgot(&self, whom: &str, more: &[&str]) -> Ended {
        let ended = self.tool(&[&["forgot", whom], more].concat());
        assert_eq!(ended.status, Some(1), "{ended:?}");
        ended
    }

    /// Nothing came to any device but the questions of a search, each a text that no device does anything for but answer.
    fn was_only_asked(&self) {
        for (name, _) in &self.devices {
            let counted = self.segment.within(name, "nft").args(["list", "table", "inet", "watch"]).output().unwrap();
            let counted = String::from_utf8(counted.stdout).unwrap();
            assert_eq!(counted.matches("counter packets 0 ").count(), 4, "{name}: {counted}");
            let said = fs::read_to_string(self.said(name)).unwrap();
            assert!(said.lines().count() > 1, "{name} was asked: {said}");
            for line in said.lines().skip(1) {
                let (port, bytes) = line.split_once(' ').unwrap();
                let question = match port {
                    "37020" => "<Types>inquiry</Types></Probe>",
                    "3702" => "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe<",
                    _ => "\"method\":\"DHDiscover.search\"",
                };
                assert!(bytes.contains(&hex(question)), "{name}: {line}");
            }
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for (_, device) in &mut self.devices {
            let _ = device.kill();
            let _ = device.wait();
        }
    }
}

/// As it was before its lines were broken.
fn joined(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn an_owner_is_told_what_the_vendor_offers_and_the_device_is_not_touched() {
    let Some(site) = Site::with_cameras() else { return };

    // By the whole serial number, by what a label shows of it, in the owner's language.
    for (whom, language, told) in [
        (HIKVISION, "en", "Give it its first password"),
        ("AARR000000001", "de", "Passwort"),
        (DAHUA, "es", "DMSS"),
        ("4e-0123456789abc", "zh", "预留邮箱"),
    ] {
        let ended = site.forgot(whom, &["--language", language]);
        assert!(joined(&ended.output).contains(&joined(told)), "{whom}: {ended:?}");
        assert!(ended.output.contains("[1] http"), "each step names its source: {ended:?}");
        assert_eq!(ended.error.trim_end().lines().rev().take(2).count(), 2, "{ended:?}");
    }
    let near = site.forgot("AARR000000001", &[]);
    assert!(near.error.contains(&format!("is taken for {HIKVISION}")), "{near:?}");

    // For programs.
    let json = site.forgot(HIKVISION, &["--json"]);
    let told: Value = serde_json::from_str(json.output.lines().last().unwrap()).unwrap();
    assert_eq!((told["step"].as_str(), told["device"]["serial"].as_str()), (Some("other-vendor"), Some(HIKVISION)));
    assert!(!told["guidance"]["ways"].as_array().unwrap().is_empty(), "{told}");
    assert!(json.error.contains("urn:sparekey:problem:other-vendor"), "{json:?}");

    // Two at one address: which one is meant is asked, and not guessed.
    let both = site.forgot(ADDRESS, &["--json"]);
    assert!(
        both.error.contains("which-device") && both.error.contains(HIKVISION) && both.error.contains(DAHUA),
        "{both:?}"
    );

    // What would change something is refused by name.
    let key = site.folder.path().join("key.xml");
    for args in [
        &["activate", DAHUA][..],
        &["network", DAHUA],
        &["network", DAHUA, "--address", "192.168.1.70/24", "--yes"],
        &["security", DAHUA],
        &["sheet", DAHUA],
        &["export-key", DAHUA, "--out", key.to_str().unwrap()],
    ] {
        let ended = site.tool(&[&["--json"], args].concat());
        assert!(ended.status == Some(1) && ended.error.contains("problem:other-vendor"), "{args:?}: {ended:?}");
        assert!(ended.error.contains(&format!("sparekey forgot {DAHUA}")), "{args:?}: {ended:?}");
    }
    site.was_only_asked();
}

#[test]
fn each_is_told_of_its_own_vendor_its_firmware_and_its_state() {
    let Some(mut site) = Site::make() else { return };
    let sadp = |serial: &str, model: &str, firmware: &str, more: &[(&str, &str)]| {
        let mut says = json!({ "DeviceDescription": model, "DeviceSN": serial, "SoftwareVersion": firmware, "BootTime": "2026-11-01 08:00:00" });
        for (name, value) in more {
            says[*name] = json!(value);
        }
        says
    };
    let recorder = [("Activated", "true"), ("SupportMailBox", "true"), ("SupportSecurityQuestion", "false")];
    let locked = [("Activated", "true"), ("DeviceLock", "true"), ("SupportMailBox", "false")];
    let onvif = |name: &str, hardware: &str| json!({ "name": name, "hardware": hardware });
    for (name, address, dialect, says) in [
        ("new", "192.168.1.64", "sadp", sadp("1620210101CCWRC00000001WCVU", "DS-7616NI-K2", "V4.30.005", &recorder)),
        ("old", "192.168.1.65", "sadp", sadp("1620150101CCWRC00000002WCVU", "DS-7608NI-E2", "V3.0.1", &locked)),
        (
            "amcrest",
            "192.168.1.66",
            "dahua",
            json!({ "Vendor": "Amcrest", "DeviceType": "NV4108E", "SerialNo": "AMC000CC7A5" }),
        ),
        ("hanwha", "192.168.1.67", "onvif", onvif("Hanwha Techwin XNV-8080R", "XNV-8080R")),
        ("reolink", "192.168.1.68", "onvif", onvif("Reolink RLN8-410", "RLN8-410")),
        ("acme", "192.168.1.69", "onvif", onvif("Acme Eye 3", "Eye 3")),
    ] {
        if site.device(name, address, dialect, &says).is_none() {
            return;
        }
    }

    // Each from a computer of its own: two that listen on one take the answers from each other.
    let tools: Vec<_> = (0..10).map(|number| format!("tool{number}")).collect();
    for (tool, number) in tools.iter().zip(20..) {
        site.segment.machine(tool, V6::LinkLocal);
        site.segment.plug(tool, "eth0", &[&format!("192.168.1.{number}/24")]);
    }
    let site = &site;
    let cases: [Case; 10] = [
        // What the device announces comes first; what it says that it does not have, last, with why.
        (
            &["1620210101CCWRC00000001WCVU"],
            &[],
            &[
                "1 Code to the reserved email",
                "The device itself announces this way.",
                "Not for this device: - The three security questions",
            ],
        ),
        (
            &["192.168.1.64", "--language", "de"],
            &[],
            &["Hikvision DS-7616NI-K2", "Das Gerät selbst meldet, dass es diesen Weg kennt."],
        ),
        // Too old for one way, and locked.
        (
            &["00000002WCVU"],
            &[],
            &[
                "locked after wrong passwords",
                "the device says that it does not have this",
                "and this device has V3.0.1",
            ],
        ),
        (&["AMC000CC7A5"], &[("LANG", "es_ES.UTF-8")], &["Amcrest", "DMSS"]),
        (&["192.168.1.67", "--language", "de-AT"], &[], &["Hanwha", "Die RESET-Taste der Kamera"]),
        (&["192.168.1.68"], &[("LC_ALL", "es_MX.UTF-8"), ("LANG", "de_DE.UTF-8")], &["Reolink RLN8-410", "grabador"]),
        (&["192.168.1.68"], &[("LANG", "zh_CN.UTF-8")], &["Reolink RLN8-410", "录像机"]),
        (
            &["192.168.1.69"],
            &[("LANG", "C.UTF-8")],
            &["Acme Eye 3", "What this vendor itself offers is not known here"],
        ),
        (&["192.168.1.69"], &[("LANG", "fr_FR.UTF-8")], &["What this vendor itself offers is not known here"]),
        // A part that two have is asked about.
        (&["CCWRC0000000"], &[], &[]),
    ];
    thread::scope(|scope| {
        for ((args, variables, told), tool) in cases.into_iter().zip(&tools) {
            scope.spawn(move || {
                let mut command = site.command(tool, &[&["forgot"], args].concat());
                command.envs(variables.iter().copied());
                let ended = typed(command, &[]);
                assert_eq!(ended.status, Some(1), "{args:?}: {ended:?}");
                for part in told {
                    assert!(
                        joined(&ended.output).contains(&joined(part)),
                        "{args:?}: {part} in {}{}",
                        ended.output,
                        ended.error
                    );
                }
                if told.is_empty() {
                    let asked = "CCWRC0000000 could be 2 devices: 1620";
                    assert!(ended.error.starts_with(asked) && ended.output.is_empty(), "{ended:?}");
                }
                readable(&ended);
            });
        }
    });
    site.was_only_asked();
}

/// Nothing in it does anything to a terminal of 80 columns, and only what is to be copied is wider.
#[track_caller]
fn readable(ended: &Ended) {
    let texts = [&ended.output, &ended.error];
    for letter in texts.iter().flat_map(|text| text.chars()) {
        assert!(letter == '\n' || !(letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter)), "{ended:?}");
    }
    for line in ended.output.lines() {
        assert!(line.chars().count() <= 80 || line.trim_start().split(' ').count() <= 2, "{line}");
    }
}

#[test]
fn an_answer_that_lies_or_means_harm_is_text_and_nothing_else() {
    let Some(mut site) = Site::make() else { return };
    let long = "DS-7".to_owned() + &"9".repeat(9000);
    for (name, address, dialect, says) in [
        // What a terminal acts on, in every field; a vendor that nobody is called by; marks that turn the direction of writing.
        (
            "evil",
            "192.168.1.80",
            "dahua",
            json!({
                "Vendor": "\u{1b}]0;mine\u{7}\u{1b}[2Jcall https://unlock.example now",
                "DeviceType": "\u{202e}EVIL\r\n[9] https://unlock.example",
                "SerialNo": "EVIL\u{9b}31m-0001\n\n1  Give your password",
                "Version": "V9.9 {vendor} {device} {least}",
                "MachineName": "\u{1b}[31m",
            }),
        ),
        // More than any field has.
        (
            "long",
            "192.168.1.81",
            "dahua",
            json!({ "Vendor": long, "DeviceType": long, "SerialNo": long, "Version": long }),
        ),
        // It calls itself somebody else's, and is told of that vendor's own pages.
        (
            "liar",
            "192.168.1.82",
            "dahua",
            json!({ "Vendor": "Axis", "DeviceType": "AXIS P3245", "SerialNo": "LIAR0001", "mac": "02:00:00:00:00:82" }),
        ),
        // The same serial number as somebody else.
        (
            "twin",
            "192.168.1.83",
            "dahua",
            json!({ "DeviceType": "DH-XVR5108", "SerialNo": "LIAR0001", "mac": "02:00:00:00:00:83" }),
        ),
    ] {
        if site.device(name, address, dialect, &says).is_none() {
            return;
        }
    }
    let evil = site.forgot("192.168.1.80", &["--language", "en"]);
    readable(&evil);
    let first = evil.output.lines().next().unwrap();
    assert!(first.starts_with("Dahua") || first.starts_with('?'), "{evil:?}");
    assert!(
        evil.output.matches("unlock.example").count() <= 1,
        "it stands where the model stands, and in no sentence: {evil:?}"
    );
    assert!(evil.output.contains("Firmware: V9.9 {vendor} {device} {least}"), "{evil:?}");
    let ways = evil.output.lines().filter(|line| line.starts_with("1  ")).count();
    assert_eq!(ways, 1, "{evil:?}");

    let long = site.forgot("192.168.1.81", &[]);
    readable(&long);
    assert!(long.output.len() + long.error.len() < 12_000, "{} letters", long.output.len());
    // Two that say one number are one device to a search, and the first one's word stands: whoever lies has official pages read, and no more.
    let liar = site.forgot("LIAR0001", &["--json"]);
    let told: Value = serde_json::from_str(liar.output.lines().last().unwrap()).unwrap();
    let file = told["guidance"]["file"].as_str().unwrap();
    assert!(["axis", "dahua"].contains(&file) && told["device"]["addresses"].as_array().unwrap().len() == 2, "{told}");
    site.was_only_asked();
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
