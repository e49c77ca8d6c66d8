//! A real mail server: Postfix, by `postfix.sh`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{mailbox::Mailbox, ports, skip::skipped};

/// Postfix on a loopback port, with STARTTLS. It stops when dropped.
pub struct Postfix {
    folder: TempDir,
    port: u16,
    /// Where mail for help@desk.example goes.
    lmtp: Option<u16>,
}

impl Postfix {
    /// `None`, and a line that says so, where Postfix cannot run: it is not installed, or this is not root.
    pub fn start() -> Option<Self> {
        Self::start_with(None)
    }

    /// The same, and mail for help@desk.example is handed over to this loopback port (LMTP).
    pub fn start_with_lmtp(port: u16) -> Option<Self> {
        Self::start_with(Some(port))
    }

    fn start_with(lmtp: Option<u16>) -> Option<Self> {
        if !Path::new("/usr/sbin/postfix").exists() || !rustix::process::geteuid().is_root() {
            skipped("Postfix is not installed, or this is not root");
            return None;
        }
        let postfix = Self { folder: tempfile::tempdir().unwrap(), port: ports::free(), lmtp };
        postfix.up();
        Some(postfix)
    }

    /// Starts it after [`Postfix::down`].
    pub fn up(&self) {
        assert!(self.script("start"), "Postfix starts");
    }

    /// Stops it. What it delivered stays.
    pub fn down(&self) {
        assert!(self.script("stop"), "Postfix stops");
    }

    /// What `service run --mail` takes: STARTTLS or nothing, with a certificate that is checked.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?starttls=required&ca={}", self.port, self.folder.path().join("ca.pem").display())
    }

    /// The loopback port where it takes mail.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("postfix.log")).unwrap_or_default()
    }

    /// What `service run --bounces` takes.
    pub fn bounces(&self) -> String {
        format!("maildir:{}", self.folder.path().join("bounces").display())
    }

    /// What it delivered.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::new(self.folder.path().join("mail"))
    }

    fn script(&self, verb: &str) -> bool {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("postfix.sh");
        let status = Command::new(script)
            .arg(self.folder.path())
            .arg(self.port.to_string())
            .arg(verb)
            .args(self.lmtp.map(|port| port.to_string()))
            .status();
        status.expect("the script can be started").success()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.script("stop");
    }
}
