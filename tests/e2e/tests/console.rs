//! The LAN tool in a window, in a real browser on a machine of a link (journey 3).

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::json;

use sparekey_e2e::{
    Api, Browser, Look, Program, Setup, World,
    critic::Critic,
    desk::operator,
    program::must,
    segment::{Segment, V6},
    until,
    world::SERIAL,
};

const FIRST: &str = "tangerine ladder ocean clock";
const SECOND: &str = "granite whistle seldom maple";
const THIRD: &str = "harbour violet sandwich lamp";

/// Two recorders on a link, and a window on another machine of it; this thread is on that machine.
struct Site {
    world: World,
    segment: Segment,
    recorders: [Program; 2],
    console: Program,
}

impl Site {
    fn make() -> Option<Self> {
        let mut segment = Segment::make()?;
        let mut world = World::make(Setup::default());
        world.hash_cheaply("recorder");
        world.make_recorder("second", "NVR-SECOND");
        world.hash_cheaply("second");
        world.start_service();
        segment.machine("tool", V6::LinkLocal);
        segment.plug("tool", "eth0", &["10.0.0.5/24"]);
        let recorders = [("recorder", "10.0.0.64/24"), ("second", "10.0.0.65/24")].map(|(name, address)| {
            segment.machine(name, V6::LinkLocal);
            segment.plug(name, "eth0", &[address]);
            let args = ["--json", "recorder", "run", &world.path(name), "--listen", "[::]:8443"];
            Program::start_command(name, segment.sparekey(name, &args), world.folder())
        });
        let args = ["--json", "console", "--no-open", "--known", &world.path("known")];
        let console = Program::start_command("console", segment.sparekey("tool", &args), world.folder());
        segment.enter("tool");
        Some(Self { world, segment, recorders, console })
    }

    fn address(&self) -> &str {
        self.console.told("address")
    }

    fn base(&self) -> String {
        self.address().split("/enter/").next().unwrap().to_owned()
    }

    /// A browser that came in by the printed address, and sees both recorders.
    fn browser(&self) -> Browser {
        let browser = Browser::open(&Look::LAPTOP);
        browser.goto(self.address());
        browser.see_path("the list", |path| path == "/");
        for serial in [SERIAL, "NVR-SECOND"] {
            browser.see_text(serial);
        }
        browser
    }
}

/// The one file that came into a folder.
fn download(folder: &Path) -> String {
    until("a download", Duration::from_secs(20), || {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|path| path.extension().is_some_and(|end| end == "xml"))
            .map(|path| path.to_str().unwrap().to_owned())
            .next()
    })
}

#[test]
fn activated_and_opened_again_in_a_window() {
    let Some(site) = Site::make() else { return };
    let (browser, mut critic) = (site.browser(), Critic::new());
    critic.judge(&browser, "console-list");
    assert!(!browser.url().contains("enter"), "the secret stays in no address");
    browser.goto(&format!("{}/map", site.base()));
    critic.judge(&browser, "console-map");
    browser.goto(&site.base());
    browser.press(SERIAL);
    browser.see_text("Nobody owns this device yet.");
    critic.judge(&browser, "console-device-inactive");
    browser.press("Activate it");
    browser.fill("#password", FIRST);
    browser.fill("#again", "another one");
    browser.press("Activate");
    browser.see_text("The two passwords are not the same.");
    browser.complaints();
    critic.judge(&browser, "console-activate");
    browser.fill("#password", FIRST);
    browser.fill("#again", FIRST);
    browser.fill("#email", "olga@owners.example.org");
    browser.press("Activate");
    browser.see_text("The device has an owner.");
    critic.judge(&browser, "console-done");

    // Its key file, and in again with it.
    let folder = tempfile::tempdir().unwrap();
    browser.download_to(folder.path());
    browser.press("Export a key file");
    browser.fill("#password", FIRST);
    critic.judge(&browser, "console-owner");
    browser.press("Save a key file");
    let key_file = download(folder.path());
    browser.press("Show the device's record");
    browser.see_text("key-file-exported");
    critic.judge(&browser, "console-record");
    browser.press("Back to the device");
    browser.see_text("These ways back in are there");
    critic.judge(&browser, "console-device");
    browser.press("Network");
    browser.fill("#password", FIRST);
    browser.press("Show what it has, or what would change");
    // This recorder's settings name no interface.
    browser.see_text("is not set in this way");
    browser.complaints();
    critic.judge(&browser, "console-network");
    browser.press("Back");
    browser.press("Key file Hand over the file that was exported");
    critic.judge(&browser, "console-key-file");
    browser.type_now("#file", &key_file);
    browser.press("Use this file");
    browser.see_text("Set the new password");
    browser.fill("#password", "12345678");
    browser.fill("#again", "12345678");
    browser.press("Set it");
    browser.see("[role=alert]");
    browser.complaints();
    critic.judge(&browser, "console-new-password");
    browser.fill("#password", SECOND);
    browser.fill("#again", SECOND);
    browser.press("Set it");
    browser.see_text("The device has its new password.");
    critic.conclude();
}

#[test]
fn two_at_once_by_the_desk() {
    let Some(site) = Site::make() else { return };
    let (browser, mut critic) = (site.browser(), Critic::new());
    for serial in [SERIAL, "NVR-SECOND"] {
        browser.goto(&site.base());
        browser.press(serial);
        browser.press("Activate it");
        browser.fill("#password", FIRST);
        browser.fill("#again", FIRST);
        browser.press("Activate");
        browser.see_text("The device has an owner.");
    }
    browser.goto(&format!("{}/?q=state%3Dactive", site.base()));
    until("both to say so", Duration::from_secs(20), || {
        let boxes = browser.script("return document.querySelectorAll('input[type=checkbox]').length");
        (boxes == 2).then_some(())
    });
    browser.script("document.querySelectorAll('input[type=checkbox]').forEach((box) => box.click())");
    browser.press("Ask the desk for the chosen ones");
    browser.see_text("2 asked");
    critic.judge(&browser, "console-job");
    let folder = tempfile::tempdir().unwrap();
    browser.download_to(folder.path());
    browser.press("Save the request file for the desk");
    let requests = download(folder.path());

    // The service is not on this link; who takes the file to its desk is.
    site.segment.leave();
    let (agent, approver) =
        (operator(&site.world, "Ann", "agent", &["--token"]), operator(&site.world, "Bob", "approver", &["--token"]));
    let (url, grants) = (site.world.service_url(), site.world.path("grants.xml"));
    let desk = |token: &str, rest: &[&str]| {
        must(&[&["desk", "--service", url.as_str(), "--token", token], rest].concat()).trim().to_owned()
    };
    let case = desk(&agent, &["open", &requests]);
    desk(&approver, &["approve", &case]);
    desk(&agent, &["grant", &case, "--out", &grants]);
    site.segment.enter("tool");

    browser.press("All devices");
    browser.see("input[type=checkbox]");
    browser.script("document.querySelectorAll('input[type=checkbox]').forEach((box) => box.click())");
    browser.press("Hand over grants");
    browser.see_text("To 2 devices");
    critic.judge(&browser, "console-grants");
    browser.type_now("#file", &requests);
    browser.fill("#password", THIRD);
    browser.fill("#again", THIRD);
    browser.press("Set it on all");
    browser.see_text("There is no grant in this file.");
    browser.complaints();
    browser.type_now("#file", &grants);
    browser.fill("#password", THIRD);
    browser.fill("#again", THIRD);
    browser.press("Set it on all");
    browser.see_text("2 opened");
    browser.complaints();
    critic.judge(&browser, "console-job-done");
    critic.conclude();
}

/// What is shown as the plan is what is done, and the device is found again.
#[test]
fn its_network_is_changed_in_a_window() {
    let Some(mut site) = Site::make() else { return };
    site.segment.leave();
    let [recorder, second] = site.recorders;
    recorder.kill();
    let resolvers = site.world.path("resolv.conf");
    fs::write(&resolvers, "nameserver 10.0.0.1\n").unwrap();
    fs::write(site.world.path("recorder/settings.toml"), format!("network = 'eth0'\nresolv_conf = '{resolvers}'\n"))
        .unwrap();
    let args = ["--json", "recorder", "run", &site.world.path("recorder"), "--listen", "[::]:8443"];
    let recorder = Program::start_command("recorder", site.segment.sparekey("recorder", &args), site.world.folder());
    site.recorders = [recorder, second];
    site.segment.enter("tool");
    let (browser, mut critic) = (site.browser(), Critic::new());
    browser.press(SERIAL);
    browser.press("Activate it");
    browser.fill("#password", FIRST);
    browser.fill("#again", FIRST);
    browser.press("Activate");
    browser.see_text("The device has an owner.");
    let device = browser.path().trim_end_matches("/activate").to_owned();
    browser.goto(&format!("{}{device}/network", site.base()));
    browser.fill("#address", "10.0.0.70");
    browser.fill("#password", FIRST);
    browser.press("Show what it has, or what would change");
    browser.see_text("not an address with the length of its prefix");
    browser.complaints();
    browser.fill("#address", "10.0.0.70/24");
    browser.fill("#password", FIRST);
    browser.press("Show what it has, or what would change");
    browser.see_text("What will change");
    browser.see_text("10.0.0.64/24 → 10.0.0.70/24");
    critic.judge(&browser, "console-network-plan");
    browser.fill("#password", FIRST);
    browser.press("Change it");
    browser.see_text("The network of the device is changed.");
    browser.see_text("10.0.0.70");
    critic.conclude();
}

/// Without a single script, and with a wrong code first: nothing of the way is lost by it.
#[test]
fn a_mailed_code_without_scripts() {
    let Some(site) = Site::make() else { return };
    let browser = site.browser();
    browser.press(SERIAL);
    let device = browser.path();
    browser.press("Activate it");
    browser.fill("#password", FIRST);
    browser.fill("#again", FIRST);
    browser.fill("#email", "olga@owners.example.org");
    browser.press("Activate");
    browser.see_text("The device has an owner.");
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.goto(&format!("{}{device}/recover/email", site.base()));
    let says = |text: &str| browser.wait_until(text, |browser| browser.source().contains(text));
    says("The code goes to");
    let source = browser.source();
    let text = source.split("The text of the code\">").nth(1).unwrap().split("</textarea>").next().unwrap();
    let digits = text.split('#').nth(1).unwrap().trim().to_owned();
    site.segment.leave();
    site.world.service_api().post("/v1/requests", &json!({ "request": digits })).must(202);
    let code = site.world.mailbox().wait(1)[0].code();
    site.segment.enter("tool");
    let wrong = if code == "12345678" { "87654321" } else { "12345678" };
    browser.type_now("#code", wrong);
    browser.click_now("form[action$='/recover/email'] button.primary");
    says("4 tries left");
    assert!(browser.source().contains(&digits), "another request stands there");
    browser.type_now("#code", &code);
    browser.click_now("form[action$='/recover/email'] button.primary");
    says("Set the new password");
    browser.type_now("#password", SECOND);
    browser.type_now("#again", SECOND);
    browser.click_now("form[action$='/password'] button.primary");
    says("The device has its new password.");
}

/// What is wrong is drawn where it is wrong; other vendors' devices are explained and not called.
#[test]
fn a_map_of_what_is_wrong() {
    let Some(mut site) = Site::make() else { return };
    site.segment.leave();
    let mut cameras = Vec::new();
    for name in ["camera", "twin"] {
        site.segment.machine(name, V6::LinkLocal);
        site.segment.plug(name, "eth0", &["192.168.1.64/24"]);
        let args = if name == "twin" {
            vec!["192.168.1.64", "255.255.255.0", "DS-7608NI0820200101AARR000000002WCVU"]
        } else {
            vec!["192.168.1.64"]
        };
        let Some(mut camera) = site.segment.peer(name, "vendors.py", &args) else { return };
        cameras.push(Peer(camera.stdout(Stdio::null()).spawn().unwrap()));
    }
    site.segment.enter("tool");
    let (browser, mut critic) = (site.browser(), Critic::new());
    browser.goto(&format!("{}/map", site.base()));
    // It comes into the page by itself.
    browser.see_text("Two devices have the address 192.168.1.64");
    browser.wait_until("both marked", |browser| {
        browser.script("return document.querySelectorAll('rect.dot.wrong').length").as_u64() >= Some(2)
    });
    critic.judge(&browser, "console-map-wrong");
    browser.press("Call each device");
    browser.wait_until("the calls to end", |browser| !browser.text().contains("Calling each device"));
    browser.goto(&site.base());
    browser.press("0820200101AARR000000001WCVU");
    browser.see_text("Hikvision");
    critic.judge(&browser, "console-other-vendor");
    critic.conclude();
}

/// It ends when it is dropped.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every user of this computer can connect, and every site can make its browser do so.
#[test]
fn nobody_else_comes_in() {
    let Some(site) = Site::make() else { return };
    let api = Api::new(&site.base());
    for path in ["/", "/rows", "/map", "/devices/0", "/devices/0/owner", "/jobs/1", "/enter/AAAA", "/enter/"] {
        let status = api.get(path).status;
        assert!([401, 404].contains(&status), "{path}: {status}");
    }
    let entered = api.get(&site.address()[site.base().len()..]);
    assert_eq!(entered.status, 303);
    let cookie = entered.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let inside = api.with("Cookie", cookie.split(';').next().unwrap());
    assert_eq!(inside.get("/").status, 200);
    // Another name for this address (DNS rebinding), another port, a page of another site.
    for host in ["localhost", "evil.example", "127.0.0.1", "127.0.0.1:1", "10.0.0.5"] {
        assert_eq!(inside.with("Host", host).get("/").status, 421, "{host}");
    }
    for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://evil.example"), ("Origin", "null")] {
        let sent = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = inside.with(name, value).send("POST", "/many/request", &sent, b"d0=on".to_vec()).unwrap();
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
    // A form of one's own, without what only our pages have in them.
    for path in [
        "/many/request",
        "/many/grant",
        "/map/check",
        "/devices/0/activate",
        "/devices/0/owner/record",
        "/devices/0/network",
        "/devices/0/recover/email",
        "/devices/0/recover/keyfile/file",
        "/devices/0/password",
    ] {
        let origin = site.base();
        let answer = inside.with("Origin", &origin).send(
            "POST",
            path,
            &[("Content-Type", "application/x-www-form-urlencoded")],
            b"x=1".to_vec(),
        );
        let status = answer.unwrap().status;
        assert!([400, 403, 415].contains(&status), "{path}: {status}");
    }
    // It listens on loopback and nowhere else.
    let port = site.base().rsplit(':').next().unwrap().to_owned();
    assert!(std::net::TcpStream::connect(format!("10.0.0.5:{port}")).is_err());
    let frames = inside.get("/");
    let policy = frames.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
}
