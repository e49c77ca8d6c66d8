//! Three machines on two links: network namespaces with a router between them.
//!
//! ```text
//! device 10.77.1.2 --- 10.77.1.1 router 10.77.2.1 --- 10.77.2.2 far
//! ```

use std::process::{self, Command};

use serde_json::Value;

/// Where the device is.
pub const DEVICE: &str = "10.77.1.2";

/// A call over TLS that leaves with a hop limit of 255, as the LAN tool's do; `null` if nobody answers.
const CALL: &str = r#"
import http.client, json, socket, ssl, sys
host, port, method, path, body = sys.argv[1:]
link = socket.socket()
link.settimeout(4)
link.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
try:
    link.connect((host, int(port)))
    call = http.client.HTTPSConnection(host, int(port))
    call.sock = ssl._create_unverified_context().wrap_socket(link)
    call.request(method, path, body or None, {"Content-Type": "application/json"})
    answer = call.getresponse()
    print(json.dumps({"status": answer.status, "body": json.loads(answer.read() or "null")}))
except (OSError, ssl.SSLError):
    print("null")
"#;

/// The namespaces. They are deleted when dropped.
pub struct Links {
    tag: String,
}

impl Links {
    /// `None`, and a line that says why, where they cannot be made.
    pub fn make() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: network namespaces need root");
            return None;
        }
        let links = Self { tag: format!("sk{}", process::id()) };
        let [device, router, far] = ["device", "router", "far"].map(|name| links.name(name));
        let made = links.ip(&["netns", "add", &device]);
        if !made {
            println!("skipped: this system makes no network namespaces");
            return None;
        }
        for step in [
            format!("netns add {router}"),
            format!("netns add {far}"),
            format!("link add eth0 netns {device} type veth peer name eth0 netns {router}"),
            format!("link add eth1 netns {router} type veth peer name eth0 netns {far}"),
            format!("-n {device} addr add {DEVICE}/24 dev eth0"),
            format!("-n {router} addr add 10.77.1.1/24 dev eth0"),
            format!("-n {router} addr add 10.77.2.1/24 dev eth1"),
            format!("-n {far} addr add 10.77.2.2/24 dev eth0"),
            format!("-n {device} link set lo up"),
            format!("-n {device} link set eth0 up"),
            format!("-n {router} link set eth0 up"),
            format!("-n {router} link set eth1 up"),
            format!("-n {far} link set eth0 up"),
            format!("-n {device} route add default via 10.77.1.1"),
            format!("-n {far} route add default via 10.77.2.1"),
        ] {
            assert!(links.ip(&step.split(' ').collect::<Vec<_>>()), "ip {step}");
        }
        let forward = links.within("router", "sh").args(["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]).status();
        assert!(forward.unwrap().success());
        Some(links)
    }

    /// A command in one of the namespaces.
    pub fn within(&self, name: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(name), program]);
        command
    }

    /// A call from one of the machines to the device; `None` if the connection never began.
    pub fn call(&self, from: &str, port: u16, method: &str, path: &str, body: &Value) -> Option<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let called =
            self.within(from, "python3").args(["-c", CALL, DEVICE, &port.to_string(), method, path, &body]).output();
        let called = called.expect("python3 can be started");
        assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
        let answer: Value = serde_json::from_slice(&called.stdout).expect("the script prints JSON");
        Some(answer).filter(|answer| !answer.is_null())
    }

    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.tag)
    }

    fn ip(&self, args: &[&str]) -> bool {
        Command::new("ip").args(args).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        for name in ["device", "router", "far"] {
            self.ip(&["netns", "del", &self.name(name)]);
        }
    }
}
