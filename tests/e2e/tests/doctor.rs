//! `sparekey doctor` on links on which something is wrong, made of network namespaces.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, ErrorKind},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Program, Setup, World,
    netns::{DEVICE, Links},
    segment::{Segment, V6},
    world::SERIAL,
};

const PASSWORD: &str = "tangerine ladder ocean clock";
const OTHER: &str = "NVR-SECOND";

/// What a doctor said.
#[derive(Debug)]
struct Said {
    status: Option<i32>,
    objects: Vec<Value>,
    error: String,
}

impl Said {
    fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let objects = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { status: output.status.code(), objects, error: String::from_utf8(output.stderr).unwrap() }
    }

    fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// What hinders, the likeliest first.
    fn hinders(&self) -> Vec<&str> {
        let hinders = self.kind("finding").filter(|finding| finding["hinders"] == true);
        hinders.map(|finding| finding["name"].as_str().unwrap()).collect()
    }

    #[track_caller]
    fn finding(&self, name: &str) -> &Value {
        self.kind("finding").find(|finding| finding["name"] == name).unwrap_or_else(|| panic!("{name} in {self:#?}"))
    }

    /// That this is the likeliest cause, in this sentence and with this command.
    #[track_caller]
    fn likeliest(&self, name: &str, happened: &str, command: &str) {
        assert_eq!(self.hinders().first(), Some(&name), "{self:#?}");
        let finding = self.finding(name);
        let text = |member: &str| finding[member].as_str().unwrap_or_default();
        assert!(text("happened").contains(happened) && text("command").contains(command), "{finding:#}");
        assert_eq!(self.status, Some(1), "{self:?}");
        assert!(self.error.contains(&format!("urn:sparekey:problem:{name}")), "{self:?}");
    }

    #[track_caller]
    fn well(&self) {
        assert_eq!((self.status, self.hinders(), self.error.as_str()), (Some(0), vec![], ""), "{self:#?}");
    }
}

fn doctor(segment: &Segment, args: &[&str]) -> Said {
    Said::of(segment.sparekey("tool", &[&["--json", "doctor"], args].concat()))
}

/// A tool and a device on one link.
fn two(tool: &[&str], device: &[&str]) -> Option<Segment> {
    let mut segment = Segment::make()?;
    segment.machine("tool", V6::LinkLocal);
    segment.machine("device", V6::LinkLocal);
    segment.plug("tool", "eth0", tool);
    segment.plug("device", "eth0", device);
    Some(segment)
}

fn world() -> World {
    let world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    world
}

fn recorder(world: &World, segment: &Segment, machine: &str, name: &str) -> Program {
    let dir = world.path(name);
    let args = ["--json", "recorder", "run", &dir, "--listen", "[::]:8443"];
    Program::start_command(name, segment.sparekey(machine, &args), world.folder())
}

#[track_caller]
fn run(segment: &Segment, machine: &str, program: &str, args: &str) {
    let status = segment.within(machine, program).args(args.split(' ')).status().unwrap();
    assert!(status.success(), "{program} {args}");
}

/// One rule of nftables in a chain of its own.
fn filter(segment: &Segment, machine: &str, hook: &str, rule: &str) {
    let rules = format!("table inet test {{ chain one {{ type filter hook {hook} priority 0; {rule} }}; }}");
    let status = segment.within(machine, "nft").arg(rules).status().unwrap();
    assert!(status.success(), "nft");
}

struct Peer(Child);

impl Peer {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("ready"), "{line}");
        Self(child)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn where_nothing_is_wrong_it_says_so_and_which_ways_are_ready() {
    let Some(segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    let world = world();
    let _recorder = recorder(&world, &segment, "device", "recorder");
    let all = doctor(&segment, &[]);
    all.well();
    let eth0 = all.kind("interface").find(|interface| interface["name"] == "eth0").unwrap();
    assert_eq!((&eth0["up"], &eth0["carrier"], &eth0["searched"]), (&json!(true), &json!(true), &json!(true)));
    assert_eq!(
        (&eth0["mtu"], &eth0["devices"], &eth0["addresses"][0]),
        (&json!(1500), &json!(1), &json!("10.0.0.5/24"))
    );
    assert_eq!(eth0["found_by"]["mdns"], 1);

    let one = doctor(&segment, &[SERIAL]);
    one.well();
    let device = one.kind("device").next().unwrap();
    assert_eq!(
        (&device["serial"], &device["reached"], &device["state"]),
        (&json!(SERIAL), &json!("10.0.0.64:8444"), &json!("inactive"))
    );
    assert_eq!(device["ways"][0]["why"], "not-active");
    let known = world.path("known");
    let owned =
        segment.sparekey("tool", &["activate", SERIAL, "--known", &known]).stdin(stdin(PASSWORD)).output().unwrap();
    assert!(owned.status.success(), "{owned:?}");
    let told = segment.sparekey("tool", &["doctor", SERIAL, "--known", &known]).output().unwrap();
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.status.success()
            && text.contains("is reached at 10.0.0.64:8444")
            && text.contains("no reserved email is set"),
        "{text}"
    );
    assert!(String::from_utf8(told.stderr).unwrap().contains("Nothing is wrong"), "{text}");

    // Somebody else's serial number, and an address that nobody has.
    doctor(&segment, &["NVR-NOBODY"]).likeliest("not-announced", "One device answered", "sparekey discover");
    doctor(&segment, &["10.0.0.99"]).likeliest(
        "nobody-there",
        "Nobody on this link has the address 10.0.0.99",
        "discover",
    );
    doctor(&segment, &["172.16.0.9"]).likeliest(
        "no-route",
        "no way to 172.16.0.9",
        "ip addr add 172.16.0.250/24 dev eth0",
    );
}

/// A file with one line, to be standard input.
fn stdin(line: &str) -> Stdio {
    use std::io::{Seek, Write};
    let mut file = tempfile::tempfile().unwrap();
    writeln!(file, "{line}").unwrap();
    file.rewind().unwrap();
    file.into()
}

#[test]
fn an_interface_that_hears_nothing() {
    let Some(segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    let world = world();
    let _recorder = recorder(&world, &segment, "device", "recorder");
    // The first port of the bridge is the tool's.
    run(&segment, "hub", "ip", "link set p0 down");
    doctor(&segment, &[]).likeliest("no-carrier", "Nothing is plugged into eth0", "");
    // The other commands say it in their second line.
    let known = world.path("known");
    let forgot = ["forgot", SERIAL, "--known", &known];
    let forgot = segment.sparekey("tool", &forgot).output().unwrap();
    let error = String::from_utf8(forgot.stderr).unwrap();
    let lines: Vec<_> = error.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].contains("No Sparekey device") && lines[1].contains("plugged into eth0"),
        "{error}"
    );
    let forgot = ["--json", "forgot", SERIAL, "--known", &known, "--address", "10.0.0.64"];
    let error = String::from_utf8(segment.sparekey("tool", &forgot).output().unwrap().stderr).unwrap();
    assert!(error.contains("problem:unreachable") && error.contains("plugged into eth0"), "{error}");

    run(&segment, "tool", "ip", "link set eth0 down");
    doctor(&segment, &[SERIAL]).likeliest("adapter-down", "eth0 is switched off", "ip link set eth0 up");
    run(&segment, "tool", "ip", "link del eth0");
    doctor(&segment, &[]).likeliest("no-adapter", "no network interface", "ip link");
}

#[test]
fn a_firewall_here_that_eats_multicast() {
    let Some(segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    if Command::new("nft").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: no nft");
        return;
    }
    for (hook, rule, name, happened) in [
        ("output", "udp dport 5353 drop;", "send-forbidden", "a firewall on this computer forbids it"),
        ("input", "udp dport 5353 drop;", "multicast-eaten", "does not reach itself"),
        ("input", "ip daddr 224.0.0.0/4 drop;", "multicast-eaten", "to a group by IPv4 on eth0"),
    ] {
        filter(&segment, "tool", hook, rule);
        doctor(&segment, &[]).likeliest(name, happened, "nft list ruleset");
        run(&segment, "tool", "nft", "flush ruleset");
    }
    run(&segment, "tool", "sysctl", "-qw net.ipv4.igmp_max_memberships=0");
    doctor(&segment, &[]).likeliest("join-failed", "A multicast group cannot be joined", "igmp_max_memberships");
}

#[test]
fn two_interfaces_in_one_subnet_and_two_faces_of_one() {
    let Some(segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    let world = world();
    let _recorder = recorder(&world, &segment, "device", "recorder");
    segment.plug("tool", "eth1", &["10.0.0.6/24"]);
    doctor(&segment, &[SERIAL]).likeliest(
        "two-on-one-subnet",
        "eth1 and eth0 are in one subnet",
        "ip link set eth1 down",
    );
    run(&segment, "tool", "ip", "link del eth1");
    // What the device learned of eth1.
    run(&segment, "device", "ip", "neigh flush dev eth0");
    // What macvlan makes is told from a cable; another subnet, and nothing is wrong.
    run(&segment, "tool", "ip", "link add link eth0 name face0 type macvlan mode bridge");
    run(&segment, "tool", "ip", "addr add 10.9.0.5/24 dev face0");
    run(&segment, "tool", "ip", "link set face0 up");
    let said = doctor(&segment, &[]);
    said.well();
    let face = said.kind("interface").find(|interface| interface["name"] == "face0").unwrap();
    assert_eq!(face["medium"], "second face of eth0");
    let vlan = segment.within("tool", "ip").args("link add link eth0 name eth0.20 type vlan id 20".split(' ')).status();
    if !vlan.unwrap().success() {
        println!("skipped: this kernel makes no VLAN interfaces");
        return;
    }
    run(&segment, "tool", "ip", "addr add 10.20.0.5/24 dev eth0.20");
    run(&segment, "tool", "ip", "link set eth0.20 up");
    assert!(doctor(&segment, &[]).finding("vlan")["happened"].as_str().unwrap().contains("VLAN 20 of eth0"));
}

#[test]
fn addresses_that_two_have() {
    let Some(mut segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    let world = world();
    world.make_recorder("second", OTHER);
    world.hash_cheaply("second");
    segment.machine("other", V6::LinkLocal);
    segment.plug("other", "eth0", &["10.0.0.64/24"]);
    let _one = recorder(&world, &segment, "device", "recorder");
    let two = recorder(&world, &segment, "other", "second");
    doctor(&segment, &[]).likeliest(
        "shared-address",
        "Two devices have the address 10.0.0.64 on eth0",
        "ip neigh show to 10.0.0.64",
    );
    let one = doctor(&segment, &[SERIAL]);
    assert_eq!(one.hinders().first(), Some(&"shared-address"), "{one:#?}");

    // Now the second one has that of this computer.
    drop(two);
    run(&segment, "other", "ip", "addr flush dev eth0 scope global");
    run(&segment, "other", "ip", "addr add 10.0.0.5/24 dev eth0");
    let _two = recorder(&world, &segment, "other", "second");
    let own = doctor(&segment, &[OTHER]);
    own.likeliest("own-address", "has this computer's own address, 10.0.0.5", "ip addr add 10.0.0.250/24 dev eth0");
    assert_eq!(own.finding("own-address")["serial"], OTHER);
}

#[test]
fn somebody_else_answers_for_a_devices_address() {
    let Some(mut segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    let world = world();
    let _recorder = recorder(&world, &segment, "device", "recorder");
    segment.machine("printer", V6::LinkLocal);
    segment.plug("printer", "eth0", &["10.0.0.64/24"]);
    // So that it is the printer that answers.
    filter(&segment, "device", "input", "ip daddr 10.0.0.64 drop;");
    run(&segment, "device", "sysctl", "-qw net.ipv4.conf.eth0.arp_ignore=8");
    let said = doctor(&segment, &[SERIAL]);
    said.likeliest("taken-address", "another machine has the same address", "ip neigh show to 10.0.0.64");
    assert_eq!(said.kind("device").count(), 1, "it is reached by IPv6");
}

/// Does what was said.
fn mended(segment: &Segment, said: &Said, name: &str) {
    let command = said.finding(name)["command"].as_str().unwrap().trim_start_matches("sudo ").to_owned();
    let words: Vec<_> = command.split(' ').collect();
    run(segment, "tool", words[0], &words[1..].join(" "));
}

/// Whether packets go both ways.
fn answers(segment: &Segment, address: &str) -> bool {
    segment.enter("tool");
    let end = TcpStream::connect_timeout(&format!("{address}:9").parse().unwrap(), Duration::from_secs(2));
    segment.leave();
    // Refused is an answer.
    end.err().is_none_or(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn a_mask_that_does_not_fit() {
    let Some(segment) = two(&["192.168.1.10/24"], &["192.168.1.66/28"]) else { return };
    let Some(camera) = segment.peer("device", "vendors.py", &["192.168.1.66", "255.255.255.240"]) else { return };
    let _camera = Peer::start(camera);
    let serial = "0820200101AARR000000001WCVU";
    let said = doctor(&segment, &[serial]);
    said.likeliest("wrong-mask", "This computer is 192.168.1.10/24", "ip addr add 192.168.1.78/28 dev eth0");
    assert_eq!(said.finding("wrong-mask")["serial"], serial);
    assert!(!answers(&segment, "192.168.1.66"));
    mended(&segment, &said, "wrong-mask");
    assert!(answers(&segment, "192.168.1.66"));
    doctor(&segment, &[serial]).well();
}

#[test]
fn by_ipv6_only() {
    let Some(segment) = two(&["10.0.0.5/24"], &[]) else { return };
    let world = world();
    let device = recorder(&world, &segment, "device", "recorder");
    // No IPv4 at all is no problem.
    doctor(&segment, &[SERIAL]).well();
    drop(device);
    run(&segment, "device", "ip", "addr add 10.0.0.64/24 dev eth0");
    filter(&segment, "device", "input", "meta nfproto ipv4 drop;");
    let _device = recorder(&world, &segment, "device", "recorder");
    let said = doctor(&segment, &[SERIAL]);
    said.likeliest("only-ipv6", "answers by IPv6, and not at 10.0.0.64", "ip neigh show to 10.0.0.64");
    assert!(said.kind("device").next().unwrap()["reached"].as_str().unwrap().starts_with("[fe80::"));
}

#[test]
fn another_subnet() {
    let Some(mut segment) = Segment::make() else { return };
    segment.machine("tool", V6::Off);
    segment.machine("device", V6::Off);
    segment.plug("tool", "eth0", &["10.0.0.5/24"]);
    segment.plug("device", "eth0", &["192.168.1.64/24"]);
    let Some(camera) = segment.peer("device", "vendors.py", &["192.168.1.64"]) else { return };
    let _camera = Peer::start(camera);
    let serial = "0820200101AARR000000001WCVU";
    let said = doctor(&segment, &[serial]);
    said.likeliest(
        "other-subnet",
        "the device 192.168.1.64/24, and it has no IPv6",
        "ip addr add 192.168.1.250/24 dev eth0",
    );
    mended(&segment, &said, "other-subnet");
    assert!(answers(&segment, "192.168.1.64"));
    doctor(&segment, &[serial]).well();
}

#[test]
fn behind_a_router() {
    let Some(links) = Links::make() else { return };
    let world = world();
    let dir = world.path("recorder");
    let mut command = links.within("device", sparekey_e2e::program::path().to_str().unwrap());
    command.args(["--json", "recorder", "run", &dir, "--listen", "0.0.0.0:8443"]);
    let _recorder = Program::start_command("recorder", command, world.folder());
    let far = |args: &[&str]| {
        let mut command = links.within("far", sparekey_e2e::program::path().to_str().unwrap());
        command.args(args);
        command
    };
    let said = Said::of(far(&["--json", "doctor", SERIAL, "--address", DEVICE]));
    assert!(said.hinders().contains(&"behind-router"), "{said:#?}");
    said.likeliest("behind-router", "10.77.1.2 is behind the router 10.77.2.1", "");
    let known = world.path("known");
    let output = far(&["forgot", SERIAL, "--address", DEVICE, "--known", &known]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && error.lines().count() == 2, "{error}");
    assert!(error.lines().nth(1).unwrap().contains("is behind the router 10.77.2.1"), "{error}");
}

#[test]
fn clocks_that_are_days_apart() {
    let Some(segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    let world = world();
    let library = world.path("clock.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/clock.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, source]).status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("skipped: no C compiler");
        return;
    }
    let dir = world.path("recorder");
    let mut later = segment.sparekey("device", &["--json", "recorder", "run", &dir, "--listen", "[::]:8443"]);
    later.env("LD_PRELOAD", &library);
    let later = Program::start_command("recorder", later, world.folder());
    doctor(&segment, &[]).likeliest("clock", &format!("The clock of {SERIAL} is 2 days ahead of"), "timedatectl");
    drop(later);
    let _now = recorder(&world, &segment, "device", "recorder");
    let mut here = segment.sparekey("tool", &["--json", "doctor", SERIAL]);
    here.env("LD_PRELOAD", &library);
    Said::of(here).likeliest("clock", &format!("The clock of {SERIAL} is 2 days behind"), "timedatectl");
}

#[test]
fn a_port_that_another_program_keeps() {
    let Some(segment) = two(&["10.0.0.5/24"], &["10.0.0.64/24"]) else { return };
    let script = "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('', 37020))\nprint('ready', flush=True)\ntime.sleep(600)";
    let mut keeps = segment.within("tool", "python3");
    keeps.args(["-c", script]);
    let _keeps = Peer::start(keeps);
    doctor(&segment, &[]).likeliest("port-taken", "UDP port 37020 cannot be listened on", "ss -ulpn 'sport = :37020'");
}

#[test]
fn a_way_that_is_locked_says_for_how_long() {
    let world = World::start(Setup::default());
    world.device().activate(PASSWORD, &["olga@owners.example.org"]);
    for _ in 0..3 {
        world.device().open();
    }
    let address = world.screen_url().strip_prefix("http://").unwrap().to_owned();
    let known = world.path("known");
    let args = ["--json", "doctor", SERIAL, "--address", &address, "--known", &known];
    let said = Said::of(sparekey_e2e::program::command(&args));
    let device = said.kind("device").next().unwrap_or_else(|| panic!("{said:#?}"));
    let way = |name: &str| device["ways"].as_array().unwrap().iter().find(|way| way["way"] == name).unwrap();
    let email = way("email");
    assert_eq!((&email["ready"], &email["why"]), (&json!(false), &json!("locked")), "{device:#}");
    assert!(email["says"].as_str().unwrap().contains(" left"), "{email}");
    assert_eq!(way("sheet")["why"], "not-set-up");
}
