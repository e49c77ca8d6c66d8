//! A maker, a service, a card and a recorder, made by the program's own commands.

use std::{fs, path::Path};

use sparekey_protocol::{SigningKey, pem};
use tempfile::TempDir;

use crate::{
    device::Recorder,
    http::Api,
    mailbox::Mailbox,
    opener::Opener,
    ports,
    program::{Program, must},
};

/// The recorder's serial.
pub const SERIAL: &str = "NVR-2026-000417";
/// Its model.
pub const MODEL: &str = "NVR-8";

/// What a test wants otherwise than usual.
#[derive(Default)]
pub struct Setup {
    /// `service run --mail`; a maildir if nothing is said.
    pub mail: Option<String>,
    /// `service run --bounces`; nobody looks for bounces if nothing is said.
    pub bounces: Option<String>,
    /// More arguments of `service run`, such as `--mail-in`.
    pub more: Vec<String>,
    /// `service run --database`; SQLite in its folder if nothing is said.
    pub database: Option<String>,
    /// `SPAREKEY_LOG` of both programs.
    pub log: Option<&'static str>,
}

/// The folders, and the programs that run on them. They end when it is dropped.
pub struct World {
    service: Option<Program>,
    recorder: Option<Program>,
    setup: Setup,
    service_port: u16,
    recorder_port: u16,
    /// Of both programs' environment.
    more: Vec<(String, String)>,
    dir: TempDir,
}

impl World {
    /// Makes everything; nothing runs yet.
    pub fn make(setup: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self {
            dir,
            setup,
            service_port: ports::free(),
            recorder_port: ports::free(),
            service: None,
            recorder: None,
            more: Vec::new(),
        };
        let [maker, service, card] = ["maker", "service", "card"].map(|name| world.path(name));
        let maker_pub = format!("{maker}/maker.pub");
        must(&["maker", "init", &maker]);
        let mut init = vec!["service", "init", &service, "--maker", &maker_pub];
        init.extend(world.setup.database.iter().flat_map(|database| ["--database", database]));
        must(&init);
        let url = world.service_url();
        must(&[
            "maker",
            "card",
            &maker,
            "--service",
            &service,
            "--edition",
            "1",
            "--name",
            "Test service",
            "--url",
            &url,
            "--out",
            &card,
        ]);
        world.make_recorder("recorder", SERIAL);
        world
    }

    /// Makes everything and starts both programs.
    pub fn start(setup: Setup) -> Self {
        let mut world = Self::make(setup);
        world.start_service();
        world.start_recorder();
        world
    }

    /// Another recorder of the same maker, which pins the same card.
    pub fn make_recorder(&self, name: &str, serial: &str) {
        let [dir, card, maker] = [name, "card", "maker"].map(|name| self.path(name));
        let key = format!("{maker}/maker.key");
        must(&["recorder", "init", &dir, "--serial", serial, "--model", MODEL, "--card", &card, "--maker-key", &key]);
    }

    /// Sets the least that a recorder accepts for a hash, as on a small camera: for tests of many steps.
    pub fn hash_cheaply(&self, name: &str) {
        fs::write(self.folder().join(name).join("hashing.toml"), "memory_kib = 7168\npasses = 5\nlanes = 1\n").unwrap();
    }

    /// Starts the service, the first time or again.
    pub fn start_service(&mut self) {
        self.service = Some(self.node("service", self.service_port));
    }

    /// A further process of the same service, on a port of its own.
    pub fn node(&self, name: &str, port: u16) -> Program {
        let (dir, url, listen) = (self.path("service"), self.service_url(), format!("127.0.0.1:{port}"));
        let mail = self.setup.mail.clone().unwrap_or_else(|| format!("maildir:{}", self.path("mail")));
        let mut args = vec!["service", "run", &dir, "--url", &url, "--listen", &listen, "--mail", &mail];
        if let Some(bounces) = &self.setup.bounces {
            args.extend(["--bounces", bounces]);
        }
        if let Some(database) = &self.setup.database {
            args.extend(["--database", database]);
        }
        args.extend(self.setup.more.iter().map(String::as_str));
        Program::start(name, &args, self.dir.path(), &self.variables())
    }

    /// Starts the recorder, the first time or again.
    pub fn start_recorder(&mut self) {
        self.recorder = Some(self.other_recorder("recorder", self.recorder_port));
    }

    /// Starts a recorder that [`World::make_recorder`] made.
    pub fn other_recorder(&self, name: &str, port: u16) -> Program {
        let (dir, listen) = (self.path(name), format!("127.0.0.1:{port}"));
        Program::start(name, &["recorder", "run", &dir, "--listen", &listen], self.dir.path(), &self.variables())
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        let log = self.setup.log.iter().map(|log| ("SPAREKEY_LOG", *log));
        log.chain(self.more.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect()
    }

    /// Sets a variable of the programs that start from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.more.push((name.to_owned(), value.to_owned()));
    }

    /// The running service.
    pub fn service(&mut self) -> &mut Option<Program> {
        &mut self.service
    }

    /// The running recorder.
    pub fn recorder(&mut self) -> &mut Option<Program> {
        &mut self.recorder
    }

    /// `kill -9`, and the service again.
    pub fn crash_service(&mut self) {
        self.service.take().expect("the service runs").kill();
        self.start_service();
    }

    /// `kill -9`, and the recorder again.
    pub fn crash_recorder(&mut self) {
        self.recorder.take().expect("the recorder runs").kill();
        self.start_recorder();
    }

    /// Where the service is.
    pub fn service_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.service_port)
    }

    /// Where the recorder's own screen is.
    pub fn screen_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.recorder_port)
    }

    /// The service's interface.
    pub fn service_api(&self) -> Api {
        Api::new(&self.service_url())
    }

    /// The recorder's interface, as its own screen has it.
    pub fn device(&self) -> Recorder {
        Recorder::new(Api::new(&self.screen_url()))
    }

    /// The maildir, if nothing else was chosen.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::new(self.folder().join("mail"))
    }

    /// Where everything is.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// A file or folder in it.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().expect("temporary folders have plain names").to_owned()
    }

    /// A private key out of one of the folders.
    pub fn key(&self, file: &str) -> SigningKey {
        let text = fs::read_to_string(self.path(file)).unwrap();
        pem::read_signing_key(&text).expect("a key in PEM")
    }

    /// Opens requests as the service does.
    pub fn opener(&self) -> Opener {
        Opener::read(&self.path("maker/maker.pub"), &self.path("service/opening.key"))
    }
}
