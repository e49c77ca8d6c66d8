//! The program under test, as a process.

use std::{
    env,
    fs::{self, File},
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::wait::until;

/// To start, or to end when asked to.
const LONGEST: Duration = Duration::from_secs(60);

/// A `run` or `demo` that has said where it answers.
pub struct Program {
    child: Child,
    name: String,
    told: Value,
    output: PathBuf,
    log: PathBuf,
}

/// Where the program is.
pub fn path() -> PathBuf {
    let path = env::var_os("SPAREKEY_BIN").map_or_else(beside_this_test, PathBuf::from);
    assert!(path.exists(), "{} is not there.\nBuild it first:  cargo build", path.display());
    path
}

/// A test is `target/debug/deps/NAME-HASH`.
fn beside_this_test() -> PathBuf {
    let own = env::current_exe().expect("a running test is a file");
    let profile = own.ancestors().nth(2).expect("it lies two folders deep in target");
    profile.join("sparekey")
}

/// The program with arguments; variables that would set something are taken away.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(path());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPAREKEY_")) {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub error: String,
}

/// Runs a command to its end.
pub fn run(args: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let (output, error) = (folder.path().join("output"), folder.path().join("error"));
    let mut child = command(args)
        .stdout(File::create(&output).unwrap())
        .stderr(File::create(&error).unwrap())
        .spawn()
        .expect("the program can be started");
    let status = end_of(&mut child, &format!("{args:?}"));
    let read = |path| fs::read_to_string(path).unwrap();
    Ended { status: status.code(), output: read(output), error: read(error) }
}

/// The same, with these lines on standard input.
pub fn typed(mut command: Command, lines: &[&str]) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may have refused before it read.
    let _ = child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { status: done.status.code(), output: text(done.stdout), error: text(done.stderr) }
}

/// Runs a command that is to succeed.
pub fn must(args: &[&str]) -> String {
    let ended = run(args);
    assert_eq!(ended.status, Some(0), "{args:?}: {}", ended.error);
    ended.output
}

fn end_of(child: &mut Child, name: &str) -> ExitStatus {
    let deadline = Instant::now() + LONGEST;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("{name} did not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

impl Program {
    /// Starts it with `--json`, its output and log in `folder` (added to what an earlier start left there), and waits until
    /// it says where it answers.
    pub fn start(name: &str, args: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = command(&["--json"]);
        command.args(args).envs(variables.iter().copied());
        Self::start_command(name, command, folder)
    }

    /// The same with a command that ends in the program with `--json`.
    pub fn start_command(name: &str, mut command: Command, folder: &Path) -> Self {
        let (output, log) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.log")));
        let said_before = fs::metadata(&output).map_or(0, |file| file.len() as usize);
        let append = |path: &Path| File::options().create(true).append(true).open(path).unwrap();
        command.stdout(append(&output)).stderr(append(&log));
        // A group of its own, so that the children it has for photos end with it.
        let mut child = command.process_group(0).spawn().expect("the program can be started");
        let told = until(&format!("{name} to start"), LONGEST, || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{name} ended with {status}:\n{}", tail(&log));
            }
            let said = fs::read_to_string(&output).unwrap();
            let (line, _) = said.get(said_before..)?.split_once('\n')?;
            Some(serde_json::from_str(line).expect("the line is JSON"))
        });
        Self { child, name: name.to_owned(), told, output, log }
    }

    /// What it said at its start.
    pub fn told(&self, field: &str) -> &str {
        self.told[field].as_str().unwrap_or_else(|| panic!("{} told no {field}: {}", self.name, self.told))
    }

    /// All it said and logged.
    pub fn said(&self) -> String {
        let read = |path| fs::read_to_string(path).unwrap();
        read(&self.output) + &read(&self.log)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.kill_group();
    }

    /// Ends it as Ctrl-C does.
    pub fn interrupt(mut self) -> ExitStatus {
        rustix::process::kill_process(self.pid(), Signal::INT).unwrap();
        end_of(&mut self.child, &self.name)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn kill_group(&mut self) {
        let _ = rustix::process::kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill_group();
        }
        if thread::panicking() {
            eprintln!("--- the last that {} logged\n{}", self.name, tail(&self.log));
        }
    }
}

fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
