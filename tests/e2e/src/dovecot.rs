//! A real mailbox: Dovecot, by `dovecot.sh`.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use tempfile::TempDir;

use crate::{letter::Letter, ports, wait::until};

/// The password of every user.
pub const PASSWORD: &str = "sesame-7391";

/// Dovecot on a loopback port, with TLS. It stops when dropped.
pub struct Dovecot {
    folder: TempDir,
    port: u16,
}

impl Dovecot {
    /// `None`, and a line that says so, where it cannot run: it is not installed, or another version, or this is not root.
    pub fn start() -> Option<Self> {
        let version = Command::new("/usr/sbin/dovecot").arg("--version").output();
        let is_right = version.is_ok_and(|version| version.stdout.starts_with(b"2.3."));
        if !is_right || !rustix::process::geteuid().is_root() {
            println!("skipped: Dovecot 2.3 is not installed, or this is not root");
            return None;
        }
        let dovecot = Self { folder: tempfile::tempdir().unwrap(), port: ports::free() };
        dovecot.up();
        Some(dovecot)
    }

    /// Starts it after [`Dovecot::down`].
    pub fn up(&self) {
        assert!(self.script("start"), "Dovecot starts");
    }

    /// Stops it. The mails stay.
    pub fn down(&self) {
        assert!(self.script("stop"), "Dovecot stops");
        let pid = self.folder.path().join("run/master.pid");
        until("Dovecot to end", Duration::from_secs(30), || (!pid.exists()).then_some(()));
    }

    /// What `service run --mail-in` takes.
    pub fn url(&self) -> String {
        let ca = self.folder.path().join("ca.pem");
        format!("imaps://help@127.0.0.1:{}/INBOX?ca={}", self.port, ca.display())
    }

    /// A mail comes, as a mail server delivers it.
    pub fn deliver(&self, name: &str, letter: &Letter, return_path: &str) {
        let folder = self.folder.path().join("Maildir");
        let aside = folder.join("tmp").join(name);
        fs::write(&aside, format!("Return-Path: <{return_path}>\r\n{}", letter.text)).unwrap();
        std::os::unix::fs::chown(&aside, Some(user_mail()), None).unwrap();
        fs::rename(&aside, folder.join("new").join(name)).unwrap();
    }

    /// How many mails are marked as seen, and how many there are.
    pub fn seen(&self) -> (usize, usize) {
        let names = |folder: &str| -> Vec<String> {
            let files = fs::read_dir(self.folder.path().join("Maildir").join(folder)).unwrap();
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
        };
        let (cur, new) = (names("cur"), names("new"));
        let seen = cur.iter().filter(|name| name.rsplit(',').next().is_some_and(|flags| flags.contains('S'))).count();
        (seen, cur.len() + new.len())
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("dovecot.log")).unwrap_or_default()
    }

    fn script(&self, verb: &str) -> bool {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("dovecot.sh");
        let status = Command::new(script).arg(self.folder.path()).arg(self.port.to_string()).arg(verb).status();
        status.expect("the script can be started").success()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if self.folder.path().join("run/master.pid").exists() {
            self.script("stop");
        }
    }
}

/// The number of the user `mail`.
fn user_mail() -> u32 {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("mail:")).expect("there is a user mail");
    line.split(':').nth(2).and_then(|number| number.parse().ok()).expect("a number")
}
