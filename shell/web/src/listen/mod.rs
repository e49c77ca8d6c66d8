//! Serving an axum `Router` on one TCP socket, by plain HTTP, TLS or both.
//!
//! Both: the first byte tells TLS (0x16, RFC 8446 section 5.1) from HTTP. TLS is answered for everyone; plain HTTP only
//! for the device's own screen, which comes over loopback. Every other plain request is sent to `https://` at the
//! address the socket itself was reached on: what the request says about the host is not believed.

mod body;
mod bounds;
mod connection;
mod stall;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRequestParts;
use http::request::Parts;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use bounds::Bounds;

use crate::problem::Problem;
use bounds::Places;

/// After a failed `accept` (mostly: no file descriptors left) the next one waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end of the connection that a request came in on. An extractor.
///
/// IPv4 addresses on a dual-stack socket are given as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end.
    pub addr: SocketAddr,
    /// Our own end: the address the peer dialled, as far as the kernel knows.
    pub local: SocketAddr,
    /// Whether the connection is TLS, ended here.
    pub tls: bool,
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| {
            tracing::error!("a request without a peer: served by something else than Listener");
            Problem::internal()
        })
    }
}

/// What is spoken on a socket.
#[derive(Clone)]
pub enum Scheme {
    /// HTTP for everyone: behind a proxy, or on loopback.
    Plain,
    /// TLS for everyone.
    Tls(Arc<ServerConfig>),
    /// TLS for everyone, plain HTTP for the own screen, a redirect for the rest.
    Both {
        /// As for `Tls`.
        tls: Arc<ServerConfig>,
        /// Which peers are the device's own screen; [`loopback`] everywhere but in tests.
        own_screen: fn(IpAddr) -> bool,
    },
}

impl Scheme {
    /// TLS for everyone, plain HTTP over loopback.
    pub fn both(tls: Arc<ServerConfig>) -> Self {
        Self::Both { tls, own_screen: loopback }
    }
}

/// Whether the address is this machine's own.
pub fn loopback(addr: IpAddr) -> bool {
    addr.to_canonical().is_loopback()
}

/// A bound socket, ready to serve.
pub struct Listener {
    socket: TcpListener,
    local: SocketAddr,
    scheme: Scheme,
    bounds: Bounds,
}

impl Listener {
    /// Binds `addr`; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of bind(2): in use, not ours, not permitted.
    pub async fn bind(addr: SocketAddr, scheme: Scheme) -> io::Result<Self> {
        Self::from_tokio(TcpListener::bind(addr).await?, scheme)
    }

    /// Takes over a socket that listens already, with whatever options were set on it.
    ///
    /// # Errors
    /// If the socket cannot be made non-blocking.
    pub fn from_std(socket: std::net::TcpListener, scheme: Scheme) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::from_tokio(TcpListener::from_std(socket)?, scheme)
    }

    /// Takes over a socket of tokio's.
    ///
    /// # Errors
    /// If the socket has no address.
    pub fn from_tokio(socket: TcpListener, scheme: Scheme) -> io::Result<Self> {
        let local = socket.local_addr()?;
        Ok(Self { socket, local, scheme, bounds: Bounds::default() })
    }

    /// With other bounds than the default ones.
    #[must_use]
    pub fn with_bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The bound address, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `stop`. Then nothing new is accepted, requests under way are finished, and what is not done after
    /// [`Bounds::drain`] is cut off.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        let Self { socket, scheme, bounds, .. } = self;
        let places = Places::new(&bounds);
        let cut = CancellationToken::new();
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = socket.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Some(place) = places.take(peer.ip()) else {
                tracing::debug!("connection refused: all places are taken");
                continue;
            };
            let serving = connection::serve(stream, scheme.clone(), bounds, router.clone(), stop.clone());
            let cut = cut.clone();
            connections.spawn(async move {
                cut.run_until_cancelled(serving).await;
                drop(place);
            });
        }
        drop(socket);
        connections.close();
        if tokio::time::timeout(bounds.drain, connections.wait()).await.is_err() {
            cut.cancel();
            connections.wait().await;
        }
    }
}
