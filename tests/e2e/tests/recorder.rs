//! A recorder with real cameras: what they send is on the disk, picture for picture, whatever happens meanwhile.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Api, Setup, World,
    program::must,
    skip, until,
    video::{self, Cameras, Film},
};

const PASSWORD: &str = "tangerine ladder ocean clock";

/// A recorder with an owner, who is logged in.
struct Site {
    world: World,
    api: Api,
}

impl Site {
    fn make() -> Self {
        let mut world = World::make(Setup::default());
        world.hash_cheaply("recorder");
        // Where a test may send recordings to.
        let settings = json!({ "backup_roots": [world.folder()] });
        fs::write(world.path("recorder/cameras.json"), settings.to_string()).unwrap();
        world.start_recorder();
        world.device().activate(PASSWORD, &[]);
        let api = log_in(&world);
        Self { world, api }
    }

    /// It ends as by a power button, and starts again.
    fn kill(&mut self) {
        self.world.crash_recorder();
        self.api = log_in(&self.world);
    }

    fn add(&self, name: &str, url: &str) -> u64 {
        let added = self.api.post("/api/v1/cameras", &json!({ "name": name, "url": url })).must(201);
        added["id"].as_u64().unwrap()
    }

    fn camera(&self, id: u64) -> Value {
        self.api.get(&format!("/api/v1/cameras/{id}")).must(200)
    }

    fn until_state(&self, id: u64, state: &str) -> Value {
        until(state, Duration::from_secs(20), || {
            let camera = self.camera(id);
            (camera["state"] == state).then_some(camera)
        })
    }

    /// What of the last minutes is recorded, in milliseconds since 1970.
    fn recorded(&self, id: u64) -> Vec<(u64, u64)> {
        let path = format!("/api/v1/cameras/{id}/recorded?from={}&to={}", now() - 600_000, now() + 60_000);
        let told = self.api.get(&path).must(200);
        let pair = |span: &Value| (span[0].as_u64().unwrap(), span[1].as_u64().unwrap());
        told["recorded"].as_array().unwrap().iter().map(pair).collect()
    }

    fn clip(&self, id: u64, from: u64, to: u64) -> PathBuf {
        let range = format!("from={from}&to={to}");
        let path: PathBuf = self.world.path(&format!("clip-{id}-{from}.mp4")).into();
        for (kind, path) in [("mp4", path.clone()), ("statement", path.with_added_extension("statement"))] {
            let answer = self.api.get(&format!("/api/v1/cameras/{id}/clip.{kind}?{range}"));
            assert_eq!(answer.status, 200, "{}", answer.text());
            fs::write(path, &answer.body).unwrap();
        }
        path
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder: PathBuf = self.world.path("recorder/recordings").into();
        let cameras = fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_dir());
        cameras.flat_map(|camera| fs::read_dir(camera.path()).unwrap().flatten()).map(|file| file.path()).collect()
    }
}

fn log_in(world: &World) -> Api {
    let token = world.device().log_in(PASSWORD).must(201)["token"].as_str().unwrap().to_owned();
    Api::new(&world.screen_url()).with("Authorization", &format!("Bearer {token}"))
}

fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn wait(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}

fn duration(file: &Path) -> f64 {
    video::probe(file)["format"]["duration"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_camera_is_recorded_picture_for_picture() {
    let site = Site::make();
    let film = Film { sound: true, ..Film::SMALL };
    let cameras = Cameras::start(film, 1, &["--digest"]);
    let id = site.add("Front door", &cameras.url(0));
    let gone = site.until_state(id, "gone");
    assert_eq!(gone["why"], "not-authorized", "{gone}");
    let account = json!({ "username": "admin", "password": "s3cret" });
    assert_eq!(site.api.json("PATCH", &format!("/api/v1/cameras/{id}"), &account).unwrap().status, 204);
    let live = site.until_state(id, "live");
    assert_eq!((&live["width"], &live["height"]), (&json!(640), &json!(360)));
    assert!(
        live["codecs"].as_str().unwrap().starts_with("avc1.64")
            && live["codecs"].as_str().unwrap().ends_with(",mp4a.40.2"),
        "{live}"
    );
    assert!(!live.to_string().contains("s3cret"), "its password is told to nobody");
    wait(12);
    let spans = site.recorded(id);
    assert_eq!(spans.len(), 1, "{spans:?}");
    let (from, to) = spans[0];
    assert!(to - from > 10_000 && now() - to < 2_500, "{spans:?} at {}", now());

    // A clip that every player opens, as long as it was asked for, with the pictures that the camera sent.
    let clip = site.clip(id, from + 2_300, to - 2_200);
    let wanted = (to - from - 4_500) as f64 / 1_000.0;
    assert!((duration(&clip) - wanted).abs() < 0.1, "{} of {wanted}", duration(&clip));
    assert_eq!(video::decode(&clip), "");
    let streams = video::probe(&clip)["streams"].clone();
    assert_eq!((&streams[0]["codec_name"], &streams[1]["codec_name"]), (&json!("h264"), &json!("aac")));
    let apart = |track: usize| streams[track]["duration"].as_str().unwrap().parse::<f64>().unwrap();
    assert!((apart(0) - apart(1)).abs() < 0.1, "{streams}");
    let sent = video::pictures(&film.file());
    let kept = video::pictures(&clip);
    assert!(kept.len() > 100 && kept.iter().all(|picture| sent.contains(picture)), "{} pictures", kept.len());
    let first = sent.iter().position(|picture| *picture == kept[0]).unwrap();
    assert!(
        kept.iter().zip(sent.iter().cycle().skip(first)).all(|(kept, sent)| kept == sent),
        "in their order, none missing"
    );

    // VLC reads it as well, and writes the same pictures again.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let (readable, again) = (folder.path().join("clip.mp4"), folder.path().join("again.mp4"));
    fs::copy(&clip, &readable).unwrap();
    let sout = format!("--sout=#file{{mux=mp4,dst={}}}", again.display());
    if let Some(mut vlc) = vlc(&[readable.to_str().unwrap(), &sout, "vlc://quit"]) {
        vlc.status().unwrap();
        assert!((duration(&again) - duration(&clip)).abs() < 0.3, "{} of {}", duration(&again), duration(&clip));
        assert!(video::pictures(&again).iter().all(|picture| kept.contains(picture)));
    }

    // What the device says of it is checked by whoever has the maker's key; a bit of it changed is found.
    let (file, maker) = (clip.to_str().unwrap(), site.world.path("maker/maker.pub"));
    let said = must(&["clip", file, "--maker", &maker]);
    assert!(
        said.contains("Unchanged. NVR-8 NVR-2026-000417 (certified by its maker)") && said.contains("Front door"),
        "{said}"
    );
    let mut bytes = fs::read(&clip).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&clip, bytes).unwrap();
    let output = Command::new(sparekey_e2e::program::path()).args(["clip", file]).output().unwrap();
    assert!(
        output.status.code() == Some(1) && String::from_utf8_lossy(&output.stderr).contains("it was changed since")
    );

    // A download that was cut off goes on.
    let path = format!("/api/v1/cameras/{id}/clip.mp4?from={}&to={}", from + 2_300, to - 2_200);
    let whole = site.api.get(&path);
    let tag = whole.headers["etag"].to_str().unwrap().to_owned();
    let rest = site.api.with("Range", "bytes=1000-").with("If-Range", &tag).get(&path);
    assert!(rest.status == 206 && rest.body == whole.body[1_000..], "{}", rest.status);

    // HLS as another program plays it.
    let list = site.api.get(&format!("/api/v1/cameras/{id}/playlist.m3u8?from={from}&to={to}")).text();
    assert!(
        list.starts_with("#EXTM3U") && list.contains("#EXT-X-BYTERANGE") && list.ends_with("#EXT-X-ENDLIST\n"),
        "{list}"
    );
    assert_eq!(Api::new(&site.world.screen_url()).get(&path).status, 401, "only who is logged in");
}

/// Whatever the moment: at most two seconds are lost, no file is unreadable, and recording goes on.
#[test]
fn killed_again_and_again() {
    let mut site = Site::make();
    let cameras = Cameras::start(Film::SMALL, 2, &[]);
    let ids = [site.add("One", &cameras.url(0)), site.add("Two", &cameras.url(1))];
    let mut worst = 0;
    for round in 0..6u64 {
        for id in ids {
            site.until_state(id, "live");
        }
        thread::sleep(Duration::from_millis(2_600 + 397 * round));
        let killed = now();
        site.kill();
        for id in ids {
            let before: Vec<_> = site.recorded(id).into_iter().filter(|(from, _)| *from < killed).collect();
            let lost = killed - before.last().unwrap().1;
            worst = worst.max(lost);
            assert!(lost <= 2_000, "{lost} ms lost in round {round}");
        }
    }
    println!("at most {worst} ms were lost");
    for id in ids {
        site.until_state(id, "live");
    }
    wait(3);
    for id in ids {
        let spans = site.recorded(id);
        assert!(spans.windows(2).all(|two| two[0].1 <= two[1].0), "{spans:?}");
        let clip = site.clip(id, spans[0].0, spans.last().unwrap().1);
        assert_eq!(video::decode(&clip), "");
    }
    drop(cameras);
    site.world.recorder().take().unwrap().kill();
    for file in site.files() {
        assert_eq!(video::decode(&file), "", "{}", file.display());
    }
}

#[test]
fn a_camera_that_is_lost_comes_back() {
    let site = Site::make();
    let cameras = Cameras::start(Film::SMALL, 1, &[]);
    let (port, id) = (cameras.port, site.add("Yard", &cameras.url(0)));
    site.until_state(id, "live");
    wait(4);
    drop(cameras);
    let gone = site.until_state(id, "gone");
    assert!(now() - gone["since"].as_u64().unwrap() < 10_000, "{gone}");
    wait(3);
    // Another one in its place, with larger pictures.
    let film = Film { width: 800, height: 450, ..Film::SMALL };
    let _cameras = Cameras::start_at(port, film, 1, &[]);
    let begun = Instant::now();
    let back = site.until_state(id, "live");
    println!("back after {:?}", begun.elapsed());
    assert_eq!(back["width"], 800);
    wait(4);
    let spans = site.recorded(id);
    assert_eq!(spans.len(), 2, "{spans:?}");
    // A clip over the gap and the change is as long as the time was.
    let (from, to) = (spans[0].0, spans[1].1);
    let clip = site.clip(id, from, to);
    assert!((duration(&clip) - (to - from) as f64 / 1_000.0).abs() < 0.2, "{} of {}", duration(&clip), to - from);
}

/// Removes what is mounted.
struct Mounted(String);

impl Mounted {
    /// A disk in memory of so many megabytes; `None` where that cannot be had.
    fn new(path: &str, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let size = format!("size={megabytes}m");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs", path]).status();
        if done.is_ok_and(|status| status.success()) {
            return Some(Self(path.to_owned()));
        }
        skip::skipped("nothing can be mounted here");
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", &self.0]).status();
    }
}

/// A disk that is far too small: recording never stops, the oldest goes first, and what a person locked stays.
#[test]
fn on_a_full_disk_it_goes_on() {
    let mut world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    let Some(_disk) = Mounted::new(&world.path("recorder/recordings"), 24) else { return };
    // Nothing is left free on purpose, so that the disk itself says when it is full.
    fs::write(world.path("recorder/cameras.json"), r#"{"keep": {"free": 0}}"#).unwrap();
    world.start_recorder();
    world.device().activate(PASSWORD, &[]);
    let site = Site { api: log_in(&world), world };
    let film = Film { rate: 4_000, width: 1_280, height: 720, ..Film::SMALL };
    let cameras = Cameras::start(film, 2, &[]);
    let ids = [site.add("One", &cameras.url(0)), site.add("Two", &cameras.url(1))];
    for id in ids {
        site.until_state(id, "live");
    }
    wait(4);
    let (begun, _) = site.recorded(ids[0])[0];
    let lock = json!({ "from": begun, "to": begun + 1_000, "note": "the parcel" });
    site.api.post(&format!("/api/v1/cameras/{}/locks", ids[0]), &lock).must(201);
    wait(30);
    let told = site.api.get("/api/v1/recorder").must(200);
    assert_eq!(told["disk"]["failing"], Value::Null, "{told}");
    for id in ids {
        let spans = site.recorded(id);
        assert!(now() - spans.last().unwrap().1 < 3_000, "{spans:?} at {}: it is still recorded", now());
    }
    let (one, two) = (site.recorded(ids[0]), site.recorded(ids[1]));
    assert_eq!(one[0].0, begun, "what was locked is there: {one:?}");
    assert!(two[0].0 > begun + 5_000, "the oldest of the other went: {two:?}");
    for spans in [one, two] {
        let gaps: Vec<_> = spans.windows(2).map(|two| two[1].0 - two[0].1).collect();
        assert!(gaps.iter().skip(1).all(|gap| *gap <= 1_000), "{spans:?}");
    }
}

/// Removes a child when it is dropped.
struct Peer(std::process::Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    fn sent(&self, count: u64) -> Value {
        until("it is sent", Duration::from_secs(40), || {
            let told = self.api.get("/api/v1/backup").must(200);
            let progress = &told["progress"];
            (progress["sent"].as_u64() >= Some(count) && progress["now"].is_null()).then_some(told)
        })
    }

    /// Ends the file that is being written.
    fn reconnect(&self, id: u64) {
        let change = json!({ "record": true });
        assert_eq!(self.api.json("PATCH", &format!("/api/v1/cameras/{id}"), &change).unwrap().status, 204);
    }

    /// Sends a clip and all recordings to a place, loses them here, and gets them back from there.
    fn there_and_back(&self, id: u64, place: &Value) {
        self.until_state(id, "live");
        wait(5);
        let set = |body: &Value| self.api.json("PUT", "/api/v1/backup", body).unwrap();
        assert_eq!(set(&json!({ "place": place })).status, 204);
        let (from, to) = self.recorded(id)[0];
        let range = json!({ "from": from, "to": to - 1_000 });
        self.api.post(&format!("/api/v1/cameras/{id}/backup"), &range).must(202);
        let told = self.sent(2);
        assert!(!told.to_string().contains("secret"), "{told}");
        assert_eq!(set(&json!({ "place": place, "all": true })).status, 204);
        self.reconnect(id);
        self.sent(3);

        // All of it goes here: the disk is said to have to stay free.
        let keep = |free: u64| self.api.json("PATCH", "/api/v1/recorder", &json!({ "free": free })).unwrap();
        assert_eq!(keep(1 << 60).status, 204);
        until("it is gone", Duration::from_secs(10), || {
            self.recorded(id).first().is_none_or(|(begins, _)| *begins > from).then_some(())
        });
        assert_eq!(keep(0).status, 204);
        self.api.post("/api/v1/backup/restore", &json!({ "camera": id, "from": from, "to": to })).must(202);
        until("it is back", Duration::from_secs(20), || (self.recorded(id).first()?.0 == from).then_some(()));
        let clip = self.clip(id, from, to - 1_000);
        assert_eq!(video::decode(&clip), "");
    }
}

#[test]
fn to_a_folder_and_back() {
    let site = Site::make();
    let cameras = Cameras::start(Film::SMALL, 1, &[]);
    let id = site.add("Door", &cameras.url(0));
    let refused = site.api.json("PUT", "/api/v1/backup", &json!({ "place": { "folder": "/proc/nowhere" } })).unwrap();
    assert_eq!(refused.problem(), "backup-not-reached");
    let refused = site.api.json("PUT", "/api/v1/backup", &json!({ "place": { "folder": "/etc" } })).unwrap();
    assert!(
        refused.problem() == "backup-not-reached" && refused.text().contains("Give a folder below"),
        "{}",
        refused.text()
    );
    assert_eq!(
        site.api.post("/api/v1/backup/restore", &json!({ "camera": id, "from": 1, "to": 2 })).problem(),
        "no-backup"
    );
    let folder = site.world.path("other-disk");
    site.there_and_back(id, &json!({ "folder": folder }));
    let clips: Vec<_> = fs::read_dir(format!("{folder}/NVR-2026-000417/clips")).unwrap().flatten().collect();
    let clip =
        clips.iter().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "mp4")).unwrap();
    let said = must(&["clip", clip.to_str().unwrap(), "--maker", &site.world.path("maker/maker.pub")]);
    assert!(said.contains("Unchanged."), "{said}");

    // A place that goes away is told, and what waits is sent when it is back.
    let away = format!("{folder}.away");
    fs::rename(&folder, &away).unwrap();
    fs::write(&folder, "in its way").unwrap();
    site.reconnect(id);
    until("it is told", Duration::from_secs(30), || {
        let told = site.api.get("/api/v1/backup").must(200);
        told["progress"]["failing"].is_array().then_some(())
    });
    fs::remove_file(&folder).unwrap();
    fs::rename(&away, &folder).unwrap();
    until("it goes on", Duration::from_secs(60), || {
        let told = site.api.get("/api/v1/backup").must(200);
        (told["progress"]["failing"].is_null() && told["progress"]["waiting"] == 0).then_some(())
    });
}

/// Storage that speaks S3, by a program that nobody here wrote.
#[test]
fn to_a_storage_and_back() {
    let Some(python) = std::env::var_os("SPAREKEY_PEER_PYTHON") else { return skip::skipped("no Python peers") };
    let port = sparekey_e2e::ports::free();
    let server = PathBuf::from(python).with_file_name("moto_server");
    let mut server = Command::new(server);
    server
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let _server = Peer(server.spawn().unwrap());
    let storage = Api::new(&format!("http://127.0.0.1:{port}"));
    until("the storage", Duration::from_secs(20), || {
        let made = storage.send("PUT", "/recordings", &[("Host", "127.0.0.1")], Vec::new())?;
        (made.status == 200).then_some(())
    });
    let site = Site::make();
    let cameras = Cameras::start(Film::SMALL, 1, &[]);
    let id = site.add("Door", &cameras.url(0));
    let place = json!({ "s3": {
        "endpoint": format!("http://127.0.0.1:{port}"), "bucket": "recordings", "access_key": "key", "secret_key": "a-secret",
    } });
    site.there_and_back(id, &place);
}

/// As nobody: VLC does not run as root.
fn vlc(args: &[&str]) -> Option<Command> {
    if !Path::new("/usr/bin/vlc").exists() && !Path::new("/usr/bin/cvlc").exists() {
        skip::skipped("no VLC");
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "env",
        "HOME=/tmp",
        "timeout",
        "20",
        "cvlc",
        "-I",
        "dummy",
    ]);
    command.args(["--no-video-title-show", "--play-and-exit"]).args(args);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    Some(command)
}

#[test]
fn other_programs_play_it() {
    let site = Site::make();
    let film = Film { sound: true, ..Film::SMALL };
    let cameras = Cameras::start(film, 1, &[]);
    let id = site.add("Door", &cameras.url(0));
    site.until_state(id, "live");
    let port = sparekey_e2e::ports::free();
    let account = site.api.post("/api/v1/programs", &json!({ "port": port })).must(201);
    let password = account["password"].as_str().unwrap();
    assert!(password.len() >= 26 && !site.api.get("/api/v1/programs").text().contains(password));
    let url = |password: &str| format!("rtsp://viewer:{password}@127.0.0.1:{port}/camera/{id}/main");
    let out: PathBuf = site.world.path("pulled.mp4").into();
    let pull = |url: &str, seconds: &str| {
        let _ = fs::remove_file(&out);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-rtsp_transport", "tcp", "-i", url, "-t", seconds, "-c", "copy"]).arg(&out);
        let output = ffmpeg.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    until("it is listened on", Duration::from_secs(5), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop)
    });
    let (done, said) = pull(&url("wrong"), "1");
    assert!(!done && said.contains("401"), "{said}");
    let (done, said) = pull(&url(password), "5");
    assert!(done, "{said}");
    assert!(duration(&out) > 4.5, "{}", duration(&out));
    assert_eq!(video::decode(&out), "");
    let streams = video::probe(&out)["streams"].clone();
    assert_eq!((&streams[0]["codec_name"], &streams[1]["codec_name"]), (&json!("h264"), &json!("aac")));
    let (sent, got) = (video::pictures(&film.file()), video::pictures(&out));
    assert!(got.len() > 100 && got.iter().all(|picture| sent.contains(picture)), "{}", got.len());
    // The first picture was there at once.
    assert_eq!(sent.iter().position(|picture| *picture == got[0]).unwrap() % 50, 0, "it begins with a key picture");

    // And GStreamer, which asks otherwise.
    let by_gstreamer: PathBuf = site.world.path("gstreamer.ts").into();
    let mut gstreamer = Command::new("timeout");
    gstreamer.args([
        "-s",
        "INT",
        "5",
        "gst-launch-1.0",
        "-q",
        "-e",
        "rtspsrc",
        "protocols=tcp",
        &format!("location={}", url(password)),
    ]);
    gstreamer.args(["!", "rtph264depay", "!", "h264parse", "!", "mpegtsmux", "!", "filesink"]);
    gstreamer.arg(format!("location={}", by_gstreamer.display())).status().unwrap();
    assert!(duration(&by_gstreamer) > 3.0, "{}", duration(&by_gstreamer));
    let got = video::pictures(&by_gstreamer).len();
    assert!(got > 50, "{got} pictures");

    // Programs that know ONVIF find it by themselves.
    if let Some(python) = std::env::var_os("SPAREKEY_PEER_PYTHON") {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/onvif_client.py");
        let main = site.world.screen_url().rsplit(':').next().unwrap().to_owned();
        let asked = |password: &str| {
            let output =
                Command::new(&python).arg(&script).args(["127.0.0.1", &main, "viewer", password]).output().unwrap();
            (
                output.status.success(),
                String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
            )
        };
        let (done, said) = asked(password);
        assert!(done, "{said}");
        let told: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(
            (&told["serial"], &told["names"], &told["width"]),
            (&json!("NVR-2026-000417"), &json!(["Door"]), &json!([640]))
        );
        assert_eq!(told["uris"][0], format!("rtsp://127.0.0.1:{port}/camera/{id}/main"));
        let (done, said) = asked("wrong");
        assert!(!done && said.contains("account of other programs"), "{said}");
    }

    // Taken back, nothing is listened on.
    assert_eq!(site.api.send("DELETE", "/api/v1/programs", &[], Vec::new()).unwrap().status, 204);
    until("it is not listened on", Duration::from_secs(5), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).err().map(drop)
    });
}

/// H.265 as it comes: recorded, cut into a clip, handed on.
#[test]
fn h265_as_it_comes() {
    let site = Site::make();
    let film = Film { codec: "h265", ..Film::SMALL };
    let cameras = Cameras::start(film, 1, &[]);
    let id = site.add("Door", &cameras.url(0));
    let live = site.until_state(id, "live");
    assert!(live["codecs"].as_str().unwrap().starts_with("hvc1."), "{live}");
    wait(5);
    let (from, to) = site.recorded(id)[0];
    let clip = site.clip(id, from + 500, to - 500);
    assert_eq!(video::decode(&clip), "");
    assert_eq!(video::probe(&clip)["streams"][0]["codec_name"], "hevc");
    let port = sparekey_e2e::ports::free();
    let account = site.api.post("/api/v1/programs", &json!({ "port": port })).must(201);
    let url = format!("rtsp://viewer:{}@127.0.0.1:{port}/camera/{id}/main", account["password"].as_str().unwrap());
    let out: PathBuf = site.world.path("pulled.mp4").into();
    until("it is handed on", Duration::from_secs(20), || {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-rtsp_transport", "tcp", "-i", &url, "-t", "3", "-c", "copy"]).arg(&out);
        ffmpeg.status().unwrap().success().then_some(())
    });
    assert_eq!(video::decode(&out), "");
}

/// A page of another site opens a WebSocket without asking; what browsers say of it is looked at.
#[test]
fn other_sites_watch_nothing() {
    use std::io::{Read, Write};

    let site = Site::make();
    let cameras = Cameras::start(Film::SMALL, 1, &[]);
    let id = site.add("Door", &cameras.url(0));
    site.until_state(id, "live");
    let token = site.world.device().log_in(PASSWORD).must(201)["token"].as_str().unwrap().to_owned();
    let url = site.world.screen_url();
    let host = url.strip_prefix("http://").unwrap();
    let opened = |header: &str, token: &str| {
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET /api/v1/cameras/{id}/live HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n{header}\r\n"
        )
        .unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[9..]).into_owned()
    };
    for (header, status) in [
        ("", "101"),
        (&*format!("Origin: http://{host}\r\n"), "101"),
        ("Sec-Fetch-Site: same-origin\r\n", "101"),
        ("Origin: https://evil.example\r\n", "403"),
        ("Origin: null\r\n", "403"),
        ("Sec-Fetch-Site: cross-site\r\n", "403"),
        ("Sec-Fetch-Site: same-site\r\n", "403"),
    ] {
        assert_eq!(opened(header, &token), status, "{header}");
    }
    assert_eq!(opened("", "wrong"), "401");
}

/// Handed over with the wish to erase: recordings go, and with them the cameras, whose passwords are the old owner's.
#[test]
fn erased_with_the_ownership() {
    let site = Site::make();
    let cameras = Cameras::start(Film::SMALL, 1, &["--digest"]);
    let id = site.add("Door", &cameras.url(0).replace("rtsp://", "rtsp://admin:s3cret@"));
    site.until_state(id, "live");
    wait(4);
    assert!(!site.recorded(id).is_empty() && !site.files().is_empty());
    let kept = || fs::read_to_string(site.world.path("recorder/cameras.json")).unwrap();
    assert!(kept().contains("s3cret"));
    let asked = json!({ "password": PASSWORD, "recordings": "erase" });
    let answer = site.api.post("/api/v1/transfer", &asked);
    assert!([200, 201, 202].contains(&answer.status), "{} {}", answer.status, answer.text());
    until("all is gone", Duration::from_secs(20), || {
        (site.files().is_empty() && !kept().contains("s3cret")).then_some(())
    });
    wait(3);
    assert!(site.files().is_empty(), "nothing is recorded for nobody");
}

/// A disk that stops taking anything is said at once; one that comes back is recorded to again, by itself.
#[test]
fn a_disk_that_is_pulled_and_put_back() {
    let mut world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    let (image, folder) = (world.path("disk.img"), world.path("recorder/recordings"));
    fs::create_dir_all(&folder).unwrap();
    let run = |line: &str| {
        let mut words = line.split(' ');
        Command::new(words.next().unwrap())
            .args(words)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
    };
    let done = |line: &str| run(line).is_ok_and(|status| status.success());
    let mount = format!("mount -o loop {image} {folder}");
    if !done(&format!("truncate -s 128M {image}")) || !done(&format!("mkfs.ext4 -q -F {image}")) || !done(&mount) {
        return skip::skipped("no disk can be made here");
    }
    let mounted = Mounted(folder.clone());
    world.start_recorder();
    world.device().activate(PASSWORD, &[]);
    let site = Site { api: log_in(&world), world };
    let cameras = Cameras::start(Film::SMALL, 1, &[]);
    let id = site.add("Door", &cameras.url(0));
    site.until_state(id, "live");
    wait(4);
    let failing = || site.api.get("/api/v1/recorder").must(200)["disk"]["failing"].clone();
    assert!(failing().is_null());

    // As if it were pulled: the system ends with it in the midst of a write (ext4(5), `abort`).
    assert!(done(&format!("mount -o remount,abort {folder}")));
    let told = until("it is told", Duration::from_secs(10), || Some(failing()).filter(Value::is_array));
    assert!(now() - told[1].as_u64().unwrap() < 10_000, "{told}");
    let page = site.api.get("/cameras").text();
    assert!(page.contains("The disk takes no recordings.") && page.contains("role=\"alert\""), "{page}");
    assert_eq!(site.camera(id)["state"], "live", "the camera is shown on");
    // Gone altogether: nothing is put into the folder under it.
    drop(mounted);
    wait(4);
    let left: Vec<_> = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(failing().is_array());

    let put_back = now();
    let _ = run(&format!("e2fsck -fy {image}"));
    assert!(done(&mount));
    let _mounted = Mounted(folder.clone());
    until("it goes on", Duration::from_secs(20), || failing().is_null().then_some(()));
    until("it is recorded", Duration::from_secs(20), || {
        let spans = site.recorded(id);
        (spans.first()?.0 < put_back && spans.last()?.1 > put_back + 2_000).then_some(())
    });
}

/// Set back an hour, nothing recorded is lost and nothing lies over another.
#[test]
fn a_clock_that_is_set_back() {
    let mut world = World::make(Setup::default());
    world.hash_cheaply("recorder");
    let (shim, offset) = (world.path("clock.so"), world.path("offset"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/clock_set.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o", &shim, source]).status();
    if !built.is_ok_and(|status| status.success()) {
        return skip::skipped("no C compiler");
    }
    fs::write(&offset, "0").unwrap();
    world.set("LD_PRELOAD", &shim);
    world.set("CLOCK_OFFSET", &offset);
    world.start_recorder();
    world.device().activate(PASSWORD, &[]);
    let site = Site { api: log_in(&world), world };
    let cameras = Cameras::start(Film::SMALL, 1, &[]);
    let id = site.add("Door", &cameras.url(0));
    site.until_state(id, "live");
    wait(5);
    fs::write(&offset, "-3600").unwrap();
    wait(6);
    let told = site.api.get("/api/v1/recorder").must(200);
    assert!((3_590_000..3_610_000).contains(&told["clock_ahead"].as_u64().unwrap()), "{told}");
    assert!(site.api.get("/cameras").text().contains("The clock was set back by 60 minutes."));
    let spans = site.recorded(id);
    assert_eq!(spans.len(), 1, "it goes on: {spans:?}");
    assert!(spans[0].1 - spans[0].0 > 9_000 && now() - spans[0].1 < 3_000, "{spans:?} at {}", now());
    let clip = site.clip(id, spans[0].0, spans[0].1);
    assert!((duration(&clip) - (spans[0].1 - spans[0].0) as f64 / 1_000.0).abs() < 0.2);
    assert_eq!(video::decode(&clip), "");
}
