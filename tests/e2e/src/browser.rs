//! A headless Chromium: the recorder's screen, a laptop, or a phone with a camera.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ::http::Method;
use fantoccini::{Client, ClientBuilder, Locator, elements::Element, error::CmdError, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// For anything on a page to appear.
const LONGEST: Duration = Duration::from_secs(30);
/// As root, and with nothing that calls home.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// How large the window is, and what its owner likes.
#[derive(Clone, Debug)]
pub struct Look {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// `prefers-color-scheme: dark`.
    pub dark: bool,
    /// What the camera sees: a film that [`crate::camera::film`] wrote.
    pub camera: Option<PathBuf>,
}

impl Look {
    /// The monitor at a recorder.
    pub const MONITOR: Self = Self::of(1920, 1080);
    /// A laptop.
    pub const LAPTOP: Self = Self::of(1366, 768);
    /// A phone, upright.
    pub const PHONE: Self = Self::of(390, 844);

    /// A window of this size, light, without a camera.
    pub const fn of(width: u32, height: u32) -> Self {
        Self { width, height, dark: false, camera: None }
    }
}

/// A browser with one window and a profile of its own. It ends when dropped.
pub struct Browser {
    client: Option<Client>,
    runtime: Runtime,
    driver: Child,
    _profile: TempDir,
}

/// A command of Chromium's driver that WebDriver does not know.
#[derive(Debug)]
struct Vendor(&'static str, Value);

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.expect("a session is open"), self.0))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
    }
}

impl Browser {
    /// Opens a window.
    pub fn open(look: &Look) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = driver(profile.path());
        let mut browser = Self { client: None, runtime, driver, _profile: profile };
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--user-data-dir={}", browser._profile.path().join("profile").display()));
        flags.push(format!("--window-size={},{}", look.width, look.height));
        if let Some(camera) = &look.camera {
            flags.push("--use-fake-device-for-media-stream".to_owned());
            flags.push("--use-fake-ui-for-media-stream".to_owned());
            flags.push(format!("--use-file-for-fake-video-capture={}", camera.display()));
        }
        let capabilities = json!({
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
            "unhandledPromptBehavior": "ignore",
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().expect("it is written as one").clone());
        let client = browser.runtime.block_on(builder.connect(&format!("http://127.0.0.1:{port}")));
        browser.client = Some(client.expect("Chromium starts"));
        browser.resize(look.width, look.height);
        browser.dark(look.dark);
        browser
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("the window is open until it is dropped")
    }

    fn vendor(&self, path: &'static str, body: Value) -> Value {
        self.runtime.block_on(self.client().issue_cmd(Vendor(path, body))).expect("Chromium's driver answers")
    }

    /// A command of an extension of WebDriver.
    pub fn command(&self, path: &'static str, body: Value) -> Value {
        self.vendor(path, body)
    }

    /// A command of the Chrome DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.vendor("goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    /// What is downloaded goes into this folder.
    pub fn download_to(&self, folder: &Path) {
        let folder = folder.to_str().expect("temporary folders have plain names");
        self.devtools("Browser.setDownloadBehavior", &json!({ "behavior": "allow", "downloadPath": folder }));
    }

    /// Another size of window.
    pub fn resize(&self, width: u32, height: u32) {
        let mobile = width < 600;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Dark or light. Nothing moves, so that a picture shows how a page stays.
    pub fn dark(&self, dark: bool) {
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        let motion = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [scheme, motion] }));
    }

    /// Opens an address.
    pub fn goto(&self, url: &str) {
        self.runtime.block_on(self.client().goto(url)).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// The address that is open.
    pub fn url(&self) -> String {
        self.runtime.block_on(self.client().current_url()).expect("a page is open").to_string()
    }

    /// The path of the address that is open.
    pub fn path(&self) -> String {
        url::Url::parse(&self.url()).expect("the browser knows addresses").path().to_owned()
    }

    /// Runs a script and returns its value.
    pub fn script(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.client().execute(script, Vec::new()))
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs a script that calls its last argument when it is done.
    pub fn script_later(&self, script: &str) -> Value {
        self.runtime.block_on(self.client().execute_async(script, Vec::new())).expect("the script ends")
    }

    /// The text that is seen.
    pub fn text(&self) -> String {
        self.script("return document.body?.innerText ?? ''").as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page answers.
    fn wait<T>(&self, what: &str, mut look: impl AsyncFnMut(&Client) -> Result<T, CmdError>) -> T {
        let deadline = Instant::now() + LONGEST;
        loop {
            match self.runtime.block_on(look(self.client())) {
                Ok(found) => return found,
                Err(error) if Instant::now() > deadline => {
                    let seen = self.save("failed");
                    panic!("{what} at {}: {error}\n{}\nscreenshot: {}", self.url(), self.text(), seen.display())
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn find(&self, selector: &str) -> Element {
        self.wait(selector, async |client| {
            let element = client.find(Locator::Css(selector)).await?;
            if element.is_displayed().await? { Ok(element) } else { Err(CmdError::WaitTimeout) }
        })
    }

    /// Waits until something can be seen.
    pub fn see(&self, selector: &str) {
        self.find(selector);
    }

    /// Whether something is there.
    pub fn has(&self, selector: &str) -> bool {
        self.runtime.block_on(self.client().find(Locator::Css(selector))).is_ok()
    }

    /// Waits until a text can be seen.
    pub fn see_text(&self, text: &str) {
        self.wait_until(text, |browser| browser.text().contains(text));
    }

    /// Waits until the address' path fits.
    pub fn see_path(&self, what: &str, fits: impl Fn(&str) -> bool) {
        self.wait_until(what, |browser| fits(&browser.path()));
    }

    /// Waits for anything.
    pub fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + LONGEST;
        while !holds(self) {
            if Instant::now() > deadline {
                let seen = self.save("failed");
                panic!("no {what:?} at {}:\n{}\nscreenshot: {}", self.url(), self.text(), seen.display());
            }
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Types into a field, in place of what is there.
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.runtime
            .block_on(async {
                element.clear().await?;
                element.send_keys(text).await
            })
            .unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// The page's HTML, also where scripts are off.
    pub fn source(&self) -> String {
        self.runtime.block_on(self.client().source()).unwrap_or_default()
    }

    /// Clicks what is there, without asking whether it can be seen, which takes a script.
    pub fn click_now(&self, selector: &str) {
        self.wait(selector, async |client| client.find(Locator::Css(selector)).await?.click().await);
    }

    /// Types into what is there, likewise.
    pub fn type_now(&self, selector: &str, text: &str) {
        self.wait(selector, async |client| client.find(Locator::Css(selector)).await?.send_keys(text).await);
    }

    /// Presses keys wherever the focus is. `\u{e004}` is Tab, `\u{e007}` Enter (WebDriver section 17.4.2).
    pub fn keys(&self, keys: &str) {
        let focus = self.runtime.block_on(self.client().active_element()).expect("something has the focus");
        self.runtime.block_on(focus.send_keys(keys)).expect("it takes keys");
    }

    /// Clicks.
    pub fn click(&self, selector: &str) {
        self.wait(selector, async |client| client.find(Locator::Css(selector)).await?.click().await);
    }

    /// Clicks the button or link that says this.
    pub fn press(&self, label: &str) {
        let path = format!("//*[self::a or self::button or self::summary][normalize-space()={label:?}]");
        self.wait(label, async |client| client.find(Locator::XPath(&path)).await?.click().await);
    }

    /// The window as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        self.runtime.block_on(self.client().screenshot()).expect("Chromium draws")
    }

    /// The whole page, saved as `target/screenshots/NAME.png`.
    pub fn save(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, self.screenshot()).unwrap();
        file
    }

    /// What the page's console complained about since the last look: scripts, the content security policy, missing files.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.vendor("se/log", json!({ "type": "browser" }));
        let entries = log.as_array().cloned().unwrap_or_default();
        let bad = entries.iter().filter(|entry| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")));
        bad.map(|entry| entry["message"].to_string()).collect()
    }
}

/// The driver, on a port that it chose.
fn driver(folder: &Path) -> (Child, u16) {
    let program =
        ["/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver"].into_iter().find(|path| Path::new(path).exists());
    let program = program.expect("chromedriver is not installed: apt-get install chromium-driver, or run ./check");
    let mut child = Command::new(program)
        .args(["--port=0", "--allowed-ips=127.0.0.1"])
        .env("TMPDIR", folder)
        .stdout(Stdio::piped())
        .stderr(File::create(folder.join("driver.log")).unwrap())
        .process_group(0)
        .spawn()
        .expect("chromedriver starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let port = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
    // It goes on talking, and would wait if nobody listened.
    thread::spawn(move || lines.for_each(drop));
    (child, port.expect("chromedriver says its port"))
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(5), client.close()).await });
        }
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.driver), Signal::KILL);
        let _ = self.driver.wait();
    }
}
