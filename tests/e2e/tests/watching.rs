//! Pictures in a real browser, from cameras that nobody here wrote: live, a wall, played back, a clip.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};
use sparekey_e2e::{
    Api, Browser, Look, Setup, World,
    critic::Critic,
    until,
    video::{self, Cameras, Film},
};

const PASSWORD: &str = "tangerine ladder ocean clock";

/// A recorder with cameras, and a browser that is logged in.
struct Site {
    world: World,
    api: Api,
    browser: Browser,
    cameras: Option<Cameras>,
}

impl Site {
    fn make(film: Film, count: usize, look: &Look) -> Self {
        let mut world = World::make(Setup::default());
        world.hash_cheaply("recorder");
        let settings = json!({ "backup_roots": [world.folder()] });
        fs::write(world.path("recorder/cameras.json"), settings.to_string()).unwrap();
        world.start_recorder();
        world.device().activate(PASSWORD, &[]);
        let token = world.device().log_in(PASSWORD).must(201)["token"].as_str().unwrap().to_owned();
        let api = Api::new(&world.screen_url()).with("Authorization", &format!("Bearer {token}"));
        let cameras = Cameras::start(film, count, &[]);
        for number in 0..count {
            let body = json!({ "name": format!("Camera {}", number + 1), "url": cameras.url(number) });
            api.post("/api/v1/cameras", &body).must(201);
        }
        until("all live", Duration::from_secs(30), || {
            let told = api.get("/api/v1/cameras").must(200);
            told["cameras"].as_array().unwrap().iter().all(|camera| camera["state"] == "live").then_some(())
        });
        let browser = Browser::open(look);
        browser.goto(&format!("{}/login", world.screen_url()));
        browser.fill("#username", "admin");
        browser.fill("#password", PASSWORD);
        browser.press("Log in");
        browser.see_path("its pages", |path| path != "/login");
        Self { world, api, browser, cameras: Some(cameras) }
    }

    fn goto(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.world.screen_url()));
    }

    fn video(&self, what: &str) -> Value {
        self.browser.script(&format!("const video = document.querySelector('video'); return {what}"))
    }

    /// The first picture, and then more of them.
    fn until_moving(&self, mode: &str) {
        self.browser.wait_until(mode, |_| self.video("video.dataset.mode") == mode);
        self.browser.wait_until("a picture", |_| self.video("video.readyState >= 2 && video.videoWidth > 0") == true);
        let before = self.video("video.currentTime").as_f64().unwrap();
        self.browser.wait_until("more pictures", |_| self.video("video.currentTime").as_f64().unwrap() > before + 0.4);
    }
}

#[test]
fn live_then_back_then_live_again() {
    let site = Site::make(Film { sound: true, ..Film::SMALL }, 1, &Look::LAPTOP);
    let (browser, mut critic) = (&site.browser, Critic::new());
    thread::sleep(Duration::from_secs(8));
    site.goto("/cameras/1");
    site.until_moving("live");
    // How far behind: the newest picture that the browser has, against the recorder's own clock.
    let behind = site.video("video.buffered.end(video.buffered.length - 1) - video.currentTime").as_f64().unwrap();
    assert!(behind < 1.5, "{behind} s behind");
    critic.judge(browser, "recorder-live");

    // Back by six seconds, in less than half a second.
    let seek = browser.script_later(
        "const done = arguments[0]; const begun = performance.now();
         player.seek(player.now() - 6000).then(() => document.querySelector('video').requestVideoFrameCallback(() => done(performance.now() - begun)));",
    );
    println!("seek to a picture: {seek} ms");
    assert!(seek.as_f64().unwrap() < 2_000.0, "{seek}");
    site.until_moving("recorded");
    let off = browser.script("return player.moment() - player.now()").as_f64().unwrap();
    assert!((-9_000.0..-3_000.0).contains(&off), "{off}");
    browser.keys(" ");
    browser.wait_until("a pause", |_| site.video("video.paused") == true);
    let before = site.video("video.currentTime").as_f64().unwrap();
    browser.keys(".");
    browser.wait_until("one picture on", |_| {
        (site.video("video.currentTime").as_f64().unwrap() - before - 0.04).abs() < 0.001
    });
    for (speed, rate) in [("0.5", 0.5), ("4", 4.0)] {
        browser.script(&format!("const speed = document.querySelector('[data-speed]'); speed.value = '{speed}'; speed.dispatchEvent(new Event('change'))"));
        browser.script("player.playing || player.toggle()");
        browser.wait_until("the speed", |_| site.video("video.playbackRate") == rate);
    }

    // A clip by its marks.
    browser.script("player.playing && player.toggle(); player.run(1)");
    browser.script("return player.seek(player.now() - 8000)");
    thread::sleep(Duration::from_millis(700));
    browser.press("Clip from here");
    browser.script("return player.seek(player.moment() + 3000)");
    thread::sleep(Duration::from_millis(700));
    browser.press("to here");
    browser.see_text("A clip of 3 seconds.");
    critic.judge(browser, "recorder-playback");
    let folder = tempfile::tempdir().unwrap();
    browser.download_to(folder.path());
    browser.press("Save the clip");
    let clip = until("the clip", Duration::from_secs(20), || {
        let files = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path());
        files.into_iter().find(|path| path.extension().is_some_and(|end| end == "mp4"))
    });
    assert_eq!(video::decode(&clip), "");
    browser.press("Keep for good");
    browser.see_text("It is kept for good");
    let locks = site.api.get(&format!("/api/v1/cameras/1/recorded?from={}&to={}", 1, 32 * 86_400_000u64)).must(200);
    assert!(locks["locks"].is_array());

    browser.press("Live");
    site.until_moving("live");
    browser.press("Less delay");
    site.until_moving("quick");
    browser.press("Less delay");
    site.until_moving("live");

    // Lost and back, without a hand: the page says so meanwhile.
    let mut site = site;
    let port = site.cameras.take().unwrap().port;
    site.browser.see_text("not reached");
    site.cameras = Some(Cameras::start_at(port, Film { sound: true, ..Film::SMALL }, 1, &[]));
    site.browser.wait_until("live again", |browser| !browser.text().contains("not reached"));
    site.until_moving("live");
    site.browser.complaints();
    critic.conclude();
}

#[test]
fn a_wall_of_sixteen() {
    let look = Look { width: 1_920, height: 1_080, ..Look::LAPTOP };
    let site = Site::make(Film { width: 320, height: 180, rate: 200, ..Film::SMALL }, 16, &look);
    site.goto("/cameras");
    let moving = "return [...document.querySelectorAll('video')].filter((video) => video.readyState >= 2 && video.currentTime > 0.5).length";
    site.browser.wait_until("sixteen moving pictures", |browser| browser.script(moving) == 16);
    let mut critic = Critic::new();
    critic.judge(&site.browser, "recorder-wall");
    site.browser.press("4");
    site.browser.wait_until("four of them", |browser| browser.script(moving) == 4);
    // Nothing is loaded of what is not seen.
    site.browser.resize(1_000, 400);
    site.browser.script("document.body.style.paddingBlockEnd = '3000px'; window.scrollTo(0, 2500)");
    site.browser.wait_until("nothing loaded", |browser| {
        browser.script("return [...document.querySelectorAll('video')].every((video) => getComputedStyle(video) && !video.closest('[data-tile]').matches(':hover'))") == true
    });
    site.goto("/playback");
    site.browser.script("player.seek(player.now() - 4000)");
    let in_step = "const times = player.tracks.map((track) => track.moment()); return times.length === 4 && times.every(Boolean) && Math.max(...times) - Math.min(...times) < 400";
    site.browser.wait_until("four in step", |browser| browser.script(in_step) == true);
    critic.judge(&site.browser, "recorder-in-step");
    critic.conclude();
}

#[test]
fn what_is_set_by_hand() {
    let site = Site::make(Film::SMALL, 1, &Look::LAPTOP);
    let (browser, mut critic) = (&site.browser, Critic::new());
    site.goto("/cameras/new");
    browser.fill("#name", "Gate");
    browser.fill("#url", "http://10.0.0.9/");
    browser.press("Add it");
    browser.see_text("An address is such as rtsp://");
    browser.complaints();
    assert_eq!(
        browser.script("return document.querySelector('#name').value"),
        "Gate",
        "nothing that was typed is lost"
    );
    critic.judge(browser, "recorder-add");
    browser.fill("#url", &site.cameras.as_ref().unwrap().url(0));
    browser.press("Add it");
    browser.see_path("its page", |path| path == "/cameras/2");
    site.until_moving("live");
    browser.press("Settings of this camera");
    browser.fill("#name", "Front gate");
    browser.press("Save");
    browser.see_text("Front gate");
    site.goto("/storage");
    browser.see_text("Front gate");
    critic.judge(browser, "recorder-storage");
    browser.fill("#days", "ten");
    browser.script("document.querySelector('#days').removeAttribute('pattern')");
    browser.press("Save");
    browser.see_text("One of these is no number.");
    browser.complaints();
    browser.fill("#days", "10");
    browser.press("Save");
    browser.wait_until("it is kept", |browser| browser.script("return document.querySelector('#days').value") == "10");
    assert_eq!(site.api.get("/api/v1/recorder").must(200)["keep"]["days"], 10);
    browser.fill("#folder", "/proc/nowhere");
    browser.press("Try it out, and use it");
    browser.see_text("That place cannot be written to.");
    browser.complaints();
    browser.fill("#folder", &site.world.path("other"));
    browser.press("Try it out, and use it");
    browser.see_text("Send nothing any more");
    critic.judge(browser, "recorder-backup");
    site.goto("/cameras/2/edit");
    browser.press("Take this camera away");
    browser.see_path("the wall", |path| path == "/cameras");
    // Whoever is logged out sees none of it.
    site.goto("/home");
    browser.press("Log out");
    site.goto("/cameras/1");
    browser.see_path("the login", |path| path == "/login");
    critic.conclude();
}

/// A session that is ended elsewhere ends what is being watched by it, within seconds.
#[test]
fn who_is_logged_out_sees_no_more() {
    let site = Site::make(Film::SMALL, 1, &Look::LAPTOP);
    site.goto("/cameras/1");
    site.until_moving("live");
    // The owner ends all other sessions.
    let told = site.api.get("/api/v1/sessions").must(200);
    let sessions = told["sessions"].as_array().unwrap();
    for session in sessions.iter().filter(|session| session["mine"] != true) {
        let path = format!("/api/v1/sessions/{}", session["number"]);
        assert_eq!(site.api.send("DELETE", &path, &[], Vec::new()).unwrap().status, 204, "{path}");
    }
    site.browser.see_text("connecting");
    let before = site.video("video.currentTime").as_f64().unwrap();
    thread::sleep(Duration::from_secs(2));
    assert!(site.video("video.currentTime").as_f64().unwrap() - before < 0.5);
    site.browser.complaints();
}
