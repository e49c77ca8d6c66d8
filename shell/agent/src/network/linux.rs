//! A network interface of Linux, by iproute2's `ip` (ip-address(8), ip-route(8)), resolv.conf(5), and udhcpc or dhclient.
//!
//! Programs are started at fixed paths, with arguments that are addresses and a checked name, without a shell and with an environment of their
//! own. Nothing else on the device may set this interface at the same time.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sparekey_device::{Addressing, Fixed, NetworkInForce};

use super::NetworkInterface;

const IP: [&str; 4] = ["/sbin/ip", "/usr/sbin/ip", "/bin/ip", "/usr/bin/ip"];
/// Programs that get an address by DHCP, and set it.
const CLIENTS: [&str; 6] = [
    "/sbin/udhcpc",
    "/usr/sbin/udhcpc",
    "/usr/bin/udhcpc",
    "/sbin/dhclient",
    "/usr/sbin/dhclient",
    "/usr/bin/dhclient",
];
/// What their scripts find programs by.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// A client that ends so soon does not run.
const STARTED: Duration = Duration::from_millis(300);
/// How long a client may take to end.
const ENDED: Duration = Duration::from_secs(2);
/// The longest name of an interface (`IFNAMSIZ`, without its end).
const LONGEST_NAME: usize = 15;

/// An interface of this machine.
#[derive(Debug)]
pub struct Linux {
    name: String,
    resolv_conf: PathBuf,
    /// Which process is the client, for the agent's next start.
    pid_file: PathBuf,
    client: Mutex<Option<Child>>,
}

impl Linux {
    /// The interface of this name; what it keeps of a running DHCP client lies in `folder`.
    #[must_use]
    pub fn new(name: &str, resolv_conf: &Path, folder: &Path) -> Self {
        let pid_file = folder.join("dhcp.pid");
        Self { name: name.to_owned(), resolv_conf: resolv_conf.to_owned(), pid_file, client: Mutex::new(None) }
    }

    /// Whether an interface can have this name; it need not be there.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@:".contains(&byte);
        (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(fits)
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name != "lo"
    }

    fn link(&self) -> io::Result<Value> {
        Ok(serde_json::from_slice(&ip(&["-j", "addr", "show", "dev", &self.name])?)?)
    }

    fn gateways(&self) -> io::Result<Vec<Ipv4Addr>> {
        let routes = ip(&["-j", "-4", "route", "show", "default", "dev", &self.name])?;
        if routes.trim_ascii().is_empty() {
            return Ok(Vec::new());
        }
        Ok(gateways(&serde_json::from_slice(&routes)?))
    }

    /// No address but `but`, and no default route.
    fn clear(&self) -> io::Result<()> {
        for _ in self.gateways()? {
            ip(&["-4", "route", "del", "default", "dev", &self.name])?;
        }
        for Address { address, bits, .. } in addresses(&self.link()?) {
            match ip(&["-4", "addr", "del", &format!("{address}/{bits}"), "dev", &self.name]) {
                // The first of a network takes the others with it.
                Err(_) if !addresses(&self.link()?).iter().any(|left| left.address == address) => {}
                removed => removed.map(drop)?,
            }
        }
        Ok(())
    }

    fn set(&self, Fixed { address, bits, gateway, dns }: &Fixed) -> io::Result<()> {
        ip(&["link", "set", "dev", &self.name, "up"])?;
        ip(&["-4", "addr", "replace", &format!("{address}/{bits}"), "broadcast", "+", "dev", &self.name])?;
        if let Some(gateway) = gateway {
            // Beside what other interfaces have, and not in place of it.
            ip(&["-4", "route", "append", "default", "via", &gateway.to_string(), "dev", &self.name])?;
        }
        let before = read(&self.resolv_conf)?;
        if resolvers(&before) == *dns {
            return Ok(());
        }
        let scratch = self.resolv_conf.with_extension("sparekey");
        fs::write(&scratch, with_resolvers(&before, dns))?;
        fs::File::open(&scratch)?.sync_all()?;
        fs::rename(&scratch, &self.resolv_conf)
    }

    fn start_client(&self) -> io::Result<()> {
        let client = client().ok_or_else(|| io::Error::new(ErrorKind::NotFound, "no DHCP client"))?;
        let pid_file = self.pid_file.as_os_str();
        let mut command = program(client);
        if client.ends_with("udhcpc") {
            command.args(["-f", "-i", &self.name, "-p"]).arg(pid_file);
        } else {
            command.args(["-4", "-d", "-pf"]).arg(pid_file).arg(&self.name);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        thread::sleep(STARTED);
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(format!("{client} ended with {status}")));
        }
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        Ok(())
    }

    /// Ends the client, also one that an agent which was killed had started.
    fn stop_client(&self) -> io::Result<()> {
        if let Some(mut child) = self.client.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            let deadline = Instant::now() + ENDED;
            while child.try_wait()?.is_none() {
                if Instant::now() > deadline {
                    child.kill()?;
                }
                thread::sleep(Duration::from_millis(20));
            }
        } else if let Some(pid) = self.client_left() {
            let _ = kill_process(pid, Signal::TERM);
            let deadline = Instant::now() + ENDED;
            while self.client_left().is_some() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(20));
            }
        }
        match fs::remove_file(&self.pid_file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The process that the file names, if it is such a client on this interface.
    fn client_left(&self) -> Option<Pid> {
        let pid: i32 = fs::read_to_string(&self.pid_file).ok()?.trim().parse().ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let mut arguments = arguments.split(|byte| *byte == 0);
        let is_client = arguments.next().is_some_and(|program| CLIENTS.iter().any(|own| own.as_bytes() == program));
        (is_client && arguments.any(|argument| argument == self.name.as_bytes())).then(|| Pid::from_raw(pid)).flatten()
    }

    fn has_client(&self) -> bool {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None))) || self.client_left().is_some()
    }
}

impl NetworkInterface for Linux {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn mac(&self) -> Option<String> {
        self.link().ok()?[0]["address"].as_str().map(str::to_owned)
    }

    fn has_dhcp(&self) -> bool {
        client().is_some()
    }

    fn in_force(&self) -> io::Result<NetworkInForce> {
        let first = addresses(&self.link()?).into_iter().next();
        Ok(NetworkInForce {
            dhcp: self.has_client() || first.as_ref().is_some_and(|first| first.lent),
            address: first.map(|first| (first.address, first.bits)),
            gateway: self.gateways()?.first().copied(),
            dns: resolvers(&read(&self.resolv_conf)?),
        })
    }

    fn apply(&self, addressing: &Addressing) -> io::Result<()> {
        self.stop_client()?;
        self.clear()?;
        match addressing {
            Addressing::None => Ok(()),
            Addressing::Dhcp => {
                ip(&["link", "set", "dev", &self.name, "up"])?;
                self.start_client()
            }
            Addressing::Fixed(fixed) => self.set(fixed),
        }
    }
}

/// An IPv4 address of an interface, as `ip -j addr` shows it.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    address: Ipv4Addr,
    bits: u8,
    /// For a time only: a DHCP client set it.
    lent: bool,
}

/// All but those that the device gives itself where there is no server (RFC 3927).
fn addresses(shown: &Value) -> Vec<Address> {
    let all = shown[0]["addr_info"].as_array().into_iter().flatten();
    let read = |info: &Value| {
        Some(Address {
            address: info["local"].as_str()?.parse().ok()?,
            bits: u8::try_from(info["prefixlen"].as_u64()?).ok()?,
            lent: info["dynamic"] == true,
        })
    };
    all.filter(|info| info["family"] == "inet").filter_map(read).filter(|own| !own.address.is_link_local()).collect()
}

/// The gateways of default routes, as `ip -j route` shows them.
fn gateways(shown: &Value) -> Vec<Ipv4Addr> {
    let all = shown.as_array().into_iter().flatten();
    all.filter_map(|route| route["gateway"].as_str()?.parse().ok()).collect()
}

fn resolvers(text: &str) -> Vec<IpAddr> {
    let named = |line: &str| line.trim().strip_prefix("nameserver").map(|rest| rest.trim().to_owned());
    text.lines().filter_map(named).filter_map(|address| address.parse().ok()).collect()
}

/// The same file with other resolvers; all else in it stays.
fn with_resolvers(before: &str, dns: &[IpAddr]) -> String {
    let others = before.lines().filter(|line| !line.trim().starts_with("nameserver")).map(str::to_owned);
    let named = dns.iter().map(|resolver| format!("nameserver {resolver}"));
    others.chain(named).map(|line| line + "\n").collect()
}

fn read(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        text => text,
    }
}

fn client() -> Option<&'static str> {
    CLIENTS.into_iter().find(|client| Path::new(client).exists())
}

fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    command
}

/// Runs `ip`, and returns what it shows.
fn ip(arguments: &[&str]) -> io::Result<Vec<u8>> {
    let path = IP.into_iter().find(|path| Path::new(path).exists());
    let path = path.ok_or_else(|| io::Error::new(ErrorKind::NotFound, "there is no ip of iproute2"))?;
    let done = program(path).args(arguments).output()?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr).trim().replace('\n', " ");
    Err(io::Error::other(format!("ip {}: {said}", arguments.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_interface_has_a_name_that_is_no_option() {
        for (name, right) in [
            ("eth0", true),
            ("enp3s0f1", true),
            ("eth0.20", true),
            ("br-lan", true),
            ("", false),
            ("lo", false),
            ("-4", false),
            ("eth0;reboot", false),
            ("eth 0", false),
            ("../eth0", false),
            ("an-interface-name", false),
        ] {
            assert_eq!(Linux::is_name(name), right, "{name:?}");
        }
    }

    #[test]
    fn what_ip_shows_is_read() {
        let shown = json!([{ "ifname": "eth0", "address": "02:00:00:00:00:01", "addr_info": [
            { "family": "inet", "local": "192.168.1.64", "prefixlen": 24, "scope": "global", "dynamic": true },
            { "family": "inet", "local": "169.254.7.7", "prefixlen": 16, "scope": "link" },
            { "family": "inet", "local": "10.0.0.1", "prefixlen": 8, "scope": "global" },
            { "family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link" },
        ]}]);
        let address = |address: [u8; 4], bits, lent| Address { address: address.into(), bits, lent };
        assert_eq!(addresses(&shown), [address([192, 168, 1, 64], 24, true), address([10, 0, 0, 1], 8, false)]);
        assert_eq!(addresses(&json!([])), []);
        let routes = json!([{ "dst": "default", "gateway": "192.168.1.1" }, { "dst": "default", "dev": "eth0" }]);
        assert_eq!(gateways(&routes), [Ipv4Addr::new(192, 168, 1, 1)]);
    }

    #[test]
    fn resolvers_change_and_the_rest_stays() {
        let before = "# ours\nsearch example.org\nnameserver 9.9.9.9\n nameserver\tfe80::1%eth0\noptions edns0\n";
        assert_eq!(resolvers(before), [IpAddr::from([9, 9, 9, 9])]);
        let after = with_resolvers(before, &["192.0.2.1".parse().unwrap(), "2620:fe::fe".parse().unwrap()]);
        assert_eq!(after, "# ours\nsearch example.org\noptions edns0\nnameserver 192.0.2.1\nnameserver 2620:fe::fe\n");
        assert_eq!(with_resolvers(before, &[]), "# ours\nsearch example.org\noptions edns0\n");
    }
}
