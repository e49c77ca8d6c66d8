//! The LAN tool finds, and the recorder is found (journey 3), on links made of network namespaces: with our own program on both sides, and with other
//! people's on either.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Program, Setup, World,
    program::typed,
    segment::{Segment, V6},
    until,
    world::{MODEL, SERIAL},
};

const PASSWORD: &str = "tangerine ladder ocean clock";

/// A recorder on a machine of a segment.
fn recorder(world: &World, segment: &Segment, machine: &str, name: &str, args: &[&str]) -> Program {
    let dir = world.path(name);
    let mut all = vec!["--json", "recorder", "run", &dir, "--listen", "[::]:8443"];
    all.extend(args);
    Program::start_command(name, segment.sparekey(machine, &all), world.folder())
}

fn world() -> World {
    let world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    world
}

/// What a search lists, and what it says to people beside.
fn discover(segment: &Segment, args: &[&str]) -> Vec<Value> {
    let output = segment.sparekey("tool", &[&["--json", "discover"], args].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn serials(rows: &[Value]) -> BTreeSet<&str> {
    rows.iter().filter_map(|row| row["serial"].as_str()).collect()
}

fn find<'a>(rows: &'a [Value], serial: &str) -> &'a Value {
    rows.iter().find(|row| row["serial"] == serial).unwrap_or_else(|| panic!("{serial} in {rows:?}"))
}

/// Another program, by its lines; it ends when dropped.
struct Peer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Its next line; it is killed, and the test fails, if it says nothing more.
    fn line(&mut self) -> String {
        self.lines.next().expect("the peer says something").unwrap()
    }

    fn ready(mut self) -> Self {
        let line = self.line();
        assert!(line.contains("ready"), "{line}");
        self
    }

    /// All that it said, once it was killed.
    fn end(mut self) -> Vec<String> {
        let _ = self.child.kill();
        self.lines.by_ref().map_while(Result::ok).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_recorder_is_found_whatever_addresses_there_are() {
    let world = world();
    for (what, v6, tool, device, reached, sentence) in [
        ("IPv4 only", V6::Off, &["10.0.0.5/24"][..], &["10.0.0.64/24"][..], "10.0.0.64", None),
        ("IPv6 only", V6::LinkLocal, &[], &[], "fe80::", None),
        (
            "another subnet",
            V6::LinkLocal,
            &["10.0.0.5/24"],
            &["192.168.1.64/24"],
            "fe80::",
            Some(
                "This computer is 10.0.0.5/24, the device 192.168.1.64: it is reached over IPv6 link-local, nothing to change.",
            ),
        ),
    ] {
        let Some(mut segment) = Segment::make() else { return };
        segment.machine("tool", v6);
        segment.machine("device", v6);
        segment.plug("tool", "eth0", tool);
        segment.plug("device", "eth0", device);
        let _recorder = recorder(&world, &segment, "device", "recorder", &[]);
        let rows = discover(&segment, &[]);
        assert_eq!(rows.len(), 1, "{what}: {rows:?}");
        let row = &rows[0];
        assert_eq!(
            (&row["serial"], &row["vendor"], &row["model"]),
            (&json!(SERIAL), &json!("Sparekey"), &json!(MODEL)),
            "{what}"
        );
        assert_eq!((&row["state"], &row["interface"]), (&json!("inactive"), &json!("eth0")), "{what}");
        let addresses = row["addresses"].as_array().unwrap();
        assert!(
            addresses.iter().any(|address| address.as_str().unwrap().starts_with(reached)),
            "{what}: {addresses:?}"
        );
        assert!(row["found_by"].as_array().unwrap().contains(&json!("mdns")), "{what}: {row}");
        assert_eq!(row["network"].as_str(), sentence, "{what}");
        if v6 == V6::LinkLocal {
            assert!(row["mac"].is_string(), "{what}: its link-local address tells it: {row}");
        }
        // The same for people, and the sentence beside it.
        let output = segment.sparekey("tool", &["discover", "--seconds", "2"]).output().unwrap();
        let (list, aside) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(list.contains(SERIAL) && list.lines().count() == 2, "{what}: {list}");
        assert!(
            aside.contains("1 device in ") && sentence.is_none_or(|sentence| aside.contains(sentence)),
            "{what}: {aside}"
        );
    }
}

#[test]
fn all_interfaces_are_searched_unless_some_are_named() {
    let world = world();
    world.make_recorder("second", "NVR-SECOND");
    let (Some(mut left), Some(right)) = (Segment::make(), Segment::make()) else { return };
    for name in ["tool", "one", "two"] {
        left.machine(name, V6::LinkLocal);
    }
    left.plug("tool", "eth0", &["10.0.0.5/24"]);
    left.plug("one", "eth0", &["10.0.0.64/24"]);
    right.plug_into(&left, "tool", "eth1", &["10.0.1.5/24"]);
    right.plug_into(&left, "two", "eth0", &["10.0.1.64/24"]);
    let _one = recorder(&world, &left, "one", "recorder", &[]);
    let _two = recorder(&world, &left, "two", "second", &[]);
    let rows = discover(&left, &["--seconds", "3"]);
    assert_eq!(serials(&rows), BTreeSet::from([SERIAL, "NVR-SECOND"]));
    assert_eq!(find(&rows, SERIAL)["interface"], "eth0");
    assert_eq!(find(&rows, "NVR-SECOND")["interface"], "eth1");
    let rows = discover(&left, &["--interface", "eth1", "--seconds", "2"]);
    assert_eq!(serials(&rows), BTreeSet::from(["NVR-SECOND"]));
    let refused = left.sparekey("tool", &["discover", "--interface", "eth7"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("There are: eth0, eth1."));
}

#[test]
fn two_that_have_one_address_are_two_and_both_are_told_of() {
    let Some(mut segment) = Segment::make() else { return };
    let world = world();
    world.make_recorder("second", "NVR-SECOND");
    world.hash_cheaply("second");
    segment.machine("tool", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    for name in ["one", "two"] {
        segment.machine(name, V6::LinkLocal);
        segment.plug(name, "eth0", &["10.0.0.64/24"]);
    }
    let _one = recorder(&world, &segment, "one", "recorder", &[]);
    let _two = recorder(&world, &segment, "two", "second", &[]);
    let rows = discover(&segment, &["--seconds", "3"]);
    assert_eq!(serials(&rows), BTreeSet::from([SERIAL, "NVR-SECOND"]));
    assert_eq!(rows.len(), 2, "{rows:?}");
    let link_local = |row: &Value| {
        let addresses = row["addresses"].as_array().unwrap();
        assert!(addresses.contains(&json!("10.0.0.64")), "{row}");
        addresses.iter().find(|address| address.as_str().unwrap().starts_with("fe80::")).expect("by IPv6").clone()
    };
    assert_ne!(link_local(&rows[0]), link_local(&rows[1]));
    let shown = segment.sparekey("tool", &["discover", "--seconds", "2"]).output().unwrap();
    let aside = String::from_utf8(shown.stderr).unwrap();
    assert!(aside.contains("Two devices have the address 10.0.0.64 on eth0: give one of them another"), "{aside}");
    // Each is met by its serial number all the same, by IPv6 where the other one answers for the address.
    for serial in [SERIAL, "NVR-SECOND"] {
        let known = world.path(&format!("known-{serial}"));
        let args = ["--json", "activate", serial, "--known", &known];
        let ended = typed(segment.sparekey("tool", &args), &[PASSWORD]);
        assert_eq!(ended.status, Some(0), "{serial}: {ended:?}");
    }
}

#[test]
fn who_does_not_announce_is_not_found() {
    let Some(mut segment) = Segment::make() else { return };
    let world = world();
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["10.0.0.64/24"]);
    let _recorder = recorder(&world, &segment, "device", "recorder", &["--announce", "no"]);
    assert_eq!(discover(&segment, &["--seconds", "2"]), Vec::<Value>::new());
}

#[test]
fn zeroconf_sees_it_come_change_and_go() {
    let Some(mut segment) = Segment::make() else { return };
    let world = world();
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["10.0.0.64/24"]);
    let Some(watch) = segment.peer("tool", "watch.py", &[]) else { return };
    let mut watch = Peer::start(watch).ready();
    let mut next = |event: &str| {
        loop {
            let line: Value = serde_json::from_str(&watch.line()).unwrap();
            if line["event"] == event {
                return line;
            }
        }
    };
    let recorder = recorder(&world, &segment, "device", "recorder", &[]);
    let added = next("added");
    assert_eq!(added["name"], format!("{MODEL} {}._sparekey._tcp.local.", &SERIAL[SERIAL.len() - 6..]));
    let txt = &added["txt"];
    let device_id = txt["id"].as_str().unwrap();
    assert!(device_id.len() == 32 && device_id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{device_id}");
    assert!(txt["up"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000, "{txt}");
    for (key, value) in [("v", "1"), ("sn", SERIAL), ("md", MODEL), ("st", "inactive"), ("rm", "")] {
        assert_eq!(txt[key], value, "{key}");
    }
    assert!(txt["fw"].is_string());
    let lan = recorder.told("lan").rsplit_once(':').unwrap().1.parse::<u64>().unwrap();
    assert_eq!(added["port"], lan);
    let addresses = added["addresses"].to_string();
    assert!(addresses.contains("10.0.0.64") && addresses.contains("fe80::"), "{addresses}");

    let owner = json!({ "username": "admin", "password": PASSWORD, "reserved_emails": ["olga@owners.example.org"] });
    let script = "import http.client, ssl, sys\n\
        call = http.client.HTTPSConnection('10.0.0.64', 8443, context=ssl._create_unverified_context())\n\
        call.request('POST', '/api/v1/activation', sys.argv[1], {'Content-Type': 'application/json'})\n\
        print(call.getresponse().status)";
    let activated = segment.within("tool", "python3").args(["-c", script, &owner.to_string()]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&activated.stdout).trim(), "201");
    let mut updated = next("updated");
    while updated["txt"]["st"] != "active" {
        updated = next("updated");
    }
    assert!(updated["txt"]["rm"].as_str().unwrap().split(',').any(|way| way == "email"), "{updated}");
    recorder.interrupt();
    assert_eq!(next("removed")["name"], added["name"]);
}

#[test]
fn avahi_browse_resolves_it() {
    let Some(mut segment) = Segment::make() else { return };
    let here = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !here("avahi-browse") || !here("/usr/sbin/avahi-daemon") || !here("dbus-daemon") {
        println!("skipped: no avahi-browse, avahi-daemon or dbus-daemon");
        return;
    }
    let world = world();
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["10.0.0.64/24"]);
    let _recorder = recorder(&world, &segment, "device", "recorder", &[]);
    let script = format!("{}/peers/avahi.sh", env!("CARGO_MANIFEST_DIR"));
    let lines = until("avahi-browse to resolve it", Duration::from_secs(60), || {
        let output = segment.within("tool", &script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let resolved: Vec<_> = text.lines().filter(|line| line.starts_with('=')).map(str::to_owned).collect();
        (!resolved.is_empty()).then_some(resolved)
    });
    let all = lines.join("\n");
    assert!(all.contains(&format!("\"sn={SERIAL}\"")) && all.contains("\"st=inactive\""), "{all}");
    assert!(all.contains("10.0.0.64") || all.contains("fe80::"), "{all}");
}

#[test]
fn the_module_ws_discovery_finds_it_as_an_onvif_device() {
    let Some(mut segment) = Segment::make() else { return };
    let world = world();
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["10.0.0.64/24"]);
    let _recorder = recorder(&world, &segment, "device", "recorder", &[]);
    let found = until("the module to find it", Duration::from_secs(60), || {
        let output = segment.peer("tool", "ws_search.py", &[]).map(|mut peer| peer.output().unwrap());
        let Some(output) = output else { return Some(None) };
        let line = String::from_utf8(output.stdout).unwrap().lines().next().map(str::to_owned);
        line.map(|line| Some(serde_json::from_str::<Value>(&line).unwrap()))
    });
    let Some(found) = found else { return };
    assert!(found["endpoint"].as_str().unwrap().starts_with("urn:uuid:"), "{found}");
    assert!(found["addresses"].to_string().contains("https://10.0.0.64:8443/"), "{found}");
    assert!(found["scopes"].to_string().contains(&format!("onvif://www.onvif.org/SerialNumber/{SERIAL}")), "{found}");
}

#[test]
fn nmap_finds_it_by_both_of_its_scripts() {
    let Some(mut segment) = Segment::make() else { return };
    if Command::new("nmap").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: no nmap");
        return;
    }
    let world = world();
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["10.0.0.64/24"]);
    let _recorder = recorder(&world, &segment, "device", "recorder", &[]);
    until("nmap to find it", Duration::from_secs(90), || {
        let scripts = "broadcast-dns-service-discovery,broadcast-wsdd-discover";
        let output = segment.within("tool", "nmap").args(["-e", "eth0", "--script", scripts]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let by_dns = text.contains("/tcp sparekey") && text.contains("Address=10.0.0.64");
        (by_dns && text.contains("https://10.0.0.64:8443/onvif/device_service")).then_some(())
    });
}

#[test]
fn what_other_programs_publish_is_found() {
    let Some(mut segment) = Segment::make() else { return };
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["10.0.0.64/24"]);
    let Some(publish) = segment.peer("device", "publish.py", &["10.0.0.64"]) else { return };
    let _publish = Peer::start(publish).ready();
    let rows = discover(&segment, &["--seconds", "4"]);
    let peer = find(&rows, "PEER-000001");
    assert_eq!((&peer["model"], &peer["firmware"], &peer["state"]), (&json!("Peer"), &json!("2.0"), &json!("active")));
    assert_eq!((&peer["methods"], &peer["start_time"]), (&json!(["email", "desk"]), &json!("1790000000")));
    // Both answer from one address, and say different things of themselves: an ONVIF device that says no serial is taken for the same device.
    let onvif = rows.iter().find(|row| row["found_by"].as_array().unwrap().contains(&json!("onvif"))).unwrap();
    assert_eq!(onvif["mac"], "02:00:00:00:00:07");
}

#[test]
fn other_vendors_devices_are_listed_and_asked_one_harmless_question() {
    let Some(mut segment) = Segment::make() else { return };
    segment.machine("tool", V6::LinkLocal);
    segment.machine("camera", V6::LinkLocal);
    segment.machine("recorder", V6::LinkLocal);
    segment.plug("tool", "eth0", &["192.168.1.10/24"]);
    segment.plug("camera", "eth0", &["192.168.1.108/24"]);
    // On another subnet, without a route back: only what it says to everybody arrives.
    segment.plug("recorder", "eth0", &["192.0.0.64/24"]);
    let peer = |machine, address| segment.peer(machine, "vendors.py", &[address]).map(|peer| Peer::start(peer).ready());
    let (Some(camera), Some(recorder)) = (peer("camera", "192.168.1.108"), peer("recorder", "192.0.0.64")) else {
        return;
    };

    let folder = tempfile::tempdir().unwrap();
    let (csv, xlsx) = (folder.path().join("list.csv"), folder.path().join("list.xlsx"));
    let rows = discover(&segment, &["--seconds", "2"]);
    let dahua = find(&rows, "4E0123456789ABC");
    assert_eq!((&dahua["vendor"], &dahua["mac"]), (&json!("Dahua"), &json!("9c:14:63:01:02:03")));
    let sadp = find(&rows, "0820200101AARR000000001WCVU");
    assert_eq!(
        (&sadp["vendor"], &sadp["model"], &sadp["state"]),
        (&json!("Hikvision"), &json!("DS-7608NI"), &json!("inactive"))
    );
    let elsewhere =
        rows.iter().find(|row| row["addresses"].to_string().contains("192.0.0.64")).expect("the other subnet's");
    assert!(elsewhere["found_by"].as_array().unwrap().contains(&json!("sadp")), "{elsewhere}");

    for (option, file) in [("--csv", &csv), ("--xlsx", &xlsx)] {
        let written =
            segment.sparekey("tool", &["discover", "--seconds", "1", option, file.to_str().unwrap()]).output().unwrap();
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    }
    assert!(fs::read_to_string(&csv).unwrap().contains(",Hikvision,DS-7608NI,0820200101AARR000000001WCVU,"));
    assert!(fs::read(&xlsx).unwrap().starts_with(b"PK"));

    // Whatever came to them in all this.
    let came = [camera.end(), recorder.end()].concat();
    assert!(came.len() >= 8, "{came:?}");
    for line in came {
        let (port, bytes) = line.split_once(' ').unwrap();
        let bytes: Vec<u8> =
            (0..bytes.len()).step_by(2).map(|at| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap()).collect();
        let text = String::from_utf8_lossy(&bytes);
        match port {
            "37020" => assert!(
                text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?><Probe><Uuid>")
                    && text.ends_with("</Uuid><Types>inquiry</Types></Probe>"),
                "{text}"
            ),
            "37810" => assert!(
                text.ends_with("{\"method\":\"DHDiscover.search\",\"params\":{\"mac\":\"\",\"uni\":1}}\n"),
                "{text}"
            ),
            other => panic!("port {other}"),
        }
    }
}

/// A terminal in which the program runs; its server ends when it is dropped.
struct Terminal(String);

impl Terminal {
    fn open(segment: &Segment, args: &[&str]) -> Option<Self> {
        if Command::new("tmux").arg("-V").stdout(Stdio::null()).status().is_err() {
            println!("skipped: no tmux");
            return None;
        }
        let terminal = Self(format!("sparekey-{}", std::process::id()));
        let run = segment.sparekey("tool", args);
        let words = [run.get_program()].into_iter().chain(run.get_args()).map(|word| word.to_str().unwrap());
        // What it leaves on the screen stays there.
        let line = format!("{}; cat", words.collect::<Vec<_>>().join(" "));
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "150", "-y", "24", &line]);
        Some(terminal)
    }

    fn tmux(&self, args: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.0]).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn press(&self, keys: &str) {
        self.tmux(&["send-keys", keys]);
    }

    fn see(&self, what: &str, look: impl Fn(&str) -> bool) -> String {
        until(what, Duration::from_secs(60), || Some(self.tmux(&["capture-pane", "-p"])).filter(|screen| look(screen)))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn the_live_table_follows_what_comes_and_goes() {
    let Some(mut segment) = Segment::make() else { return };
    let world = world();
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["192.168.1.64/24"]);
    let Some(terminal) = Terminal::open(&segment, &["discover"]) else { return };
    terminal.see("an empty table", |screen| screen.contains("0 devices") && screen.contains("on eth0"));
    let device = recorder(&world, &segment, "device", "recorder", &[]);
    let line = |screen: &str| screen.lines().find(|line| line.contains(SERIAL)).map(str::to_owned);
    terminal.see("the recorder, and how it is reached", |screen| {
        line(screen).is_some_and(|line| line.contains("inactive"))
            && screen.contains("! This computer is 10.0.0.5/24, the device 192.168.1.64")
    });
    terminal.press("/zzz");
    terminal.see("a filter that fits nothing", |screen| screen.contains("0 shown") && line(screen).is_none());
    terminal.press("Escape");
    terminal.see("all of them again", |screen| line(screen).is_some());
    terminal.press("s");
    terminal.see("another order", |screen| screen.contains("sorted: state"));
    device.interrupt();
    let screen = terminal.see("that it has gone", |screen| screen.contains("1 device, 1 gone"));
    assert!(line(&screen).unwrap().starts_with('x'), "{screen}");
    terminal.press("q");
    terminal.see("the plain list", |screen| screen.contains("0 devices in") && !screen.contains("q leave"));
}

#[test]
fn a_liar_does_not_crowd_out_the_others() {
    let Some(mut segment) = Segment::make() else { return };
    let world = world();
    for name in ["tool", "device", "liar"] {
        segment.machine(name, V6::LinkLocal);
    }
    segment.plug("tool", "eth0", &["192.168.1.10/24"]);
    segment.plug("device", "eth0", &["192.168.1.64/24"]);
    segment.plug("liar", "eth0", &["192.168.1.66/24"]);
    let _recorder = recorder(&world, &segment, "device", "recorder", &[]);
    let Some(flood) = segment.peer("liar", "flood.py", &["1000000000", "192.168.1.66"]) else { return };
    let flood = Peer::start(flood).ready();
    let rows = discover(&segment, &["--seconds", "4"]);
    drop(flood);
    find(&rows, SERIAL);
    let lies =
        rows.iter().filter(|row| row["serial"].as_str().is_some_and(|serial| serial.starts_with("FLOOD-"))).count();
    assert!((1..=32).contains(&lies), "{lies} lies");
}
