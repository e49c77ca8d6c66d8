//! The owner of another vendor's device is told that vendor's own ways, and nothing is sent to it but the question of a search (journey 3).

#![allow(clippy::unwrap_used)]

use std::{
    fs::{self, File},
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::Value;
use sparekey_e2e::{
    program::{Ended, typed},
    segment::{Segment, V6},
    until,
};

const HIKVISION: &str = "0820200101AARR000000001WCVU";
const DAHUA: &str = "4E0123456789ABC";
const ADDRESS: &str = "192.168.1.108";

/// A tool, and two cameras of two vendors that have one address.
struct Site {
    segment: Segment,
    folder: tempfile::TempDir,
    cameras: Child,
}

impl Site {
    fn make() -> Option<Self> {
        let mut segment = Segment::make()?;
        for (machine, address) in [("tool", "192.168.1.10/24"), ("cameras", "192.168.1.108/24")] {
            segment.machine(machine, V6::LinkLocal);
            segment.plug(machine, "eth0", &[address]);
        }
        // Whoever calls is written down: a device that is only listed is never called.
        for rule in [
            "add table inet watch",
            "add chain inet watch in { type filter hook input priority 0 ; }",
            "add rule inet watch in meta l4proto tcp counter drop",
        ] {
            let done = segment.within("cameras", "nft").args(rule.split(' ')).status().unwrap();
            assert!(done.success(), "{rule}");
        }
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let mut command = segment.peer("cameras", "vendors.py", &[ADDRESS])?;
        let cameras = command.stdout(File::create(&said).unwrap()).stderr(Stdio::null()).spawn().unwrap();
        until("the cameras", Duration::from_secs(20), || {
            fs::read_to_string(&said).unwrap().starts_with("ready").then_some(())
        });
        Some(Self { segment, folder, cameras })
    }

    fn tool(&self, args: &[&str]) -> Ended {
        let known = self.folder.path().join("known");
        typed(self.segment.sparekey("tool", &[args, &["--known", known.to_str().unwrap()]].concat()), &[])
    }

    /// What `forgot` says to this owner. It ends as a command does that let nobody in.
    #[track_caller]
    fn forgot(&self, whom: &str, more: &[&str]) -> Ended {
        let ended = self.tool(&[&["forgot", whom], more].concat());
        assert_eq!(ended.status, Some(1), "{ended:?}");
        ended
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.cameras.kill();
        let _ = self.cameras.wait();
    }
}

#[test]
fn an_owner_is_told_what_the_vendor_offers_and_the_device_is_not_touched() {
    let Some(site) = Site::make() else { return };

    // By the whole serial number, by what a label shows of it, in the owner's language.
    for (whom, language, told) in [
        (HIKVISION, "en", "Give it its first password"),
        ("AARR000000001", "de", "Passwort"),
        (DAHUA, "es", "DMSS"),
        ("4e-0123456789abc", "zh", "预留邮箱"),
    ] {
        let ended = site.forgot(whom, &["--language", language]);
        assert!(ended.output.contains(told), "{whom}: {ended:?}");
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
    for command in ["activate", "network", "security", "sheet"] {
        let ended = site.tool(&["--json", command, DAHUA]);
        assert!(ended.status == Some(1) && ended.error.contains("problem:other-vendor"), "{command}: {ended:?}");
    }

    // Nothing came but the two questions of a search.
    let counted = site.segment.within("cameras", "nft").args(["list", "table", "inet", "watch"]).output().unwrap();
    let counted = String::from_utf8(counted.stdout).unwrap();
    assert!(counted.contains("counter packets 0 "), "{counted}");
    let said = fs::read_to_string(site.folder.path().join("said")).unwrap();
    for line in said.lines().skip(1) {
        let (port, bytes) = line.split_once(' ').unwrap();
        let inquiry = match port {
            "37020" => hex("<Types>inquiry</Types></Probe>"),
            _ => hex("\"method\":\"DHDiscover.search\""),
        };
        assert!(bytes.contains(&inquiry), "{line}");
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
