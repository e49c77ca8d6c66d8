//! The agent: from a folder to a device that answers, and through its restarts.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sparekey_device::{Caller, Damaged, Device, TICK_SECONDS};
use sparekey_protocol::{Certificate, Firmware, Serial};
use sparekey_web::host::Hosts;
use sparekey_web::page::Page;
use sparekey_web::tls;
use tokio_util::sync::CancellationToken;

use crate::announce::Announcer;
use crate::app::App;
use crate::calibrate::hashing_cost;
use crate::folder::{FolderError, Held};
use crate::guesses::Guesses;
use crate::guest::Guest;
use crate::hasher::Hasher;
use crate::link::{Door, Interfaces};
use crate::live::{Live, Start};
use crate::network::{Linux, Network, NetworkInterface};
use crate::presence::{self, Hand};
use crate::recordings::Recordings;
use crate::removable::Removable;
use crate::router;
use crate::settings::Settings;
use crate::sockets::{Addresses, Routers, Sockets};
use crate::strength::Judge;
use crate::telling::Teller;
use crate::vault::VaultError;

/// Before the first start again after a failed write; it doubles with each further one, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why an agent does not start, or ends. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The device's folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An address that cannot be listened on.
    #[error(
        "{0} cannot be listened on ({1}).\nGive another with --listen (the demo: --port), or stop the program that uses this one."
    )]
    Bind(SocketAddr, io::Error),
    /// The system.
    #[error("The system refuses what the agent needs ({0}).\nCheck its limits of threads and memory.")]
    System(#[from] io::Error),
}

impl From<Damaged> for AgentError {
    fn from(_: Damaged) -> Self {
        FolderError::Vault(VaultError::Damaged).into()
    }
}

impl AgentError {
    /// Whether it may pass: the disk did not do what it was asked to.
    fn is_of_disk(&self) -> bool {
        let of_vault = |error: &FolderError| matches!(error, FolderError::Vault(VaultError::Io(_)));
        let of_disk = |error: &FolderError| matches!(error, FolderError::Io(..) | FolderError::Recordings(_));
        matches!(self, Self::Folder(error) if of_disk(error) || of_vault(error))
    }
}

/// A device's folder, taken, and what is set for it.
#[derive(Debug)]
pub struct Agent {
    held: Held,
    firmware: Firmware,
    /// As `settings.toml` says; arguments may change it before [`Agent::bind`].
    pub settings: Settings,
    /// Who judges new passwords.
    pub judge: Judge,
    /// How the recordings are erased when an ownership ends.
    pub recordings: Recordings,
    /// The interface whose settings the owner may change over the network; the one that `settings.toml` names, if it names one.
    pub network: Option<Arc<dyn NetworkInterface>>,
    /// What is served beside the agent.
    pub guest: Option<Arc<dyn Guest>>,
}

impl Agent {
    /// Takes a folder that [`crate::folder::init`] made.
    ///
    /// # Errors
    /// [`AgentError::Folder`].
    pub fn open(dir: &Path, firmware: Firmware) -> Result<Self, AgentError> {
        let held = Held::take(dir)?;
        let settings = held.settings()?;
        let named = |name: &String| -> Arc<dyn NetworkInterface> {
            // Its programs are not started in the folder: a path from here would be another there.
            let folder = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
            Arc::new(Linux::new(name, &settings.resolv_conf, &folder))
        };
        let network = settings.network.as_ref().map(named);
        let (judge, recordings) = (Judge::default(), Recordings::in_folder(dir));
        Ok(Self { held, firmware, settings, judge, recordings, network, guest: None })
    }

    /// The serial number that the maker certified.
    ///
    /// # Errors
    /// [`AgentError::Folder`]
    pub fn serial(&self) -> Result<Serial, AgentError> {
        Ok(self.held.identity(self.firmware.clone())?.certificate().serial.clone())
    }

    /// Binds its sockets.
    ///
    /// # Errors
    /// [`AgentError::Bind`].
    pub async fn bind(mut self) -> Result<Bound, AgentError> {
        let network = match &self.network {
            Some(interface) => {
                let within = Duration::from_secs(self.settings.network_confirm_seconds);
                Some(Network::open(Arc::clone(interface), self.held.folder().clone(), within).await)
            }
            None => None,
        };
        if let Some(ports) = network.as_ref().and_then(|network| network.kept_ports()) {
            self.settings.listen_at(ports);
        }
        let (sockets, addresses) = Sockets::bind(&self.settings).await?;
        if let Some(network) = &network {
            network.listening(addresses);
        }
        Ok(Bound { agent: self, sockets, addresses, network })
    }

    /// Reads the certificate for HTTPS, made at the first start.
    pub(crate) fn https(&self) -> Result<Https, AgentError> {
        let identity = self.held.identity(self.firmware.clone())?;
        let Certificate { model, serial, .. } = identity.certificate();
        let made = self.held.tls(&format!("{model} {serial}"))?;
        let pem = made.certificate.as_bytes();
        let config = tls::server_config(pem, made.key.as_bytes()).map_err(FolderError::Tls)?;
        let proof = identity.tls_proof(&tls::der(pem).map_err(FolderError::Tls)?);
        Ok(Https { config, fingerprint: tls::fingerprint(pem).map_err(FolderError::Tls)?, proof })
    }

    pub(crate) fn hosts(&self) -> Hosts {
        Hosts::new(self.settings.names.iter().cloned())
    }
}

/// An agent that has its sockets.
#[derive(Debug)]
pub struct Bound {
    agent: Agent,
    sockets: Sockets,
    addresses: Addresses,
    network: Option<Arc<Network>>,
}

impl Bound {
    /// Where it answers, with the real ports.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Runs until `stop`. After a new password the agent restarts in here: it drops listeners and state, and comes back
    /// with what is on the disk. After a failed write as well, but only after a pause, in which it says so to all callers.
    ///
    /// # Errors
    /// [`AgentError`]; after the first start only if the address is lost, or a file was damaged.
    pub async fn run(self, stop: CancellationToken) -> Result<(), AgentError> {
        let Self { agent, sockets, addresses, network } = self;
        let network = network.as_ref();
        let keeping = network.map(|network| tokio::spawn(Arc::clone(network).keep(stop.clone())));
        let ended = run_on(&agent, sockets, addresses, network, &stop).await;
        if let Some(keeping) = keeping {
            stop.cancel();
            // What was not confirmed is taken back before the process ends.
            let _ = keeping.await;
        }
        ended
    }
}

/// All starts of the device, one after the other.
async fn run_on(
    agent: &Agent,
    sockets: Sockets,
    mut addresses: Addresses,
    network: Option<&Arc<Network>>,
    stop: &CancellationToken,
) -> Result<(), AgentError> {
    let https = agent.https()?;
    let mut announcer = Announcer::start(&agent.settings, addresses);
    let mut sockets = Some(sockets);
    let mut previous = None;
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        let bound = match sockets.take() {
            Some(bound) => bound,
            None => {
                let (bound, now) = bind_again(addresses, network).await?;
                if now != addresses {
                    // Its goodbye names the old port, and it begins anew with the other one.
                    drop(announcer.take());
                    announcer = Announcer::start(&agent.settings, now);
                    addresses = now;
                }
                bound
            }
        };
        let at = Start::now(previous);
        let stored = match run_once(agent, bound, &https, announcer.as_ref(), network, at, stop).await {
            Err(error) if error.is_of_disk() && previous.is_some() => {
                tracing::error!(%error, "the device cannot start again");
                false
            }
            ended => ended?,
        };
        previous = Some(at);
        if stored || at.age() >= LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        if !stored {
            wait(agent, Sockets::bind_again(addresses).await?, &https, pause, stop).await?;
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }
    tracing::info!("the agent has stopped");
    Ok(())
}

/// The sockets once more; at other ports, if these were changed. Where they cannot be had, the change is taken back.
async fn bind_again(addresses: Addresses, network: Option<&Arc<Network>>) -> Result<(Sockets, Addresses), AgentError> {
    let Some(network) = network else { return Ok((Sockets::bind_again(addresses).await?, addresses)) };
    let wanted = addresses.with(network.ports());
    let bound = Sockets::bind_again(wanted).await;
    if bound.as_ref().is_ok_and(|bound| bound.are_all(wanted)) || !network.go_back().await {
        return Ok((bound?, wanted));
    }
    drop(bound);
    let before = addresses.with(network.ports());
    Ok((Sockets::bind_again(before).await?, before))
}

/// A pause after a failed write: everybody is told to come back.
async fn wait(
    agent: &Agent,
    sockets: Sockets,
    https: &Https,
    pause: Duration,
    stop: &CancellationToken,
) -> Result<(), AgentError> {
    let over = stop.child_token();
    let frame = Page::new("", agent.settings.title.clone());
    let router = router::unavailable(agent.hosts(), frame, pause);
    let routers = Routers { main: router.clone(), lan: router };
    let timer = async {
        over.run_until_cancelled(tokio::time::sleep(pause)).await;
        over.cancel();
    };
    let (served, ()) = tokio::join!(sockets.serve(https.config(), routers, over.clone()), timer);
    served
}

/// The device's own certificate, the same at every start.
pub(crate) struct Https {
    config: Arc<rustls::ServerConfig>,
    fingerprint: String,
    /// The device's word that it is its own (protocol section 11).
    proof: Vec<u8>,
}

impl Https {
    fn config(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// Starts the device from its folder. `done` is cancelled when it has to restart.
pub(crate) async fn start(
    agent: &Agent,
    https: &Https,
    network: Option<&Arc<Network>>,
    at: Start,
    done: CancellationToken,
) -> Result<Arc<App>, AgentError> {
    let settings = &agent.settings;
    let (mut vault, state) = agent.held.vault()?;
    let identity = agent.held.identity(agent.firmware.clone())?;
    let (serial, model) = (identity.certificate().serial.clone(), identity.certificate().model.clone());
    let state = (!state.is_empty()).then_some(state.as_slice());
    let mut device = Device::start(identity, settings.policy().map_err(FolderError::Settings)?, state)?;
    if device.recordings_to_erase() {
        tracing::warn!("the recordings are erased, as it was asked for when an ownership ended");
        agent.recordings.erase().map_err(FolderError::Recordings)?;
        let erased = device.recordings_erased(at.at()).commit(|state| vault.write(state));
        erased.map_err(|error| FolderError::Vault(VaultError::Io(error)))?;
    }
    let active = device.is_active();
    if let Some(guest) = agent.guest.as_ref().filter(|_| !active) {
        guest.unowned();
    }
    let cost = hashing_cost(&agent.held, &device)?;

    let language = settings.mail_language().map_err(FolderError::Settings)?;
    let interfaces = Interfaces::default();
    let app = Arc::new(App {
        live: Live::new(device, vault, at, done.clone()),
        hasher: Hasher::start()?,
        guesses: Guesses::default(),
        judge: agent.judge.clone(),
        cost,
        language: language.clone(),
        frame: Page::new("", settings.title.clone()).note(format!("{model} · {serial}")),
        code_seconds: settings.code_minutes * 60,
        questions: settings.questions,
        removable: Removable::new(settings.removable.clone()),
        fingerprint: https.fingerprint.clone(),
        tls_proof: https.proof.clone(),
        teller: Teller::open(agent.held.folder().clone(), &settings.title, language.clone()),
        screen: settings.screen,
        connected: Box::new(move |addr| interfaces.is_connected(addr)),
        restart: done,
        off_link: None.into(),
        hand: Hand::default(),
        guest: agent.guest.clone(),
        network: network.cloned(),
    });
    // The start itself goes on disk first: running time and tries are counted from there.
    tick(&app).await;
    tracing::info!(%serial, active, "the device has started");
    Ok(app)
}

/// One start of the device, until it is to stop or to restart. Whether all that it was told is on the disk.
async fn run_once(
    agent: &Agent,
    sockets: Sockets,
    https: &Https,
    announcer: Option<&Announcer>,
    network: Option<&Arc<Network>>,
    at: Start,
    stop: &CancellationToken,
) -> Result<bool, AgentError> {
    let done = stop.child_token();
    let app = start(agent, https, network, at, done.clone()).await?;
    let routers = Routers {
        main: router::answering(&app, agent.hosts(), Door::Main)?,
        lan: router::answering(&app, agent.hosts(), Door::Link)?,
    };
    let ticking = done.run_until_cancelled(async {
        loop {
            tokio::time::sleep(Duration::from_secs(TICK_SECONDS)).await;
            tick(&app).await;
        }
    });
    let telling = done.run_until_cancelled(Teller::run(&app));
    let watching = done.run_until_cancelled(presence::watch(agent.held.presence(), app.hand.clone()));
    let announcing = done.run_until_cancelled(async {
        if let Some(announcer) = announcer {
            announcer.follow(&app).await;
        }
    });
    let noting = done.run_until_cancelled(app.note_network());
    let moving = done.run_until_cancelled(async {
        if let Some(network) = network {
            network.moves().await;
            done.cancel();
        }
    });
    let served = sockets.serve(https.config(), routers, done.clone());
    let (served, _, _, _, _, _, _) = tokio::join!(served, ticking, telling, watching, announcing, noting, moving);
    served?;
    Ok(app.live.settle().await)
}

/// Keeps the running time. A disk that fails has been logged, and the agent starts again.
async fn tick(app: &App) {
    let _ = app.live.command(Caller::Screen, |device, now| Ok(device.tick(now))).await;
}
