//! The two sockets that an agent answers on, bound again at every restart.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use sparekey_device::ListenPorts;
use sparekey_web::listen::{Bounds, Listener, Scheme};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::agent::AgentError;
use crate::lan_listener;
use crate::settings::Settings;

/// How often a socket that was just closed is bound again before giving up, and how long between.
const BIND_TRIES: u32 = 20;
const BIND_PAUSE: Duration = Duration::from_millis(100);

/// Where an agent answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// HTTPS, and plain HTTP for the device's own screen.
    pub main: SocketAddr,
    /// The LAN tool's; none where the kernel has no such socket.
    pub lan: Option<SocketAddr>,
}

impl Addresses {
    /// The same addresses with other ports.
    pub(crate) fn with(self, ports: ListenPorts) -> Self {
        let at = |mut address: SocketAddr, port| {
            address.set_port(port);
            address
        };
        Self { main: at(self.main, ports.main), lan: self.lan.zip(ports.lan).map(|(lan, port)| at(lan, port)) }
    }
}

/// Bound, not yet answering.
#[derive(Debug)]
pub(crate) struct Sockets {
    main: TcpListener,
    lan: Option<std::net::TcpListener>,
}

/// What is answered on each of the two.
pub(crate) struct Routers {
    pub(crate) main: Router,
    pub(crate) lan: Router,
}

impl Sockets {
    /// Binds what the settings name; with it the addresses, with the real ports.
    ///
    /// # Errors
    /// [`AgentError::Bind`] for the main one. Without the LAN tool's the agent goes on.
    pub(crate) async fn bind(settings: &Settings) -> Result<(Self, Addresses), AgentError> {
        let main = bind_main(settings.listen).await?;
        let main_addr = main.local_addr()?;
        let wanted = settings.lan_address(main_addr);
        let lan = lan_listener::bind(wanted).inspect_err(|error| {
            tracing::warn!(%error, address = %wanted, "no socket for the LAN tool: it is answered on the main one");
        });
        let lan = lan.ok();
        let lan_addr = lan.as_ref().map(std::net::TcpListener::local_addr).transpose()?;
        Ok((Self { main, lan }, Addresses { main: main_addr, lan: lan_addr }))
    }

    /// The same addresses once more.
    ///
    /// # Errors
    /// [`AgentError::Bind`] if the main one is lost.
    pub(crate) async fn bind_again(addresses: Addresses) -> Result<Self, AgentError> {
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
        Ok(Self { main, lan })
    }

    /// Whether all that was to be bound is.
    pub(crate) fn are_all(&self, addresses: Addresses) -> bool {
        self.lan.is_some() == addresses.lan.is_some()
    }

    /// Answers until `done`: everybody by TLS, the device's own screen by plain HTTP as well.
    ///
    /// # Errors
    /// If a socket cannot be used.
    pub(crate) async fn serve(
        self,
        tls: Arc<rustls::ServerConfig>,
        routers: Routers,
        done: CancellationToken,
    ) -> Result<(), AgentError> {
        let main = Listener::from_tokio(self.main, Scheme::both(Arc::clone(&tls)))?.with_bounds(bounds());
        let lan = self.lan.map(|socket| Listener::from_std(socket, Scheme::Tls(tls))).transpose()?;
        let lan = async {
            if let Some(listener) = lan {
                listener.with_bounds(bounds()).serve(routers.lan, done.clone()).await;
            }
        };
        tokio::join!(main.serve(routers.main, done.clone()), lan);
        Ok(())
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

/// A recorder has few callers at once, and little memory.
fn bounds() -> Bounds {
    Bounds { connections: 128, connections_per_peer: 32, drain: Duration::from_secs(2), ..Bounds::default() }
}
