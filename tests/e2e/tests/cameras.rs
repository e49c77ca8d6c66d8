//! A recorder's cameras get a new password in the run that opens the recorder: all of them, or none (journey 3).

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sparekey_e2e::{
    Program, Setup, World,
    program::{Ended, typed},
    segment::{Segment, V6},
    until,
    world::SERIAL,
};

const RECORDERS: &str = "tangerine ladder ocean clock";
const NEXT: &str = "granite whistle seldom maple";
const PRESENT: &str = "Camera-0417";
const NEW: &str = "Camera-0418 <&\"ä";

/// A recorder, a tool, and as many cameras as there are lists of flags.
struct Site {
    world: World,
    segment: Segment,
    _recorder: Program,
    cameras: Vec<Camera>,
}

struct Camera {
    child: Child,
    said: String,
}

impl Camera {
    /// What it was set to, one after the other.
    fn set_to(&self) -> Vec<String> {
        let lines = fs::read_to_string(&self.said).unwrap();
        lines.lines().skip(1).filter(|line| !line.starts_with("body ")).map(str::to_owned).collect()
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Site {
    fn with(all: &[&[&str]]) -> Option<Self> {
        let mut segment = Segment::make()?;
        let world = World::make(Setup::default());
        world.hash_cheaply("recorder");
        segment.machine("tool", V6::LinkLocal);
        segment.plug("tool", "eth0", &["10.0.0.5/24"]);
        segment.machine("device", V6::LinkLocal);
        segment.plug("device", "eth0", &["10.0.0.64/24"]);
        let (certificate, key) = (world.path("camera.pem"), world.path("camera.key"));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                "/CN=camera",
            ])
            .args(["-days", "2", "-out", &certificate, "-keyout", &key])
            .output()
            .unwrap();
        assert!(made.status.success());
        let mut cameras = Vec::new();
        for (number, flags) in (1..).zip(all) {
            let (name, address, serial) =
                (format!("camera{number}"), format!("10.0.0.{}", 70 + number), format!("CAM-{number}"));
            segment.machine(&name, V6::Off);
            segment.plug(&name, "eth0", &[&format!("{address}/24")]);
            let mut args = vec![address.as_str(), serial.as_str(), PRESENT];
            args.extend(*flags);
            let mut command = segment.peer(&name, "camera.py", &args)?;
            if !flags.contains(&"plain") {
                command.args(["--tls", &certificate, &key]);
            }
            let said = world.path(&format!("{name}.said"));
            let child = command.stdout(fs::File::create(&said).unwrap()).stderr(Stdio::null()).spawn().unwrap();
            until("a camera", Duration::from_secs(20), || {
                fs::read_to_string(&said).unwrap().starts_with("ready").then_some(())
            });
            cameras.push(Camera { child, said });
        }
        let args = ["--json", "recorder", "run", &world.path("recorder"), "--listen", "[::]:8443"];
        let recorder = Program::start_command("recorder", segment.sparekey("device", &args), world.folder());
        let site = Self { world, segment, _recorder: recorder, cameras };
        let key_file = site.key_file();
        done(&site.tool(&["activate", SERIAL], &[RECORDERS]));
        done(&site.tool(&["export-key", SERIAL, "--out", &key_file], &[RECORDERS]));
        Some(site)
    }

    fn key_file(&self) -> String {
        self.world.path("key.xml")
    }

    fn tool(&self, args: &[&str], lines: &[&str]) -> Ended {
        let known = self.world.path("known");
        typed(self.segment.sparekey("tool", &[args, &["--known", &known]].concat()), lines)
    }

    /// The recorder opened with its key file, and then the cameras.
    fn forgot(&self, more: &[&str], lines: &[&str]) -> Ended {
        let key_file = self.key_file();
        let begin =
            ["--json", "forgot", SERIAL, "--way", "keyfile", "--key-file", &key_file, "--cameras", "serial~CAM"];
        self.tool(&[&begin, more].concat(), &[&[NEXT], lines].concat())
    }
}

#[track_caller]
fn done(ended: &Ended) {
    assert_eq!(ended.status, Some(0), "{ended:?}");
}

/// What became of each camera, in the order of their serial numbers.
fn outcomes(ended: &Ended) -> Vec<String> {
    let lines = ended.output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut cameras: Vec<_> = lines.filter(|line| line["step"] == json!("camera")).collect();
    cameras.sort_by_key(|camera| camera["camera"].to_string());
    cameras.iter().map(|camera| camera["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn all_of_them_are_renewed_however_they_ask_who_calls() {
    let Some(site) = Site::with(&[&[], &["--ask"], &["--lost"]]) else { return };
    let ended = site.forgot(&[], &[PRESENT, NEW]);
    done(&ended);
    assert_eq!(outcomes(&ended), ["renewed", "renewed", "renewed"], "{ended:?}");
    for camera in &site.cameras {
        assert_eq!(camera.set_to(), [NEW]);
        // The present password never crosses the link; the new one once.
        let said = fs::read_to_string(&camera.said).unwrap();
        assert!(!said.contains(PRESENT));
        assert_eq!(said.matches("Camera-0418").count(), 2, "{said}");
    }
    // Another program logs in with it.
    let mut client = site.segment.peer("tool", "onvif_client.py", &["10.0.0.71", "443", "admin", NEW]).unwrap();
    let told = client.output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["users"], json!(["viewer", "admin"]));
}

#[test]
fn if_one_does_not_do_it_none_has_the_new_one() {
    for (flags, sets) in [("--stubborn", 0), ("--forgetful", 0)] {
        let Some(site) = Site::with(&[&[], &[flags]]) else { return };
        let ended = site.forgot(&[], &[PRESENT, NEW]);
        assert!(ended.status == Some(1) && ended.error.contains("cameras-not-renewed"), "{ended:?}");
        let [first, second] = outcomes(&ended).try_into().unwrap();
        assert!(first == "put-back" || first == "untouched", "{ended:?}");
        assert_eq!(second, "failed");
        let first_set = site.cameras[0].set_to();
        assert_eq!(first_set.last().map_or(PRESENT, String::as_str), PRESENT, "{first_set:?}");
        assert_eq!(site.cameras[1].set_to().len(), sets);
        // The recorder is open all the same.
        done(&site.tool(&["security", SERIAL], &[NEXT]));
    }
}

#[test]
fn nothing_is_changed_where_anything_is_wrong_before() {
    let Some(site) = Site::with(&[&[], &["plain"]]) else { return };
    let ended = site.forgot(&[], &[PRESENT, NEW]);
    assert!(ended.status == Some(1) && ended.error.contains("--over-http"), "{ended:?}");
    assert_eq!(outcomes(&ended), ["untouched", "failed"]);

    let again = |more: &[&str], lines: &[&str]| {
        done(&site.tool(&["export-key", SERIAL, "--out", &site.key_file()], &[NEXT]));
        site.forgot(more, lines)
    };
    fs::remove_file(site.key_file()).unwrap();
    let wrong = again(&["--over-http"], &["Camera-0001", NEW]);
    assert!(wrong.status == Some(1) && wrong.error.contains("present name and password"), "{wrong:?}");
    assert_eq!(outcomes(&wrong), ["failed", "failed"]);

    fs::remove_file(site.key_file()).unwrap();
    let same = again(&["--over-http"], &[PRESENT, NEXT]);
    assert!(same.status == Some(1) && same.error.contains("same-password"), "{same:?}");
    fs::remove_file(site.key_file()).unwrap();
    let nobody = again(&["--over-http", "--camera-user", "root"], &[PRESENT, NEW]);
    assert!(nobody.status == Some(1) && nobody.error.contains("cameras-not-renewed"), "{nobody:?}");
    assert!(site.cameras.iter().all(|camera| camera.set_to().is_empty()));

    fs::remove_file(site.key_file()).unwrap();
    let right = again(&["--over-http"], &[PRESENT, NEW]);
    done(&right);
    assert!(site.cameras.iter().all(|camera| camera.set_to() == [NEW]));
}
