//! What the demo makes on its first run, and keeps.

use std::{
    fs,
    io::ErrorKind,
    net::IpAddr,
    path::{Path, PathBuf},
};

use sparekey_agent::{
    Agent, AgentError,
    folder::{self, FolderError},
};
use sparekey_protocol::{BaseUrl, CardName, Model, Serial, SigningKey};
use sparekey_service::service;
use sparekey_web::{listen::Scheme, tls};

use super::SERVICE_NAME;
use crate::{
    card,
    failure::Failure,
    files, maker,
    recorder::{self, firmware},
    service::own_database,
};

const SERIAL: &str = "NVR-2026-000417";
const MODEL: &str = "NVR-8";
/// Twenty seconds, drawn for this demo.
const CAMERA: &[u8] = include_bytes!("../../demo/camera.mp4");
/// Says that a folder is a demo's, and may be forgotten.
const MARK: &str = "this-is-a-sparekey-demo";

/// Where everything is reached.
pub(super) struct Where {
    pub(super) host: IpAddr,
    pub(super) url: BaseUrl,
    pub(super) service: u16,
    pub(super) recorder: u16,
    pub(super) mailbox: u16,
}

impl Where {
    pub(super) fn new(host: IpAddr, first: u16) -> Result<Self, Failure> {
        if first == 0 {
            return Err(Failure::malformed("--port", "the demo needs four ports that are known beforehand"));
        }
        let port =
            |n| first.checked_add(n).ok_or_else(|| Failure::malformed("--port", "no room for four ports above it"));
        let scheme = if host.is_loopback() { "http" } else { "https" };
        let url = card::url(&format!("{scheme}://{host}:{first}"))?;
        // The port after the recorder's is for the LAN tool.
        Ok(Self { host, url, service: first, recorder: port(1)?, mailbox: port(3)? })
    }
}

/// The demo's folders.
pub(super) struct Folders {
    root: PathBuf,
    maker: PathBuf,
    pub(super) service: PathBuf,
    pub(super) recorder: PathBuf,
    pub(super) mail: PathBuf,
}

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        let folder = |name| root.join(name);
        Self {
            maker: folder("maker"),
            service: folder("service"),
            recorder: folder("recorder"),
            mail: folder("mail"),
            root: root.to_owned(),
        }
    }

    /// Removes what an earlier run made; a folder that is no demo's is left alone.
    pub(super) fn forget(&self) -> Result<(), Failure> {
        if !self.root.exists() {
            return Ok(());
        }
        self.must_be_ours()?;
        // Whoever runs on it has it for as long as he runs.
        if let Err(error @ AgentError::Folder(FolderError::InUse(_))) = Agent::open(&self.recorder, firmware()) {
            return Err(recorder::failed(error));
        }
        fs::remove_dir_all(&self.root).map_err(|error| failed("removed", &self.root, &error))
    }

    fn must_be_ours(&self) -> Result<(), Failure> {
        if self.root.join(MARK).exists() {
            return Ok(());
        }
        let happened = format!("{} was not made by the demo.", self.root.display());
        Err(Failure::new("not-possible", happened, "It is left as it is. Name another folder with --data."))
    }

    /// A moving picture with a clock, as a file that a recorder plays as if it were a camera.
    pub(super) fn demo_camera(&self) -> Result<PathBuf, Failure> {
        let path = self.root.join("camera.mp4");
        if !path.exists() {
            files::make_public(&path, CAMERA)?;
        }
        // The recorder's settings outlive this folder's name as it was typed.
        path.canonicalize().map_err(|error| failed("found", &path, &error))
    }

    /// Makes what is missing, step by step, so that a run that was cut short is picked up by the next.
    pub(super) async fn set_up(&self, place: &Where) -> Result<(), Failure> {
        files::folder(&self.root)?;
        // Only an empty folder is marked: a later --fresh removes a marked one with all that is in it.
        if is_empty(&self.root) {
            files::make_public(&self.root.join(MARK), b"sparekey demo --fresh removes this folder.\n")?;
        }
        self.must_be_ours()?;
        let maker_key = self.maker.join("maker.key");
        if !maker_key.exists() {
            maker::make(&self.maker)?;
        }
        let maker = files::signing_key(&maker_key)?;
        if !self.service.exists() {
            let new = self.begin("service.new")?;
            service::init(&new, &[maker.public()], &own_database(&new))
                .await
                .map_err(|error| Failure::two_lines("not-possible", &error))?;
            finish(&new, &self.service)?;
        }
        self.set_up_recorder(place, &maker)
    }

    fn set_up_recorder(&self, place: &Where, maker: &SigningKey) -> Result<(), Failure> {
        let refused = |error: FolderError| Failure::two_lines("not-possible", &error);
        let name = CardName::new(SERVICE_NAME).expect("the demo's name is a short text");
        let sign = |edition| card::sign(maker, &self.service, edition, name.clone(), place.url.clone());
        if self.recorder.exists() {
            let pinned = folder::card(&self.recorder).map_err(refused)?;
            if pinned.url == place.url {
                return Ok(());
            }
            // A new address is a new edition of the card.
            return folder::replace_card(&self.recorder, &sign(pinned.edition + 1)?).map_err(refused);
        }
        let serial = Serial::new(SERIAL).expect("the demo's serial has the letters it may have");
        let model = Model::new(MODEL).expect("the demo's model is a short text");
        let new = self.begin("recorder.new")?;
        folder::init(&new, serial, model, &sign(1)?, maker).map_err(refused)?;
        finish(&new, &self.recorder)
    }

    /// A folder in which something is made, to get its name when it is whole: a run that is cut short leaves nothing half done.
    fn begin(&self, name: &str) -> Result<PathBuf, Failure> {
        let new = self.root.join(name);
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("removed", &new, &error)),
            _ => Ok(new),
        }
    }

    /// Plain HTTP on loopback; on the LAN, TLS by a certificate that is made here once for each address.
    pub(super) fn scheme(&self, place: &Where) -> Result<Scheme, Failure> {
        if place.host.is_loopback() {
            return Ok(Scheme::Plain);
        }
        let path = |end: &str| self.service.join(format!("tls-{}.{end}", place.host));
        let failed = |error: tls::TlsError| Failure::two_lines("not-possible", &error);
        if !path("key").exists() {
            let made = tls::self_signed(&[place.host.to_string()], SERVICE_NAME).map_err(failed)?;
            // The key last: it stands for both.
            let _ = fs::remove_file(path("pem"));
            files::make_public(&path("pem"), made.certificate.as_bytes())?;
            files::make_private(&path("key"), made.key.as_bytes())?;
        }
        let config = tls::server_config(&files::read(&path("pem"))?, &files::read(&path("key"))?).map_err(failed)?;
        Ok(Scheme::Tls(config))
    }
}

fn finish(new: &Path, name: &Path) -> Result<(), Failure> {
    fs::rename(new, name).map_err(|error| failed("renamed", new, &error))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    let happened = format!("{} cannot be {what}: {error}.", path.display());
    Failure::new("not-possible", happened, "Check who owns the folder, or start over with --fresh.")
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
