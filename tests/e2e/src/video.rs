//! Cameras that nobody here wrote, and programs that look at what was recorded of them.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::ports;

/// What a clip of a camera is like.
#[derive(Clone, Copy, Debug)]
pub struct Film {
    /// `h264` or `h265`.
    pub codec: &'static str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Kilobits a second.
    pub rate: u32,
    /// With a tone.
    pub sound: bool,
}

impl Film {
    /// Small: what most tests take.
    pub const SMALL: Self = Self { codec: "h264", width: 640, height: 360, rate: 500, sound: false };

    /// Ten seconds, 25 pictures each, a key picture every two; made once, and kept.
    pub fn file(self) -> PathBuf {
        let Self { codec, width, height, rate, sound } = self;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/films");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{codec}-{width}x{height}-{rate}{}.mp4", if sound { "-sound" } else { "" }));
        if path.exists() {
            return path;
        }
        let scratch = path.with_extension(format!("{}.mp4", std::process::id()));
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-y", "-f", "lavfi", "-i", &format!("testsrc2=size={width}x{height}:rate=25")]);
        if sound {
            command.args([
                "-f",
                "lavfi",
                "-i",
                "sine=frequency=440:sample_rate=48000",
                "-c:a",
                "aac",
                "-b:a",
                "64k",
                "-ac",
                "1",
            ]);
        }
        let (k, buffer) = (format!("{rate}k"), format!("{rate}k"));
        command.args([
            "-t",
            "10",
            "-vf",
            "noise=alls=8:allf=t",
            "-pix_fmt",
            "yuv420p",
            "-b:v",
            &k,
            "-maxrate",
            &k,
            "-bufsize",
            &buffer,
        ]);
        if codec == "h264" {
            command.args([
                "-c:v",
                "libx264",
                "-preset",
                "veryfast",
                "-tune",
                "zerolatency",
                "-profile:v",
                "high",
                "-bf",
                "0",
            ]);
            command.args(["-g", "50", "-keyint_min", "50", "-sc_threshold", "0"]);
        } else {
            command.args([
                "-c:v",
                "libx265",
                "-preset",
                "ultrafast",
                "-x265-params",
                "keyint=50:bframes=0:log-level=error",
                "-tag:v",
                "hvc1",
            ]);
        }
        assert!(command.args(["-movflags", "+faststart"]).arg(&scratch).status().unwrap().success(), "ffmpeg");
        fs::rename(&scratch, &path).unwrap();
        path
    }
}

/// Cameras by RTSP. They end when it is dropped.
pub struct Cameras {
    child: Child,
    /// Where they are: `/cam0` and on.
    pub port: u16,
}

impl Cameras {
    /// So many cameras that show a film.
    pub fn start(film: Film, count: usize, args: &[&str]) -> Self {
        Self::start_at(ports::free(), film, count, args)
    }

    /// The same, at a port.
    pub fn start_at(port: u16, film: Film, count: usize, args: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/rtsp_camera.py");
        // Debian's own, which has GStreamer.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).args([&port.to_string(), &count.to_string()]).arg(film.file()).args(args);
        if film.sound {
            command.arg("--audio");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening"), "the camera: {line:?}");
        Self { child, port }
    }

    /// The address of one.
    pub fn url(&self, number: usize) -> String {
        format!("rtsp://127.0.0.1:{}/cam{number}", self.port)
    }
}

impl Drop for Cameras {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `ffprobe` says of a file.
pub fn probe(file: &Path) -> Value {
    let entries = "format=duration:stream=codec_name,width,height,nb_frames,duration,profile";
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", entries, "-of", "json"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Decodes all of it; what was wrong.
pub fn decode(file: &Path) -> String {
    let output =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(file).args(["-f", "null", "-"]).output().unwrap();
    // What becomes of them afterwards, at a steady rate, is nothing to a decoder.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = said.lines().filter(|line| !line.starts_with("[null @")).take(20);
    let mut said = lines.collect::<Vec<_>>().join("\n");
    if !output.status.success() {
        let _ = write!(said, "{}", output.status);
    }
    said
}

/// The hashes of its pictures as they are encoded, without parameter sets and delimiters.
pub fn pictures(file: &Path) -> Vec<String> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args([
            "-map",
            "0:v",
            "-c",
            "copy",
            "-bsf:v",
            "h264_mp4toannexb,filter_units=remove_types=6-9",
            "-f",
            "framehash",
            "-",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit(',').next()).map(|hash| hash.trim().to_owned()).collect()
}
