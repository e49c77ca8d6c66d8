//! Live pictures for other people's programs, by RTSP (RFC 2326), over TCP: `rtsp://RECORDER:8554/camera/1/main`.
//!
//! They log in with an account of their own: RTSP knows digests only (RFC 2617), and for those a server has to know the password. So it is
//! one that the recorder draws, that opens nothing but this, and that can be taken back. Without one nothing is listened on.

mod digest;
mod packets;
mod sdp;
mod session;

use std::{
    io,
    net::SocketAddr,
    num::NonZeroU16,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{recorder::Inside, secret::Secret};

/// The port, unless another is set.
const PORT: u16 = 8554;
/// Programs that are connected at once.
const MOST: usize = 64;

/// The account of other programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// Drawn by the recorder: 128 random bits.
    pub(crate) password: Secret,
    #[serde(default = "port")]
    pub(crate) port: u16,
}

/// The name to it.
pub(crate) const USERNAME: &str = "viewer";

fn port() -> u16 {
    PORT
}

impl Account {
    /// A new one, at this port, or that of the one before.
    pub(crate) fn draw(before: Option<&Self>, port: Option<NonZeroU16>) -> io::Result<Self> {
        let port = port.map(NonZeroU16::get).or(before.map(|before| before.port)).unwrap_or(PORT);
        let mut bytes = zeroize::Zeroizing::new([0; 16]);
        getrandom::fill(&mut *bytes).map_err(|_| io::Error::other("no randomness"))?;
        let password = data_encoding::BASE32_NOPAD.encode(&*bytes).to_lowercase();
        Ok(Self { password: Secret::new(password.into()), port })
    }
}

/// Listens until `stop`. What was begun goes on no longer than that.
pub(crate) async fn serve(inside: Weak<Inside>, account: Account, stop: CancellationToken) {
    let address = SocketAddr::from(([0; 8], account.port));
    // Where there is no IPv6.
    let bound = match TcpListener::bind(address).await {
        Err(_) => TcpListener::bind(SocketAddr::from(([0; 4], account.port))).await,
        bound => bound,
    };
    let listener = match bound {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, port = account.port, "other programs cannot be served"),
    };
    let (account, connected) = (Arc::new(account), Arc::new(AtomicUsize::new(0)));
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else {
            // The system has no room for one more; those that are there go on.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        if connected.load(Ordering::Relaxed) >= MOST {
            continue;
        }
        connected.fetch_add(1, Ordering::Relaxed);
        let (inside, account, connected, stop) =
            (inside.clone(), Arc::clone(&account), Arc::clone(&connected), stop.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(session::serve(stream, &inside, &account)).await;
            connected.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
