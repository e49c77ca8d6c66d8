//! A device's network is changed over the network: kept if it is reached with it, taken back if not. The real program on both sides, on links made of
//! network namespaces.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Program, Setup, World,
    program::Ended,
    segment::{Segment, V6},
    skip, until,
    world::SERIAL,
};

const PASSWORD: &str = "tangerine ladder ocean clock";
const CLIENTS: [&str; 4] = ["/sbin/udhcpc", "/usr/sbin/udhcpc", "/sbin/dhclient", "/usr/sbin/dhclient"];
const RESOLVER: &str = "search example.org\nnameserver 10.0.0.1\n";

/// A tool and a recorder on one link, the recorder at 10.0.0.64/24 with an owner.
struct Link {
    world: World,
    segment: Segment,
    recorder: Option<Program>,
}

impl Link {
    /// One on which nobody has to wait for a minute.
    fn make() -> Option<Self> {
        Self::with("network_confirm_seconds = 15")
    }

    fn with(setting: &str) -> Option<Self> {
        let world = World::make(Setup::default());
        world.hash_cheaply("recorder");
        let mut segment = Segment::make()?;
        for name in ["tool", "device"] {
            segment.machine(name, V6::LinkLocal);
        }
        segment.plug("tool", "eth0", &["10.0.0.5/24"]);
        segment.plug("device", "eth0", &["10.0.0.64/24"]);
        // Not this computer's, whatever a DHCP client's script writes.
        segment.resolvers("device", RESOLVER);
        fs::write(world.path("resolv.conf"), RESOLVER).unwrap();
        let settings = format!("network = 'eth0'\n{setting}\nresolv_conf = '{}'\n", world.path("resolv.conf"));
        fs::write(world.path("recorder/settings.toml"), settings).unwrap();
        let mut link = Self { world, segment, recorder: None };
        link.must_on("device", "ip", "route add default via 10.0.0.1 dev eth0");
        link.start();
        let activated = link.tool("activate", &[], &[PASSWORD]);
        assert_eq!(activated.status, Some(0), "{activated:?}");
        Some(link)
    }

    fn start(&mut self) {
        let dir = self.world.path("recorder");
        let args = ["--json", "recorder", "run", &dir, "--listen", "[::]:8443"];
        let recorder = Program::start_command("recorder", self.segment.sparekey("device", &args), self.world.folder());
        self.recorder = Some(recorder);
    }

    /// A command of the LAN tool, begun with these lines on standard input.
    fn begin(&self, name: &str, args: &[&str], lines: &[&str]) -> Child {
        let known = self.world.path("known");
        let all = [&["--json", name, SERIAL, "--known", &known], args].concat();
        let mut child = self
            .segment
            .sparekey("tool", &all)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes());
        child
    }

    fn tool(&self, name: &str, args: &[&str], lines: &[&str]) -> Ended {
        end(self.begin(name, args, lines))
    }

    fn network(&self, args: &[&str]) -> Ended {
        self.tool("network", args, &[PASSWORD, "yes"])
    }

    /// What a command shows in a machine.
    fn shown(&self, machine: &str, program: &str, args: &str) -> String {
        let output = self.segment.within(machine, program).args(args.split(' ')).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn must_on(&self, machine: &str, program: &str, args: &str) {
        let done = self.segment.within(machine, program).args(args.split(' ')).status().unwrap();
        assert!(done.success(), "{program} {args}");
    }

    /// The device's IPv4 addresses, its default route, and what its record says of the network, the newest first.
    fn v4(&self) -> Vec<String> {
        let shown = self.shown("device", "ip", "-4 -o addr show dev eth0");
        shown.lines().map(|line| line.split_whitespace().nth(3).unwrap().to_owned()).collect()
    }

    fn route(&self) -> String {
        self.shown("device", "ip", "-4 route show default").trim().to_owned()
    }

    fn record(&self) -> Vec<String> {
        let ended = self.tool("security", &[], &[PASSWORD]);
        let events = one(&ended)["events"].as_array().unwrap().clone();
        let names = events.iter().map(|event| event["what"].as_str().unwrap().to_owned());
        names.filter(|name| name.starts_with("network-")).collect()
    }

    fn kept(&self) -> Value {
        let file = fs::read(Path::new(&self.world.path("recorder")).join("network.json")).unwrap();
        serde_json::from_slice(&file).unwrap()
    }

    /// As it was at first.
    fn is_as_before(&self) -> bool {
        self.v4() == ["10.0.0.64/24"] && self.route().starts_with("default via 10.0.0.1 dev eth0")
    }
}

fn end(child: Child) -> Ended {
    let done = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { status: done.status.code(), output: text(done.stdout), error: text(done.stderr) }
}

/// The last line of a command that succeeded.
#[track_caller]
fn one(ended: &Ended) -> Value {
    assert_eq!(ended.status, Some(0), "{ended:?}");
    serde_json::from_str(ended.output.lines().last().unwrap()).unwrap()
}

#[track_caller]
fn refused(ended: &Ended, name: &str) {
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.error.contains(&format!("urn:sparekey:problem:{name}\"")), "{name}: {ended:?}");
}

#[test]
fn shown_changed_confirmed_and_kept_over_a_restart() {
    let Some(mut link) = Link::make() else { return };
    let shown = one(&link.tool("network", &[], &[PASSWORD]))["network"].clone();
    let mac = link.shown("device", "cat", "/sys/class/net/eth0/address");
    assert_eq!(
        shown,
        json!({
            "name": "eth0", "mac": mac.trim(), "dhcp": false, "address": "10.0.0.64", "prefix": 24, "gateway": "10.0.0.1",
            "dns": ["10.0.0.1"], "main": 8443, "lan": 8444,
        })
    );

    let changed = link.network(&["--address", "10.0.0.70/24", "--gateway", "10.0.0.2", "--dns", "9.9.9.9,2620:fe::fe"]);
    let done = one(&changed);
    assert_eq!(
        done["changes"],
        json!([
            { "what": "address", "from": "10.0.0.64/24", "to": "10.0.0.70/24" },
            { "what": "gateway", "from": "10.0.0.1", "to": "10.0.0.2" },
            { "what": "dns", "from": "10.0.0.1", "to": "9.9.9.9 2620:fe::fe" },
        ])
    );
    assert_eq!(done["answers_at"], "10.0.0.70:8444");
    assert_eq!(link.v4(), ["10.0.0.70/24"]);
    assert!(link.route().starts_with("default via 10.0.0.2 dev eth0"), "{}", link.route());
    let resolvers = fs::read_to_string(link.world.path("resolv.conf")).unwrap();
    assert_eq!(resolvers, "search example.org\nnameserver 9.9.9.9\nnameserver 2620:fe::fe\n");
    assert_eq!(link.record(), ["network-confirmed", "network-changed"]);
    let kept = link.kept();
    assert!(kept["kept"]["addressing"]["fixed"]["address"] == "10.0.0.70" && kept["before"].is_null(), "{kept}");

    // Everybody hears of it.
    let found = link.segment.sparekey("tool", &["--json", "discover"]).output().unwrap();
    let row: Value = serde_json::from_slice(&found.stdout).unwrap();
    let addresses = row["addresses"].as_array().unwrap();
    assert!(addresses.contains(&json!("10.0.0.70")) && !addresses.contains(&json!("10.0.0.64")), "{row}");

    // A system that starts anew knows nothing of it; the agent does.
    link.recorder.take().unwrap().kill();
    link.must_on("device", "ip", "addr flush dev eth0 scope global");
    link.must_on("device", "ip", "addr add 10.0.0.64/24 dev eth0");
    link.start();
    assert_eq!(link.v4(), ["10.0.0.70/24"]);
    assert!(link.route().starts_with("default via 10.0.0.2 dev eth0"));
    // The time passes, and it stays.
    thread::sleep(Duration::from_secs(16));
    assert_eq!(link.v4(), ["10.0.0.70/24"]);
    let same = link.network(&["--address", "10.0.0.70/24"]);
    assert_eq!(one(&same)["changes"], json!([]));
}

#[test]
fn into_another_subnet_confirmed_over_ipv6_and_ports_move() {
    let Some(mut link) = Link::make() else { return };
    let args =
        ["--address", "192.168.7.70/16", "--gateway", "none", "--dns", "none", "--port", "9443", "--lan-port", "9444"];
    let done = one(&link.network(&args));
    let at = done["answers_at"].as_str().unwrap();
    assert!(at.starts_with("[fe80::") && at.ends_with("%eth0]:9444"), "{at}");
    assert_eq!((link.v4(), link.route()), (vec!["192.168.7.70/16".to_owned()], String::new()));
    let listening = link.shown("device", "ss", "-Hltn");
    for port in [":9443 ", ":9444 "] {
        assert!(listening.contains(port), "{listening}");
    }
    assert!(!listening.contains(":8443 ") && !listening.contains(":8444 "), "{listening}");
    // Found by its serial alone, at its new port; and the ports are kept whatever the arguments say.
    assert_eq!(link.record(), ["network-confirmed", "network-changed"]);
    link.recorder.take().unwrap().kill();
    link.start();
    let shown = one(&link.tool("network", &[], &[PASSWORD]))["network"].clone();
    assert_eq!(
        (&shown["main"], &shown["lan"], &shown["address"]),
        (&json!(9443), &json!(9444), &json!("192.168.7.70"))
    );
    // And back, over IPv6.
    let back =
        one(&link.network(&["--address", "10.0.0.64/24", "--gateway", "10.0.0.1", "--lan-port", "8444", "--yes"]));
    assert_eq!(back["answers_at"], "10.0.0.64:8444");
    assert!(link.is_as_before());
}

#[test]
fn cut_off_it_returns_by_itself_and_the_tool_says_so() {
    // A minute, if nothing is said.
    let Some(link) = Link::with("") else { return };
    // Whatever has the new address does not get through, as with a wrong VLAN or a filter. By IPv6 the device would be reached; that is not enough.
    for rule in [
        "add table inet cut",
        "add chain inet cut in { type filter hook input priority 0 ; }",
        "add rule inet cut in ip daddr 10.0.0.70 drop",
    ] {
        link.must_on("device", "nft", rule);
    }
    let began = Instant::now();
    let child = link.begin("network", &["--address", "10.0.0.70/24", "--yes"], &[PASSWORD]);
    until("the change", Duration::from_secs(30), || (link.v4() == ["10.0.0.70/24"]).then_some(()));
    let changed = Instant::now();
    // Meanwhile nobody begins another; what is to be put back is on the disk.
    assert_eq!(link.kept()["before"]["addressing"]["fixed"]["address"], "10.0.0.64");
    refused(&link.network(&["--address", "10.0.0.71/24", "--yes"]), "not-possible");
    until("the way back", Duration::from_secs(70), || link.is_as_before().then_some(()));
    let seconds = changed.elapsed().as_secs_f64();
    assert!((50.0..66.0).contains(&seconds), "{seconds}");
    let ended = end(child);
    refused(&ended, "not-confirmed");
    assert!(ended.error.contains("has returned to its old ones, and answers at"), "{ended:?}");
    println!("returned after {seconds:.1} s, told after {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(link.record(), ["network-returned", "network-changed"]);
    assert!(link.kept()["before"].is_null());
}

/// The power fails while a change waits: the next start has the old settings, and the tool's confirmation is worth nothing.
#[test]
fn killed_before_the_confirmation_it_starts_with_what_was_before() {
    let Some(mut link) = Link::make() else { return };
    link.must_on("device", "nft", "add table inet cut");
    link.must_on("device", "nft", "add chain inet cut in { type filter hook input priority 0 ; }");
    link.must_on("device", "nft", "add rule inet cut in ip daddr 10.0.0.70 drop");
    let child = link.begin("network", &["--address", "10.0.0.70/24", "--port", "9443", "--yes"], &[PASSWORD]);
    until("the change", Duration::from_secs(30), || (link.v4() == ["10.0.0.70/24"]).then_some(()));
    link.recorder.take().unwrap().kill();
    assert_eq!(link.v4(), ["10.0.0.70/24"], "nobody was there to put it back");
    link.start();
    assert!(link.is_as_before(), "{:?} {}", link.v4(), link.route());
    assert_eq!(link.recorder.as_ref().unwrap().told("listen"), "[::]:8443");
    refused(&end(child), "not-confirmed");
    assert_eq!(link.record(), ["network-returned", "network-changed"]);

    // Told to stop, it puts back what is not confirmed before it ends.
    let child = link.begin("network", &["--address", "10.0.0.70/24", "--yes"], &[PASSWORD]);
    until("the change", Duration::from_secs(30), || (link.v4() == ["10.0.0.70/24"]).then_some(()));
    assert!(link.recorder.take().unwrap().interrupt().success());
    assert!(link.is_as_before());
    let mut child = child;
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let Some(mut link) = Link::make() else { return };
    link.segment.machine("camera", V6::LinkLocal);
    link.segment.plug("camera", "eth0", &["10.0.0.77/24"]);
    link.world.make_recorder("second", "NVR-SECOND");
    let dir = link.world.path("second");
    let args = ["--json", "recorder", "run", &dir, "--listen", "[::]:8443"];
    let _second = Program::start_command("second", link.segment.sparekey("camera", &args), link.world.folder());
    for (args, name) in [
        (&["--address", "10.0.0.255/24"][..], "malformed"),
        (&["--address", "10.0.0.0/24"], "malformed"),
        (&["--address", "10.0.0.70/33"], "malformed"),
        (&["--address", "224.0.0.251/24"], "malformed"),
        (&["--address", "127.0.0.1/8"], "malformed"),
        (&["--address", "10.9.0.70/24"], "malformed"), // its gateway is elsewhere now
        (&["--gateway", "10.0.1.1"], "malformed"),
        (&["--gateway", "10.0.0.64"], "malformed"),
        (&["--dns", "224.0.0.1"], "malformed"),
        (&["--port", "8444"], "malformed"),
        (&["--lan-port", "8443"], "malformed"),
        (&["--dhcp"], "not-possible"),
        (&["--address", "10.0.0.5/24"], "address-taken"), // the tool's own
        (&["--address", "10.0.0.77/24"], "address-taken"),
    ] {
        // A machine with a client could do it.
        if args == ["--dhcp"] && CLIENTS.iter().any(|client| fs::exists(client).unwrap()) {
            continue;
        }
        refused(&link.network(args), name);
    }
    let taken = link.network(&["--address", "10.0.0.77/24"]);
    assert!(taken.error.contains("NVR-SECOND has the address 10.0.0.77 already"), "{taken:?}");
    refused(&link.tool("network", &["--address", "10.0.0.70/24"], &[PASSWORD, "no"]), "cancelled");
    refused(&link.tool("network", &["--address", "10.0.0.70/24"], &["not the password"]), "not-logged-in");
    for args in
        [&["--address", "10.0.0.70"][..], &["--port", "0"], &["--dhcp", "--gateway", "10.0.0.1"], &["--dns", "x"]]
    {
        assert_eq!(link.network(args).status, Some(2), "{args:?}");
    }
    assert!(link.is_as_before() && link.record().is_empty());
    assert!(!fs::exists(link.world.path("recorder/network.json")).unwrap());
    // A device whose settings name no interface leaves that to its system.
    fs::remove_file(link.world.path("recorder/settings.toml")).unwrap();
    link.recorder.take().unwrap().kill();
    link.start();
    refused(&link.network(&["--address", "10.0.0.70/24"]), "not-possible");
}

/// A DHCP server beside the device, and what it lends to everybody.
fn server(link: &mut Link, lent: &str, gateway: &str) -> Option<Server> {
    if !CLIENTS.iter().any(|client| fs::exists(client).unwrap()) {
        skip::skipped("no DHCP client");
        return None;
    }
    link.segment.machine("server", V6::Off);
    link.segment.plug("server", "eth0", &["10.0.0.1/24"]);
    let args = ["eth0", "10.0.0.1", lent, "255.255.255.0", gateway, "10.0.0.1"];
    let mut command = link.segment.peer("server", "dhcp.py", &args)?;
    Some(Server(command.stdout(Stdio::null()).spawn().unwrap()))
}

/// It ends when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn by_dhcp_it_is_found_where_the_server_put_it_and_set_again() {
    let Some(mut link) = Link::make() else { return };
    let Some(server) = server(&mut link, "10.0.0.99", "10.0.0.1") else { return };
    let done = one(&link.network(&["--dhcp", "--yes"]));
    assert!(done["answers_at"].as_str().unwrap().ends_with(":8444"), "{done}");
    assert_eq!(link.v4(), ["10.0.0.99/24"], "it was not confirmed before it had an address");
    assert_eq!(link.record(), ["network-confirmed", "network-changed"]);
    let shown = one(&link.tool("network", &[], &[PASSWORD]))["network"].clone();
    assert_eq!((&shown["dhcp"], &shown["address"]), (&json!(true), &json!("10.0.0.99")));
    // After a power cut it asks again.
    link.recorder.take().unwrap().kill();
    link.must_on("device", "ip", "addr flush dev eth0 scope global");
    link.start();
    until("an address", Duration::from_secs(20), || (link.v4() == ["10.0.0.99/24"]).then_some(()));

    // Nothing that the server says later changes an address that was set.
    let back = one(&link.network(&["--address", "10.0.0.64/24", "--gateway", "10.0.0.1", "--yes"]));
    assert_eq!(back["answers_at"], "10.0.0.64:8444");
    drop(server);
    assert!(link.is_as_before(), "{:?} {}", link.v4(), link.route());
    assert!(!fs::exists(link.world.path("recorder/dhcp.pid")).unwrap());
    link.recorder.take().unwrap().kill();
}

/// A server that lies can take a device's IPv4 away, and nothing else: it is reached on its link, proves its key there, and is set again.
#[test]
fn a_dhcp_server_that_lies_locks_nobody_out() {
    let Some(mut link) = Link::make() else { return };
    let Some(_server) = server(&mut link, "203.0.113.9", "203.0.113.1") else { return };
    let done = one(&link.network(&["--dhcp", "--yes"]));
    let at = done["answers_at"].as_str().unwrap();
    assert!(at.starts_with("[fe80::") && at.ends_with("%eth0]:8444"), "{at}");
    assert_eq!(link.v4(), ["203.0.113.9/24"]);
    let back = one(&link.network(&["--address", "10.0.0.64/24", "--gateway", "10.0.0.1", "--yes"]));
    assert_eq!(back["answers_at"], "10.0.0.64:8444");
    assert!(link.is_as_before(), "{:?} {}", link.v4(), link.route());
    link.recorder.take().unwrap().kill();
}

#[test]
fn without_a_dhcp_server_it_returns_by_itself() {
    let Some(mut link) = Link::make() else { return };
    if !CLIENTS.iter().any(|client| fs::exists(client).unwrap()) {
        skip::skipped("no DHCP client");
        return;
    }
    let ended = link.network(&["--dhcp", "--yes"]);
    refused(&ended, "not-confirmed");
    assert!(link.is_as_before(), "{:?} {}", link.v4(), link.route());
    assert_eq!(link.record(), ["network-returned", "network-changed"]);
    link.recorder.take().unwrap().kill();
}
