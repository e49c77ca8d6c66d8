//! Live pictures for other people's programs, by RTSP (RFC 2326), over TCP: `rtsp://RECORDER:8554/camera/1/main`.
//!
//! They log in with an account of their own: RTSP knows digests only (RFC 2617), and for those a server has to know the password. So it is
//! one that the recorder draws, that opens nothing but this, and that can be taken back. Without one nothing is listened on.

mod digest;
mod packets;
mod sdp;
mod session;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{recorder::Inside, secret::Secret};

/// The port, unless another is set.
const PORT: u16 = 8554;
/// Programs that are connected at once; of one computer.
const MOST: usize = 64;
const MOST_OF_ONE: usize = 20;

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
    let (account, connected) = (Arc::new(account), Arc::new(Mutex::new(BTreeMap::<IpAddr, usize>::new())));
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, from)) = accepted else {
            // The system has no room for one more; those that are there go on.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let from = from.ip();
        {
            let mut connected = connected.lock().unwrap_or_else(PoisonError::into_inner);
            if connected.values().sum::<usize>() >= MOST || connected.get(&from).is_some_and(|own| *own >= MOST_OF_ONE)
            {
                continue;
            }
            *connected.entry(from).or_default() += 1;
        }
        let (inside, account, connected, stop) =
            (inside.clone(), Arc::clone(&account), Arc::clone(&connected), stop.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(session::serve(stream, &inside, &account)).await;
            let mut connected = connected.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(own) = connected.get_mut(&from) {
                *own -= 1;
            }
            connected.retain(|_, own| *own > 0);
        });
    }
}
