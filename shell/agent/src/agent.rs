//! The agent: from a folder to a device that answers, and through its restarts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use sparekey_device::{Caller, Damaged, Device, TICK_SECONDS};
use sparekey_protocol::Firmware;
use sparekey_web::csrf::{self, Csrf};
use sparekey_web::headers::{self, Headers};
use sparekey_web::host::{self, Hosts};
use sparekey_web::listen::{Bounds, Listener, Scheme};
use sparekey_web::messages;
use sparekey_web::page::{self, Page};
use sparekey_web::problem::Problem;
use sparekey_web::tls;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::calibrate::hashing_cost;
use crate::folder::{FolderError, Held};
use crate::guesses::Guesses;
use crate::hasher::Hasher;
use crate::link::{Door, Interfaces};
use crate::live::{Live, Start};
use crate::settings::Settings;
use crate::strength::Judge;
use crate::vault::VaultError;
use crate::{api, lan_listener, pages};

/// The longest body: a file of 64 KiB (protocol section 8) within JSON.
const LONGEST_BODY: usize = 80 * 1024;
/// How often a socket that was just closed is bound again before giving up, and how long between.
const BIND_TRIES: u32 = 20;
const BIND_PAUSE: Duration = Duration::from_millis(100);

/// Why an agent does not start, or ends. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The device's folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An address that cannot be listened on.
    #[error("{0} cannot be listened on ({1}).\nGive another address with --listen, or stop the program that uses this one.")]
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

/// Where an agent answers.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// HTTPS, and plain HTTP for the device's own screen.
    pub main: SocketAddr,
    /// The LAN tool's; none where the kernel has no such socket.
    pub lan: Option<SocketAddr>,
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
}

impl Agent {
    /// Takes a folder that [`crate::folder::init`] made.
    ///
    /// # Errors
    /// [`AgentError::Folder`].
    pub fn open(dir: &Path, firmware: Firmware) -> Result<Self, AgentError> {
        let held = Held::take(dir)?;
        let settings = held.settings()?;
        Ok(Self { held, firmware, settings, judge: Judge::default() })
    }

    /// Binds its sockets.
    ///
    /// # Errors
    /// [`AgentError::Bind`].
    pub async fn bind(self) -> Result<Bound, AgentError> {
        let main = bind_main(self.settings.listen).await?;
        let main_addr = main.local_addr()?;
        let wanted = self.settings.lan_address(main_addr);
        let lan = lan_listener::bind(wanted).inspect_err(|error| {
            tracing::warn!(%error, address = %wanted, "no socket for the LAN tool: it is answered on the main one");
        });
        let lan = lan.ok();
        let lan_addr = lan.as_ref().map(std::net::TcpListener::local_addr).transpose()?;
        Ok(Bound { agent: self, sockets: Sockets { main, lan }, addresses: Addresses { main: main_addr, lan: lan_addr } })
    }
}

async fn bind_main(addr: SocketAddr) -> Result<TcpListener, AgentError> {
    let bound = match TcpListener::bind(addr).await {
        // A machine without IPv6: all its addresses are of the other kind.
        Err(_) if addr.is_ipv6() && addr.ip().is_unspecified() => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, addr.port())).await
        }
        bound => bound,
    };
    bound.map_err(|error| AgentError::Bind(addr, error))
}

/// An agent that has its sockets.
#[derive(Debug)]
pub struct Bound {
    agent: Agent,
    sockets: Sockets,
    addresses: Addresses,
}

#[derive(Debug)]
struct Sockets {
    main: TcpListener,
    lan: Option<std::net::TcpListener>,
}

impl Bound {
    /// Where it answers, with the real ports.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Runs until `stop`. After a new password the agent restarts in here: it drops listeners and state, and comes back
    /// with what is on the disk.
    ///
    /// # Errors
    /// [`AgentError`]; after the first start only if the disk or the address is lost.
    pub async fn run(self, stop: CancellationToken) -> Result<(), AgentError> {
        let Self { agent, sockets, addresses } = self;
        let mut sockets = Some(sockets);
        let mut previous = None;
        while !stop.is_cancelled() {
            let bound = match sockets.take() {
                Some(bound) => bound,
                None => bind_again(addresses).await?,
            };
            let start = Start::now(previous);
            previous = Some(start);
            run_once(&agent, bound, start, &stop).await?;
        }
        tracing::info!("the agent has stopped");
        Ok(())
    }
}

/// The same addresses once more.
async fn bind_again(addresses: Addresses) -> Result<Sockets, AgentError> {
    let mut tries = 0;
    let main = loop {
        match TcpListener::bind(addresses.main).await {
            Ok(main) => break main,
            Err(error) if tries == BIND_TRIES => return Err(AgentError::Bind(addresses.main, error)),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(BIND_PAUSE).await;
    };
    let lan = addresses.lan.map(lan_listener::bind).transpose();
    let lan = lan.unwrap_or_else(|error| {
        tracing::warn!(%error, "the LAN tool's socket is lost");
        None
    });
    Ok(Sockets { main, lan })
}

/// One start of the device: what it had stored, ready to be served.
pub(crate) struct Started {
    pub(crate) app: Arc<App>,
    pub(crate) hosts: Hosts,
    tls: Arc<rustls::ServerConfig>,
}

/// Starts the device from its folder. `done` is cancelled when it has to restart.
pub(crate) async fn start(agent: &Agent, at: Start, done: CancellationToken) -> Result<Started, AgentError> {
    let settings = &agent.settings;
    let (vault, state) = agent.held.vault()?;
    let identity = agent.held.identity(agent.firmware.clone())?;
    let (serial, model) = (identity.certificate().serial.clone(), identity.certificate().model.clone());
    let state = (!state.is_empty()).then_some(state.as_slice());
    let device = Device::start(identity, settings.policy().map_err(FolderError::Settings)?, state)?;
    let active = device.is_active();
    let cost = hashing_cost(&agent.held, &device)?;

    let certificate = agent.held.tls(&format!("{model} {serial}"))?;
    let pem = certificate.certificate.as_bytes();
    let tls = tls::server_config(pem, certificate.key.as_bytes()).map_err(FolderError::Tls)?;

    let interfaces = Interfaces::default();
    let app = Arc::new(App {
        live: Live::new(device, vault, at, done.clone()),
        hasher: Hasher::start()?,
        guesses: Guesses::default(),
        judge: agent.judge.clone(),
        cost,
        language: settings.mail_language().map_err(FolderError::Settings)?,
        frame: Page::new("", settings.title.clone()).note(format!("{model} · {serial}")),
        code_seconds: settings.code_minutes * 60,
        fingerprint: tls::fingerprint(pem).map_err(FolderError::Tls)?,
        screen: settings.screen,
        connected: Box::new(move |addr| interfaces.is_connected(addr)),
        restart: done,
        off_link: None.into(),
    });
    // The start itself goes on disk first: running time and tries are counted from there.
    tick(&app).await;
    tracing::info!(%serial, active, "the device has started");
    Ok(Started { app, hosts: Hosts::new(settings.names.iter().cloned()), tls })
}

/// One start of the device, until it is to stop or to restart.
async fn run_once(agent: &Agent, sockets: Sockets, at: Start, stop: &CancellationToken) -> Result<(), AgentError> {
    let done = stop.child_token();
    let Started { app, hosts, tls } = start(agent, at, done.clone()).await?;

    let main = Listener::from_tokio(sockets.main, Scheme::both(Arc::clone(&tls)))?.with_bounds(bounds());
    tracing::info!(address = %main.local_addr(), "the agent answers");
    let main = main.serve(router(&app, hosts.clone(), Door::Main)?, done.clone());
    let lan = async {
        let Some(socket) = sockets.lan else { return Ok(()) };
        let listener = Listener::from_std(socket, Scheme::Tls(tls))?.with_bounds(bounds());
        listener.serve(router(&app, hosts, Door::Link)?, done.clone()).await;
        Ok::<_, AgentError>(())
    };
    let ticking = done.run_until_cancelled(async {
        loop {
            tokio::time::sleep(Duration::from_secs(TICK_SECONDS)).await;
            tick(&app).await;
        }
    });
    let ((), served, _) = tokio::join!(main, lan, ticking);
    app.live.settle().await;
    served
}

/// Keeps the running time. A disk that fails has been logged, and the agent starts again.
async fn tick(app: &App) {
    let _ = app.live.command(Caller::Screen, |device, now| Ok(device.tick(now))).await;
}

/// A recorder has few callers at once, and little memory.
fn bounds() -> Bounds {
    Bounds { connections: 128, connections_per_peer: 32, drain: Duration::from_secs(2), ..Bounds::default() }
}

/// All that is answered: interface and pages on the main socket, the interface alone on the LAN tool's.
pub(crate) fn router(app: &Arc<App>, hosts: Hosts, door: Door) -> Result<Router, AgentError> {
    let csrf = Csrf::random().map_err(|_| io::Error::other("no randomness"))?;
    let calls = match door {
        Door::Main => api::router().merge(pages::router()),
        Door::Link => api::router(),
    };
    let router = calls
        .fallback(async || Problem::new(messages::NOT_FOUND))
        .method_not_allowed_fallback(async || Problem::new(messages::METHOD_NOT_ALLOWED))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(Extension(door))
        .layer(from_fn_with_state(csrf, csrf::guard))
        .layer(from_fn_with_state(hosts, host::check))
        .layer(from_fn_with_state(app.frame.clone(), page::problems))
        .layer(from_fn_with_state(Headers::default(), headers::set));
    Ok(router.with_state(Arc::clone(app)))
}
