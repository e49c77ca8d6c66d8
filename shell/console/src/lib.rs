//! The LAN tool in a window: pages on loopback for whoever started the program, and for nobody else.
//!
//! [`Console::bind`] listens on 127.0.0.1 only; [`Bound::address`] has the secret without which no page is shown (`gate`). A thread searches the
//! link all the while (`watch`), and a page shows what it has found. Devices are met, believed and helped by `sparekey-lan`, as on the command line;
//! other vendors' devices are not called.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))] // a test that panics is a test that fails

mod app;
mod gate;
mod jobs;
mod pages;
mod watch;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use axum::{Extension, Router, extract::DefaultBodyLimit, middleware::from_fn_with_state};
use sparekey_lan::LanError;
use sparekey_protocol::PublicKey;
use sparekey_web::{
    assets,
    csrf::{self, Csrf},
    headers::{self, Headers},
    host::{self, Hosts},
    listen::{Listener, Scheme},
    messages,
    page::{self, Page},
    problem::Problem,
};
use tokio_util::sync::CancellationToken;

use crate::{app::App, gate::Gate};

/// The longest form: a file of grants (protocol section 8) with what stands around it.
const LONGEST_BODY: usize = 1024 * 1024;
/// What the pages are called.
const NAME: &str = "Sparekey on this network";

/// What a window needs to begin.
#[derive(Debug)]
pub struct Console {
    /// The port on loopback; 0: any.
    pub port: u16,
    /// The maker whose devices alone are believed, if one was given.
    pub maker: Option<PublicKey>,
    /// Where each device's key is remembered.
    pub known: PathBuf,
}

/// Why there is no window. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The port.
    #[error("port {0} of this computer cannot be listened on ({1})\nGive another with --port, or none.")]
    Bind(u16, io::Error),
    /// The link.
    #[error(transparent)]
    Link(#[from] LanError),
    /// The system.
    #[error("the system refuses what a window needs ({0})\nCheck its limits of threads and memory.")]
    System(#[from] io::Error),
}

/// A window that nobody has opened yet.
pub struct Bound {
    listener: Listener,
    gate: Gate,
    app: Arc<App>,
}

impl Console {
    /// Listens, and begins to search.
    ///
    /// # Errors
    /// [`ConsoleError`]
    pub async fn bind(self) -> Result<Bound, ConsoleError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let bound = Listener::bind(address, Scheme::Plain).await;
        let listener = bound.map_err(|error| ConsoleError::Bind(self.port, error))?;
        let gate = Gate::random(listener.local_addr()).map_err(|_| io::Error::other("no randomness"))?;
        let app = Arc::new(App::new(self.maker, &self.known)?);
        Ok(Bound { listener, gate, app })
    }
}

impl Bound {
    /// What a browser is to open. Whoever has it may do what the program may: it is a secret.
    #[must_use]
    pub fn address(&self) -> String {
        self.gate.address()
    }

    /// Answers until `stop`.
    ///
    /// # Errors
    /// [`ConsoleError::System`] if there is no randomness.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), ConsoleError> {
        let router = router(&self.app, &self.gate)?;
        self.listener.serve(router, stop).await;
        self.app.stop();
        Ok(())
    }
}

fn router(app: &Arc<App>, gate: &Gate) -> io::Result<Router> {
    let csrf = Csrf::random().map_err(|_| io::Error::other("no randomness"))?.with_session_cookie(gate.cookie());
    Ok(pages::router()
        .fallback(async || Problem::new(messages::NOT_FOUND))
        .method_not_allowed_fallback(async || Problem::new(messages::METHOD_NOT_ALLOWED))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(csrf, csrf::guard))
        .layer(from_fn_with_state(gate.clone(), gate::check))
        .layer(Extension(gate.clone()))
        .with_state(Arc::clone(app))
        .merge(assets::router(assets::SHARED.iter().copied().chain(pages::ASSETS)))
        .layer(from_fn_with_state(Hosts::default(), host::check))
        .layer(from_fn_with_state(Page::new("", NAME), page::problems))
        .layer(from_fn_with_state(Headers::default(), headers::set)))
}
