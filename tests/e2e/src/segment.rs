//! A link with machines on it: network namespaces at one bridge, to search and to be found on.

use std::{
    env, fs,
    os::fd::AsFd,
    path::{Path, PathBuf},
    process,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rustix::{
    process::geteuid,
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use crate::{program, wait::until};

static MADE: AtomicU32 = AtomicU32::new(0);

/// Which addresses a machine's interface gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum V6 {
    /// A link-local one, as every machine has.
    LinkLocal,
    /// IPv6 is switched off.
    Off,
}

/// A bridge, and machines that are plugged in. All are deleted when dropped.
pub struct Segment {
    tag: String,
    spaces: Vec<(String, V6)>,
}

/// Until the kernel has made a link-local address.
const ADDRESSED: Duration = Duration::from_secs(20);

impl Segment {
    /// A bridge with nobody on it. `None`, and a line that says why, where it cannot be made.
    pub fn make() -> Option<Self> {
        if !geteuid().is_root() {
            println!("skipped: network namespaces need root");
            return None;
        }
        let tag = format!("skl{}n{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let mut segment = Self { tag, spaces: Vec::new() };
        if !segment.space("hub", V6::Off) {
            println!("skipped: this system makes no network namespaces");
            return None;
        }
        let hub = segment.name("hub");
        must(&format!("-n {hub} link add br0 type bridge mcast_snooping 0"));
        must(&format!("-n {hub} link set br0 up"));
        Some(segment)
    }

    /// A machine, with nothing plugged in.
    pub fn machine(&mut self, name: &str, v6: V6) {
        assert!(self.space(name, v6), "a namespace for {name}");
    }

    /// Plugs an interface of a machine in, and gives it IPv4 addresses (`192.168.1.64/24`).
    pub fn plug(&self, name: &str, interface: &str, addresses: &[&str]) {
        self.plug_into(self, name, interface, addresses);
    }

    /// The same, of a machine on another link.
    pub fn plug_into(&self, other: &Self, name: &str, interface: &str, addresses: &[&str]) {
        let (hub, space) = (self.name("hub"), other.name(name));
        let port = format!("p{}", self.ports());
        must(&format!("link add {interface} netns {space} type veth peer name {port} netns {hub}"));
        for address in addresses {
            must(&format!("-n {space} addr add {address} broadcast + dev {interface}"));
        }
        must(&format!("-n {hub} link set {port} master br0 up"));
        must(&format!("-n {space} link set {interface} up"));
        if other.spaces.contains(&(space.clone(), V6::LinkLocal)) {
            until("a link-local address", ADDRESSED, || {
                let shown =
                    Command::new("ip").args(["-n", &space, "-6", "addr", "show", "dev", interface]).output().unwrap();
                let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
                (shown.contains("fe80::") && !shown.contains("tentative")).then_some(())
            });
        }
    }

    fn ports(&self) -> usize {
        let shown = Command::new("ip").args(["-n", &self.name("hub"), "-o", "link", "show", "master", "br0"]).output();
        String::from_utf8_lossy(&shown.unwrap().stdout).lines().count()
    }

    /// Puts this thread on one of the machines: what it connects to, and starts, is there from now on.
    pub fn enter(&self, name: &str) {
        let space = fs::File::open(format!("/var/run/netns/{}", self.name(name))).unwrap();
        let network = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(space.as_fd(), network).unwrap();
    }

    /// Puts this thread back to where the test program is.
    pub fn leave(&self) {
        // What stands for the whole process is its first thread, which never left.
        let space = fs::File::open("/proc/self/ns/net").unwrap();
        move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    }

    /// A command on one of the machines.
    pub fn within(&self, name: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(name), program]).stdin(Stdio::null());
        command
    }

    /// The program under test on one of the machines.
    pub fn sparekey(&self, name: &str, args: &[&str]) -> Command {
        let mut command = self.within(name, program::path().to_str().expect("a plain path"));
        command.args(args);
        command
    }

    /// One of the scripts in `tests/e2e/peers`; `None`, and a line that says why, where its modules are missing.
    pub fn peer(&self, name: &str, script: &str, args: &[&str]) -> Option<Command> {
        let named = env::var("SPAREKEY_PEER_PYTHON").ok();
        let python = named.as_deref().unwrap_or("python3");
        let can_run =
            Command::new(python).args(["-c", "import zeroconf, wsdiscovery, onvif"]).stderr(Stdio::null()).status();
        if named.is_none() && !can_run.is_ok_and(|status| status.success()) {
            println!("skipped: no Python with the modules of tests/e2e/peers/requirements.txt");
            return None;
        }
        let path = format!("{}/peers/{script}", env!("CARGO_MANIFEST_DIR"));
        assert!(fs::exists(&path).unwrap(), "{path}");
        let mut command = self.within(name, python);
        command.args(["-B", &path]).args(args);
        Some(command)
    }

    /// Gives a machine a file of resolvers of its own, for programs that write to the system's.
    pub fn resolvers(&self, name: &str, text: &str) {
        let folder = self.files(&self.name(name));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("resolv.conf"), text).unwrap();
    }

    /// What `ip netns exec` lays over `/etc` (ip-netns(8)).
    fn files(&self, space: &str) -> PathBuf {
        Path::new("/etc/netns").join(space)
    }

    fn space(&mut self, name: &str, v6: V6) -> bool {
        let space = self.name(name);
        if !ip(&format!("netns add {space}")) {
            return false;
        }
        self.spaces.push((space, v6));
        let off = if v6 == V6::Off { "1" } else { "0" };
        // Addresses are used at once; and what the kernel would hide, it hides in its own tests.
        let set = format!(
            "cd /proc/sys/net && echo {off} > ipv6/conf/all/disable_ipv6 && echo {off} > ipv6/conf/default/disable_ipv6 && \
             echo 0 > ipv6/conf/default/accept_dad && echo 0 > ipv6/conf/all/accept_dad && \
             echo 0 > ipv4/conf/all/rp_filter && echo 0 > ipv4/conf/default/rp_filter && ip link set lo up"
        );
        self.within(name, "sh").args(["-c", &set]).status().is_ok_and(|status| status.success())
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.tag)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        for (space, _) in &self.spaces {
            ip(&format!("netns del {space}"));
            let _ = fs::remove_dir_all(self.files(space));
        }
    }
}

fn ip(args: &str) -> bool {
    Command::new("ip").args(args.split(' ')).status().is_ok_and(|status| status.success())
}

fn must(args: &str) {
    assert!(ip(args), "ip {args}");
}
